/* store.c -- what every back end shares: reference-counted bytes and the partition of a key.
 *
 * Invariant: bytes never change after sk_bytes_new has returned, so any thread that holds a reference may read them. */
#include "core/store.h"

#include <stdio.h>
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

int sk_store_whole(struct sk_store *s, char *why, size_t why_size)
{
	struct sk_store_read filling = { .space = SK_RECORD, .key = SK_STORE_FILLING };

	if (s->ops->read(s, &filling, 1)) {
		snprintf(why, why_size, "the store does not answer");
		return -1;
	}
	if (!filling.bytes)
		return 0;
	sk_bytes_unref(filling.bytes);
	snprintf(why, why_size, "the store is not whole: skeeter-store copy or load was filling it and has not ended, the same command goes on");
	return -1;
}
