/* tags.c -- tags of resources by ARN, see tags.h: of all that a plugin's `.tagged` names.
 *
 * They stand in the resource's own record, so that they go with it; whoever updates a record keeps its `tags`. */
#include "plugins/registry/tags.h"

#include <string.h>

#include "core/tags.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/tags.ops"
#define OPS_GROUP tags
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

int tags_check(struct sk_call *c)
{
	return sk_tags_check(c, sk_json_get(c->in, "tags"), SK_E_INVALID_REQUEST);
}

void tags_store(struct sk_call *c, cJSON *record)
{
	sk_tags_store(c->arena, record, sk_json_get(c->in, "tags"));
}

struct resource {
	const char *prefix, *name; /* of its record */
	const cJSON *document;
};

/* Behind the name of a domain configuration its ARN has a suffix, which its record knows. */
static const char *without_suffix(struct sk_call *c, const char *arn, const char **suffix)
{
	const char *last = arn ? strrchr(arn, '/') : NULL;

	*suffix = NULL;
	if (!last || !strstr(arn, ":domainconfiguration/") || strchr(arn, '/') == last)
		return arn;
	*suffix = last + 1;
	return sk_strndup(c->arena, arn, (size_t)(last - arn));
}

static int find_resource(struct sk_call *c, struct resource *r)
{
	const struct registry_state *s = c->state;
	const char *given = sk_json_text(c->in, "resourceArn"), *suffix, *arn = without_suffix(c, given, &suffix);
	const struct sk_tagged *t;

	*r = (struct resource){ 0 };
	for (size_t i = 0; !r->name && (t = s->tagged(i)); i++) {
		r->prefix = t->prefix;
		r->name = input_arn_name(c, t->kind, arn);
	}
	if (!r->name)
		return sk_fail(c, SK_E_INVALID_REQUEST, "%.300s is not the ARN of a resource that can be tagged", given);
	r->document = sk_get(c, "%s%s", r->prefix, r->name);
	const char *has = sk_json_text(r->document, "suffix");
	bool same = r->document && !has == !suffix && (!suffix || !strcmp(has, suffix));
	return same ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "The resource %s does not exist.", given);
}

static void store(struct sk_call *c, const struct resource *r, cJSON *tags)
{
	cJSON *document = sk_json_copy(c->arena, r->document);

	sk_json_remove(document, "tags");
	if (sk_json_count(tags))
		sk_json_set(c->arena, document, "tags", tags);
	sk_put(c, document, "%s%s", r->prefix, r->name);
}

/* "Adds to or modifies the tags of the given resource." */
static int TagResource(struct sk_call *c)
{
	const cJSON *given = sk_json_get(c->in, "tags");
	struct resource r;
	int rc = sk_tags_check(c, given, SK_E_LIMIT_EXCEEDED);

	if (!rc)
		rc = find_resource(c, &r);
	if (rc)
		return rc;
	cJSON *after = sk_json_array(c->arena);
	SK_JSON_EACH(tag, sk_json_get(r.document, "tags"))
		if (!sk_tags_find(given, sk_json_text(tag, "Key")))
			sk_tags_append(c->arena, after, tag);
	SK_JSON_EACH(tag, given)
		sk_tags_append(c->arena, after, tag);
	if (sk_json_count(after) > SK_TAGS_MAX)
		return sk_fail(c, SK_E_LIMIT_EXCEEDED, "A resource can have at most %d tags", SK_TAGS_MAX);
	store(c, &r, after);
	return SK_OK;
}

static bool names(const cJSON *keys, const char *key)
{
	SK_JSON_EACH(k, keys)
		if (cJSON_IsString(k) && key && !strcmp(k->valuestring, key))
			return true;
	return false;
}

/* Keys that the resource does not have are passed over. */
static int UntagResource(struct sk_call *c)
{
	const cJSON *keys = sk_json_get(c->in, "tagKeys");
	struct resource r;
	int rc = find_resource(c, &r);

	if (!rc && sk_json_count(keys) > SK_TAGS_MAX)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "At most %d tag keys can be given", SK_TAGS_MAX);
	if (rc)
		return rc;
	cJSON *after = sk_json_array(c->arena);
	SK_JSON_EACH(tag, sk_json_get(r.document, "tags"))
		if (!names(keys, sk_json_text(tag, "Key")))
			sk_tags_append(c->arena, after, tag);
	store(c, &r, after);
	return SK_OK;
}

/* All at once: there is no second page, so there is no token that could be right. */
static int ListTagsForResource(struct sk_call *c)
{
	struct resource r;
	int rc = find_resource(c, &r);

	if (!rc && sk_json_text(c->in, "nextToken"))
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "Invalid nextToken");
	if (rc)
		return rc;
	cJSON *list = sk_json_set_array(c->arena, c->out, "tags");
	SK_JSON_EACH(tag, sk_json_get(r.document, "tags"))
		sk_tags_append(c->arena, list, tag);
	return SK_OK;
}
