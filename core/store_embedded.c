/* store_embedded.c -- the embedded store: one SQLite file, one committer, any number of readers.
 *
 *   submit -> queue -> step: judge, one log row, one fsync -> map -> done()      store_commit.c
 *                            oldest of the map -> record table, log trimmed      store_fold.c
 *                            WAL -> database file                                store_checkpoint.c
 *   read, scan: map, then table                                                  store_read.c
 *
 * Folding is lazy on purpose: a record that is written again before its turn costs the table nothing. So a busy store folds only as
 * its backlog fills (from 60% of a limit on, the full 2 ms a step at 95%), an idle one folds everything. */
#include "core/store_internal.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	DIRTY_LIMIT = 64 << 20, LOG_LIMIT = 256 << 20,
	FOLD_US = 2000, FOLD_PRESSED_US = 10000, /* one step's */
	LAZY = 600, EAGER = 950,                 /* in 1/1000 of a limit */
	SEVERAL = 4,                             /* commits in a row */
	IDLE_US = 10000,                         /* without a commit: idle */
	RETRY_US = 1000000,                      /* after a fold that the disk refused */
	REST_US = 3000000,                       /* without a commit: quiet */
	PEAK = 4 << 20                           /* of dirty bytes, after which memory is handed back */
};

static int64_t monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void submit(struct sk_store *store, struct sk_commit *list)
{
	struct sk_embedded *s = (struct sk_embedded *)store;
	struct sk_commit *last = list;
	bool first;

	if (!list)
		return;
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&s->queue_lock);
	first = !s->queue;
	*s->queue_end = list;
	s->queue_end = &last->next;
	pthread_mutex_unlock(&s->queue_lock);
	if (first && store->wake && !atomic_load(&s->gathering))
		store->wake(store->wake_ctx);
}

static struct sk_commit *take_queue(struct sk_embedded *s)
{
	struct sk_commit *list;

	pthread_mutex_lock(&s->queue_lock);
	list = s->queue;
	s->queue = NULL;
	s->queue_end = &s->queue;
	pthread_mutex_unlock(&s->queue_lock);
	return list;
}

static bool queued(struct sk_embedded *s)
{
	bool any;

	pthread_mutex_lock(&s->queue_lock);
	any = s->queue != NULL;
	pthread_mutex_unlock(&s->queue_lock);
	return any;
}

static bool pressed(struct sk_store *store)
{
	struct sk_embedded *s = (struct sk_embedded *)store;

	return s->map.bytes > s->opt.dirty_limit || s->log_bytes > s->opt.log_limit;
}

/* How full the backlog is, in 1/1000 of its limits. */
static int64_t fill(const struct sk_embedded *s)
{
	uint64_t dirty = s->map.bytes * (uint64_t)1000 / s->opt.dirty_limit, log = s->log_bytes * (uint64_t)1000 / s->opt.log_limit;

	return (int64_t)(dirty > log ? dirty : log);
}

static int64_t fold_budget(struct sk_embedded *s, bool idle)
{
	int64_t over = fill(s) - LAZY;

	if (pressed(&s->store))
		return FOLD_PRESSED_US;
	if (idle || over >= EAGER - LAZY)
		return FOLD_US;
	return over > 0 ? FOLD_US * over / (EAGER - LAZY) : 0;
}

static bool backlog(const struct sk_embedded *s)
{
	return s->map.oldest || s->segments.count;
}

static void fold(struct sk_embedded *s, int64_t now_us, bool idle)
{
	int64_t budget = fold_budget(s, idle);

	if (s->map.bytes > s->peak)
		s->peak = s->map.bytes;
	if (budget && backlog(s) && now_us >= s->fold_again_us && sk_fold(s, budget) < 0)
		s->fold_again_us = now_us + RETRY_US;
}

/* Nothing is left to do: give back what the load needed. Trimming holds each of malloc's locks for up to 50 ms after a large peak, so that the broker's
 * thread waits for it: that is left for a time when nobody has stored anything for a while. The time to look again. */
static int64_t rest(struct sk_embedded *s, int64_t now_us)
{
	if (s->peak < PEAK)
		return INT64_MAX;
	if (now_us - s->busy_us < REST_US)
		return s->busy_us + REST_US;
	s->peak = 0;
	sk_batch_free(&s->batch);
	sqlite3_db_release_memory(s->writer->db);
	malloc_trim(0);
	return INT64_MAX;
}

static int64_t next_step(struct sk_embedded *s, int64_t now_us, bool idle)
{
	int64_t when;

	if (queued(s))
		return now_us;
	if (backlog(s)) {
		when = idle || pressed(&s->store) ? now_us : s->busy_us + IDLE_US;
		return when > s->fold_again_us ? when : s->fold_again_us;
	}
	return rest(s, now_us);
}

/* After a row of several commits the next one is gathered for as long as this one took: under load that halves the number of rows,
 * whose price hardly depends on how many commits they hold. A lone commit never waits. */
