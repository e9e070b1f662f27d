/* expr_decimal_test.c -- arithmetic on 34 digits, and the text of decimals, against Python's decimal.
 *
 * tests/unit/expr_decimal_oracle.py makes the cases anew in each run; a selection that never changes is tests/data/expr/decimal.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/decimal.h"

enum { LEAST_CASES = 3000, LINE = 1000 };

static struct expr_decimal read(const char *text)
{
	struct expr_decimal d;

	if (!expr_decimal_read(text, strlen(text), &d))
		fail_msg("not a decimal: %s", text);
	return d;
}

/* Coefficient E exponent. */
static const char *written(struct expr_decimal d)
{
	static char text[2 * EXPR_DECIMAL_ROOM];
	char digits[EXPR_DECIMAL_ROOM];
	int e;

	if (!expr_decimal_settle(&d))
		return "none";
	e = d.e;
	d.e = 0;
	expr_decimal_print(digits, d);
	snprintf(text, sizeof text, "%sE%d", digits, e);
	return text;
}

static const char *text_read(const char *text)
{
	struct expr_decimal d;

	return expr_decimal_read(text, strlen(text), &d) ? written(d) : "none";
}

static const char *ordered(const char *x, const char *y)
{
	int c = expr_decimal_compare(read(x), read(y));

	return c < 0 ? "-1" : c > 0 ? "1" : "0";
}

/* The same text if the double is the one that `want` says. */
static const char *as_double(const char *x, const char *want)
{
	return expr_decimal_to_double(read(x)) == strtod(want, NULL) ? want : "another double";
}

static const char *as_integer(const char *x)
{
	static char text[32];
	int64_t i;

	snprintf(text, sizeof text, "%s", "none");
	if (expr_decimal_to_int(read(x), &i))
		snprintf(text, sizeof text, "%lld", (long long)i);
	return text;
}

static const char *printed(const char *x)
{
	static char text[EXPR_DECIMAL_ROOM];

	expr_decimal_print(text, read(x));
	return text;
}

static struct expr_decimal computed(char op, struct expr_decimal x, struct expr_decimal y)
{
	switch (op) {
	case '+': return expr_decimal_add(x, y);
	case '-': return expr_decimal_sub(x, y);
	case '*': return expr_decimal_mul(x, y);
	case '/': return expr_decimal_div(x, y);
	default: return expr_decimal_rem(x, y);
	}
}

static const char *answer(char op, const char *x, const char *y, const char *want)
{
	static const char modes[] = "fctae";
	const char *mode = strchr(modes, op);

	if (mode)
		return written(expr_decimal_round(read(x), atoi(y), (enum expr_rounding)(mode - modes)));
	switch (op) {
	case '?': return ordered(x, y);
	case 'd': return as_double(x, want);
	case 'n': return as_integer(x);
	case 'p': return printed(x);
	case 'r': return text_read(x);
	case 's': return written(expr_decimal_strip(read(x)));
	case 'w': return written(expr_decimal_whole(read(x)));
	default: return written(computed(op, read(x), read(y)));
	}
}

/* A line is `op x y result`. */
static bool holds(const char *line)
{
	char op, x[LINE], y[LINE], want[LINE];
	const char *got;

	assert_int_equal(sscanf(line, "%c %999s %999s %999s", &op, x, y, want), 4);
	got = answer(op, x, y, want);
	if (strcmp(got, want) == 0)
		return true;
	print_error("%s\n  got %s\n", line, got);
	return false;
}

static size_t all_hold(FILE *f)
{
	char line[3 * LINE];
	size_t cases = 0, failures = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		cases++;
		failures += !holds(line);
	}
	assert_int_equal(failures, 0);
	return cases;
}

static void a_golden_result_is_what_it_was(void **state)
{
	FILE *f = fopen("tests/data/expr/decimal.t", "r");

	(void)state;
	assert_true(all_hold(f) >= LEAST_CASES);
	fclose(f);
}

/* DECIMAL_CASES=1000000 DECIMAL_SEED=7 asks for more, and for others. */
static void random_results_are_those_of_another_implementation(void **state)
{
	const char *n = getenv("DECIMAL_CASES"), *seed = getenv("DECIMAL_SEED");
	size_t want = (size_t)atol(n ? n : "10000"), cases;
	char command[200];
	FILE *f;

	(void)state;
	snprintf(command, sizeof command, "exec /usr/bin/python3 tests/unit/expr_decimal_oracle.py %d %zu", atoi(seed ? seed : "1"), want);
	f = popen(command, "r");
	cases = all_hold(f);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(cases, want);
}

