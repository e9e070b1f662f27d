/* message.h -- an item as AMQP's basic.publish, and what the server says of it. Pure. */
#ifndef SINK_AMQP_MESSAGE_H
#define SINK_AMQP_MESSAGE_H

#include "core/sink.h"
#include "plugins/sink_amqp/wire.h"

enum {
	AMQP_START = AMQP_ID(10, 10), AMQP_START_OK = AMQP_ID(10, 11), AMQP_TUNE = AMQP_ID(10, 30), AMQP_TUNE_OK = AMQP_ID(10, 31),
	AMQP_OPEN = AMQP_ID(10, 40), AMQP_OPEN_OK = AMQP_ID(10, 41), AMQP_CLOSE = AMQP_ID(10, 50), AMQP_CLOSE_OK = AMQP_ID(10, 51),
	AMQP_BLOCKED = AMQP_ID(10, 60), AMQP_UNBLOCKED = AMQP_ID(10, 61),
	AMQP_CHANNEL_OPEN = AMQP_ID(20, 10), AMQP_CHANNEL_OPEN_OK = AMQP_ID(20, 11), AMQP_CHANNEL_CLOSE = AMQP_ID(20, 40), AMQP_CHANNEL_CLOSE_OK = AMQP_ID(20, 41),
	AMQP_CONFIRM = AMQP_ID(85, 10), AMQP_CONFIRM_OK = AMQP_ID(85, 11),
	AMQP_PUBLISH = AMQP_ID(60, 40), AMQP_RETURN = AMQP_ID(60, 50), AMQP_ACK = AMQP_ID(60, 80), AMQP_NACK = AMQP_ID(60, 120),
};
enum { AMQP_CHANNEL = 1 };

/* NULL, or why the item can never be published. */
const char *amqp_item_fault(const struct sk_sink_item *item);
/* Its frames, none larger than frame_most. */
void amqp_publish(struct amqp_out *o, const struct sk_sink_item *item, size_t frame_most);
/* The message-id of a content header; size 0: it has none. */
struct amqp_text amqp_message_id(const struct amqp_frame *header);

#endif
