/* delta.c -- what the device still has to do.
 *
 * "Walk desired; include a key if reported lacks it or differs; recurse into objects; unequal arrays copy the whole desired
 * array; keys only in reported are never included." Numbers compare by value: 1 equals 1.0. */
#include "shadow/shadow.h"

static cJSON *difference(struct sk_arena *a, const cJSON *desired, const cJSON *reported)
{
	if (cJSON_IsObject(desired) && cJSON_IsObject(reported))
		return shadow_delta(a, desired, reported);
	if (reported && sk_json_equal(desired, reported))
		return NULL;
	return shadow_share(a, desired);
}

cJSON *shadow_delta(struct sk_arena *a, const cJSON *desired, const cJSON *reported)
{
	struct shadow_index reports = shadow_index_of(a, reported, sk_json_count(desired));
	cJSON *out = NULL;

	SK_JSON_EACH(wish, desired) {
		cJSON *open = difference(a, wish, shadow_index_find(&reports, wish->string));
		if (!open)
			continue;
		if (!out)
			out = sk_json_object(a);
		sk_json_add(a, out, wish->string, open);
	}
	return out;
}
