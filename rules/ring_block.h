/* ring_block.h -- how a ring lies in its block: for ring.c, which works with it, and left.c, which reads what an earlier process left.
 *
 * A record between tail and head is whole once head is beyond it, and stays so until tail is. Positions only grow; 16 bytes are their unit. */
#ifndef RULES_RING_BLOCK_H
#define RULES_RING_BLOCK_H

#include <stdatomic.h>

#include "core/check.h"
#include "rules/ring.h"

#define RING_MAGIC "SKring1\n"
enum { RING_UNIT = 16, RING_LINE = 64 };
enum { RING_TAKEN, RING_KEPT, RING_DONE, RING_FILLER }; /* the first two are on their way */

struct ring_header {
	_Atomic uint32_t state;
	uint32_t size;               /* of what follows */
	uint32_t check;              /* of a kept one */
	uint32_t place;              /* its position in units, so that one of an earlier lap is told from it */
};
_Static_assert(sizeof(struct ring_header) == RING_UNIT, "a header keeps what follows aligned");

/* What different threads write lies a cache line apart. `size`, `head` and `tail` are what counts of an earlier process. */
struct rules_ring {
	char magic[8];
	uint64_t size;               /* of the records: a power of two */
	char apart_1[RING_LINE - 16];
	_Atomic uint64_t head;       /* writer */
	uint64_t reserved;           /* what publish adds to it */
	uint64_t skipped;            /* of that, before the record */
	uint64_t tail_known;         /* the writer's: tail was there at least */
	char apart_2[RING_LINE];
	_Atomic uint64_t seen;       /* reader */
	_Atomic uint64_t records;    /* that were read */
	char apart_3[RING_LINE];
	_Atomic uint64_t tail;       /* whoever passes over what is done */
	_Atomic uint64_t finishing;
	_Atomic uint64_t finished;   /* records; the last thing that a done() writes */
};
_Static_assert(sizeof(struct rules_ring) <= RULES_RING_HEAD, "positions fit before the records");

static inline struct ring_header *ring_header_at(const struct rules_ring *r, uint64_t position)
{
	return (struct ring_header *)(void *)((unsigned char *)(uintptr_t)r + RULES_RING_HEAD + (position & (r->size - 1)));
}

/* With its header and padding. */
static inline uint64_t ring_whole(uint64_t size)
{
	return RING_UNIT + (size + RING_UNIT - 1) / RING_UNIT * RING_UNIT;
}

/* Of all that does not change: padding is what it was too. */
static inline uint32_t ring_check(const struct ring_header *h)
{
	uint64_t bytes = ring_whole(h->size) - RING_UNIT;
	return (bytes ? sk_check((const unsigned char *)(h + 1) + RULES_RING_OPEN, bytes - RULES_RING_OPEN) : 0) + h->size * 0x9e3779b1u + h->place;
}

#endif
