/* sink_http.h -- skeeter_sink_http: actions that end at a web server or a mail server, over libcurl.
 *
 *   http         post.c, post_request.c      AWS's action
 *   influx       influx.c, influx_line.c     InfluxDB's line protocol
 *   clickhouse   clickhouse.c                rows for ClickHouse
 *   smtp         smtp.c, mail.c              a mail for each message */
#ifndef SINK_HTTP_H
#define SINK_HTTP_H

#include "core/sink.h"
#include "outbound/http_client.h"
#include "outbound/mail_client.h"
#include "outbound/text.h"

struct sink_http_state {
	const char *cafile, *proxy;
	int64_t timeout, connect_timeout, connections;
	int64_t (*now_ms)(void);
};

/* -- the sinks: core/sink.h -- */
#define SINK_HTTP(name) \
	const char *name##_check(const cJSON *fields, struct sk_arena *a); \
	void *name##_open(void *state, const cJSON *fields, char *why, size_t why_size); \
	void name##_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a); \
	void name##_close(void *sink);
SINK_HTTP(post)
SINK_HTTP(influx)
SINK_HTTP(clickhouse)
SINK_HTTP(smtp)
#undef SINK_HTTP
const char *post_lane(const cJSON *fields, struct sk_arena *a, const char **why);

/* A sink that talks to one server: its memory, what its fields say, and the client. For influx.c and clickhouse.c. */
struct sink_http_base {
	struct sk_arena arena;        /* of all this; `url` and `header` are for every request */
	struct outbound *client;
	const char *url;
	struct outbound_header header[4];
	size_t headers;
};
/* Opens base->client with the plugin's options; 0, or -1 with why[]. */
int sink_http_connect(struct sink_http_base *base, const struct sink_http_state *s, char *why, size_t why_size);
void sink_http_base_close(struct sink_http_base *base);

/* -- post_request.c: pure -- */
struct post {                     /* one request: of one item, or of a batch */
	const char *url;
	struct outbound_header *header;
	size_t headers;
	const char *region, *service, *role; /* region NULL: it is not signed */
	const char *topic;            /* only items of this topic; NULL: of any */
	bool batch;                   /* its body is an array; more items may come in */
	int64_t most_items, most_bytes;
	uint32_t hash;                /* of all above */
	struct sk_sink_item **item;
	size_t items, bytes;          /* of the body */
};
/* Which items go together. Their order stays within a post. NULL: memory is out. `scratch` is forgotten on the way. */
struct post *posts_of(struct sk_arena *a, struct sk_arena *scratch, struct sk_sink_item *const *item, size_t n, size_t *posts);
/* NULL, or why it cannot be sent now: there is no key to sign with, memory is out. */
const char *post_request(struct sk_arena *a, const struct post *p, int64_t now_ms, struct outbound_request *r);

/* -- influx_line.c: pure -- */
/* One line without a line end, behind what is in t. NULL; or why the item has none, and then t is as it was. */
const char *influx_line(struct outbound_text *t, const struct sk_sink_item *item);

/* -- clickhouse.c -- */
/* One row as JSON with a line end; as influx_line(). */
const char *clickhouse_row(struct outbound_text *t, const struct sk_sink_item *item);
/* The number in "Code: 117, e.displayText() = ..."; 0: none. */
int clickhouse_code(const char *answer);

/* -- mail.c: pure -- */
/* The message with its headers, and from whom to whom. NULL, or why it is none. */
const char *mail_build(struct sk_arena *a, const struct sk_sink_item *item, struct outbound_mail *out);

#endif
