/* target.c -- see button.h: from a device to its placement, its project and its function. Reads only; a press comes through here each time. */
#include "plugins/button/button.h"

#include <string.h>

#include "plugins/button/templates.h"

/* What a device has that nobody has reported anything about. */
enum { LIFE_NEW = 100 };

bool button_id_valid(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
	size_t n = strspn(id, allowed);

	return n && n <= BUTTON_ID_MOST && !id[n];
}

double button_remaining_life(const cJSON *state)
{
	const cJSON *life = sk_json_get(state, "remainingLife");

	return cJSON_IsNumber(life) ? life->valuedouble : LIFE_NEW;
}

static const char *function_of(const struct button_target *t)
{
	const cJSON *template = t->device_template ? template_find(t->project_record, t->device_template) : NULL;
	const char *own = sk_json_text(sk_json_get(t->device, "onClick"), "awsLambdaArn");
	const char *override = sk_json_text(sk_json_get(template, "callbackOverrides"), TEMPLATE_ON_CLICK);

	return override ? override : own;
}

bool button_target_of(struct sk_call *c, const char *id, struct button_target *t)
{
	*t = (struct button_target){ .device = sk_get(c, "buttons/account/device/%s", id) };
	t->project = sk_json_text(t->device, "projectName");
	t->placement = sk_json_text(t->device, "placementName");
	t->device_template = sk_json_text(t->device, "deviceTemplateName");
	if (t->project && t->placement) {
		t->project_record = sk_get(c, "buttons/account/project/%s", t->project);
		t->placement_record = sk_get(c, "buttons/account/placement/%s/%s", t->project, t->placement);
	}
	t->function = function_of(t);
	return t->device && !sk_void(c);
}

/* The fourth field of an ARN of ours: the caller's region, or the option's. */
static const char *region_of(struct sk_call *c)
{
	const char *at = sk_arn(c, "%s", "");

	for (int colons = 0; at && colons < 3; colons++) {
		at = strchr(at, ':');
		at += at != NULL;
	}
	return at ? sk_strndup(c->arena, at, strcspn(at, ":")) : NULL;
}

cJSON *button_device_attributes(struct sk_call *c, const cJSON *device)
{
	static const char *const copied[] = { "projectName", "placementName", "deviceTemplateName" };
	cJSON *out = sk_json_object(c->arena);

	if (sk_json_get(device, "projectName"))
		sk_json_set_string(c->arena, out, "projectRegion", region_of(c));
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		sk_json_set_string(c->arena, out, copied[i], sk_json_text(device, copied[i]));
	return out;
}

cJSON *button_placement_info(struct sk_call *c, const struct button_target *t)
{
	cJSON *out = sk_json_object(c->arena), *attributes;

	if (!t->placement_record || !t->project_record)
		return NULL;
	sk_json_set_string(c->arena, out, "projectName", t->project);
	sk_json_set_string(c->arena, out, "placementName", t->placement);
	attributes = sk_json_set(c->arena, out, "attributes",
	                         sk_json_copy(c->arena, sk_json_get(sk_json_get(t->project_record, "placementTemplate"), "defaultAttributes")));
	SK_JSON_EACH(one, sk_json_get(t->placement_record, "attributes"))
		sk_json_set_string(c->arena, attributes, one->string, one->valuestring);
	sk_json_set(c->arena, out, "devices", sk_json_copy(c->arena, sk_json_get(t->placement_record, "devices")));
	return out;
}
