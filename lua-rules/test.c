/* test.c -- a file's own tests: the world that a test describes, its steps, and what they did.
 *
 * The rules run as they do in a broker, and what they keep is kept here: state and timers by rule, time as the test says. A test is over
 * at its first difference. */
#include <stdlib.h>
#include <string.h>

#include "core/properties.h"
#include "core/topic.h"
#include "lua-rules/difference.h"
#include "lua-rules/internal.h"
#include "rules/rule.h"

enum { MOST_FIRED = 10000 };
#define USUAL_NOW 1700000000

struct timer {
	struct timer *next;
	int rule;
	const char *name;
	int64_t due_ms;
	const cJSON *document;
};
struct scene {
	struct lua_file *file;
	struct sk_arena arena;       /* of one test */
	const cJSON *test;
	const struct host_test *declared;
	int step;                    /* from 1; 0: the test has no steps */
	int64_t now_ms;
	cJSON **state;               /* objects, of each rule */
	struct timer *timers;
	int fired;
	/* of this step */
	int rule;                    /* that runs */
	int took;                    /* rules whose filter the topic matched */
	cJSON *left, *logs;
	const char *error;           /* of a rule */
	const char *why;             /* the test fails */
};

static void fails(struct scene *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fails(struct scene *s, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	if (s->why)
		return;
	va_start(ap, fmt);
	text = sk_vprintf(&s->arena, fmt, ap);
	va_end(ap);
	s->why = s->step ? sk_printf(&s->arena, "%s:%d: step %d: %s", s->file->name, s->declared->line, s->step, text ? text : "")
	                 : sk_printf(&s->arena, "%s:%d: %s", s->file->name, s->declared->line, text ? text : "");
	if (!s->why)
		s->why = "not enough memory";
}

/* -- the world -- */

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	struct scene *s = ctx;

	(void)why;
	if (what == LUA_STATE)
		*out = sk_json_get(s->state[s->rule], a);
	else if (what == LUA_SHADOW)
		*out = sk_json_get(sk_json_get(s->test, "shadow"), b && *b ? sk_printf(arena, "%s/%s", a, b) : a);
	else
		*out = sk_json_get(sk_json_get(s->test, "registry"), a);
	return 0;
}

static struct lua_world world(struct scene *s)
{
	return (struct lua_world){ .ctx = s, .ask = ask, .now_ms = s->now_ms, .seed = "the same always" };
}

/* -- what a run did -- */

/* JSON if it is, else text. */
static cJSON *payload_node(struct sk_arena *a, const void *payload, size_t n)
{
	cJSON *node = sk_json_parse(a, payload, n, NULL, NULL);

	return node ? node : sk_json_stringn(a, payload, n);
}

static void leaves(struct scene *s, cJSON *item, const struct sk_message *m)
{
	struct sk_arena *a = &s->arena;

	sk_json_set(a, item, "payload", payload_node(a, m->payload, m->size));
	sk_json_append(s->left, item);
}

static void published(struct scene *s, const struct lua_effect *e)
{
	struct sk_arena *a = &s->arena;
	const struct sk_message *m = &e->message;
	cJSON *item = sk_json_object(a), *user;

	sk_json_set_string(a, item, "topic", e->name);
	leaves(s, item, m);
	sk_json_set_int(a, item, "qos", m->flags & SK_QOS1 ? 1 : 0);
	sk_json_set_bool(a, item, "retain", m->flags & SK_RETAIN);
	if (m->expiry_s)
		sk_json_set_int(a, item, "expiry", m->expiry_s);
	sk_json_set_string(a, item, "content_type", m->content_type);
	sk_json_set_string(a, item, "response_topic", m->response_topic);
	if (m->correlation)
		sk_json_set(a, item, "correlation", sk_json_stringn(a, m->correlation, m->correlation_size));
	user = m->users ? sk_json_set_object(a, item, "user") : NULL;
	for (size_t i = 0; i < m->users; i++)
		sk_json_set_string(a, user, m->user[i].name, m->user[i].value);
}

static void acted(struct scene *s, const char *name, const cJSON *fields, const struct sk_message *m)
{
	cJSON *item = sk_json_copy(&s->arena, fields);

	sk_json_set_string(&s->arena, item, "action", name);
	leaves(s, item, m);
}

static void timer_cleared(struct scene *s, const char *name)
{
	for (struct timer **t = &s->timers; *t;)
		if ((*t)->rule == s->rule && strcmp((*t)->name, name) == 0)
			*t = (*t)->next;
		else
			t = &(*t)->next;
}

