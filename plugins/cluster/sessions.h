/* sessions.h -- which filters do the sessions of this broker have? Counted, so that each is told of once when it comes and once when it goes. Pure;
 * the broker's thread.
 *
 * A session is that of one client object of the broker, by its generation. One that goes on with another's begins with a copy of its filters:
 * which of the two stays is seen when one is gone. Generation 0 is nobody's: filters that count whoever is there. */
#ifndef CLUSTER_SESSIONS_H
#define CLUSTER_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/cluster/frame.h"
#include "plugins/cluster/strings.h"

struct session;
struct sessions {
	struct session **by_generation;
	struct session **by_id;
	size_t places, count;
	struct strings filters;     /* of all of them */
	struct session *doubtful;   /* may have subscriptions from before that nobody has told us of */
	/* ENTRY_ADD, ENTRY_REMOVE, ENTRY_KEEP, ENTRY_FORGET of a filter ("": everything). */
	void (*changed)(void *ctx, enum entry_kind what, const char *filter);
	void *ctx;
};
struct session_is {
	uint64_t generation;
	void *handle;
	const char *id;
	bool lasting;  /* it may outlive its connection */
	bool fresh;    /* it goes on with nothing from before */
};

/* All answer 0, or -1: memory is out, something is not known: whoever wants to be sure takes everything. */
int sessions_came(struct sessions *s, const struct session_is *is);
/* `$share/GROUP/FILTER` is FILTER. Of a session that is not known: nothing. */
int sessions_subscribed(struct sessions *s, uint64_t generation, const char *filter, bool on);
void sessions_gone(struct sessions *s, uint64_t generation);
/* At most n of its filters go; true: that was all of it, and it is gone. */
bool sessions_fade(struct sessions *s, uint64_t generation, size_t n);
/* Asks for each session in doubt how many subscriptions it has: while there are more than we know, it takes everything. */
int sessions_doubt(struct sessions *s, int (*subscriptions)(void *handle, uint64_t generation));
void sessions_free(struct sessions *s); /* tells nothing */

#endif
