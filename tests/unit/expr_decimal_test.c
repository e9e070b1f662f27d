/* expr_decimal_test.c -- arithmetic on 34 digits against tests/data/expr/decimal.t, and the text of decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/decimal.h"

enum { LEAST_CASES = 3000 };

static struct expr_decimal read(const char *text)
{
	struct expr_decimal d;

	if (!expr_decimal_read(text, strlen(text), &d))
		fail_msg("not a decimal: %s", text);
	return d;
}

static const char *written(struct expr_decimal d, bool ok)
{
	static char text[2 * EXPR_DECIMAL_ROOM];
	char digits[EXPR_DECIMAL_ROOM];
	int e;

	if (!ok)
		return "none";
	d = expr_decimal_strip(d);
	e = d.e;
	d.e = 0;
	expr_decimal_print(digits, d);
	snprintf(text, sizeof text, "%sE%d", digits, e);
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

static bool check(const char *line)
{
	static const char modes[] = "fctae";
	char op, x[80], y[80], want[80];
	struct expr_decimal d;
	const char *got;
	bool ok = true;

	assert_int_equal(sscanf(line, "%c %79s %79s %79s", &op, x, y, want), 4);
	if (op == '?') {
		int c = expr_decimal_compare(read(x), read(y));
		got = c < 0 ? "-1" : c > 0 ? "1" : "0";
	} else {
		d = strchr(modes, op) ? expr_decimal_round(read(x), atoi(y), (enum expr_rounding)(strchr(modes, op) - modes))
		                      : computed(op, read(x), read(y));
		ok = expr_decimal_settle(&d);
		got = written(d, ok);
	}
	if (strcmp(got, want) == 0)
		return true;
	print_error("%s\n  got %s\n", line, got);
	return false;
}

static void results_are_those_of_another_implementation(void **state)
{
	FILE *f = fopen("tests/data/expr/decimal.t", "r");
	char line[400];
	size_t cases = 0, failures = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		cases++;
		failures += !check(line);
	}
	fclose(f);
	assert_int_equal(failures, 0);
	assert_true(cases >= LEAST_CASES);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_another_implementation),
		cmocka_unit_test(text_is_plain_up_to_34_digits),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(integers_and_doubles_go_there_and_back),
		cmocka_unit_test(digits_behind_the_34th_round_half_to_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
