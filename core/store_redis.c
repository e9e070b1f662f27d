/* store_redis.c -- the store in a Redis: one server, the master that Sentinels name, or a Cluster; any number of brokers share it.
 *
 *   submit -> queue -> step: by bucket, one script each, all at once -> done()   store_redis_commit.c
 *   read, scan: the masters, by whatever thread asks                             store_redis_read.c, store_redis_scan.c
 *   what others wrote, who else is there                                         store_redis_changes.c
 *   no answer: everything fails at once until it is back                         store_redis_down.c
 *
 * submit, pressed and stats touch no socket: the broker's thread may call them. */
#include "core/store_redis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POOL_MAX = 16, QUEUE_BYTES = 64 << 20, QUEUE_COMMITS = 200000, CLOSE_MS = 5000 };

int64_t sk_redis_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sk_redis_say(struct sk_redis *s, char level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!s->opt.say)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	s->opt.say(level, line);
}

/* FNV-1a, mixed: buckets take the low bits, cells of structure the high ones. What is stored depends on it: it stays as it is. */
uint64_t sk_redis_hash(const char *partition, size_t n)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)partition[i]) * 0x100000001b3;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

struct sk_redis_bucket *sk_redis_bucket_of(struct sk_redis *s, uint64_t hash)
{
	return &s->bucket[(uint32_t)hash % (unsigned)s->buckets];
}

unsigned sk_redis_cell_of(uint64_t hash)
{
	return (unsigned)(hash >> 32) % SK_REDIS_CELLS;
}

void sk_redis_raise_seq(struct sk_redis *s, uint64_t version)
{
	uint64_t seq = atomic_load(&s->store.seq);

	while (seq < version && !atomic_compare_exchange_weak(&s->store.seq, &seq, version))
		;
}

/* -- routes: one for each thread that asks at this moment -- */
struct sk_redis_route *sk_redis_take(struct sk_redis *s)
{
	struct sk_redis_route *r;

	pthread_mutex_lock(&s->pool_lock);
	r = s->pool;
	if (r) {
		s->pool = r->next;
		s->pool_size--;
	}
	pthread_mutex_unlock(&s->pool_lock);
	if (r)
		return r;
	r = calloc(1, sizeof *r);
	if (r && !(r->route = redis_route_new(&s->url, sk_redis_now_ms))) {
		free(r);
		r = NULL;
	}
	return r;
}

static void drop_route(struct sk_redis_route *r)
{
	redis_route_free(r->route);
	free(r);
}

void sk_redis_give(struct sk_redis *s, struct sk_redis_route *r)
{
	struct redis_route_count now = redis_route_counted(r->route);
	bool kept;

	s->count.reconnects += now.reconnects - r->counted.reconnects;
	s->count.redirects += now.redirects - r->counted.redirects;
	s->count.resent += now.resent - r->counted.resent;
	r->counted = now;
	pthread_mutex_lock(&s->pool_lock);
	kept = s->pool_size < POOL_MAX;
	if (kept) {
		r->next = s->pool;
		s->pool = r;
		s->pool_size++;
	}
	pthread_mutex_unlock(&s->pool_lock);
	if (!kept)
		drop_route(r);
}

/* -- the queue -- */
static size_t size_of(const struct sk_commit *c)
{
	size_t size = 0;

	for (size_t i = 0; i < c->write_count; i++)
		size += c->writes[i].bytes ? c->writes[i].bytes->size : 0;
	return size;
}

static void submit(struct sk_store *store, struct sk_commit *list)
{
	struct sk_redis *s = (struct sk_redis *)store;
	size_t n = 0, bytes = 0;
	struct sk_commit *last = list;
	bool first;

	if (!list)
		return;
	for (struct sk_commit *c = list; c; last = c, c = c->next) {
		n++;
		bytes += size_of(c);
	}
	s->queued += n;
	s->queued_bytes += bytes;
	pthread_mutex_lock(&s->queue_lock);
	first = !s->queue;
	*s->queue_end = list;
	s->queue_end = &last->next;
	pthread_mutex_unlock(&s->queue_lock);
	if (first && store->wake)
		store->wake(store->wake_ctx);
}

