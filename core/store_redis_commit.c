/* store_redis_commit.c -- the committer: a segment of the queue by bucket, one script for each bucket, all of them sent at once.
 *
 * Invariant: of one bucket there is never more than one batch on its way, and each has a higher number than the one before; so what is
 * sent again is answered, not done, a second time, and what comes late is refused. A commit that relies on another bucket is a segment
 * of its own. done() is called in the order of the queue within a segment. */
#include "core/store_redis.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_COMMITS = 4096, SEGMENT_BYTES = 8 << 20, SCRIPT_COMMITS = 500, SCRIPT_BYTES = 1 << 20, ROOM_KEPT = 256 << 10 };

static const char *const no_memory = "out of memory", *const is_away = "the store's Redis does not answer",
	*const is_unknown = "the store's Redis did not answer in time";

static void fail(struct sk_commit *c, const char *why)
{
	c->status = SK_COMMIT_FAILED;
	c->unknown = why == is_unknown;
	c->why = why;
}

static uint64_t hash_of(const struct sk_commit *c)
{
	return sk_redis_hash(c->partition ? c->partition : "", c->partition ? strlen(c->partition) : 0);
}

static bool well_formed(struct sk_commit *c)
{
	size_t partition = c->partition ? strlen(c->partition) : 0;

	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		size_t size = w->key ? strnlen(w->key, SK_KEY_MAX + 1) : 0;

		if ((unsigned)w->space >= SK_SPACES || !size || size > SK_KEY_MAX) {
			fail(c, "a key is empty or too long");
			return false;
		}
		if (w->space != SK_RECORD)
			continue;
		if (!c->partition || sk_key_partition(w->key) != partition || memcmp(w->key, c->partition, partition)) {
			fail(c, "a commit writes one partition only");
			return false;
		}
	}
	return true;
}

/* -- what a commit relies on -- */
static bool is_wide(const struct sk_store_expect *x)
{
	return x->structure && !x->key[sk_key_partition(x->key)];
}

static uint64_t hash_of_expect(const struct sk_store_expect *x)
{
	return sk_redis_hash(x->key, sk_key_partition(x->key));
}

static bool is_foreign(struct sk_redis *s, const struct sk_store_expect *x, const struct sk_redis_bucket *b)
{
	return is_wide(x) || sk_redis_bucket_of(s, hash_of_expect(x)) != b;
}

static bool has_foreign(struct sk_redis *s, const struct sk_commit *c)
{
	struct sk_redis_bucket *b = sk_redis_bucket_of(s, hash_of(c));

	for (size_t i = 0; i < c->expect_count; i++)
		if (is_foreign(s, &c->expects[i], b))
			return true;
	return false;
}

static void cell_name(char name[16], uint64_t hash)
{
	name[0] = 'w';
	name[1] = (char)('0' + sk_redis_cell_of(hash) / 10);
	name[2] = (char)('0' + sk_redis_cell_of(hash) % 10);
	name[3] = '\0';
}

static void ask_record(struct sk_redis *s, struct sk_redis_asks *a, const struct sk_store_expect *x)
{
	struct sk_redis_bucket *b = sk_redis_bucket_of(s, hash_of_expect(x));

	if (!sk_redis_ask_add(a, b->slot, NULL))
		return;
	redis_begin(&a->text, 3);
	redis_name(&a->text, "HGET");
	sk_redis_key(&a->text, b, SK_REDIS_HASH + SK_RECORD);
	redis_name(&a->text, x->key);
}

static void ask_cell(struct sk_redis_asks *a, const struct sk_redis_bucket *b, const char *name)
{
	if (!sk_redis_ask_add(a, b->slot, NULL))
		return;
	redis_begin(&a->text, 3);
	redis_name(&a->text, "HGET");
	sk_redis_key(&a->text, b, SK_REDIS_FACTS);
	redis_name(&a->text, name);
}

static void ask_expect(struct sk_redis *s, struct sk_redis_asks *a, const struct sk_store_expect *x)
{
	char name[16];

	if (!x->structure) {
		ask_record(s, a, x);
	} else if (!is_wide(x)) {
		cell_name(name, hash_of_expect(x));
		ask_cell(a, sk_redis_bucket_of(s, hash_of_expect(x)), name);
	} else {
		for (int i = 0; i < s->buckets; i++)
			ask_cell(a, &s->bucket[i], "w");
	}
}

static bool holds(const struct sk_store_expect *x, const struct redis_ask *ask)
{
	return x->structure ? sk_redis_version(ask->reply) <= x->as_of : sk_redis_version(ask->reply) == x->version;
}

