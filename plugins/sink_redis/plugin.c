/* plugin.c -- skeeter_sink_redis: rules write to a Redis. Glue only. */
#include <time.h>

#include "core/plugin.h"
#include "core/sink.h"
#include "plugins/sink_redis/redis.h"

#define SHAPES_FILE "plugins/sink_redis/sink_redis.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct redis_settings, timeout, "5s", NULL, "how long connecting may take, and the answer to a batch"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "redis", .prose = "streams, lists, channels, keys and hashes of a Redis", .connection = redis_connection, .order = "key",
	  .check = redis_check, .open = redis_open, .deliver = redis_deliver, .close = redis_close },
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
	((struct redis_settings *)state)->now = now;
	return 0;
}

SKEETER_PLUGIN(.name = "sink_redis", .prose = "rules write to a Redis", .state_size = sizeof(struct redis_settings), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
