/* rules_filters_memory_test.c -- the index of filters with memory that fails at every point in turn: what could not be added is not half there, what is
 * removed is removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/filters.h"
#include "tests/unit/scarce.h"

enum { MANY = 400 };

static void name(uint32_t i, char *out, size_t size)
{
	static const char *const shapes[] = { "factory/%u/press/3/temp", "+/%u/#", "%u/+/a/+", "same/+/#" };
	static const char numbers[] = "%u";
	const char *shape = shapes[i % 4], *at = strstr(shape, numbers);

	if (at)
		snprintf(out, size, "%.*s%u%s", (int)(at - shape), shape, i, at + strlen(numbers));
	else
		snprintf(out, size, "%s", shape);
}

static bool is_there(const struct rules_filters *f, const char *filter, uint32_t id)
{
	char topic[64];
	uint32_t got[MANY];
	size_t n;

	snprintf(topic, sizeof topic, "%s", filter);
	for (char *s = topic; *s; s++)
		*s = *s == '+' || *s == '#' ? 'z' : *s;
	n = rules_filters_match(f, topic, got, MANY);
	for (size_t i = 0; i < n && i < MANY; i++)
		if (got[i] == id)
			return true;
	return false;
}

static bool filters_come_and_go(void *ctx)
{
	struct rules_filters *f = rules_filters_new();
	bool there[MANY] = { false }, good = f;
	char filter[64];

	(void)ctx;
	for (uint32_t i = 0; f && i < MANY; i++) {
		name(i, filter, sizeof filter);
		there[i] = rules_filters_add(f, filter, i) == 0;
		assert_int_equal(is_there(f, filter, i), there[i]);
		good = good && there[i];
	}
	for (uint32_t i = 0; f && i < MANY; i++) {
		name(i, filter, sizeof filter);
		assert_int_equal(is_there(f, filter, i), there[i]);
		if (i % 40 != 7)
			rules_filters_remove(f, filter, i);
		assert_int_equal(is_there(f, filter, i), there[i] && i % 40 == 7);
	}
	for (uint32_t i = 7; f && i < MANY; i += 40) {
		name(i, filter, sizeof filter);
		assert_int_equal(is_there(f, filter, i), there[i]);
	}
	rules_filters_free(&f);
	return good && !scarce_failed(); /* a copy that was not made is no fault */
}

static void filters(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(filters_come_and_go, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(filters) };

	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
