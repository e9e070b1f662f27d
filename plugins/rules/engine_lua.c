/* engine_lua.c -- a rule of Lua on its thread: what it reads, and what becomes of what it wants done.
 *
 * A run that only publishes, with nothing of its rule under way, is done here. One that keeps something becomes a call of partition rule/NAME: state,
 * timers and messages of one run are one commit. Runs go on meanwhile and see what is on its way. When a call fails (a timer has changed the state since the
 * run looked, say) all that is on its way is stale: the rule rests until the last of it has landed, then takes up again what has failed and what has come, in order. */
#include <stdlib.h>
#include <string.h>

#include "core/invoke.h"
#include "core/threads.h"
#include "lua-rules/effects.h"
#include "plugins/rules/lua_effects.h"
#include "plugins/rules/engine_lua.h"
#include "plugins/rules/engine_state.h"
#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_thread.h"

enum { TRIES = 8, LINES_MOST = 100 }; /* lines of log in a second */

struct flight { /* a call under way, or a message whose turn comes when all that is under way has landed */
	struct rules_note note; /* first */
	struct flight *later;   /* the next one whose turn comes */
	struct rules_thread *thread;
	struct rules_message *message;
	struct live_rule *rule; /* with a reference */
	int tries, error;
	char *why;
};

/* -- what a run asks -- */

static int look(struct lua_run *run, const char *function, const char *first, const char *second, const cJSON **out, const char **why)
{
	struct sk_arena *a = &run->thread->arena;
	const cJSON *role = sk_json_string(a, "");
	struct sql_lookup what = { .function = function, .count = second ? 3 : 2, .args = { sk_json_string(a, first), second ? sk_json_string(a, second) : role, role } };
	int rc = rules_look(run->world, &what, out, why);
	if (rc != SQL_LATER)
		return rc;
	*why = WORLD_SILENT;
	return SK_E_UNAVAILABLE;
}

static const struct lua_seen *seen_before(const struct lua_run *run, const char *record)
{
	const struct lua_seen *s = run->seen;
	while (s && strcmp(s->key, record))
		s = s->next;
	return s;
}

static int ask_state(struct lua_run *run, const char *key, const cJSON **out, const char **why)
{
	struct sk_arena *a = &run->thread->arena;
	char *record = lua_state_key(a, run->rule->name, key);
	int64_t n;
	if (!record) {
		*why = "a key of the state is 1 to 512 bytes long";
		return SK_E_INVALID_REQUEST;
	}
	*out = lua_state_get(run->thread, run->stored ? NULL : run->rule, record, &n);
	if (n < 0) {
		*why = WORLD_SILENT;
		return SK_E_UNAVAILABLE;
	}
	struct lua_seen *seen = seen_before(run, record) ? NULL : sk_alloc(a, sizeof *seen);
	if (seen) {
		*seen = (struct lua_seen){ .next = run->seen, .key = record, .n = n };
		run->seen = seen;
	}
	return SK_OK;
}

int lua_run_ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	struct lua_run *run = ctx;
	(void)arena;
	*out = NULL;
	switch (what) {
	case LUA_STATE: return ask_state(run, a, out, why);
	case LUA_SHADOW: return look(run, "get_thing_shadow", a, b, out, why);
	default: return look(run, "get_registry_data", "DescribeThing", a, out, why);
	}
}

/* -- what a run wants done -- */

/* Of several writes of a key the last one counts. */
static bool written_later(const struct lua_effect *e)
{
	for (const struct lua_effect *later = e->next; later; later = later->next)
		if (later->kind == LUA_SET_STATE && !strcmp(later->name, e->name))
			return true;
	return false;
}

static cJSON *add_key(struct lua_run *run, cJSON *list, const char *record, int64_t was)
{
	struct sk_arena *a = &run->thread->arena;
	cJSON *one = sk_json_append(list, sk_json_object(a));
	sk_json_set_string(a, one, "key", record);
	sk_json_set_int(a, one, "was", was);
	return one;
}

