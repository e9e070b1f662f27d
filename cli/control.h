/* control.h -- one operator's connection to the broker over its unix socket.
 *
 * Commands go to $CONTROL/skeeter/v1 in Mosquitto's envelope and are answered to this client only, without a
 * subscription. The connection may also publish and subscribe like any client: an operator is allowed everything.
 * No threads: all waiting happens inside these functions, against the monotonic clock. */
#ifndef SKEETER_CONTROL_H
#define SKEETER_CONTROL_H

#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"

struct control;
/* A message on a topic that was subscribed. */
typedef void control_on_message(void *ctx, const char *topic, const char *payload, size_t size);

/* NULL with one line in why[], without a full stop. */
struct control *control_open(const char *socket, int timeout_ms, char *why, size_t why_size);
void control_close(struct control **c);

/* Sends one command and waits for its response object, which is `a`'s: "data", or "error", "code" and "status".
 * NULL when there was no answer: see control_why. `in` may be NULL; it is not changed. */
const cJSON *control_call(struct control *c, struct sk_arena *a, const char *command, const cJSON *in);
/* What went wrong last, without a full stop. */
const char *control_why(const struct control *c);

/* Within control_on_message: this message was retained, it is not sent now. */
bool control_retained(const struct control *c);

/* 0, or -1: see control_why. Both return when the broker has acknowledged (subscribe) or the packet is queued (publish). */
int control_subscribe(struct control *c, const char *filter, control_on_message *fn, void *ctx);
int control_publish(struct control *c, const char *topic, const char *payload, size_t size);
/* Handles what comes for at most `ms`; returns after the first activity. 0, or -1 when the connection is lost. */
int control_wait(struct control *c, int ms);

int64_t control_clock_ms(void); /* monotonic */

#endif
