/* ring.c -- one block, positions that only grow, and a record's state in its header.
 *
 * Of three positions the first two have one writer each: `head` the writer's, `seen` the reader's. `tail` belongs to whoever brought `finishing` from zero to
 * one: each done() counts itself there, and the one that found zero passes over all records that are done until nobody has come meanwhile. So a
 * record that is done is never left behind, and nobody waits for another.
 * Invariant: tail <= seen <= head <= tail + size, and every header between tail and seen is a header. What does not fit before the end of the
 * block begins at its start, behind a record without content that fills the rest. */
#include "rules/ring_block.h"

#include <string.h>

struct rules_ring *rules_ring_over(void *block, size_t bytes)
{
	struct rules_ring *r = block;
	size_t size = bytes < RULES_RING_HEAD ? 0 : bytes - RULES_RING_HEAD;

	if (size < RULES_RING_LEAST || size > RULES_RING_MOST || size & (size - 1))
		return NULL;
	r->size = size;
	memcpy(r->magic, RING_MAGIC, sizeof r->magic);
	return r;
}

/* -- writer -- */

static bool has_room(struct rules_ring *r, uint64_t head, uint64_t bytes)
{
	if (head + bytes - r->tail_known <= r->size)
		return true;
	r->tail_known = atomic_load_explicit(&r->tail, memory_order_acquire);
	return head + bytes - r->tail_known <= r->size;
}

static struct ring_header *write_header(struct rules_ring *r, uint64_t position, uint32_t state, uint64_t bytes)
{
	struct ring_header *h = ring_header_at(r, position);

	h->size = (uint32_t)bytes;
	h->place = (uint32_t)(position / RING_UNIT);
	atomic_store_explicit(&h->state, state, memory_order_relaxed); /* `head` publishes it */
	return h;
}

size_t rules_ring_most(const struct rules_ring *r)
{
	return r->size / 2 - RING_UNIT;
}

void *rules_ring_reserve(struct rules_ring *r, size_t size)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), left = r->size - (head & (r->size - 1));

	r->reserved = 0;
	if (size > rules_ring_most(r))
		return NULL;
	uint64_t bytes = ring_whole(size), skipped = bytes > left ? left : 0;
	if (!has_room(r, head, skipped + bytes))
		return NULL;
	if (skipped)
		write_header(r, head, RING_FILLER, left - RING_UNIT);
	r->reserved = skipped + bytes;
	r->skipped = skipped;
	return write_header(r, head + skipped, RING_TAKEN, size) + 1;
}

void rules_ring_publish(struct rules_ring *r, bool kept)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (kept && r->reserved) {
		struct ring_header *h = ring_header_at(r, head + r->skipped);
		h->check = ring_check(h);
		atomic_store_explicit(&h->state, RING_KEPT, memory_order_relaxed);
	}
	atomic_store_explicit(&r->head, head + r->reserved, memory_order_release);
	r->reserved = 0;
}

/* -- reader -- */

void *rules_ring_read(struct rules_ring *r, size_t *size)
{
	uint64_t at = atomic_load_explicit(&r->seen, memory_order_relaxed), records = atomic_load_explicit(&r->records, memory_order_relaxed);

	if (at == atomic_load_explicit(&r->head, memory_order_acquire))
		return NULL;
	struct ring_header *h = ring_header_at(r, at);
	if (atomic_load_explicit(&h->state, memory_order_relaxed) == RING_FILLER) {
		at += ring_whole(h->size);
		h = ring_header_at(r, at);
	}
	*size = h->size;
	atomic_store_explicit(&r->records, records + 1, memory_order_release);
	atomic_store_explicit(&r->seen, at + ring_whole(h->size), memory_order_release);
	return h + 1;
}

/* -- whoever is done -- */

static void pass_over(struct rules_ring *r)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), seen = atomic_load_explicit(&r->seen, memory_order_acquire);

	while (at != seen) {
		struct ring_header *h = ring_header_at(r, at);
		if (atomic_load_explicit(&h->state, memory_order_acquire) < RING_DONE)
			break;
		at += ring_whole(h->size);
	}
	atomic_store_explicit(&r->tail, at, memory_order_release);
}

void rules_ring_done(struct rules_ring *r, void *record)
{
	struct ring_header *h = (struct ring_header *)record - 1;

	atomic_store_explicit(&h->state, RING_DONE, memory_order_release);
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
