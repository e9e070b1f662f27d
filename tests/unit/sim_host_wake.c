/* sim_host_wake.c -- who steps when nobody steps without a reason: the loops of threads.c, in one thread and in any order.
 *
 * Invariant: due_us[actor] is 0 when it was woken since its last step, else the time that its last step asked for. An actor whose
 * wake-up the runtime forgot sleeps for ever, and what it left undone is named. */
#include "tests/unit/sim_host.h"
#include "core/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int actors(const struct sim *s)
{
	return s->workers + SIM_OTHERS;
}

void sim_wake(struct sim *s, int actor)
{
	if (actor >= 0)
		s->due_us[actor] = 0;
	else
		memset(s->due_us, 0, sizeof s->due_us); /* threads that start look first */
}

/* -- the loops -- */

static bool inbox_empty(const struct sk_worker *w)
{
	bool empty = !w->inbox.committed && !w->inbox.woken;
	for (int i = 0; i < SK_LANES; i++)
		empty = empty && !w->inbox.head[i];
	return empty;
}

static int64_t step_worker(struct sim *s, struct sk_worker *w)
{
	w->inbox.asleep = false;
	int64_t next = sk_worker_step(w, s->mono_us);
	if (next > s->mono_us)
		w->inbox.asleep = true;
	return next > s->mono_us && !inbox_empty(w) ? 0 : next;
}

static int64_t step_committer(struct sim *s)
{
	if (s->store->held)
		return INT64_MAX; /* whoever lets it go wakes it */
	return s->store->store.ops->step(&s->store->store, s->mono_us);
}

static int64_t step_broker(struct sim *s)
{
	sim_drain(s, 1 + (int)sim_random(s, 8));
	return s->rt->outbox.drain ? 0 : INT64_MAX;
}

static int64_t step(struct sim *s, int actor)
{
	if (actor < s->workers)
		return step_worker(s, s->rt->worker[actor]);
	switch (actor - s->workers) {
	case SIM_COMMITTER: return step_committer(s);
	case SIM_KEEPER: return sk_keeper_step(s->rt->keeper, s->mono_us);
	case SIM_FOLLOWER: return s->rt->follower ? sk_follower_step(s->rt->follower, s->mono_us) : INT64_MAX;
	case SIM_SLOW: return sk_slow_step(s->rt->slow) ? 0 : INT64_MAX;
	default: return step_broker(s);
	}
}

void sim_step_actor(struct sim *s, int actor)
{
	s->due_us[actor] = INT64_MAX;
	sk_process_set(s->rt);
	int64_t next = step(s, actor);
	if (s->crashed)
		sim_crash(s);
	else if (next < s->due_us[actor])
		s->due_us[actor] = next <= s->mono_us ? 0 : next;
}

int64_t sim_next_due(const struct sim *s)
{
	int64_t next = INT64_MAX;
	for (int i = 0; i < actors(s); i++)
		next = s->due_us[i] < next ? s->due_us[i] : next;
	return next;
}

bool sim_step_woken(struct sim *s)
{
	int ready[SK_MAX_WORKERS + SIM_OTHERS], n = 0;
	for (int i = 0; i < actors(s); i++)
		if (s->due_us[i] <= s->mono_us)
			ready[n++] = i;
	if (n)
		sim_step_actor(s, ready[sim_random(s, (uint64_t)n)]);
	return n;
}

/* -- at rest -- */

static const char *left_with(const struct sk_worker *w)
{
	if (w->inbox.committed)
		return "a worker was not woken for a run whose commit was answered";
	if (w->inbox.woken)
		return "a worker was not woken for slow work that was done";
	if (!inbox_empty(w))
		return "a worker was not woken for a call";
	if (w->ready)
		return "a worker sleeps with partitions that are ready";
	return w->partition_count ? "a partition waits for something that nobody will do" : NULL;
}

static const char *left(const struct sim *s)
{
	if (sim_store_busy(s->store))
		return "the committer was not woken for a commit";
	if (s->rt->outbox.head || s->rt->outbox.drain)
		return "the broker was not woken for the outbox";
	for (int i = 0; i < s->workers && !s->store->held; i++) {
		const char *what = left_with(s->rt->worker[i]);
		if (what)
			return what;
	}
	return NULL;
}

const char *sim_rest(struct sim *s)
{
	for (int steps = 0; steps < 1000000; steps++)
		if (!sim_step_woken(s))
			return left(s);
	return "it never comes to rest";
}

const char *sim_pass(struct sim *s, int64_t ms)
{
	int64_t until = s->mono_us + ms * 1000;
	for (;;) {
		const char *what = sim_rest(s);
		if (what || s->mono_us >= until)
			return what;
		int64_t next = sim_next_due(s), at = (next < until ? next : until);
		at += (1000 - (at - s->mono_us) % 1000) % 1000; /* both clocks in whole milliseconds */
		s->wall_ms += (at - s->mono_us) / 1000;
		s->mono_us = at;
	}
}

/* -- the end, as in sk_threads_stop and close_all -- */

void sim_shut_down(struct sim *s, int steps)
{
	atomic_store(&s->rt->stopping, true);
	while (steps-- > 0 && !s->crashed) {
		int actor = (int)sim_random(s, (uint64_t)actors(s));
		if (actor != s->workers + SIM_KEEPER && actor != s->workers + SIM_FOLLOWER)
			step(s, actor);
	}
	sk_slow_stop(s->rt->slow);
	if (!s->store->held)
		sim_store_step(s->store, 1000000);
	sim_stop(s);
	if (s->on_file && s->crashed)
		sim_file_crash(s->store);
	else if (s->on_file)
		sim_file_close(s->store);
	s->crashed = false;
	s->crash_at = NULL;
}
