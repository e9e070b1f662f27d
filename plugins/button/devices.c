/* devices.c -- claimed devices: described, listed, enabled. */
#include "plugins/button/devices.h"

#include <string.h>

#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/pages.h"
#include "plugins/button/records.h"

#define OPS_FILE "plugins/button/devices.ops"
#define OPS_GROUP button_devices
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

static void describe(struct sk_call *c, cJSON *out, const char *id, const cJSON *device)
{
	sk_json_set_string(c->arena, out, "arn", sk_arn_of(c, "iot1click", "devices/%s", id));
	sk_json_set(c->arena, out, "attributes", button_device_attributes(c, device));
	sk_json_set_string(c->arena, out, "deviceId", id);
	sk_json_set_bool(c->arena, out, "enabled", sk_json_true(device, "enabled"));
	sk_json_set_number(c->arena, out, "remainingLife", button_remaining_life(sk_get(c, "button/%s/state", id)));
	sk_json_set_string(c->arena, out, "type", sk_json_text(device, "type"));
	button_tags_show(c, out, device);
}

static int DescribeDevice(struct sk_call *c)
{
	int rc;
	const cJSON *device = device_wanted(c, &rc);

	if (!rc)
		describe(c, sk_json_set_object(c->arena, c->out, "deviceDescription"), sk_json_text(c->in, "deviceId"), device);
	return rc;
}

/* The type thins a page out; there is but one, so a page is whole or empty. */
static int ListDevices(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "deviceType");
	int rc;
	struct sk_scan page = page_of(c, &rc, "buttons/account/device/");
	cJSON *list = sk_json_set_array(c->arena, c->out, "devices");

	for (size_t i = 0; i < page.count; i++) {
		const char *has = sk_json_text(page.row[i].document, "type");
		if (!type || (has && !strcmp(type, has)))
			describe(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
	}
	return rc;
}

/* What is not given stays as it is. */
static int UpdateDeviceState(struct sk_call *c)
{
	int rc;
	cJSON *device = sk_json_copy(c->arena, device_wanted(c, &rc));

	if (rc || !sk_json_get(c->in, "enabled"))
		return rc;
	sk_json_set_bool(c->arena, device, "enabled", sk_json_true(c->in, "enabled"));
	sk_put(c, device, "buttons/account/device/%s", sk_json_text(c->in, "deviceId"));
	return SK_OK;
}
