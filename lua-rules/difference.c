/* difference.c -- the first place where two documents differ, with its path.
 *
 * Members that are expected come first, then those that came unexpected; numbers are compared by value. */
#include "lua-rules/difference.h"

#include <string.h>

enum { MOST_SHOWN = 400 };

static const char *shown(struct sk_arena *a, const cJSON *node)
{
	size_t n = 0;
	const char *text = node ? sk_json_print(a, node, &n) : "not there";

	if (text && n > MOST_SHOWN)
		text = sk_printf(a, "%.*s...", MOST_SHOWN, text);
	return text ? text : "";
}

static const char *differs(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came)
{
	const char *why = expected ? sk_printf(a, "%s must be %s, is %s", name, shown(a, expected), shown(a, came))
	                           : sk_printf(a, "%s must not be there, is %s", name, shown(a, came));

	return why ? why : "they differ";
}

static const char *of_objects(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came)
{
	const char *why = NULL;

	SK_JSON_EACH(member, expected)
		if (!why)
			why = difference_of(a, sk_printf(a, "%s.%s", name, member->string), member, sk_json_get(came, member->string));
	SK_JSON_EACH(member, came)
		if (!why && !sk_json_get(expected, member->string))
			why = differs(a, sk_printf(a, "%s.%s", name, member->string), NULL, member);
	return why;
}

static const char *of_arrays(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came)
{
	const cJSON *x = expected->child, *y = came->child;
	const char *why = NULL;

	for (int i = 1; (x || y) && !why; i++) {
		const char *path = sk_printf(a, "%s[%d]", name, i);
		why = x && y ? difference_of(a, path, x, y) : differs(a, path, x, y);
		x = x ? x->next : NULL;
		y = y ? y->next : NULL;
	}
	return why;
}

const char *difference_of(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came)
{
	if (!expected || !came)
		return expected == came ? NULL : differs(a, name, expected, came);
	if (sk_json_equal(expected, came))
		return NULL;
	if (cJSON_IsObject(expected) && cJSON_IsObject(came))
		return of_objects(a, name, expected, came);
	if (cJSON_IsArray(expected) && cJSON_IsArray(came))
		return of_arrays(a, name, expected, came);
	return differs(a, name, expected, came);
}

static const char *of_item(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came)
{
	const char *why = NULL;

	if (!cJSON_IsObject(expected) || !cJSON_IsObject(came))
		return difference_of(a, name, expected, came);
	SK_JSON_EACH(member, expected)
		if (!why)
			why = difference_of(a, sk_printf(a, "%s: %s", name, member->string), member, sk_json_get(came, member->string));
	return why;
}

const char *difference_of_lists(struct sk_arena *a, const char *what, const cJSON *expected, const cJSON *came)
{
	const cJSON *x = expected ? expected->child : NULL, *y = came ? came->child : NULL;

	for (int i = 1; x || y; i++, x = x->next, y = y->next) {
		const char *name = sk_printf(a, "%s %d", what, i), *why;
		if (!y)
			why = sk_printf(a, "%s is missing\n  expected  %s", name, shown(a, x));
		else if (!x)
			why = sk_printf(a, "%s was not expected\n  came      %s", name, shown(a, y));
		else if ((why = of_item(a, name, x, y)))
			why = sk_printf(a, "%s\n  expected  %s\n  came      %s", why, shown(a, x), shown(a, y));
		if (why || !x || !y)
			return why ? why : "they differ";
	}
	return NULL;
}
