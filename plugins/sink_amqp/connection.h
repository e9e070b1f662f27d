/* connection.h -- one connection to an AMQP 0-9-1 server with one channel in confirm mode. */
#ifndef SINK_AMQP_CONNECTION_H
#define SINK_AMQP_CONNECTION_H

#include "plugins/sink_amqp/address.h"
#include "plugins/sink_amqp/message.h"

enum { AMQP_FRAME_MOST = 131072, AMQP_REASON = 200 };
struct amqp_connection {
	struct dial link;          /* its why[] says why a call failed */
	struct amqp_address address;
	bool open, channel;
	size_t frame_most;         /* as agreed with the server */
	uint64_t tag;              /* of the latest message of the channel */
	char blocked[AMQP_REASON]; /* why the server takes nothing now; "": it does */
	struct dial_input in;      /* AMQP_FRAME_MOST of room */
};
/* With link.until set: connection and channel are there, or -1 with link.why, and nothing is. */
int amqp_ready(struct amqp_connection *c, struct sk_arena *a);
/* The next frame of the channel, which lives until the next call, and its method's id (0: it is none); what concerns the connection is dealt with.
 * AMQP_CHANNEL_CLOSE has been answered: the channel is no more. -1 with link.why: the connection is no more. */
int amqp_event(struct amqp_connection *c, struct amqp_frame *f, uint32_t *id);
/* Whether an event can be asked for without waiting long. */
bool amqp_something(const struct amqp_connection *c);
/* "404: NOT_FOUND - no exchange 'x'" of a frame with a code and a text behind its id; cut to n. */
void amqp_reason(const struct amqp_frame *f, char *to, size_t n);
void amqp_hang_up(struct amqp_connection *c);
void amqp_farewell(struct amqp_connection *c); /* says so before */

#endif
