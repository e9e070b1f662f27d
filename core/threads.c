/* threads.c -- see threads.h. A bell remembers a ring that nobody waited for, so a wake-up is never lost.
 *
 * All are SCHED_BATCH: what they are woken for does not take the core from the broker's thread, which would be the one to suffer. */
#include "core/threads.h"
#include "core/follower.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/why.h"

#define SLOW_THREADS 2

struct bell {
	sem_t posted;
	atomic_bool rung; /* and posted: more rings are the same one */
	atomic_bool open; /* at the end: nobody waits here any more */
};
struct sk_thread {
	struct sk_threads *all;
	pthread_t id;
	int index; /* a worker's number, or SK_KEEPER ... */
	bool running;
};
struct sk_threads {
	struct sk_runtime *rt;
	struct sk_thread thread[SK_MAX_WORKERS + 3 + SLOW_THREADS];
	int count;
	struct bell worker[SK_MAX_WORKERS], keeper, committer, slow, follower;
	uint32_t answered; /* the committer's: workers whose commits it has answered */
	atomic_bool stop_keeper, stop_follower, stop_slow, stop_workers, stop_committer;
};

/* -- bells -- */

static void bell_init(struct bell *b)
{
	sem_init(&b->posted, 0, 0);
}

static void bell_free(struct bell *b)
{
	sem_destroy(&b->posted);
}

static void ring(struct bell *b)
{
	if (!atomic_exchange(&b->rung, true))
		sem_post(&b->posted);
}

static void open_for_good(struct bell *b)
{
	atomic_store(&b->open, true);
	sem_post(&b->posted);
}

bool sk_wait_posted(sem_t *posted, int64_t until_us)
{
	struct timespec t = { .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000 };
	int rc;
	do
		rc = until_us == INT64_MAX ? sem_wait(posted) : sem_clockwait(posted, CLOCK_MONOTONIC, &t);
	while (rc && errno == EINTR);
	return !rc;
}

/* Until rung or until_us; INT64_MAX: until rung. Whoever rings after `rung` was cleared posts again; the caller looks for work after that. */
static void wait_for(struct bell *b, int64_t until_us)
{
	bool heard = sk_wait_posted(&b->posted, until_us);
	if (atomic_load(&b->open)) {
		sem_post(&b->posted); /* for the next who waits here */
		return;
	}
	if (atomic_exchange(&b->rung, false) && !heard)
		sem_trywait(&b->posted);
}

static struct bell *bell_of(struct sk_threads *t, int index)
{
	switch (index) {
	case SK_KEEPER: return &t->keeper;
	case SK_COMMITTER: return &t->committer;
	case SK_SLOW_POOL: return &t->slow;
	case SK_FOLLOWER: return &t->follower;
	default: return &t->worker[index];
	}
}

/* -- wake-ups that a thread gathers -- */

static __thread uint32_t *gathering; /* NULL: this thread rings at once */

void sk_threads_gather(uint32_t *workers)
{
	gathering = workers;
}

void sk_threads_ring(struct sk_threads *t, uint32_t *workers)
{
	uint32_t left = *workers;
	*workers = 0;
	for (; t && left; left &= left - 1)
		ring(&t->worker[__builtin_ctz(left)]);
}

void sk_threads_wake(struct sk_threads *t, int index)
{
	if (!t)
		return;
	if (gathering && index >= 0)
		*gathering |= 1u << index;
	else
		ring(bell_of(t, index));
}

/* -- loops -- */

static bool inbox_empty(struct sk_worker *w)
{
	bool empty = true;
	pthread_mutex_lock(&w->inbox.lock);
	for (int i = 0; i < SK_LANES; i++)
		empty = empty && !w->inbox.head[i];
	empty = empty && !w->inbox.committed && !w->inbox.woken;
	pthread_mutex_unlock(&w->inbox.lock);
	return empty;
}

static void work(struct sk_thread *me)
{
	struct sk_threads *t = me->all;
	struct sk_worker *w = t->rt->worker[me->index];
	while (!atomic_load(&t->stop_workers)) {
		int64_t next = sk_worker_step(w, sk_mono_us());
		if (next <= sk_mono_us())
			continue;
		atomic_store(&w->inbox.asleep, true);
		if (inbox_empty(w) && !atomic_load(&t->stop_workers))
			wait_for(&t->worker[me->index], next);
		atomic_store(&w->inbox.asleep, false);
	}
}

static void wake_answered(void *ctx)
{
	struct sk_threads *t = ctx;
	sk_threads_ring(t, &t->answered);
}

/* A batch's runs go back to their workers first and then the workers are woken, once each: they would take the core from this thread. */
static void commit(struct sk_thread *me)
{
	struct sk_threads *t = me->all;
	sk_threads_gather(&t->answered);
	while (!atomic_load(&t->stop_committer)) {
		int64_t next = t->rt->store->ops->step(t->rt->store, sk_mono_us());
		wake_answered(t);
		if (next > sk_mono_us())
			wait_for(&t->committer, next);
	}
}

static void keep(struct sk_thread *me)
{
	struct sk_threads *t = me->all;
	while (!atomic_load(&t->stop_keeper)) {
		int64_t next = sk_keeper_step(t->rt->keeper, sk_mono_us());
		if (next > sk_mono_us())
			wait_for(&t->keeper, next);
	}
}

