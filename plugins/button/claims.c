/* claims.c -- how a device becomes the account's: by a code that names it, or by its name and a press that shows who has it in his hand. */
#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/devices.h"
#include "plugins/button/records.h"

#define OPS_FILE "plugins/button/claims.ops"
#define OPS_GROUP button_claims
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

static int answer_state(struct sk_call *c, const char *state)
{
	sk_json_set_string(c->arena, c->out, "state", state);
	return SK_OK;
}

/* Devices that are claimed already stay as they are. */
static int ClaimDevicesByClaimCode(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "claimCode");
	const cJSON *code = sk_get(c, "buttons/account/code/%s", name), *ids = sk_json_get(code, "deviceIds");

	if (!code)
		return sk_fail(c, SK_E_FORBIDDEN, "The claim code %s is not valid", name);
	SK_JSON_EACH(id, ids) {
		const cJSON *waiting = sk_get(c, "buttons/account/waiting/%s", id->valuestring);
		if (!sk_get(c, "buttons/account/device/%s", id->valuestring))
			device_claim(c, id->valuestring, waiting, NULL);
	}
	sk_json_set_string(c->arena, c->out, "claimCode", name);
	sk_json_set_int(c->arena, c->out, "total", sk_json_count(ids));
	return SK_OK;
}

/* What waits under the input's name. NULL with an error in *rc: it is claimed already, or not known. */
static const cJSON *claimable(struct sk_call *c, int *rc)
{
	const char *id = sk_json_text(c->in, "deviceId");
	const cJSON *device = sk_get(c, "buttons/account/device/%s", id), *waiting = sk_get(c, "buttons/account/waiting/%s", id);

	*rc = SK_OK;
	if (device)
		*rc = sk_fail(c, SK_E_RESOURCE_CONFLICT, "Device %s is claimed already", id);
	else if (!waiting)
		*rc = sk_fail(c, SK_E_NOT_FOUND, "Device %s is not known: press it once, or name it in a claim code", id);
	return waiting;
}

/* A claim that was initiated before begins anew. */
static int InitiateDeviceClaim(struct sk_call *c)
{
	int rc;
	const cJSON *old = claimable(c, &rc);
	cJSON *waiting = sk_json_object(c->arena);

	if (rc)
		return rc;
	sk_json_set_int(c->arena, waiting, "initiatedAt", c->now_ms);
	waiting_put(c, sk_json_text(c->in, "deviceId"), old, waiting);
	return answer_state(c, "CLAIM_INITIATED");
}

/* "Claiming a device consists of initiating a claim, then publishing a device event, and finalizing the claim." */
static int FinalizeDeviceClaim(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "deviceId");
	const cJSON *tags = sk_json_get(c->in, "tags"), *state = sk_get(c, "button/%s/state", id);
	int rc;
	const cJSON *waiting = claimable(c, &rc);
	int64_t initiated = sk_json_int_of(waiting, "initiatedAt", 0);

	if (!rc)
		rc = button_tags_check(c, tags);
	if (!rc && !initiated)
		rc = sk_fail(c, SK_E_PRECONDITION_FAILED, "No claim of device %s was initiated", id);
	else if (!rc && sk_json_int_of(state, "pressedAt", 0) < initiated)
		rc = sk_fail(c, SK_E_PRECONDITION_FAILED, "Device %s has not been pressed since its claim was initiated", id);
	if (rc)
		return rc;
	device_claim(c, id, waiting, tags);
	return answer_state(c, "CLAIMED");
}

/* Its tags, its callbacks and its place go; a claim that was only initiated is withdrawn. */
static int UnclaimDevice(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "deviceId");
	cJSON *device = sk_json_copy(c->arena, sk_get(c, "buttons/account/device/%s", id));
	const cJSON *waiting = sk_get(c, "buttons/account/waiting/%s", id);

	if (!device && !sk_json_get(waiting, "initiatedAt"))
		return sk_fail(c, SK_E_NOT_FOUND, "Device %s is not claimed", id);
	if (device) {
		placement_release(c, device);
		sk_remove(c, "buttons/account/device/%s", id);
	}
	waiting_put(c, id, waiting, sk_json_object(c->arena));
	return answer_state(c, "UNCLAIMED");
}

/* -- devices that were pressed and are not known -- */

void button_seen(struct sk_call *c, const char *id)
{
	cJSON *event;

	if (sk_get(c, "buttons/account/waiting/%s", id))
		return;
	event = sk_json_object(c->arena);
	sk_json_set_string(c->arena, event, "deviceId", id);
	sk_emit(c, BUTTON_SEEN, event);
}

/* Who may publish in a button's name may invent names: there is an end to them. */
int button_on_seen(struct sk_call *c)
{
	const struct button_state *s = c->state;
	const char *id = sk_json_text(c->in, "deviceId");
	const cJSON *count = sk_get(c, "buttons/account/waiting-count");

	if (!id || !button_id_valid(id) || sk_get(c, "buttons/account/device/%s", id) || sk_get(c, "buttons/account/waiting/%s", id))
		return SK_OK;
	if (sk_json_int_of(count, "count", 0) < s->waiting)
		waiting_put(c, id, NULL, sk_json_object(c->arena));
	return SK_OK;
}
