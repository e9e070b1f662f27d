/* rules_rule_fuzz.c -- a topicRulePayload in the first line, a message behind it: compiling, evaluating, republishing and tracing end within their
 * limits, answer the same again, say why in one line when they refuse, and touch neither rule nor message. */
#include <string.h>

#include "rules/rule.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/sql_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 50000, BYTES = 4 << 20, LARGEST_TOPIC = 4096 };

static const struct expr_limits limits = { .steps = STEPS, .bytes = BYTES };

/* What may be published is what MQTT carries, and no reserved topic but of $aws/. */
static void check_republish(const struct rules_republish *out)
{
	size_t n = strlen(out->topic);

	expect(n > 0 && n < LARGEST_TOPIC && sk_utf8_valid(out->topic, n) && !strpbrk(out->topic, "+#"));
	expect(*out->topic != '$' || strncmp(out->topic, "$aws/", 5) == 0);
	expect(!out->retain && (out->qos == 0 || out->qos == 1));
	expect(!out->message.response_topic || (*out->message.response_topic && !strpbrk(out->message.response_topic, "+#")));
	expect(out->message.users <= 100);
	for (size_t i = 0; i < out->message.users; i++)
		expect(out->message.user[i].name && out->message.user[i].value);
}

static void check_delivery(struct sk_arena *a, const struct rules_delivery *d)
{
	struct rules_republish out;

	expect(d->action && d->fields);
	if (d->error || strcmp(d->action->kind->name, "republish") != 0)
		return;
	if (!rules_republish(d, a, &out))
		check_republish(&out);
}

/* All that an outcome says, as text. */
static const char *printed(struct sk_arena *a, int rc, const struct rules_outcome *o)
{
	char *text = sk_printf(a, "%d %d %s %.*s", rc, (int)o->outcome, o->why ? o->why : "", (int)o->size, o->size ? (const char *)o->payload : "");

	expect(rc == SK_OK || rc == SQL_LATER || (rc < 0 && o->why && !o->deliveries));
	for (int i = 0; i < o->deliveries; i++) {
		const struct rules_delivery *d = &o->delivery[i];
		const char *fields = sk_json_print(a, d->fields, NULL);
		check_delivery(a, d);
		text = sk_printf(a, "%s\n%s %s", text, d->error ? d->error : "", fields ? fields : "");
	}
	return text ? text : "";
}

static const char *evaluated(struct sk_arena *a, const struct rules_rule *r, const struct sql_message *m)
{
	struct rules_outcome o, told;
	int rc = rules_evaluate(r, m, a, &limits, &o), error;

	if (rc == SQL_LATER)
		return "later";
	error = rules_evaluate_error(r, m, o.delivery, o.deliveries, o.why, a, &told);
	expect(error != SQL_LATER); /* error actions ask nobody */
	return sk_printf(a, "%s\n%s", printed(a, rc, &o), printed(a, error, &told));
}

static void try(const struct rules_rule *r, const struct sql_message *m, const struct rules_settings *s)
{
	struct sk_arena first = { 0 }, second = { 0 }, people = { 0 };
	const char *before = sk_json_print(&people, m->document, NULL), *one = evaluated(&first, r, m), *two = evaluated(&second, r, m);
	const char *rule = rules_explain(&people, r);
	bool later;

	expect(one && two && strcmp(one, two) == 0);
	rules_trace(r, m, &people, s, &later);
	expect(rule && strcmp(rule, rules_explain(&people, r)) == 0);
	expect(!before || strcmp(before, sk_json_print(&people, m->document, NULL)) == 0);
	sk_arena_free(&first);
	sk_arena_free(&second);
	sk_arena_free(&people);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = memchr(text, '\n', size);
	const struct rules_settings settings = { .strict_aws = size % 11 == 0 };
	size_t n = line ? (size_t)(line - text) : size;
	struct sk_arena a = { 0 }, kept = { 0 };
	const cJSON *payload = sk_json_parse(&a, text, n, NULL, NULL);
	struct sql_message m = world_message(NULL, NULL);
	struct rules_error e;
	const struct rules_rule *r = rules_compile(&kept, "rule", payload, &settings, &e);

	expect(!r == (e.error != 0) && !r == (*e.message != 0));
	expect(!strchr(e.message, '\n') && strlen(e.message) < sizeof e.message);
	m.payload = line ? line + 1 : "";
	m.size = line ? size - n - 1 : 0;
	m.document = sk_json_parse(&a, m.payload, m.size, NULL, NULL);
	if (r)
		try(r, &m, &settings);
	sk_arena_free(&a);
	sk_arena_free(&kept);
	return 0;
}
