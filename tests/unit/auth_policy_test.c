/* auth_policy_test.c -- the compiled policy engine against the sentence of every refusal, a table of known verdicts, and a
 * naive evaluator that substitutes text and matches whole ARNs one character at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "plugins/auth/policy.h"

#define ARN "arn:aws:iot:eu-central-1:123456789012:"
#define COUNT(list) (sizeof(list) / sizeof(list[0]))

/* -- the naive evaluator -- */

static bool naive_glob(const char *p, const char *s)
{
	if (!*p)
		return !*s;
	if (*p == '\x01')
		return naive_glob(p + 1, s) || (*s && naive_glob(p, s + 1));
	return *s && (*p == '\x02' || *p == *s) && naive_glob(p + 1, s + 1);
}

/* false: a variable has no value */
static bool naive_fill(char *out, const char *source, const struct policy_facts *facts)
{
	static const struct {
		const char *name;
		int variable; /* -1: the text itself */
		const char *text;
	} names[] = {
		{ "${iot:ClientId}", POLICY_CLIENT_ID, NULL },
		{ "${iot:Connection.Thing.ThingName}", POLICY_THING_NAME, NULL },
		{ "${*}", -1, "*" }, { "${?}", -1, "?" }, { "${$}", -1, "$" },
	};
	while (*source) {
		size_t i = 0;
		for (; i < 5 && strncmp(source, names[i].name, strlen(names[i].name)); i++)
			;
		if (i == 5) {
			*out++ = *source == '*' ? '\x01' : *source == '?' ? '\x02' : *source;
			source++;
			continue;
		}
		const char *value = names[i].variable < 0 ? names[i].text : facts->variable[names[i].variable];
		if (!value)
			return false;
		out = stpcpy(out, value);
		source += strlen(names[i].name);
	}
	*out = 0;
	return true;
}

static bool naive_action(const char *source, const char *action)
{
	char pattern[200];
	struct policy_facts none = { .variable = { NULL } };

	return naive_fill(pattern, source, &none) && naive_glob(pattern, action);
}

static bool naive_any(const cJSON *node, const char *text, const struct policy_facts *facts)
{
	char pattern[4000];

	if (cJSON_IsArray(node)) {
		SK_JSON_EACH(item, node)
			if (naive_any(item, text, facts))
				return true;
		return false;
	}
	if (!facts)
		return naive_action(node->valuestring, text);
	return naive_fill(pattern, node->valuestring, facts) && naive_glob(pattern, text);
}

/* -1 denied, 1 allowed, 0 nothing said */
static int naive_statement(const cJSON *s, enum policy_action action, const char *arn, const struct policy_facts *facts)
{
	if (!naive_any(sk_json_get(s, "Action"), policy_actions[action].name, NULL))
		return 0;
	if (!naive_any(sk_json_get(s, "Resource"), arn, facts))
		return 0;
	return strcmp(sk_json_text(s, "Effect"), "Deny") ? 1 : -1;
}

static bool naive_allows(const char *json, enum policy_action action, const char *name, const struct policy_facts *facts)
{
	struct sk_arena a = { 0 };
	const cJSON *list = sk_json_get(sk_json_parse(&a, json, strlen(json), NULL, NULL), "Statement");
	char arn[1000];
	int best = 0;

	snprintf(arn, sizeof(arn), ARN "%s%s", policy_kinds[policy_actions[action].kind], name);
	if (cJSON_IsObject(list)) {
		best = naive_statement(list, action, arn, facts);
	} else {
		SK_JSON_EACH(s, list) {
			int said = naive_statement(s, action, arn, facts);
			best = best < 0 || said < 0 ? -1 : best | said;
		}
	}
	sk_arena_free(&a);
	return best > 0;
}

/* -- helpers -- */

