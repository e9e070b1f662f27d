/* tree.c -- two small tools on document trees: sharing a value and finding members quickly.
 *
 * Invariant: nothing here changes a node that it was given. */
#include "shadow/shadow.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 16 }; /* members or look-ups below which a walk beats sorting */

cJSON *shadow_share(struct sk_arena *a, const cJSON *node)
{
	cJSON *twin = node ? sk_alloc(a, sizeof(*twin)) : NULL;

	if (!twin)
		return NULL;
	*twin = *node;
	twin->next = twin->prev = NULL;
	twin->string = NULL;
	return twin;
}

static int by_key(const void *l, const void *r)
{
	return strcmp((*(const cJSON *const *)l)->string, (*(const cJSON *const *)r)->string);
}

struct shadow_index shadow_index_of(struct sk_arena *a, const cJSON *object, int lookups)
{
	struct shadow_index ix = { .object = object };
	size_t n = (size_t)sk_json_count(object);

	if (n < SMALL || lookups < SMALL)
		return ix;
	ix.sorted = sk_alloc(a, n * sizeof(*ix.sorted));
	if (!ix.sorted)
		return ix;
	SK_JSON_EACH(child, object)
		ix.sorted[ix.count++] = child;
	qsort(ix.sorted, ix.count, sizeof(*ix.sorted), by_key);
	return ix;
}

const cJSON *shadow_index_find(const struct shadow_index *ix, const char *key)
{
	const cJSON wanted = { .string = (char *)key };
	const cJSON *const probe = &wanted;
	const cJSON **found;

	if (!ix->sorted)
		return sk_json_get(ix->object, key);
	found = bsearch(&probe, ix->sorted, ix->count, sizeof(*ix->sorted), by_key);
	return found ? *found : NULL;
}

const cJSON *shadow_follow(const cJSON *object, const cJSON **at, const char *key)
{
	const cJSON *found = *at;

	while (found && strcmp(found->string, key) != 0)
		found = found->next;
	if (!found)
		found = sk_json_get(object, key);
	if (found)
		*at = found->next;
	return found;
}
