/* closest.c -- edit distance over small words: optimal string alignment, three rows of the usual table. */
#include "core/closest.h"

#include <string.h>

#define MAX_WORD 63

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Both words are at most MAX_WORD bytes. */
static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned row[3][MAX_WORD + 1];
	for (size_t j = 0; j <= bn; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *now = row[i % 3], *last = row[(i - 1) % 3], *older = row[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			now[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], older[j - 2] + 1);
		}
	}
	return row[an % 3][bn];
}

const char *sk_closest(const char *word, const char *const *candidates, size_t n, size_t stride)
{
	size_t length = strnlen(word, MAX_WORD + 1);
	const char *best = NULL;
	unsigned best_distance = MAX_WORD + 1;
	for (size_t i = 0; i < n && length <= MAX_WORD; i++) {
		const char *name = *(const char *const *)((const char *)candidates + i * stride);
		size_t size = name ? strnlen(name, MAX_WORD + 1) : MAX_WORD + 1;
		if (size > MAX_WORD)
			continue;
		unsigned d = distance(word, length, name, size);
		if (d < best_distance && d * 3 <= (length > size ? length : size)) {
			best = name;
			best_distance = d;
		}
	}
	return best;
}
