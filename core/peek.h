/* peek.h -- why a connection ended, read out of Mosquitto 2.0's own client object, since its API does not tell.
 *
 * Nothing is believed that has not been checked: the place of the fields is found on a live client, where the pointers of its id and user name
 * stand next to each other, its keep-alive at its distance, its state says that it is active and its last packet came just now.
 * Each later look checks the pointers again. What does not fit answers SK_PEEK_UNKNOWN. */
#ifndef SK_PEEK_H
#define SK_PEEK_H

#include <stdbool.h>
#include <stdint.h>

enum { SK_PEEK_TRIES = 32, SK_PEEK_CLOCKS = 3 };
struct sk_peek { /* all zero: nothing tried yet */
	int offset; /* of the id; 0: not known */
	int tries;
	int clock;  /* of the times: index into sk_peek_at.now_s */
};
struct sk_peek_at {
	const void *object;
	const char *id, *username; /* as the API tells, the very pointers */
	int keepalive;
	int64_t now_s[SK_PEEK_CLOCKS]; /* monotonic, since boot, of the day: which one the broker counts by depends on how it was built */
};
enum sk_peeked { SK_PEEK_UNKNOWN, SK_PEEK_CONNECTING, SK_PEEK_CLIENT, SK_PEEK_LOST, SK_PEEK_KEEPALIVE, SK_PEEK_TAKEN };

/* On a client whose packet is just being handled. Gives up after some tries; cheap once it has found or given up. */
void sk_peek_learn(struct sk_peek *p, const struct sk_peek_at *at);
/* On a client whose connection has just ended. */
enum sk_peeked sk_peek_why(const struct sk_peek *p, const struct sk_peek_at *at);

#endif
