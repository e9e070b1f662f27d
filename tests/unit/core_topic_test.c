/* core_topic_test.c -- the topic trie and MQTT filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/topic.h"

static char rows[64];

static struct sk_trie *trie_of(const char *const *patterns)
{
	struct sk_trie *t = sk_trie_new();
	char why[128];
	assert_non_null(t);
	for (size_t i = 0; patterns[i]; i++)
		assert_int_equal(sk_trie_add(t, patterns[i], &rows[i], why, sizeof why), 0);
	return t;
}

/* The index of the row that matches, -1 for none. */
static int find(struct sk_trie *t, const char *topic, struct sk_topic_match *m)
{
	if (!sk_trie_find(t, topic, m)) {
		assert_int_equal(m->captures, 0);
		return -1;
	}
	return (int)((char *)m->row - rows);
}

static void assert_capture(const struct sk_topic_match *m, size_t i, const char *text)
{
	assert_true(i < m->captures);
	assert_int_equal(m->capture[i].size, strlen(text));
	assert_memory_equal(m->capture[i].at, text, strlen(text));
}

static const char *const shadows[] = {
	"$aws/things/{thing}/shadow/update",
	"$aws/things/{thing}/shadow/get",
	"$aws/things/{thing}/shadow/name/{shadow}/update",
	"$aws/things/{thing}/jobs/{job}/update",
	"$aws/things/{thing}/jobs/start-next",
	"$aws/things/{thing}/jobs/{job}",
	"$aws/certificates/create/json",
	NULL,
};

static void a_row_is_found_with_its_captures(void **state)
{
	(void)state;
	struct sk_trie *t = trie_of(shadows);
	struct sk_topic_match m;
	assert_int_equal(find(t, "$aws/things/lamp/shadow/update", &m), 0);
	assert_int_equal(m.captures, 1);
	assert_capture(&m, 0, "lamp");
	assert_int_equal(find(t, "$aws/things/a:b_c-1/shadow/name/ui/update", &m), 2);
	assert_int_equal(m.captures, 2);
	assert_capture(&m, 0, "a:b_c-1");
	assert_capture(&m, 1, "ui");
	assert_int_equal(find(t, "$aws/certificates/create/json", &m), 6);
	assert_int_equal(m.captures, 0);
	sk_trie_free(&t);
	assert_null(t);
}

static void the_rest_of_a_topic_is_captured_when_nothing_else_fits(void **state)
{
	static const char *const patterns[] = { "$aws/rules/{rule}", "$aws/rules/{rule}/{rest+}", "$aws/rules/{rule}/{a}/fix", NULL };
	struct sk_trie *t = trie_of(patterns);
	struct sk_topic_match m;
	char why[128];
	size_t n;
	(void)state;
	assert_int_equal(find(t, "$aws/rules/r", &m), 0);
	assert_int_equal(find(t, "$aws/rules/r/", &m), -1);
	assert_int_equal(find(t, "$aws/rules//x", &m), -1);
	assert_int_equal(find(t, "$aws/rules/r/a", &m), 1);
	assert_int_equal(find(t, "$aws/rules/r/a/b//c/", &m), 1);
	assert_int_equal(m.captures, 2);
	assert_capture(&m, 0, "r");
	assert_capture(&m, 1, "a/b//c/");
	assert_int_equal(find(t, "$aws/rules/r/x/fix", &m), 2);
	assert_capture(&m, 1, "x");
	assert_int_equal(find(t, "$aws/rules/r/x/fix/more", &m), 1);
	assert_capture(&m, 1, "x/fix/more");
	assert_memory_equal(sk_topic_capture_name(patterns[1], 1, &n), "rest", 4);
	assert_int_equal(n, 4);
	assert_int_equal(sk_trie_add(t, "$aws/rules/{x}/{y+}", &rows[9], why, sizeof why), -1);
	assert_non_null(strstr(why, "the same shape"));
	assert_int_equal(sk_trie_add(t, "a/{y+}/b", &rows[9], why, sizeof why), -1);
	assert_non_null(strstr(why, "goes on behind"));
	sk_trie_free(&t);
}

static void literals_win_over_captures(void **state)
{
	(void)state;
	struct sk_trie *t = trie_of(shadows);
	struct sk_topic_match m;
	assert_int_equal(find(t, "$aws/things/lamp/jobs/start-next", &m), 4);
	assert_int_equal(m.captures, 1);
	assert_int_equal(find(t, "$aws/things/lamp/jobs/42", &m), 5);
	assert_capture(&m, 1, "42");
	sk_trie_free(&t);
}

