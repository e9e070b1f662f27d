/* rules_destinations_test.c -- destinations through their own rows, on a fake runtime with forced misses: tokens, statuses, time limits, rules that bring
 * theirs along; and which URLs are below which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "core/digest.h"
#include "plugins/rules/destinations.h"
#include "plugins/rules/files.h"
#include "plugins/rules/rules.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/rules/rules.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

/* -- what the plugin's threads know, here: nothing -- */

bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	(void)state, (void)name, (void)a, (void)rule;
	return false;
}

void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	(void)state, (void)a, (void)fn, (void)ctx;
}

/* -- */

static struct rules_state state;

static int setup(void **at)
{
	struct fake *f = *at = fake_new();

	state = (struct rules_state){ .most_rules = 3, .account = "123456789012" };
	f->state = &state;
	fake_add_shapes(f, shapes);
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static int call(struct fake *f, const char *op, const char *input)
{
	const struct sk_op_group *group = strstr(op, "Destination") ? &destinations_group : &topic_rules_group;

	return fake_op(f, group, op, input);
}

#define OK(op, ...) \
	do { \
		char input_[600]; \
		snprintf(input_, sizeof input_, __VA_ARGS__); \
		if (call(f, op, input_) != SK_OK) \
			fail_msg("%s", f->message); \
	} while (0)
#define REFUSED(op, code, part, ...) \
	do { \
		char input_[600]; \
		snprintf(input_, sizeof input_, __VA_ARGS__); \
		assert_int_equal(call(f, op, input_), code); \
		if (!strstr(f->message, part)) \
			fail_msg("%s", f->message); \
	} while (0)

struct made {
	char arn[128], id[DESTINATION_ID + 1], token[80];
};

/* What the event that asks says. */
static void asked(struct fake *f, struct made *m)
{
	const struct fake_effect *e = fake_effect(f, FAKE_EMIT, 0);
	struct sk_arena a = { 0 };

	assert_non_null(e);
	assert_string_equal(e->name, DESTINATION_EVENT_CONFIRM);
	const cJSON *in = sk_json_parse(&a, e->text, e->size, NULL, NULL);
	snprintf(m->token, sizeof m->token, "%s", sk_json_text(in, "token"));
	snprintf(m->id, sizeof m->id, "%s", sk_json_text(in, "destinationId"));
	snprintf(m->arn, sizeof m->arn, "arn:aws:iot:us-east-1:123456789012:ruledestination/http/%s", m->id);
	assert_int_equal(strlen(m->token), 64);
	sk_arena_free(&a);
}

static struct made make(struct fake *f, const char *url)
{
	struct made m;

	OK("CreateTopicRuleDestination", "{'destinationConfiguration':{'httpUrlConfiguration':{'confirmationUrl':'%s'}}}", url);
	asked(f, &m);
	assert_string_equal(sk_json_text(sk_json_get(f->out, "topicRuleDestination"), "arn"), m.arn);
	return m;
}

static const char *status(struct fake *f, const struct made *m)
{
	OK("GetTopicRuleDestination", "{'arn':'%s'}", m->arn);
	return sk_json_text(sk_json_get(f->out, "topicRuleDestination"), "status");
}

static const char *reason(struct fake *f, const struct made *m)
{
	OK("GetTopicRuleDestination", "{'arn':'%s'}", m->arn);
	return sk_json_text(sk_json_get(f->out, "topicRuleDestination"), "statusReason");
}

/* Whoever has the store has no token. */
static void no_record_holds_a_token(void **at)
{
	struct fake *f = *at;
	struct made m = make(f, "https://a/b");
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1], key[120];

	sk_digest(m.token, strlen(m.token), hash);
	sk_hex(hash, sizeof hash, hex);
	snprintf(key, sizeof key, "registry/destination/%s", m.id);
	assert_non_null(strstr(fake_get(f, key), hex));
	assert_null(strstr(fake_get(f, key), m.token));
	snprintf(key, sizeof key, "registry/destination-token/%s", hex);
	assert_non_null(strstr(fake_get(f, key), m.id));
	OK("ListTopicRuleDestinations", "{}");
	struct sk_arena a = { 0 };
	const char *list = sk_json_print(&a, f->out, NULL);
	assert_null(strstr(list, m.token));
	assert_null(strstr(list, hex));
	sk_arena_free(&a);
	REFUSED("ConfirmTopicRuleDestination", SK_E_INVALID_REQUEST, "invalid", "{'confirmationToken':'%s'}", hex);
	OK("ConfirmTopicRuleDestination", "{'confirmationToken':'%s'}", m.token);
	assert_string_equal(status(f, &m), "ENABLED");
}

