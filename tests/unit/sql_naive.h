/* sql_naive.h -- random expressions of AWS IoT SQL, evaluated on their tree, without a program, by code of their own. */
#ifndef TESTS_SQL_NAIVE_H
#define TESTS_SQL_NAIVE_H

#include "sql/sql.h"

/* Where choices come from: bytes of a fuzzer, or of a generator. Behind the end all choices are 0. */
struct naive_choices {
	const uint8_t *at, *end;
};

/* Makes an expression, evaluates it both ways against a fixed document. NULL: both agree, or the naive one cannot tell
 * (decimals that a double does not hold); else what is wrong, the arena's. `size` is how long the expression's text was. */
const char *naive_disagreement(struct sk_arena *a, struct naive_choices *from, size_t *size);

#endif
