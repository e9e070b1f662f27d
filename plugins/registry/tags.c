/* tags.c -- tags of resources by ARN, see tags.h.
 *
 * They stand in the resource's own record, so that they go with it; whoever updates a record keeps its `tags`. */
#include "plugins/registry/tags.h"

#include <string.h>
#include <strings.h>

#include "core/plugin.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/tags.ops"
#define OPS_GROUP tags
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { TAGS_MAX = 50 };

/* What AWS lets one tag, of what there is here: the ARN's kind, and where its records are. Things and certificates have no tags. */
static const struct { const char *kind, *record; } taggable[] = {
	{ "thingtype", "type" }, { "thinggroup", "group" }, { "billinggroup", "billing-group" }, { "policy", "policy" }, { "cacert", "cacert" },
	{ "rolealias", "role-alias" }, { "domainconfiguration", "domain-configuration" },
};

static const cJSON *find(const cJSON *tags, const char *key)
{
	SK_JSON_EACH(tag, tags) {
		const char *k = sk_json_text(tag, "Key");
		if (k && key && !strcmp(k, key))
			return tag;
	}
	return NULL;
}

/* `over` is the error of too many: not every operation has LimitExceeded. */
static int check(struct sk_call *c, const cJSON *tags, int over)
{
	if (sk_json_count(tags) > TAGS_MAX)
		return sk_fail(c, over, "A resource can have at most %d tags", TAGS_MAX);
	SK_JSON_EACH(tag, tags) {
		const char *key = sk_json_text(tag, "Key");
		if (key && !strncasecmp(key, "aws:", 4))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Tag key %s: keys that begin with aws: are reserved", key);
		if (key && find(tags, key) != tag)
			return sk_fail(c, SK_E_INVALID_REQUEST, "Tag key %s is given more than once", key);
	}
	return SK_OK;
}

int tags_check(struct sk_call *c)
{
	return check(c, sk_json_get(c->in, "tags"), SK_E_INVALID_REQUEST);
}

static void append(struct sk_call *c, cJSON *list, const cJSON *tag)
{
	const char *value = sk_json_text(tag, "Value");
	cJSON *one = sk_json_append(list, sk_json_object(c->arena));

	sk_json_set_string(c->arena, one, "Key", sk_json_text(tag, "Key"));
	sk_json_set_string(c->arena, one, "Value", value ? value : "");
}

void tags_store(struct sk_call *c, cJSON *record)
{
	const cJSON *given = sk_json_get(c->in, "tags");
	cJSON *list = sk_json_count(given) ? sk_json_set_array(c->arena, record, "tags") : NULL;

	SK_JSON_EACH(tag, given)
		append(c, list, tag);
}

struct resource {
	const char *record, *name;
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
	const char *given = sk_json_text(c->in, "resourceArn"), *suffix, *arn = without_suffix(c, given, &suffix);

	*r = (struct resource){ 0 };
	for (size_t i = 0; i < sizeof(taggable) / sizeof(*taggable) && !r->name; i++) {
		r->record = taggable[i].record;
		r->name = input_arn_name(c, taggable[i].kind, arn);
	}
	if (!r->name)
		return sk_fail(c, SK_E_INVALID_REQUEST, "%.300s is not the ARN of a resource that can be tagged", given);
	r->document = sk_get(c, "registry/%s/%s", r->record, r->name);
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
	sk_put(c, document, "registry/%s/%s", r->record, r->name);
}

/* "Adds to or modifies the tags of the given resource." */
static int TagResource(struct sk_call *c)
{
	const cJSON *given = sk_json_get(c->in, "tags");
	struct resource r;
	int rc = check(c, given, SK_E_LIMIT_EXCEEDED);

	if (!rc)
		rc = find_resource(c, &r);
	if (rc)
		return rc;
	cJSON *after = sk_json_array(c->arena);
	SK_JSON_EACH(tag, sk_json_get(r.document, "tags"))
		if (!find(given, sk_json_text(tag, "Key")))
			append(c, after, tag);
	SK_JSON_EACH(tag, given)
		append(c, after, tag);
	if (sk_json_count(after) > TAGS_MAX)
		return sk_fail(c, SK_E_LIMIT_EXCEEDED, "A resource can have at most %d tags", TAGS_MAX);
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

	if (!rc && sk_json_count(keys) > TAGS_MAX)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "At most %d tag keys can be given", TAGS_MAX);
	if (rc)
		return rc;
	cJSON *after = sk_json_array(c->arena);
	SK_JSON_EACH(tag, sk_json_get(r.document, "tags"))
		if (!names(keys, sk_json_text(tag, "Key")))
			append(c, after, tag);
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
		append(c, list, tag);
	return SK_OK;
}
