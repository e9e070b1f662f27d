/* marker.h -- what stands in a store that is being filled: from where, and how far it is. One JSON object under SK_STORE_FILLING. */
#ifndef STORE_MARKER_H
#define STORE_MARKER_H

#include "cli/store/place.h"

struct marker {
	char from[PLACE_NAME];    /* id of the place that it is filled from */
	char state[32];           /* of that place; another one now: what was copied is of another moment */
	bool begun;               /* false: what the store holds is still to go */
	enum sk_space space;      /* the last record that is there, with its key; */
	char after[SK_KEY_MAX + 1]; /* "": none yet */
	uint64_t records;         /* that are there */
};

/* The text, to be freed; NULL: memory is out. */
char *marker_write(const struct marker *m);
/* 0, or -1: this is none. */
int marker_read(struct marker *m, const struct sk_bytes *text);

#endif