static void write_state(struct lua_run *run, cJSON *list, const struct lua_effect *e)
{
	struct sk_arena *a = &run->thread->arena;
	const char *record = written_later(e) ? NULL : lua_state_key(a, run->rule->name, e->name);
	const struct lua_seen *seen = record ? seen_before(run, record) : NULL;
	int64_t was = 0;
	if (!record)
		return;
	if (!seen)
		lua_state_get(run->thread, run->stored ? NULL : run->rule, record, &was);
	cJSON *one = add_key(run, list, record, seen ? seen->n : was);
	sk_json_set_int(a, one, "n", run->number);
	if (e->document)
		sk_json_set(a, one, "value", sk_json_copy(a, e->document));
}

static bool written(const cJSON *list, int n, const char *record)
{
	const cJSON *one = list->child;
	while (n-- && strcmp(sk_json_text(one, "key"), record))
		one = one->next;
	return n >= 0;
}

/* What the run has only looked at must be what it was, too. */
static void add_seen(struct lua_run *run, cJSON *list)
{
	int n = sk_json_count(list);
	for (const struct lua_seen *s = run->seen; s; s = s->next)
		if (!written(list, n, s->key))
			add_key(run, list, s->key, s->n);
}

cJSON *lua_run_effects(struct lua_run *run, const struct lua_outcome *o)
{
	struct sk_arena *a = &run->thread->arena;
	cJSON *all = sk_json_object(a), *state = sk_json_set_array(a, all, "state"), *timers = sk_json_set_array(a, all, "timers"),
	      *publish = sk_json_set_array(a, all, "publish");
	sk_json_set_string(a, all, "ruleName", run->rule->name);
	for (const struct lua_effect *e = o->effects; e; e = e->next) {
		if (e->kind == LUA_SET_STATE)
			write_state(run, state, e);
		else if (e->kind == LUA_SET_TIMER || e->kind == LUA_CLEAR_TIMER)
			sk_json_append(timers, lua_timer_write(a, e));
		else if (e->kind == LUA_PUBLISH)
			sk_json_append(publish, lua_publish_write(a, e->name, &e->message));
	}
	if (!a->failed)
		add_seen(run, state);
	return all;
}

void lua_run_log(const struct live_rule *r, const char *line)
{
	static _Atomic int64_t second;
	static _Atomic int lines;
	int64_t now = sk_mono_us() / 1000000;
	if (atomic_exchange(&second, now) != now)
		atomic_store(&lines, 0);
	if (atomic_fetch_add(&lines, 1) < LINES_MOST)
		sk_log('n', "rules", "%s: %s", r->name, line);
}

/* Log lines and actions are no part of the commit. The first action that fails says why. */
const char *lua_run_others(struct lua_run *run, const struct lua_outcome *o)
{
	const char *first = NULL, *why;
	int serial = 0;
	for (const struct lua_effect *e = o->effects; e; e = e->next) {
		if (e->kind == LUA_LOG)
			lua_run_log(run->rule, e->name);
		why = e->kind == LUA_ACTION ? deliver_lua(run, e, serial++) : NULL;
		first = first ? first : why;
	}
	return first;
}

/* -- directly -- */

static bool keeps_something(const struct lua_outcome *o)
{
	for (const struct lua_effect *e = o->effects; e; e = e->next)
		if (e->kind == LUA_SET_STATE || e->kind == LUA_SET_TIMER || e->kind == LUA_CLEAR_TIMER)
			return true;
	return false;
}

static const char *publish_all(struct lua_run *run, const struct lua_outcome *o)
{
	const char *why = NULL;
	for (const struct lua_effect *e = o->effects; e && !why; e = e->next)
		if (e->kind == LUA_PUBLISH)
			why = deliver_publish(run->thread, e->name, &e->message, run->depth);
	return why;
}

