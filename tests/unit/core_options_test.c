/* core_options_test.c -- plugin_opt_* text into a state, and the words of every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/closest.h"
#include "core/options.h"
#include "core/plugin.h"

struct state {
	bool strict;
	int64_t port, offset, limit, wait;
	const char *path, *owner;
	int others, level;
};

static const struct sk_option table[] = {
	SK_OPTION(SK_BOOL, struct state, strict, "true", NULL, "refuse what is unknown"),
	SK_OPTION(SK_INT, struct state, port, "8883", "1 65535", "where it listens"),
	SK_OPTION(SK_INT, struct state, offset, NULL, NULL, "any number"),
	SK_OPTION(SK_SIZE, struct state, limit, "64KiB", NULL, "largest document"),
	SK_OPTION(SK_DURATION, struct state, wait, "48h", NULL, "how long"),
	SK_OPTION(SK_STR, struct state, path, "data", NULL, "folder"),
	SK_OPTION(SK_STR, struct state, owner, NULL, NULL, "nobody"),
	SK_OPTION(SK_CHOICE, struct state, others, "defer", "allow defer", "clients that are not ours"),
	SK_OPTION(SK_CHOICE, struct state, level, NULL, "low middle high", "how much"),
	{ 0 }
};

/* Reads one pair (none if key is NULL) and gives why, "" when it was read. */
static const char *read_one(struct state *s, const char *key, const char *value)
{
	static char why[200];
	*why = 0;
	memset(s, 0, sizeof *s);
	int rc = sk_options_read(table, s, &key, &value, key ? 1 : 0, why, sizeof why);
	assert_int_equal(rc, *why ? -1 : 0);
	sk_options_free(table, s);
	return why;
}

static void defaults_come_from_the_table(void **state)
{
	(void)state;
	struct state s = { 0 };
	char why[64];
	assert_int_equal(sk_options_read(table, &s, NULL, NULL, 0, why, sizeof why), 0);
	assert_true(s.strict);
	assert_int_equal(s.port, 8883);
	assert_int_equal(s.offset, 0);
	assert_int_equal(s.limit, 65536);
	assert_int_equal(s.wait, INT64_C(48) * 3600 * 1000);
	assert_string_equal(s.path, "data");
	assert_null(s.owner);
	assert_int_equal(s.others, 1);
	assert_int_equal(s.level, 0);
	sk_options_free(table, &s);
	assert_null(s.path);
	sk_options_free(table, &s);
}

static void values_replace_defaults(void **state)
{
	(void)state;
	char mine[] = "elsewhere";
	const char *keys[] = { "path", "port", "strict", "others", "level" };
	const char *values[] = { mine, "1", "off", "allow", "high" };
	struct state s = { 0 };
	char why[64];
	assert_int_equal(sk_options_read(table, &s, keys, values, 5, why, sizeof why), 0);
	mine[0] = 'X';
	assert_string_equal(s.path, "elsewhere");
	assert_int_equal(s.port, 1);
	assert_false(s.strict);
	assert_int_equal(s.others, 0);
	assert_int_equal(s.level, 2);
	sk_options_free(table, &s);
}

static void sizes_and_durations_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *key, *value;
		int64_t is;
	} cases[] = {
		{ "limit", "0", 0 }, { "limit", "512", 512 }, { "limit", "64k", 65536 }, { "limit", "64KiB", 65536 },
		{ "limit", "64K", 65536 }, { "limit", "1m", 1 << 20 }, { "limit", "1MiB", 1 << 20 }, { "limit", "2g", INT64_C(2) << 30 },
		{ "limit", "1GiB", 1 << 30 }, { "wait", "0", 0 }, { "wait", "250ms", 250 }, { "wait", "3s", 3000 }, { "wait", "5m", 300000 },
		{ "wait", "1h", 3600000 }, { "wait", "2d", 172800000 }, { "offset", "-9223372036854775808", INT64_MIN },
		{ "offset", "9223372036854775807", INT64_MAX }, { "port", "65535", 65535 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct state s;
		assert_string_equal(read_one(&s, cases[i].key, cases[i].value), "");
		int64_t got = strcmp(cases[i].key, "limit") == 0 ? s.limit : strcmp(cases[i].key, "wait") == 0 ? s.wait :
		              strcmp(cases[i].key, "port") == 0 ? s.port : s.offset;
		assert_int_equal(got, cases[i].is);
	}
}