static void a_literal_that_leads_nowhere_is_taken_back(void **state)
{
	(void)state;
	static const char *const patterns[] = { "a/b/c", "a/{x}/d", "{w}/{x}/{y}/{z}", "{w}/b/c/d", NULL };
	struct sk_trie *t = trie_of(patterns);
	struct sk_topic_match m;
	assert_int_equal(find(t, "$aws/things/lamp/jobs/start-next/update", &m), -1);
	assert_int_equal(find(t, "a/b/d", &m), 1);
	assert_int_equal(m.captures, 1);
	assert_capture(&m, 0, "b");
	assert_int_equal(find(t, "a/b/c/d", &m), 3);
	assert_capture(&m, 0, "a");
	assert_int_equal(find(t, "a/b/c/e", &m), 2);
	assert_int_equal(m.captures, 4);
	assert_capture(&m, 1, "b");
	sk_trie_free(&t);
}

static void a_topic_that_is_no_row_matches_nothing(void **state)
{
	(void)state;
	static const char *const topics[] = {
		"", "/", "a", "$aws", "$aws/", "$aws/things", "$aws/things/lamp", "$aws/things/lamp/shadow/update/",
		"$aws/things/lamp/shadow/update/x", "$aws/things/lamp/shadow/updat", "$aws/things/lamp/shadow/updatee",
		"$aws/things//shadow/update", "$aws//things/lamp/shadow/update", "/$aws/things/lamp/shadow/update",
		"$AWS/things/lamp/shadow/update", "$aws/things/lamp/jobs/", "$aws/things/lamp/shadow/name//update", "\xff/x",
	};
	struct sk_trie *t = trie_of(shadows);
	struct sk_topic_match m;
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
		assert_int_equal(find(t, topics[i], &m), -1);
	sk_trie_free(&t);
}

static void an_empty_trie_matches_nothing(void **state)
{
	(void)state;
	struct sk_trie *t = sk_trie_new();
	struct sk_topic_match m;
	assert_false(sk_trie_find(t, "a/b", &m));
	assert_false(sk_trie_find(t, "", &m));
	sk_trie_free(&t);
	sk_trie_free(&t);
}

static void bad_patterns_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{ "", "topic  has an empty level" },
		{ "a//b", "topic a//b has an empty level" },
		{ "/a", "topic /a has an empty level" },
		{ "a/", "topic a/ has an empty level" },
		{ "a/+/b", "topic a/+/b holds an MQTT wildcard" },
		{ "a/#", "topic a/# holds an MQTT wildcard" },
		{ "a/x{b}", "topic a/x{b} has a malformed {capture}" },
		{ "a/{}", "topic a/{} has a malformed {capture}" },
		{ "a/{b", "topic a/{b has a malformed {capture}" },
		{ "a/{b c}", "topic a/{b c} has a malformed {capture}" },
		{ "a/{b}/{b}", "topic a/{b}/{b} names a capture twice" },
		{ "{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "topic {a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i} has too many captures" },
	};
	struct sk_trie *t = sk_trie_new();
	char why[128];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(sk_trie_add(t, cases[i].pattern, rows, why, sizeof why), -1);
		assert_string_equal(why, cases[i].why);
	}
	assert_int_equal(sk_trie_add(t, "a", NULL, why, sizeof why), -1);
	assert_string_equal(why, "topic a has no row");
	sk_trie_free(&t);
}

static void patterns_have_a_greatest_length_and_depth(void **state)
{
	(void)state;
	struct sk_trie *t = sk_trie_new();
	char why[64], deep[512] = "x", longest[2000];
	for (int i = 0; i < 63; i++)
		strcat(deep, "/x");
	assert_int_equal(sk_trie_add(t, deep, rows, why, sizeof why), 0);
	struct sk_topic_match m;
	assert_true(sk_trie_find(t, deep, &m));
	assert_int_equal(sk_trie_add(t, strcat(deep, "/x"), rows, why, sizeof why), -1);
	assert_non_null(strstr(why, "topic x/x"));
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = 0;
	assert_int_equal(sk_trie_add(t, longest, rows, why, sizeof why), -1);
	assert_int_equal(strlen(why), sizeof why - 1);
	assert_int_equal(sk_trie_add(t, longest, rows, NULL, 0), -1);
	sk_trie_free(&t);
}

