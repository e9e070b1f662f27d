/* post_request.c -- AWS's http action: which items go together, and the request that they become. Pure.
 *
 * Items of a batch have the same URL and the same headers, so it does not matter whose are sent. A payload that is no JSON cannot stand in an array:
 * it goes alone, as if there were no batches. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/check.h"
#include "core/digest.h"
#include "outbound/credentials.h"
#include "plugins/sink_http/sink_http.h"
#include "sigv4/sigv4.h"

enum { MOST_HEADERS = 100, BATCH_ITEMS = 10, BATCH_BYTES = 5120 }; /* AWS's bound and defaults */

/* -- what an item says -- */

/* "headers[3].key": 3 and whether it is the key; -1: it is no header. */
static int header_index(const char *path, bool *key)
{
	char *end;
	long i;

	if (strncmp(path, "headers[", 8))
		return -1;
	i = strtol(path + 8, &end, 10);
	*key = !strcmp(end, "].key");
	return i >= 0 && i < MOST_HEADERS && (*key || !strcmp(end, "].value")) ? (int)i : -1;
}

static void read_headers(struct sk_arena *a, const struct sk_sink_item *item, struct post *p)
{
	struct outbound_header found[MOST_HEADERS] = { 0 };
	bool key;

	for (size_t i = 0; i < item->fields; i++) {
		int at = header_index(item->field[i].path, &key);
		if (at >= 0)
			*(key ? &found[at].name : &found[at].value) = item->field[i].text;
	}
	for (int i = 0; i < MOST_HEADERS; i++)
		p->headers += found[i].name && found[i].value;
	p->header = sk_alloc(a, (p->headers + 1) * sizeof *p->header);
	for (int i = 0, n = 0; p->header && i < MOST_HEADERS; i++)
		if (found[i].name && found[i].value)
			p->header[n++] = found[i];
}

static bool has_header(const struct outbound_header *h, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(h[i].name, name))
			return true;
	return false;
}

static uint32_t hash_text(uint32_t hash, const char *text)
{
	return hash * 31 + (text ? sk_check(text, strlen(text)) : 1);
}

static uint32_t hash_of(const struct post *p)
{
	uint32_t hash = hash_text(hash_text(p->batch, p->url), p->topic);

	for (size_t i = 0; i < p->headers; i++)
		hash = hash_text(hash_text(hash, p->header[i].name), p->header[i].value);
	hash = hash_text(hash_text(hash_text(hash, p->region), p->service), p->role);
	return (hash * 31 + (uint32_t)p->most_items) * 31 + (uint32_t)p->most_bytes;
}

static bool is_json(struct sk_arena *scratch, const struct sk_sink_item *item)
{
	sk_arena_reset(scratch, 1 << 16);
	return sk_json_parse(scratch, item->payload, item->size, NULL, NULL) != NULL;
}

/* "The default content type is application/json when the payload is in JSON format. Otherwise, it is application/octet-stream." */
static void add_type(struct post *p, bool json)
{
	if (!has_header(p->header, p->headers, "content-type"))
		p->header[p->headers++] = (struct outbound_header){ "Content-Type", json ? "application/json" : "application/octet-stream" };
}

static void read_item(struct sk_arena *a, struct sk_arena *scratch, const struct sk_sink_item *item, struct post *p)
{
	bool json = is_json(scratch, item);
	const char *url = sk_sink_text(item, "url");

	p->url = outbound_url(a, url ? url : "");
	p->region = sk_sink_text(item, "auth.sigv4.signingRegion");
	p->service = sk_sink_text(item, "auth.sigv4.serviceName");
	p->role = sk_sink_text(item, "auth.sigv4.roleArn");
	p->batch = json && sk_sink_true(item, "enableBatching");
	p->topic = p->batch && !sk_sink_true(item, "batchConfig.batchAcrossTopics") ? item->topic : NULL;
	p->most_items = p->batch ? sk_sink_int(item, "batchConfig.maxBatchSize", BATCH_ITEMS) : 1;
	p->most_bytes = p->batch ? sk_sink_int(item, "batchConfig.maxBatchSizeBytes", BATCH_BYTES) : 0;
	read_headers(a, item, p);
	if (a->failed)
		return;
	add_type(p, json);
	p->hash = hash_of(p);
}

/* -- who goes with whom -- */

