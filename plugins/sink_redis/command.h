/* command.h -- an item as a Redis command, in RESP. Pure. */
#ifndef SINK_REDIS_COMMAND_H
#define SINK_REDIS_COMMAND_H

#include "core/sink.h"

/* Where bytes go; `to` NULL: they are only counted. */
struct redis_out {
	char *to;
	size_t n;
};
/* One command of these words. */
void redis_words(struct redis_out *o, const char *const *word, size_t n);
/* The item's command. NULL, or why there is none: then nothing was written. */
const char *redis_command(struct redis_out *o, const struct sk_sink_item *item);
/* What is wrong with the fields of a rule's action; NULL: nothing. */
const char *redis_command_fault(const cJSON *fields, struct sk_arena *a);

#endif
