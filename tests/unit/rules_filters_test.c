/* rules_filters_test.c -- rules/filters.h against MQTT's words, against a list that is asked filter by filter, and against topics made to hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/topic.h"
#include "rules/filters.h"

/* Valid filters, and topics; each filter is asked for each topic. */
static const char *const filters[] = {
	"a", "b", "a/b", "a/b/c", "a/", "/a", "/", "//", "a//b", "+", "#", "+/+", "/+", "+/", "a/+", "a/#", "a/+/c", "a/+/#", "+/b/#", "+/#", "/#", "//#", "+//+",
	"$SYS/#", "$SYS/+", "$SYS/a", "$/#", "$", "+/a", "$aws/things/+/shadow/update", "a/b/#", "a/b/c/#", "a/b/c/d/#", "+/+/+", "+/+/+/#", "+/b/+", "/+/b",
	"sensors/+/temperature", "sensors/one/+", "\xc3\xa9t\xc3\xa9/+", "abcdefgh/ijklmnopqrst/u", "abcdefgh/ijklmnopqrst/+", " / ", "a/b/c/d/e/f/g/h",
};
static const char *const topics[] = {
	"a", "b", "ab", "c", "a/b", "a/c", "a/b/c", "a/b/c/d", "a/x/c", "a//c", "a/", "/a", "/", "//", "///", "a//b", "/finance", "finance/", "/a/b", "x/b/c",
	"$SYS", "$SYS/a", "$SYS/a/b", "$", "$/a", "$aws/things/lamp/shadow/update", "$aws/things//shadow/update", "sensors/one/temperature", "sensors/one/two",
	"sensors/two/temperature", "\xc3\xa9t\xc3\xa9/1", "abcdefgh/ijklmnopqrst/u", "abcdefgh/ijklmnopqrsx/u", "abcdefgi/ijklmnopqrst/u", " / ", "A", "a/b/c/d/e/f/g/h",
	"a/b/c/d/e/f/g", "a/b/c/d/e/f/g/h/i", "+", "#", "a/+", "a/#", "",
};
enum { FILTERS = sizeof filters / sizeof *filters, TOPICS = sizeof topics / sizeof *topics };

static bool finds(const struct rules_filters *f, const char *topic, uint32_t id)
{
	uint32_t got[FILTERS];
	size_t n = rules_filters_match(f, topic, got, FILTERS);

	for (size_t i = 0; i < n; i++)
		if (got[i] == id)
			return true;
	return false;
}

static void each_filter_alone_matches_as_mqtt_says(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FILTERS; i++) {
		struct rules_filters *f = rules_filters_new();
		assert_true(rules_filter_valid(filters[i]));
		assert_int_equal(rules_filters_add(f, filters[i], i), 0);
		for (size_t k = 0; k < TOPICS; k++)
			if (finds(f, topics[k], i) != sk_topic_filter_matches(filters[i], topics[k]))
				fail_msg("%s against %s", filters[i], topics[k]);
		rules_filters_free(&f);
		assert_null(f);
		rules_filters_free(&f);
	}
}

static void all_of_them_together_do_too(void **state)
{
	struct rules_filters *f = rules_filters_new();

	(void)state;
	for (uint32_t i = 0; i < FILTERS; i++)
		assert_int_equal(rules_filters_add(f, filters[i], i), 0);
	for (size_t k = 0; k < TOPICS; k++) {
		uint32_t got[FILTERS];
		size_t n = rules_filters_match(f, topics[k], got, FILTERS), at = 0;
		for (uint32_t i = 0; i < FILTERS; i++)
			if (sk_topic_filter_matches(filters[i], topics[k]))
				assert_true(at < n && got[at++] == i);
		assert_int_equal(at, n);
	}
	rules_filters_free(&f);
}