/* The same question by the action's name and the whole ARN has the same answer. */
static void check_by_name(const struct policy *p, enum policy_action action, const char *name, const struct policy_facts *facts, bool allowed)
{
	const struct policy *list[] = { p };
	struct policy_bound *b = policy_bind_whole(list, 1, facts);
	char arn[1000];

	assert_non_null(b);
	snprintf(arn, sizeof(arn), ARN "%s%s", policy_kinds[policy_actions[action].kind], name);
	assert_int_equal(policy_check_named(b, list, policy_actions[action].name, arn).allowed, allowed);
	free(b);
}

static bool compiled_allows(const char *json, enum policy_action action, const char *name, const struct policy_facts *facts)
{
	char why[300] = "";
	struct policy *p = policy_new(json, strlen(json), why, sizeof(why));
	const struct policy *list[] = { p };
	struct policy_bound *b;
	bool allowed;

	if (!p)
		fail_msg("%s: %s", json, why);
	b = policy_bind(list, 1, facts, ARN);
	assert_non_null(b);
	allowed = policy_check(b, action, name, strlen(name)).allowed;
	free(b);
	if (!(p->variables & 1u << POLICY_CONNECT_ATTRIBUTES))
		check_by_name(p, action, name, facts, allowed);
	policy_free(&p);
	assert_null(p);
	return allowed;
}

/* -- refusals, word for word -- */

#define ONE(members) "{\"Version\":\"2012-10-17\",\"Statement\":{" members "}}"
#define CONDITION(text) ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":" text)
#define ALLOW(resource) ONE("\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":" resource)

