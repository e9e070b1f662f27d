/* marks.c -- see marks.h. A chained table that grows by doubling; when there is no memory for that, its chains grow. */
#include "core/marks.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"

enum { LEAST = 64, TEXT_MOST = 4096 };

struct sk_mark {
	struct sk_mark *next;
	struct sk_mark_key key;
	uint64_t number;
};

struct sk_mark_key sk_mark_key(const void *whom, const char *a, const char *b)
{
	char text[sizeof whom + TEXT_MOST], *at = text + sizeof whom;
	uint8_t digest[SK_DIGEST_SIZE];
	struct sk_mark_key key;
	size_t n = strnlen(a, TEXT_MOST), more = strnlen(b, TEXT_MOST - n);
	memcpy(text, &whom, sizeof whom);
	memcpy(at, a, n);
	memcpy(at + n, b, more);
	sk_digest(text, sizeof whom + n + more, digest);
	memcpy(&key, digest, sizeof key);
	return key;
}

static struct sk_mark **place(const struct sk_marks *m, struct sk_mark_key key)
{
	struct sk_mark **at = &m->bucket[key.at[0] & (m->buckets - 1)];
	while (*at && ((*at)->key.at[0] != key.at[0] || (*at)->key.at[1] != key.at[1]))
		at = &(*at)->next;
	return at;
}

static void grow(struct sk_marks *m)
{
	size_t n = m->buckets ? m->buckets * 2 : LEAST;
	struct sk_mark **bucket = calloc(n, sizeof *bucket);
	if (!bucket)
		return;
	for (size_t i = 0; i < m->buckets; i++)
		for (struct sk_mark *one = m->bucket[i], *next; one; one = next) {
			next = one->next;
			one->next = bucket[one->key.at[0] & (n - 1)];
			bucket[one->key.at[0] & (n - 1)] = one;
		}
	free(m->bucket);
	m->bucket = bucket;
	m->buckets = n;
}

uint64_t *sk_marks_find(const struct sk_marks *m, struct sk_mark_key key)
{
	struct sk_mark *one = m->buckets ? *place(m, key) : NULL;
	return one ? &one->number : NULL;
}

uint64_t *sk_marks_put(struct sk_marks *m, struct sk_mark_key key)
{
	uint64_t *known = sk_marks_find(m, key);
	if (known)
		return known;
	if (m->count >= m->buckets)
		grow(m);
	struct sk_mark *one = m->buckets ? calloc(1, sizeof *one) : NULL;
	if (!one)
		return NULL;
	one->key = key;
	*place(m, key) = one;
	m->count++;
	return &one->number;
}

void sk_marks_drop(struct sk_marks *m, struct sk_mark_key key)
{
	struct sk_mark **at = m->buckets ? place(m, key) : NULL, *one = at ? *at : NULL;
	if (!one)
		return;
	*at = one->next;
	free(one);
	m->count--;
}

void sk_marks_free(struct sk_marks *m)
{
	for (size_t i = 0; i < m->buckets; i++)
		while (m->bucket[i]) {
			struct sk_mark *one = m->bucket[i];
			m->bucket[i] = one->next;
			free(one);
		}
	free(m->bucket);
	*m = (struct sk_marks){ 0 };
}