/* MQTT 3.1.1, 4.7: the examples of the standard, in its words. */
static void the_examples_of_the_standard(void **state)
{
	static const struct { const char *filter, *topic; bool matches; } cases[] = {
		{ "sport/tennis/player1/#", "sport/tennis/player1", true }, { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
		{ "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true }, { "sport/#", "sport", true }, { "#", "sport/tennis", true },
		{ "sport/tennis/+", "sport/tennis/player1", true }, { "sport/tennis/+", "sport/tennis/player1/ranking", false }, { "sport/+", "sport", false },
		{ "sport/+", "sport/", true }, { "+/tennis/#", "sport/tennis/x/y", true }, { "+/+", "/finance", true }, { "/+", "/finance", true },
		{ "+", "/finance", false }, { "#", "$SYS/broker", false }, { "+/monitor/Clients", "$SYS/monitor/Clients", false },
		{ "$SYS/#", "$SYS/broker", true }, { "$SYS/monitor/+", "$SYS/monitor/Clients", true }, { "ACCOUNTS", "Accounts", false }, { "/A", "A", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rules_filters *f = rules_filters_new();
		assert_int_equal(rules_filters_add(f, cases[i].filter, 0), 0);
		if (finds(f, cases[i].topic, 0) != cases[i].matches)
			fail_msg("%s against %s", cases[i].filter, cases[i].topic);
		rules_filters_free(&f);
	}
}

/* `levels` times the text, with slashes between them. */
static char *levels_of(const char *text, size_t levels, const char *end)
{
	size_t n = strlen(text);
	char *all = malloc(levels * (n + 1) + strlen(end) + 1), *at = all;

	for (size_t i = 0; i < levels; i++) {
		memcpy(at, text, n);
		at[n] = '/';
		at += n + 1;
	}
	strcpy(at - (levels > 0), end);
	return all;
}

static void what_is_no_filter_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = { "", "a+", "+a", "a/b+", "a/+b/c", "++", "a#", "#a", "##", "#/", "#/a", "a/#/b", "a/#/", "+#", "a/b#", "#/#", "#+" };
	struct rules_filters *f = rules_filters_new();
	char *deep = levels_of("x", 202, ""), *deepest = levels_of("x", 201, ""), *large = levels_of("0123456789", 1, "");
	size_t before = rules_filters_bytes(f);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(rules_filter_valid(bad[i]));
		assert_int_equal(rules_filters_add(f, bad[i], 1), -1);
		rules_filters_remove(f, bad[i], 1);
	}
	assert_int_equal(rules_filters_add(f, deep, 1), -1);
	assert_int_equal(rules_filters_bytes(f), before);
	assert_int_equal(rules_filters_add(f, deepest, 1), 0);
	assert_true(finds(f, deepest, 1));
	assert_false(finds(f, deep, 1));
	large = realloc(large, 65537);
	memset(large, 'y', 65536);
	large[65536] = 0;
	assert_int_equal(rules_filters_add(f, large, 2), -1);
	large[65535] = 0;
	assert_int_equal(rules_filters_add(f, large, 2), 0);
	assert_true(finds(f, large, 2));
	large[65534] = 'z';
	assert_false(finds(f, large, 2));
	rules_filters_free(&f);
	free(deep);
	free(deepest);
	free(large);
}

static void ids_are_ascending_and_each_is_there_once(void **state)
{
	static const char *const five[] = { "a/b", "a/+", "+/b", "#", "a/#" };
	struct rules_filters *f = rules_filters_new();
	uint32_t got[8] = { 0 };

	(void)state;
	for (int twice = 0; twice < 2; twice++)
		for (uint32_t i = 0; i < 5; i++) {
			assert_int_equal(rules_filters_add(f, five[i], 7), 0);
			assert_int_equal(rules_filters_add(f, five[i], 100 - i), 0);
		}
	assert_int_equal(rules_filters_add(f, "a/b", UINT32_MAX), 0);
	assert_int_equal(rules_filters_match(f, "a/b", got, 8), 7);
	assert_memory_equal(got, ((uint32_t[]){ 7, 96, 97, 98, 99, 100, UINT32_MAX }), 28);
	memset(got, 0, sizeof got);
	assert_int_equal(rules_filters_match(f, "a/b", got, 2), 7);
	assert_memory_equal(got, ((uint32_t[]){ 7, 96, 0 }), 12);
	assert_int_equal(rules_filters_match(f, "a/b", NULL, 0), 7);
	rules_filters_remove(f, "a/+", 7);
	rules_filters_remove(f, "a/+", 8);
	assert_int_equal(rules_filters_match(f, "a/b", got, 8), 7);
	assert_int_equal(rules_filters_match(f, "a/c", got, 8), 4); /* 7, 96, 97 and 99 */
	assert_memory_equal(got, ((uint32_t[]){ 7, 96, 97, 99 }), 16);
	rules_filters_free(&f);
}

static void a_thousand_ids_of_one_filter(void **state)
{
	struct rules_filters *f = rules_filters_new();
	static uint32_t got[1000];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) { /* in no order; each under a second filter too */
		assert_int_equal(rules_filters_add(f, "a/+", i * 619 % 1000), 0);
		assert_int_equal(rules_filters_add(f, "+/b", i * 331 % 1000), 0);
	}
	assert_int_equal(rules_filters_match(f, "a/b", got, 1000), 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(got[i], i);
	for (uint32_t i = 0; i < 1000; i += 2)
		rules_filters_remove(f, "a/+", i);
	assert_int_equal(rules_filters_match(f, "a/c", got, 1000), 500);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(got[i], 2 * i + 1);
	rules_filters_free(&f);
}

/* -- many, coming and going -- */

enum { PAIRS = 400, LONGEST = 128 };
struct pair {
	char filter[LONGEST];
	uint32_t id;
};

static unsigned chance;

static unsigned below(unsigned n)
{
	chance = chance * 1103515245 + 12345;
	return (chance >> 16) % n;
}

static void a_path(char *out, bool filter)
{
	static const char *const words[] = { "a", "b", "c", "", "$x", "longer-than-eight", "+", "#" };
	unsigned levels = 1 + below(5);

	*out = 0;
	for (unsigned i = 0; i < levels; i++) {
		const char *word = words[below(filter ? (i + 1 == levels ? 8 : 7) : 6)];
		strcat(strcat(out, i ? "/" : ""), word);
	}
	if (!*out)
		strcpy(out, "/");
}

static void expect_like_list(const struct rules_filters *f, const struct pair *pair, size_t n, const char *topic)
{
	bool wanted[64] = { false };
	uint32_t got[64];
	size_t found = rules_filters_match(f, topic, got, 64), at = 0;

	for (size_t i = 0; i < n; i++)
		wanted[pair[i].id] = wanted[pair[i].id] || sk_topic_filter_matches(pair[i].filter, topic);
	for (uint32_t id = 0; id < 64; id++)
		if (wanted[id])
			assert_true(at < found && got[at++] == id);
	assert_int_equal(at, found);
}

static void adding_and_removing_agrees_with_a_list(void **state)
{
	static struct pair pair[PAIRS];
	struct rules_filters *f = rules_filters_new();
	size_t n = 0, empty = rules_filters_bytes(f);
	char topic[LONGEST];

	(void)state;
	chance = 42;
	for (int step = 0; step < 30000; step++) {
		bool more = step / 2000 % 2 == 0; /* it grows and shrinks in turn */
		if (n < PAIRS && below(10) < (more ? 8 : 2)) {
			a_path(pair[n].filter, true);
			pair[n].id = below(64);
			assert_int_equal(rules_filters_add(f, pair[n].filter, pair[n].id), 0);
			bool twice = false;
			for (size_t i = 0; i < n && !twice; i++)
				twice = pair[i].id == pair[n].id && !strcmp(pair[i].filter, pair[n].filter);
			n += !twice;
		} else if (n) {
			size_t i = below((unsigned)n);
			rules_filters_remove(f, pair[i].filter, pair[i].id);
			pair[i] = pair[--n];
		}
		a_path(topic, false);
		expect_like_list(f, pair, n, topic);
	}
	while (n--)
		rules_filters_remove(f, pair[n].filter, pair[n].id);
	assert_int_equal(rules_filters_match(f, "a", NULL, 0), 0);
	assert_true(rules_filters_bytes(f) < empty + 8000);
	rules_filters_free(&f);
}

static void memory_is_small_and_is_given_back(void **state)
{
	struct rules_filters *f = rules_filters_new();
	size_t before = rules_filters_bytes(f);
	char filter[64];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 10000; i++) {
			snprintf(filter, sizeof filter, "factory/%u/press/3/temp", i);
			assert_int_equal(rules_filters_add(f, filter, i), 0);
		}
		assert_in_range((rules_filters_bytes(f) - before) / 10000, 1, 250);
		for (uint32_t i = 0; i < 10000; i++) {
			snprintf(filter, sizeof filter, "factory/%u/press/3/temp", i);
			assert_true(finds(f, filter, i));
			if (i != 4711)
				rules_filters_remove(f, filter, i);
			assert_true(finds(f, filter, i) == (i == 4711));
		}
		assert_true(finds(f, "factory/4711/press/3/temp", 4711));
		assert_true(rules_filters_bytes(f) < before + 16000);
	}
	rules_filters_free(&f);
}

