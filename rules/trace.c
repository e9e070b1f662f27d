/* trace.c -- rules for people: what one does with a message, clause by clause, and what one is. */
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "rules/internal.h"

/* -- explain -- */

static const char *const versions[] = { [SQL_2015_10_08] = "2015-10-08", [SQL_2016_03_23] = "2016-03-23", [SQL_BETA] = "beta" };

struct text {
	struct sk_arena *arena;
	char *at;
	size_t n, room;
};

/* Once memory is out nothing is added. */
static void put(struct text *t, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	char *more = t->at;

	if (t->room - t->n <= n) {
		t->room = 2 * (t->room + n + 1);
		more = sk_alloc_text(t->arena, t->room);
		if (more && t->n)
			memcpy(more, t->at, t->n);
		t->at = more;
	}
	if (t->arena->failed)
		return;
	memcpy(more + t->n, s ? s : "", n + 1);
	t->n += n;
}

static void put_action(struct text *t, const char *where, const struct rules_action *action)
{
	put(t, sk_printf(t->arena, "\n%s: %s ", where, action->kind->name));
	put(t, sk_json_print(t->arena, action->fields, NULL));
	put(t, "\n");
	for (int i = 0; i < action->templates; i++) {
		put(t, action->template[i].path);
		put(t, " is filled in by ");
		put(t, sql_explain(t->arena, action->template[i].program));
	}
}

char *rules_explain(struct sk_arena *a, const struct rules_rule *r)
{
	struct text t = { .arena = a };
	char where[32];

	put(&t, sk_printf(a, "rule %s, SQL %s%s\n", r->name, versions[r->version], r->disabled ? ", disabled" : ""));
	put(&t, r->sql);
	put(&t, "\n");
	put(&t, sql_explain(a, r->program));
	for (int i = 0; i < r->actions; i++) {
		snprintf(where, sizeof where, "action %d", i + 1);
		put_action(&t, where, &r->action[i]);
	}
	if (r->error_action)
		put_action(&t, "error action", r->error_action);
	return a->failed ? NULL : t.at;
}

/* -- trace -- */

/* `real` is the same delivery with its secrets, `d` what is shown of it. */
static void add_delivery(struct sk_arena *a, cJSON *list, const struct rules_delivery *d, const struct rules_delivery *real)
{
	cJSON *one = sk_json_append(list, sk_json_object(a));
	struct rules_republish ignored;
	const char *error = real->error;

	if (!error && rules_is_republish(d->action))
		error = rules_republish(real, a, &ignored);
	sk_json_set_string(a, one, "action", d->action->kind->name);
	sk_json_set(a, one, "fields", rules_without_secrets(a, d->fields));
	sk_json_set_string(a, one, "error", error);
}

/* What is no text is shown as base64. */
static void add_raw(struct sk_arena *a, cJSON *trace, const void *bytes, size_t n)
{
	bool text = sk_utf8_valid(bytes, n) && !memchr(bytes, 0, n);
	char *base64 = text ? NULL : sk_alloc_text(a, sk_base64_size(n));

	if (base64)
		sk_base64_encode(bytes, n, base64);
	if (text)
		sk_json_set(a, trace, "output", sk_json_stringn(a, bytes, n));
	else
		sk_json_set(a, trace, "outputBase64", sk_json_stringn(a, base64, base64 ? sk_base64_size(n) : 0));
}

/* Its members are the message's or the evaluation's: a statement may name the same great value often. */
static void add_shared(struct sk_arena *a, cJSON *trace, const cJSON *document)
{
	cJSON *top = sk_alloc(a, sizeof *top);

	if (!top)
		return;
	*top = *document;
	top->next = top->prev = NULL;
	top->string = NULL;
	sk_json_set(a, trace, "output", top);
}

static void add_output(struct sk_arena *a, cJSON *trace, const struct rules_outcome *o, const struct sql_result *r)
{
	if (o->outcome == SQL_RAW)
		add_raw(a, trace, o->payload, o->size);
	else if (r->document)
		add_shared(a, trace, r->document);
}

static bool asks_for_secrets(const struct rules_rule *r)
{
	bool secret = r->secret;

	for (int i = 0; i < r->actions; i++)
		secret |= r->action[i].secret;
	return secret;
}

/* Of a rule that asks for secrets only whether it matches, and what fails, is of the run that knows them. */
cJSON *rules_trace(const struct rules_rule *r, const struct sql_message *m, struct sk_arena *a, const struct rules_settings *s, bool *later)
{
	const struct sql_options options = { .version = r->version, .strict_aws = s && s->strict_aws };
	struct sql_message told = *m;
	struct rules_outcome o, shown;
	struct sql_result result;
	cJSON *trace = sk_json_object(a), *clauses, *actions;

	told.for_people = true;
	*later = rules_evaluate(r, m, a, NULL, &o) == SQL_LATER;
	shown = o;
	if (!*later && asks_for_secrets(r))
		*later = rules_evaluate(r, &told, a, NULL, &shown) == SQL_LATER;
	if (*later)
		return NULL;
	clauses = sql_trace(a, r->sql, strlen(r->sql), &options, &told, &result);
	sk_json_set_bool(a, trace, "matched", o.outcome != SQL_NO_MATCH);
	add_output(a, trace, &shown, &result);
	sk_json_set(a, trace, "clauses", clauses);
	actions = sk_json_set_array(a, trace, "actions");
	for (int i = 0; i < shown.deliveries; i++)
		add_delivery(a, actions, &shown.delivery[i], i < o.deliveries ? &o.delivery[i] : &shown.delivery[i]);
	sk_json_set_string(a, trace, "error", o.why);
	return a->failed ? NULL : trace;
}
