/* arena.h -- memory that lives as long as one call.
 *
 * A bump allocator over a list of chunks. Nothing is freed singly; sk_arena_reset or sk_arena_free gives all back at
 * once. A failed allocation is remembered (`failed`), and every function of core that takes an arena accepts NULL for
 * what an earlier failure left NULL: a handler may build a whole document without a check, the runtime looks at
 * `failed` once at its end and answers 503. Not thread-safe: an arena belongs to the call that it serves. */
#ifndef SK_ARENA_H
#define SK_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct sk_arena_chunk;

struct sk_arena {
	struct sk_arena_chunk *chunk; /* newest first */
	size_t used;                  /* bytes taken in the newest chunk */
	size_t total;                 /* bytes of all chunks */
	size_t limit;                 /* most bytes of all chunks; 0 is no limit */
	bool failed;
};

/* An arena that is all zero is valid and empty. `limit` in bytes, 0 for none. */
void sk_arena_init(struct sk_arena *a, size_t limit);
/* Forgets everything but keeps the newest chunk if it is not above `keep` bytes; clears `failed`. */
void sk_arena_reset(struct sk_arena *a, size_t keep);
void sk_arena_free(struct sk_arena *a);

/* An arena that is empty gets its first chunk, with room for `bytes` of allocations and no more: for what is measured first and
 * then lives long. One that is not empty is left as it is. False: no memory. */
bool sk_arena_reserve(struct sk_arena *a, size_t bytes);

/* Zeroed memory aligned for any object, or NULL (and `failed` is set). */
void *sk_alloc(struct sk_arena *a, size_t size);
/* Not zeroed, byte aligned: for text. */
char *sk_alloc_text(struct sk_arena *a, size_t size);
/* Gives back the end of the newest text: of its `size` bytes the first `keep` stay. Does nothing to an older one. */
void sk_arena_trim(struct sk_arena *a, const char *text, size_t size, size_t keep);
char *sk_strdup(struct sk_arena *a, const char *s);           /* NULL in, NULL out */
char *sk_strndup(struct sk_arena *a, const char *s, size_t n); /* NUL-terminated copy of n bytes */
char *sk_printf(struct sk_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *sk_vprintf(struct sk_arena *a, const char *fmt, va_list ap);

/* For tests: the n-th next chunk allocation of any arena fails (0: never). */
void sk_arena_fail_after(long n);

#endif
