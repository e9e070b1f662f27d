/* replay_run.c -- one recorded message through a set of rules: what it would do, as lines that can be compared.
 *
 * Two sets are given the same clock, the same chance and the same trace id: those of the message. So what differs, differs because the rules do. */
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"
#include "core/base64.h"
#include "rules/headers.h"

enum { GROWN_BY = 8 };

/* As of the threads of skeeter_rules. */
static const struct expr_limits limits = { .steps = 1000000, .bytes = 16u << 20 };
static const char shadow_word[] = "a replay knows no shadows and no registry";

/* What a rule has asked of the world. */
struct asking {
	struct rules_world world;  /* first */
	struct replay_run *run;
	const char *asked;         /* NULL: nothing that is not known here */
};
struct message {               /* and one of its rules */
	struct replay_run *run;
	struct replay_set *set;
	const struct rules_recorded *m;
	const struct replay_rule *rule;
	struct sql_message sql;
	struct asking asking;
	struct replay_actions *out;
};

static void add(struct message *m, int kind, const char *text)
{
	struct replay_actions *out = m->out;
	if (out->n == out->room) {
		size_t room = out->room + GROWN_BY;
		struct replay_action *more = sk_alloc(m->run->arena, room * sizeof(*more));
		if (!more)
			return;
		if (out->n)
			memcpy(more, out->action, out->n * sizeof(*more));
		out->action = more;
		out->room = room;
	}
	out->action[out->n++] = (struct replay_action){ .rule = m->rule->name, .text = text ? text : "memory is out", .kind = kind };
}

/* -- the world -- */

static const cJSON *record(void *context, const char *key, bool *later)
{
	struct asking *a = context;
	a->asked = a->asked ? a->asked : sk_strdup(a->run->arena, key);
	*later = true;
	return NULL;
}

static const cJSON *names(void *context, const char *prefix, int most, bool *later)
{
	(void)most;
	return record(context, prefix, later);
}

static int invoke(void *context, const char *arn, const cJSON *input, const cJSON **answer, const char **why)
{
	struct asking *a = context;
	(void)input, (void)answer, (void)why;
	a->asked = a->asked ? a->asked : sk_strdup(a->run->arena, arn);
	return SQL_LATER;
}

static const char *secret(void *context, const char *name, const char *key)
{
	(void)context, (void)name, (void)key;
	return "***";
}

static bool zone(void *world, const char *name, int64_t utc_ms, struct sql_zone *out)
{
	return zones_at(&((struct asking *)world)->run->zones, name, utc_ms, out);
}

/* -- lines -- */

/* A payload as it is, or in base64 when it is no text. */
static const char *payload_text(struct sk_arena *a, const void *bytes, size_t n)
{
	size_t size = sk_base64_size(n);
	if (!n)
		return "(empty)";
	if (sk_utf8_valid(bytes, n) && !memchr(bytes, 0, n))
		return sk_strndup(a, bytes, n);
	char *text = sk_alloc_text(a, size + 1);
	if (!text)
		return NULL;
	sk_base64_encode(bytes, n, text);
	text[size] = '\0';
	return sk_printf(a, "base64:%s", text);
}

static const char *publish_text(struct sk_arena *a, const char *topic, const struct sk_message *m)
{
	const char *more = "";
	if (m->content_type || m->response_topic || m->correlation || m->users || m->expiry_s || m->utf8)
		more = " with headers";
	return sk_printf(a, "republish %s%s%s%s %s", topic, m->flags & SK_QOS1 ? " qos 1" : "", m->flags & SK_RETAIN ? " retain" : "", more,
	                 payload_text(a, m->payload, m->size));
}

static const char *other_text(struct sk_arena *a, const char *kind, const cJSON *fields, const void *payload, size_t n)
{
	return sk_printf(a, "%s %s %s", kind, fields ? sk_json_print(a, fields, NULL) : "{}", payload_text(a, payload, n));
}

static void add_unknown(struct message *m, const char *asked)
{
	add(m, REPLAY_UNKNOWN, sk_printf(m->run->arena, "cannot be known here: it asks for %s", asked ? asked : "what only the broker knows"));
}

/* -- SQL -- */

