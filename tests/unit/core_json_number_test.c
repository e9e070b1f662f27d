/* core_json_number_test.c -- numbers of documents: exact integers, shortest doubles, nothing lost on the way. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"

static struct sk_arena arena;

static int start(void **state)
{
	(void)state;
	sk_arena_reset(&arena, 65536);
	return 0;
}

static cJSON *parse(const char *text)
{
	return sk_json_parse(&arena, text, strlen(text), NULL, NULL);
}

static const char *print(const cJSON *node)
{
	return sk_json_print(&arena, node, NULL);
}

static void numbers_fill_the_members_as_cjson_does(void **state)
{
	static const char *const texts[] = { "0", "-1", "2147483647", "2147483648", "-2147483648", "-2147483649", "1e30",
	                                     "-1e30", "1.9", "-1.9", "123456789012345", "9007199254740993", "0.1", "5e-324",
	                                     "123456789.123456789", "1.7976931348623157e308", "2.2250738585072011e-308" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		cJSON *theirs = cJSON_Parse(texts[i]);
		cJSON *ours = parse(texts[i]);

		assert_int_equal(ours->valueint, theirs->valueint);
		assert_true(ours->valuedouble == theirs->valuedouble);
		assert_true(cJSON_IsNumber(ours));
		cJSON_Delete(theirs);
	}
}

static void integers_are_exact(void **state)
{
	static const struct {
		const char *text;
		bool is;
		int64_t v;
	} cases[] = {
		{ "0", true, 0 }, { "-0", true, 0 }, { "1.0", true, 1 }, { "1e3", true, 1000 }, { "12.50e1", true, 125 },
		{ "9223372036854775807", true, INT64_MAX }, { "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 }, { "-9223372036854775809", false, 0 }, { "1.5", false, 0 }, { "1e19", false, 0 },
		{ "0.1e1", true, 1 }, { "0.01e1", false, 0 }, { "9007199254740993.0", true, 9007199254740993 }, { "1e-5", false, 0 },
		{ "0.0", true, 0 }, { "\"1\"", false, 0 }, { "922337203685477580.7e1", true, INT64_MAX }, { "0e999", true, 0 },
		{ "10000000000000000000000e-20", true, 100 },
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		v = 0;
		if (sk_json_to_int(parse(cases[i].text), &v) != cases[i].is || v != cases[i].v)
			fail_msg("%s gives %lld", cases[i].text, (long long)v);
	}
	assert_false(sk_json_to_int(NULL, &v));
	assert_true(sk_json_to_int(sk_json_int(&arena, INT64_MIN), &v) && v == INT64_MIN);
	assert_string_equal(print(sk_json_int(&arena, INT64_MIN)), "-9223372036854775808");
	assert_string_equal(print(sk_json_int(&arena, 9007199254740993)), "9007199254740993");
}

static void doubles_print_shortest(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{ 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1, "1" }, { -0.0, "-0" }, { -21.5, "-21.5" },
		{ 1e21, "1e+21" }, { 1e20, "100000000000000000000" }, { 1e-6, "0.000001" }, { 1.5e-7, "1.5e-7" },
		{ 5e-324, "5e-324" }, { DBL_MAX, "1.7976931348623157e+308" }, { DBL_MIN, "2.2250738585072014e-308" },
		{ 0x1p-44, "5.684341886080802e-14" }, { 123456789012345.67, "123456789012345.67" }, { 1e15, "1000000000000000" },
		{ 0x1p60, "1152921504606846976" }, { 1.0 / 3, "0.3333333333333333" }, { 9.5367431640625e-7, "9.5367431640625e-7" },
		{ INFINITY, "null" }, { NAN, "null" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(print(sk_json_number(&arena, cases[i].v)), cases[i].text);
}

static void any_double_survives_printing(void **state)
{
	uint64_t bits = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		double v;
		cJSON *back;

		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		memcpy(&v, &bits, sizeof v);
		v = i % 3 == 0 ? (double)(bits % 2000000) / 1000 : i % 3 == 1 ? ldexp(1, (int)(bits % 2098) - 1074) : v;
		if (!isfinite(v))
			continue;
		back = parse(print(sk_json_number(&arena, v)));
		assert_true(back && back->valuedouble == v);
		if (i % 100 == 0)
			start(NULL);
	}
}

static void the_locale_changes_nothing(void **state)
{
	(void)state;
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
		print_message("de_DE.UTF-8 is not installed: checked in C only\n");
	assert_true(parse("1.7976931348623157e308")->valuedouble == DBL_MAX);
	assert_true(parse("0.30000000000000004")->valuedouble == 0.1 + 0.2);
	assert_string_equal(print(sk_json_number(&arena, 0.1 + 0.2)), "0.30000000000000004");
	assert_string_equal(print(sk_json_number(&arena, 1.25e-9)), "1.25e-9");
	setlocale(LC_NUMERIC, "C");
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_fill_the_members_as_cjson_does),
		TEST(integers_are_exact),
		TEST(doubles_print_shortest),
		TEST(any_double_survives_printing),
		TEST(the_locale_changes_nothing),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	sk_arena_free(&arena);
	return failed;
}
