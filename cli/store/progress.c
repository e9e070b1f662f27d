/* progress.c -- one line on stderr each time the interval has passed. The work decides how often it tells. */
#include "cli/store/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, const char *what)
{
	p->what = what;
	p->next_ms = clock_ms() + p->every_ms;
}

void progress_tell(struct progress *p, uint64_t done, uint64_t of)
{
	if (p->quiet || (p->every_ms && clock_ms() < p->next_ms))
		return;
	p->next_ms = clock_ms() + p->every_ms;
	if (of)
		fprintf(stderr, "%s %" PRIu64 " of %" PRIu64 "\n", p->what, done, of);
	else
		fprintf(stderr, "%s %" PRIu64 "\n", p->what, done);
}
