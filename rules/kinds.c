/* kinds.c -- the table of the kinds of actions, and the way to those of their fields that hold templates.
 *
 * A path of the table is walked segment by segment; what is not there, or is of another type, is passed over. */
#include <stdio.h>
#include <string.h>

#include "rules/internal.h"

const struct rules_kind rules_kinds[] = {
#define KIND_OF(whose, kind, field, paths) { .name = kind, .resource = field, .templates = paths, .plugin = whose },
#define KIND(kind, field, paths) KIND_OF(NULL, kind, field, paths)
#include "actions.inc" // rules/actions.tbl, and the *.kinds of plugins
#undef KIND
#undef KIND_OF
	{ 0 }
};

const struct rules_kind *rules_kind(const char *name)
{
	for (const struct rules_kind *k = rules_kinds; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const cJSON *rules_only_kind(const cJSON *action)
{
	const cJSON *only = NULL;

	if (!cJSON_IsObject(action))
		return NULL;
	SK_JSON_EACH(member, action) {
		if (cJSON_IsNull(member))
			continue;
		if (only)
			return NULL;
		only = member;
	}
	return only;
}

/* -- paths -- */

struct walk {
	rules_on_template *fn;
	void *ctx;
	char path[160]; /* cut if it is longer */
};

static bool walk(struct walk *w, size_t n, const cJSON *node, const char *rest);

static size_t append(struct walk *w, size_t n, const char *before, const char *name)
{
	int more = snprintf(w->path + n, sizeof w->path - n, "%s%s", before, name);

	return more > 0 && n + (size_t)more < sizeof w->path ? n + (size_t)more : sizeof w->path - 1;
}

static bool walk_elements(struct walk *w, size_t n, const cJSON *list, const char *rest)
{
	char index[24];
	int i = 0;

	SK_JSON_EACH(element, list) {
		snprintf(index, sizeof index, "[%d]", i++);
		if (!walk(w, append(w, n, "", index), element, rest))
			return false;
	}
	return true;
}

static bool walk_members(struct walk *w, size_t n, const cJSON *object, const char *rest)
{
	size_t size = strcspn(rest, ".[ ");

	SK_JSON_EACH(member, object)
		if ((*rest == '*' || (strlen(member->string) == size && memcmp(member->string, rest, size) == 0)) &&
		    !walk(w, append(w, n, n ? "." : "", member->string), member, rest + size))
			return false;
	return true;
}

/* `rest` is what lies below the node: "", "[]...", ".name..." or, at the top, "name...". */
static bool walk(struct walk *w, size_t n, const cJSON *node, const char *rest)
{
	if (*rest == '\0' || *rest == ' ')
		return !cJSON_IsString(node) || !strstr(node->valuestring, "${") || w->fn(w->ctx, node, w->path);
	if (*rest == '[')
		return !cJSON_IsArray(node) || walk_elements(w, n, node, rest + 2);
	return !cJSON_IsObject(node) || walk_members(w, n, node, rest + (*rest == '.'));
}

bool rules_each_template(const struct rules_kind *k, const cJSON *fields, rules_on_template *fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };

	for (const char *path = k->templates; *path; path += strcspn(path, " "), path += *path == ' ')
		if (!walk(&w, 0, fields, path))
			return false;
	return true;
}

const char *rules_resource(const struct rules_kind *k, const cJSON *fields)
{
	const char *path = k->resource, *dot = path ? strchr(path, '.') : NULL;
	char first[32];

	if (!path)
		return NULL;
	if (!dot)
		return sk_json_text(fields, path);
	snprintf(first, sizeof first, "%.*s", (int)(dot - path), path);
	return sk_json_text(sk_json_get(fields, first), dot + 1);
}
