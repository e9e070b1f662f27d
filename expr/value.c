/* value.c -- values to and from documents and decimals.
 *
 * Invariant: a number that int64 holds and that has no decimal places is EXPR_INT, so equal kinds are compared directly. */
#include "expr/value.h"

#include <string.h>

#include "core/json_number.h"

static struct expr_value of_decimal(struct expr_decimal d)
{
	struct expr_value v = { .kind = EXPR_DECIMAL, .negative = d.negative, .exponent = (int16_t)d.e };
	int64_t i;

	if (d.e == 0 && expr_decimal_to_int(d, &i))
		return expr_int(i);
	v.c.low = (uint64_t)d.c;
	v.c.high = (uint64_t)(d.c >> 64);
	return v;
}

struct expr_value expr_number(uint32_t mode, struct expr_decimal d)
{
	if (mode & EXPR_FOLD_WHOLE)
		d = expr_decimal_whole(expr_decimal_strip(d));
	return expr_decimal_settle(&d) ? of_decimal(d) : expr_undefined();
}

struct expr_value expr_double(uint32_t mode, double v)
{
	struct expr_decimal d;

	if (!expr_decimal_of_double(v, &d))
		return expr_undefined();
	if (!(mode & EXPR_FOLD_WHOLE) && d.e == 0 && d.c < (unsigned __int128)SK_JSON_EXACT) {
		d.c *= 10; /* a double's text has a point: 3.0 */
		d.e = -1;
	}
	return expr_number(mode, d);
}

struct expr_decimal expr_to_decimal(const struct expr_value *v)
{
	if (v->kind == EXPR_INT)
		return expr_decimal_of_int(v->i);
	return (struct expr_decimal){ .c = (unsigned __int128)v->c.high << 64 | v->c.low, .e = v->exponent, .negative = v->negative };
}

bool expr_is_number(const struct expr_value *v)
{
	return v->kind == EXPR_INT || v->kind == EXPR_DECIMAL;
}

bool expr_is_whole(const struct expr_value *v)
{
	return v->kind == EXPR_INT || (v->kind == EXPR_DECIMAL && v->exponent == 0);
}

struct expr_value expr_string(const char *text, size_t n)
{
	if (!text || n > UINT32_MAX)
		return expr_undefined();
	return (struct expr_value){ .kind = EXPR_STRING, .size = (uint32_t)n, .text = text };
}

static struct expr_value of_literal(uint32_t mode, const char *text)
{
	struct expr_decimal d;

	if (!expr_decimal_read(text, strlen(text), &d))
		return expr_undefined();
	return of_decimal(mode & EXPR_FOLD_WHOLE ? expr_decimal_whole(d) : d);
}

static struct expr_value of_number(uint32_t mode, const cJSON *node)
{
	char room[SK_JSON_NUMBER_ROOM];

	if (!node->valuestring && node->valuedouble >= -(double)SK_JSON_EXACT && node->valuedouble <= (double)SK_JSON_EXACT &&
	    node->valuedouble == (double)(int64_t)node->valuedouble)
		return expr_int((int64_t)node->valuedouble);
	return of_literal(mode, sk_json_number_text(node, room));
}

struct expr_value expr_of_node(uint32_t mode, const cJSON *node)
{
	switch (node ? node->type & 0xff : cJSON_Invalid) {
	case cJSON_NULL: return (struct expr_value){ .kind = EXPR_NULL };
	case cJSON_True: return expr_bool(true);
	case cJSON_False: return expr_bool(false);
	case cJSON_Number: return of_number(mode, node);
	case cJSON_String: return expr_string(node->valuestring, strlen(node->valuestring));
	case cJSON_Array: return (struct expr_value){ .kind = EXPR_ARRAY, .node = node };
	case cJSON_Object: return (struct expr_value){ .kind = EXPR_OBJECT, .node = node };
	default: return expr_undefined();
	}
}

static cJSON *twin_of(struct sk_arena *a, const cJSON *node)
{
	cJSON *twin = node ? sk_alloc(a, sizeof *twin) : NULL;

	if (!twin)
		return NULL;
	*twin = *node;
	twin->next = twin->prev = NULL;
	twin->string = NULL;
	return twin;
}

static cJSON *decimal_node(struct sk_arena *a, const struct expr_value *v)
{
	char text[EXPR_DECIMAL_ROOM];
	struct expr_decimal d = expr_to_decimal(v);
	int n = expr_decimal_print(text, d);
	cJSON *node = sk_json_number(a, 0);

	if (!node)
		return NULL;
	sk_json_number_fill(node, expr_decimal_to_double(d));
	node->valuestring = sk_strndup(a, text, (size_t)n);
	return node->valuestring ? node : NULL;
}

cJSON *expr_to_node(struct sk_arena *a, const struct expr_value *v)
{
	switch (v->kind) {
	case EXPR_NULL: return sk_json_null(a);
	case EXPR_BOOL: return sk_json_bool(a, v->truth);
	case EXPR_INT: return sk_json_int(a, v->i);
	case EXPR_DECIMAL: return decimal_node(a, v);
	case EXPR_STRING: return sk_json_stringn(a, v->text, v->size);
	case EXPR_ARRAY:
	case EXPR_OBJECT: return twin_of(a, v->node);
	default: return NULL;
	}
}

bool expr_equal(const struct expr_value *x, const struct expr_value *y)
{
	if (expr_is_number(x) && expr_is_number(y)) {
		if (x->kind == EXPR_INT && y->kind == EXPR_INT)
			return x->i == y->i;
		return expr_decimal_compare(expr_to_decimal(x), expr_to_decimal(y)) == 0;
	}
	if (x->kind != y->kind)
		return false;
	switch (x->kind) {
	case EXPR_BOOL: return x->truth == y->truth;
	case EXPR_STRING: return x->size == y->size && memcmp(x->text, y->text, x->size) == 0;
	case EXPR_ARRAY:
	case EXPR_OBJECT: return sk_json_equal(x->node, y->node);
	default: return true;
	}
}

void expr_link(struct sk_arena *a, cJSON *parent, const char *key, const cJSON *node)
{
	cJSON *child = node && node->prev ? twin_of(a, node) : (cJSON *)node, *head;

	if (!parent || !child)
		return;
	child->string = (char *)key;
	child->next = NULL;
	head = parent->child;
	if (!head) {
		parent->child = child->prev = child;
		return;
	}
	child->prev = head->prev;
	head->prev->next = child;
	head->prev = child;
}

const char *expr_kind_name(const struct expr_value *v)
{
	static const char *const names[] = { "undefined", "null", "a boolean", "an integer", "a decimal", "a string", "an array", "an object",
		                             "the raw payload" };

	return names[v->kind];
}
