/* placement_devices.c -- which device is where: in the placement's record, in the device's, and in an index by template, all in one commit. */
#include <string.h>

#include "core/plugin.h"
#include "plugins/button/records.h"
#include "plugins/button/templates.h"

#define OPS_FILE "plugins/button/placement_devices.ops"
#define OPS_GROUP button_placement_devices
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

struct place {
	const char *project, *placement, *device_template;
};

static struct place place_of(const struct sk_call *c)
{
	return (struct place){ sk_json_text(c->in, "projectName"), sk_json_text(c->in, "placementName"), sk_json_text(c->in, "deviceTemplateName") };
}

static bool is_at(const cJSON *device, const struct place *p)
{
	const char *project = sk_json_text(device, "projectName"), *placement = sk_json_text(device, "placementName");
	const char *device_template = sk_json_text(device, "deviceTemplateName");

	return project && placement && device_template && !strcmp(project, p->project) && !strcmp(placement, p->placement) &&
	       !strcmp(device_template, p->device_template);
}

static int check_template(struct sk_call *c, const struct place *p, const cJSON *project, const cJSON *device)
{
	const cJSON *template = template_find(project, p->device_template);
	const char *wanted = sk_json_text(template, "deviceType"), *has = sk_json_text(device, "type");

	if (!template)
		return sk_fail(c, SK_E_NOT_FOUND, "Project %s has no device template %s", p->project, p->device_template);
	if (wanted && has && strcmp(wanted, has))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Device template %s is for devices of the type %s", p->device_template, wanted);
	return SK_OK;
}

/* A device is in one placement, and a placement has one device for a template. */
static int check_free(struct sk_call *c, const struct place *p, const cJSON *placement, const cJSON *device)
{
	const char *id = sk_json_text(c->in, "deviceId"), *there = sk_json_text(sk_json_get(placement, "devices"), p->device_template);
	const char *other = sk_json_text(device, "placementName");

	if (there && strcmp(there, id))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "Placement %s has device %s for %s already", p->placement, there, p->device_template);
	if (other && !is_at(device, p))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "Device %s is in placement %s of project %s", id, other, sk_json_text(device, "projectName"));
	return SK_OK;
}

static void store(struct sk_call *c, const struct place *p, cJSON *placement, cJSON *device)
{
	const char *id = sk_json_text(c->in, "deviceId");

	sk_json_set_string(c->arena, sk_json_get(placement, "devices"), p->device_template, id);
	sk_put(c, placement, "buttons/account/placement/%s/%s", p->project, p->placement);
	sk_json_set_string(c->arena, device, "projectName", p->project);
	sk_json_set_string(c->arena, device, "placementName", p->placement);
	sk_json_set_string(c->arena, device, "deviceTemplateName", p->device_template);
	sk_put(c, device, "buttons/account/device/%s", id);
	placement_mark(c, p->project, p->placement, p->device_template, true);
}

static int AssociateDeviceWithPlacement(struct sk_call *c)
{
	const struct place p = place_of(c);
	int rc, no_placement, no_device;
	const cJSON *project = project_wanted(c, &rc), *placement = placement_wanted(c, &no_placement), *device = device_wanted(c, &no_device);

	if (!rc)
		rc = no_placement ? no_placement : no_device;
	if (!rc)
		rc = check_template(c, &p, project, device);
	if (!rc)
		rc = check_free(c, &p, placement, device);
	if (!rc && !is_at(device, &p))
		store(c, &p, sk_json_copy(c->arena, placement), sk_json_copy(c->arena, device));
	return rc;
}

static int DisassociateDeviceFromPlacement(struct sk_call *c)
{
	const struct place p = place_of(c);
	int rc;
	const cJSON *placement = placement_wanted(c, &rc);
	const char *id = sk_json_text(sk_json_get(placement, "devices"), p.device_template);
	cJSON *device = id ? sk_json_copy(c->arena, sk_get(c, "buttons/account/device/%s", id)) : NULL;

	if (!rc && !id)
		rc = sk_fail(c, SK_E_NOT_FOUND, "Placement %s of project %s has no device for %s", p.placement, p.project, p.device_template);
	if (rc)
		return rc;
	placement_release(c, device);
	sk_put(c, device, "buttons/account/device/%s", id);
	return SK_OK;
}

static int GetDevicesInPlacement(struct sk_call *c)
{
	int rc;
	const cJSON *placement = placement_wanted(c, &rc);

	if (!rc)
		sk_json_set(c->arena, c->out, "devices", sk_json_copy(c->arena, sk_json_get(placement, "devices")));
	return rc;
}