/* -- hostile topics -- */

static void a_topic_with_thousands_of_levels_costs_what_filters_have(void **state)
{
	struct rules_filters *f = rules_filters_new();
	char *topic = levels_of("", 65535, ""), *plus = levels_of("+", 201, ""), *rest = levels_of("+", 200, "/#");
	uint32_t got[4];

	(void)state;
	assert_int_equal(rules_filters_add(f, plus, 1), 0);
	assert_int_equal(rules_filters_add(f, rest, 2), 0);
	assert_int_equal(rules_filters_add(f, "#", 3), 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(rules_filters_match(f, topic, got, 4), 2);
		assert_memory_equal(got, ((uint32_t[]){ 2, 3 }), 8);
	}
	topic[200] = 0;
	assert_int_equal(rules_filters_match(f, topic, got, 4), 3);
	rules_filters_free(&f);
	free(topic);
	free(plus);
	free(rest);
}

/* 2^12 filters of `a` and `+`: all are reached by one topic, each once. Filters that share their beginnings are tried once, not once for each way. */
static void backtracking_reaches_each_node_once(void **state)
{
	struct rules_filters *f = rules_filters_new();
	char filter[32];
	static uint32_t got[4096];

	(void)state;
	for (uint32_t i = 0; i < 4096; i++) {
		for (unsigned k = 0; k < 12; k++) {
			filter[2 * k] = i >> k & 1 ? 'a' : '+';
			filter[2 * k + 1] = k < 11 ? '/' : 0;
		}
		assert_int_equal(rules_filters_add(f, filter, 4095 - i), 0);
	}
	assert_int_equal(rules_filters_match(f, "a/a/a/a/a/a/a/a/a/a/a/a", got, 4096), 4096);
	for (uint32_t i = 0; i < 4096; i++)
		assert_int_equal(got[i], i);
	assert_int_equal(rules_filters_match(f, "a/a/a/a/a/a/a/a/a/a/a/b", got, 4096), 2048);
	assert_int_equal(rules_filters_match(f, "b/b/b/b/b/b/b/b/b/b/b/b", got, 4096), 1);
	assert_int_equal(rules_filters_match(f, "a/a/a/a/a/a/a/a/a/a/a", got, 4096), 0);
	rules_filters_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_filter_alone_matches_as_mqtt_says),
		cmocka_unit_test(all_of_them_together_do_too),
		cmocka_unit_test(the_examples_of_the_standard),
		cmocka_unit_test(what_is_no_filter_is_refused_and_changes_nothing),
		cmocka_unit_test(ids_are_ascending_and_each_is_there_once),
		cmocka_unit_test(a_thousand_ids_of_one_filter),
		cmocka_unit_test(adding_and_removing_agrees_with_a_list),
		cmocka_unit_test(memory_is_small_and_is_given_back),
		cmocka_unit_test(a_topic_with_thousands_of_levels_costs_what_filters_have),
		cmocka_unit_test(backtracking_reaches_each_node_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