static void what_is_far_beyond_the_range_stays_beyond(void **state)
{
	struct expr_decimal great = read("-9E999"), small = read("1E-999");

	(void)state;
	for (int i = 0; i < 8; i++) {
		great = expr_decimal_mul(great, great);
		small = expr_decimal_mul(small, small);
	}
	assert_false(expr_decimal_settle(&great));
	assert_true(expr_decimal_settle(&small));
	assert_string_equal(written(small), written(expr_decimal_of_int(0)));
}

static void text_is_plain_up_to_34_digits(void **state)
{
	static const char *const same[] = { "0", "1", "-1", "10.0", "0.000001", "1E-7", "1.5E+40", "1E+3", "0.00", "123.4500", "-0.5",
		                            "1234567890123456789012345678901234", "9.999999999999999999999999999999999E+999" };
	char text[EXPR_DECIMAL_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_int_equal(expr_decimal_print(text, read(same[i])), strlen(same[i]));
		assert_string_equal(text, same[i]);
	}
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = { "", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", " 1", "1 ", "1e1000", "-1e99999999999", "1.5.5", "NaN" };
	struct expr_decimal d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(expr_decimal_read(bad[i], strlen(bad[i]), &d));
}

static void integers_and_doubles_go_there_and_back(void **state)
{
	static const int64_t ints[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 1000000 };
	static const double doubles[] = { 0.1, -2.5, 1e300, 1e-300, 123456789.125, 0 };
	struct expr_decimal d;
	int64_t i;

	(void)state;
	for (size_t n = 0; n < sizeof ints / sizeof *ints; n++) {
		assert_true(expr_decimal_to_int(expr_decimal_of_int(ints[n]), &i));
		assert_true(i == ints[n]);
	}
	for (size_t n = 0; n < sizeof doubles / sizeof *doubles; n++) {
		assert_true(expr_decimal_of_double(doubles[n], &d));
		assert_true(expr_decimal_to_double(d) == doubles[n]);
	}
	assert_false(expr_decimal_of_double(1.0 / 0.0, &d));
	assert_false(expr_decimal_to_int(read("9223372036854775808"), &i));
	assert_false(expr_decimal_to_int(read("0.5"), &i));
	assert_true(expr_decimal_to_int(read("5.0e1"), &i) && i == 50);
}

static void digits_behind_the_34th_round_half_to_even(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34" },
		{ "12345678901234567890123456789012355", "1.234567890123456789012345678901236E+34" },
		{ "123456789012345678901234567890123450001", "1.234567890123456789012345678901235E+38" },
		{ "99999999999999999999999999999999999", "1.000000000000000000000000000000000E+35" },
		{ "0.00000000000000000000000000000000000000000000000000000000001", "1E-59" },
	};
	char text[EXPR_DECIMAL_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expr_decimal_print(text, read(cases[i].text));
		assert_string_equal(text, cases[i].want);
	}
}

/* Behind a half only zeros leave the last digit even, however many they are. */
static void a_long_half_is_read_to_its_end(void **state)
{
	static const size_t zeros[] = { 0, 1, 63, 64, 65, 66, 100, 1000, 8000 };
	static const char digits[] = "1.2345678901234567890123456789012345";
	char text[sizeof digits + 8001];

	(void)state;
	for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
		char *end = mempcpy(text, digits, sizeof digits - 1);
		end = memset(end, '0', zeros[i]) + zeros[i];
		strcpy(end, "0");
		assert_string_equal(text_read(text), "1234567890123456789012345678901234E-33");
		strcpy(end, "1");
		assert_string_equal(text_read(text), "1234567890123456789012345678901235E-33");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_golden_result_is_what_it_was),
		cmocka_unit_test(random_results_are_those_of_another_implementation),
		cmocka_unit_test(what_is_far_beyond_the_range_stays_beyond),
		cmocka_unit_test(text_is_plain_up_to_34_digits),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(integers_and_doubles_go_there_and_back),
		cmocka_unit_test(digits_behind_the_34th_round_half_to_even),
		cmocka_unit_test(a_long_half_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