static int64_t gather(struct sk_embedded *s, uint64_t commits, int64_t began_us)
{
	int64_t now = s->now_us(), took = now - began_us, most = s->opt.gather_us;

	if (commits < SEVERAL || !most)
		return 0;
	atomic_store(&s->gathering, true);
	return now + (took < most ? took : most);
}

static int64_t step(struct sk_store *store, int64_t now_us)
{
	struct sk_embedded *s = (struct sk_embedded *)store;
	struct sk_commit *list;
	uint64_t before = s->count.commits;
	bool idle;

	if (atomic_load(&s->gathering) && now_us < s->gathered_us)
		return s->gathered_us;
	atomic_store(&s->gathering, false);
	list = take_queue(s);
	idle = !list && now_us - s->busy_us >= IDLE_US;
	if (list) {
		sk_checkpointer_catch_up(s, now_us);
		sk_commit_list(s, list);
		s->busy_us = now_us;
	}
	fold(s, now_us, idle);
	sk_checkpointer_step(s, now_us, idle && !backlog(s));
	s->gathered_us = list ? gather(s, s->count.commits - before, now_us) : 0;
	return s->gathered_us ? s->gathered_us : next_step(s, now_us, idle);
}

static void stats(struct sk_store *store, struct sk_store_stats *out)
{
	struct sk_embedded *s = (struct sk_embedded *)store;

	*out = (struct sk_store_stats){
		.commits = s->count.commits, .commit_batches = s->count.batches, .conflicts = s->count.conflicts,
		.failures = s->count.failures, .reads = s->count.reads, .table_reads = s->count.table_reads, .scans = s->count.scans,
		.folded_records = s->count.folded, .fold_us = s->count.fold_us, .fsync_us = s->count.fsync_us,
		.dirty_bytes = s->map.bytes, .dirty_records = s->map.count, .log_bytes = s->log_bytes, .log_rows = s->log_rows,
		.replayed_rows = s->replayed_rows, .open_us = s->open_us,
	};
}

static void release(struct sk_embedded *s)
{
	struct sk_table *t;

	sk_checkpointer_stop(s);
	while ((t = s->pool)) {
		s->pool = t->next;
		sk_table_close(t);
	}
	sk_table_close(s->writer);
	if (s->fd >= 0)
		close(s->fd);
	sk_batch_free(&s->batch);
	sk_map_free(&s->map);
	pthread_rwlock_destroy(&s->gate);
	pthread_mutex_destroy(&s->pool_lock);
	pthread_mutex_destroy(&s->queue_lock);
	free(s->segments.ring);
	free(s->written);
	free(s->structure);
	free(s->tabled);
	free(s->path);
	free(s);
}

static void close_store(struct sk_store *store)
{
	struct sk_embedded *s = (struct sk_embedded *)store;
	struct sk_commit *list;

	while ((list = take_queue(s)))
		sk_commit_list(s, list);
	while (sk_fold(s, INT64_MAX / 2) > 0)
		;
	sqlite3_db_config(s->writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	release(s);
}

static const struct sk_store_ops ops = {
	.name = "embedded",
	.read = sk_embedded_read,
	.scan = sk_embedded_scan,
	.submit = submit,
	.step = step,
	.pressed = pressed,
	.stats = stats,
	.close = close_store,
};

static struct sk_embedded *new_store(const struct sk_store_options *opt)
{
	struct sk_embedded *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->store.ops = &ops;
	s->store.exclusive = true;
	s->opt = *opt;
	s->opt.dirty_limit = opt->dirty_limit ? opt->dirty_limit : DIRTY_LIMIT;
	s->opt.log_limit = opt->log_limit ? opt->log_limit : LOG_LIMIT;
	s->now_us = opt->now_us ? opt->now_us : monotonic_us;
	s->fd = -1;
	s->queue_end = &s->queue;
	s->busy_us = -IDLE_US;
	sk_map_init(&s->map);
	pthread_rwlock_init(&s->gate, NULL);
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_mutex_init(&s->queue_lock, NULL);
	s->written = calloc(SK_FILTER, sizeof *s->written);
	s->structure = calloc(SK_STRUCTURE, sizeof *s->structure);
	s->tabled = calloc(SK_FILTER / 8, 1);
	s->segments.room = 16;
	s->segments.ring = calloc(s->segments.room, sizeof *s->segments.ring);
	if (s->written && s->structure && s->tabled && s->segments.ring)
		return s;
	release(s);
	return NULL;
}

struct sk_store *sk_store_open_embedded(const struct sk_store_options *opt, char *why, size_t why_size)
{
	struct sk_embedded *s = opt->path && *opt->path ? new_store(opt) : NULL;
	int64_t start;

	if (!s) {
		snprintf(why, why_size, "cannot write store %s: %s", opt->path ? opt->path : "", opt->path && *opt->path ? "out of memory" : "no path");
		return NULL;
	}
	start = s->now_us();
	if (sk_open_file(s, why, why_size)) {
		release(s);
		return NULL;
	}
	s->opt.path = s->path;
	s->open_us = (uint64_t)(s->now_us() - start);
	return &s->store;
}
