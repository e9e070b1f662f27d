/* base.c -- what the sinks of this plugin have in common: a client with the plugin's options, in the memory of the sink. */
#include "plugins/sink_http/sink_http.h"

int sink_http_connect(struct sink_http_base *base, const struct sink_http_state *s, char *why, size_t why_size)
{
	const struct outbound_settings settings = { .ca = s->cafile, .proxy = s->proxy, .connect_ms = s->connect_timeout, .total_ms = s->timeout,
	                                            .connections = (int)s->connections };

	base->client = outbound_open(&settings, why, why_size);
	return base->client ? 0 : -1;
}

void sink_http_base_close(struct sink_http_base *base)
{
	struct sk_arena a;

	outbound_close(&base->client);
	a = base->arena;
	sk_arena_free(&a);
}
