/* store_redis_read.c -- records by key, from the masters, for whatever thread asks.
 *
 * A RECORD is in its partition's bucket. EFFECTs and TIMERs are in that of the commit that wrote them, which their key does not say:
 * all buckets are asked. */
#include "core/store_redis.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 128 }; /* of one command: a server should not be busy with one for long */

struct wanted { struct sk_redis_bucket *bucket; struct sk_store_read *read; };

static int by_bucket(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->bucket != y->bucket)
		return x->bucket < y->bucket ? -1 : 1;
	if (x->read->space != y->read->space)
		return x->read->space < y->read->space ? -1 : 1;
	return x->read < y->read ? -1 : x->read > y->read;
}

/* How many of the next are one command. */
static size_t together(const struct wanted *w, size_t n)
{
	size_t k = 1;

	while (k < n && k < KEYS && w[k].bucket == w->bucket && w[k].read->space == w->read->space)
		k++;
	return k;
}

static void write_some(struct sk_redis_asks *a, const struct wanted *w, size_t n)
{
	if (!sk_redis_ask_add(a, w->bucket->slot, NULL))
		return;
	redis_begin(&a->text, 2 + n);
	redis_name(&a->text, "HMGET");
	sk_redis_key(&a->text, w->bucket, SK_REDIS_HASH + w->read->space);
	for (size_t i = 0; i < n; i++)
		redis_name(&a->text, w[i].read->key);
}

/* 0, or -1: the server did not say, or memory. */
static int take_some(const redisReply *reply, const struct wanted *w, size_t n)
{
	struct sk_bytes *bytes;
	uint64_t version;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (sk_redis_record(reply->element[i], &bytes, &version))
			return -1;
		if (version <= w[i].read->version) {
			sk_bytes_unref(bytes);
			continue;
		}
		sk_bytes_unref(w[i].read->bytes);
		w[i].read->bytes = bytes;
		w[i].read->version = version;
	}
	return 0;
}

static void note_lost(struct sk_redis *s, const struct redis_ask *ask, const char *why, int64_t began)
{
	if (!ask->reply || sk_redis_not_now(ask->reply))
		sk_redis_away(s, ask->reply ? ask->reply->str : why, began);
}

static int ask(struct sk_redis *s, const struct wanted *w, size_t n)
{
	struct sk_redis_asks a = { 0 };
	struct sk_redis_route *r = sk_redis_take(s);
	int64_t began = sk_redis_now_ms();
	size_t at, k, i;
	int rc = r ? 0 : -1;

	for (at = 0; r && at < n; at += k)
		write_some(&a, w + at, k = together(w + at, n - at));
	if (r && sk_redis_ask_all(&a, r->route, began + s->url.timeout_ms))
		rc = -1;
	for (at = i = 0; r && !a.failed && !a.text.failed && at < n; at += k, i++) {
		k = together(w + at, n - at);
		note_lost(s, &a.ask[i], redis_route_why(r->route), began);
		if (!a.ask[i].reply || take_some(a.ask[i].reply, w + at, k))
			rc = -1;
	}
	sk_redis_asks_free(&a);
	if (r)
		sk_redis_give(s, r);
	return rc;
}

static size_t places(struct sk_redis *s, const struct sk_store_read *r)
{
	return r->space == SK_RECORD ? 1 : (size_t)s->buckets;
}

static bool reachable(struct sk_redis *s, const struct wanted *w, size_t n)
{
	if (s->unusable)
		return false;
	for (size_t i = 0; i < n; i++)
		if (atomic_load(&w[i].bucket->down))
			return false;
	return true;
}

int sk_redis_read(struct sk_store *store, struct sk_store_read *reads, size_t n)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct wanted few[16], *w = few;
	size_t asked = 0, at = 0;
	int rc = -1;

	for (size_t i = 0; i < n; i++) {
		reads[i].bytes = NULL;
		reads[i].version = 0;
		asked += places(s, &reads[i]);
	}
	s->count.reads += n;
	if (asked > sizeof few / sizeof *few && !(w = malloc(asked * sizeof *w)))
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < places(s, &reads[i]); k++)
			w[at++] = (struct wanted){ .read = &reads[i], .bucket = reads[i].space != SK_RECORD ? &s->bucket[k] :
				sk_redis_bucket_of(s, sk_redis_hash(reads[i].key, sk_key_partition(reads[i].key))) };
	qsort(w, asked, sizeof *w, by_bucket);
	if (!asked || reachable(s, w, asked))
		rc = asked ? ask(s, w, asked) : 0;
	if (w != few)
		free(w);
	for (size_t i = 0; rc && i < n; i++) {
		sk_bytes_unref(reads[i].bytes);
		reads[i].bytes = NULL;
		reads[i].version = 0;
	}
	return rc;
}
