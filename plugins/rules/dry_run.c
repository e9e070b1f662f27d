/* dry_run.c -- a message through a rule, stored or only proposed: what would be chosen, clause by clause, and what would be done with it.
 *
 * Nothing is carried out: no action, no function. What the statement asks of shadows and the registry is read as it is stored now. */
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/plugin.h"
#include "core/topic.h"
#include "plugins/rules/call_world.h"
#include "plugins/rules/rules.h"
#include "plugins/rules/topic_rules.h"
#include "rules/look.h"

#define OPS_FILE "plugins/rules/dry_run.ops"
#define OPS_GROUP dry_run
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

/* -- the world -- */

static int no_function(void *context, const char *arn, const cJSON *input, const cJSON **answer, const char **why)
{
	(void)context, (void)arn, (void)input, (void)answer;
	*why = "a dry run runs no function";
	return SK_E_UNAVAILABLE;
}

/* -- the message -- */

static int read_payload(struct sk_call *c, struct sql_message *m)
{
	const char *text = sk_json_text(c->in, "payload"), *base64 = sk_json_text(c->in, "payloadBase64");
	size_t n = base64 ? strlen(base64) : 0;
	unsigned char *bytes = base64 ? sk_alloc(c->arena, n + 1) : NULL;
	long size = bytes ? sk_base64_decode(base64, n, bytes) : 0;

	if (text && base64)
		return sk_fail(c, SK_E_INVALID_REQUEST, "payload and payloadBase64 exclude each other");
	if (size < 0)
		return sk_fail(c, SK_E_INVALID_REQUEST, "payloadBase64 is not base64");
	m->payload = base64 ? (const void *)bytes : text ? text : "";
	m->size = base64 ? (size_t)size : text ? strlen(text) : 0;
	m->document = m->payload ? sk_json_parse(c->arena, m->payload, m->size, NULL, NULL) : NULL;
	return SK_OK;
}

static const struct sql_property *user_properties(struct sk_call *c, const cJSON *list)
{
	struct sql_property *user = sk_alloc(c->arena, ((size_t)sk_json_count(list) + 1) * sizeof(*user));
	int n = 0;

	if (user)
		SK_JSON_EACH(one, list)
			user[n++] = (struct sql_property){ sk_json_text(one, "key"), sk_json_text(one, "value") };
	return user;
}

static int read_headers(struct sk_call *c, struct sql_message *m)
{
	const cJSON *headers = sk_json_get(c->in, "headers");
	const char *format = sk_json_text(headers, "payloadFormatIndicator"), *correlation = sk_json_text(headers, "correlationData");
	unsigned char *bytes = correlation ? sk_alloc(c->arena, strlen(correlation) + 1) : NULL;
	long size = bytes ? sk_base64_decode(correlation, strlen(correlation), bytes) : 0;

	if (size < 0)
		return sk_fail(c, SK_E_INVALID_REQUEST, "headers.correlationData is not base64");
	m->format = !format ? -1 : !strcmp(format, "UTF8_DATA");
	m->content_type = sk_json_text(headers, "contentType");
	m->response_topic = sk_json_text(headers, "responseTopic");
	m->correlation = bytes;
	m->correlation_size = (size_t)size;
	m->user = user_properties(c, sk_json_get(headers, "userProperties"));
	return SK_OK;
}

static int read_message(struct sk_call *c, struct sql_message *m)
{
	const struct rules_state *s = c->state;
	int rc = read_payload(c, m);

	m->client_id = sk_json_text(c->in, "clientId");
	m->principal = sk_json_text(c->in, "principal");
	m->source_ip = sk_json_text(c->in, "sourceIp");
	m->account = s->account;
	m->trace_id = sk_uuid(c);
	m->now_ms = c->now_ms;
	sk_random(c, m->seed, sizeof(m->seed));
	return rc ? rc : read_headers(c, m);
}

/* -- the topic -- */

