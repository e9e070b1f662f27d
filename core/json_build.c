/* json_build.c -- making and changing trees.
 *
 * Lists are cJSON's: `prev` of the first child is the last one, `next` of the last one is NULL. A node that stands in a
 * tree has a `prev`; a free node has none. Every text that enters is made valid UTF-8, so whatever is printed is JSON. */
#include "core/json.h"

#include <math.h>
#include <string.h>

#include "core/json_number.h"
#include "core/json_walk.h"
#include "core/utf8.h"

/* What is not UTF-8 becomes U+FFFD, byte by byte. */
static char *repaired(struct sk_arena *a, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;
	char *text = sk_alloc_text(a, 3 * n + 1), *out = text;

	while (text && p < end) {
		int step = sk_utf8_length(p, end);

		memcpy(out, step ? (const char *)p : "\xef\xbf\xbd", step ? (size_t)step : 3);
		out += step ? step : 3;
		p += step ? step : 1;
	}
	if (text)
		*out = '\0';
	return text;
}

static char *text_of(struct sk_arena *a, const char *s, size_t n)
{
	return sk_utf8_valid(s, n) ? sk_strndup(a, s, n) : repaired(a, s, n);
}

static cJSON *make(struct sk_arena *a, int type)
{
	cJSON *node = sk_alloc(a, sizeof *node);

	if (node)
		node->type = type;
	return node;
}

cJSON *sk_json_object(struct sk_arena *a)
{
	return make(a, cJSON_Object);
}

cJSON *sk_json_array(struct sk_arena *a)
{
	return make(a, cJSON_Array);
}

cJSON *sk_json_null(struct sk_arena *a)
{
	return make(a, cJSON_NULL);
}

cJSON *sk_json_bool(struct sk_arena *a, bool v)
{
	cJSON *node = make(a, v ? cJSON_True : cJSON_False);

	if (node)
		node->valueint = v;
	return node;
}

cJSON *sk_json_int(struct sk_arena *a, int64_t v)
{
	char text[SK_JSON_NUMBER_ROOM];
	cJSON *node = make(a, cJSON_Number);

	if (!node)
		return NULL;
	sk_json_number_fill(node, (double)v);
	if (v >= -SK_JSON_EXACT && v <= SK_JSON_EXACT)
		return node;
	node->valuestring = sk_strndup(a, text, (size_t)sk_json_int_format(text, v));
	return node->valuestring ? node : NULL;
}

cJSON *sk_json_number(struct sk_arena *a, double v)
{
	cJSON *node = make(a, cJSON_NULL);

	if (node && isfinite(v))
		sk_json_number_fill(node, v);
	return node;
}

cJSON *sk_json_string(struct sk_arena *a, const char *s)
{
	return s ? sk_json_stringn(a, s, strlen(s)) : NULL;
}

cJSON *sk_json_stringn(struct sk_arena *a, const char *s, size_t n)
{
	cJSON *node = s ? make(a, cJSON_String) : NULL;

	if (!node)
		return NULL;
	node->valuestring = text_of(a, s, strnlen(s, n));
	return node->valuestring ? node : NULL;
}

