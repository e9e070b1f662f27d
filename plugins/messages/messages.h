/* messages.h -- the state of skeeter_messages: options, which never change, and where retained messages are asked for.
 *
 * Handlers touch nothing but the call; what waits for the broker is awaited (sk_await), and watched is safe for every thread. */
#ifndef MESSAGES_MESSAGES_H
#define MESSAGES_MESSAGES_H

#include <stdatomic.h>

#include "core/call.h"
#include "core/plugin.h"
#include "core/retained.h"

struct messages_state {
	/* options */
	bool retained;
	const char *retained_listener;
	int64_t retained_topics, publish_size;
	/* made when all plugins are loaded */
	bool (*is_input)(const char *topic);            /* a topic below $aws/ that a row takes; any thread */
	_Atomic(struct sk_retained *) watched;          /* NULL: nobody watches */
};

extern const struct sk_op_group publish_group, retained_group;

/* Why no message can be published there, or retained; NULL: it can. A wildcard, nothing, more than MQTT allows. */
const char *messages_topic_fault(const char *topic);
/* base64 to bytes in the arena, NUL behind them; NULL: it is none, or memory is out. */
unsigned char *messages_decode(struct sk_arena *a, const char *base64, size_t *n);
/* Bytes to base64; NULL: memory is out. */
const char *messages_encode(struct sk_arena *a, const void *data, size_t n);

#endif
