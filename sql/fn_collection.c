/* fn_collection.c -- members of arrays, objects and strings; questions about null and undefined. */
#include <string.h>

#include "sql/internal.h"

#define HIDDEN __attribute__((unused))
enum { MOST_ENRICHED = 128 * 1024 };

/* "Conversion applies to the second argument": to Int for arrays and strings, none for objects. */
struct expr_value sql_fn_get(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	int64_t i;

	if (args[0].kind == EXPR_OBJECT)
		return args[1].kind == EXPR_STRING ? expr_of_node(r->program->mode, sk_json_get(args[0].node, args[1].text)) : expr_undefined();
	if ((args[0].kind != EXPR_ARRAY && args[0].kind != EXPR_STRING) || !sql_int(&args[1], EXPR_HALF_AWAY, &i))
		return expr_undefined();
	return args[0].kind == EXPR_ARRAY ? expr_of_node(r->program->mode, expr_element(r, args[0].node, i)) : sql_character(r, &args[0], i);
}

struct expr_value sql_fn_is_null(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	return expr_bool(args->kind == EXPR_NULL);
}

struct expr_value sql_fn_is_undefined(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	return expr_bool(args->kind == EXPR_UNDEFINED);
}

static cJSON *enriched(struct expr_run *r, const cJSON *object, const cJSON *element_of)
{
	cJSON *out = sk_json_object(r->arena);

	SK_JSON_EACH(child, element_of)
		if (!sk_json_get(object, child->string))
			expr_link(r->arena, out, child->string, child);
	SK_JSON_EACH(child, object)
		expr_link(r->arena, out, child->string, child);
	return out;
}

static bool are_objects(const cJSON *array)
{
	SK_JSON_EACH(child, array)
		if (!cJSON_IsObject(child))
			return false;
	return true;
}

/* transform("enrichArray", object, array): each element with the members of the object, which win. */
struct expr_value sql_fn_transform(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	cJSON *out;
	size_t size = 0;

	if (args[0].kind != EXPR_STRING || strcmp(args[0].text, "enrichArray") != 0 || args[1].kind != EXPR_OBJECT ||
	    args[2].kind != EXPR_ARRAY || !are_objects(args[2].node))
		return expr_undefined();
	out = sk_json_array(r->arena);
	SK_JSON_EACH(child, args[2].node) {
		uint64_t own = (uint64_t)sk_json_count(args[1].node), others = (uint64_t)sk_json_count(child);
		if (!expr_charge(r, 1 + own + others + own * others / 8))
			return expr_undefined();
		expr_link(r->arena, out, NULL, enriched(r, args[1].node, child));
	}
	sk_json_print(r->arena, out, &size);
	if (size > MOST_ENRICHED)
		return expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "transform: the array has more than 128 KiB");
	return expr_of_node(r->program->mode, out);
}
