/* left.c -- see left.h. Every number of the block is looked at before it leads anywhere. */
#include "rules/left.h"

#include <string.h>

#include "rules/ring_block.h"

static bool all_zero(const unsigned char *at, size_t n)
{
	return !n || (!*at && !memcmp(at, at + 1, n - 1));
}

int rules_left_open(struct rules_left *l, void *block, size_t bytes)
{
	const struct rules_ring *r = block;
	size_t size = bytes < RULES_RING_HEAD ? 0 : bytes - RULES_RING_HEAD;

	*l = (struct rules_left){ .size = size };
	if (all_zero(block, bytes < RULES_RING_HEAD ? bytes : sizeof r->magic))
		return 1;
	if (size < RULES_RING_LEAST || size > RULES_RING_MOST || size & (size - 1) || memcmp(r->magic, RING_MAGIC, sizeof r->magic) || r->size != size)
		return -1;
	l->records = (unsigned char *)block + RULES_RING_HEAD;
	l->head = atomic_load(&r->head);
	l->from = l->at = l->checked = atomic_load(&r->tail);
	return l->head - l->at > size || l->head % RING_UNIT || l->at % RING_UNIT ? -1 : 0;
}

/* The bytes that it takes; 0: it cannot be a header of here. */
static uint64_t length(const struct rules_left *l, const struct ring_header *h)
{
	uint64_t whole = ring_whole(h->size), end = l->size - (l->at & (l->size - 1));
	bool good = atomic_load_explicit(&h->state, memory_order_relaxed) <= RING_FILLER && h->place == (uint32_t)(l->at / RING_UNIT);

	return good && whole <= end && whole <= l->head - l->at ? whole : 0;
}

static bool is_left(const struct ring_header *h)
{
	return atomic_load_explicit(&h->state, memory_order_relaxed) == RING_KEPT;
}

/* Once is enough for a check: a large file may be gone through often. */
static bool is_whole(struct rules_left *l, const struct ring_header *h, uint64_t whole)
{
	bool known = l->at - l->from < l->checked - l->from;

	if (!whole || (!known && is_left(h) && h->check != ring_check(h)))
		return false;
	if (!known)
		l->checked = l->at + whole;
	return true;
}

void *rules_left_next(struct rules_left *l, size_t *size)
{
	while (l->at != l->head) {
		struct ring_header *h = (struct ring_header *)(void *)(l->records + (l->at & (l->size - 1)));
		uint64_t whole = length(l, h);
		if (!is_whole(l, h, whole)) {
			l->damaged = true;
			l->head = l->at;
			break;
		}
		bool left = is_left(h);
		if (!left && l->from == l->at)
			l->from += whole;
		l->at += whole;
		if (left) {
			*size = h->size;
			return h + 1;
		}
	}
	return NULL;
}

void rules_left_rewind(struct rules_left *l)
{
	l->at = l->from;
}

void rules_left_done(void *record)
{
	struct ring_header *h = (struct ring_header *)record - 1;

	atomic_store_explicit(&h->state, RING_DONE, memory_order_release);
}
