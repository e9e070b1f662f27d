/* run.c -- see run.h. Functions that have ever run here stand in a table; each has its count and the queue of those whose turn has not come.
 *
 * One lock for all of it, held for some instructions: nothing is parsed, printed or started below it. */
#include "plugins/functions/run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/threads.h"
#include "plugins/functions/runners.h"

enum { BUCKETS = 256, WAITING_MOST = 20000, QUESTION_MEMORY = 64 << 20 };

struct run_function {
	struct run_function *next; /* of its bucket */
	struct run_function *turn; /* of those for which somebody waits */
	struct run *first, **last; /* who waits */
	struct run_counts count;
	int limit;                 /* -1: none of its own */
	char name[];
};
struct run_engine {
	pthread_mutex_t lock;
	struct run_function *bucket[BUCKETS];
	struct run_function *turns, **turns_last;
	struct run_counts all;
	int most;
	bool ended;
	void *state;
};

struct run_engine *run_engine_new(void *state, int most)
{
	struct run_engine *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	e->state = state;
	e->most = most;
	e->turns_last = &e->turns;
	return e;
}

void run_engine_free(struct run_engine **at)
{
	struct run_engine *e = *at;
	*at = NULL;
	for (int i = 0; e && i < BUCKETS; i++)
		for (struct run_function *f = e->bucket[i], *next; f; f = next) {
			next = f->next;
			free(f);
		}
	if (e)
		pthread_mutex_destroy(&e->lock);
	free(e);
}

/* -- functions -- */

