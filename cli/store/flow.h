/* flow.h -- the records of a place in order, one by one, read ahead by a thread of its own in bounded memory. */
#ifndef STORE_FLOW_H
#define STORE_FLOW_H

#include "cli/store/place.h"

struct flow;
struct flow_record { /* key and bytes are the receiver's: flow_drop() */
	enum sk_space space;
	char *key;
	struct sk_bytes *bytes;
	uint64_t version;
};

/* From behind that key on; after NULL: from the first of that space on. The place is the flow's until it is closed. NULL: no memory, no thread. */
struct flow *flow_open(struct place *p, enum sk_space space, const char *after);
/* 1 and the next one, 0 at the end, -1: flow_why(). */
int flow_next(struct flow *f, struct flow_record *r);
const char *flow_why(const struct flow *f);
void flow_close(struct flow **f);
void flow_drop(struct flow_record *r); /* NULLs are allowed and left */

#endif