static void refusals_name_the_statement_and_the_reason(void **state)
{
	static const struct {
		const char *json, *why;
	} cases[] = {
		{ "", "the document is not JSON at byte 0" },
		{ "{\"Version\":\"2012-10-17\",}", "the document is not JSON at byte 24" },
		{ "[]", "the document is not a JSON object" },
		{ "{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\"}", "the document is not JSON" },
		{ "{}", "Version must be 2012-10-17" },
		{ "{\"Version\":\"2008-10-17\",\"Statement\":[]}", "Version must be 2012-10-17" },
		{ "{\"Version\":\"2012-10-17\"}", "Statement must be an object or a list of objects" },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":[]}", "Statement must be an object or a list of objects" },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":7}", "Statement must be an object or a list of objects" },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":[7]}", "statement 1: it is not an object" },
		{ "{\"Version\":\"2012-10-17\",\"Statements\":[]}", "Statements is not supported" },
		{ ONE("\"Effect\":\"allow\",\"Action\":\"*\",\"Resource\":\"*\""), "statement 1: Effect must be Allow or Deny" },
		{ ONE("\"Action\":\"*\",\"Resource\":\"*\""), "statement 1: Effect is missing" },
		{ ONE("\"Effect\":\"Allow\",\"Resource\":\"*\""), "statement 1: Action is missing" },
		{ ONE("\"Effect\":\"Allow\",\"Action\":\"*\""), "statement 1: Resource is missing" },
		{ ONE("\"Effect\":\"Allow\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\""), "the document is not JSON" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":[]"), "statement 1: Condition must be an object of operators" },
		{ CONDITION("{\"StringIs\":{\"iot:ClientId\":\"a\"}}"), "statement 1: there is no condition operator StringIs" },
		{ CONDITION("{\"StringEquals\":{}}"), "statement 1: StringEquals must be an object of keys and values" },
		{ CONDITION("{\"StringEquals\":{\"iot:Clientid\":[]}}"), "statement 1: StringEquals has no value for iot:Clientid" },
		{ CONDITION("{\"StringEquals\":{\"iot:Client\":\"a\"}}"), "statement 1: the variable ${iot:Client} is not supported" },
		{ CONDITION("{\"StringEquals\":{\"iot:ClientId\":{}}}"), "statement 1: StringEquals must have a string or a list of strings" },
		{ CONDITION("{\"NumericEquals\":{\"aws:EpochTime\":\"x\"}}"), "statement 1: NumericEquals: x is not a number" },
		{ CONDITION("{\"DateEquals\":{\"aws:CurrentTime\":\"2026-13-01\"}}"), "statement 1: DateEquals: 2026-13-01 is not a date in ISO 8601" },
		{ CONDITION("{\"IpAddress\":{\"aws:SourceIp\":\"1.2.3.4/33\"}}"), "statement 1: IpAddress: 1.2.3.4/33 is not an IP address or a range in CIDR" },
		{ CONDITION("{\"Bool\":{\"iot:Connection.Thing.IsAttached\":\"yes\"}}"), "statement 1: Bool: yes is not true or false" },
		{ CONDITION("{\"BinaryEquals\":{\"iot:ClientId\":\"a\"}}"), "statement 1: BinaryEquals: a is not text in base64" },
		{ CONDITION("{\"Null\":{\"iot:ClientId\":\"${iot:ClientId}\"}}"), "statement 1: Null takes no variables" },
		{ CONDITION("{\"NullIfExists\":{\"iot:ClientId\":\"true\"}}"), "statement 1: there is no condition operator NullIfExists" },
		{ CONDITION("{\"StringLike\":{\"iot:ClientId\":\"${aws:CurrentTime}\"}}"), "statement 1: ${aws:CurrentTime} changes while a client is connected" },
		{ CONDITION("{\"StringLike\":{\"iot:Certificate.Subject.Street\":\"a\"}}"), "statement 1: the variable ${iot:Certificate.Subject.Street} is not supported" },
		{ CONDITION("{\"StringLike\":{\"iot:Certificate.Subject.CommonName.List.5\":\"a\"}}"), "statement 1: the variable ${iot:Certificate.Subject.CommonName.List.5} is not supported" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"NotAction\":\"*\",\"Resource\":\"*\""), "statement 1: Action and NotAction exclude each other" },
		{ ONE("\"Effect\":\"Deny\",\"NotAction\":\"iot:Fly\",\"Resource\":\"*\""), "statement 1: there is no action iot:Fly" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"NotResource\":\"*\""), "statement 1: Resource and NotResource exclude each other" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":[],\"Resource\":\"*\""), "statement 1: Action must be a string or a list of strings" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":[1],\"Resource\":\"*\""), "statement 1: Action must be a string or a list of strings" },
		{ ONE("\"Effect\":\"Allow\",\"Action\":\"Publish\",\"Resource\":\"*\""), "statement 1: Action Publish is not of the form service:Action" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"iot:Publsh\",\"Resource\":\"*\""),
		  "statement 1: there is no action iot:Publsh" },
		{ ONE("\"Effect\":\"Allow\",\"Action\":\"iot:Fly\",\"Resource\":\"*\""), "statement 1: there is no action iot:Fly" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"greengrass:*\",\"Resource\":\"*\""),
		  "statement 1: it denies greengrass:*, which is no action that is checked here" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":[]"), "statement 1: Resource must be a string or a list of strings" },
		{ ONE("\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":{}"), "statement 1: Resource must be a string or a list of strings" },
		{ ALLOW("\"topic/a\""), "statement 1: Resource topic/a is neither an ARN nor *" },
		{ ALLOW("\"*/${aws:UserId}\""), "statement 1: the variable ${aws:UserId} is not supported" },
		{ ALLOW("\"*/${iot:ClientId\""), "statement 1: a variable without its closing brace in ${iot:ClientId" },
		{ ALLOW("\"*/${}\""), "statement 1: the variable ${} is not supported" },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Effect\":\"No\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
		  "statement 2: Effect must be Allow or Deny" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[300] = "";
		struct policy *p = policy_new(cases[i].json, strlen(cases[i].json), why, sizeof(why));
		assert_null(p);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)))
			fail_msg("%s\nanswered %s\nwanted   %s", cases[i].json, why, cases[i].why);
	}
}

