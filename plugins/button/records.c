/* records.c -- see records.h. */
#include "plugins/button/records.h"

#include <strings.h>

#include "core/tags.h"
#include "plugins/button/button.h"

/* -- what is wanted -- */

const cJSON *device_wanted(struct sk_call *c, int *rc)
{
	const char *id = sk_json_text(c->in, "deviceId");
	const cJSON *device = sk_get(c, "buttons/account/device/%s", id);

	*rc = device ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Device %s is not claimed", id);
	return device;
}

const cJSON *project_wanted(struct sk_call *c, int *rc)
{
	const char *name = sk_json_text(c->in, "projectName");
	const cJSON *project = sk_get(c, "buttons/account/project/%s", name);

	*rc = project ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Project %s does not exist", name);
	return project;
}

const cJSON *placement_wanted(struct sk_call *c, int *rc)
{
	const char *project = sk_json_text(c->in, "projectName"), *name = sk_json_text(c->in, "placementName");
	const cJSON *placement = sk_get(c, "buttons/account/placement/%s/%s", project, name);

	*rc = placement ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Placement %s of project %s does not exist", name, project);
	return placement;
}

/* -- devices that wait -- */

static void count_waiting(struct sk_call *c, int by)
{
	cJSON *count = sk_json_object(c->arena);

	sk_json_set_int(c->arena, count, "count", sk_json_int_of(sk_get(c, "buttons/account/waiting-count"), "count", 0) + by);
	sk_put(c, count, "buttons/account/waiting-count");
}

void waiting_put(struct sk_call *c, const char *id, const cJSON *old, cJSON *record)
{
	sk_json_set_string(c->arena, record, "type", BUTTON_TYPE);
	sk_json_set_int(c->arena, record, "seenAt", sk_json_int_of(old, "seenAt", c->now_ms));
	sk_put(c, record, "buttons/account/waiting/%s", id);
	if (!old)
		count_waiting(c, 1);
}

void waiting_remove(struct sk_call *c, const char *id, const cJSON *old)
{
	if (!old)
		return;
	sk_remove(c, "buttons/account/waiting/%s", id);
	count_waiting(c, -1);
}

void device_claim(struct sk_call *c, const char *id, const cJSON *waiting, const cJSON *tags)
{
	cJSON *device = sk_json_object(c->arena);

	waiting_remove(c, id, waiting);
	sk_json_set_string(c->arena, device, "type", BUTTON_TYPE);
	sk_json_set_bool(c->arena, device, "enabled", false);
	sk_json_set_int(c->arena, device, "claimedAt", c->now_ms);
	if (sk_json_count(tags))
		sk_json_set(c->arena, device, "tags", sk_json_copy(c->arena, tags));
	sk_put(c, device, "buttons/account/device/%s", id);
}

/* -- placements -- */

void placement_mark(struct sk_call *c, const char *project, const char *placement, const char *device_template, bool there)
{
	if (there)
		sk_put(c, sk_json_object(c->arena), "buttons/account/in/%s/%s/%s", project, device_template, placement);
	else
		sk_remove(c, "buttons/account/in/%s/%s/%s", project, device_template, placement);
}

void placement_release(struct sk_call *c, cJSON *device)
{
	static const char *const names[] = { "projectName", "placementName", "deviceTemplateName" };
	const char *project = sk_json_text(device, "projectName"), *placement = sk_json_text(device, "placementName");
	const char *device_template = sk_json_text(device, "deviceTemplateName");

	if (!project || !placement || !device_template)
		return;
	cJSON *record = sk_json_copy(c->arena, sk_get(c, "buttons/account/placement/%s/%s", project, placement));
	if (record) {
		sk_json_remove(sk_json_get(record, "devices"), device_template);
		sk_put(c, record, "buttons/account/placement/%s/%s", project, placement);
	}
	placement_mark(c, project, placement, device_template, false);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		sk_json_remove(device, names[i]);
}

/* -- tags -- */

void button_tags_show(struct sk_call *c, cJSON *out, const cJSON *record)
{
	const cJSON *tags = sk_json_get(record, "tags");

	sk_json_set(c->arena, out, "tags", tags ? sk_json_copy(c->arena, tags) : sk_json_object(c->arena));
}

int button_tags_check(struct sk_call *c, const cJSON *tags)
{
	if (sk_json_count(tags) > SK_TAGS_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "A resource can have at most %d tags", SK_TAGS_MAX);
	SK_JSON_EACH(tag, tags)
		if (!strncasecmp(tag->string, "aws:", 4))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Tag key %s: keys that begin with aws: are reserved", tag->string);
	return SK_OK;
}
