/* cli_suggest_test.c -- a policy from what was done and refused, and the flags of verbs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli/flags.h"
#include "cli/suggest.h"

#define VAR "${iot:ClientId}"

static struct sk_arena arena;

static struct suggest begin(void)
{
	sk_arena_reset(&arena, 0);
	return (struct suggest){ .arena = &arena, .arn = "A" };
}

static void add(struct suggest *s, const char *activity)
{
	cJSON *list = sk_json_parse(&arena, activity, strlen(activity), NULL, NULL);
	assert_non_null(list);
	suggest_add(s, list, "lamp", VAR);
}

static void expect(struct suggest *s, const char *statements)
{
	char all[4000];
	const char *got = sk_json_print(&arena, suggest_document(s), NULL);
	snprintf(all, sizeof(all), "{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statements);
	assert_string_equal(got, all);
}

#define ALLOW(action, resource) "{\"Effect\":\"Allow\",\"Action\":\"iot:" action "\",\"Resource\":" resource "}"

static void what_was_done_is_allowed_and_no_more(void **state)
{
	struct suggest s = begin();
	(void)state;
	add(&s, "[{\"action\":\"iot:Publish\",\"topic\":\"home/lamp/state\",\"allowed\":true},"
		"{\"action\":\"iot:Subscribe\",\"topicFilter\":\"$aws/things/lamp/shadow/+/accepted\",\"allowed\":true},"
		"{\"action\":\"iot:Subscribe\",\"topicFilter\":\"$share/g/jobs/#\",\"allowed\":true},"
		"{\"action\":\"iot:Publish\",\"topic\":\"home/lamp/state\",\"allowed\":true},"
		"{\"action\":\"iot:Publish\",\"topic\":\"alamp/lampb\",\"allowed\":true},"
		"{\"action\":\"iot:Connect\",\"clientId\":\"lamp\",\"allowed\":true}]");
	expect(&s, ALLOW("Connect", "\"A:client/" VAR "\"") "," ALLOW("Publish", "[\"A:topic/alamp/lampb\",\"A:topic/home/" VAR "/state\"]") ","
		ALLOW("Subscribe", "[\"A:topicfilter/$aws/things/" VAR "/shadow/+/accepted\",\"A:topicfilter/jobs/#\"]") ","
		ALLOW("Receive", "[\"A:topic/$aws/things/" VAR "/shadow/*/accepted\",\"A:topic/jobs/*\"]"));
	assert_int_equal(sk_json_count(s.remarks), 0);
}

static void what_was_refused_is_remarked_and_can_be_left_out(void **state)
{
	static const char deed[] = "[{\"action\":\"iot:Publish\",\"topic\":\"x\",\"allowed\":true},{\"action\":\"iot:Publish\",\"topic\":\"secret\",\"allowed\":false}]";
	struct suggest s = begin();
	(void)state;
	add(&s, deed);
	expect(&s, ALLOW("Publish", "[\"A:topic/secret\",\"A:topic/x\"]"));
	assert_string_equal(s.remarks->child->valuestring, "iot:Publish secret was refused");
	s = begin();
	s.without_refused = true;
	add(&s, deed);
	expect(&s, ALLOW("Publish", "\"A:topic/x\""));
	assert_string_equal(s.remarks->child->valuestring, "iot:Publish secret was refused, and is left out");
}

static void what_no_policy_can_allow_is_never_proposed(void **state)
{
	static const char *const topics[] = {
		"$aws/things/lamp/shadow/update/accepted", "$aws/events/presence/connected/x", "$SYS/x", "a/${iot:ClientId}", "a/*", "a?b",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++) {
		struct suggest s = begin();
		char deed[200];
		snprintf(deed, sizeof(deed), "[{\"action\":\"iot:Publish\",\"topic\":\"%s\",\"allowed\":false}]", topics[i]);
		add(&s, deed);
		assert_null(suggest_document(&s));
		assert_non_null(strstr(s.remarks->child->valuestring, "left out: "));
	}
}

static void four_topics_that_differ_in_one_level_become_one(void **state)
{
	struct suggest s = begin();
	char deed[200];
	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(deed, sizeof(deed), "[{\"action\":\"iot:Publish\",\"topic\":\"log/%d/line\",\"allowed\":true},"
			"{\"action\":\"iot:Publish\",\"topic\":\"t%d\",\"allowed\":true}]", i, i);
		add(&s, deed);
	}
	expect(&s, ALLOW("Publish", "[\"A:topic/log/*/line\",\"A:topic/t0\",\"A:topic/t1\",\"A:topic/t2\",\"A:topic/t3\",\"A:topic/t4\"]"));
	assert_string_equal(s.remarks->child->valuestring, "5 topics that differ in one level became topic/log/*/line");
}

static void memory_that_is_out_ends_in_nothing(void **state)
{
	(void)state;
	for (long n = 1; n < 4; n++) {
		struct suggest s = begin();
		sk_arena_free(&arena);
		sk_arena_fail_after(n);
		suggest_add(&s, NULL, "lamp", VAR);
		suggest_document(&s);
		sk_arena_fail_after(0);
	}
}

static void flags_take_one_value_and_are_near_to_what_was_meant(void **state)
{
	const char *thing = NULL, *since = NULL;
	bool all = false;
	const struct flag table[] = { { "thing", &thing, NULL, true }, { "since", &since, NULL, false }, { "all", NULL, &all, false }, { 0 } };
	char why[200];
	int left;
	(void)state;
	char *good[] = { "one", "--thing", "lamp", "--since=1h", "two", "--all" };
	assert_int_equal(flags_take(table, 6, good, &left, why, sizeof(why)), 0);
	assert_int_equal(left, 2);
	assert_string_equal(good[1], "two");
	assert_string_equal(thing, "lamp");
	assert_string_equal(since, "1h");
	assert_true(all);
	static const struct { const char *argument, *why; } bad[] = {
		{ "--thin", "unknown option --thin: did you mean --thing?" }, { "--thing", "--thing: expected one argument" },
		{ "--all=1", "--all: expected no argument" }, { "--wholly-else", "unknown option --wholly-else" }, { "x", "the following arguments are required: --thing" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *argv[] = { (char *)bad[i].argument };
		thing = NULL;
		assert_int_equal(flags_take(table, 1, argv, &left, why, sizeof(why)), -1);
		assert_string_equal(why, bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_is_allowed_and_no_more),
		cmocka_unit_test(what_was_refused_is_remarked_and_can_be_left_out),
		cmocka_unit_test(what_no_policy_can_allow_is_never_proposed),
		cmocka_unit_test(four_topics_that_differ_in_one_level_become_one),
		cmocka_unit_test(memory_that_is_out_ends_in_nothing),
		cmocka_unit_test(flags_take_one_value_and_are_near_to_what_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
