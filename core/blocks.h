/* blocks.h -- memory for what one thread makes in great numbers and any thread may free, cut from blocks that go back to the system as a whole.
 *
 * From malloc such things would lie between what lives long: after a load peak their room would have to be trimmed away, and trimming holds the
 * broker thread's part of malloc for as long as there are pages to return. One thread takes from a struct sk_blocks; giving is for all. */
#ifndef SK_BLOCKS_H
#define SK_BLOCKS_H

#include <stddef.h>

#define SK_BLOCKS_MOST (32 * 1024) /* bytes of one piece */

struct sk_block;
struct sk_blocks { struct sk_block *now; }; /* all zero is empty */

/* n bytes, aligned for anything, not cleared; NULL when memory is out or n is too large. */
void *sk_blocks_take(struct sk_blocks *b, size_t n);
/* Any thread; p is not NULL. */
void sk_blocks_give(void *p);
/* What is still out stays valid until it is given back. */
void sk_blocks_free(struct sk_blocks *b);

#endif