static void a_question_that_is_asked_again_has_another_token(void **at)
{
	struct fake *f = *at;
	struct made m = make(f, "https://a/b"), first = m;

	OK("UpdateTopicRuleDestination", "{'arn':'%s','status':'IN_PROGRESS'}", m.arn);
	asked(f, &m);
	assert_string_not_equal(m.token, first.token);
	assert_int_equal(fake_count(f, "registry/destination-token/"), 1);
	REFUSED("ConfirmTopicRuleDestination", SK_E_INVALID_REQUEST, "invalid", "{'confirmationToken':'%s'}", first.token);
	OK("ConfirmTopicRuleDestination", "{'confirmationToken':'%s'}", m.token);
	assert_int_equal(fake_effect(f, FAKE_TIMER_CLEAR, 0) != NULL, 1);
	OK("UpdateTopicRuleDestination", "{'arn':'%s','status':'DISABLED'}", m.arn);
	OK("ConfirmTopicRuleDestination", "{'confirmationToken':'%s'}", m.token);
	assert_string_equal(status(f, &m), "DISABLED"); /* the link does not switch on what somebody has switched off */
}

static void who_does_not_confirm_within_three_days_is_late(void **at)
{
	struct fake *f = *at;
	struct made m = make(f, "https://a/b");
	char in[100];

	assert_int_equal(fake_effect(f, FAKE_TIMER_SET, 0)->due_ms, f->now_ms + 3 * 86400 * 1000);
	assert_string_equal(fake_effect(f, FAKE_TIMER_SET, 0)->also, DESTINATION_EVENT_LATE);
	snprintf(in, sizeof in, "{'timer':'x','destinationId':'%s'}", m.id);
	assert_int_equal(fake_handler(f, destinations_on_late, "registry", in), SK_OK);
	assert_string_equal(status(f, &m), "ERROR");
	assert_non_null(strstr(reason(f, &m), "timed out"));
	REFUSED("ConfirmTopicRuleDestination", SK_E_INVALID_REQUEST, "too late", "{'confirmationToken':'%s'}", m.token);
	REFUSED("UpdateTopicRuleDestination", SK_E_INVALID_REQUEST, "not been confirmed", "{'arn':'%s','status':'ENABLED'}", m.arn);
	OK("UpdateTopicRuleDestination", "{'arn':'%s','status':'IN_PROGRESS'}", m.arn);
	asked(f, &m);
	OK("ConfirmTopicRuleDestination", "{'confirmationToken':'%s'}", m.token);
	assert_int_equal(fake_handler(f, destinations_on_late, "registry", in), SK_OK);
	assert_string_equal(status(f, &m), "ENABLED");
	OK("DeleteTopicRuleDestination", "{'arn':'%s'}", m.arn);
	assert_int_equal(fake_handler(f, destinations_on_late, "registry", in), SK_OK);
	assert_int_equal(fake_count(f, "registry/destination/") + fake_count(f, "registry/destination-token/") + fake_count(f, "registry/destination-url/"), 0);
}

static void why_nobody_could_be_asked_is_told_of_this_question(void **at)
{
	struct fake *f = *at;
	struct made m = make(f, "https://a/b");
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1], in[300];

	snprintf(in, sizeof in, "{'destinationId':'%s','digest':'old','why':'404: no'}", m.id);
	assert_int_equal(fake_handler(f, destinations_on_unsent, "registry", in), SK_OK);
	assert_non_null(strstr(reason(f, &m), "no response received"));
	sk_digest(m.token, strlen(m.token), hash);
	sk_hex(hash, sizeof hash, hex);
	snprintf(in, sizeof in, "{'destinationId':'%s','digest':'%s','why':'404: no'}", m.id, hex);
	assert_int_equal(fake_handler(f, destinations_on_unsent, "registry", in), SK_OK);
	assert_string_equal(reason(f, &m), "Awaiting confirmation. The confirmation message could not be delivered: 404: no");
	OK("ConfirmTopicRuleDestination", "{'confirmationToken':'%s'}", m.token);
	assert_int_equal(fake_handler(f, destinations_on_unsent, "registry", in), SK_OK);
	assert_null(reason(f, &m));
}

static void rule(struct fake *f, const char *op, const char *name, const char *fields, int rc, const char *part)
{
	char input[900];

	snprintf(input, sizeof input, "{'ruleName':'%s','topicRulePayload':{'sql':'SELECT 1 AS a','actions':[{'http':{%s}}]}}", name, fields);
	for (char *s = input; *s; s++)
		*s = *s == '\'' ? '"' : *s;
	assert_int_equal(call(f, op, input), rc);
	if (part && !strstr(f->message, part))
		fail_msg("%s", f->message);
}

