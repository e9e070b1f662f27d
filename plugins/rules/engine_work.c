/* engine_work.c -- one message on its thread: decoded once, then every rule that it concerns.
 *
 * Rules do not know of each other: what one fails at is counted and kept with it, and the next one runs. */
#include "plugins/rules/engine_thread.h"

#include <string.h>
#include <time.h>

#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_ask.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_trace.h"
#include "rules/headers.h"

/* One after the other, then a rule of a file is disabled: at once when it is a limit that it reaches, since that costs others; late when it
 * is an error, since a device that sends what a rule does not expect must not switch it off with a few messages. */
enum { FAILURES_MOST = 1000, OVERRUN = FAILURES_MOST / 20 };
const struct expr_limits work_limits = { .steps = 1000000, .bytes = 16u << 20 };

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* -- opening: what the message is -- */

static bool zone(void *world, const char *name, int64_t utc_ms, struct sql_zone *out)
{
	struct rules_world *w = world;
	return zones_at(&((struct rules_thread *)w->context)->zones, name, utc_ms, out);
}

/* What an operation or a publish of ours brought has no client. */
void work_open(struct rules_thread *t, struct rules_message *m, struct work *w)
{
	struct sk_runtime *rt = t->engine->rt;
	*w = (struct work){ .m = m };
	world_open(t, &w->world, m->now_ms);
	struct sql_message *s = &w->sql;
	*s = (struct sql_message){ .topic = message_text(m, m->topic), .payload = (const char *)m + m->payload, .size = m->size,
		.client_id = message_text(m, m->client_id), .principal = message_text(m, m->principal), .source_ip = message_text(m, m->source_ip),
		.account = rt->account, .format = -1, .now_ms = m->now_ms, .world = &w->world, .look = rules_look, .zone = zone, .patterns = &t->patterns };
	rt->host->random(rt->host->ctx, s->seed, sizeof s->seed);
	if (m->properties_size)
		rules_headers(&t->arena, message_text(m, m->properties), m->properties_size, s);
	s->document = sk_json_parse(&t->arena, s->payload, s->size, NULL, NULL);
}

void work_done(struct rules_thread *t, struct rules_message *m)
{
	if (!--m->open)
		rules_ring_done(t->ring, m);
}

/* -- a rule's end -- */

static void disable(struct live_rule *r, const char *why)
{
	if (atomic_exchange(&r->broken, true))
		return;
	sk_log('e', "rules", "rule %s is disabled: it keeps failing, the last time: %s; correct its file %s", r->name, why, r->unit->name);
}

void work_failed(struct live_rule *r, int64_t now_ms, const char *why)
{
	live_failed(r, now_ms, why ? why : "memory is out");
	if (r->unit && atomic_load_explicit(&r->failures, memory_order_relaxed) >= FAILURES_MOST)
		disable(r, why ? why : "memory is out");
}

void work_overran(struct live_rule *r, int64_t now_ms, const char *why)
{
	atomic_fetch_add_explicit(&r->failures, OVERRUN - 1, memory_order_relaxed);
	work_failed(r, now_ms, why);
}

void work_went_well(struct live_rule *r)
{
	if (atomic_load_explicit(&r->failures, memory_order_relaxed))
		atomic_store_explicit(&r->failures, 0, memory_order_relaxed);
}

/* -- a rule of SQL alone -- */

static void run_error_action(struct rules_thread *t, struct work *w, struct live_rule *r, const struct rules_outcome *o, const char *why)
{
	const struct rules_rule *program = atomic_load(&r->compiled);
	struct rules_delivery *failed = o ? sk_alloc(&t->arena, (size_t)o->deliveries * sizeof *failed) : NULL;
	struct rules_outcome error = { 0 };
	int n = 0;
	if (!program->error_action)
		return;
	for (int i = 0; failed && i < o->deliveries; i++)
		if (o->delivery[i].error)
			failed[n++] = o->delivery[i];
	int rc = rules_evaluate_error(program, &w->sql, failed, n, o ? NULL : why, &t->arena, &error);
	const char *again = rc ? error.why : error.deliveries ? error.delivery->error : NULL;
	if (!again && !rc && error.deliveries)
		again = deliver(t, w, r, error.delivery, &error);
	if (again)
		live_note(r, w->m->now_ms, sk_printf(&t->arena, "%s; the error action too: %s", why, again));
}

