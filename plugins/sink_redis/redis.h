/* redis.h -- the sink `redis`: what plugin.c puts into its table. */
#ifndef SINK_REDIS_H
#define SINK_REDIS_H

#include "core/sink.h"

struct redis_settings { /* the plugin's state */
	int64_t timeout;         /* ms: for connecting, and for each batch */
	int64_t (*now)(void);    /* monotonic ms */
};
extern const char redis_connection[]; /* the fields that are the connection's */
const char *redis_check(const cJSON *fields, struct sk_arena *a);
void *redis_open(void *state, const cJSON *fields, char *why, size_t why_size);
void redis_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void redis_close(void *sink);

#endif
