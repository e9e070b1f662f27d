/* store_redis_changes.c -- what brokers that share a store hear of each other: the logs of changes, and who lives.
 *
 * Of each log the last entry that was seen is read again with what follows it: is it no longer there, as it was, then the log was cut, or
 * emptied, or a server took over that had not heard all, and there is a gap. */
#include "core/store_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, LIVES_S = 10, LEAVE_MS = 1000 };

struct place {               /* in one bucket's log */
	char last[48];           /* the entry that was seen last; "": none */
	uint64_t version;        /* that it told; 0: none was looked at */
	long long added;         /* entries that there ever were when `last` was "" */
	bool known, more;
};
struct sk_changes {
	char id[40];             /* of the store */
	struct place place[];
};

static void ask_log(struct sk_redis *s, struct sk_redis_asks *a, int i, const struct place *p)
{
	struct redis_text *t = &a->text;

	if (!sk_redis_ask_add(a, s->bucket[i].slot, &s->script[SK_REDIS_CHANGES]))
		return;
	sk_redis_call(t, &s->script[SK_REDIS_CHANGES], 1, 2);
	sk_redis_key(t, &s->bucket[i], SK_REDIS_LOG);
	redis_name(t, !p->known ? "" : *p->last ? p->last : "-");
	redis_number(t, PAGE);
}

static bool is_answer(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements == 4 && r->element[0]->type == REDIS_REPLY_INTEGER &&
		r->element[1]->type == REDIS_REPLY_INTEGER && r->element[2]->type == REDIS_REPLY_STRING && r->element[3]->type == REDIS_REPLY_ARRAY;
}

/* An entry is its id and "k", key, "v", version. */
static const redisReply *fields_of(const redisReply *entry)
{
	const redisReply *f = entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 ? entry->element[1] : NULL;

	return f && entry->element[0]->type == REDIS_REPLY_STRING && f->type == REDIS_REPLY_ARRAY && f->elements == 4 &&
		f->element[1]->type == REDIS_REPLY_STRING && f->element[3]->type == REDIS_REPLY_STRING ? f : NULL;
}

static void note_end(struct place *p, const redisReply *r)
{
	bool any = strcmp(r->element[2]->str, "0-0") && r->element[1]->integer;

	snprintf(p->last, sizeof p->last, "%s", any ? r->element[2]->str : "");
	p->added = r->element[0]->integer;
	p->version = 0;
	p->known = true;
	p->more = false;
}

/* Does the answer begin where we were? Nothing may be missing in between. */
static bool goes_on(const struct place *p, const redisReply *r)
{
	const redisReply *entries = r->element[3], *f;

	if (!*p->last)
		return r->element[0]->integer - p->added == r->element[1]->integer;
	f = entries->elements ? fields_of(entries->element[0]) : NULL;
	return f && !strcmp(entries->element[0]->element[0]->str, p->last) && (!p->version || p->version == sk_redis_version(f->element[3]));
}

static void tell(struct place *p, const redisReply *r, sk_change_fn *fn, void *ctx)
{
	const redisReply *entries = r->element[3];

	for (size_t i = *p->last ? 1 : 0; i < entries->elements; i++) {
		const redisReply *f = fields_of(entries->element[i]);
		if (f)
			fn(ctx, f->element[1]->str, sk_redis_version(f->element[3]));
	}
	p->more = entries->elements >= PAGE;
	if (!entries->elements)
		return;
	const redisReply *last = entries->element[entries->elements - 1], *f = fields_of(last);
	if (f) {
		snprintf(p->last, sizeof p->last, "%s", last->element[0]->str);
		p->version = sk_redis_version(f->element[3]);
	}
}

struct telling { sk_change_fn *fn; void *ctx; bool *gap; int64_t began; };

static int take_answer(struct sk_redis *s, struct place *p, const struct redis_ask *ask, const struct telling *t)
{
	p->more = false;
	if (!ask->reply || sk_redis_not_now(ask->reply)) {
		sk_redis_away(s, ask->reply ? ask->reply->str : "no answer about changes", t->began);
		return -1;
	}
	if (!is_answer(ask->reply))
		return -1;
	if (p->known && goes_on(p, ask->reply)) {
		tell(p, ask->reply, t->fn, t->ctx);
		return 0;
	}
	*t->gap |= p->known;
	note_end(p, ask->reply);
	return 0;
}

static bool is_due(struct sk_redis *s, const struct sk_changes *at, int i, bool all)
{
	return (all || at->place[i].more) && !atomic_load(&s->bucket[i].down);
}

