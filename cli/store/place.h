/* place.h -- a store as the verbs of skeeter-store name it: a file, or the URL of a Redis. Read in order, or filled; not in use by a broker.
 *
 * Whoever only opens one changes nothing; place_fill() makes a store that is not there. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "cli/store/redis_look.h"
#include "cli/store/view.h"

enum { PLACE_NAME = 4096 }; /* PATH_MAX */
struct place {
	char name[PLACE_NAME];   /* for messages: the file's path, the URL without its password */
	char id[PLACE_NAME];     /* the same for one store, however it was called; "" while it is not there */
	char state[32];          /* the same as long as nobody writes to it */
	bool empty;              /* it holds nothing; the marker does not count */
	struct sk_bytes *marker; /* of a store that is not filled yet (SK_STORE_FILLING), or NULL */
	uint64_t sequence;       /* no record's version is above it */
	struct view *view;       /* of a file that is read */
	struct sk_store *store;  /* of a Redis, and of a file that is filled */
	struct look *look;       /* of a Redis */
};

enum place_use {
	PLACE_READ,
	PLACE_FILL,  /* it need not be there */
	PLACE_GLANCE /* reads a Redis also while brokers use it: no moment's truth */
};
/* 0, or -1 and *why. place_close() in both cases. */
int place_open(struct place *p, const char *named, enum place_use use, struct view_why *why);
/* Opens one of PLACE_FILL for writing. 0, or -1 and *why. */
int place_fill(struct place *p, struct view_why *why);
void place_close(struct place *p);
/* The records of one kind that come after a key (NULL: all), in order. As view_each. Any thread, but a file that is read is one thread's. */
int place_each(struct place *p, enum sk_space space, const char *after, view_fn *fn, void *ctx, struct view_why *why);
int place_all(struct place *p, view_fn *fn, void *ctx, struct view_why *why);
/* As sk_store_ops.read of one: 0, or -1 and *why. */
int place_get(struct place *p, struct sk_store_read *r, struct view_why *why);
/* 0: nobody has written to it and no broker has come since it was opened; else -1 and *why. */
int place_still(struct place *p, struct view_why *why);
/* Is this record the marker? */
bool place_is_marker(enum sk_space space, const char *key, size_t size);

#endif
