/* store.c -- what every back end shares: reference-counted bytes and the partition of a key.
 *
 * Invariant: bytes never change after sk_bytes_new has returned, so any thread that holds a reference may read them. */
#include "core/store.h"

#include <stdlib.h>
#include <string.h>

struct sk_bytes *sk_bytes_new(const void *data, size_t size)
{
	struct sk_bytes *b;

	if (size > UINT32_MAX)
		return NULL;
	b = malloc(sizeof *b + size + 1);
	if (!b)
		return NULL;
	atomic_init(&b->refs, 1);
	b->size = (uint32_t)size;
	if (size)
		memcpy(b->data, data, size);
	b->data[size] = '\0';
	return b;
}

struct sk_bytes *sk_bytes_ref(struct sk_bytes *b)
{
	if (b)
		atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void sk_bytes_unref(struct sk_bytes *b)
{
	if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		free(b);
}

size_t sk_key_partition(const char *key)
{
	size_t first = strcspn(key, "/");

	if (!key[first] || (first == 8 && !memcmp(key, "registry", 8)))
		return first;
	return first + 1 + strcspn(key + first + 1, "/");
}
