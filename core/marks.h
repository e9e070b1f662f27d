/* marks.h -- a set of texts, each with a number, by digest: what is under way, what was seen. One lock is the caller's.
 *
 * Texts are not kept, only 16 bytes of their SHA-256: whoever chooses names cannot make two of them one. */
#ifndef SK_MARKS_H
#define SK_MARKS_H

#include <stddef.h>
#include <stdint.h>

struct sk_mark_key { uint64_t at[2]; };
struct sk_mark;
struct sk_marks { /* all zero: empty */
	struct sk_mark **bucket;
	size_t buckets, count;
};

/* Of a and b one behind the other, for `whom`; at most 4096 bytes count. */
struct sk_mark_key sk_mark_key(const void *whom, const char *a, const char *b);
/* The number of that text, which may be changed; NULL: it is not in it. Valid until the next put or drop. */
uint64_t *sk_marks_find(const struct sk_marks *m, struct sk_mark_key key);
/* The same, added with 0 if it was not in it. NULL: memory is out. */
uint64_t *sk_marks_put(struct sk_marks *m, struct sk_mark_key key);
void sk_marks_drop(struct sk_marks *m, struct sk_mark_key key);
void sk_marks_free(struct sk_marks *m); /* it is empty then */

#endif
