/* retained_link.h -- a connection of our own to a listener of this broker, and the bell that wakes the thread that waits on it.
 *
 * One thread uses a link; sk_link_ring is for all others. Nothing waits longer than it is told to, nor when it is to stop. */
#ifndef SK_RETAINED_LINK_H
#define SK_RETAINED_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/retained_wire.h"

struct sk_link {
	int fd, bell;
	int64_t (*now_ms)(void);
	unsigned char *in;
	size_t n, room, taken; /* taken: bytes of the packet that was read last */
};

/* NULL, or what is wrong with the name of a listener. */
const char *sk_link_fault(const char *listener);
int sk_link_init(struct sk_link *l, int64_t (*now_ms)(void)); /* a monotonic clock. 0 or -1 */
void sk_link_free(struct sk_link *l);
int sk_link_open(struct sk_link *l, const char *listener); /* 0 or -1 */
void sk_link_close(struct sk_link *l);
void sk_link_ring(struct sk_link *l);
/* All of it, or -1. */
int sk_link_write(struct sk_link *l, const struct sk_wire_out *out, atomic_bool *stop);
/* 1 and the next packet, which stays until the next call; 0: not by then; -1: the connection is over, or stop. */
int sk_link_read(struct sk_link *l, struct sk_wire_packet *p, int64_t until_ms, atomic_bool *stop);
/* Until the bell rings or the time is over; what comes in is passed over. -1: the connection is over. */
int sk_link_wait(struct sk_link *l, int ms);
void sk_link_pause(struct sk_link *l, int ms);
/* A thread that takes no signals, which are the broker's. 0 or -1. */
int sk_link_thread(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