static struct run_function **bucket_of(struct run_engine *e, const char *name)
{
	struct run_function **at = &e->bucket[sk_hash(name, strlen(name)) % BUCKETS];
	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static struct run_function *function_of(struct run_engine *e, const char *name)
{
	struct run_function **at = bucket_of(e, name), *f = *at;
	if (f || !(f = calloc(1, sizeof *f + strlen(name) + 1)))
		return f;
	strcpy(f->name, name);
	f->last = &f->first;
	f->limit = -1;
	return *at = f;
}

struct run_counts run_counts(struct run_engine *e, const char *name)
{
	pthread_mutex_lock(&e->lock);
	const struct run_function *f = name ? *bucket_of(e, name) : NULL;
	struct run_counts c = f ? f->count : name ? (struct run_counts){ 0 } : e->all;
	pthread_mutex_unlock(&e->lock);
	return c;
}

/* -- turns -- */

static bool has_room(const struct run_engine *e, const struct run_function *f)
{
	return e->all.running < e->most && (f->limit < 0 || f->count.running < f->limit);
}

static void take_room(struct run_engine *e, struct run_function *f)
{
	f->count.running++;
	e->all.running++;
	f->count.started++;
	e->all.started++;
}

static void wait_for_turn(struct run_engine *e, struct run *r)
{
	struct run_function *f = r->of;
	if (!f->first) {
		f->turn = NULL;
		*e->turns_last = f;
		e->turns_last = &f->turn;
	}
	r->next = NULL;
	*f->last = r;
	f->last = &r->next;
	f->count.waiting++;
	e->all.waiting++;
}

/* The first of the first function that has room; a function that goes on waiting goes to the end. */
static struct run *take_turn(struct run_engine *e)
{
	struct run_function **at = &e->turns, *f;
	while ((f = *at) && !has_room(e, f))
		at = &f->turn;
	if (!f)
		return NULL;
	*at = f->turn;
	if (e->turns_last == &f->turn)
		e->turns_last = at;
	struct run *r = f->first;
	f->first = r->next;
	f->count.waiting--;
	e->all.waiting--;
	if (!f->first) {
		f->last = &f->first;
	} else {
		f->turn = NULL;
		*e->turns_last = f;
		e->turns_last = &f->turn;
	}
	take_room(e, f);
	return r;
}

/* -- answers -- */

static void answer(struct run *r, const struct run_result *result)
{
	static const char *const kinds[] = { [RUN_OK] = "ok", [RUN_FAILED] = "failed", [RUN_THROTTLED] = "throttled", [RUN_UNAVAILABLE] = "unavailable" };
	struct sk_arena *a = &r->arena;
	size_t n = 0;
	cJSON *o = sk_json_object(a);
	sk_json_set_string(a, o, "kind", kinds[result->kind]);
	if (result->payload)
		sk_json_set(a, o, "payload", sk_json_stringn(a, result->payload, result->size));
	if (result->log)
		sk_json_set_string(a, o, "log", sk_base64_text(a, result->log, result->log_size));
	if (result->publish)
		sk_json_set(a, o, "publish", (cJSON *)result->publish);
	sk_json_set_string(a, o, "why", result->why);
	sk_json_set_int(a, o, "endedAt", sk_wall_ms());
	const char *text = sk_json_print(a, o, &n);
	sk_ticket_answer(r->ticket, a->failed ? NULL : text, n);
}

static void free_run(struct run *r)
{
	sk_arena_free(&r->arena);
	free(r);
}

static void end_without(struct run *r, enum run_kind kind, const char *why)
{
	struct run_result result = { .kind = kind, .why = why };
	answer(r, &result);
	free_run(r);
}

/* -- running -- */

static void count_end(struct run_engine *e, struct run_function *f, enum run_kind kind)
{
	struct run_counts *counts[] = { &f->count, &e->all };
	for (int i = 0; i < 2; i++) {
		counts[i]->running--;
		counts[i]->failed += kind == RUN_FAILED;
		counts[i]->unavailable += kind == RUN_UNAVAILABLE;
	}
}

void run_done(struct run *r, const struct run_result *result)
{
	struct run_engine *e = r->engine;
	pthread_mutex_lock(&e->lock);
	count_end(e, r->of, result->kind);
	struct run *next = take_turn(e);
	pthread_mutex_unlock(&e->lock);
	answer(r, result);
	free_run(r);
	if (next)
		runners_start(e->state, next);
}

enum admitted { RUNS, WAITS, THROTTLED, ENDED };

static enum admitted admit(struct run_engine *e, struct run *r, const char *name, int limit)
{
	enum admitted what = THROTTLED;
	pthread_mutex_lock(&e->lock);
	struct run_function *f = r->of = function_of(e, name);
	if (f)
		f->limit = limit;
	if (e->ended) {
		what = ENDED;
	} else if (f && has_room(e, f)) {
		take_room(e, f);
		what = RUNS;
	} else if (f && r->waits && e->all.waiting < WAITING_MOST) {
		wait_for_turn(e, r);
		what = WAITS;
	} else {
		e->all.throttled++;
		if (f)
			f->count.throttled++;
	}
	pthread_mutex_unlock(&e->lock);
	return what;
}

static struct run *new_run(struct run_engine *e, struct sk_ticket *t, const char *in, size_t size)
{
	struct run *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	sk_arena_init(&r->arena, QUESTION_MEMORY);
	r->engine = e;
	r->ticket = t;
	r->question = sk_json_parse(&r->arena, in, size, NULL, NULL);
	r->runtime = sk_json_text(r->question, "runtime");
	r->payload = sk_json_text(r->question, "payload");
	r->payload_size = r->payload ? strlen(r->payload) : 0;
	r->waits = sk_json_true(r->question, "waits");
	r->arrived_us = sk_mono_us();
	if (r->runtime && runners_have(r->runtime) && r->payload)
		return r;
	free_run(r);
	return NULL;
}

void run_ask(struct sk_ticket *t, const char *in, size_t size, void *state)
{
	struct run_engine *e = run_engine_of(state);
	struct run *r = new_run(e, t, in, size);
	if (!r) {
		sk_ticket_answer(t, NULL, 0);
		return;
	}
	switch (admit(e, r, sk_json_text(r->question, "functionName"), (int)sk_json_int_of(r->question, "limit", -1))) {
	case RUNS: runners_start(state, r); break;
	case WAITS: break;
	case ENDED: end_without(r, RUN_UNAVAILABLE, "the broker is shutting down"); break;
	default: end_without(r, RUN_THROTTLED, NULL);
	}
}

void run_engine_end(struct run_engine *e)
{
	struct run *waiting = NULL;
	pthread_mutex_lock(&e->lock);
	e->ended = true;
	for (struct run_function *f = e->turns; f; f = f->turn) {
		*f->last = waiting;
		waiting = f->first;
		f->count.waiting = 0;
		f->first = NULL;
		f->last = &f->first;
	}
	e->turns = NULL;
	e->turns_last = &e->turns;
	e->all.waiting = 0;
	pthread_mutex_unlock(&e->lock);
	while (waiting) {
		struct run *next = waiting->next;
		end_without(waiting, RUN_UNAVAILABLE, "the broker is shutting down");
		waiting = next;
	}
}
