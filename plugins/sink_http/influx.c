/* influx.c -- the sink of the influx action: lines in one request, to version 1 (a database) or 2 (a bucket of an organization).
 *
 * A point is the same wherever it comes twice, so a batch of which the server took a part may be sent again in halves. */
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/why.h"
#include "outbound/split.h"
#include "plugins/sink_http/sink_http.h"

const char *influx_check(const cJSON *fields, struct sk_arena *a)
{
	const char *why = NULL, *url = sk_json_text(fields, "url");
	bool one = sk_json_get(fields, "database"), two = sk_json_get(fields, "bucket");

	if (one == two)
		return "influx needs a database (version 1) or a bucket (version 2)";
	if (two && !sk_json_get(fields, "org"))
		return "a bucket needs an org";
	return outbound_origin(a, url ? url : "", &why) ? NULL : why;
}

/* -- where and as whom -- */

static const char *basic(struct sk_arena *a, const char *user, const char *password)
{
	char *both = sk_printf(a, "%s:%s", user, password ? password : "");
	size_t n = both ? strlen(both) : 0;
	char *code = sk_alloc_text(a, sk_base64_size(n) + 1);

	if (!both || !code)
		return NULL;
	sk_base64_encode(both, n, code);
	code[sk_base64_size(n)] = '\0';
	return sk_printf(a, "Basic %s", code);
}

static void put_parameter(struct outbound_text *t, char before, const char *name, const char *value)
{
	outbound_putf(t, "%c%s=", before, name);
	outbound_put_encoded(t, value ? value : "");
}

static void influx_url(struct sink_http_base *b, const cJSON *fields)
{
	struct outbound_text t = { .a = &b->arena };
	const char *url = outbound_url(&b->arena, sk_json_text(fields, "url")), *database = sk_json_text(fields, "database");
	size_t n = url ? strlen(url) : 0;

	while (n && url[n - 1] == '/')
		n--;
	outbound_put(&t, url, n);
	if (database) {
		outbound_puts(&t, "/write");
		put_parameter(&t, '?', "db", database);
	} else {
		outbound_puts(&t, "/api/v2/write");
		put_parameter(&t, '?', "org", sk_json_text(fields, "org"));
		put_parameter(&t, '&', "bucket", sk_json_text(fields, "bucket"));
	}
	put_parameter(&t, '&', "precision", "ns");
	b->url = t.at;
}

static void influx_headers(struct sink_http_base *b, const cJSON *fields)
{
	const char *token = sk_json_text(fields, "token"), *user = sk_json_text(fields, "user");

	b->header[b->headers++] = (struct outbound_header){ "Content-Type", "text/plain; charset=utf-8" };
	if (token)
		b->header[b->headers++] = (struct outbound_header){ "Authorization", sk_printf(&b->arena, "Token %s", token) };
	else if (user)
		b->header[b->headers++] = (struct outbound_header){ "Authorization", basic(&b->arena, user, sk_json_text(fields, "password")) };
}

void *influx_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct sink_http_base *b = sk_alloc(&a, sizeof *b);

	if (!b) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	b->arena = a;
	influx_url(b, fields);
	influx_headers(b, fields);
	if (!b->arena.failed && !sink_http_connect(b, state, why, why_size))
		return b;
	sink_http_base_close(b);
	return NULL;
}

/* -- what an answer means -- */

/* "partial write: ... dropped=3": how many of them; 0: it does not say. */
static size_t dropped(const char *answer)
{
	const char *at = strstr(answer, "dropped=");

	return at ? strtoul(at + 8, NULL, 10) : 0;
}

/* A database that is not there, or a user that may not, is no fault of the points: they wait until an operator has set it right. */
static enum sk_sunk influx_verdict(const struct outbound_request *r, size_t n, struct sk_arena *a, const char **why, bool *all)
{
	enum sk_sunk result = outbound_verdict(r, a, why);

	if (r->status == 401 || r->status == 403 || r->status == 404)
		return SK_SUNK_RETRY;
	*all = result == SK_SUNK_FAIL && dropped(r->answer) >= n;
	return result;
}

/* -- items -- */

void influx_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct sink_http_base *b = sink;
	struct outbound_text t = { .a = a };
	struct outbound_split s = { .request = { .url = b->url, .header = b->header, .headers = b->headers }, .verdict = influx_verdict };
	struct sk_sink_item **good = sk_alloc(a, n * sizeof *good);
	size_t *end = sk_alloc(a, n * sizeof *end), goods = 0;

	for (size_t i = 0; good && end && i < n; i++) {
		const char *why = influx_line(&t, item[i]);
		if (why) {
			sk_sink_all(&item[i], 1, a->failed ? SK_SUNK_RETRY : SK_SUNK_FAIL, why);
			continue;
		}
		outbound_putc(&t, '\n');
		end[goods] = t.n;
		good[goods++] = item[i];
	}
	if (a->failed) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
		return;
	}
	s.body = t.at;
	s.end = end;
	if (goods)
		outbound_split_send(b->client, &s, good, goods, a);
}

void influx_close(void *sink)
{
	sink_http_base_close(sink);
}
