/* store_redis_scan.c -- scans: a page of one bucket is one script and so one moment; a scan of several buckets merges their pages.
 *
 * as_of of one bucket is its newest version. Of several it is the earliest moment at which one of them was asked: what was seen and is
 * newer than that makes a conflict too many, which is right again when it is tried once more. */
#include "core/store_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, WIDE_PAGE = 128, PAGE_BYTES = 4 << 20, WIDE_BYTES = 512 << 10 };

struct cursor {                 /* one bucket's */
	struct sk_redis_bucket *bucket;
	redisReply *page;           /* scan.lua's answer; NULL: none was asked for yet */
	size_t at;                  /* in its elements */
	bool more;                  /* there may be another page */
};

struct scan {
	struct sk_redis *s;
	struct sk_store_scan *wanted;
	struct cursor *cursor;
	int cursors;
	size_t left, page;          /* records: still wanted, at most in a page */
	char last[SK_KEY_MAX + 2];  /* '[' or '(' and where the next page begins, as the first of all does */
	char end[SK_KEY_MAX + 2];
	struct sk_redis_asks asks;
	bool first;
	int64_t began;              /* the running page, ms */
};

/* The first key that does not begin with the prefix. */
static void find_end(struct scan *x, const char *prefix)
{
	size_t n = strlen(prefix);

	while (n && (unsigned char)prefix[n - 1] == 0xff)
		n--;
	if (!n || n > SK_KEY_MAX) {
		strcpy(x->end, "+");
		return;
	}
	x->end[0] = '(';
	memcpy(x->end + 1, prefix, n);
	x->end[n + 1] = '\0';
	x->end[n]++;
}

static int find_begin(struct scan *x, const char *prefix, const char *after)
{
	bool inside = after && strcmp(after, prefix) >= 0;
	const char *from = inside ? after : prefix;

	if (strlen(from) > SK_KEY_MAX)
		return -1;
	snprintf(x->last, sizeof x->last, "%c%s", inside ? '(' : '[', from);
	return 0;
}

static const char *key_at(const struct cursor *c)
{
	return c->page->element[c->at]->str;
}

static bool exhausted(const struct cursor *c)
{
	return !c->page || c->at >= c->page->elements;
}

static void ask_page(struct scan *x, const struct cursor *c)
{
	struct redis_text *t = &x->asks.text;
	char from[SK_KEY_MAX + 2];

	if (!sk_redis_ask_add(&x->asks, c->bucket->slot, &x->s->script[SK_REDIS_SCAN]))
		return;
	if (c->page)
		snprintf(from, sizeof from, "(%s", c->page->element[c->page->elements - 2]->str);
	sk_redis_call(t, &x->s->script[SK_REDIS_SCAN], 3, 4);
	sk_redis_key(t, c->bucket, SK_REDIS_HASH + x->wanted->space);
	sk_redis_key(t, c->bucket, SK_REDIS_ORDER + x->wanted->space);
	sk_redis_key(t, c->bucket, SK_REDIS_FACTS);
	redis_name(t, c->page ? from : x->last);
	redis_name(t, x->end);
	redis_number(t, x->left < x->page ? x->left : x->page);
	redis_number(t, x->cursors > 1 ? WIDE_BYTES : PAGE_BYTES);
}

