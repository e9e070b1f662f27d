/* amqp.h -- the sink `amqp`: what plugin.c puts into its table. */
#ifndef SINK_AMQP_H
#define SINK_AMQP_H

#include "core/sink.h"

enum { AMQP_BATCH = 256 };
struct amqp_settings { /* the plugin's state */
	int64_t timeout;           /* ms: for connecting, and for each batch */
	int64_t (*now)(void);      /* monotonic ms */
};
extern const char amqp_fields_of_connection[];
const char *amqp_check(const cJSON *fields, struct sk_arena *a);
void *amqp_open(void *state, const cJSON *fields, char *why, size_t why_size);
void amqp_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void amqp_close(void *sink);

#endif
