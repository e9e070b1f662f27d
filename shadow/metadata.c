/* metadata.c -- when was each value last written?
 *
 * Metadata mirrors the state: objects and arrays keep their shape, each scalar becomes {"timestamp":seconds}. Arrays thus
 * carry one timestamp per element. */
#include "shadow/shadow.h"

cJSON *shadow_stamp(struct sk_arena *a, const cJSON *value, int64_t seconds)
{
	cJSON *out;

	if (cJSON_IsObject(value)) {
		out = sk_json_object(a);
		SK_JSON_EACH(child, value)
			sk_json_add(a, out, child->string, shadow_stamp(a, child, seconds));
	} else if (cJSON_IsArray(value)) {
		out = sk_json_array(a);
		SK_JSON_EACH(child, value)
			sk_json_append(out, shadow_stamp(a, child, seconds));
	} else {
		out = sk_json_object(a);
		sk_json_add(a, out, "timestamp", sk_json_int(a, seconds));
	}
	return out;
}

cJSON *shadow_stamps_of(struct sk_arena *a, const cJSON *part, const cJSON *metadata)
{
	const cJSON *at = metadata ? metadata->child : NULL;
	cJSON *out;

	if (!cJSON_IsObject(part) || !cJSON_IsObject(metadata))
		return shadow_share(a, metadata);
	out = sk_json_object(a);
	SK_JSON_EACH(child, part)
		sk_json_add(a, out, child->string, shadow_stamps_of(a, child, shadow_follow(metadata, &at, child->string)));
	return out;
}