/* All logs, those with more than a page until there is no more. */
static int follow(struct sk_redis *s, struct sk_redis_route *r, struct sk_changes *at, const struct telling *t)
{
	struct sk_redis_asks a = { 0 };
	int64_t until = t->began + s->url.timeout_ms;
	bool all = true, more;
	int asked[SK_REDIS_BUCKETS];
	int rc = 0;

	do {
		size_t n = 0;

		for (int i = 0; i < s->buckets; i++)
			if (is_due(s, at, i, all)) {
				ask_log(s, &a, i, &at->place[i]);
				asked[n++] = i;
			}
		if (a.n && sk_redis_ask_all(&a, r->route, until))
			rc = -1;
		for (size_t i = 0; !a.failed && !a.text.failed && i < n; i++)
			if (take_answer(s, &at->place[asked[i]], &a.ask[i], t))
				rc = -1;
		more = n > 0;
		all = false;
		sk_redis_asks_clear(&a);
	} while (more && !rc);
	sk_redis_asks_free(&a);
	return atomic_load(&s->down) ? -1 : rc;
}

/* 0; -1: no answer. A store that was emptied gets a new id from whoever sees it first. */
static int same_store(struct sk_redis *s, struct sk_redis_route *r, struct sk_changes *at, bool *gap)
{
	char id[40], why[256];

	if (sk_redis_meta(s, r->route, sk_redis_now_ms() + s->url.timeout_ms, id, why, sizeof why))
		return -1;
	if (!strcmp(id, at->id))
		return 0;
	if (*at->id) {
		sk_redis_say(s, 'e', "the store's Redis is empty, or another one: what was stored before is not there (%s)", s->shown);
		*gap = true;
	}
	snprintf(at->id, sizeof at->id, "%s", id);
	for (int i = 0; i < s->buckets; i++)
		at->place[i].known = false;
	return 0;
}

static bool reachable(struct sk_redis *s)
{
	return atomic_load(&s->down) < s->buckets && !s->unusable;
}

int sk_redis_changes(struct sk_store *store, struct sk_changes **at, bool *gap, sk_change_fn *fn, void *ctx)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct sk_redis_route *r;
	int rc = -1;

	*gap = false;
	if (!*at && !(*at = calloc(1, sizeof **at + (size_t)s->buckets * sizeof *(*at)->place)))
		return -1;
	r = reachable(s) ? sk_redis_take(s) : NULL;
	if (!r)
		return -1;
	if (!same_store(s, r, *at, gap))
		rc = follow(s, r, *at, &(struct telling){ fn, ctx, gap, sk_redis_now_ms() });
	sk_redis_give(s, r);
	return rc;
}

void sk_redis_changes_end(struct sk_changes *at)
{
	free(at);
}

int sk_redis_beat(struct sk_store *store, void (*fn)(void *ctx, const char *self), void *ctx)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct sk_redis_route *r = reachable(s) ? sk_redis_take(s) : NULL;
	struct sk_redis_asks a = { 0 };
	int rc = -1;

	if (!r)
		return -1;
	sk_redis_ask_add(&a, sk_redis_own_slot(s), &s->script[SK_REDIS_BEAT]);
	sk_redis_call(&a.text, &s->script[SK_REDIS_BEAT], 1, 2);
	sk_redis_own(&a.text, s, "brokers");
	redis_name(&a.text, s->store.self);
	redis_number(&a.text, LIVES_S);
	if (!sk_redis_ask_all(&a, r->route, sk_redis_now_ms() + s->url.timeout_ms) && a.ask->reply->type == REDIS_REPLY_ARRAY)
		rc = 0;
	s->listed |= !rc;
	for (size_t i = 0; !rc && i < a.ask->reply->elements; i++)
		if (a.ask->reply->element[i]->type == REDIS_REPLY_STRING)
			fn(ctx, a.ask->reply->element[i]->str);
	sk_redis_asks_free(&a);
	sk_redis_give(s, r);
	return rc;
}

/* Nobody need wait for the end of our last word: what we left is done by others now, and skeeter-store copy may begin. */
void sk_redis_leave(struct sk_redis *s)
{
	struct sk_redis_route *r = s->listed && reachable(s) ? sk_redis_take(s) : NULL;
	struct sk_redis_asks a = { 0 };

	if (!r)
		return;
	sk_redis_ask_add(&a, sk_redis_own_slot(s), NULL);
	redis_begin(&a.text, 3);
	redis_name(&a.text, "ZREM");
	sk_redis_own(&a.text, s, "brokers");
	redis_name(&a.text, s->store.self);
	sk_redis_ask_all(&a, r->route, sk_redis_now_ms() + LEAVE_MS);
	sk_redis_asks_free(&a);
	sk_redis_give(s, r);
}
