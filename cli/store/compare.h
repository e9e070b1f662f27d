/* compare.h -- two places record by record: what one has and the other has not, and what they hold differently. Versions are not compared. */
#ifndef STORE_COMPARE_H
#define STORE_COMPARE_H

#include <signal.h>

#include "cli/store/flow.h"
#include "cli/store/progress.h"

struct compare {
	struct place *from, *to;
	struct progress *progress;
	const volatile sig_atomic_t *stop;
	uint64_t expected;             /* records, for the progress; 0: unknown */
	/* filled: */
	uint64_t records[SK_SPACES], bytes[SK_SPACES]; /* of from */
	uint64_t differences;          /* each was a line on stdout, the first CHECK_LINES of them */
	char sha256[65];               /* of all that from holds, in order */
	char why[5000];
};

/* 0: compared, whatever was found. -1 with why[]; "" when it was stopped. */
int compare_places(struct compare *c);

#endif
