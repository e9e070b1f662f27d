/* follower.h -- what brokers that share a store owe each other: this broker hears what the others have written, and does what they left.
 *
 *   every 250 ms   the log of changes: what is watched is read anew and applied on the broker's thread (core/applied.h)
 *   after a gap    all that is watched is applied anew, between two calls of each plugin's reset()
 *   every 2 s      "I am here", and who else is
 *   every 3 s      durable effects of brokers that are gone, and of our own that nobody knows of any more, are replayed
 *
 * One thread steps it; it waits for the store's answers, and there is none where the store is one process's own. Nothing of it is asked
 * for on the broker's thread but what is marked so. */
#ifndef SK_FOLLOWER_H
#define SK_FOLLOWER_H

#include "core/runtime.h"

struct sk_follower;
/* Before the first watch is filled: it notes where the log stands. NULL: memory is out. */
struct sk_follower *sk_follower_new(struct sk_runtime *rt);
void sk_follower_free(struct sk_follower **f);
/* Does what is due; the monotonic us of the next thing to do. */
int64_t sk_follower_step(struct sk_follower *f, int64_t now_us);

/* Any thread: the number that an APPLY item made from now on carries (core/applied.h). */
uint64_t sk_follower_made(struct sk_follower *f);
/* Broker thread: may this APPLY item be told to its watch? If nobody can say, it is read anew. */
bool sk_follower_judge(struct sk_follower *f, const struct sk_outgoing *item);
/* Any thread: for how many milliseconds the log of changes has not been heard; 0: it was, the last time. */
int64_t sk_follower_lost_ms(struct sk_follower *f);

/* -- who is there: any thread -- */
/* This broker's place among those that live, in an order which follows from `key` alone: 0, it is the first to do what must be done once. */
int sk_follower_place(struct sk_follower *f, const char *key);

/* -- effects that this process knows of, by key: any thread -- */
int sk_follower_knows(struct sk_follower *f, const char *key); /* from now on; 0 or -1: memory is out */
void sk_follower_forgets(struct sk_follower *f, const char *key);

#endif
