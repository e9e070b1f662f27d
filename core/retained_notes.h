/* retained_notes.h -- what the broker's thread has seen of retained messages, on its way into the index: it only copies and goes on.
 *
 * Order is kept, whoever applies them: what has been seen before a question is in the index when it is answered. */
#ifndef SK_RETAINED_NOTES_H
#define SK_RETAINED_NOTES_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/retained_index.h"

enum sk_note_kind { SK_NOTE_SET, SK_NOTE_SEEN, SK_NOTE_REMOVE };
struct sk_note {
	struct sk_note *next;
	enum sk_note_kind kind;
	struct sk_retained_fact fact; /* not of a removal */
	char topic[];
};
struct sk_notes {
	pthread_mutex_t lock;      /* of the list: held for an append, or to take all */
	pthread_mutex_t applying;  /* never by the broker's thread */
	struct sk_note *head, **tail;
	size_t count, most;
	_Atomic size_t dropped;    /* for want of memory or room */
};

void sk_notes_init(struct sk_notes *n, size_t most);
void sk_notes_free(struct sk_notes *n);
/* How many are waiting. fact may be NULL for a removal. */
size_t sk_notes_add(struct sk_notes *n, enum sk_note_kind kind, const char *topic, const struct sk_retained_fact *fact);
/* All that wait, in order, to fn: one thread at a time, and what it holds for that is held by no other. */
void sk_notes_apply(struct sk_notes *n, void (*fn)(void *ctx, const struct sk_note *note), void *ctx);

#endif