static void a_short_why_buffer_is_not_overrun(void **state)
{
	char why[8] = "1234567";

	(void)state;
	assert_null(policy_new("{}", 2, why, 4));
	assert_string_equal(why, "Ver");
	assert_string_equal(why + 4, "567");
}

/* -- known verdicts -- */

static void known_verdicts(void **state)
{
	static const struct {
		const char *resource;
		enum policy_action action;
		const char *name;
		bool allowed;
	} cases[] = {
		{ ARN "topic/a/b", POLICY_Publish, "a/b", true },
		{ ARN "topic/a/b", POLICY_Publish, "a/b/c", false },
		{ ARN "topic/a/b", POLICY_Publish, "a", false },
		{ ARN "topic/a/b", POLICY_Subscribe, "a/b", false },
		{ ARN "topicfilter/a/#", POLICY_Subscribe, "a/#", true },
		{ ARN "topicfilter/a/#", POLICY_Subscribe, "a/b", false },
		{ ARN "topicfilter/a/*", POLICY_Subscribe, "a/#", true },
		{ ARN "topicfilter/a/+", POLICY_Subscribe, "a/+", true },
		{ ARN "topic/*/b", POLICY_Receive, "x/y/b", true },
		{ ARN "topic/*/b", POLICY_Receive, "b", false },
		{ ARN "topic/?/b", POLICY_Receive, "\xc3\xa4/b", true },
		{ ARN "topic/?/b", POLICY_Receive, "ae/b", false },
		{ ARN "topic/${iot:ClientId}", POLICY_Publish, "lamp", true },
		{ ARN "topic/${iot:ClientId}", POLICY_Publish, "valve", false },
		{ ARN "topic/${iot:Connection.Thing.ThingName}", POLICY_Publish, "lamp", false },
		{ ARN "topic/${iot:Connection.Thing.ThingName}", POLICY_Publish, "", false },
		{ ARN "topic/${*}", POLICY_Publish, "*", true },
		{ ARN "topic/${*}", POLICY_Publish, "a", false },
		{ ARN "topic/${?}${$}", POLICY_Publish, "?$", true },
		{ ARN "topic/$aws/things/*", POLICY_Publish, "$aws/things/x/shadow/get", true },
		{ "arn:aws:iot:*:*:topic/a", POLICY_Publish, "a", true },
		{ "arn:aws:iot:*:*:topic/a", POLICY_Publish, "b", false },
		{ "arn:aws:iot:us-east-1:123456789012:topic/a", POLICY_Publish, "a", false },
		{ "arn:aws:iot:eu-central-?:123456789012:topic/a", POLICY_Publish, "a", true },
		{ "*", POLICY_Connect, "x", true },
		{ "*", POLICY_ListRetainedMessages, "", true },
		{ "*/b", POLICY_Publish, "a/b", true },
		{ "*/b", POLICY_Publish, "b", true }, /* ...:topic/b ends with /b */
		{ "*/b", POLICY_Publish, "a", false },
		{ ARN "client/${iot:ClientId}", POLICY_Connect, "lamp", true },
		{ ARN "client/${iot:ClientId}", POLICY_Connect, "lamp2", false },
		{ ARN "thing/lamp/shadow", POLICY_GetThingShadow, "lamp/shadow", true },
	};
	struct policy_facts facts = { .variable = { [POLICY_CLIENT_ID] = "lamp" } };
	char json[500];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(json, sizeof(json), ALLOW("\"%s\""), cases[i].resource);
		if (compiled_allows(json, cases[i].action, cases[i].name, &facts) != cases[i].allowed)
			fail_msg("%s on %s", cases[i].resource, cases[i].name);
	}
}

