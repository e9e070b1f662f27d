/* store.h -- what the verbs of skeeter-store share: options, exit codes, and one line for each thing that goes wrong. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/store/progress.h"

enum { /* exit codes, as the skeeter command has them */
	STORE_OK = 0,
	STORE_USAGE = 252,  /* the command line is wrong, nothing was done */
	STORE_FAULTS = 254, /* check found some */
	STORE_FAILED = 255  /* it could not be done, and nothing was changed */
};

struct store_options {
	const char *store;   /* the file, a folder means skeeter.db in it; or a URL */
	const char *other;   /* the second argument, or NULL */
	bool replace, verify;
	struct progress progress;
};

/* Prints "skeeter-store: " and the line on stderr; STORE_FAILED. */
int store_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

typedef int store_verb(struct store_options *o);
store_verb store_dump, store_load, store_check, store_stats, store_backup, store_migrate, store_copy;

struct view;
/* Every check there is of what a view shows; a line for each fault goes to out (no more than CHECK_LINES, then their number). */
uint64_t check_view(struct view *v, FILE *out, struct progress *progress);
struct place;
uint64_t check_redis(struct place *p, FILE *out, struct progress *progress);
#define CHECK_LINES 1000
store_verb load_redis; /* what load does with a URL */

#endif
