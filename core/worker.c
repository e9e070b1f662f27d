/* worker.c -- one worker: from its inbox to its partitions, from there to runs, commits and back.
 *
 * A partition is in at most one of three conditions: waiting for slow work, running (perhaps in a commit), or in the ready list.
 * Only the worker's own thread touches partitions; other threads reach it through the inbox. */
#include "core/runtime.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_PER_STEP 256
#define LATELY_US 3000000
#define NO_MEMORY_US 10000  /* from one try to the next */
#define QUIET_CALLS 150     /* in that time: the load is over */
#define PEAK_CALLS 10000    /* since the last time: then there was one */

/* -- partitions -- */

static struct sk_partition **partition_slot(struct sk_worker *w, const char *name, uint32_t hash)
{
	struct sk_partition **at = &w->partition[hash & (w->partition_buckets - 1)];
	while (*at && ((*at)->hash != hash || strcmp((*at)->name, name)))
		at = &(*at)->next;
	return at;
}

static bool resize(struct sk_worker *w, size_t buckets)
{
	struct sk_partition **table = calloc(buckets, sizeof *table);
	if (!table)
		return w->partition_buckets > 0;
	for (size_t i = 0; i < w->partition_buckets; i++)
		for (struct sk_partition *p = w->partition[i], *next; p; p = next) {
			next = p->next;
			p->next = table[p->hash & (buckets - 1)];
			table[p->hash & (buckets - 1)] = p;
		}
	free(w->partition);
	w->partition = table;
	w->partition_buckets = buckets;
	return true;
}

static struct sk_partition *partition_of(struct sk_worker *w, const char *name)
{
	size_t n = strlen(name);
	uint32_t hash = sk_hash(name, n);
	if (w->partition_count >= w->partition_buckets && !resize(w, w->partition_buckets ? w->partition_buckets * 2 : 64))
		return NULL;
	struct sk_partition **at = partition_slot(w, name, hash);
	if (*at)
		return *at;
	struct sk_partition *p = calloc(1, sizeof *p + n + 1);
	if (!p)
		return NULL;
	memcpy(p->name, name, n + 1);
	p->hash = hash;
	p->tail = &p->head;
	*at = p;
	w->partition_count++;
	return p;
}

static void forget_partition(struct sk_worker *w, struct sk_partition *p)
{
	struct sk_partition **at = partition_slot(w, p->name, p->hash);
	*at = p->next;
	w->partition_count--;
	free(p);
	if (w->partition_buckets > 1024 && w->partition_count < w->partition_buckets / 8)
		resize(w, w->partition_buckets / 4);
}

void sk_worker_ready(struct sk_worker *w, struct sk_partition *p)
{
	if (p->running || p->waiting || p->ready)
		return;
	if (!p->head) {
		forget_partition(w, p);
		return;
	}
	p->ready = true;
	p->ready_next = NULL;
	*w->ready_tail = p;
	w->ready_tail = &p->ready_next;
}

static struct sk_partition *take_ready(struct sk_worker *w)
{
	struct sk_partition *p = w->ready;
	if (!p)
		return NULL;
	w->ready = p->ready_next;
	if (!w->ready)
		w->ready_tail = &w->ready;
	p->ready = false;
	return p;
}

/* -- inbox -- */

void sk_worker_post_committed(struct sk_run *run)
{
	struct sk_worker *w = run->worker;
	run->next = NULL;
	pthread_mutex_lock(&w->inbox.lock);
	*w->inbox.committed_tail = run;
	w->inbox.committed_tail = &run->next;
	pthread_mutex_unlock(&w->inbox.lock);
	if (atomic_load(&w->inbox.asleep))
		w->rt->host->wake_thread(w->rt->host->ctx, w->index);
}

void sk_worker_post_woken(struct sk_worker *w, struct sk_woken *note)
{
	pthread_mutex_lock(&w->inbox.lock);
	note->next = w->inbox.woken;
	w->inbox.woken = note;
	pthread_mutex_unlock(&w->inbox.lock);
	if (atomic_load(&w->inbox.asleep))
		w->rt->host->wake_thread(w->rt->host->ctx, w->index);
}

struct taken {
	struct sk_request *lane[SK_LANES];
	struct sk_run *committed;
	struct sk_woken *woken;
};

static struct taken take_inbox(struct sk_worker *w)
{
	struct taken t = { 0 };
	pthread_mutex_lock(&w->inbox.lock);
	for (int i = 0; i < SK_LANES; i++) {
		t.lane[i] = w->inbox.head[i];
		w->inbox.head[i] = NULL;
		w->inbox.tail[i] = &w->inbox.head[i];
	}
	t.committed = w->inbox.committed;
	w->inbox.committed = NULL;
	w->inbox.committed_tail = &w->inbox.committed;
	t.woken = w->inbox.woken;
	w->inbox.woken = NULL;
	pthread_mutex_unlock(&w->inbox.lock);
	return t;
}

