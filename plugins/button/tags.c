/* tags.c -- tags of devices and projects. AWS has a service for each, which answer the same paths: the ARN tells whose rules hold.
 *
 * Projects' are narrower and answer 200, devices' answer 204. */
#include "plugins/button/tags.h"

#include <string.h>

#include "core/plugin.h"
#include "core/tags.h"
#include "plugins/button/button.h"
#include "plugins/button/records.h"

#define OPS_FILE "plugins/button/tags.ops"
#define OPS_GROUP button_tags
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

struct resource {
	const char *key;
	cJSON *record; /* a copy */
	int status;
};

static const struct {
	const char *kind, *prefix;
	int status;
} kinds[] = {
	{ "devices/", "buttons/account/device/", 204 }, { "projects/", "buttons/account/project/", 200 },
};

/* What is no ARN of a device is held against what AWS's Projects service says of its inputs. */
static int check_as_projects(struct sk_call *c, const struct sk_inputs *inputs)
{
	const char *arn = sk_json_text(c->in, "resourceArn"), *message;

	if (!strncmp(arn, "arn:", 4) && strstr(arn, ":devices/"))
		return SK_OK;
	if (sk_inputs_check(inputs, c->arena, c->in, &message))
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s", message ? message : "A tag is out of its bounds");
	return SK_OK;
}

static int find(struct sk_call *c, const struct sk_inputs *as_projects, struct resource *r)
{
	const char *arn = sk_json_text(c->in, "resourceArn"), *base = sk_arn_of(c, "iot1click", "%s", "");
	size_t n = base ? strlen(base) : 0;
	int rc = check_as_projects(c, as_projects);

	*r = (struct resource){ 0 };
	for (size_t i = 0; base && !strncmp(arn, base, n) && i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t kind = strlen(kinds[i].kind);
		if (strncmp(arn + n, kinds[i].kind, kind) || !arn[n + kind] || strchr(arn + n + kind, '/'))
			continue;
		r->key = sk_printf(c->arena, "%s%s", kinds[i].prefix, arn + n + kind);
		r->record = sk_json_copy(c->arena, sk_get(c, "%s", r->key));
		r->status = kinds[i].status;
	}
	return rc || r->record ? rc : sk_fail(c, SK_E_NOT_FOUND, "The resource %.300s does not exist", arn);
}

static int store(struct sk_call *c, const struct resource *r)
{
	if (!sk_json_count(sk_json_get(r->record, "tags")))
		sk_json_remove(r->record, "tags");
	sk_put(c, r->record, "%s", r->key);
	if (c->caller->kind == SK_HTTP)
		sk_json_set_int(c->arena, c->out, "status", r->status);
	return SK_OK;
}

static int ListTagsForResource(struct sk_call *c)
{
	const struct button_state *s = c->state;
	struct resource r;
	int rc = find(c, s->projects_tags.list, &r);

	if (!rc)
		button_tags_show(c, c->out, r.record);
	return rc;
}

static int TagResource(struct sk_call *c)
{
	const cJSON *given = sk_json_get(c->in, "tags");
	struct resource r;
	int rc = find(c, ((const struct button_state *)c->state)->projects_tags.tag, &r);
	cJSON *tags;

	if (!rc)
		rc = button_tags_check(c, given);
	if (rc)
		return rc;
	tags = sk_json_get(r.record, "tags");
	if (!tags)
		tags = sk_json_set_object(c->arena, r.record, "tags");
	SK_JSON_EACH(tag, given)
		sk_json_set_string(c->arena, tags, tag->string, tag->valuestring);
	rc = button_tags_check(c, tags);
	return rc ? rc : store(c, &r);
}

/* Keys that the resource does not have are passed over. */
static int UntagResource(struct sk_call *c)
{
	struct resource r;
	int rc = find(c, ((const struct button_state *)c->state)->projects_tags.untag, &r);

	if (rc)
		return rc;
	SK_JSON_EACH(key, sk_json_get(c->in, "tagKeys"))
		sk_json_remove(sk_json_get(r.record, "tags"), key->valuestring);
	return store(c, &r);
}

/* -- the inputs of AWS's Projects service -- */

static int compile(const struct sk_shapes *shapes, const char *inputs, struct sk_inputs **out, char *why, size_t why_size)
{
	*out = sk_inputs_new(shapes, "", inputs, true, why, why_size);
	return *out ? 0 : -1;
}

int tags_inputs_new(struct tags_inputs *t, const struct sk_shape *table, char *why, size_t why_size)
{
	t->shapes = sk_shapes_new();
	if (!t->shapes || sk_shapes_add(t->shapes, table, why, why_size))
		return -1;
	return compile(t->shapes, "resourceArn!:ProjectArn", &t->list, why, why_size) ||
	       compile(t->shapes, "resourceArn!:ProjectArn tags!:ProjectTags", &t->tag, why, why_size) ||
	       compile(t->shapes, "resourceArn!:ProjectArn tagKeys!:ProjectTagKeys", &t->untag, why, why_size) ? -1 : 0;
}

void tags_inputs_free(struct tags_inputs *t)
{
	sk_inputs_free(&t->list);
	sk_inputs_free(&t->tag);
	sk_inputs_free(&t->untag);
	sk_shapes_free(&t->shapes);
}
