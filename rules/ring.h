/* ring.h -- messages on their way from the broker's thread to one thread that evaluates rules.
 *
 * A fixed block of memory, one writer, one reader. A record lies in one piece, in order, until it is done: the reader goes on ahead, and
 * records end in any order and on any thread (a rule may wait for a commit). The room of the oldest ones that are done is what the writer gets
 * back. Nobody waits: a writer that finds no room is told so. A record is aligned for any object. */
#ifndef RULES_RING_H
#define RULES_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules_ring;

/* `bytes` is rounded up to a power of two; a record takes its size, a header of 16 bytes and padding to 16, and at most half of the ring, so
 * that it fits into an empty one wherever that begins. NULL: memory is out. */
struct rules_ring *rules_ring_new(size_t bytes);
void rules_ring_free(struct rules_ring **r);
/* Writer: room for a record of `size` bytes, filled in by the caller and then published; NULL: there is no room (or it will never fit). */
void *rules_ring_reserve(struct rules_ring *r, size_t size);
size_t rules_ring_most(const struct rules_ring *r); /* the largest record that ever fits */
void rules_ring_publish(struct rules_ring *r); /* what was reserved last */
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
