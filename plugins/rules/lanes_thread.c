/* lanes_thread.c -- the thread of a lane: steps it, and sleeps until something has been appended or settled, or its time has come.
 *
 * Whoever brings something rings after that; `rung` is cleared before a step looks. */
#include "plugins/rules/lanes.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "core/threads.h"

enum { STACK = 1 << 20 }; /* of address space: the clients of TLS and their like are not written for less */

void lane_ring(struct lane *l)
{
	if (!atomic_exchange(&l->rung, true))
		sem_post(&l->bell);
}

struct counted {
	uint64_t delivered, retried, failed;
};

/* What the lane has counted since the last time goes into the counters of all. */
static void count(struct sk_counters *all, struct lane_numbers *n, struct counted *before)
{
	const struct counted now = { atomic_load(&n->delivered), atomic_load(&n->retried), atomic_load(&n->failed) };

	if (now.delivered != before->delivered)
		SK_COUNT_BY(all->sink_delivered, now.delivered - before->delivered);
	if (now.retried != before->retried)
		SK_COUNT_BY(all->sink_retried, now.retried - before->retried);
	if (now.failed != before->failed)
		SK_COUNT_BY(all->sink_failed, now.failed - before->failed);
	*before = now;
}

static void *loop(void *arg)
{
	struct lane *l = arg;
	struct counted before = { 0 };

	while (!atomic_load(&l->stop)) {
		atomic_store(&l->rung, false);
		int64_t next = lane_step(l->run);
		count(&l->set->engine->rt->count, lane_numbers(l->run), &before);
		if (atomic_load_explicit(&l->full, memory_order_relaxed))
			lane_look_at_room(l);
		if (!atomic_load(&l->stop) && next > sk_mono_us() / 1000)
			sk_wait_posted(&l->bell, next == INT64_MAX ? INT64_MAX : next * 1000);
	}
	lane_run_rest(l->run);
	return NULL;
}

/* SCHED_BATCH and without signals, like all our threads (core/threads.c). */
int lane_thread_start(struct lane *l)
{
	sigset_t all, before;
	struct sched_param none = { 0 };
	pthread_attr_t attributes;
	char name[16];

	if (atomic_load(&l->started))
		return 0;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&l->id, &attributes, loop, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc)
		return -1;
	snprintf(name, sizeof name, "sk-lane-%u", (unsigned)l->index % 1000000u);
	pthread_setname_np(l->id, name);
	pthread_setschedparam(l->id, SCHED_BATCH, &none);
	atomic_store(&l->started, true);
	return 0;
}

void lane_thread_stop(struct lane *l)
{
	if (!atomic_load(&l->started))
		return;
	atomic_store(&l->stop, true);
	sem_post(&l->bell);
	pthread_join(l->id, NULL);
	atomic_store(&l->started, false);
}

/* -- the world of a lane -- */

static void chance(void *ctx, void *bytes, size_t n)
{
	const struct sk_host *host = ((struct lane *)ctx)->set->engine->rt->host;

	host->random(host->ctx, bytes, n);
}

static void clock_of(void *ctx, struct lane_clock *now)
{
	(void)ctx;
	now->now_ms = sk_mono_us() / 1000;
	now->wall_ms = sk_wall_ms();
}

static void say(void *ctx, const char *line)
{
	const struct lane *l = ctx;

	sk_log('w', "rules", "%s %s %s", l->kind, l->name, line);
}

const struct lane_host lane_host_of_threads = { .failed = lane_failed, .random = chance, .clock = clock_of, .say = say };
