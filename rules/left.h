/* left.h -- what an earlier process left in the block of a ring: the records that it was to keep and had not done with.
 *
 * The block may hold anything. Nothing beyond it is read, and a record is given out only when its check holds. What cannot be a ring's ends the
 * reading there (kill -9 leaves nothing of the kind, a power cut may): no place is guessed at which records might go on. */
#ifndef RULES_LEFT_H
#define RULES_LEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules_left {
	unsigned char *records;    /* of `size` bytes, the caller's */
	uint64_t size;
	uint64_t from, at, head;   /* all before `from` is done */
	uint64_t checked;          /* of what lies before the checks were looked at */
	bool damaged;              /* what was behind `head` cannot be read */
};
/* `block` is aligned as any memory of malloc is. 0; 1: it is a ring that was never begun; -1: it is none. */
int rules_left_open(struct rules_left *l, void *block, size_t bytes);
/* The next record; NULL: there is no more. A record that is not done comes again after rewind(). */
void *rules_left_next(struct rules_left *l, size_t *size);
void rules_left_rewind(struct rules_left *l);
/* Written into the block: it never comes again. */
void rules_left_done(void *record);

#endif