/* NULL, or why it fails. */
static const char *add_delivery(struct message *m, const struct rules_delivery *d, const struct rules_outcome *o)
{
	struct sk_arena *a = m->run->arena;
	struct rules_republish p = { 0 };
	if (d->error)
		return d->error;
	if (strcmp(d->action->kind->name, "republish")) {
		add(m, REPLAY_DOES, other_text(a, d->action->kind->name, d->fields, o->payload, o->size));
		return NULL;
	}
	const char *why = rules_republish(d, a, &p);
	if (why)
		return why;
	p.message.payload = o->payload;
	p.message.size = o->size;
	p.message.flags = p.qos ? SK_QOS1 : SK_QOS0;
	add(m, REPLAY_DOES, publish_text(a, p.topic, &p.message));
	return NULL;
}

static void add_failure(struct message *m, const char *what, const char *why)
{
	struct sk_arena *a = m->run->arena;
	add(m, REPLAY_FAILS, what ? sk_printf(a, "%s fails: %s", what, why) : sk_printf(a, "fails: %s", why));
}

static void run_error_action(struct message *m, const struct rules_delivery *failed, int n, const char *why)
{
	const struct rules_rule *program = m->rule->program;
	struct rules_outcome error = { 0 };
	if (!program->error_action)
		return;
	int rc = rules_evaluate_error(program, &m->sql, failed, n, why, m->run->arena, &error);
	if (rc == SQL_LATER)
		add_unknown(m, m->asking.asked);
	why = rc ? error.why : error.deliveries ? add_delivery(m, error.delivery, &error) : NULL;
	if (rc != SQL_LATER && why)
		add_failure(m, "the error action", why);
}

static void run_actions(struct message *m, const struct rules_outcome *o)
{
	struct rules_delivery *failed = sk_alloc(m->run->arena, ((size_t)o->deliveries + 1) * sizeof(*failed));
	int n = 0;
	for (int i = 0; failed && i < o->deliveries; i++) {
		struct rules_delivery d = o->delivery[i];
		d.error = add_delivery(m, &d, o);
		if (!d.error)
			continue;
		add_failure(m, d.action->kind->name, d.error);
		failed[n++] = d;
	}
	if (n)
		run_error_action(m, failed, n, NULL);
}

static void run_sql(struct message *m)
{
	struct rules_outcome o = { 0 };
	int rc = rules_evaluate(m->rule->program, &m->sql, m->run->arena, &limits, &o);
	if (rc == SQL_LATER) {
		add_unknown(m, m->asking.asked);
	} else if (rc) {
		add_failure(m, NULL, o.why);
		run_error_action(m, NULL, 0, o.why);
	} else if (o.outcome != SQL_NO_MATCH)
		run_actions(m, &o);
}

/* -- Lua -- */

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	struct message *m = ctx;
	*out = NULL;
	if (what == LUA_STATE) {
		*out = replay_kept_get(m->set->kept, m->rule->name, a, m->run->arena);
		return SK_OK;
	}
	if (!m->asking.asked)
		m->asking.asked = sk_printf(arena, "%s %s%s%s", what == LUA_SHADOW ? "the shadow of" : "the thing", a, b ? "/" : "", b ? b : "");
	*why = shadow_word;
	return SK_E_UNAVAILABLE;
}

static void add_effect(struct message *m, const struct lua_effect *e)
{
	struct sk_arena *a = m->run->arena;
	switch (e->kind) {
	case LUA_PUBLISH: add(m, REPLAY_DOES, publish_text(a, e->name, &e->message)); break;
	case LUA_ACTION: add(m, REPLAY_DOES, other_text(a, e->name, e->document, e->message.payload, e->message.size)); break;
	case LUA_SET_TIMER:
		add(m, REPLAY_DOES, sk_printf(a, "timer %s in %lld ms %s", e->name, (long long)(e->due_ms - m->m->time_ms),
		                              e->document ? sk_json_print(a, e->document, NULL) : ""));
		break;
	case LUA_CLEAR_TIMER: add(m, REPLAY_DOES, sk_printf(a, "clears the timer %s", e->name)); break;
	case LUA_SET_STATE:
		if (replay_kept_set(m->set->kept, m->rule->name, e->name, e->document, a))
			add_failure(m, NULL, "memory is out");
		break;
	case LUA_LOG: break;
	}
}