static bool is_page(const redisReply *r)
{
	if (r->type != REDIS_REPLY_ARRAY || r->elements < 3 || r->elements % 2 == 0 || r->element[2]->type != REDIS_REPLY_INTEGER)
		return false;
	for (size_t i = 3; i < r->elements; i += 2)
		if (r->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

static void note_moment(struct scan *x, const redisReply *page)
{
	uint64_t newest = sk_redis_version(page->element[0]), time = sk_redis_version(page->element[1]);

	if (x->cursors == 1)
		x->wanted->as_of = newest;
	else if ((newest > time ? newest : time) < x->wanted->as_of)
		x->wanted->as_of = newest > time ? newest : time;
}

static int take_page(struct scan *x, struct cursor *c, struct redis_ask *ask, const char *why)
{
	if (!ask->reply || sk_redis_not_now(ask->reply)) {
		sk_redis_away(x->s, ask->reply ? ask->reply->str : why, x->began);
		return -1;
	}
	if (!is_page(ask->reply))
		return -1;
	if (x->first)
		note_moment(x, ask->reply);
	if (c->page)
		freeReplyObject(c->page);
	c->page = ask->reply;
	ask->reply = NULL;
	c->at = 3;
	c->more = c->page->element[2]->integer && c->page->elements > 3;
	return 0;
}

/* A page for each cursor that has none left and may get one. */
static int refill(struct scan *x, struct sk_redis_route *r)
{
	size_t at = 0;
	int rc;

	sk_redis_asks_clear(&x->asks);
	for (int i = 0; i < x->cursors; i++)
		if (x->cursor[i].more && exhausted(&x->cursor[i]))
			ask_page(x, &x->cursor[i]);
	x->began = sk_redis_now_ms();
	rc = sk_redis_ask_all(&x->asks, r->route, x->began + x->s->url.timeout_ms);
	for (int i = 0; !x->asks.failed && !x->asks.text.failed && i < x->cursors; i++)
		if (x->cursor[i].more && exhausted(&x->cursor[i]) && take_page(x, &x->cursor[i], &x->asks.ask[at++], redis_route_why(r->route)))
			rc = -1;
	x->first = false;
	x->page = x->page * 2 < PAGE ? x->page * 2 : PAGE;
	return rc;
}

/* The next of all, or NULL; *dry: one of the cursors must be filled first. */
static struct cursor *next(struct scan *x, bool *dry)
{
	struct cursor *least = NULL;

	*dry = false;
	for (int i = 0; i < x->cursors; i++) {
		struct cursor *c = &x->cursor[i];

		if (exhausted(c))
			*dry |= c->more;
		else if (!least || strcmp(key_at(c), key_at(least)) < 0)
			least = c;
	}
	return least;
}

/* 1: fn has had enough. */
static int give(struct scan *x, struct cursor *c)
{
	struct sk_scan_item item = { 0 };
	int rc = sk_redis_record(c->page->element[c->at + 1], &item.bytes, &item.version);

	if (!rc && item.bytes && !(item.key = strdup(key_at(c)))) {
		sk_bytes_unref(item.bytes);
		return -1;
	}
	c->at += 2;
	if (rc || !item.bytes)
		return rc;
	x->left--;
	return x->wanted->fn(x->wanted->ctx, &item) || !x->left;
}

static int merge(struct scan *x, struct sk_redis_route *r)
{
	bool dry = true;
	int rc = 0;

	while (!rc) {
		struct cursor *c = next(x, &dry);

		if (dry)
			rc = refill(x, r);
		else if (c)
			rc = give(x, c);
		else
			break;
	}
	return rc < 0 ? -1 : 0;
}

static int start_cursors(struct scan *x)
{
	const char *prefix = x->wanted->prefix;
	size_t partition = sk_key_partition(prefix);
	bool one = x->wanted->space == SK_RECORD && prefix[partition];

	x->cursors = one ? 1 : x->s->buckets;
	x->cursor = calloc((size_t)x->cursors, sizeof *x->cursor);
	for (int i = 0; x->cursor && i < x->cursors; i++) {
		struct sk_redis_bucket *b = one ? sk_redis_bucket_of(x->s, sk_redis_hash(prefix, partition)) : &x->s->bucket[i];

		x->cursor[i] = (struct cursor){ .bucket = b, .more = true };
		if (atomic_load(&b->down))
			return -1;
	}
	x->page = one ? PAGE : WIDE_PAGE;
	x->wanted->as_of = one ? 0 : UINT64_MAX;
	return x->cursor && !x->s->unusable ? 0 : -1;
}

int sk_redis_scan_all(struct sk_store *store, struct sk_store_scan *wanted)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct scan x = { .s = s, .wanted = wanted, .first = true, .left = wanted->limit ? wanted->limit : SIZE_MAX };
	struct sk_redis_route *r;
	int rc = -1;

	s->count.scans++;
	find_end(&x, wanted->prefix);
	if (find_begin(&x, wanted->prefix, wanted->after))
		return 0; /* no key is so long */
	r = sk_redis_take(s);
	if (r && !start_cursors(&x))
		rc = merge(&x, r);
	if (r)
		sk_redis_give(s, r);
	for (int i = 0; x.cursor && i < x.cursors; i++)
		if (x.cursor[i].page)
			freeReplyObject(x.cursor[i].page);
	free(x.cursor);
	sk_redis_asks_free(&x.asks);
	return rc;
}