static bool enqueue(struct sk_worker *w, struct sk_request *r)
{
	struct sk_partition *p = partition_of(w, r->partition);
	if (!p) {
		SK_COUNT(w->rt->count.memory_failures);
		return false;
	}
	r->next = NULL;
	*p->tail = r;
	p->tail = &r->next;
	p->length++;
	sk_worker_ready(w, p);
	return true;
}

/* The first that meets no memory holds those behind it, so that each partition keeps its order. */
static void enqueue_all(struct sk_worker *w, const struct taken *t)
{
	for (int i = 0; i < SK_LANES; i++) {
		*w->entering_tail = t->lane[i];
		while (*w->entering_tail)
			w->entering_tail = &(*w->entering_tail)->next;
	}
	while (w->entering) {
		struct sk_request *r = w->entering, *next = r->next;
		if (!enqueue(w, r))
			return;
		w->entering = next;
	}
	w->entering_tail = &w->entering;
}

/* -- carried out -- */

static void free_request(void *r) { sk_request_free(r); }

/* true: told, and r is not ours any more. The broker's thread has made it and frees it: the memory of a thread is its own affair (struct sk_out_home). */
static bool tell(struct sk_worker *w, struct sk_request *r)
{
	if (r->effect)
		return sk_effect_tell(w, r);
	struct sk_outgoing *item = r->client ? sk_out_add(&w->out, SK_OUT_FINISHED, NULL, NULL, NULL, 0) : NULL;
	if (r->client && !item)
		return false;
	if (!item) {
		sk_request_free(r);
		return true;
	}
	item->client = r->client;
	item->generation = r->generation;
	item->state = r;
	item->drop = free_request;
	sk_request_renew(r);
	return true;
}

void sk_worker_through(struct sk_worker *w, struct sk_request *r)
{
	atomic_fetch_sub(&w->inbox.bytes[r->lane], r->bytes);
	atomic_fetch_sub(&w->inbox.calls, 1);
	if (r->again_us) {
		sk_keeper_retry(w->rt->keeper, r);
		return;
	}
	if (tell(w, r))
		return;
	SK_COUNT(w->rt->count.memory_failures);
	r->finish = NULL; /* it has been answered */
	r->next = w->untold;
	w->untold = r;
}

static void tell_late(struct sk_worker *w)
{
	while (w->untold) {
		struct sk_request *r = w->untold, *next = r->next;
		if (!tell(w, r))
			return;
		w->untold = next;
	}
}

static void wake_partitions(struct sk_worker *w, struct sk_woken *woken)
{
	while (woken) {
		struct sk_woken *next = woken->next;
		struct sk_partition *p = partition_of(w, woken->partition);
		if (p) {
			p->waiting -= p->waiting > 0;
			sk_worker_ready(w, p);
		}
		free(woken);
		woken = next;
	}
}

/* -- runs -- */

void sk_worker_submit(struct sk_worker *w, struct sk_commit *c)
{
	c->next = NULL;
	*w->submit_tail = c;
	w->submit_tail = &c->next;
}

static void end(struct sk_run *run)
{
	struct sk_worker *w = run->worker;
	struct sk_partition *p = run->partition;
	sk_run_release(run);
	p->running = false;
	sk_worker_ready(w, p);
}

/* Executes runs round by round: what misses is fetched for all of them together, then those run again. */
static void execute_all(struct sk_run **runs, size_t n)
{
	while (n) {
		size_t missing = 0;
		for (size_t i = 0; i < n; i++) {
			if (sk_run_execute(runs[i]))
				runs[missing++] = runs[i];
			else if (!sk_run_prepare_commit(runs[i]))
				end(runs[i]);
		}
		sk_runs_fetch(runs, missing);
		n = missing;
	}
}

static void settle_committed(struct sk_worker *w, struct sk_run *run)
{
	while (run) {
		struct sk_run *next = run->next;
		if (sk_run_settle(run))
			execute_all((struct sk_run *[]){ run }, 1);
		else
			end(run);
		run = next;
	}
	sk_outbox_push(&w->rt->outbox, &w->out, w->rt->host);
}

static size_t start_runs(struct sk_worker *w, struct sk_run **runs)
{
	size_t n = 0;
	struct sk_partition *p;
	while (n < RUNS_PER_STEP && (p = take_ready(w))) {
		struct sk_run *run = sk_run_new(w, p);
		if (!run || !run->slots) {
			if (run)
				sk_run_free(run);
			sk_worker_ready(w, p); /* memory is out: a later step tries again */
			break;
		}
		p->running = true;
		w->calls_lately += (uint64_t)run->slots;
		w->calls_since_tidy += (uint64_t)run->slots;
		runs[n++] = run;
	}
	return n;
}

