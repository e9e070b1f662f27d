/* nats.h -- the sink `nats`: what plugin.c puts into its table. */
#ifndef SINK_NATS_H
#define SINK_NATS_H

#include "core/sink.h"

enum { NATS_BATCH = 256 };
struct nats_settings { /* the plugin's state */
	int64_t timeout;           /* ms: for connecting, and for each batch */
	int64_t (*now)(void);      /* monotonic ms */
	int (*random)(void *to, size_t n); /* 0, or -1 */
};
extern const char nats_fields_of_connection[];
const char *nats_check(const cJSON *fields, struct sk_arena *a);
void *nats_open(void *state, const cJSON *fields, char *why, size_t why_size);
void nats_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void nats_close(void *sink);

#endif
