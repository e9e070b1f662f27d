/* plugin.c -- skeeter_sink_postgres: rules write into PostgreSQL. Glue only. */
#include "core/plugin.h"
#include "core/why.h"
#include "plugins/sink_postgres/postgres.h"

#define SHAPES_FILE "plugins/sink_postgres/sink_postgres.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct postgres_state, timeout, "5s", NULL, "how long the server may take for a step of connecting, or for one statement"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "postgres", .prose = "a statement of SQL with the message's values as parameters", .connection = "url user password",
	  .check = postgres_check, .open = postgres_open, .deliver = postgres_deliver, .close = postgres_close },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	const struct postgres_state *s = state;

	if (s->timeout < 100 || s->timeout > 600000)
		return sk_why(why, why_size, "plugin_opt_timeout must be from 100ms to 10m");
	return 0;
}

SKEETER_PLUGIN(.name = "sink_postgres", .prose = "rules write into PostgreSQL", .state_size = sizeof(struct postgres_state), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
