/* shape_pattern.h -- AWS's regular expressions. A pattern is compiled once, when its shape is added, and is immutable then. */
#ifndef SK_SHAPE_PATTERN_H
#define SK_SHAPE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

struct sk_pattern;

/* What matching needs besides the pattern: one for all patterns of one check, its memory is the arena's. */
struct sk_matcher {
	struct sk_arena *arena;
	void *data; /* NULL before the first match */
};

/* NULL with why[] when it does not compile. */
struct sk_pattern *sk_pattern_new(const char *pattern, char *why, size_t why_size);
void sk_pattern_free(struct sk_pattern **p); /* of NULL does nothing */
/* Does the pattern match the whole text? Text that is not UTF-8, and text that costs more than the match limit, does not. */
bool sk_pattern_matches(const struct sk_pattern *p, struct sk_matcher *m, const char *text, size_t n);

/* Java's spelling of a regular expression, n bytes long, in PCRE2's; `out` has room for SK_PATTERN_ROOM(n) bytes. */
#define SK_PATTERN_ROOM(n) (5 * (n) + 1)
void sk_pattern_translate(const char *pattern, char *out);

#endif
