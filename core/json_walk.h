/* json_walk.h -- the way down a tree, so that no function of core/json recurses in C.
 * The first SK_JSON_MAX_DEPTH levels need no memory; deeper ones are taken from `arena`. */
#ifndef SK_JSON_WALK_H
#define SK_JSON_WALK_H

#include "core/json.h"

struct sk_json_keys;

struct sk_json_level {
	const cJSON *node;         /* in the tree that is walked */
	const cJSON *other;        /* free for the walker */
	struct sk_json_keys *keys; /* likewise */
};

struct sk_json_walk {
	struct sk_arena *arena;
	struct sk_json_level *levels;
	int n, room;
	struct sk_json_level first[SK_JSON_MAX_DEPTH];
};

static inline void sk_json_walk_start(struct sk_json_walk *w, struct sk_arena *a)
{
	w->arena = a;
	w->levels = w->first;
	w->n = 0;
	w->room = SK_JSON_MAX_DEPTH;
}

/* One level deeper, with `node` set and the rest NULL. NULL when memory is out. */
struct sk_json_level *sk_json_walk_down(struct sk_json_walk *w, const cJSON *node);

/* The innermost level, NULL at the top. */
static inline struct sk_json_level *sk_json_walk_at(struct sk_json_walk *w)
{
	return w->n ? &w->levels[w->n - 1] : NULL;
}

static inline int sk_json_kind(const cJSON *node)
{
	return node ? node->type & 0xff : cJSON_Invalid;
}

static inline bool sk_json_is_container(const cJSON *node)
{
	return node && (node->type & (cJSON_Object | cJSON_Array));
}

#endif
