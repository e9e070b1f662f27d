/* plugin.c -- skeeter_sink_kafka: AWS's action kafka. Glue only. */
#include "core/plugin.h"
#include "core/why.h"
#include "plugins/sink_kafka/kafka.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct kafka_state, timeout, "5s", NULL, "how long a batch may take until its last message is acknowledged"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "kafka", .prose = "a record of Apache Kafka", .connection = "clientProperties", .lane = kafka_lane, .order = "key",
	  .most_items = 4096, .most_bytes = 4 << 20, .check = kafka_check, .open = kafka_open, .deliver = kafka_deliver, .close = kafka_close },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	const struct kafka_state *s = state;

	if (s->timeout < 100 || s->timeout > 600000)
		return sk_why(why, why_size, "plugin_opt_timeout must be from 100ms to 10m");
	return 0;
}

SKEETER_PLUGIN(.name = "sink_kafka", .prose = "rules send to Apache Kafka", .state_size = sizeof(struct kafka_state), .options = options, .sinks = sinks,
               .start = start)
