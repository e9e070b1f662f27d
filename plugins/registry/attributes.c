/* attributes.c -- see attributes.h. Removals come first, so that the count never passes the limit on the way to an allowed result. */
#include "plugins/registry/attributes.h"

static bool removes(const cJSON *attribute)
{
	return !cJSON_IsString(attribute) || !*attribute->valuestring;
}

cJSON *attributes_after(struct sk_call *c, const cJSON *payload, const cJSON *old)
{
	const cJSON *given = sk_json_get(payload, "attributes");
	bool keep = sk_json_true(payload, "merge") || !given;
	cJSON *after = old && keep ? sk_json_copy(c->arena, old) : sk_json_object(c->arena);

	SK_JSON_EACH(a, given)
		if (removes(a))
			sk_json_remove(after, a->string);
	SK_JSON_EACH(a, given) {
		if (!removes(a))
			sk_json_set_string(c->arena, after, a->string, a->valuestring);
		if (sk_json_count(after) > ATTRIBUTES_MAX)
			break;
	}
	return after;
}
