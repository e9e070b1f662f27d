/* flags.h -- "--name VALUE" and "--name=VALUE" of verbs that are no operation. Pure. */
#ifndef SKEETER_FLAGS_H
#define SKEETER_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

struct flag {              /* the table ends with a row of zeros */
	const char *name;      /* without dashes */
	const char **value;    /* NULL: it takes none */
	bool *set;             /* or NULL */
	bool required;
};
/* What is no flag stays in argv, in order; *left is how many. 0, or -1 with one line in why[]. */
int flags_take(const struct flag *table, int argc, char **argv, int *left, char *why, size_t why_size);

#endif
