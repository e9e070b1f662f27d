/* rule.c -- a topicRulePayload to a rule.
 *
 * What compiling needs lies in an arena of its own; the rule is then built twice, first to measure it and then in the caller's arena, which
 * takes exactly that much if it is empty: thousands of rules live side by side. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules/internal.h"

enum { MOST_ACTIONS = 10, MOST_SQL = 262144, MEASURED = 65536 };

struct piece { /* a template's program; of all actions, in the order of their fields */
	const struct expr_program *program;
	struct piece *next;
};

struct compiling {
	const char *name;
	const cJSON *payload;
	struct sql_options sql;
	struct rules_error *error;
	struct sk_arena scratch;
	const struct expr_program *program;
	struct piece *first, **last;
	const char *where; /* "actions[2].republish" */
};

static bool fail(struct compiling *c, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool fail(struct compiling *c, int error, const char *fmt, ...)
{
	va_list ap;

	if (c->error->error)
		return false;
	va_start(ap, fmt);
	vsnprintf(c->error->message, sizeof c->error->message, fmt, ap);
	va_end(ap);
	c->error->error = error;
	return false;
}

static bool fail_for_memory(struct compiling *c)
{
	return fail(c, SK_E_INTERNAL, "out of memory");
}

/* -- the statement -- */

static bool read_version(struct compiling *c)
{
	const cJSON *given = sk_json_get(c->payload, "awsIotSqlVersion");
	const char *name = sk_json_text(c->payload, "awsIotSqlVersion");

	c->sql.version = SQL_2015_10_08; /* "the default", as the guide says */
	if (!given || cJSON_IsNull(given))
		return true;
	if (name && sql_version_by_name(name, &c->sql.version))
		return true;
	return fail(c, SK_E_INVALID_REQUEST, "awsIotSqlVersion: '%.40s' is none of 2015-10-08, 2016-03-23, beta", name ? name : "");
}

static bool compile_statement(struct compiling *c)
{
	const char *text = sk_json_text(c->payload, "sql");
	struct expr_error e;

	if (!text)
		return fail(c, SK_E_INVALID_REQUEST, "sql: a statement is missing");
	if (strlen(text) > MOST_SQL)
		return fail(c, SK_E_INVALID_REQUEST, "sql: %zu bytes, at most %d are taken", strlen(text), MOST_SQL);
	c->program = sql_compile(&c->scratch, text, strlen(text), &c->sql, &e);
	if (c->scratch.failed)
		return fail_for_memory(c);
	c->sql.statement = text; /* templates may use its variables */
	return c->program || fail(c, SK_E_SQL_PARSE, "%s", e.message);
}

/* -- actions -- */

static bool compile_template(void *ctx, const cJSON *field, const char *path)
{
	struct compiling *c = ctx;
	struct piece *p = sk_alloc(&c->scratch, sizeof *p);
	struct expr_error e;

	if (p)
		p->program = sql_compile_template(&c->scratch, field->valuestring, strlen(field->valuestring), &c->sql, &e);
	if (c->scratch.failed)
		return fail_for_memory(c);
	if (!p->program)
		return fail(c, SK_E_SQL_PARSE, "%s.%s: %s", c->where, path, e.message);
	*c->last = p;
	c->last = &p->next;
	return true;
}

/* Without templates it is known now whether it can ever be published. */
static bool check_republish(struct compiling *c, const struct rules_action *action)
{
	struct rules_delivery d = { .action = action, .fields = action->fields };
	struct rules_republish out;
	const char *fault = rules_is_republish(action) ? rules_republish(&d, &c->scratch, &out) : NULL;

	if (c->scratch.failed)
		return fail_for_memory(c);
	return !fault || fail(c, SK_E_INVALID_REQUEST, "%s: %s", c->where, fault);
}

static bool compile_fields(struct compiling *c, const struct rules_action *action)
{
	struct piece **before = c->last;

	if (!cJSON_IsObject(action->fields))
		return fail(c, SK_E_INVALID_REQUEST, "%s: not an object", c->where);
	if (!rules_each_template(action->kind, action->fields, compile_template, c))
		return false;
	return c->last != before || check_republish(c, action);
}

static bool compile_action(struct compiling *c, const cJSON *object, const char *where)
{
	const cJSON *only = rules_only_kind(object);
	struct rules_action action = { .kind = only ? rules_kind(only->string) : NULL, .fields = only };

	if (!only)
		return fail(c, SK_E_INVALID_REQUEST, "%s: an action is an object with exactly one kind, such as {\"republish\": {...}}", where);
	if (!action.kind)
		return fail(c, SK_E_INVALID_REQUEST, "%s: '%.40s' is no kind of action", where, only->string);
	c->where = sk_printf(&c->scratch, "%s.%s", where, only->string);
	return c->where ? compile_fields(c, &action) : fail_for_memory(c);
}

static bool compile_actions(struct compiling *c)
{
	const cJSON *list = sk_json_get(c->payload, "actions");
	char where[32];
	int i = 0;

	if (!cJSON_IsArray(list))
		return fail(c, SK_E_INVALID_REQUEST, "actions: a list is missing");
	if (sk_json_count(list) > MOST_ACTIONS)
		return fail(c, SK_E_INVALID_REQUEST, "actions: %d, at most %d are taken", sk_json_count(list), MOST_ACTIONS);
	SK_JSON_EACH(object, list) {
		snprintf(where, sizeof where, "actions[%d]", i++);
		if (!compile_action(c, object, where))
			return false;
	}
	return true;
}

/* "You can use any function or substitution in an error action's SQL statement, except for external functions". */
static bool compile_error_action(struct compiling *c)
{
	const cJSON *object = sk_json_get(c->payload, "errorAction");

	c->sql.alone = true;
	return !object || cJSON_IsNull(object) || compile_action(c, object, "errorAction");
}

/* -- building: the same allocations each time -- */

struct placing {
	struct sk_arena *arena;
	struct piece **next;
	struct rules_template *template;
	int count;
	bool of_statement, secret; /* the statement asks for secrets; a template does */
};

/* Conservative: it may stand in a text, or in a variable that is not used. */
static bool asks_for_secrets(const char *text)
{
	return strcasestr(text, "get_secret");
}

static bool count_template(void *ctx, const cJSON *field, const char *path)
{
	struct placing *p = ctx;

	(void)field, (void)path;
	p->count++;
	return true;
}

static const struct expr_program *copy_program(struct sk_arena *a, const struct expr_program *p)
{
	void *copy = sk_alloc(a, p->size);

	return copy ? memcpy(copy, p, p->size) : NULL;
}

static bool place_template(void *ctx, const cJSON *field, const char *path)
{
	struct placing *p = ctx;
	struct rules_template *t = &p->template[p->count++];

	t->path = sk_strdup(p->arena, path);
	t->program = copy_program(p->arena, (*p->next)->program);
	*p->next = (*p->next)->next;
	((cJSON *)field)->valueint = p->count; /* it is our copy */
	p->secret |= asks_for_secrets(field->valuestring) || (p->of_statement && strchr(field->valuestring, '@'));
	return t->path && t->program;
}

static bool build_action(const struct rules_rule *r, struct piece **next, const cJSON *object, struct rules_action *out)
{
	struct sk_arena *to = r->arena;
	const cJSON *only = rules_only_kind(object);
	struct placing counted = { 0 }, p = { .arena = to, .next = next, .of_statement = r->secret };

	out->kind = rules_kind(only->string);
	out->secret = rules_holds_secret(only);
	out->fields = sk_json_copy(to, only);
	if (!out->fields)
		return false;
	rules_each_template(out->kind, out->fields, count_template, &counted);
	out->templates = counted.count;
	if (!counted.count)
		return true;
	p.template = sk_alloc(to, (size_t)counted.count * sizeof *p.template);
	out->template = p.template;
	if (!p.template || !rules_each_template(out->kind, out->fields, place_template, &p))
		return false;
	out->secret |= p.secret;
	return true;
}

static bool build_actions(struct rules_rule *r, struct sk_arena *to, const struct compiling *c)
{
	const cJSON *list = sk_json_get(c->payload, "actions"), *error = sk_json_get(c->payload, "errorAction");
	bool has_error = error && !cJSON_IsNull(error);
	int n = sk_json_count(list);
	struct rules_action *action = sk_alloc(to, (size_t)(n + has_error + !n) * sizeof *action);
	struct piece *next = c->first;

	if (!action)
		return false;
	r->actions = 0;
	r->action = action;
	SK_JSON_EACH(object, list)
		if (!build_action(r, &next, object, &action[r->actions++]))
			return false;
	r->error_action = has_error ? &action[n] : NULL;
	return !has_error || build_action(r, &next, error, &action[n]);
}

static const struct rules_rule *build(struct sk_arena *to, const struct compiling *c)
{
	struct rules_rule *r = sk_alloc(to, sizeof *r);

	if (!r)
		return NULL;
	r->arena = to;
	r->version = c->sql.version;
	r->disabled = sk_json_true(c->payload, "ruleDisabled");
	r->name = sk_strdup(to, c->name);
	r->sql = sk_strdup(to, sk_json_text(c->payload, "sql"));
	r->secret = r->sql && asks_for_secrets(r->sql);
	r->program = copy_program(to, c->program);
	r->filter = r->program ? sql_filter(r->program) : NULL;
	return build_actions(r, to, c) && !to->failed ? r : NULL;
}

/* The rule in `a`, which gets a chunk of exactly that size if it is empty. */
static const struct rules_rule *build_tight(struct sk_arena *a, const struct compiling *c)
{
	struct sk_arena measure = { 0 };
	bool begun = sk_arena_reserve(&measure, MEASURED);
	size_t one_chunk = measure.total;
	bool fits = begun && build(&measure, c) && measure.total == one_chunk;
	size_t used = measure.used;

	sk_arena_free(&measure);
	if (fits && !sk_arena_reserve(a, used))
		return NULL;
	return build(a, c);
}

const struct rules_rule *rules_compile(struct sk_arena *a, const char *name, const cJSON *payload, const struct rules_settings *s, struct rules_error *e)
{
	struct compiling c = { .name = name, .payload = payload, .sql.strict_aws = s && s->strict_aws, .error = e };
	const struct rules_rule *r = NULL;

	*e = (struct rules_error){ 0 };
	c.last = &c.first;
	if (read_version(&c) && compile_statement(&c) && compile_actions(&c) && compile_error_action(&c)) {
		r = build_tight(a, &c);
		if (!r)
			fail_for_memory(&c);
	}
	sk_arena_free(&c.scratch);
	return r;
}
