/* plugin.c -- skeeter_sink_nats: rules publish to NATS and JetStream. Glue only. */
#include <sys/random.h>
#include <time.h>

#include "core/plugin.h"
#include "core/sink.h"
#include "plugins/sink_nats/nats.h"

#define SHAPES_FILE "plugins/sink_nats/sink_nats.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct nats_settings, timeout, "5s", NULL, "how long connecting may take, and the answers to a batch"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "nats", .prose = "subjects of NATS, with JetStream's acknowledgements if they are wanted", .connection = nats_fields_of_connection,
	  .order = "subject", .most_items = NATS_BATCH, .check = nats_check, .open = nats_open, .deliver = nats_deliver, .close = nats_close },
	{ 0 }
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int random_bytes(void *to, size_t n)
{
	return getrandom(to, n, 0) == (ssize_t)n ? 0 : -1;
}

static int start(void *state, char *why, size_t why_size)
{
	struct nats_settings *s = state;

	(void)why, (void)why_size;
	s->now = now;
	s->random = random_bytes;
	return 0;
}

SKEETER_PLUGIN(.name = "sink_nats", .prose = "rules publish to NATS and JetStream", .state_size = sizeof(struct nats_settings), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