static void a_client_id_with_wildcards_is_taken_literally(void **state)
{
	const char *json = ALLOW("\"" ARN "topic/${iot:ClientId}/x\"");
	struct policy_facts star = { .variable = { [POLICY_CLIENT_ID] = "*" } }, one = { .variable = { [POLICY_CLIENT_ID] = "?" } };

	(void)state;
	assert_false(compiled_allows(json, POLICY_Publish, "lamp/x", &star));
	assert_true(compiled_allows(json, POLICY_Publish, "*/x", &star));
	assert_false(compiled_allows(json, POLICY_Publish, "a/x", &one));
	/* and a variable's value is not read as a variable again */
	struct policy_facts nested = { .variable = { [POLICY_CLIENT_ID] = "${iot:ClientId}" } };
	assert_true(compiled_allows(json, POLICY_Publish, "${iot:ClientId}/x", &nested));
}

static void actions_match_without_regard_to_case(void **state)
{
	struct policy_facts facts = { .variable = { NULL } };

	(void)state;
	assert_true(compiled_allows(ONE("\"Effect\":\"Allow\",\"Action\":\"IOT:publish\",\"Resource\":\"*\""), POLICY_Publish, "a", &facts));
	assert_true(compiled_allows(ONE("\"Effect\":\"Allow\",\"Action\":\"iot:*Publish\",\"Resource\":\"*\""), POLICY_RetainPublish, "a", &facts));
	assert_false(compiled_allows(ONE("\"Effect\":\"Allow\",\"Action\":\"iot:*Publish\",\"Resource\":\"*\""), POLICY_Receive, "a", &facts));
	assert_false(compiled_allows(ONE("\"Effect\":\"Allow\",\"Action\":\"greengrass:*\",\"Resource\":\"*\""), POLICY_Publish, "a", &facts));
}

static void the_verdict_names_policy_and_statement(void **state)
{
	const char *first = ALLOW("\"" ARN "topic/a\"");
	const char *second = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"*\"},"
	                     "{\"Sid\":\"no\",\"Effect\":\"Deny\",\"Action\":\"iot:Publish\",\"Resource\":\"" ARN "topic/b\"}]}";
	struct policy *one = policy_new(first, strlen(first), NULL, 0), *two = policy_new(second, strlen(second), NULL, 0);
	const struct policy *list[] = { one, two };
	struct policy_facts facts = { .variable = { NULL } };
	struct policy_bound *b = policy_bind(list, 2, &facts, ARN);
	struct policy_verdict v = policy_check(b, POLICY_Publish, "b", 1);

	(void)state;
	assert_false(v.allowed);
	assert_int_equal(v.why->policy, 1);
	assert_int_equal(v.why->statement, 2);
	v = policy_check(b, POLICY_Publish, "a", 1);
	assert_true(v.allowed);
	assert_int_equal(v.why->policy, 0);
	v = policy_check(b, POLICY_Connect, "a", 1);
	assert_false(v.allowed);
	assert_null(v.why);
	free(b);
	policy_free(&one);
	policy_free(&two);
}

static const char *fields(const void *context, enum policy_variable kind, const char *name)
{
	(void)context;
	return kind == POLICY_CERTIFICATE && !strcmp(name, "Subject.CommonName") ? "a+b" : NULL;
}

/* Is it allowed, with everything allowed beside a Deny? */
static bool decided(const char *effect, const char *statement)
{
	struct policy_facts facts = { .variable = { [POLICY_CLIENT_ID] = "lamp" }, .named = fields };
	char json[1000];

	snprintf(json, sizeof(json), "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"*\"},"
	         "{\"Effect\":\"%s\",\"Action\":\"iot:Publish\",%s}]}", *effect == 'D' ? "*" : "iot:Connect", effect, statement);
	return compiled_allows(json, POLICY_Publish, "x", &facts);
}

