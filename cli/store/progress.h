/* progress.h -- says on stderr how far long work is: nothing at first, then a line now and then. */
#ifndef STORE_PROGRESS_H
#define STORE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;  /* "dump: records" */
	bool quiet;
	int every_ms;      /* 0: each time it is told */
	int64_t next_ms;   /* 0: it has not begun */
};

void progress_begin(struct progress *p, const char *what);
/* of 0: nobody knows how many there will be. */
void progress_tell(struct progress *p, uint64_t done, uint64_t of);

#endif
