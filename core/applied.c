/* applied.c -- see applied.h. Open addressing; a generation that is half full becomes the older one, and that one is emptied. */
#include "core/applied.h"

#include <stdlib.h>
#include <string.h>

int sk_applied_init(struct sk_applied *a)
{
	a->now = calloc(SK_APPLIED_ROOM, sizeof *a->now);
	a->before = calloc(SK_APPLIED_ROOM, sizeof *a->before);
	return a->now && a->before ? 0 : -1;
}

void sk_applied_free(struct sk_applied *a)
{
	free(a->now);
	free(a->before);
	a->now = a->before = NULL;
}

static void empty(struct sk_applied_one *table)
{
	memset(table, 0, SK_APPLIED_ROOM * sizeof *table);
}

void sk_applied_clear(struct sk_applied *a)
{
	empty(a->now);
	empty(a->before);
	a->used = 0;
	a->first = atomic_fetch_add(&a->number, 1) + 1;
}

static struct sk_applied_one *place(struct sk_applied_one *table, struct sk_mark_key key)
{
	size_t i = key.at[0] & (SK_APPLIED_ROOM - 1);
	while (table[i].version && (table[i].key.at[0] != key.at[0] || table[i].key.at[1] != key.at[1]))
		i = (i + 1) & (SK_APPLIED_ROOM - 1);
	return &table[i];
}

static void turn_over(struct sk_applied *a)
{
	struct sk_applied_one *old = a->before;
	a->before = a->now;
	empty(old);
	a->now = old;
	a->used = 0;
	a->first = atomic_fetch_add(&a->number, 1); /* of what is `before` now */
}

enum sk_applied_verdict sk_applied_judge(struct sk_applied *a, struct sk_mark_key key, uint64_t version, uint64_t made)
{
	struct sk_applied_one *one = place(a->now, key), *older = one->version ? one : place(a->before, key);
	if (older->version > version)
		return SK_APPLY_OLDER;
	if (!older->version && made < a->first)
		return SK_APPLY_UNKNOWN;
	if (!one->version && a->used >= SK_APPLIED_ROOM / 2) {
		turn_over(a);
		one = place(a->now, key);
	}
	a->used += !one->version;
	*one = (struct sk_applied_one){ key, version ? version : 1 };
	return SK_APPLY;
}