/* -- as a call -- */

static struct flight *flight_new(struct rules_thread *t, struct rules_message *m, struct live_rule *r, int tries)
{
	struct flight *f = calloc(1, sizeof *f);
	if (f)
		*f = (struct flight){ .thread = t, .message = m, .rule = live_ref(r), .tries = tries };
	return f;
}

static void flight_free(struct flight *f)
{
	live_unref(f->rule);
	free(f->why);
	free(f);
}

static void end(struct flight *f)
{
	work_done(f->thread, f->message);
	flight_free(f);
}

static void append(struct flight **first, struct flight **last, struct flight *f)
{
	f->later = NULL;
	if (*first)
		(*last)->later = f;
	else
		*first = f;
	*last = f;
}

/* Nothing of the rule is under way: what is stored is all there is. */
static void take_up(struct rules_thread *t, struct live_rule *r)
{
	struct flight *f = r->again ? r->again : r->later;
	if (r->again)
		r->again_last->later = r->later;
	r->again = r->again_last = r->later = r->later_last = NULL;
	r->stale = false;
	lua_state_free(&r->overlay);
	while (f) {
		struct flight *next = f->later;
		struct work w;
		if (atomic_load(&t->stop)) {
			flight_free(f); /* its message stays in the journal */
		} else {
			work_open(t, f->message, &w);
			lua_message(t, &w, r, f->tries);
			sk_arena_reset(&t->arena, THREAD_ARENA_KEPT);
			end(f);
		}
		f = next;
	}
}

static void landed(struct rules_thread *t, struct rules_note *n)
{
	struct flight *f = (struct flight *)n;
	struct live_rule *r = live_ref(f->rule);
	r->flights--;
	r->stale |= f->error != SK_OK;
	if (f->error && atomic_load(&t->stop)) {
		flight_free(f); /* its message stays in the journal */
	} else if (f->error == SK_E_CONFLICT && f->tries < TRIES) {
		f->tries++;
		append(&r->again, &r->again_last, f);
	} else {
		if (f->error)
			work_failed(r, f->message->now_ms, f->why ? f->why : sk_error_info(f->error)->name);
		else
			work_went_well(r);
		end(f);
	}
	if (!r->flights)
		take_up(t, r);
	live_unref(r);
}

/* On a worker, or wherever the runtime ends. */
static void finished(struct sk_request *request, const struct sk_answer *a)
{
	struct flight *f = request->finish_ctx;
	f->error = a->error;
	free(f->why);
	f->why = a->error && a->message ? strdup(a->message) : NULL;
	thread_post(f->thread, &f->note);
}

static int note_sent(struct lua_run *run, const cJSON *effects)
{
	SK_JSON_EACH(one, sk_json_get(effects, "state"))
		if (sk_json_get(one, "n") && lua_state_sent(run->thread, run->rule, sk_json_text(one, "key"), sk_json_get(one, "value"), run->number))
			return -1;
	return 0;
}

static const char *send(struct lua_run *run, struct rules_message *m, const cJSON *effects, int tries)
{
	static const struct sk_caller us = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };
	struct rules_thread *t = run->thread;
	struct sk_runtime *rt = t->engine->rt;
	size_t n = 0;
	const char *text = sk_json_print(&t->arena, effects, &n), *message = NULL;
	struct flight *f = text && !t->arena.failed ? flight_new(t, m, run->rule, tries) : NULL;
	if (!f)
		return "memory is out";
	f->note.run = landed;
	sk_outbox_push(&rt->outbox, &t->out, rt->host); /* what was published before goes before */
	struct sk_invocation v = { .row = sk_runtime_event(rt, LUA_EVENT_EFFECTS), .internal = true, .caller = &us, .in = effects, .text = text, .size = n,
		.finish = finished, .ctx = f, .depth = run->depth };
	int rc = sk_runtime_invoke(rt, &v, &t->arena, &message);
	if (rc) {
		flight_free(f);
		return message ? message : sk_error_info(rc)->name;
	}
	run->rule->flights++;
	m->open++;
	if (note_sent(run, effects))
		lua_state_free(&run->rule->overlay); /* a run that reads what is stored meets the conflict, and runs again */
	return NULL;
}