static void a_rule_brings_its_destination_along(void **at)
{
	struct fake *f = *at;
	struct made m;

	rule(f, "CreateTopicRule", "a", "'url':'https://a/b'", SK_OK, NULL);
	asked(f, &m);
	assert_string_equal(status(f, &m), "IN_PROGRESS");
	rule(f, "CreateTopicRule", "b", "'url':'https://a/b/${x}','confirmationUrl':'https://a/b'", SK_OK, NULL);
	rule(f, "ReplaceTopicRule", "a", "'url':'https://a/b/c','confirmationUrl':'https://a/b'", SK_OK, NULL);
	rule(f, "ReplaceTopicRule", "a", "'url':'https://a/${x}','confirmationUrl':'https://a/${x}'", SK_OK, NULL);
	assert_int_equal(fake_count(f, "registry/destination/"), 1);
	rule(f, "CreateTopicRule", "c", "'url':'https://a/${x}'", SK_E_INVALID_REQUEST, "needs a confirmationUrl");
	rule(f, "CreateTopicRule", "c", "'url':'https://a/b','confirmationUrl':'https://a/c'", SK_E_INVALID_REQUEST, "does not begin with");
	rule(f, "CreateTopicRule", "c", "'url':'https://b/${x}','confirmationUrl':'https://a/'", SK_E_INVALID_REQUEST, "does not begin with");
	rule(f, "CreateTopicRule", "c", "'url':'ftp://a'", SK_E_INVALID_REQUEST, "actions[0].http: it begins with neither");
	assert_int_equal(fake_count(f, "registry/destination/"), 1);
	state.destinations = DESTINATIONS_ANY;
	rule(f, "CreateTopicRule", "c", "'url':'https://a/${x}'", SK_OK, NULL);
	assert_int_equal(fake_count(f, "registry/destination/"), 1);
}

static void there_are_so_many_and_no_more(void **at)
{
	struct fake *f = *at;
	struct made m = make(f, "https://a/1");

	make(f, "https://a/2");
	make(f, "https://a/3");
	REFUSED("CreateTopicRuleDestination", SK_E_INVALID_REQUEST, "at most 3", "{'destinationConfiguration':{'httpUrlConfiguration':{'confirmationUrl':'https://a/4'}}}");
	REFUSED("CreateTopicRuleDestination", SK_E_ALREADY_EXISTS, "already exists", "{'destinationConfiguration':{'httpUrlConfiguration':{'confirmationUrl':'https://a/2'}}}");
	OK("DeleteTopicRuleDestination", "{'arn':'%s'}", m.arn);
	make(f, "https://a/4");
	rule(f, "CreateTopicRule", "full", "'url':'https://a/5'", SK_OK, NULL);
	assert_int_equal(fake_count(f, "registry/destination/"), 3);
}

/* -- URLs -- */

static void urls_are_below_one_another(void **at)
{
	static const struct { const char *url, *base; bool below; } cases[] = {
		{ "https://a/b", "https://a/b", true }, { "https://a/b/c", "https://a/b", true }, { "https://a/b/", "https://a/b/", true }, { "https://a/b/c", "https://a/b/", true },
		{ "https://a/b?c", "https://a/b", true }, { "https://a", "https://a", true }, { "https://a/x", "https://a", true }, { "https://a?x", "https://a", true },
		{ "https://a/?k=1&l=2", "https://a/?k=1", true }, { "https://a/b/c..d/...", "https://a/b", true }, { "https://a/b?/../c", "https://a/b", true },
		{ "https://a/bc", "https://a/b", false }, { "https://ab", "https://a", false }, { "https://a.evil/", "https://a", false }, { "https://a@evil/", "https://a", false },
		{ "https://a:1/", "https://a", false }, { "https://a#x", "https://a", false }, { "https://a/?k=12", "https://a/?k=1", false }, { "https://a/", "https://a/b", false },
		{ "https://a/b/../c", "https://a/b", false }, { "https://a/b/..", "https://a/b", false }, { "https://a/b/./c", "https://a/b", false }, { "https://a/b/%2e./c", "https://a/b/", false },
		{ "https://a/b/.%2E?x", "https://a/b", false }, { "https://a/b/x\\..\\c", "https://a/b", false }, { "https://a/b/../c", "https://a/b/", false }, { "", "", false }, { "x", "", false },
	};

	(void)at;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (destination_is_below(cases[i].url, cases[i].base) != cases[i].below)
			fail_msg("%s below %s: %d", cases[i].url, cases[i].base, !cases[i].below);
}

static void a_url_names_a_host_and_nobody_else(void **at)
{
	static const char *const good[] = { "https://a", "HTTP://a.b:80/c?d=e&f=%20", "http://[::1]:8080/", "https://a/@b:c" };
	static const char *const bad[] = { "", "a", "https://", "https:///a", "https://:1/", "http://?a", "https://u@a/", "https://u:p@a", "https://a/#", "https://a/ ", "https://a/\x7f",
		"https://a/\xc3\xa4", "https://a/\n", "ftp://a", "https:/a", "https://a\\b", "https://a/${x}", "javascript:x" };

	(void)at;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (destination_url_fault(good[i]))
			fail_msg("%s: %s", good[i], destination_url_fault(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!destination_url_fault(bad[i]))
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_record_holds_a_token, setup, teardown),
		cmocka_unit_test_setup_teardown(a_question_that_is_asked_again_has_another_token, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_confirm_within_three_days_is_late, setup, teardown),
		cmocka_unit_test_setup_teardown(why_nobody_could_be_asked_is_told_of_this_question, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rule_brings_its_destination_along, setup, teardown),
		cmocka_unit_test_setup_teardown(there_are_so_many_and_no_more, setup, teardown),
		cmocka_unit_test(urls_are_below_one_another),
		cmocka_unit_test(a_url_names_a_host_and_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
