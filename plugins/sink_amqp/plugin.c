/* plugin.c -- skeeter_sink_amqp: rules publish to a RabbitMQ. Glue only. */
#include <time.h>

#include "core/plugin.h"
#include "core/sink.h"
#include "plugins/sink_amqp/amqp.h"

#define SHAPES_FILE "plugins/sink_amqp/sink_amqp.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct amqp_settings, timeout, "5s", NULL, "how long connecting may take, and the confirmations of a batch"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "amqp", .prose = "exchanges of a RabbitMQ, with its confirmation of each message", .connection = amqp_fields_of_connection,
	  .order = "routingKey", .most_items = AMQP_BATCH, .check = amqp_check, .open = amqp_open, .deliver = amqp_deliver, .close = amqp_close },
	{ 0 }
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int start(void *state, char *why, size_t why_size)
{
	(void)why, (void)why_size;
	((struct amqp_settings *)state)->now = now;
	return 0;
}

SKEETER_PLUGIN(.name = "sink_amqp", .prose = "rules publish to a RabbitMQ", .state_size = sizeof(struct amqp_settings), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
