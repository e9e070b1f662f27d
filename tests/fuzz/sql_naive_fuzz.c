/* sql_naive_fuzz.c -- bytes choose an expression: its program answers what a walk over its tree does. */
#include "tests/fuzz/expect.h"
#include "tests/unit/sql_naive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct naive_choices from = { data, data + size };
	struct sk_arena a = { 0 };
	size_t n;
	const char *why = naive_disagreement(&a, &from, &n);

	if (why)
		fprintf(stderr, "%s\n", why);
	expect(!why);
	sk_arena_free(&a);
	return 0;
}