/* What is behind $aws/rules/NAME/, for this rule alone; NULL: it is another topic. */
static const char *basic_ingest(struct sk_call *c, const char *name, const char *topic)
{
	const char *head = sk_printf(c->arena, "$aws/rules/%s/", name);
	size_t n = head ? strlen(head) : 0;

	return n && !strncmp(topic, head, n) ? topic + n : NULL;
}

/* Whose message would it be? *why: not this rule's. A filter without wildcards is its own topic. */
static int find_topic(struct sk_call *c, const struct rules_rule *rule, const char **topic, const char **why)
{
	const char *given = sk_json_text(c->in, "topic"), *filter = rule->filter, *basic = given ? basic_ingest(c, rule->name, given) : NULL;

	if (!given && (!filter || strpbrk(filter, "+#")))
		return sk_fail(c, SK_E_INVALID_REQUEST, "topic is missing: the rule's filter %s is not one topic", filter ? filter : "(none)");
	*topic = basic ? basic : given ? given : filter;
	*why = NULL;
	if (given && !basic && !filter)
		*why = sk_printf(c->arena, "the rule has no FROM: only messages to $aws/rules/%s/... reach it", rule->name);
	else if (given && !basic && !sk_topic_filter_matches(filter, given))
		*why = sk_printf(c->arena, "the topic %s does not match the filter %s", given, filter);
	return SK_OK;
}

static void answer_unmatched(struct sk_call *c, const char *why)
{
	sk_json_set_bool(c->arena, c->out, "matched", false);
	sk_json_set_array(c->arena, c->out, "clauses");
	sk_json_set_array(c->arena, c->out, "actions");
	sk_json_set_string(c->arena, c->out, "error", why);
}

/* A proposed payload goes before what is stored. NULL: *rc says why. */
static const struct rules_rule *find_rule(struct sk_call *c, const char *name, int *rc)
{
	const cJSON *proposed = sk_json_get(c->in, "topicRulePayload"), *payload = proposed ? proposed : topic_rule_payload(c, name);

	if (payload && sk_json_text(payload, "sql"))
		return topic_rule_compile(c, name, payload, rc);
	*rc = payload ? sk_fail(c, SK_E_INVALID_REQUEST, "Rule %s is Lua, made by the file %s: its own tests try it", name, sk_json_text(payload, "file"))
	              : sk_fail(c, SK_E_NOT_FOUND, "Rule %s does not exist, and no topicRulePayload is given", name);
	return NULL;
}

/* What would fail for want of somebody who does it. */
static void foretell(struct sk_call *c, const struct rules_rule *rule)
{
	const struct rules_state *s = c->state;
	cJSON *shown = sk_json_get(c->out, "actions") ? sk_json_get(c->out, "actions")->child : NULL;

	for (int i = 0; i < rule->actions && shown; i++, shown = shown->next)
		if (!sk_json_get(shown, "error"))
			sk_json_set_string(c->arena, shown, "error", action_unserved(&rule->action[i], s->sinks, c->arena));
}

static int DryRunTopicRule(struct sk_call *c)
{
	const struct rules_state *s = c->state;
	const char *name = sk_json_text(c->in, "ruleName"), *why = NULL;
	struct rules_world world = call_world(c);
	const struct rules_settings settings = { .strict_aws = s->strict_aws };
	struct sql_message m = { .world = &world, .look = rules_look, .zone = call_world_zone };
	bool later = false;
	int rc = SK_OK;

	world.invoke = no_function;
	const struct rules_rule *rule = find_rule(c, name, &rc);

	if (!rc)
		rc = find_topic(c, rule, &m.topic, &why);
	if (!rc)
		rc = read_message(c, &m);
	if (rc)
		return rc;
	if (why) {
		answer_unmatched(c, why);
		return SK_OK;
	}
	const cJSON *trace = rules_trace(rule, &m, c->arena, &settings, &later);
	SK_JSON_EACH(member, trace)
		sk_json_set(c->arena, c->out, member->string, sk_json_copy(c->arena, member));
	foretell(c, rule);
	return trace || later ? SK_OK : sk_fail(c, SK_E_UNAVAILABLE, "memory is out");
}
