/* blocks.c -- see blocks.h. A block counts down: from BIAS while its thread takes from it, by one for each piece that is given back; what has been
 * taken is added when the thread turns to the next block, so that the count is then of those that are still out, and 0 ends the block. */
#include "core/blocks.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define BLOCK ((size_t)256 * 1024)
#define BIAS ((int64_t)1 << 40)

struct sk_block {
	_Atomic int64_t held;
	int64_t taken;  /* the taking thread's */
	size_t used;    /* bytes, this head among them */
	uint64_t align;
};
struct piece { struct sk_block *block; uint64_t align; };

static _Atomic(struct sk_block *) spare; /* one for all, so that a steady load asks the system for nothing */

static void begin(struct sk_block *k)
{
	atomic_store_explicit(&k->held, BIAS, memory_order_relaxed);
	k->taken = 0;
	k->used = sizeof *k;
}

static void end(struct sk_block *k)
{
	struct sk_block *none = NULL;
	if (!atomic_compare_exchange_strong(&spare, &none, k))
		munmap(k, BLOCK);
}

/* The thread takes no more from it. */
static void leave(struct sk_block *k)
{
	int64_t rest = BIAS - k->taken;
	if (atomic_fetch_sub_explicit(&k->held, rest, memory_order_acq_rel) == rest)
		end(k);
}

static bool next_block(struct sk_blocks *b)
{
	struct sk_block *k = b->now;
	if (k && atomic_load_explicit(&k->held, memory_order_acquire) == BIAS - k->taken) {
		begin(k); /* all of it has come back */
		return true;
	}
	struct sk_block *fresh = atomic_exchange(&spare, NULL);
	if (!fresh) {
		fresh = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (fresh == MAP_FAILED)
			return false;
	}
	begin(fresh);
	if (k)
		leave(k);
	b->now = fresh;
	return true;
}

void *sk_blocks_take(struct sk_blocks *b, size_t n)
{
	if (n > SK_BLOCKS_MOST)
		return NULL;
	size_t size = sizeof(struct piece) + ((n + 15) & ~(size_t)15);
	if ((!b->now || b->now->used + size > BLOCK) && !next_block(b))
		return NULL;
	struct piece *p = (struct piece *)((char *)b->now + b->now->used);
	b->now->used += size;
	b->now->taken++;
	p->block = b->now;
	return p + 1;
}

void sk_blocks_give(void *at)
{
	struct sk_block *k = ((struct piece *)at - 1)->block;
	if (atomic_fetch_sub_explicit(&k->held, 1, memory_order_acq_rel) == 1)
		end(k);
}

void sk_blocks_free(struct sk_blocks *b)
{
	struct sk_block *k = b->now;
	b->now = NULL;
	if (k)
		leave(k);
	k = atomic_exchange(&spare, NULL);
	if (k)
		munmap(k, BLOCK);
}
