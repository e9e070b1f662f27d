/* arena.c -- a bump allocator over a list of chunks.
 *
 * Invariant: `a->chunk` is the chunk that is filled, `a->used` of its bytes are taken; all chunks behind it are full.
 * Chunks grow from 4 KiB to 64 KiB; what is bigger than a quarter of that gets a chunk of its own behind the first.
 * Under AddressSanitizer every piece is fenced, so that an overrun inside a chunk is seen as well. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define FENCED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FENCED 1
#endif
#endif

#ifdef FENCED
#include <sanitizer/asan_interface.h>
#define FENCE 16
#define HIDE(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define FENCE 0
#define HIDE(p, n) ((void)0)
#define SHOW(p, n) ((void)0)
#endif

#define FIRST_CHUNK 4096u
#define LAST_CHUNK  65536u
#define OWN_CHUNK   (LAST_CHUNK / 4)
#define ALIGN       alignof(max_align_t)

struct sk_arena_chunk {
	struct sk_arena_chunk *next;
	size_t size; /* of the data */
	alignas(max_align_t) char data[];
};

static atomic_long fail_after;

void sk_arena_fail_after(long n)
{
	atomic_store(&fail_after, n);
}

static bool must_fail(void)
{
	return atomic_load_explicit(&fail_after, memory_order_relaxed) > 0 && atomic_fetch_sub(&fail_after, 1) == 1;
}

void sk_arena_init(struct sk_arena *a, size_t limit)
{
	*a = (struct sk_arena){ .limit = limit };
}

static void free_list(struct sk_arena *a, struct sk_arena_chunk *list)
{
	while (list) {
		struct sk_arena_chunk *next = list->next;
		a->total -= sizeof *list + list->size;
		SHOW(list->data, list->size);
		free(list);
		list = next;
	}
}

void sk_arena_reset(struct sk_arena *a, size_t keep)
{
	struct sk_arena_chunk *kept = a->chunk;

	a->used = 0;
	a->failed = false;
	if (kept && sizeof *kept + kept->size <= keep) {
		free_list(a, kept->next);
		kept->next = NULL;
		HIDE(kept->data, kept->size);
		return;
	}
	free_list(a, kept);
	a->chunk = NULL;
}

void sk_arena_free(struct sk_arena *a)
{
	sk_arena_reset(a, 0);
}

/* A chunk with room for `size` bytes, counted but not yet in the list. `wish` is what we would like to have. */
static struct sk_arena_chunk *new_chunk(struct sk_arena *a, size_t wish, size_t size)
{
	size_t room = a->limit ? a->limit - (a->total < a->limit ? a->total : a->limit) : SIZE_MAX;
	size_t bytes = wish > room ? size + sizeof(struct sk_arena_chunk) : wish;
	struct sk_arena_chunk *chunk = bytes > room || must_fail() ? NULL : malloc(bytes);

	if (!chunk) {
		a->failed = true;
		return NULL;
	}
	chunk->size = bytes - sizeof *chunk;
	a->total += bytes;
	HIDE(chunk->data, chunk->size);
	return chunk;
}

bool sk_arena_reserve(struct sk_arena *a, size_t bytes)
{
	if (a->chunk)
		return true;
	if (bytes > SIZE_MAX / 4) {
		a->failed = true;
		return false;
	}
	a->chunk = new_chunk(a, bytes + sizeof *a->chunk, bytes);
	if (!a->chunk)
		return false;
	a->chunk->next = NULL;
	a->used = 0;
	return true;
}

static void *alloc_own_chunk(struct sk_arena *a, size_t size)
{
	size_t bytes = size + sizeof(struct sk_arena_chunk);
	struct sk_arena_chunk *chunk = new_chunk(a, bytes, size);

	if (!chunk)
		return NULL;
	chunk->next = a->chunk->next;
	a->chunk->next = chunk;
	return chunk->data;
}

static void *alloc_slow(struct sk_arena *a, size_t size)
{
	size_t wish = a->chunk ? 2 * (sizeof *a->chunk + a->chunk->size) : FIRST_CHUNK;
	struct sk_arena_chunk *chunk;

	if (size > SIZE_MAX / 4) {
		a->failed = true;
		return NULL;
	}
	if (a->chunk && size > OWN_CHUNK)
		return alloc_own_chunk(a, size);
	if (wish > LAST_CHUNK)
		wish = LAST_CHUNK;
	while (wish < size + sizeof *chunk)
		wish *= 2;
	chunk = new_chunk(a, wish, size);
	if (!chunk)
		return NULL;
	chunk->next = a->chunk;
	a->chunk = chunk;
	a->used = size;
	return chunk->data;
}

static void *take(struct sk_arena *a, size_t size, size_t align)
{
	size_t at = (a->used + align - 1) & ~(align - 1);
	size_t fenced = FENCE ? (size + FENCE + 7) & ~(size_t)7 : size;
	void *p;

	if (fenced < size) {
		a->failed = true;
		return NULL;
	}
	if (a->chunk && at <= a->chunk->size && fenced <= a->chunk->size - at) {
		p = a->chunk->data + at;
		a->used = at + fenced;
	} else {
		p = alloc_slow(a, fenced);
	}
	if (p)
		SHOW(p, size);
	return p;
}

void *sk_alloc(struct sk_arena *a, size_t size)
{
	void *p = take(a, size, ALIGN);

	return p ? memset(p, 0, size) : NULL;
}

char *sk_alloc_text(struct sk_arena *a, size_t size)
{
	return take(a, size, 1);
}

void sk_arena_trim(struct sk_arena *a, const char *text, size_t size, size_t keep)
{
	if (!FENCE && text && a->chunk && a->chunk->data + a->used == text + size)
		a->used -= size - keep;
}

char *sk_strdup(struct sk_arena *a, const char *s)
{
	return s ? sk_strndup(a, s, strlen(s)) : NULL;
}

char *sk_strndup(struct sk_arena *a, const char *s, size_t n)
{
	char *copy = s && n < SIZE_MAX ? sk_alloc_text(a, n + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *sk_vprintf(struct sk_arena *a, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	int n;
	char *text;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	text = n < 0 ? NULL : sk_alloc_text(a, (size_t)n + 1);
	if (n < 0)
		a->failed = true;
	else if (text && (size_t)n < sizeof small)
		memcpy(text, small, (size_t)n + 1);
	else if (text)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

char *sk_printf(struct sk_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = sk_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}
