/* judge.h -- what an error of Redis means. Pure. */
#ifndef SINK_REDIS_JUDGE_H
#define SINK_REDIS_JUDGE_H

#include "core/sink.h"

struct redis_verdict {
	enum sk_sunk result;
	bool leave;                /* another connection may do better: close this one */
};
/* Of the text behind the minus: "WRONGTYPE Operation against a key ...". */
struct redis_verdict redis_judge(const char *error);

#endif
