/* cli_when_test.c -- times as people read and write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cli/when.h"

static void a_time_is_told_in_its_largest_fitting_unit(void **state)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "0 s" }, { -5, "0 s" }, { 999, "0 s" }, { 61000, "61 s" }, { 119999, "119 s" }, { 120000, "2 min" }, { 7199999, "119 min" },
		{ 7200000, "2 h" }, { 172799999, "47 h" }, { 172800000, "2 d" }, { INT64_MAX, "106751991167 d" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(when_long(&a, rows[i].ms), rows[i].text);
	assert_string_equal(when_ago(&a, 0, 5000), "-");
	assert_string_equal(when_ago(&a, 4500, 5000), "just now");
	assert_string_equal(when_ago(&a, 6000, 5000), "just now");
	assert_string_equal(when_ago(&a, 1000, 5000), "4 s ago");
	sk_arena_free(&a);
}

static void a_duration_is_a_number_and_a_unit(void **state)
{
	static const struct { const char *text; int64_t ms; } rows[] = {
		{ "90", 90000 }, { "90s", 90000 }, { "15m", 900000 }, { "1h", 3600000 }, { "7d", 604800000 }, { "0", 0 },
	};
	static const char *const bad[] = { "", "h", "-1h", "1w", "1hh", " 1", "1.5h", "99999999999999999999", "9999999999d", "+1" };
	int64_t ms = -1;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(when_read(rows[i].text, &ms));
		assert_int_equal(ms, rows[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(when_read(bad[i], &ms));
}

static void a_moment_is_a_date_or_so_long_ago(void **state)
{
	static const struct { const char *text; int64_t ms; } rows[] = {
		{ "now", 5000000000 }, { "15m", 5000000000 - 900000 }, { "2001-09-09T01:46:40Z", 1000000000000 }, { "2001-09-09T01:46:40.25Z", 1000000000250 },
		{ "2001-09-09T01:46Z", 999999960000 }, { "2001-09-09 01:46:40Z", 1000000000000 }, { "2001-09-09Z", 999993600000 }, { "2001-09-09T01:46:40.123456Z", 1000000000123 },
		{ "2001-09-09T01:46:40", 1000000000000 },
	};
	static const char *const bad[] = { "", "later", "2001-02-31Z", "2001-13-01", "2001-09-09T25:00", "2001-09-09T01:46:40ZZ", "2001-09-09T01:46:40+02:00", "-5m", "2001-09-09x" };
	int64_t ms = 0;
	struct sk_arena a = { 0 };
	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(when_moment(rows[i].text, 5000000000, &ms));
		assert_int_equal(ms, rows[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(when_moment(bad[i], 5000000000, &ms));
	assert_string_equal(when_printed(&a, 1000000000007), "2001-09-09T01:46:40.007");
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_told_in_its_largest_fitting_unit),
		cmocka_unit_test(a_duration_is_a_number_and_a_unit),
		cmocka_unit_test(a_moment_is_a_date_or_so_long_ago),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
