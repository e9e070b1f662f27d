/* sink.c -- what all sinks ask of their items, and the name of a lane. See sink.h. */
#include "core/sink.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *sk_sink_text(const struct sk_sink_item *item, const char *path)
{
	for (size_t i = 0; i < item->fields; i++)
		if (!strcmp(item->field[i].path, path))
			return item->field[i].text;
	return NULL;
}

int64_t sk_sink_int(const struct sk_sink_item *item, const char *path, int64_t otherwise)
{
	const char *text = sk_sink_text(item, path);
	char *end = NULL;
	long long value = text ? strtoll(text, &end, 10) : 0;

	return text && end != text && !*end ? value : otherwise;
}

bool sk_sink_true(const struct sk_sink_item *item, const char *path)
{
	const char *text = sk_sink_text(item, path);

	return text && !strcmp(text, "true");
}

void sk_sink_all(struct sk_sink_item *const *item, size_t n, enum sk_sunk result, const char *why)
{
	for (size_t i = 0; i < n; i++) {
		item[i]->result = result;
		item[i]->why = why;
	}
}

/* -- fields to texts -- */

struct flat {
	struct sk_arena *arena;
	const char *connection;
	struct sk_sink_field *field;
	size_t n, room;
};

static bool names(const char *paths, const char *path)
{
	size_t n = strlen(path);

	for (const char *p = paths; p && *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && !memcmp(p, path, n))
			return true;
	return false;
}

static void flat_add(struct flat *f, const char *path, const char *text)
{
	if (f->n == f->room) {
		size_t room = f->room ? 2 * f->room : 8;
		struct sk_sink_field *more = sk_alloc(f->arena, room * sizeof *more);
		if (!more)
			return;
		if (f->n)
			memcpy(more, f->field, f->n * sizeof *more);
		f->field = more;
		f->room = room;
	}
	f->field[f->n++] = (struct sk_sink_field){ path, text };
}

static void flatten(struct flat *f, const cJSON *node, const char *path)
{
	int i = 0;

	if (f->arena->failed || !path || cJSON_IsNull(node) || names(f->connection, path))
		return;
	if (!cJSON_IsObject(node) && !cJSON_IsArray(node))
		flat_add(f, path, cJSON_IsString(node) ? node->valuestring : sk_json_print(f->arena, node, NULL));
	SK_JSON_EACH(one, node)
		flatten(f, one, cJSON_IsArray(node) ? sk_printf(f->arena, "%s[%d]", path, i++) :
		                *path ? sk_printf(f->arena, "%s.%s", path, one->string) : one->string);
}

struct sk_sink_field *sk_sink_flatten(const cJSON *fields, const char *connection, struct sk_arena *a, size_t *n)
{
	struct flat f = { .arena = a, .connection = connection };

	f.field = sk_alloc(a, sizeof *f.field);
	flatten(&f, fields, "");
	*n = f.n;
	return a->failed ? NULL : f.field;
}

/* -- the name of a lane -- */

/* What is a secret has no place in a name. */
static bool is_secret(const char *path, size_t n)
{
	static const char *const ends[] = { "password", "token", "secret" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n >= strlen(ends[i]) && !strncasecmp(path + n - strlen(ends[i]), ends[i], strlen(ends[i])))
			return true;
	return false;
}

/* "tls.ca" of the fields; NULL: there is none. The path is `n` bytes. */
static const cJSON *field_at(const cJSON *fields, const char *path, size_t n)
{
	char name[64];

	for (const char *end = path + n; fields && path < end;) {
		size_t part = strcspn(path, ". ");
		if (part >= sizeof name)
			return NULL;
		memcpy(name, path, part);
		name[part] = '\0';
		fields = sk_json_get(fields, name);
		path += part + (path[part] == '.');
		if (path > end || !part)
			break;
	}
	return fields;
}

/* A URL whose user has a password: its place; else NULL. */
static const char *password_of(const char *url, size_t *n)
{
	const char *host = strstr(url, "://"), *end, *at = NULL, *colon;

	if (!host)
		return NULL;
	host += 3;
	end = host + strcspn(host, "/?#");
	for (const char *p = host; p < end; p++)
		if (*p == '@')
			at = p;
	colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
	if (!colon)
		return NULL;
	*n = (size_t)(at - colon - 1);
	return colon + 1;
}

/* key=VALUE of a query, from its name on. */
static bool is_secret_parameter(const char *name)
{
	static const char *const names[] = { "key", "apikey", "api_key", "api-key", "sig", "signature", "auth", "pw" };
	size_t n = strcspn(name, "=&#");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == n && !strncasecmp(names[i], name, n))
			return true;
	return is_secret(name, n);
}

const char *sk_sink_url_secret(const char *url, int nth, size_t *n)
{
	const char *password = password_of(url, n), *scheme = strstr(url, "://"), *query = scheme ? strchr(scheme, '?') : NULL;

	if (password && nth-- == 0)
		return password;
	for (const char *p = query; p && *p && *p != '#'; p += 1 + strcspn(p + 1, "&#")) {
		const char *value = p + 1 + strcspn(p + 1, "=&#");
		*n = *value == '=' ? strcspn(value + 1, "&#") : 0;
		if (*n && is_secret_parameter(p + 1) && nth-- == 0)
			return value + 1;
	}
	return NULL;
}

const char *sk_sink_without_password(struct sk_arena *a, const char *text)
{
	const char *from = text, *done = "", *secret;
	size_t n;

	for (int i = 0; (secret = sk_sink_url_secret(text, i, &n)); i++) {
		if (!a)
			return NULL;
		done = sk_printf(a, "%s%.*s***", done ? done : "", (int)(secret - from), from);
		from = secret + n;
	}
	return from == text ? text : sk_printf(a, "%s%s", done ? done : "", from);
}

const char *sk_sink_lane(const cJSON *fields, const char *connection, struct sk_arena *a)
{
	const char *name = "";

	for (const char *path = connection; path && *path; path += strcspn(path, " "), path += strspn(path, " ")) {
		size_t n = strcspn(path, " ");
		const cJSON *field = is_secret(path, n) ? NULL : field_at(fields, path, n);
		const char *text = !field ? NULL : cJSON_IsString(field) ? sk_sink_without_password(a, field->valuestring) : sk_json_print(a, field, NULL);
		if (text)
			name = sk_printf(a, "%s%s%s", name, *name ? " " : "", text);
		if (a->failed)
			return NULL;
	}
	return name;
}