static void judge_answer(struct sk_redis *s, struct sk_commit *c, const struct redis_ask *ask)
{
	if (ask->reply->type == REDIS_REPLY_ERROR)
		fail(c, sk_redis_not_now(ask->reply) ? is_away : sk_redis_refused(s, ask->reply));
}

/* What stands in other buckets is asked before: between that and the commit somebody else may change it. No service relies on it. */
static bool foreign_hold(struct sk_redis *s, struct sk_redis_route *r, struct sk_commit *c)
{
	struct sk_redis_bucket *b = sk_redis_bucket_of(s, hash_of(c));
	struct sk_redis_asks a = { 0 };
	int64_t began = sk_redis_now_ms();
	size_t at = 0;

	for (size_t i = 0; i < c->expect_count; i++)
		if (is_foreign(s, &c->expects[i], b))
			ask_expect(s, &a, &c->expects[i]);
	if (sk_redis_ask_all(&a, r->route, began + s->url.timeout_ms)) {
		fail(c, a.failed || a.text.failed ? no_memory : is_away);
		if (c->why == is_away)
			sk_redis_away(s, redis_route_why(r->route), began);
	}
	for (size_t i = 0; i < c->expect_count && c->status == SK_COMMIT_OK; i++) {
		if (!is_foreign(s, &c->expects[i], b))
			continue;
		for (size_t asked = is_wide(&c->expects[i]) ? (size_t)s->buckets : 1; asked && c->status == SK_COMMIT_OK; asked--, at++) {
			judge_answer(s, c, &a.ask[at]);
			if (c->status == SK_COMMIT_OK && !holds(&c->expects[i], &a.ask[at]))
				c->status = SK_COMMIT_CONFLICT;
		}
	}
	sk_redis_asks_free(&a);
	return c->status == SK_COMMIT_OK;
}

/* -- a batch as words: core/redis/commit.lua says which -- */
struct weight { size_t words, bytes, records, cells; };

static struct weight weigh(struct sk_redis *s, const struct sk_commit *c, const struct sk_redis_bucket *b)
{
	struct weight w = { .words = 4 + 3 * c->write_count };

	for (size_t i = 0; i < c->expect_count; i++) {
		if (is_foreign(s, &c->expects[i], b))
			continue;
		w.records += !c->expects[i].structure;
		w.cells += c->expects[i].structure;
	}
	w.words += 2 * (w.records + w.cells);
	for (size_t i = 0; i < c->write_count; i++)
		w.bytes += 64 + (c->writes[i].bytes ? c->writes[i].bytes->size : 0);
	return w;
}

static void write_expects(struct sk_redis *s, struct redis_text *t, const struct sk_commit *c, const struct sk_redis_bucket *b, bool structure)
{
	for (size_t i = 0; i < c->expect_count; i++) {
		const struct sk_store_expect *x = &c->expects[i];
		char name[16];

		if (x->structure != structure || is_foreign(s, x, b))
			continue;
		if (structure)
			cell_name(name, hash_of_expect(x));
		redis_name(t, structure ? name : x->key);
		redis_number(t, structure ? x->as_of : x->version);
	}
}

static void write_commit(struct sk_redis *s, struct redis_text *t, const struct sk_commit *c, const struct sk_redis_bucket *b)
{
	struct weight weight = weigh(s, c, b);
	char name[16];

	cell_name(name, hash_of(c));
	redis_number(t, weight.records);
	write_expects(s, t, c, b, false);
	redis_number(t, weight.cells);
	write_expects(s, t, c, b, true);
	redis_name(t, name);
	redis_number(t, c->write_count);
	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		bool tell = w->space == SK_RECORD && s->store.watched && s->store.watched(s->store.watched_ctx, w->key);

		redis_number(t, (uint64_t)w->space + (w->bytes ? 0 : 3) + (tell ? 6 : 0));
		redis_name(t, w->key);
		redis_word(t, w->bytes ? w->bytes->data : "", w->bytes ? w->bytes->size : 0);
	}
}

/* As many of the chain as one script takes. */
static void write_batch(struct sk_redis *s, struct sk_redis_bucket *b)
{
	struct sk_redis_chain *chain = &b->chain;
	size_t n = 0, words = 0, bytes = 0;

	while (chain->sent + n < chain->n && n < SCRIPT_COMMITS && (!n || bytes < SCRIPT_BYTES)) {
		struct weight w = weigh(s, chain->commit[chain->sent + n++], b);
		words += w.words;
		bytes += w.bytes;
	}
	chain->sending = n;
	b->number++;
	redis_text_clear(&b->text);
	sk_redis_batch(&b->text, s, b, words);
	for (size_t i = 0; i < n; i++)
		write_commit(s, &b->text, chain->commit[chain->sent + i], b);
}