static bool same_text(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

static bool same_headers(const struct post *x, const struct post *y)
{
	if (x->headers != y->headers)
		return false;
	for (size_t i = 0; i < x->headers; i++)
		if (strcmp(x->header[i].name, y->header[i].name) || strcmp(x->header[i].value, y->header[i].value))
			return false;
	return true;
}

static bool same(const struct post *x, const struct post *y)
{
	return x->batch == y->batch && x->most_items == y->most_items && x->most_bytes == y->most_bytes && same_text(x->url, y->url) && same_text(x->topic, y->topic) &&
	       same_text(x->region, y->region) && same_text(x->service, y->service) && same_text(x->role, y->role) && same_headers(x, y);
}

/* The newest post that the item may join, if it still has room; an older one would come before what is in a newer one. */
static struct post *room_in(struct post *p, size_t n, const struct post *wanted, size_t size)
{
	for (size_t i = n; wanted->batch && i-- > 0;) {
		if (p[i].hash != wanted->hash || !same(&p[i], wanted))
			continue;
		return (int64_t)p[i].items < p[i].most_items && (int64_t)(p[i].bytes + 1 + size) <= p[i].most_bytes ? &p[i] : NULL;
	}
	return NULL;
}

struct post *posts_of(struct sk_arena *a, struct sk_arena *scratch, struct sk_sink_item *const *item, size_t n, size_t *posts)
{
	struct post *all = sk_alloc(a, n * sizeof *all), *at;

	*posts = 0;
	for (size_t i = 0; all && i < n; i++) {
		struct post one = { 0 };
		read_item(a, scratch, item[i], &one);
		at = a->failed ? NULL : room_in(all, *posts, &one, item[i]->size);
		if (!at && !a->failed) {
			at = &all[(*posts)++];
			*at = one;
			at->item = sk_alloc(a, (size_t)(one.most_items > 0 && one.most_items < (int64_t)n ? one.most_items : (int64_t)n) * sizeof *at->item);
			at->bytes = one.batch ? 1 : 0;
		}
		if (a->failed)
			return NULL;
		at->item[at->items++] = item[i];
		at->bytes += item[i]->size + at->batch;
	}
	return all;
}

/* -- the request -- */

static const char *body_of(struct sk_arena *a, const struct post *p)
{
	struct outbound_text t = { .a = a };

	if (!p->batch)
		return p->item[0]->payload;
	for (size_t i = 0; i < p->items; i++) {
		outbound_putc(&t, i ? ',' : '[');
		outbound_put(&t, p->item[i]->payload, p->item[i]->size);
	}
	outbound_putc(&t, ']');
	return a->failed ? NULL : t.at;
}

/* As libcurl would say it: without the scheme's own port. */
static const char *host_of(struct sk_arena *a, const char *url, const char **why)
{
	const char *origin = outbound_origin(a, url, why);
	bool tls = origin && origin[4] == 's';
	const char *host = origin ? origin + (tls ? 8 : 7) : NULL, *own = tls ? ":443" : ":80";
	size_t n = host ? strlen(host) : 0, tail = strlen(own);

	return !host ? NULL : n > tail && !strcmp(host + n - tail, own) ? sk_strndup(a, host, n - tail) : host;
}

static void path_of(struct sk_arena *a, const char *url, struct sigv4_request *s)
{
	const char *path = strstr(url, "://") + 3, *query;

	path += strcspn(path, "/?");
	query = strchr(path, '?');
	s->path = *path == '/' ? sk_strndup(a, path, strcspn(path, "?")) : "/";
	s->query = query ? query + 1 : "";
}

static const char *digest_of(struct sk_arena *a, const struct outbound_request *r)
{
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1];

	sk_digest(r->body, r->size, hash);
	sk_hex(hash, sizeof hash, hex);
	return sk_strdup(a, hex);
}

/* r's headers, in room for five more, with those of the signature. */
static const char *sign(struct sk_arena *a, const struct post *p, int64_t now_ms, struct outbound_request *r, struct outbound_header *h)
{
	struct outbound_credentials key;
	struct sigv4_field *field = sk_alloc(a, (p->headers + 2) * sizeof *field), add[3];
	struct sigv4_request s = { .method = "POST", .header = field };
	const char *why = outbound_credentials(a, p->role, &key);
	size_t added;

	if (why || a->failed)
		return why ? why : "memory is out";
	if (!has_header(h, r->headers, "host")) {
		const char *host = host_of(a, p->url, &why);
		if (!host)
			return why;
		h[r->headers++] = (struct outbound_header){ "Host", host };
	}
	if (!strcmp(p->service, "s3") && !has_header(h, r->headers, "x-amz-content-sha256"))
		h[r->headers++] = (struct outbound_header){ "x-amz-content-sha256", digest_of(a, r) };
	for (; !a->failed && s.headers < r->headers; s.headers++)
		field[s.headers] = (struct sigv4_field){ h[s.headers].name, h[s.headers].value };
	path_of(a, p->url, &s);
	const struct sigv4_signer by = { .key_id = key.key_id, .secret = key.secret, .token = key.token, .region = p->region, .service = p->service, .now_ms = now_ms,
	                                 .s3 = !strcmp(p->service, "s3") };
	added = a->failed ? 0 : sigv4_sign(a, &s, &(struct sigv4_body){ r->body, r->size }, &by, add);
	for (size_t i = 0; i < added; i++)
		h[r->headers++] = (struct outbound_header){ add[i].name, add[i].value };
	return added ? NULL : "memory is out";
}

const char *post_request(struct sk_arena *a, const struct post *p, int64_t now_ms, struct outbound_request *r)
{
	struct outbound_header *h = sk_alloc(a, (p->headers + 5) * sizeof *h);
	const char *why = NULL;

	*r = (struct outbound_request){ .url = p->url, .header = h, .headers = p->headers, .body = body_of(a, p), .size = p->bytes, .own = (void *)p };
	if (a->failed)
		return "memory is out";
	memcpy(h, p->header, p->headers * sizeof *h);
	if (p->region && p->service && outbound_origin(a, p->url, &why))
		why = sign(a, p, now_ms, r, h);
	return why;
}