/* Neither does an Allow apply because a variable has no value, nor does a Deny get weaker by it. */
static void what_has_no_value_never_helps(void **state)
{
	static const char *const uncertain[] = {
		"\"NotResource\":\"" ARN "topic/${iot:Certificate.Subject.State}\"",
		"\"NotResource\":[\"" ARN "topic/y\",\"" ARN "topic/${iot:Certificate.Subject.CommonName}\"]",
		"\"Resource\":\"*\",\"Condition\":{\"StringNotEquals\":{\"iot:ClientId\":\"${iot:Certificate.Subject.State}\"}}",
		"\"Resource\":\"*\",\"Condition\":{\"StringNotLike\":{\"iot:ClientId\":[\"x\",\"${iot:Certificate.Subject.CommonName}\"]}}",
		"\"Resource\":\"*\",\"Condition\":{\"NumericNotEquals\":{\"iot:DomainName\":\"${iot:ClientId}\"}}",
		"\"Resource\":\"*\",\"Condition\":{\"ForAllValues:StringNotEquals\":{\"iot:ClientId\":\"${iot:DomainName}\"}}",
	};
	static const char *const certain[] = {
		"\"Resource\":[\"" ARN "topic/${iot:Certificate.Subject.State}\",\"" ARN "topic/x\"]",
		"\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"iot:ClientId\":[\"${iot:Certificate.Subject.State}\",\"lamp\"]}}",
		"\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"iot:Certificate.Subject.CommonName\":\"a+b\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(uncertain); i++)
		if (decided("Allow", uncertain[i]) || decided("Deny", uncertain[i]))
			fail_msg("%s", uncertain[i]);
	for (size_t i = 0; i < COUNT(certain); i++)
		if (!decided("Allow", certain[i]) || decided("Deny", certain[i]))
			fail_msg("%s", certain[i]);
	assert_false(decided("Allow", "\"Resource\":\"" ARN "topic/${iot:Certificate.Subject.CommonName}\""));
}

static void no_policy_at_all_denies(void **state)
{
	struct policy_facts facts = { .variable = { NULL } };
	struct policy_bound *b = policy_bind(NULL, 0, &facts, ARN);

	(void)state;
	assert_non_null(b);
	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		assert_false(policy_check(b, (enum policy_action)i, "a", 1).allowed);
	free(b);
}

/* -- against the naive evaluator -- */

static const char *const resources[] = {
	"*", ARN "*", ARN "topic/*", ARN "topic/a", ARN "topic/a/*", ARN "topic/*/b", ARN "topic/a?", ARN "topic/?*", ARN "topic/a*b*c",
	"arn:aws:iot:*:*:topic/a", "arn:*:topic/*", "arn:aws:iot:*:topic*/a", "arn:*a", "*:topic/a", "*/a", "*topic*", "**a**",
	ARN "t*/a", ARN "topic?ilter/a", ARN "topicfilter/a/#", ARN "topicfilter/+/b", ARN "topicfilter/*", ARN "client/*",
	ARN "client/${iot:ClientId}", ARN "topic/${iot:ClientId}/*", ARN "topic/${iot:Connection.Thing.ThingName}/?",
	ARN "topic*/${iot:ClientId}${iot:ClientId}", ARN "topic/${*}${?}${$}", "arn:aws:iot:us-east-1:123456789012:topic/*", "arn:aws:iot:e?-central-1:*:*",
	ARN, ARN "topic", ARN "topic/", ARN "client/*${iot:Connection.Thing.ThingName}*",
};
static const char *const names[] = {
	"", "a", "b", "aa", "a/b", "a/b/c", "abc", "aXbXc", "a/#", "+/b", "topic/a", "x:topic/a", "lamp", "lamp/a", "lamp/ab", "lamplamp", "*?$", "a/topic/a",
};
static const enum policy_action asked[] = { POLICY_Connect, POLICY_Publish, POLICY_RetainPublish, POLICY_Subscribe, POLICY_Receive };
static const char *const actions[] = { "*", "iot:*", "iot:Publish", "iot:Connect", "iot:Su*be", "iot:Rec????", "iot:*Publish" };

static unsigned next(unsigned *seed)
{
	return (*seed = *seed * 1103515245u + 12345u) >> 16;
}

/* Verdicts stay the same whatever was favoured before. */
static int compare(const char *json, const struct policy_facts *facts)
{
	struct policy *p = policy_new(json, strlen(json), NULL, 0);
	const struct policy *list[] = { p };
	struct policy_bound *b = policy_bind(list, 1, facts, ARN);
	int allowed = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		for (size_t k = 0; k < COUNT(asked); k++) {
			struct policy_verdict v = policy_check(b, asked[k], names[i], strlen(names[i]));
			bool mine = v.allowed;
			allowed += mine;
			if (mine)
				policy_favour(b, v.why);
			if (mine != naive_allows(json, asked[k], names[i], facts))
				fail_msg("%s\n%s %s: compiled says %d", json, policy_actions[asked[k]].name, names[i], mine);
		}
	}
	free(b);
	policy_free(&p);
	return allowed;
}

