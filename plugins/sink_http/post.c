/* post.c -- the sink of AWS's http action: a POST for each item or batch, many at once. What of an item goes out is post_request.c's.
 *
 * A lane is one server: scheme, host and port of the URL, which therefore stand in the rule itself. */
#include <string.h>
#include <strings.h>

#include "core/why.h"
#include "plugins/sink_http/sink_http.h"

struct poster {
	struct sk_arena scratch;
	const struct sink_http_state *state;
	struct sink_http_base base;
};

const char *post_lane(const cJSON *fields, struct sk_arena *a, const char **why)
{
	const char *url = sk_json_text(fields, "url");

	*why = "the URL is missing";
	return url ? outbound_origin(a, url, why) : NULL;
}

static const char *header_fault(const cJSON *header, bool is_signed)
{
	static const char *const made[] = { "authorization", "x-amz-date", "x-amz-security-token" };
	const char *key = sk_json_text(header, "key"), *value = sk_json_text(header, "value");

	if (!key || !value)
		return "a header needs a key and a value";
	for (size_t i = 0; is_signed && i < sizeof made / sizeof *made; i++)
		if (!strcasecmp(made[i], key))
			return "a signed request makes the headers of its signature itself";
	return outbound_header_fault(key, value);
}

const char *post_check(const cJSON *fields, struct sk_arena *a)
{
	const char *why = NULL;
	const cJSON *sigv4 = sk_json_get(sk_json_get(fields, "auth"), "sigv4");

	if (!post_lane(fields, a, &why))
		return why;
	why = NULL;
	SK_JSON_EACH(header, sk_json_get(fields, "headers"))
		why = why ? why : header_fault(header, sigv4 != NULL);
	return why;
}

void *post_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct poster *p = sk_alloc(&a, sizeof *p);

	(void)fields;
	if (!p) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	p->base.arena = a;
	p->state = state;
	if (!sink_http_connect(&p->base, state, why, why_size))
		return p;
	sink_http_base_close(&p->base);
	return NULL;
}

void post_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct poster *s = sink;
	size_t posts, ready = 0;
	struct post *p = posts_of(a, &s->scratch, item, n, &posts);
	struct outbound_request *r = p ? sk_alloc(a, (posts + 1) * sizeof *r) : NULL;

	if (!r) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
		return;
	}
	for (size_t i = 0; i < posts; i++) {
		const char *why = post_request(a, &p[i], s->state->now_ms(), &r[ready]);
		if (why)
			sk_sink_all(p[i].item, p[i].items, SK_SUNK_RETRY, why);
		else
			ready++;
	}
	outbound_send(s->base.client, r, ready, a);
	for (size_t i = 0; i < ready; i++) {
		const struct post *sent = r[i].own;
		outbound_say(&r[i], sent->item, sent->items, a);
	}
}

void post_close(void *sink)
{
	struct poster *s = sink;

	sk_arena_free(&s->scratch);
	sink_http_base_close(&s->base);
}
