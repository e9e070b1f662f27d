/* check.h -- what the parts of skeeter-store check share: where faults go, and how far it is. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <stdio.h>

#include "cli/store/place.h"
#include "cli/store/progress.h"
#include "core/arena.h"

struct check {
	struct place *p;
	FILE *out;
	struct progress *progress;
	struct sk_arena arena;
	uint64_t faults, seen;
};

/* A line; no more than CHECK_LINES of them, all are counted. */
void check_fault(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_seen(struct check *c);
/* check_redis.c: the keys of each bucket in a Redis against each other. */
void check_buckets(struct check *c);

#endif