static void every_resource_agrees_with_the_naive_evaluator(void **state)
{
	static const struct policy_facts facts[] = { { .variable = { "lamp", "lamp" } }, { .variable = { "lamp", NULL } }, { .variable = { "", "" } } };
	int allowed = 0;
	char json[500];

	(void)state;
	for (size_t i = 0; i < COUNT(resources); i++) {
		for (size_t f = 0; f < COUNT(facts); f++) {
			snprintf(json, sizeof(json), ALLOW("\"%s\""), resources[i]);
			allowed += compare(json, &facts[f]);
		}
	}
	assert_in_range(allowed, 500, 5000);
}

static void random_documents_agree_with_the_naive_evaluator(void **state)
{
	unsigned seed = 7;
	int allowed = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct policy_facts facts = { .variable = { "lamp", next(&seed) % 2 ? "lamp" : NULL } };
		char json[4000], *at = json;
		int statements = 1 + (int)(next(&seed) % 4);

		at += sprintf(at, "{\"Version\":\"2012-10-17\",\"Statement\":[");
		for (int i = 0; i < statements; i++) {
			at += sprintf(at, "%s{\"Effect\":\"%s\",\"Action\":[\"%s\",\"%s\"],\"Resource\":[\"%s\",\"%s\"]}", i ? "," : "",
			              next(&seed) % 3 ? "Allow" : "Deny", actions[next(&seed) % COUNT(actions)],
			              actions[next(&seed) % COUNT(actions)], resources[next(&seed) % COUNT(resources)],
			              resources[next(&seed) % COUNT(resources)]);
		}
		sprintf(at, "]}");
		allowed += compare(json, &facts);
	}
	assert_in_range(allowed, 1000, 30000);
}

static void memory_that_runs_out_is_an_error(void **state)
{
	const char *json = ALLOW("[\"*\",\"" ARN "topic/${iot:ClientId}\"]");
	int refused = 0;

	(void)state;
	for (long n = 1; n < 6; n++) {
		char why[100] = "";
		sk_arena_fail_after(n);
		struct policy *p = policy_new(json, strlen(json), why, sizeof(why));
		sk_arena_fail_after(0);
		if (!p) {
			refused++;
			assert_true(strstr(why, "memory") != NULL);
		}
		policy_free(&p);
	}
	assert_in_range(refused, 1, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_name_the_statement_and_the_reason),
		cmocka_unit_test(a_short_why_buffer_is_not_overrun),
		cmocka_unit_test(known_verdicts),
		cmocka_unit_test(a_client_id_with_wildcards_is_taken_literally),
		cmocka_unit_test(actions_match_without_regard_to_case),
		cmocka_unit_test(the_verdict_names_policy_and_statement),
		cmocka_unit_test(what_has_no_value_never_helps),
		cmocka_unit_test(no_policy_at_all_denies),
		cmocka_unit_test(every_resource_agrees_with_the_naive_evaluator),
		cmocka_unit_test(random_documents_agree_with_the_naive_evaluator),
		cmocka_unit_test(memory_that_runs_out_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