/* -- a message -- */

static void carry_out(struct lua_run *run, struct rules_message *m, const struct lua_outcome *o, int tries)
{
	struct live_rule *r = run->rule;
	bool direct = !r->flights && !keeps_something(o);
	const char *why = direct ? publish_all(run, o) : send(run, m, lua_run_effects(run, o), tries);
	const char *other = tries ? NULL : lua_run_others(run, o);
	why = why ? why : other;
	if (why)
		work_failed(r, m->now_ms, why);
	else if (direct)
		work_went_well(r);
}

/* SK_OK, or the statement's error with o->why. o->matched: it lets the message through, and *out is what the rule is given. */
static int document_of(struct rules_thread *t, struct work *w, struct live_rule *r, const cJSON **out, struct lua_outcome *o)
{
	const struct rules_rule *program = live_program(r, &t->engine->settings);
	struct sql_result result = { 0 };
	*out = w->sql.document;
	o->matched = true;
	if (!program && !lua_file_rule(r->unit->file, r->index)->sql)
		return SK_OK;
	if (!program) { /* without its statement it would run for what that holds back */
		o->matched = false;
		o->why = "memory is out";
		return SK_E_UNAVAILABLE;
	}
	int rc = sql_run(program->program, &w->sql, &t->arena, &work_limits, &result);
	o->why = rc ? result.why : NULL;
	o->matched = !rc && result.outcome != SQL_NO_MATCH;
	*out = result.outcome == SQL_DOCUMENT ? result.document : NULL;
	return rc;
}

static void run_message(struct rules_thread *t, struct work *w, struct live_rule *r, int tries)
{
	struct rules_message *m = w->m;
	struct lua_run run = { .thread = t, .rule = r, .world = &w->world, .work = w, .now_ms = m->now_ms, .depth = m->depth, .number = lua_state_number(w->sql.seed) };
	struct lua_world world = { .ctx = &run, .ask = lua_run_ask, .now_ms = m->now_ms };
	struct lua_outcome o = { 0 };
	const cJSON *document;
	memcpy(world.seed, w->sql.seed, sizeof world.seed);
	int rc = document_of(t, w, r, &document, &o);
	const struct lua_message lm = { .topic = w->sql.topic, .payload = w->sql.payload, .size = w->sql.size, .document = document,
		.client_id = w->sql.client_id, .principal = w->sql.principal, .source_ip = w->sql.source_ip, .qos = m->qos, .retain = m->retain,
		.properties = message_text(m, m->properties), .properties_size = m->properties_size };
	if (o.matched)
		rc = lua_rule_run(r->unit->file, r->index, &lm, &world, &t->arena, &o);
	if (o.matched && !tries)
		atomic_fetch_add_explicit(&r->count.passed, 1, memory_order_relaxed);
	if (rc && o.budget)
		work_overran(r, m->now_ms, o.why);
	else if (rc)
		work_failed(r, m->now_ms, o.why);
	else if (o.matched)
		carry_out(&run, m, &o, tries);
	if (__builtin_expect(atomic_load_explicit(&r->trace, memory_order_relaxed) != NULL, 0) && !tries)
		lua_trace(&run, w, document, rc, &o);
}

void lua_message(struct rules_thread *t, struct work *w, struct live_rule *r, int tries)
{
	if (!r->stale) {
		run_message(t, w, r, tries);
		return;
	}
	struct flight *f = flight_new(t, w->m, r, tries);
	if (!f) {
		work_failed(r, w->m->now_ms, NULL);
		return;
	}
	w->m->open++;
	append(&r->later, &r->later_last, f);
}