static void timer_set(struct scene *s, const struct lua_effect *e)
{
	struct timer *t = sk_alloc(&s->arena, sizeof *t), **at = &s->timers;

	timer_cleared(s, e->name);
	if (!t)
		return;
	*t = (struct timer){ .rule = s->rule, .name = e->name, .due_ms = e->due_ms, .document = e->document };
	while (*at && (*at)->due_ms <= t->due_ms)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

static void apply(struct scene *s, const struct lua_effect *e)
{
	struct sk_arena *a = &s->arena;

	switch (e->kind) {
	case LUA_PUBLISH:
		published(s, e);
		break;
	case LUA_ACTION:
		acted(s, e->name, e->document, &e->message);
		break;
	case LUA_SET_STATE:
		if (e->document)
			sk_json_set(a, s->state[s->rule], e->name, sk_json_copy(a, e->document));
		else
			sk_json_remove(s->state[s->rule], e->name);
		break;
	case LUA_SET_TIMER:
		timer_set(s, e);
		break;
	case LUA_CLEAR_TIMER:
		timer_cleared(s, e->name);
		break;
	case LUA_LOG:
		sk_json_append(s->logs, sk_json_string(a, e->name));
		break;
	}
}

static void ran(struct scene *s, int rc, const struct lua_outcome *out)
{
	if (rc != SK_OK && !s->error)
		s->error = out->why;
	for (const struct lua_effect *e = out->effects; e; e = e->next)
		apply(s, e);
}

/* -- a message -- */

static const struct rules_rule *compiled(struct scene *s, const struct lua_rule *r)
{
	struct sk_arena *a = &s->arena;
	cJSON *payload = sk_json_object(a);
	struct rules_error e = { 0 };
	const struct rules_rule *rule;

	sk_json_set_string(a, payload, "sql", r->sql);
	sk_json_set_string(a, payload, "awsIotSqlVersion", r->sql_version);
	sk_json_set(a, payload, "actions", r->actions ? sk_json_parse(a, r->actions, strlen(r->actions), NULL, NULL) : sk_json_array(a));
	rule = rules_compile(a, r->name, payload, &(struct rules_settings){ 0 }, &e);
	if (!rule)
		fails(s, "%s", e.message);
	return rule;
}

static void deliver(struct scene *s, const struct rules_outcome *o)
{
	for (int i = 0; i < o->deliveries; i++) {
		const struct rules_delivery *d = &o->delivery[i];
		struct sk_message m = { .payload = o->payload, .size = o->size };
		if (d->error)
			s->error = s->error ? s->error : d->error;
		else
			acted(s, d->action->kind->name, d->fields, &m);
	}
}

/* A rule with a statement: the message goes through that first, and its output into run. */
static void run_statement(struct scene *s, const struct rules_rule *rule, const struct lua_message *m)
{
	const struct lua_rule *r = lua_file_rule(s->file, s->rule);
	struct lua_world w = world(s);
	struct host_now now = { .rule = s->rule, .message = m, .world = &w, .arena = &s->arena };
	struct lua_message shaped = *m;
	struct sql_message sm;
	struct rules_outcome o = { 0 };
	struct lua_outcome out;

	host_sql_message(&now, m, &sm);
	if (rules_evaluate(rule, &sm, &s->arena, NULL, &o) != SK_OK) {
		s->error = s->error ? s->error : o.why;
	} else if (o.outcome != SQL_NO_MATCH && r->has_run) {
		shaped.payload = o.payload;
		shaped.size = o.size;
		shaped.document = o.outcome == SQL_DOCUMENT ? sk_json_parse(&s->arena, o.payload, o.size, NULL, NULL) : NULL;
		ran(s, lua_rule_run(s->file, s->rule, &shaped, &w, &s->arena, &out), &out);
	} else if (o.outcome != SQL_NO_MATCH) {
		deliver(s, &o);
	}
}

static void run_rule(struct scene *s, const struct lua_message *m)
{
	const struct lua_rule *r = lua_file_rule(s->file, s->rule);
	const struct rules_rule *rule = r->sql ? compiled(s, r) : NULL;
	const char *filter = rule ? rule->filter : r->filter;
	struct lua_world w = world(s);
	struct lua_outcome out;

	if (s->why || r->disabled || (filter && !sk_topic_filter_matches(filter, m->topic)))
		return;
	s->took++;
	if (rule)
		run_statement(s, rule, m);
	else
		ran(s, lua_rule_run(s->file, s->rule, m, &w, &s->arena, &out), &out);
}

static void send(struct scene *s, const cJSON *step)
{
	struct sk_arena *a = &s->arena;
	const cJSON *document = sk_json_get(step, "message");
	const char *raw = sk_json_text(step, "raw"), *only = sk_json_text(s->test, "rule");
	struct lua_message m = { .topic = sk_json_text(step, "topic"), .client_id = sk_json_text(step, "client"), .document = document };

	if (!m.topic)
		return;
	m.payload = document ? sk_json_print(a, document, &m.size) : raw;
	m.size = document ? m.size : strlen(raw);
	if (!document)
		m.document = sk_json_parse(a, raw, m.size, NULL, NULL);
	for (s->rule = 0; s->rule < s->file->rules && m.payload; s->rule++)
		if (!only || strcmp(only, s->file->rule[s->rule].rule.name) == 0)
			run_rule(s, &m);
}

/* -- time -- */

static void fire(struct scene *s)
{
	struct timer *t = s->timers;
	struct lua_world w;
	struct lua_outcome out;

	s->timers = t->next;
	s->rule = t->rule;
	s->now_ms = t->due_ms > s->now_ms ? t->due_ms : s->now_ms;
	w = world(s);
	ran(s, lua_rule_timer(s->file, t->rule, t->name, t->document, &w, &s->arena, &out), &out);
}

static void pass(struct scene *s, const cJSON *after)
{
	int64_t until = s->now_ms + (int64_t)(after ? after->valuedouble * 1000 : 0);

	while (s->timers && s->timers->due_ms <= until && !s->why) {
		if (++s->fired > MOST_FIRED)
			fails(s, "more than %d timers have run", MOST_FIRED);
		else
			fire(s);
	}
	s->now_ms = until;
}

/* -- what was expected -- */

static void compare_lists(struct scene *s, const char *what, const cJSON *expected, const cJSON *came)
{
	const char *why = difference_of_lists(&s->arena, what, expected, came);

	if (why)
		fails(s, "%s", why);
}

static void compare_state(struct scene *s, const cJSON *expected)
{
	const char *only = sk_json_text(s->test, "rule");
	int rule = 0;

	while (only && rule < s->file->rules - 1 && strcmp(s->file->rule[rule].rule.name, only) != 0)
		rule++;
	SK_JSON_EACH(value, expected) {
		const cJSON *is = sk_json_get(s->state[rule], value->string);
		const char *why = cJSON_IsNull(value) && !is ? NULL : difference_of(&s->arena, sk_printf(&s->arena, "state %s", value->string), value, is);
		if (why)
			fails(s, "%s", why);
	}
}

static void compare_error(struct scene *s, const char *expected)
{
	if (s->error && !expected)
		fails(s, "it failed: %s", s->error);
	else if (expected && !s->error)
		fails(s, "expected it to fail with \"%s\", but it did not", expected);
	else if (expected && !strstr(s->error, expected))
		fails(s, "expected it to fail with \"%s\"\n  came      %s", expected, s->error);
}

static void compare(struct scene *s, const cJSON *step)
{
	const cJSON *expected = sk_json_get(step, "expect"), *logs = sk_json_get(step, "expect_log");
	bool something = sk_json_count(expected) > 0 || sk_json_get(step, "error");

	compare_error(s, sk_json_text(step, "error"));
	if (something && sk_json_get(step, "topic") && !s->took)
		fails(s, "no rule has a filter that matches %s", sk_json_text(step, "topic"));
	if (expected)
		compare_lists(s, "message", expected, s->left);
	if (logs)
		compare_lists(s, "line of log", logs, s->logs);
	compare_state(s, sk_json_get(step, "expect_state"));
}

static void run_step(struct scene *s, const cJSON *step)
{
	s->left = sk_json_array(&s->arena);
	s->logs = sk_json_array(&s->arena);
	s->error = NULL;
	s->took = 0;
	pass(s, sk_json_get(step, "after"));
	send(s, step);
	if (s->arena.failed)
		fails(s, "not enough memory");
	compare(s, step);
}

/* -- a test -- */

static void set_up(struct scene *s)
{
	const cJSON *now = sk_json_get(s->test, "now"), *state = sk_json_get(s->test, "state");
	const char *only = sk_json_text(s->test, "rule");
	bool known = !only;

	s->now_ms = (int64_t)((now ? now->valuedouble : USUAL_NOW) * 1000);
	s->state = sk_alloc(&s->arena, (size_t)(s->file->rules + 1) * sizeof *s->state);
	for (int i = 0; s->state && i < s->file->rules; i++) {
		s->state[i] = state ? sk_json_copy(&s->arena, state) : sk_json_object(&s->arena);
		known = known || strcmp(s->file->rule[i].rule.name, only) == 0;
	}
	if (!known)
		fails(s, "this file has no rule \"%s\"", only);
}

static void run_test(struct scene *s)
{
	const cJSON *steps;

	s->test = sk_json_parse(&s->arena, s->declared->text, strlen(s->declared->text), NULL, NULL);
	set_up(s);
	steps = sk_json_get(s->test, "steps");
	if (s->arena.failed)
		fails(s, "not enough memory");
	else if (!steps && !s->why)
		run_step(s, s->test);
	SK_JSON_EACH(step, steps) {
		s->step++;
		if (!s->why)
			run_step(s, step);
	}
}

int lua_file_test(struct lua_file *f, struct sk_arena *a, struct lua_test_report *report)
{
	int rc = 0;

	for (int i = 0; i < f->tests; i++) {
		struct scene s = { .file = f, .declared = &f->test[i] };
		const char *why;
		run_test(&s);
		why = sk_strdup(a, s.why);
		if (s.arena.failed)
			rc = -1;
		report->passed += !s.why;
		report->failed += s.why != NULL;
		if (report->tell)
			report->tell(report->ctx, s.declared->name, s.why && !why ? "not enough memory" : why);
		sk_arena_free(&s.arena);
	}
	return rc;
}