static void the_same_shape_twice_is_refused(void **state)
{
	(void)state;
	struct sk_trie *t = trie_of(shadows);
	char why[128];
	assert_int_equal(sk_trie_add(t, "$aws/things/{other}/shadow/get", rows, why, sizeof why), -1);
	assert_string_equal(why, "topic $aws/things/{other}/shadow/get has the same shape as another row's");
	struct sk_topic_match m;
	assert_int_equal(find(t, "$aws/things/lamp/shadow/get", &m), 1);
	sk_trie_free(&t);
}

static void a_thousand_siblings_are_all_found(void **state)
{
	(void)state;
	struct sk_trie *t = sk_trie_new();
	char name[32], why[64];
	struct sk_topic_match m;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "x/topic%03d/end", i);
		assert_int_equal(sk_trie_add(t, name, rows, why, sizeof why), 0);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "x/topic%03d/end", i);
		assert_true(sk_trie_find(t, name, &m));
		snprintf(name, sizeof name, "x/topic%03d/End", i);
		assert_false(sk_trie_find(t, name, &m));
	}
	sk_trie_free(&t);
}

static void captures_are_named_by_the_pattern(void **state)
{
	(void)state;
	size_t n;
	const char *pattern = "$aws/things/{thing}/shadow/name/{shadow}/update";
	assert_memory_equal(sk_topic_capture_name(pattern, 0, &n), "thing", 5);
	assert_int_equal(n, 5);
	assert_memory_equal(sk_topic_capture_name(pattern, 1, &n), "shadow", 6);
	assert_int_equal(n, 6);
	assert_null(sk_topic_capture_name(pattern, 2, &n));
	assert_null(sk_topic_capture_name("a/b", 0, &n));
}

static void filters_match_as_mqtt_says(void **state)
{
	(void)state;
	static const struct {
		const char *filter, *topic;
		bool matches;
	} cases[] = {
		{ "a/b", "a/b", true },           { "a/b", "a/c", false },        { "a/b", "a/b/c", false },
		{ "a/b/c", "a/b", false },        { "a/+", "a/b", true },         { "a/+", "a", false },
		{ "a/+", "a/", true },            { "a/+", "a/b/c", false },      { "+/+", "/finance", true },
		{ "/+", "/finance", true },       { "+", "/finance", false },     { "a/+/c", "a//c", true },
		{ "a/#", "a", true },             { "a/#", "a/", true },          { "a/#", "a/b/c", true },
		{ "a/#", "ab", false },           { "#", "a/b", true },           { "#", "/", true },
		{ "+/#", "a", true },             { "#", "$SYS/a", false },       { "+/a", "$SYS/a", false },
		{ "$SYS/#", "$SYS/a", true },     { "$SYS/+", "$SYS/a", true },   { "a/b+", "a/b+", false },
		{ "a/b#", "a/b#", false },        { "#/a", "x/a", false },        { "a/#/b", "a/x/b", false },
		{ "$share/g/a", "a", false },     { "$share/g/a", "$share/g/a", false }, { "", "", false },
		{ "a", "", false },               { "", "a", false },             { "a/", "a/", true },
		{ "a/", "a", false },             { "a", "a/", false },           { "a//b", "a//b", true },
		{ "+/b/#", "a/b", true },         { "++", "a", false },           { "a/+/#", "a", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (sk_topic_filter_matches(cases[i].filter, cases[i].topic) != cases[i].matches)
			fail_msg("%s against %s", cases[i].filter, cases[i].topic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_found_with_its_captures),
		cmocka_unit_test(literals_win_over_captures),
		cmocka_unit_test(the_rest_of_a_topic_is_captured_when_nothing_else_fits),
		cmocka_unit_test(a_literal_that_leads_nowhere_is_taken_back),
		cmocka_unit_test(a_topic_that_is_no_row_matches_nothing),
		cmocka_unit_test(an_empty_trie_matches_nothing),
		cmocka_unit_test(bad_patterns_are_refused_with_a_reason),
		cmocka_unit_test(patterns_have_a_greatest_length_and_depth),
		cmocka_unit_test(the_same_shape_twice_is_refused),
		cmocka_unit_test(a_thousand_siblings_are_all_found),
		cmocka_unit_test(captures_are_named_by_the_pattern),
		cmocka_unit_test(filters_match_as_mqtt_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