static void follow(struct sk_thread *me)
{
	struct sk_threads *t = me->all;
	while (!atomic_load(&t->stop_follower)) {
		int64_t next = sk_follower_step(t->rt->follower, sk_mono_us());
		if (next > sk_mono_us())
			wait_for(&t->follower, next);
	}
}

/* A ring wakes one thread; whoever finds work rings for the next, so none sleeps beside a full queue. */
static void work_slowly(struct sk_thread *me)
{
	struct sk_threads *t = me->all;
	while (!atomic_load(&t->stop_slow)) {
		if (sk_slow_step(t->rt->slow))
			continue;
		wait_for(&t->slow, INT64_MAX);
		if (!atomic_load(&t->stop_slow) && sk_slow_step(t->rt->slow))
			ring(&t->slow);
	}
}

/* For top -H and perf. */
static void show_name(int index)
{
	static const char *const others[] = { [-SK_KEEPER] = "sk-keeper", [-SK_COMMITTER] = "sk-committer", [-SK_SLOW_POOL] = "sk-slow",
		[-SK_FOLLOWER] = "sk-follower" };
	char name[16];
	if (index < 0)
		snprintf(name, sizeof name, "%s", others[-index]);
	else
		snprintf(name, sizeof name, "sk-worker-%d", index % 100);
	pthread_setname_np(pthread_self(), name);
}

static void *run(void *arg)
{
	struct sk_thread *me = arg;
	show_name(me->index);
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* where it is not allowed, it goes without */
	switch (me->index) {
	case SK_KEEPER: keep(me); break;
	case SK_COMMITTER: commit(me); break;
	case SK_SLOW_POOL: work_slowly(me); break;
	case SK_FOLLOWER: follow(me); break;
	default: work(me); break;
	}
	return NULL;
}

/* -- life -- */

/* 0 or the error. */
static int start(struct sk_threads *t, int index)
{
	struct sk_thread *me = &t->thread[t->count];
	pthread_attr_t attr;
	me->all = t;
	me->index = index;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 512 * 1024);
	int error = pthread_create(&me->id, &attr, run, me);
	pthread_attr_destroy(&attr);
	me->running = !error;
	t->count += me->running;
	return error;
}

static void wake_committer(void *ctx)
{
	ring(&((struct sk_threads *)ctx)->committer);
}

static int start_all(struct sk_threads *t)
{
	int error = start(t, SK_COMMITTER);
	if (!error)
		error = start(t, SK_KEEPER);
	for (int i = 0; !error && i < t->rt->workers; i++)
		error = start(t, i);
	for (int i = 0; !error && i < SLOW_THREADS; i++)
		error = start(t, SK_SLOW_POOL);
	if (!error && t->rt->follower)
		error = start(t, SK_FOLLOWER);
	return error;
}

int sk_threads_start(struct sk_threads **at, struct sk_runtime *rt, char *why, size_t why_size)
{
	struct sk_threads *t = *at = calloc(1, sizeof *t);
	sigset_t all, before;
	if (!t)
		return sk_why(why, why_size, "memory is out");
	t->rt = rt;
	bell_init(&t->keeper);
	bell_init(&t->committer);
	bell_init(&t->slow);
	bell_init(&t->follower);
	for (int i = 0; i < SK_MAX_WORKERS; i++)
		bell_init(&t->worker[i]);
	rt->store->wake = wake_committer;
	rt->store->wake_ctx = t;
	rt->store->answered = wake_answered;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = start_all(t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return 0;
	sk_threads_stop(at, 0);
	return sk_why(why, why_size, "a thread cannot be started: %s", strerror(error));
}

static void join(struct sk_threads *t, int least, int most, atomic_bool *stop)
{
	atomic_store(stop, true);
	for (int i = 0; i < t->count; i++) {
		struct sk_thread *one = &t->thread[i];
		if (!one->running || one->index < least || one->index > most)
			continue;
		open_for_good(bell_of(t, one->index));
		pthread_join(one->id, NULL);
		one->running = false;
	}
}

static size_t calls_left(const struct sk_runtime *rt)
{
	size_t left = 0;
	for (int i = 0; i < rt->workers; i++)
		left += atomic_load(&rt->worker[i]->inbox.calls);
	return left;
}

/* The keeper goes first, and the follower: they make new calls. The slow pool works on while calls wait for it. */
size_t sk_threads_stop(struct sk_threads **at, int64_t limit_us)
{
	struct sk_threads *t = *at;
	if (!t)
		return 0;
	struct sk_runtime *rt = t->rt;
	join(t, SK_KEEPER, SK_KEEPER, &t->stop_keeper);
	join(t, SK_FOLLOWER, SK_FOLLOWER, &t->stop_follower);
	for (int64_t until = sk_mono_us() + limit_us; calls_left(rt) && sk_mono_us() < until;)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	sk_slow_stop(rt->slow);
	join(t, SK_SLOW_POOL, SK_SLOW_POOL, &t->stop_slow);
	join(t, 0, SK_MAX_WORKERS, &t->stop_workers);
	join(t, SK_COMMITTER, SK_COMMITTER, &t->stop_committer);
	rt->store->ops->step(rt->store, sk_mono_us()); /* what the committer left: its runs are freed with their worker */
	rt->store->wake = NULL;
	rt->store->answered = NULL;
	bell_free(&t->keeper);
	bell_free(&t->committer);
	bell_free(&t->slow);
	bell_free(&t->follower);
	for (int i = 0; i < SK_MAX_WORKERS; i++)
		bell_free(&t->worker[i]);
	free(t);
	*at = NULL;
	return calls_left(rt);
}