static void run_actions(struct rules_thread *t, struct work *w, struct live_rule *r, struct rules_outcome *o)
{
	const char *why = NULL;
	int failed = 0;
	for (int i = 0; i < o->deliveries; i++) {
		struct rules_delivery *d = &o->delivery[i];
		if (!d->error)
			d->error = deliver(t, w, r, d, o);
		if (d->error && !failed++)
			why = sk_printf(&t->arena, "%s: %s", d->action->kind->name, d->error);
	}
	if (!failed) {
		work_went_well(r);
		return;
	}
	work_failed(r, w->m->now_ms, why);
	run_error_action(t, w, r, o, why);
}

/* A rule that somebody watches runs once more, for the values of its clauses; what became of its actions is known. */
static void trace(struct rules_thread *t, struct work *w, struct live_rule *r, const struct rules_outcome *o)
{
	struct trace_log *log = atomic_load_explicit(&r->trace, memory_order_acquire);
	bool later = false;
	if (!log || !trace_log_watched(log, w->m->now_ms))
		return;
	struct sk_arena *a = &t->arena;
	cJSON *entry = sk_json_object(a), *told = rules_trace(atomic_load(&r->compiled), &w->sql, a, &t->engine->settings, &later);
	cJSON *action = sk_json_get(told, "actions") ? sk_json_get(told, "actions")->child : NULL;
	for (int i = 0; i < o->deliveries && action; i++, action = action->next)
		if (o->delivery[i].error)
			sk_json_set_string(a, action, "error", o->delivery[i].error);
	sk_json_set(a, entry, "time", sk_json_time(a, w->m->now_ms));
	sk_json_set_string(a, entry, "topic", w->sql.topic);
	sk_json_set_string(a, entry, "clientId", w->sql.client_id);
	sk_json_set(a, entry, "trace", told);
	trace_log_add(log, a, entry);
}

static void finish_sql(struct rules_thread *t, struct work *w, struct live_rule *r, int rc, struct rules_outcome *o)
{
	if (!rc && o->outcome == SQL_NO_MATCH)
		return;
	atomic_fetch_add_explicit(&r->count.passed, 1, memory_order_relaxed);
	if (!rc && !t->arena.failed) {
		run_actions(t, w, r, o);
		return;
	}
	const char *why = t->arena.failed ? "memory is out" : rc == SQL_LATER ? WORLD_SILENT : o->why;
	work_failed(r, w->m->now_ms, why);
	run_error_action(t, w, r, NULL, why);
}

static void run_sql(struct rules_thread *t, struct work *w, struct live_rule *r)
{
	struct rules_outcome o = { 0 };
	w->world.invoke = ask_function;
	int rc = rules_evaluate(atomic_load_explicit(&r->compiled, memory_order_relaxed), &w->sql, &t->arena, &work_limits, &o);
	if (rc == SQL_LATER && t->asking) {
		ask_wait(t, w, r, run_sql);
		return;
	}
	finish_sql(t, w, r, rc, &o);
	if (__builtin_expect(atomic_load_explicit(&r->trace, memory_order_relaxed) != NULL, 0))
		trace(t, w, r, &o);
	if (__builtin_expect(t->asking != NULL, 0))
		ask_end(t);
}

static void run_rule(struct rules_thread *t, struct work *w, struct live_rule *r)
{
	const struct rules_rule *program = live_program(r, &t->engine->settings);
	int64_t began = now_ns();
	atomic_fetch_add_explicit(&r->count.matched, 1, memory_order_relaxed);
	if (r->runs_lua)
		lua_message(t, w, r, 0);
	else if (program)
		run_sql(t, w, r);
	else
		live_failed(r, w->m->now_ms, NULL);
	atomic_fetch_add_explicit(&r->count.ns, (uint64_t)(now_ns() - began), memory_order_relaxed);
	t->arena.failed = false;
}

void work_message(struct rules_thread *t, struct rules_message *m)
{
	struct work w;
	m->open = 1;
	if (!m->recorded || recorder_note(t->engine->recorder, t->index, m)) {
		work_open(t, m, &w);
		for (int i = 0; i < m->rules; i++)
			run_rule(t, &w, m->rule[i]);
	}
	work_done(t, m);
}
