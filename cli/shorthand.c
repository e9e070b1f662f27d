/* shorthand.c -- AWS's shorthand: key=value pairs, {} for nested pairs, [] for lists, quotes and backslashes as in a shell.
 *
 *   attributes={room=kitchen,floor=2},merge=true        key=a,b,c is the list ["a","b","c"]
 *
 * One recursive descent, bounded by DEPTH_MOST; `at` never passes the text's NUL. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/value.h"

#define DEPTH_MOST 32

struct reader {
	struct sk_arena *arena;
	const char *text, *at;
	int depth;
	struct value_error *error;
};

static cJSON *read_pairs(struct reader *r, const cJSON *row);
static cJSON *read_value(struct reader *r, const cJSON *row);

static void *fail(struct reader *r, const char *why)
{
	snprintf(r->error->text, sizeof(r->error->text), "'%.200s', at character %d: %s", r->text, (int)(r->at - r->text) + 1, why);
	return NULL;
}

static bool is_key(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.#/:-$", c));
}

/* Bytes of the key when "key=" comes next, else 0. */
static size_t key_ahead(const struct reader *r)
{
	size_t n = 0;
	while (is_key(r->at[n]))
		n++;
	return r->at[n] == '=' ? n : 0;
}

static const cJSON *row_of_member(const cJSON *row, const char *key)
{
	const char *kind = sk_json_text(row, "kind");
	if (kind && strcmp(kind, "map") == 0)
		return sk_json_get(row, "element");
	SK_JSON_EACH(member, sk_json_get(row, "members")) {
		const char *name = sk_json_text(member, "name");
		if (name && strcmp(name, key) == 0)
			return member;
	}
	return NULL;
}

/* Text up to what ends it: the closing quote, or outside of quotes a comma or bracket. */
static char *read_text(struct reader *r)
{
	char *out = sk_alloc_text(r->arena, strlen(r->at) + 1), quote = 0;
	size_t n = 0;
	if (!out)
		return fail(r, "out of memory");
	if (*r->at == '"' || *r->at == '\'')
		quote = *r->at++;
	while (*r->at && (quote ? *r->at != quote : !strchr(",]}", *r->at))) {
		if (*r->at == '\\' && r->at[1])
			r->at++;
		out[n++] = *r->at++;
	}
	out[n] = 0;
	if (!quote)
		return out;
	return *r->at++ == quote ? out : (r->at--, fail(r, "a quote is not closed"));
}

static cJSON *read_list(struct reader *r, const cJSON *row)
{
	cJSON *list = sk_json_array(r->arena);
	r->at++;
	while (*r->at && *r->at != ']') {
		cJSON *one = read_value(r, sk_json_get(row, "element"));
		if (!one)
			return NULL;
		sk_json_append(list, one);
		if (*r->at == ',')
			r->at++;
		else if (*r->at != ']')
			break;
	}
	return *r->at == ']' ? (r->at++, list) : fail(r, "expected ',' or ']'");
}

static cJSON *read_object(struct reader *r, const cJSON *row)
{
	r->at++;
	cJSON *object = read_pairs(r, row);
	if (!object)
		return NULL;
	return *r->at == '}' ? (r->at++, object) : fail(r, "expected ',' or '}'");
}

static cJSON *read_value(struct reader *r, const cJSON *row)
{
	cJSON *value = NULL;
	if (++r->depth > DEPTH_MOST)
		return fail(r, "too many levels");
	if (*r->at == '[') {
		value = read_list(r, row);
	} else if (*r->at == '{') {
		value = read_object(r, row);
	} else {
		char *text = read_text(r);
		value = text ? value_scalar(r->arena, row, text, r->error) : NULL;
	}
	r->depth--;
	return value;
}

/* key=a,b,c: what follows a comma and is no key belongs to the value before it. */
static cJSON *read_more(struct reader *r, const cJSON *row, cJSON *first)
{
	while (r->at[0] == ',' && r->at[1]) {
		const char *comma = r->at++;
		if (key_ahead(r)) {
			r->at = comma;
			break;
		}
		cJSON *next = read_value(r, sk_json_get(row, "element"));
		if (!next)
			return NULL;
		if (!cJSON_IsArray(first)) {
			cJSON *list = sk_json_array(r->arena);
			sk_json_append(list, first);
			first = list;
		}
		sk_json_append(first, next);
	}
	return first;
}

static cJSON *read_pairs(struct reader *r, const cJSON *row)
{
	cJSON *object = sk_json_object(r->arena);
	while (*r->at && *r->at != '}') {
		size_t n = key_ahead(r);
		if (n == 0)
			return fail(r, "expected key=value");
		const char *key = sk_strndup(r->arena, r->at, n);
		const cJSON *member = key ? row_of_member(row, key) : NULL;
		r->at += n + 1;
		cJSON *value = read_value(r, member);
		value = value ? read_more(r, member, value) : NULL;
		if (!value)
			return NULL;
		sk_json_set(r->arena, object, key, value);
		if (*r->at != ',')
			break;
		r->at++;
	}
	return object;
}

cJSON *value_shorthand(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	struct reader r = { .arena = a, .text = text, .at = text, .error = e };
	cJSON *object = read_pairs(&r, row);
	if (a->failed)
		return fail(&r, "out of memory");
	return object && *r.at ? fail(&r, "expected ','") : object;
}
