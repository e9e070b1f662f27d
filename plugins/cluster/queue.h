/* queue.h -- from the broker's thread to the one that sends: entries (frame.h), bounded in bytes, in chunks that go back and forth.
 *
 * The broker's thread never waits: the other holds the lock only to take a list out or put a chunk back. */
#ifndef CLUSTER_QUEUE_H
#define CLUSTER_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "plugins/cluster/frame.h"

struct chunk {
	struct chunk *next;
	size_t used, room;
	char bytes[];
};
struct queue {
	pthread_mutex_t lock;
	struct chunk *head, *tail, *spare;
	int spares;
	size_t limit;
	_Atomic size_t bytes;   /* here, and what the taker has added for what it still holds */
	int event_fd;           /* readable: something is here */
	atomic_bool asleep;     /* the taker waits, or is about to */
	bool added;             /* the broker's thread's: since it rang last */
};

int queue_init(struct queue *q, size_t limit); /* 0 or -1 */
void queue_free(struct queue *q);
/* Room for an entry by entry_size(); to be filled before queue_added(), with nothing between. NULL: more than the limit (not if `must`), or memory is out. */
char *queue_room(struct queue *q, size_t n, bool must);
void queue_added(struct queue *q);
void queue_ring(struct queue *q); /* if something was added since and the taker sleeps */
/* The taker: all that is there. Each chunk is given back. */
struct chunk *queue_take(struct queue *q);
void queue_give_back(struct queue *q, struct chunk *c);

#endif
