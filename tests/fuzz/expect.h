/* expect.h -- what a fuzz target holds to be true. One that is not ends the program, which libFuzzer reports, and says which. */
#ifndef FUZZ_EXPECT_H
#define FUZZ_EXPECT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(bool holds, const char *what, int line)
{
	if (holds)
		return;
	fprintf(stderr, "line %d, does not hold: %s\n", line, what);
	abort();
}
#define expect(condition) must(condition, #condition, __LINE__)

#endif
