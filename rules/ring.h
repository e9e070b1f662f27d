/* ring.h -- messages on their way from the broker's thread to one thread that evaluates rules.
 *
 * A fixed block of memory, one writer, one reader. A record lies in one piece, in order, until it is done: the reader goes on ahead, and
 * records end in any order and on any thread (a rule may wait for a commit). The room of the oldest ones that are done is what the writer gets
 * back. Nobody waits: a writer that finds no room is told so. A record is aligned for any object.
 * All that a ring is lies in its block, without a pointer: when that is a file, what was published as `kept` and is not done is found there
 * after kill -9 (rules/left.h). */
#ifndef RULES_RING_H
#define RULES_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RULES_RING_HEAD = 4096,    /* of a block: positions; behind it the records */
	RULES_RING_LEAST = 64,     /* bytes of records */
	RULES_RING_MOST = 1 << 30,
	RULES_RING_OPEN = 8,       /* the first bytes of a record may change after it was published; nothing behind them may */
};

struct rules_ring;

/* A ring in `block`, which is the caller's, before and after: zeros, RULES_RING_HEAD bytes and a power of two from LEAST to MOST, aligned to a cache line.
 * A record takes its size, a header of 16 bytes and padding to 16, and at most half of the ring, so that it fits into an empty one wherever that
 * begins. NULL: `bytes` is another number. */
struct rules_ring *rules_ring_over(void *block, size_t bytes);
/* Writer: room for a record of `size` bytes, filled in by the caller and then published; NULL: there is no room (or it will never fit). */
void *rules_ring_reserve(struct rules_ring *r, size_t size);
size_t rules_ring_most(const struct rules_ring *r); /* the largest record that ever fits */
void rules_ring_publish(struct rules_ring *r, bool kept); /* what was reserved last; kept: whoever finds the block later is to find it, and whole */
/* Reader: the next record not read yet, its size in *size; NULL: there is none. It stays as it is until it is done. */
void *rules_ring_read(struct rules_ring *r, size_t *size);
/* Any thread, once for each record that was read. */
void rules_ring_done(struct rules_ring *r, void *record);
/* Any thread: bytes that are taken (also what is done behind a record that is not); records read and not done yet, none when the last call of
 * rules_ring_done() has left the ring alone; nothing is left to read. */
size_t rules_ring_used(const struct rules_ring *r);
size_t rules_ring_pending(const struct rules_ring *r);
bool rules_ring_empty(const struct rules_ring *r);

#endif
