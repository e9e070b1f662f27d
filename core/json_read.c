/* json_read.c -- questions about trees: members, counts, equality, depth.
 *
 * Nothing here changes a node. Equality and depth take memory only for what is deeper than SK_JSON_MAX_DEPTH or for an
 * object of many keys in another order, from an arena of their own; without it they answer on the safe side. */
#include "core/json.h"

#include <limits.h>
#include <string.h>

#include "core/json_keys.h"
#include "core/json_number.h"
#include "core/json_walk.h"

cJSON *sk_json_get(const cJSON *object, const char *key)
{
	cJSON *m = sk_json_kind(object) == cJSON_Object && key ? object->child : NULL;

	while (m && (!m->string || strcmp(m->string, key) != 0))
		m = m->next;
	return m;
}

const char *sk_json_text(const cJSON *object, const char *key)
{
	const cJSON *m = sk_json_get(object, key);

	return sk_json_kind(m) == cJSON_String ? m->valuestring : NULL;
}

int64_t sk_json_int_of(const cJSON *object, const char *key, int64_t otherwise)
{
	int64_t v;

	return sk_json_to_int(sk_json_get(object, key), &v) ? v : otherwise;
}

bool sk_json_true(const cJSON *object, const char *key)
{
	return sk_json_kind(sk_json_get(object, key)) == cJSON_True;
}

int sk_json_count(const cJSON *node)
{
	int n = 0;

	if (sk_json_is_container(node))
		SK_JSON_EACH(child, node)
			n++;
	return n;
}

static int depth_of(struct sk_json_walk *w, const cJSON *node)
{
	int deepest = 0;

	while (node) {
		if (sk_json_is_container(node)) {
			deepest = w->n + 1 > deepest ? w->n + 1 : deepest;
			if (node->child) {
				if (!sk_json_walk_down(w, node))
					return INT_MAX;
				node = node->child;
				continue;
			}
		}
		while (w->n && !node->next)
			node = w->levels[--w->n].node;
		node = w->n ? node->next : NULL;
	}
	return deepest;
}

int sk_json_depth(const cJSON *node)
{
	struct sk_arena own = { 0 };
	struct sk_json_walk w;
	int depth;

	sk_json_walk_start(&w, &own);
	depth = depth_of(&w, node);
	sk_arena_free(&own);
	return depth;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || strcmp(a ? a : "", b ? b : "") == 0;
}

/* Without the children: those of containers are compared by the walk. */
static bool same_node(const cJSON *a, const cJSON *b)
{
	int kind = sk_json_kind(a);

	if (kind != sk_json_kind(b))
		return false;
	if (kind == cJSON_Number)
		return sk_json_number_equal(a, b);
	if (kind == cJSON_String)
		return same_text(a->valuestring, b->valuestring);
	return !sk_json_is_container(a) || sk_json_count(a) == sk_json_count(b);
}

/* The member of level->other that has the key of `node`. `guess` is where it stands if both have the same order. */
static const cJSON *partner(struct sk_json_walk *w, struct sk_json_level *level, const cJSON *node, const cJSON *guess)
{
	const char *key = node->string ? node->string : "";

	if (sk_json_kind(level->node) != cJSON_Object || (guess && same_text(guess->string, key)))
		return guess;
	if (!level->keys && sk_json_count(level->other) > SK_JSON_FEW_KEYS)
		level->keys = sk_json_keys_of(w->arena, level->other);
	return level->keys ? sk_json_keys_find(level->keys, key) : sk_json_get(level->other, key);
}

static bool equal(struct sk_json_walk *w, const cJSON *a, const cJSON *b)
{
	while (same_node(a, b)) {
		struct sk_json_level *level = sk_json_walk_at(w);

		if (sk_json_is_container(a) && a->child) {
			level = sk_json_walk_down(w, a);
			if (!level)
				return false;
			level->other = b;
			a = a->child;
			b = partner(w, level, a, b->child);
		} else {
			while (w->n && !a->next) {
				level = &w->levels[--w->n];
				a = level->node;
				b = level->other;
			}
			if (!w->n)
				return true;
			a = a->next;
			b = partner(w, sk_json_walk_at(w), a, b->next);
		}
		if (!b)
			return false;
	}
	return false;
}

bool sk_json_equal(const cJSON *a, const cJSON *b)
{
	struct sk_arena own = { 0 };
	struct sk_json_walk w;
	bool same;

	if (!a || !b)
		return a == b;
	sk_json_walk_start(&w, &own);
	same = equal(&w, a, b);
	sk_arena_free(&own);
	return same;
}
