/* value.c -- see value.h. One table says how each kind is read, so a new kind is a new row. */
#include "cli/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MOST (16u << 20)

typedef cJSON *read_kind(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e);

static void *fail(struct value_error *e, const char *fmt, const char *what)
{
	snprintf(e->text, sizeof(e->text), fmt, what);
	return NULL;
}

char *value_file(struct sk_arena *a, const char *path, size_t *n, struct value_error *e)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0, room = 0;
	if (!f) {
		snprintf(e->text, sizeof(e->text), "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	do {
		room = room ? 2 * room : 4096;
		char *bigger = room > FILE_MOST ? NULL : sk_alloc_text(a, room + 1);
		if (!bigger) {
			text = fail(e, room > FILE_MOST ? "%s is too large" : "out of memory for %s", path);
			break;
		}
		if (size)
			memcpy(bigger, text, size);
		text = bigger;
		size += fread(text + size, 1, room - size, f);
		text[size] = 0;
	} while (size == room);
	if (text && ferror(f))
		text = fail(e, "cannot read %s: not a file", path);
	if (text && !n && strlen(text) != size)
		text = fail(e, "%s holds a zero byte: it is not text", path);
	fclose(f);
	if (n)
		*n = size;
	return text;
}

const char *value_text(struct sk_arena *a, const char *text, struct value_error *e)
{
	static const char *const prefixes[] = { "file://", "fileb://" };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return value_file(a, text + strlen(prefixes[i]), NULL, e);
	return text;
}

static cJSON *parse(struct sk_arena *a, const char *text, struct value_error *e)
{
	struct sk_json_error bad;
	cJSON *node = sk_json_parse(a, text, strlen(text), NULL, &bad);
	if (!node)
		snprintf(e->text, sizeof(e->text), "not JSON, at byte %zu: %s", bad.at, bad.why ? bad.why : "syntax");
	return node;
}

/* A builder that had no memory leaves a gap: what has one is no value. */
static cJSON *whole(struct sk_arena *a, cJSON *node, struct value_error *e)
{
	return a->failed ? fail(e, "%s", "out of memory") : node;
}

cJSON *value_json(struct sk_arena *a, const char *text, struct value_error *e)
{
	text = value_text(a, text, e);
	return text ? whole(a, parse(a, text, e), e) : NULL;
}

cJSON *value_word(struct sk_arena *a, const char *text)
{
	cJSON *node = sk_json_parse(a, text, strlen(text), NULL, NULL);
	return node ? node : sk_json_string(a, text);
}

static cJSON *read_string(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	(void)row;
	if (!sk_utf8_valid(text, strlen(text)))
		return fail(e, "%s", "the text is not UTF-8");
	return sk_json_string(a, text);
}

static cJSON *read_number(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	cJSON *node = sk_json_parse(a, text, strlen(text), NULL, NULL);
	int64_t whole;
	const char *kind = sk_json_text(row, "kind");
	if (!cJSON_IsNumber(node))
		return fail(e, "expected a number, got '%s'", text);
	if (strcmp(kind, "number") != 0 && !sk_json_to_int(node, &whole))
		return fail(e, "expected a whole number, got '%s'", text);
	return node;
}

static cJSON *read_boolean(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	(void)row;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return sk_json_bool(a, text[0] == 't');
	return fail(e, "expected true or false, got '%s'", text);
}

static cJSON *read_any(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	(void)row, (void)e;
	return value_word(a, text);
}

static bool looks_like_json(const char *text)
{
	text += strspn(text, " \t\r\n");
	return *text == '{' || *text == '[' || *text == '"';
}

static cJSON *read_members(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	return looks_like_json(text) ? parse(a, text, e) : value_shorthand(a, row, text, e);
}

/* Elements of a list: {kind, how one is read}. A list takes several arguments, each one element, or one JSON array. */
static cJSON *read_list(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	cJSON *list;
	if (*(text + strspn(text, " \t\r\n")) == '[')
		return parse(a, text, e);
	list = sk_json_array(a);
	cJSON *one = value_scalar(a, sk_json_get(row, "element"), text, e);
	return one ? (sk_json_append(list, one), list) : NULL;
}

static cJSON *read_timestamp(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	cJSON *node = sk_json_parse(a, text, strlen(text), NULL, NULL);
	return cJSON_IsNumber(node) ? node : read_string(a, row, text, e);
}

static const struct {
	const char *kind;
	read_kind *read;
} kinds[] = {
	{ "string", read_string }, { "enum", read_string },     { "timestamp", read_timestamp }, { "integer", read_number },
	{ "long", read_number },   { "number", read_number },   { "boolean", read_boolean },     { "struct", read_members },
	{ "map", read_members },   { "list", read_list },       { "any", read_any },
};

cJSON *value_scalar(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e)
{
	const char *kind = sk_json_text(row, "kind");
	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return whole(a, kinds[i].read(a, row, text, e), e);
	return whole(a, read_string(a, row, text, e), e);
}

cJSON *value_of(struct sk_arena *a, const cJSON *row, char **argv, int n, struct value_error *e)
{
	cJSON *value = NULL;
	for (int i = 0; i < n; i++) {
		const char *text = value_text(a, argv[i], e);
		cJSON *one = text ? value_scalar(a, row, text, e) : NULL;
		if (!one)
			return NULL;
		if (!value)
			value = one;
		else if (cJSON_IsArray(value) && cJSON_IsArray(one))
			for (cJSON *element; (element = one->child);)
				sk_json_detach(one, element), sk_json_append(value, element);
		else
			return fail(e, "'%s' is one value too many", argv[i]);
	}
	return whole(a, value, e);
}