/* -- what is answered -- */
static void fail_sending(struct sk_redis *s, struct sk_redis_bucket *b, const char *why)
{
	struct sk_redis_chain *chain = &b->chain;

	for (size_t i = 0; i < chain->sending; i++) {
		struct sk_commit *c = chain->commit[chain->sent + i];
		fail(c, why);
		s->count.unknown += why == is_unknown && c->write_count;
	}
}

static void take_versions(struct sk_redis *s, struct sk_redis_bucket *b, const redisReply *reply)
{
	struct sk_redis_chain *chain = &b->chain;
	char *at = reply->str;

	for (size_t i = 0; i < chain->sending; i++) {
		struct sk_commit *c = chain->commit[chain->sent + i];
		char *end = at;
		uint64_t version = strtoull(at, &end, 10);

		if (end == at) {
			fail(c, "the store's Redis answered something else");
			continue;
		}
		at = end;
		c->status = version ? SK_COMMIT_OK : SK_COMMIT_CONFLICT;
		if (!version || !c->write_count)
			continue;
		c->version = version;
		sk_redis_raise_seq(s, version);
	}
}

static void take_answer(struct sk_redis *s, struct sk_redis_bucket *b, const struct redis_ask *ask, const char *why, int64_t began)
{
	if (!ask->reply || sk_redis_not_now(ask->reply)) {
		b->unknown = ask->unknown;
		fail_sending(s, b, ask->unknown ? is_unknown : is_away);
		sk_redis_away(s, ask->reply ? ask->reply->str : why, began);
	} else if (ask->reply->type == REDIS_REPLY_ERROR) {
		fail_sending(s, b, sk_redis_refused(s, ask->reply));
	} else if (ask->reply->type != REDIS_REPLY_STRING) {
		fail_sending(s, b, "the store's Redis answered something else");
	} else if (ask->acknowledged < ask->replicas) {
		fail_sending(s, b, is_unknown);
		sk_redis_refused(s, &(redisReply){ .type = REDIS_REPLY_ERROR, .str = "NOREPLICAS" });
	} else {
		sk_redis_refused(s, ask->reply);
		take_versions(s, b, ask->reply);
	}
	b->chain.sent += b->chain.sending;
}

/* -- a segment -- */
struct segment {
	struct sk_commit *commit[SEGMENT_COMMITS];
	size_t n;
	struct sk_redis_bucket *active[SK_REDIS_BUCKETS], *busy[SK_REDIS_BUCKETS];
	size_t actives, busies;
	struct redis_ask ask[SK_REDIS_BUCKETS];
};

static bool chain_add(struct sk_redis_chain *chain, struct sk_commit *c)
{
	size_t room = chain->room ? 2 * chain->room : 16;

	if (chain->n == chain->room) {
		struct sk_commit **more = realloc(chain->commit, room * sizeof *more);
		if (!more)
			return false;
		chain->commit = more;
		chain->room = room;
	}
	chain->commit[chain->n++] = c;
	return true;
}

static void assign(struct sk_redis *s, struct segment *g, struct sk_commit *c)
{
	struct sk_redis_bucket *b = sk_redis_bucket_of(s, hash_of(c));

	if (c->status != SK_COMMIT_OK)
		return;
	if (!atomic_exchange(&b->busy, true))
		g->busy[g->busies++] = b;
	if (atomic_load(&b->down) || s->unusable) {
		fail(c, s->unusable ? s->unusable : is_away);
	} else if (s->give_up_ms && sk_redis_now_ms() > s->give_up_ms) {
		fail(c, "the broker ends");
	} else if (!chain_add(&b->chain, c)) {
		fail(c, no_memory);
	} else if (b->chain.n == 1) {
		g->active[g->actives++] = b;
	}
}

static void fail_rest(struct sk_redis_chain *chain, const char *why)
{
	for (; chain->sent < chain->n; chain->sent++)
		fail(chain->commit[chain->sent], why);
}

