/* evaluate.c -- a message and a rule to what is to be done: the statement's payload, and each action's fields with its templates filled in.
 *
 * Templates see the message as it came, not what the statement made of it. All of an evaluation stays within one set of limits; a template
 * that fails, fails its action only. Fields without templates are the rule's own. */
#include "rules/internal.h"

struct evaluation {
	const struct sql_message *message;
	struct sk_arena *arena;
	struct expr_limits limits;
	size_t before; /* bytes of the arena */
	struct rules_outcome *out;
	bool later;
};

static struct evaluation start(const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits, struct rules_outcome *out)
{
	struct evaluation e = { .message = m, .arena = a, .before = a->total, .out = out };

	if (limits)
		e.limits = *limits;
	e.limits.steps = e.limits.steps ? e.limits.steps : EXPR_STEPS;
	e.limits.bytes = e.limits.bytes ? e.limits.bytes : EXPR_BYTES;
	return e;
}

/* What is left; never 0, which would be a default. */
static struct expr_limits left(const struct evaluation *e)
{
	struct expr_limits l = e->limits;
	size_t grown = e->arena->total - e->before;

	l.steps = e->out->steps < l.steps ? l.steps - e->out->steps : 1;
	l.bytes = grown < l.bytes ? l.bytes - grown : 1;
	return l;
}

static int out_of_memory(struct rules_outcome *out)
{
	*out = (struct rules_outcome){ .why = "out of memory", .steps = out->steps };
	return SK_E_INTERNAL;
}

/* -- one action -- */

static void link_child(cJSON *parent, cJSON *child)
{
	cJSON *first = parent->child;

	child->prev = first ? first->prev : child;
	if (!first) {
		parent->child = child;
		return;
	}
	first->prev->next = child;
	first->prev = child;
}

/* A copy that shares all texts but the templates'. Fields are a few levels deep. */
static cJSON *copy_filled(struct sk_arena *a, const cJSON *from, const char *const *texts)
{
	cJSON *to = sk_alloc(a, sizeof *to), *child;

	if (!to)
		return NULL;
	*to = *from;
	to->next = to->prev = to->child = NULL;
	if (cJSON_IsString(from) && from->valueint) {
		to->valuestring = (char *)texts[from->valueint - 1];
		to->valueint = 0;
	}
	SK_JSON_EACH(one, from) {
		child = copy_filled(a, one, texts);
		if (!child)
			return NULL;
		link_child(to, child);
	}
	return to;
}

/* Each template is run even when one has failed or waits, so that all look-ups are named. The error, or NULL. */
static const char *run_templates(struct evaluation *e, const struct rules_action *action, const char **texts)
{
	const char *error = NULL;

	for (int i = 0; i < action->templates; i++) {
		const struct rules_template *t = &action->template[i];
		const struct expr_limits limits = left(e);
		struct sql_result r;
		int rc = sql_run_template(t->program, e->message, e->arena, &limits, &r);

		e->out->steps += r.steps;
		e->later |= rc == SQL_LATER;
		texts[i] = r.text ? r.text : "";
		if (rc < 0 && !error)
			error = sk_printf(e->arena, "%s: %s", t->path, r.why);
	}
	return error;
}

static void deliver(struct evaluation *e, const struct rules_action *action, struct rules_delivery *d)
{
	const char **texts;

	*d = (struct rules_delivery){ .action = action, .fields = action->fields };
	if (action->templates) {
		texts = sk_alloc(e->arena, (size_t)action->templates * sizeof *texts);
		d->error = texts ? run_templates(e, action, texts) : NULL;
		if (texts && !d->error && !e->later)
			d->fields = copy_filled(e->arena, action->fields, texts);
	}
	if (!d->error && !e->later && rules_is_republish(action))
		d->error = rules_payload_fault(e->arena, d->fields, e->out);
}

static int deliver_all(struct evaluation *e, const struct rules_action *list, int n)
{
	struct rules_delivery *delivery = n ? sk_alloc(e->arena, (size_t)n * sizeof *delivery) : NULL;

	for (int i = 0; delivery && i < n; i++)
		deliver(e, &list[i], &delivery[i]);
	if (e->arena->failed)
		return out_of_memory(e->out);
	if (e->later) {
		*e->out = (struct rules_outcome){ .steps = e->out->steps };
		return SQL_LATER;
	}
	e->out->delivery = delivery;
	e->out->deliveries = n;
	return SK_OK;
}

int rules_deliver(const struct rules_action *list, int n, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
                  struct rules_outcome *out)
{
	struct evaluation e = start(m, a, limits, out);

	return deliver_all(&e, list, n);
}

/* -- the statement -- */

/* SELECT * sends what came, byte by byte. */
static bool take_payload(struct evaluation *e, const struct sql_result *r)
{
	if (r->outcome == SQL_RAW || r->document == e->message->document) {
		e->out->payload = e->message->size ? e->message->payload : "";
		e->out->size = e->message->size;
		return true;
	}
	e->out->payload = sk_json_print(e->arena, r->document, &e->out->size);
	return e->out->payload;
}

int rules_evaluate(const struct rules_rule *r, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits, struct rules_outcome *out)
{
	struct evaluation e = start(m, a, limits, out);
	struct sql_result result;
	int rc = sql_run(r->program, m, a, &e.limits, &result);

	*out = (struct rules_outcome){ .outcome = result.outcome, .why = result.why, .steps = result.steps };
	if (rc != SK_OK || result.outcome == SQL_NO_MATCH || result.outcome == SQL_NOTHING)
		return rc;
	if (!take_payload(&e, &result))
		return out_of_memory(out);
	return deliver_all(&e, r->action, r->actions);
}
