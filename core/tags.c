/* tags.c -- see tags.h. What is checked here is what AWS's model leaves open: number, names that are taken, names given twice. */
#include "core/tags.h"

#include <string.h>
#include <strings.h>

const cJSON *sk_tags_find(const cJSON *tags, const char *key)
{
	SK_JSON_EACH(tag, tags) {
		const char *k = sk_json_text(tag, "Key");
		if (k && key && !strcmp(k, key))
			return tag;
	}
	return NULL;
}

int sk_tags_check(struct sk_call *c, const cJSON *tags, int over)
{
	if (sk_json_count(tags) > SK_TAGS_MAX)
		return sk_fail(c, over, "A resource can have at most %d tags", SK_TAGS_MAX);
	SK_JSON_EACH(tag, tags) {
		const char *key = sk_json_text(tag, "Key");
		if (key && !strncasecmp(key, "aws:", 4))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Tag key %s: keys that begin with aws: are reserved", key);
		if (key && sk_tags_find(tags, key) != tag)
			return sk_fail(c, SK_E_INVALID_REQUEST, "Tag key %s is given more than once", key);
	}
	return SK_OK;
}

void sk_tags_append(struct sk_arena *a, cJSON *list, const cJSON *tag)
{
	const char *value = sk_json_text(tag, "Value");
	cJSON *one = sk_json_append(list, sk_json_object(a));

	sk_json_set_string(a, one, "Key", sk_json_text(tag, "Key"));
	sk_json_set_string(a, one, "Value", value ? value : "");
}

void sk_tags_store(struct sk_arena *a, cJSON *record, const cJSON *tags)
{
	cJSON *list = sk_json_count(tags) ? sk_json_set_array(a, record, "tags") : NULL;

	SK_JSON_EACH(tag, tags)
		sk_tags_append(a, list, tag);
}

/* -- the header's form -- */

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* n bytes with their escapes undone; NULL: one is no escape, or what comes out is no text. */
static const char *decoded(struct sk_arena *a, const char *at, size_t n)
{
	char *out = sk_alloc_text(a, n + 1), *to = out;

	for (size_t i = 0; out && i < n; i++) {
		int high = at[i] == '%' && n - i > 2 ? digit_of(at[i + 1]) : -1, low = high < 0 ? -1 : digit_of(at[i + 2]);
		if (at[i] == '%' && (low < 0 || !(high << 4 | low)))
			return NULL;
		*to++ = at[i] == '%' ? (char)(high << 4 | low) : at[i] == '+' ? ' ' : at[i];
		i += at[i] == '%' ? 2 : 0;
	}
	if (out)
		*to = '\0';
	return out && sk_utf8_valid(out, (size_t)(to - out)) ? out : NULL;
}

cJSON *sk_tags_of_query(struct sk_arena *a, const char *query)
{
	cJSON *list = sk_json_array(a);

	for (size_t n; *query; query += n + (query[n] == '&')) {
		n = strcspn(query, "&");
		size_t key = strcspn(query, "=&"), from = key < n ? key + 1 : n;
		const char *name = decoded(a, query, key), *value = decoded(a, query + from, n - from);
		cJSON *tag = name && *name && value ? sk_json_append(list, sk_json_object(a)) : NULL;
		if (!tag)
			return NULL;
		sk_json_set_string(a, tag, "Key", name);
		sk_json_set_string(a, tag, "Value", value);
	}
	return list;
}

/* Rare enough that the shape is made for it: what is in TagList stands in one place. */
static int check_shape(struct sk_call *c, cJSON *tags)
{
	char why[256] = "";
	struct sk_shapes *shapes = sk_shapes_new();
	struct sk_inputs *in = shapes ? sk_inputs_new(shapes, "", "tags:TagList", true, why, sizeof why) : NULL;
	const char *message = NULL;
	cJSON *input = sk_json_object(c->arena);
	int rc;

	sk_json_add(c->arena, input, "tags", tags);
	rc = !in ? SK_E_UNAVAILABLE : sk_inputs_check(in, c->arena, input, &message) ? SK_E_INVALID_REQUEST : SK_OK;
	sk_json_detach(input, tags);
	sk_inputs_free(&in);
	sk_shapes_free(&shapes);
	return rc ? sk_fail(c, rc, "%s", message ? message : "memory is out") : SK_OK;
}

int sk_tags_read(struct sk_call *c, const char *query, cJSON **tags)
{
	int rc;

	*tags = query ? sk_tags_of_query(c->arena, query) : NULL;
	if (query && !*tags)
		return sk_fail(c, SK_E_INVALID_REQUEST, "tags is not written as key1=value1&key2=value2");
	rc = *tags ? check_shape(c, *tags) : SK_OK;
	return rc ? rc : sk_tags_check(c, *tags, SK_E_INVALID_REQUEST);
}
