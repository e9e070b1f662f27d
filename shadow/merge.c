/* merge.c -- what a request makes of a section.
 *
 * "Object keys merge recursively; arrays and scalars replace; null deletes the key." State and metadata are made in one
 * walk, so they cannot come apart: what the request names is stamped anew, also when its value is the same; all else
 * keeps its time. Nothing is changed in place: untouched values are shared, only the path to a change is new.
 *
 * Recursion is as deep as the request, which shadow_too_deep has bounded. */
#include "shadow/shadow.h"

static const struct shadow_tree nothing;

static void add(struct sk_arena *a, struct shadow_tree to, const char *key, struct shadow_tree value)
{
	sk_json_add(a, (cJSON *)to.state, key, shadow_share(a, value.state));
	sk_json_add(a, (cJSON *)to.metadata, key, shadow_share(a, value.metadata));
}

/* A value that replaces. Objects in it lose their nulls, since there is nothing left that a null could delete. */
static struct shadow_tree fresh(struct sk_arena *a, const cJSON *value, int64_t seconds)
{
	struct shadow_tree list;

	if (cJSON_IsObject(value))
		return shadow_merge(a, nothing, value, seconds);
	if (!cJSON_IsArray(value))
		return (struct shadow_tree){ value, shadow_stamp(a, value, seconds) };
	list = (struct shadow_tree){ sk_json_array(a), sk_json_array(a) };
	SK_JSON_EACH(element, value) {
		struct shadow_tree item = fresh(a, element, seconds);
		sk_json_append((cJSON *)list.state, shadow_share(a, item.state));
		sk_json_append((cJSON *)list.metadata, shadow_share(a, item.metadata));
	}
	return list;
}

static struct shadow_tree patched(struct sk_arena *a, struct shadow_tree old, const cJSON *patch, int64_t seconds)
{
	if (cJSON_IsObject(old.state) && cJSON_IsObject(patch))
		return shadow_merge(a, old, patch, seconds);
	return fresh(a, patch, seconds);
}

struct shadow_tree shadow_merge(struct sk_arena *a, struct shadow_tree old, const cJSON *patch, int64_t seconds)
{
	struct shadow_tree out = { sk_json_object(a), sk_json_object(a) };
	struct shadow_index patches = shadow_index_of(a, patch, sk_json_count(old.state));
	struct shadow_index olds = shadow_index_of(a, old.state, sk_json_count(patch));
	const cJSON *stamps = old.metadata ? old.metadata->child : NULL;

	SK_JSON_EACH(child, old.state) {
		struct shadow_tree was = { child, shadow_follow(old.metadata, &stamps, child->string) };
		const cJSON *change = shadow_index_find(&patches, child->string);
		if (!change)
			add(a, out, child->string, was);
		else if (!cJSON_IsNull(change))
			add(a, out, child->string, patched(a, was, change, seconds));
	}
	SK_JSON_EACH(change, patch)
		if (!cJSON_IsNull(change) && !shadow_index_find(&olds, change->string))
			add(a, out, change->string, fresh(a, change, seconds));
	return out;
}