static void link_last(cJSON *parent, cJSON *node)
{
	cJSON *head = parent->child;

	node->next = NULL;
	if (!head) {
		parent->child = node->prev = node;
		return;
	}
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

/* The node alone, without its key and its children. */
static cJSON *copy_node(struct sk_arena *a, const cJSON *from)
{
	cJSON *to = make(a, from->type & 0xff);

	if (!to)
		return NULL;
	to->valueint = from->valueint;
	to->valuedouble = from->valuedouble;
	if (!from->valuestring)
		return to;
	to->valuestring = sk_strdup(a, from->valuestring);
	return to->valuestring ? to : NULL;
}

static cJSON *copy_child(struct sk_arena *a, cJSON *parent, const cJSON *from)
{
	cJSON *to = copy_node(a, from);

	if (!to)
		return NULL;
	if (from->string && !(to->string = sk_strdup(a, from->string)))
		return NULL;
	link_last(parent, to);
	return to;
}

/* A level is a container of the source; its copy is the tree's, hence `other`. */
static cJSON *copy_children(struct sk_arena *a, const cJSON *from, cJSON *root)
{
	struct sk_json_walk w;
	cJSON *parent = root;

	sk_json_walk_start(&w, a);
	for (const cJSON *node = from->child; node;) {
		cJSON *to = copy_child(a, parent, node);
		struct sk_json_level *level;

		if (!to)
			return NULL;
		if (sk_json_is_container(node) && node->child) {
			level = sk_json_walk_down(&w, node);
			if (!level)
				return NULL;
			level->other = parent;
			parent = to;
			node = node->child;
			continue;
		}
		while (w.n && !node->next) {
			level = &w.levels[--w.n];
			node = level->node;
			parent = (cJSON *)level->other;
		}
		node = node->next;
	}
	return root;
}

cJSON *sk_json_copy(struct sk_arena *a, const cJSON *node)
{
	cJSON *to = node ? copy_node(a, node) : NULL;

	return to && sk_json_is_container(node) ? copy_children(a, node, to) : to;
}

/* A value that may be linked: itself, or a copy if it still stands in a tree (with two parents both lists would break). */
static cJSON *free_value(struct sk_arena *a, cJSON *value)
{
	return value && value->prev ? sk_json_copy(a, value) : value;
}

static bool is_kind(const cJSON *node, int kind)
{
	return sk_json_kind(node) == kind;
}

cJSON *sk_json_add(struct sk_arena *a, cJSON *object, const char *key, cJSON *value)
{
	char *name;

	if (!is_kind(object, cJSON_Object) || !key || !value || value == object)
		return NULL;
	value = free_value(a, value);
	name = text_of(a, key, strlen(key));
	if (!value || !name)
		return NULL;
	value->string = name;
	link_last(object, value);
	return value;
}

/* `value` in the place of `old`. */
static void replace(cJSON *object, cJSON *old, cJSON *value)
{
	bool first = object->child == old;

	value->string = old->string;
	value->next = old->next;
	value->prev = first && !old->next ? value : old->prev;
	if (first)
		object->child = value;
	else
		old->prev->next = value;
	if (old->next)
		old->next->prev = value;
	else
		object->child->prev = value;
	old->next = old->prev = NULL;
}

cJSON *sk_json_set(struct sk_arena *a, cJSON *object, const char *key, cJSON *value)
{
	cJSON *old = sk_json_get(object, key);

	if (!old)
		return sk_json_add(a, object, key, value);
	if (old == value || !value || value == object)
		return old == value ? value : NULL;
	value = free_value(a, value);
	if (value)
		replace(object, old, value);
	return value;
}

cJSON *sk_json_append(cJSON *array, cJSON *value)
{
	if (!is_kind(array, cJSON_Array) || !value || value->prev || value == array)
		return NULL;
	value->string = NULL;
	link_last(array, value);
	return value;
}

void sk_json_detach(cJSON *parent, cJSON *child)
{
	if (!parent || !child || !child->prev || !parent->child)
		return;
	if (child->next)
		child->next->prev = child->prev;
	else
		parent->child->prev = child->prev;
	if (parent->child == child)
		parent->child = child->next;
	else
		child->prev->next = child->next;
	child->next = child->prev = NULL;
}

void sk_json_remove(cJSON *object, const char *key)
{
	sk_json_detach(object, sk_json_get(object, key));
}

cJSON *sk_json_set_string(struct sk_arena *a, cJSON *object, const char *key, const char *s)
{
	return sk_json_set(a, object, key, sk_json_string(a, s));
}

cJSON *sk_json_set_int(struct sk_arena *a, cJSON *object, const char *key, int64_t v)
{
	return sk_json_set(a, object, key, sk_json_int(a, v));
}

cJSON *sk_json_set_number(struct sk_arena *a, cJSON *object, const char *key, double v)
{
	return sk_json_set(a, object, key, sk_json_number(a, v));
}

cJSON *sk_json_set_bool(struct sk_arena *a, cJSON *object, const char *key, bool v)
{
	return sk_json_set(a, object, key, sk_json_bool(a, v));
}

cJSON *sk_json_set_object(struct sk_arena *a, cJSON *object, const char *key)
{
	return sk_json_set(a, object, key, sk_json_object(a));
}

cJSON *sk_json_set_array(struct sk_arena *a, cJSON *object, const char *key)
{
	return sk_json_set(a, object, key, sk_json_array(a));
}