static void bad_values_are_refused_word_for_word(void **state)
{
	(void)state;
#define SIZE "must be a size such as 512, 64k, 1m or 1g, not "
#define DURATION "must be a duration such as 500ms, 30s, 5m, 1h or 2d, not "
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
		{ "port", "x", "plugin_opt_port must be a number from 1 to 65535, not 'x'" },
		{ "port", "0", "plugin_opt_port must be a number from 1 to 65535, not '0'" },
		{ "port", "65536", "plugin_opt_port must be a number from 1 to 65535, not '65536'" },
		{ "port", "80 ", "plugin_opt_port must be a number from 1 to 65535, not '80 '" },
		{ "port", "0x50", "plugin_opt_port must be a number from 1 to 65535, not '0x50'" },
		{ "port", "+80", "plugin_opt_port must be a number from 1 to 65535, not '+80'" },
		{ "port", "", "plugin_opt_port must be a number from 1 to 65535, not ''" },
		{ "port", NULL, "plugin_opt_port must be a number from 1 to 65535, not ''" },
		{ "offset", "9223372036854775808", "plugin_opt_offset must be a number, not '9223372036854775808'" },
		{ "offset", "1.5", "plugin_opt_offset must be a number, not '1.5'" },
		{ "strict", "maybe", "plugin_opt_strict must be true or false, not 'maybe'" },
		{ "limit", "64kb", "plugin_opt_limit " SIZE "'64kb'" },
		{ "limit", "-1", "plugin_opt_limit " SIZE "'-1'" },
		{ "limit", "99999999999g", "plugin_opt_limit " SIZE "'99999999999g'" },
		{ "wait", "5", "plugin_opt_wait " DURATION "'5'" },
		{ "wait", "5 s", "plugin_opt_wait " DURATION "'5 s'" },
		{ "wait", "s", "plugin_opt_wait " DURATION "'s'" },
		{ "others", "Allow", "plugin_opt_others must be allow or defer, not 'Allow'" },
		{ "others", "", "plugin_opt_others must be allow or defer, not ''" },
		{ "level", "lo", "plugin_opt_level must be low, middle or high, not 'lo'" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct state s;
		assert_string_equal(read_one(&s, cases[i].key, cases[i].value), cases[i].why);
	}
}

static void unknown_options_name_the_nearest(void **state)
{
	(void)state;
	struct state s;
	assert_string_equal(read_one(&s, "prot", "1"), "unknown option plugin_opt_prot: did you mean plugin_opt_port?");
	assert_string_equal(read_one(&s, "otherss", "1"), "unknown option plugin_opt_otherss: did you mean plugin_opt_others?");
	assert_string_equal(read_one(&s, "zebra", "1"), "unknown option plugin_opt_zebra");
	assert_string_equal(read_one(&s, "", "1"), "unknown option plugin_opt_");
}

static void an_option_twice_is_refused(void **state)
{
	(void)state;
	const char *keys[] = { "path", "port", "path" }, *values[] = { "a", "1", "b" };
	struct state s = { 0 };
	char why[64];
	assert_int_equal(sk_options_read(table, &s, keys, values, 3, why, sizeof why), -1);
	assert_string_equal(why, "plugin_opt_path is set twice");
	sk_options_free(table, &s);
}

static void a_reason_is_cut_to_its_room(void **state)
{
	(void)state;
	const char *key = "port", *value = "x";
	struct state s = { 0 };
	char why[8] = "1234567";
	assert_int_equal(sk_options_read(table, &s, &key, &value, 1, why, sizeof why), -1);
	assert_string_equal(why, "plugin_");
	assert_int_equal(sk_options_read(table, &s, &key, &value, 1, NULL, 0), -1);
	sk_options_free(table, &s);
}

static void closest_counts_edits(void **state)
{
	(void)state;
	static const char *const names[] = { "create-thing", "delete-thing", NULL, "describe-thing", "x" };
	char word[80];
	assert_string_equal(sk_closest("craete-thing", names, 5, sizeof *names), "create-thing");
	assert_string_equal(sk_closest("delet-thing", names, 5, sizeof *names), "delete-thing");
	assert_string_equal(sk_closest("decribe-thingx", names, 5, sizeof *names), "describe-thing");
	assert_string_equal(sk_closest("x", names, 5, sizeof *names), "x");
	assert_null(sk_closest("y", names, 5, sizeof *names));
	assert_null(sk_closest("publish", names, 5, sizeof *names));
	assert_null(sk_closest("", names, 5, sizeof *names));
	assert_null(sk_closest("x", names, 0, sizeof *names));
	memset(word, 'x', sizeof word);
	word[79] = 0;
	assert_null(sk_closest(word, names, 5, sizeof *names));
}

static void closest_prefers_the_first_of_equals_and_the_nearest(void **state)
{
	(void)state;
	static const char *const names[] = { "abcx", "abcy", "abcdx", "abcd" };
	assert_string_equal(sk_closest("abcz", names, 2, sizeof *names), "abcx");
	assert_string_equal(sk_closest("abdc", names, 4, sizeof *names), "abcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(values_replace_defaults),
		cmocka_unit_test(sizes_and_durations_have_units),
		cmocka_unit_test(bad_values_are_refused_word_for_word),
		cmocka_unit_test(unknown_options_name_the_nearest),
		cmocka_unit_test(an_option_twice_is_refused),
		cmocka_unit_test(a_reason_is_cut_to_its_room),
		cmocka_unit_test(closest_counts_edits),
		cmocka_unit_test(closest_prefers_the_first_of_equals_and_the_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
