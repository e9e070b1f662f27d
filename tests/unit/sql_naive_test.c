/* sql_naive_test.c -- 40,000 random expressions: the compiled program answers what a walk over the tree does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sql_naive.h"

enum { EXPRESSIONS = 40000 };

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void programs_agree_with_trees(void **state)
{
	uint64_t seed = 88172645463325252u;
	struct sk_arena a = { 0 };
	size_t size, longest = 0;
	int told = 0;

	(void)state;
	for (int i = 0; i < EXPRESSIONS && told < 10; i++) {
		uint8_t bytes[240];
		struct naive_choices from = { bytes, bytes + sizeof bytes };
		const char *why;
		for (size_t n = 0; n < sizeof bytes; n++)
			bytes[n] = (uint8_t)(next(&seed) >> 32);
		why = naive_disagreement(&a, &from, &size);
		longest = size > longest ? size : longest;
		if (why) {
			print_error("%s\n\n", why);
			told++;
		}
		sk_arena_reset(&a, 1 << 20);
	}
	sk_arena_free(&a);
	assert_int_equal(told, 0);
	assert_true(longest > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(programs_agree_with_trees) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
