/* paging.c -- see paging.h. */
#include "plugins/auth/paging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sorting reads all of a list. More than this is not sorted: it would hold up a worker and its memory. */
enum { SORTED_MOST = 10000 };

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *paging_after(struct sk_call *c, int *rc)
{
	const char *marker = sk_json_text(c->in, "marker");
	size_t n = marker ? strlen(marker) : 0;
	char *name = sk_alloc_text(c->arena, n / 2 + 1);

	*rc = SK_OK;
	if (!marker || !name)
		return NULL;
	for (size_t i = 0; i < n / 2; i++) {
		int high = nibble(marker[2 * i]), low = nibble(marker[2 * i + 1]);
		name[i] = high < 0 || low < 0 ? 0 : (char)(high << 4 | low);
		if (!name[i])
			n = 1;
	}
	name[n / 2] = 0;
	if (n && !(n % 2))
		return name;
	*rc = sk_fail(c, SK_E_INVALID_REQUEST, "Invalid marker");
	return NULL;
}

size_t paging_size(const struct sk_call *c)
{
	int64_t n = sk_json_int_of(c->in, "pageSize", 25);

	return (size_t)(n < 1 ? 1 : n > 250 ? 250 : n);
}

void paging_next(struct sk_call *c, const char *name)
{
	size_t n = strlen(name);
	char *hex = sk_alloc_text(c->arena, 2 * n + 1);

	for (size_t i = 0; hex && i <= n; i++)
		snprintf(hex + 2 * i, i < n ? 3 : 1, "%02x", (unsigned char)name[i]);
	sk_json_set_string(c->arena, c->out, "nextMarker", hex);
}

size_t paging_slice(struct sk_call *c, const char *const *names, size_t n, size_t *first, int *rc)
{
	const char *after = paging_after(c, rc);
	size_t count = paging_size(c);

	*first = 0;
	if (*rc)
		return 0;
	while (after && *first < n && strcmp(names[*first], after))
		++*first;
	*first += after && *first < n;
	if (n - *first <= count)
		return n - *first;
	paging_next(c, names[*first + count - 1]);
	return count;
}

static int by_date(const void *a, const void *b)
{
	const struct sk_row_of_scan *x = a, *y = b;
	int64_t dx = sk_json_int_of(x->document, "creationDate", 0), dy = sk_json_int_of(y->document, "creationDate", 0);

	return dx < dy ? -1 : dx > dy ? 1 : strcmp(x->name, y->name);
}

static int by_date_downwards(const void *a, const void *b)
{
	return by_date(b, a);
}

static struct sk_scan sorted(struct sk_call *c, int *rc, const char *prefix)
{
	struct sk_scan all = sk_scan(c, SORTED_MOST, NULL, "%s", prefix);
	struct sk_row_of_scan *row = sk_alloc(c->arena, all.count * sizeof(*row) + 1);
	const char **names = sk_alloc(c->arena, all.count * sizeof(*names) + 1);
	size_t first;

	if (all.next)
		*rc = sk_fail(c, SK_E_INVALID_REQUEST, "More than %d are not put in order: leave ascendingOrder out", SORTED_MOST);
	if (*rc || !row || !names || !all.count)
		return (struct sk_scan){ 0 };
	memcpy(row, all.row, all.count * sizeof(*row));
	qsort(row, all.count, sizeof(*row), sk_json_true(c->in, "ascendingOrder") ? by_date : by_date_downwards);
	for (size_t i = 0; i < all.count; i++)
		names[i] = row[i].name;
	all.count = paging_slice(c, names, all.count, &first, rc);
	return (struct sk_scan){ .count = all.count, .row = row + first };
}

struct sk_scan paging_by_date(struct sk_call *c, int *rc, const char *prefix)
{
	*rc = SK_OK;
	return sk_json_get(c->in, "ascendingOrder") ? sorted(c, rc, prefix) : sk_scan_page(c, rc, "%s", prefix);
}