static void submit(struct sk_worker *w)
{
	if (!w->submit)
		return;
	struct sk_commit *list = w->submit;
	w->submit = NULL;
	w->submit_tail = &w->submit;
	w->rt->store->ops->submit(w->rt->store, list);
}

/* Nothing is under way, in no worker, commit or outbox: a disk that stands still is not quiet. */
static bool all_is_done(const struct sk_runtime *rt)
{
	for (int i = 0; i < rt->workers; i++)
		if (atomic_load(&rt->worker[i]->inbox.calls))
			return false;
	return !atomic_load(&rt->outbox.depth_now);
}

/* After a load peak, when it has been quiet for a while and all answers are out, the memory that it needed goes back: trimming holds malloc's locks
 * for tens of milliseconds, and the broker's thread would wait. The time to look again. */
static int64_t tidy_up(struct sk_worker *w, int64_t now_us)
{
	if (w->calls_since_tidy < PEAK_CALLS)
		return INT64_MAX;
	if (now_us - w->lately_at >= LATELY_US) {
		bool quiet = w->calls_lately < QUIET_CALLS && all_is_done(w->rt);
		w->lately_at = now_us;
		w->calls_lately = 0;
		if (quiet) {
			w->calls_since_tidy = 0;
			sk_cache_compact(&w->cache);
			return INT64_MAX;
		}
	}
	return w->lately_at + LATELY_US;
}

int64_t sk_worker_step(struct sk_worker *w, int64_t now_us)
{
	struct sk_run *runs[RUNS_PER_STEP];
	struct taken t = take_inbox(w);
	sk_out_home_empty(&w->home);
	tell_late(w);
	settle_committed(w, t.committed);
	wake_partitions(w, t.woken);
	enqueue_all(w, &t);
	execute_all(runs, start_runs(w, runs));
	submit(w);
	sk_outbox_push(&w->rt->outbox, &w->out, w->rt->host);
	if (w->ready)
		return now_us;
	return w->entering || w->untold ? now_us + NO_MEMORY_US : tidy_up(w, now_us);
}

/* -- life -- */

struct sk_worker *sk_worker_new(struct sk_runtime *rt, int index)
{
	struct sk_worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->rt = rt;
	w->index = index;
	pthread_mutex_init(&w->inbox.lock, NULL);
	for (int i = 0; i < SK_LANES; i++)
		w->inbox.tail[i] = &w->inbox.head[i];
	w->inbox.committed_tail = &w->inbox.committed;
	w->ready_tail = &w->ready;
	w->entering_tail = &w->entering;
	w->submit_tail = &w->submit;
	sk_out_list_init(&w->out);
	w->out.home = &w->home;
	sk_cache_init(&w->cache, rt->cache_limit);
	return w;
}

static void abandon_all(struct sk_request *list)
{
	while (list) {
		struct sk_request *next = list->next;
		sk_request_abandon(list);
		list = next;
	}
}

static void free_partitions(struct sk_worker *w)
{
	for (size_t i = 0; i < w->partition_buckets; i++)
		while (w->partition[i]) {
			struct sk_partition *p = w->partition[i];
			w->partition[i] = p->next;
			abandon_all(p->head);
			free(p);
		}
	free(w->partition);
}

static void free_spares(struct sk_worker *w)
{
	while (w->spare_slot) {
		struct sk_slot *s = w->spare_slot;
		w->spare_slot = (struct sk_slot *)s->run;
		sk_arena_free(&s->arena);
		free(s);
	}
	if (w->spare_run) {
		sk_arena_free(&w->spare_run->arena);
		free(w->spare_run);
	}
}

static void abandon_run(struct sk_run *run)
{
	for (int i = 0; i < run->slots; i++) {
		sk_request_abandon(run->slot[i]->request);
		run->slot[i]->request = NULL;
	}
	sk_run_free(run);
}

void sk_worker_free(struct sk_worker **at)
{
	struct sk_worker *w = *at;
	*at = NULL;
	if (!w)
		return;
	struct taken t = take_inbox(w);
	for (int i = 0; i < SK_LANES; i++)
		abandon_all(t.lane[i]);
	abandon_all(w->entering);
	abandon_all(w->untold); /* nobody waits for these but an effect */
	while (t.woken) {
		struct sk_woken *next = t.woken->next;
		free(t.woken);
		t.woken = next;
	}
	while (t.committed) {
		struct sk_run *next = t.committed->next;
		abandon_run(t.committed);
		t.committed = next;
	}
	free_partitions(w);
	free_spares(w);
	sk_out_home_empty(&w->home);
	sk_cache_free(&w->cache);
	pthread_mutex_destroy(&w->inbox.lock);
	free(w);
}
