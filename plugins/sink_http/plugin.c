/* plugin.c -- skeeter_sink_http: rules' actions to web servers, InfluxDB, ClickHouse and mail servers. Glue only. */
#include "core/plugin.h"

#include <time.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/sink_http/sink_http.h"

#define SHAPES_FILE "plugins/sink_http/sink_http.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct sink_http_state, cafile, NULL, NULL, "a file of certificates of those CAs that servers are trusted by; none: the system's"),
	SK_OPTION(SK_STR, struct sink_http_state, proxy, NULL, NULL, "the proxy for web servers, `http://host:port`; none: the environment's is not used either"),
	SK_OPTION(SK_DURATION, struct sink_http_state, timeout, "5s", NULL, "how long a request may take, from connecting to the end of its answer"),
	SK_OPTION(SK_DURATION, struct sink_http_state, connect_timeout, "3s", NULL, "how long connecting may take of that, TLS included"),
	SK_OPTION(SK_INT, struct sink_http_state, connections, "16", "1 256", "most requests at once to one server"),
	{ 0 }
};

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start(void *state, char *why, size_t why_size)
{
	struct sink_http_state *s = state;

	s->now_ms = wall_ms;
	if (s->cafile && access(s->cafile, R_OK))
		return sk_why(why, why_size, "plugin_opt_cafile %s cannot be read", s->cafile);
	if (s->timeout <= 0 || s->connect_timeout <= 0)
		return sk_why(why, why_size, "plugin_opt_timeout and plugin_opt_connect_timeout must be above 0");
	return outbound_load() ? sk_why(why, why_size, "libcurl could not be set up") : 0;
}

static void stop(void *state)
{
	(void)state;
	outbound_unload();
}

static const struct sk_sink sinks[] = {
	{ .kind = "http", .prose = "POSTs to a web server, signed if asked for, in batches if asked for", .lane = post_lane, .order = "", .most_items = 256,
	  .most_bytes = 4 << 20, .check = post_check, .open = post_open, .deliver = post_deliver, .close = post_close },
	{ .kind = "influx", .prose = "writes points to InfluxDB", .connection = "url database org bucket token user password", .order = "", .most_items = 5000,
	  .most_bytes = 4 << 20, .check = influx_check, .open = influx_open, .deliver = influx_deliver, .close = influx_close },
	{ .kind = "clickhouse", .prose = "inserts rows into ClickHouse", .connection = "url database user password", .order = "", .most_items = 10000,
	  .most_bytes = 8 << 20, .check = clickhouse_check, .open = clickhouse_open, .deliver = clickhouse_deliver, .close = clickhouse_close },
	{ .kind = "smtp", .prose = "sends a mail for each message", .connection = "url user password startTls", .order = "", .most_items = 16,
	  .most_bytes = 8 << 20, .check = smtp_check, .open = smtp_open, .deliver = smtp_deliver, .close = smtp_close },
	{ 0 }
};

SKEETER_PLUGIN(.name = "sink_http", .prose = "rules' actions http, influx, clickhouse and smtp", .state_size = sizeof(struct sink_http_state), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start, .stop = stop)