/* As document_of() of the broker: the statement's output is what `run` is given. false: the message does not come that far. */
static bool statement_of(struct message *m, const cJSON **document)
{
	struct sql_result result = { 0 };
	*document = m->sql.document;
	if (!m->rule->program)
		return true;
	int rc = sql_run(m->rule->program->program, &m->sql, m->run->arena, &limits, &result);
	if (rc == SQL_LATER)
		add_unknown(m, m->asking.asked);
	else if (rc)
		add_failure(m, NULL, result.why);
	*document = result.outcome == SQL_DOCUMENT ? result.document : NULL;
	return !rc && result.outcome != SQL_NO_MATCH;
}

static void run_lua(struct message *m)
{
	const struct rules_recorded *r = m->m;
	struct lua_world world = { .ctx = m, .ask = ask, .now_ms = r->time_ms };
	struct lua_outcome o = { 0 };
	const cJSON *document;
	memcpy(world.seed, m->sql.seed, sizeof(world.seed));
	if (!statement_of(m, &document))
		return;
	const struct lua_message lm = { .topic = m->sql.topic, .payload = r->payload, .size = r->size, .document = document, .client_id = r->client_id,
		.principal = r->principal, .source_ip = r->source_ip, .qos = r->qos, .retain = r->retain, .properties = r->properties, .properties_size = r->properties_size };
	int rc = lua_rule_run(m->rule->lua, m->rule->index, &lm, &world, m->run->arena, &o);
	if (m->asking.asked)
		add_unknown(m, m->asking.asked);
	else if (rc)
		add_failure(m, NULL, o.why);
	for (const struct lua_effect *e = rc || !o.matched ? NULL : o.effects; e; e = e->next)
		add_effect(m, e);
}

/* -- a message -- */

static void open_message(struct message *m, const char *topic)
{
	const struct rules_recorded *r = m->m;
	struct sk_arena *a = m->run->arena;
	struct sql_message *s = &m->sql;
	*s = (struct sql_message){ .topic = topic, .payload = r->payload, .size = r->size, .client_id = r->client_id, .principal = r->principal,
		.source_ip = r->source_ip, .account = "123456789012", .format = -1, .now_ms = r->time_ms, .world = &m->asking, .look = rules_look, .zone = zone,
		.patterns = &m->run->patterns, .for_people = true };
	memcpy(s->seed, &r->number, sizeof(r->number));
	memcpy(s->seed + sizeof(r->number), &r->time_ms, sizeof(r->time_ms));
	if (r->properties_size)
		rules_headers(a, r->properties, r->properties_size, s);
	s->document = sk_json_parse(a, r->payload, r->size, NULL, NULL);
}

static void run_rule(struct message *m, const struct replay_rule *rule)
{
	struct sk_arena *a = m->run->arena;
	m->rule = rule;
	m->asking = (struct asking){ .run = m->run, .world = { .arena = a, .arn = "arn:aws:iot:us-east-1:123456789012:", .now_ms = m->m->time_ms, .context = &m->asking,
		.record = record, .names = names, .invoke = invoke, .secret = secret } };
	if (rule->lua)
		run_lua(m);
	else
		run_sql(m);
	a->failed = false;
}

static const struct replay_rule *named(const struct replay_set *s, const char *name, size_t n)
{
	for (size_t i = 0; i < s->rules; i++)
		if (strlen(s->rule[i].name) == n && !memcmp(s->rule[i].name, name, n))
			return &s->rule[i];
	return NULL;
}

void replay_message(struct replay_run *r, struct replay_set *s, const struct rules_recorded *recorded, struct replay_actions *out)
{
	static const char basic[] = "$aws/rules/";
	struct message m = { .run = r, .set = s, .m = recorded, .out = out };
	const char *name = strncmp(recorded->topic, basic, sizeof(basic) - 1) ? NULL : recorded->topic + sizeof(basic) - 1;
	size_t n = name ? strcspn(name, "/") : 0, ids = 0;
	*out = (struct replay_actions){ 0 }; /* it was an earlier message's memory */
	open_message(&m, name ? name + n + (name[n] == '/') : recorded->topic);
	const struct replay_rule *only = name ? named(s, name, n) : NULL;
	if (only)
		run_rule(&m, only);
	if (!name)
		ids = rules_filters_match(s->filters, recorded->topic, s->ids, s->rules);
	for (size_t i = 0; i < ids; i++)
		run_rule(&m, &s->rule[s->ids[i]]);
}
