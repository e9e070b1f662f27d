/* engine_timer.c -- a timer of a Lua rule is due: a call of partition rule/NAME asks the rule's thread to run it, and carries out what comes back in the
 * commit that consumes the timer: it happens once.
 *
 * The question travels to the thread as a note; whoever asked (a thread for slow work) waits for the answer, for as long as a run may take and a bit. */
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "plugins/rules/lua_effects.h"
#include "plugins/rules/engine_lua.h"
#include "plugins/rules/engine_state.h"
#include "plugins/rules/engine_unit.h"

enum { TRIES = 4, PATIENCE_S = 10 };

/* Between two threads: the last one of them frees it. */
struct question {
	struct rules_note note; /* first */
	atomic_int refs;
	sem_t answered;
	struct live_rule *rule; /* with a reference */
	int64_t now_ms;
	char *in;               /* JSON */
	char *_Atomic answer;   /* JSON; NULL: there is none yet, or memory is out */
};

static void release(struct question *q)
{
	if (atomic_fetch_sub(&q->refs, 1) != 1)
		return;
	live_unref(q->rule);
	sem_destroy(&q->answered);
	free(q->in);
	free(q->answer);
	free(q);
}

/* -- on the rule's thread: the partition waits for the answer, so what is on its way of the rule comes behind the timer, which sees what is stored -- */

static cJSON *answer_of(struct rules_thread *t, struct question *q)
{
	struct sk_arena *a = &t->arena;
	struct sk_runtime *rt = t->engine->rt;
	const cJSON *in = sk_json_parse(a, q->in, strlen(q->in), NULL, NULL);
	struct rules_world things;
	struct lua_run run = { .thread = t, .rule = q->rule, .world = &things, .now_ms = q->now_ms, .stored = true };
	struct lua_world world = { .ctx = &run, .ask = lua_run_ask, .now_ms = q->now_ms };
	struct lua_outcome o = { 0 };
	world_open(t, &things, q->now_ms);
	rt->host->random(rt->host->ctx, world.seed, sizeof world.seed);
	run.number = lua_state_number(world.seed);
	bool again = sk_json_int_of(in, "attempt", 0) > 0;
	if (!again)
		atomic_fetch_add_explicit(&q->rule->count.matched, 1, memory_order_relaxed);
	int rc = in ? lua_rule_timer(q->rule->unit->file, q->rule->index, sk_json_text(in, "name"), sk_json_get(in, "document"), &world, a, &o) : SK_E_INTERNAL;
	const char *why = rc ? o.why ? o.why : "memory is out" : again ? NULL : lua_run_others(&run, &o);
	if (why)
		work_failed(q->rule, q->now_ms, why);
	else
		work_went_well(q->rule);
	return rc ? sk_json_object(a) : lua_run_effects(&run, &o);
}

static void run_question(struct rules_thread *t, struct rules_note *n)
{
	struct question *q = (struct question *)n;
	const char *text = sk_json_print(&t->arena, answer_of(t, q), NULL);
	atomic_store(&q->answer, text && !t->arena.failed ? strdup(text) : NULL);
	sem_post(&q->answered);
	release(q);
}

/* -- where slow work is done -- */

static struct question *question_new(struct live_rule *r, const cJSON *in)
{
	struct sk_arena a = { 0 };
	struct question *q = calloc(1, sizeof *q);
	const char *text = sk_json_print(&a, in, NULL);
	if (q && text)
		q->in = strdup(text);
	sk_arena_free(&a);
	if (!q || !q->in) {
		free(q);
		return NULL;
	}
	q->note.run = run_question;
	atomic_init(&q->refs, 2);
	sem_init(&q->answered, 0, 0);
	q->rule = live_ref(r);
	q->now_ms = sk_json_int_of(in, "now", 0);
	return q;
}

static bool wait_for(struct question *q, const atomic_bool *stopping)
{
	for (int tenths = 0; tenths < PATIENCE_S * 10 && !atomic_load(stopping); tenths++)
		if (sk_wait_posted(&q->answered, sk_mono_us() + 100000))
			return true;
	return false;
}

/* null: nobody could be asked; an empty object: the rule has failed, or is not there any more. */
static cJSON *ask_rule(struct sk_arena *a, const cJSON *in, void *state)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	struct live_rule *r = live_get(&e->table, sk_json_text(in, "ruleName"));
	bool runs = r && r->unit && r->runs_lua && !atomic_load(&r->broken);
	struct question *q = runs ? question_new(r, in) : NULL;
	cJSON *answer = runs ? NULL : sk_json_object(a);
	if (q) {
		thread_post(e->thread[r->unit->thread], &q->note);
		const char *text = wait_for(q, &e->rt->stopping) ? atomic_load(&q->answer) : NULL;
		if (text)
			answer = sk_json_parse(a, text, strlen(text), NULL, NULL);
		release(q);
	}
	live_unref(r);
	return answer;
}

/* -- the call -- */

static cJSON *question_of(struct sk_call *c, int attempt)
{
	cJSON *q = sk_json_copy(c->arena, c->in);
	sk_json_set_int(c->arena, q, "now", c->now_ms);
	sk_json_set_int(c->arena, q, "attempt", attempt);
	return q;
}

int lua_on_timer(struct sk_call *c)
{
	int rc = SK_E_UNAVAILABLE;
	for (int i = 0; i < TRIES; i++) {
		const cJSON *effects = sk_await(c, ask_rule, question_of(c, i));
		if (sk_void(c))
			return SK_OK;
		if (!effects || cJSON_IsNull(effects))
			return sk_fail(c, SK_E_UNAVAILABLE, "the rule's thread does not answer");
		rc = lua_effects_apply(c, effects);
		if (rc != SK_E_CONFLICT)
			return rc;
	}
	return rc;
}
