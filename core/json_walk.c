/* json_walk.c -- a stack of levels that grows by doubling. */
#include "core/json_walk.h"

#include <limits.h>
#include <string.h>

static bool grow(struct sk_json_walk *w)
{
	struct sk_json_level *more;

	if (w->room > INT_MAX / 2)
		return false;
	more = sk_alloc(w->arena, 2 * (size_t)w->room * sizeof *more);
	if (!more)
		return false;
	memcpy(more, w->levels, (size_t)w->n * sizeof *more);
	w->levels = more;
	w->room *= 2;
	return true;
}

struct sk_json_level *sk_json_walk_down(struct sk_json_walk *w, const cJSON *node)
{
	struct sk_json_level *level;

	if (w->n == w->room && !grow(w))
		return NULL;
	level = &w->levels[w->n++];
	*level = (struct sk_json_level){ .node = node };
	return level;
}
