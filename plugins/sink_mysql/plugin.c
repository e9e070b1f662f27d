/* plugin.c -- skeeter_sink_mysql: rules write into MySQL and MariaDB. Glue only. */
#include <signal.h>

#include "core/plugin.h"
#include "core/why.h"
#include "plugins/sink_mysql/sink_mysql.h"

#define SHAPES_FILE "plugins/sink_mysql/sink_mysql.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_DURATION, struct mysql_state, timeout, "5s", NULL, "how long the server may take to answer, rounded up to whole seconds"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "mysql", .prose = "a statement of SQL with the message's values as parameters", .connection = "url user password tls.ca tls.certificate tls.key",
	  .check = sink_mysql_check, .open = sink_mysql_open, .deliver = sink_mysql_deliver, .close = sink_mysql_close },
	{ 0 }
};

/* The client library begins by telling the process what to do on SIGPIPE; that is the broker's to say. */
static void begin_library(void)
{
	struct sigaction before;

	sigaction(SIGPIPE, NULL, &before);
	mysql_server_init(0, NULL, NULL);
	sigaction(SIGPIPE, &before, NULL);
}

static int start(void *state, char *why, size_t why_size)
{
	const struct mysql_state *s = state;

	if (s->timeout < 1000 || s->timeout > 600000)
		return sk_why(why, why_size, "plugin_opt_timeout must be from 1s to 10m");
	begin_library();
	return 0;
}

SKEETER_PLUGIN(.name = "sink_mysql", .prose = "rules write into MySQL and MariaDB", .state_size = sizeof(struct mysql_state), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
