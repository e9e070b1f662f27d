/* limits.c -- how deep and how large a document may be.
 *
 * Depth is counted in each section of a request, before anything recurses into it. Size is counted in the document that
 * would be stored, so a request may be larger than what it leaves behind. */
#include "shadow/shadow.h"

const struct shadow_limits shadow_limits_default = { .size = 64 * 1024, .depth = 16 };
const struct shadow_limits shadow_limits_aws = { .size = 8 * 1024, .depth = 6 };

bool shadow_too_deep(const cJSON *state, int depth)
{
	SK_JSON_EACH(section, state)
		if (sk_json_depth(section) > depth)
			return true;
	return false;
}

bool shadow_too_large(struct sk_arena *a, const cJSON *state, size_t size)
{
	size_t used = 0;

	SK_JSON_EACH(section, state) {
		size_t n = 0;
		sk_json_print(a, section, &n);
		used += n;
	}
	return used > size;
}