static struct sk_commit *take_queue(struct sk_redis *s)
{
	struct sk_commit *list;

	pthread_mutex_lock(&s->queue_lock);
	list = s->queue;
	s->queue = NULL;
	s->queue_end = &s->queue;
	pthread_mutex_unlock(&s->queue_lock);
	return list;
}

static bool empty_queue(struct sk_redis *s)
{
	bool empty;

	pthread_mutex_lock(&s->queue_lock);
	empty = !s->queue;
	pthread_mutex_unlock(&s->queue_lock);
	return empty;
}

/* The whole list is answered by then. */
static void commit(struct sk_redis *s, struct sk_commit *list)
{
	struct sk_redis_route *r = sk_redis_take(s);
	size_t n = 0, bytes = 0;

	for (struct sk_commit *c = list; c; c = c->next) {
		n++;
		bytes += size_of(c);
	}
	sk_redis_commit_list(s, r, list);
	s->queued -= n;
	s->queued_bytes -= bytes;
	if (r)
		sk_redis_give(s, r);
}

static int64_t step(struct sk_store *store, int64_t now_us)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct sk_commit *list = take_queue(s);

	if (list)
		commit(s, list);
	return empty_queue(s) ? INT64_MAX : now_us;
}

static bool pressed(struct sk_store *store)
{
	struct sk_redis *s = (struct sk_redis *)store;

	return s->queued_bytes > QUEUE_BYTES || s->queued > QUEUE_COMMITS;
}

static void stats(struct sk_store *store, struct sk_store_stats *out)
{
	struct sk_redis *s = (struct sk_redis *)store;

	*out = (struct sk_store_stats){
		.commits = s->count.commits, .commit_batches = s->count.batches, .conflicts = s->count.conflicts, .failures = s->count.failures,
		.reads = s->count.reads, .scans = s->count.scans, .fsync_us = s->count.wait_us, .open_us = (uint64_t)s->open_us,
		.reconnects = s->count.reconnects, .redirects = s->count.redirects, .resent = s->count.resent, .unknown = s->count.unknown,
		.down = s->down > 0 || s->unusable,
	};
}

/* -- the end -- */
void sk_redis_free(struct sk_redis *s)
{
	struct sk_redis_route *r;

	while ((r = s->pool)) {
		s->pool = r->next;
		drop_route(r);
	}
	for (int i = 0; s->bucket && i < s->buckets; i++) {
		free(s->bucket[i].chain.commit);
		redis_text_free(&s->bucket[i].text);
	}
	free(s->bucket);
	redis_url_free(&s->url);
	pthread_cond_destroy(&s->down_changed);
	pthread_mutex_destroy(&s->down_lock);
	pthread_mutex_destroy(&s->pool_lock);
	pthread_mutex_destroy(&s->queue_lock);
	free(s);
}

static void close_store(struct sk_store *store)
{
	struct sk_redis *s = (struct sk_redis *)store;
	struct sk_commit *list;

	sk_redis_knocker_stop(s);
	s->give_up_ms = sk_redis_now_ms() + CLOSE_MS;
	while ((list = take_queue(s)))
		commit(s, list);
	sk_redis_leave(s);
	sk_redis_free(s);
}

const struct sk_store_ops sk_redis_ops = {
	.name = "redis",
	.read = sk_redis_read,
	.scan = sk_redis_scan_all,
	.submit = submit,
	.step = step,
	.pressed = pressed,
	.stats = stats,
	.changes = sk_redis_changes,
	.changes_end = sk_redis_changes_end,
	.beat = sk_redis_beat,
	.close = close_store,
};
