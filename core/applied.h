/* applied.h -- which version of a record a watch was told last, so that an older one never overtakes a newer one. Broker thread.
 *
 * In a store that brokers share, a record comes to a watch on two ways: with this broker's own commit, before its reply, and from the
 * follower, which reads it after the log has named it. What is kept is bounded: two generations of some thousand entries, the older one is
 * forgotten when the newer one is full. Every item says which generation was the newest before its commit or its read began. If an item's
 * record has no entry, and the item is no older than the older generation, then nothing newer was told: that would have been told, and noted,
 * after the item was made. If it is older, nobody can say, and the follower reads the record anew. */
#ifndef SK_APPLIED_H
#define SK_APPLIED_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/marks.h"

enum { SK_APPLIED_ROOM = 16384 }; /* places of a generation, of which half are used */

struct sk_applied_one {
	struct sk_mark_key key;
	uint64_t version; /* 0: free */
};
struct sk_applied {
	struct sk_applied_one *now, *before;
	unsigned used;                 /* of now */
	uint64_t first;                /* the number of `before` */
	_Atomic uint64_t number;       /* of `now`; any thread */
};

int sk_applied_init(struct sk_applied *a); /* 0 or -1: memory is out */
void sk_applied_free(struct sk_applied *a);
void sk_applied_clear(struct sk_applied *a); /* versions may go back: of what was made before, nobody can say */
enum sk_applied_verdict { SK_APPLY, SK_APPLY_OLDER, SK_APPLY_UNKNOWN };
/* Notes the version too when it is to be applied. The same version again is. */
enum sk_applied_verdict sk_applied_judge(struct sk_applied *a, struct sk_mark_key key, uint64_t version, uint64_t made);

#endif
