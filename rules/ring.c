/* ring.c -- one block, positions that only grow, and a record's state in its header.
 *
 * Of three positions the first two have one writer each: `head` the writer's, `seen` the reader's. `tail` belongs to whoever brought `finishing` from zero to
 * one: each done() counts itself there, and the one that found zero passes over all records that are done until nobody has come meanwhile. So a
 * record that is done is never left behind, and nobody waits for another.
 * Invariant: tail <= seen <= head <= tail + size, and every header between tail and seen is a header. What does not fit before the end of the
 * block begins at its start, behind a record without content that fills the rest. */
#include "rules/ring.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { UNIT = 16, LEAST = 64, LINE = 64 };
enum { TAKEN, DONE, FILLER };

struct header {
	_Atomic uint64_t state;
	uint64_t size;               /* of what follows */
};
_Static_assert(sizeof(struct header) == UNIT, "a header keeps what follows aligned");

/* What different threads write lies a cache line apart, wherever the block begins. */
struct rules_ring {
	unsigned char *block;
	uint64_t size;               /* a power of two */
	char apart_1[LINE];
	_Atomic uint64_t head;       /* writer */
	uint64_t reserved;           /* what publish adds to it */
	uint64_t tail_known;         /* the writer's: tail was there at least */
	char apart_2[LINE];
	_Atomic uint64_t seen;       /* reader */
	_Atomic uint64_t records;    /* that were read */
	char apart_3[LINE];
	_Atomic uint64_t tail;       /* whoever passes over what is done */
	_Atomic uint64_t finishing;
	_Atomic uint64_t finished;   /* records; the last thing that a done() writes */
	char apart_4[LINE];
};

static struct header *header_at(const struct rules_ring *r, uint64_t position)
{
	return (struct header *)(void *)(r->block + (position & (r->size - 1)));
}

/* With its header and padding. */
static uint64_t whole(uint64_t size)
{
	return UNIT + (size + UNIT - 1) / UNIT * UNIT;
}

struct rules_ring *rules_ring_new(size_t bytes)
{
	size_t size = LEAST;

	while (size < bytes && size <= SIZE_MAX / 4)
		size *= 2;
	struct rules_ring *r = size < bytes ? NULL : calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->size = size;
	r->block = calloc(1, size);
	if (!r->block)
		rules_ring_free(&r);
	return r;
}

void rules_ring_free(struct rules_ring **r)
{
	if (!*r)
		return;
	free((*r)->block);
	free(*r);
	*r = NULL;
}

/* -- writer -- */

static bool has_room(struct rules_ring *r, uint64_t head, uint64_t bytes)
{
	if (head + bytes - r->tail_known <= r->size)
		return true;
	r->tail_known = atomic_load_explicit(&r->tail, memory_order_acquire);
	return head + bytes - r->tail_known <= r->size;
}

static void write_header(struct rules_ring *r, uint64_t position, uint64_t state, uint64_t bytes)
{
	struct header *h = header_at(r, position);

	h->size = bytes;
	atomic_store_explicit(&h->state, state, memory_order_relaxed); /* `head` publishes it */
}

size_t rules_ring_most(const struct rules_ring *r)
{
	return r->size / 2 - UNIT;
}

void *rules_ring_reserve(struct rules_ring *r, size_t size)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), left = r->size - (head & (r->size - 1));

	r->reserved = 0;
	if (size > rules_ring_most(r))
		return NULL;
	uint64_t bytes = whole(size), skipped = bytes > left ? left : 0;
	if (!has_room(r, head, skipped + bytes))
		return NULL;
	if (skipped)
		write_header(r, head, FILLER, left - UNIT);
	write_header(r, head + skipped, TAKEN, size);
	r->reserved = skipped + bytes;
	return header_at(r, head + skipped) + 1;
}

void rules_ring_publish(struct rules_ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	atomic_store_explicit(&r->head, head + r->reserved, memory_order_release);
	r->reserved = 0;
}

/* -- reader -- */

void *rules_ring_read(struct rules_ring *r, size_t *size)
{
	uint64_t at = atomic_load_explicit(&r->seen, memory_order_relaxed), records = atomic_load_explicit(&r->records, memory_order_relaxed);

	if (at == atomic_load_explicit(&r->head, memory_order_acquire))
		return NULL;
	struct header *h = header_at(r, at);
	if (atomic_load_explicit(&h->state, memory_order_relaxed) == FILLER) {
		at += whole(h->size);
		h = header_at(r, at);
	}
	*size = (size_t)h->size;
	atomic_store_explicit(&r->records, records + 1, memory_order_release);
	atomic_store_explicit(&r->seen, at + whole(h->size), memory_order_release);
	return h + 1;
}

/* -- whoever is done -- */

static void pass_over(struct rules_ring *r)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), seen = atomic_load_explicit(&r->seen, memory_order_acquire);

	while (at != seen) {
		struct header *h = header_at(r, at);
		if (atomic_load_explicit(&h->state, memory_order_acquire) == TAKEN)
			break;
		at += whole(h->size);
	}
	atomic_store_explicit(&r->tail, at, memory_order_release);
}

void rules_ring_done(struct rules_ring *r, void *record)
{
	struct header *h = (struct header *)record - 1;

	atomic_store_explicit(&h->state, DONE, memory_order_release);
	uint64_t came = 1, before = atomic_fetch_add_explicit(&r->finishing, 1, memory_order_acq_rel);
	while (!before && came) {
		pass_over(r);
		came = atomic_fetch_sub_explicit(&r->finishing, came, memory_order_acq_rel) - came;
	}
	atomic_fetch_add_explicit(&r->finished, 1, memory_order_acq_rel);
}

/* -- any thread -- */

size_t rules_ring_used(const struct rules_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire), head = atomic_load_explicit(&r->head, memory_order_acquire);

	return (size_t)(head - tail < r->size ? head - tail : r->size);
}

size_t rules_ring_pending(const struct rules_ring *r)
{
	uint64_t finished = atomic_load_explicit(&r->finished, memory_order_acquire);

	return (size_t)(atomic_load_explicit(&r->records, memory_order_acquire) - finished);
}

bool rules_ring_empty(const struct rules_ring *r)
{
	uint64_t seen = atomic_load_explicit(&r->seen, memory_order_acquire);

	return seen == atomic_load_explicit(&r->head, memory_order_acquire);
}
