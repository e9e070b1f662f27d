/* reply.h -- what Redis answers, through hiredis's reader, and what an error means for the item. Links hiredis, but asks no network. */
#ifndef SINK_REDIS_REPLY_H
#define SINK_REDIS_REPLY_H

#include <hiredis/read.h>

#include "core/sink.h"

enum { REDIS_WHY = 240 };
struct redis_reply {
	bool error;
	char text[REDIS_WHY];      /* of an error or a status, cut; "" of anything else */
};
/* A reader that keeps the latest whole reply in *reply. NULL: memory is out. redisReaderFree() ends it. */
redisReader *redis_reader(struct redis_reply *reply);
/* 1: a reply has come into *reply; 0: more bytes are wanted; -1: what came is no RESP, or too much. */
int redis_reader_next(redisReader *r);

#endif