/* One script for each bucket that has something left. */
static void send_round(struct sk_redis *s, struct sk_redis_route *r, struct segment *g)
{
	size_t n = 0;
	int64_t limit = s->url.timeout_ms, began;

	for (size_t i = 0; i < g->actives; i++) {
		struct sk_redis_bucket *b = g->active[i];

		write_batch(s, b);
		if (b->text.failed) {
			fail_sending(s, b, no_memory);
			b->chain.sent += b->chain.sending;
			g->active[i--] = g->active[--g->actives];
			fail_rest(&b->chain, no_memory);
			continue;
		}
		g->ask[n++] = (struct redis_ask){ .slot = b->slot, .node = -1, .bytes = b->text.bytes, .size = b->text.size,
			.script = &s->script[SK_REDIS_COMMIT], .replicas = s->url.replicas, .replicas_ms = (int)(limit * 3 / 4) };
	}
	SK_REDIS_POINT(s, "redis.before");
	began = sk_redis_now_ms();
	redis_route_ask(r->route, g->ask, n, began + limit);
	SK_REDIS_POINT(s, "redis.answered");
	s->count.batches += n;
	for (size_t i = 0; i < n; i++) {
		take_answer(s, g->active[i], &g->ask[i], redis_route_why(r->route), began);
		if (g->ask[i].reply)
			freeReplyObject(g->ask[i].reply);
	}
}

/* Whose chain is through, or who went down, is no longer active. */
static void retire(struct segment *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->actives; i++) {
		struct sk_redis_bucket *b = g->active[i];

		if (atomic_load(&b->down))
			fail_rest(&b->chain, is_away);
		if (b->text.room > ROOM_KEPT)
			redis_text_free(&b->text);
		if (b->chain.sent < b->chain.n)
			g->active[kept++] = b;
	}
	g->actives = kept;
}

static void finish(struct sk_redis *s, struct segment *g)
{
	for (size_t i = 0; i < g->n; i++) {
		s->count.commits += g->commit[i]->status == SK_COMMIT_OK;
		s->count.conflicts += g->commit[i]->status == SK_COMMIT_CONFLICT;
		s->count.failures += g->commit[i]->status == SK_COMMIT_FAILED;
		g->commit[i]->done(g->commit[i]);
	}
	if (s->store.answered)
		s->store.answered(s->store.wake_ctx);
}

static void run_segment(struct sk_redis *s, struct sk_redis_route *r, struct segment *g)
{
	int64_t start = sk_redis_now_ms();

	g->actives = g->busies = 0;
	for (int i = 0; i < s->buckets; i++)
		s->bucket[i].chain.n = s->bucket[i].chain.sent = 0;
	for (size_t i = 0; i < g->n; i++)
		assign(s, g, g->commit[i]);
	while (g->actives) {
		send_round(s, r, g);
		retire(g);
	}
	while (g->busies)
		atomic_store(&g->busy[--g->busies]->busy, false);
	s->count.wait_us += (uint64_t)(sk_redis_now_ms() - start) * 1000;
	finish(s, g);
}

static size_t bytes_of(const struct sk_commit *c)
{
	size_t bytes = 0;

	for (size_t i = 0; i < c->write_count; i++)
		bytes += c->writes[i].bytes ? c->writes[i].bytes->size : 0;
	return bytes;
}

static void fail_list(struct sk_redis *s, struct sk_commit *list)
{
	struct sk_commit *next;

	for (; list; list = next) {
		next = list->next;
		fail(list, no_memory);
		s->count.failures++;
		list->done(list);
	}
	if (s->store.answered)
		s->store.answered(s->store.wake_ctx);
}

/* The next segment of the list; what is left of it. */
static struct sk_commit *take_segment(struct sk_redis *s, struct sk_redis_route *r, struct segment *g, struct sk_commit *list)
{
	size_t bytes = 0;

	for (g->n = 0; list && g->n < SEGMENT_COMMITS && bytes < SEGMENT_BYTES;) {
		bool foreign = has_foreign(s, list);

		if (foreign && g->n)
			break;
		list->status = SK_COMMIT_OK;
		list->why = NULL;
		list->version = atomic_load(&s->store.seq);
		g->commit[g->n++] = list;
		if (well_formed(list))
			bytes += bytes_of(list);
		if (foreign) {
			if (list->status == SK_COMMIT_OK)
				foreign_hold(s, r, list);
			return list->next;
		}
		list = list->next;
	}
	return list;
}

void sk_redis_commit_list(struct sk_redis *s, struct sk_redis_route *r, struct sk_commit *list)
{
	struct segment *g = r ? malloc(sizeof *g) : NULL;

	if (!g) {
		fail_list(s, list);
		return;
	}
	while (list) {
		list = take_segment(s, r, g, list);
		run_segment(s, r, g);
	}
	free(g);
}
