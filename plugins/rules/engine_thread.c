/* engine_thread.c -- a thread that evaluates rules: what others bring, then messages, some at a time, then what they made goes to the broker's thread.
 *
 * It sleeps when there is nothing, and goes slowly while the broker's thread has more to send than it can: what then comes in waits in the ring,
 * and when that is full it is refused. */
#include "core/threads.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_recover.h"
#include "plugins/rules/engine_thread.h"
#include "plugins/rules/lane.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, ARENA_MOST = 64 << 20 };
enum { OUTBOX_MOST = 8192, OUTBOX_WAIT_US = 500 };
enum { FLUSH_AGAIN_US = 100000 }; /* what could not be appended */

void thread_ring(struct rules_thread *t)
{
	t->fed = 0;
	if (!atomic_exchange(&t->rung, true))
		sem_post(&t->bell);
}

void thread_post(struct rules_thread *t, struct rules_note *n)
{
	n->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->notes_tail = n;
	t->notes_tail = &n->next;
	pthread_mutex_unlock(&t->lock);
	if (!atomic_exchange(&t->rung, true))
		sem_post(&t->bell);
}

static struct rules_note *take_notes(struct rules_thread *t)
{
	pthread_mutex_lock(&t->lock);
	struct rules_note *list = t->notes;
	t->notes = NULL;
	t->notes_tail = &t->notes;
	pthread_mutex_unlock(&t->lock);
	return list;
}

static bool run_notes(struct rules_thread *t)
{
	struct rules_note *n = take_notes(t);
	bool some = n != NULL;
	while (n) {
		struct rules_note *next = n->next;
		n->run(t, n);
		sk_arena_reset(&t->arena, THREAD_ARENA_KEPT);
		n = next;
	}
	return some;
}

static bool run_messages(struct rules_thread *t)
{
	int n = 0;
	size_t size;
	struct rules_message *m;
	while (n < BATCH && (m = rules_ring_read(t->ring, &size))) {
		if (m->rules)
			work_message(t, m);
		else {
			live_unref(((struct rules_retired *)m)->retired);
			rules_ring_done(t->ring, m);
		}
		sk_arena_reset(&t->arena, THREAD_ARENA_KEPT);
		n++;
	}
	return n > 0;
}

/* true: there may be more. */
static bool step(struct rules_thread *t)
{
	struct sk_runtime *rt = t->engine->rt;
	t->out.home = &rt->outbox.others; /* the broker's thread would wait for our part of malloc */
	sk_out_home_empty(t->out.home);
	bool some = run_notes(t);
	some = (t->held < LANE_HELD_MOST && run_messages(t)) || some;
	recover_poke(t);
	lanes_flush(t);
	if (t->engine->recorder)
		recorder_flush(t->engine->recorder, t->index);
	sk_outbox_push(&rt->outbox, &t->out, rt->host);
	return some;
}

static bool has_work(struct rules_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool notes = t->notes != NULL;
	pthread_mutex_unlock(&t->lock);
	return notes || (t->held < LANE_HELD_MOST && !rules_ring_empty(t->ring));
}

/* `rung` is cleared before the last look: whoever brings something after that posts. */
static void *loop(void *arg)
{
	struct rules_thread *t = arg;
	struct sk_runtime *rt = t->engine->rt;
	while (!atomic_load(&t->stop)) {
		while (!atomic_load(&t->stop) && step(t))
			while (atomic_load_explicit(&rt->outbox.depth_now, memory_order_relaxed) > OUTBOX_MOST && !atomic_load(&t->stop))
				sk_wait_posted(&t->bell, sk_mono_us() + OUTBOX_WAIT_US);
		atomic_store(&t->rung, false);
		if (!atomic_load(&t->stop) && !has_work(t))
			sk_wait_posted(&t->bell, t->buffers ? sk_mono_us() + FLUSH_AGAIN_US : INT64_MAX);
	}
	return NULL;
}

/* -- life -- */

struct rules_thread *thread_new(struct rules_engine *e, int index, struct rules_ring *ring)
{
	struct rules_thread *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->engine = e;
	t->index = index;
	sem_init(&t->bell, 0, 0);
	pthread_mutex_init(&t->lock, NULL);
	t->notes_tail = &t->notes;
	sk_arena_init(&t->arena, ARENA_MOST);
	sk_out_list_init(&t->out);
	t->ring = ring;
	return t;
}

/* A message that was not read stays in the journal. */
static void free_retired(struct rules_ring *ring)
{
	size_t size;
	for (struct rules_message *m; (m = rules_ring_read(ring, &size));)
		if (!m->rules)
			live_unref(((struct rules_retired *)m)->retired);
}

void thread_free(struct rules_thread **at)
{
	struct rules_thread *t = *at;
	*at = NULL;
	if (!t)
		return;
	while (run_notes(t))
		continue;
	free_retired(t->ring);
	sk_out_list_free(&t->out);
	sk_arena_free(&t->arena);
	sql_patterns_free(&t->patterns);
	zones_free(&t->zones);
	pthread_mutex_destroy(&t->lock);
	sem_destroy(&t->bell);
	free(t);
}

/* SCHED_BATCH and without signals, like all our threads (core/threads.c). */
int thread_start(struct rules_thread *t)
{
	sigset_t all, before;
	struct sched_param none = { 0 };
	char name[16];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&t->id, NULL, loop, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return -1;
	snprintf(name, sizeof name, "sk-rules-%d", t->index);
	pthread_setname_np(t->id, name);
	pthread_setschedparam(t->id, SCHED_BATCH, &none);
	atomic_store(&t->started, true);
	return 0;
}

void thread_stop(struct rules_thread *t)
{
	if (!atomic_load(&t->started))
		return;
	atomic_store(&t->stop, true);
	sem_post(&t->bell);
	pthread_join(t->id, NULL);
	lanes_flush(t);
	atomic_store(&t->started, false);
}
