/* methods.c -- what a device can be asked to do: tell its health, and remember what is to be called.
 *
 * Parameters and answers are JSON in a text: {"deviceId", "callback": {"awsLambdaArn"}}, for health with "condition": {"remainingLifeLowerThan"}. */
#include <string.h>

#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/records.h"
#include "plugins/button/templates.h"

#define OPS_FILE "plugins/button/methods.ops"
#define OPS_GROUP button_methods
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

/* The threshold of who names none. */
enum { LIFE_LOW = 10 };

struct asked {
	const char *id;
	cJSON *device;           /* a copy */
	const cJSON *parameters; /* NULL: none were given */
	cJSON *answer;
};

static int refuse_parameters(struct sk_call *c, const char *why)
{
	return sk_fail(c, SK_E_INVALID_REQUEST, "A request parameter was invalid: %s", why);
}

/* -- the methods -- */

static int get_health(struct sk_call *c, struct asked *m)
{
	sk_json_set_number(c->arena, m->answer, "remainingLife", button_remaining_life(sk_get(c, "button/%s/state", m->id)));
	return SK_OK;
}

static void show_callback(struct sk_call *c, struct asked *m, const cJSON *callback)
{
	if (callback)
		sk_json_set_string(c->arena, sk_json_set_object(c->arena, m->answer, "callback"), "awsLambdaArn", sk_json_text(callback, "awsLambdaArn"));
}

static int get_on_click(struct sk_call *c, struct asked *m)
{
	show_callback(c, m, sk_json_get(m->device, "onClick"));
	return SK_OK;
}

static int get_monitor(struct sk_call *c, struct asked *m)
{
	const cJSON *health = sk_json_get(m->device, "health");

	show_callback(c, m, health);
	if (health)
		sk_json_set(c->arena, sk_json_set_object(c->arena, m->answer, "condition"), "remainingLifeLowerThan",
		            sk_json_copy(c->arena, sk_json_get(health, "remainingLifeLowerThan")));
	return SK_OK;
}

/* The callback that the parameters give goes into the device's `member`, or the member goes: "callback": null. What was set, or NULL. */
static int set_callback(struct sk_call *c, struct asked *m, const char *member, cJSON **set)
{
	const cJSON *callback = sk_json_get(m->parameters, "callback");
	const char *arn = sk_json_text(callback, "awsLambdaArn"), *id = sk_json_text(m->parameters, "deviceId");

	*set = NULL;
	if (sk_json_get(m->parameters, "deviceId") && (!id || strcmp(id, m->id)))
		return refuse_parameters(c, "deviceId is another device");
	if (!callback || (!cJSON_IsNull(callback) && (!arn || !function_arn_valid(arn))))
		return refuse_parameters(c, "callback must be {\"awsLambdaArn\": the ARN of a function}, or null");
	sk_json_remove(m->device, member);
	if (arn) {
		*set = sk_json_set_object(c->arena, m->device, member);
		sk_json_set_string(c->arena, *set, "awsLambdaArn", arn);
	}
	sk_put(c, m->device, "buttons/account/device/%s", m->id);
	return SK_OK;
}

static int set_on_click(struct sk_call *c, struct asked *m)
{
	cJSON *set;

	return set_callback(c, m, "onClick", &set);
}

static int set_monitor(struct sk_call *c, struct asked *m)
{
	const cJSON *condition = sk_json_get(m->parameters, "condition"), *low = sk_json_get(condition, "remainingLifeLowerThan");
	cJSON *set;
	int rc;

	if (condition && !cJSON_IsNumber(low))
		return refuse_parameters(c, "condition must be {\"remainingLifeLowerThan\": a number}");
	if (low && (low->valuedouble < 0 || low->valuedouble > 100))
		return sk_fail(c, SK_E_RANGE_NOT_SATISFIABLE, "remainingLifeLowerThan must be from 0 to 100");
	rc = set_callback(c, m, "health", &set);
	if (rc || !set)
		return rc;
	sk_json_set_number(c->arena, set, "remainingLifeLowerThan", low ? low->valuedouble : LIFE_LOW);
	sk_put(c, m->device, "buttons/account/device/%s", m->id);
	return SK_OK;
}

/* -- which there are -- */

static const struct method {
	const char *type, *name;
	bool takes_parameters;
	int (*run)(struct sk_call *c, struct asked *m);
} methods[] = {
	{ "device", "getDeviceHealthParameters", false, get_health },
	{ "device", "setDeviceHealthMonitorCallback", true, set_monitor },
	{ "device", "getDeviceHealthMonitorCallback", false, get_monitor },
	{ BUTTON_TYPE, "setOnClickCallback", true, set_on_click },
	{ BUTTON_TYPE, "getOnClickCallback", false, get_on_click },
	{ 0 }
};

static int GetDeviceMethods(struct sk_call *c)
{
	cJSON *list = sk_json_set_array(c->arena, c->out, "deviceMethods");
	int rc;

	device_wanted(c, &rc);
	for (const struct method *m = methods; !rc && m->name; m++) {
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "deviceType", m->type);
		sk_json_set_string(c->arena, one, "methodName", m->name);
	}
	return rc;
}

/* A button is a device too: both types are right for what every device can do. */
static const struct method *method_of(const cJSON *given)
{
	const char *name = sk_json_text(given, "methodName"), *type = sk_json_text(given, "deviceType");

	for (const struct method *m = methods; m->name; m++)
		if (name && !strcmp(m->name, name))
			return !type || !strcmp(type, m->type) || !strcmp(type, BUTTON_TYPE) ? m : NULL;
	return NULL;
}

/* "The get methods don't expect parameters": AWS refuses even an empty text. */
static int read_parameters(struct sk_call *c, const struct method *method, const cJSON **parameters)
{
	const char *text = sk_json_text(c->in, "deviceMethodParameters");

	*parameters = NULL;
	if (!method->takes_parameters)
		return text ? refuse_parameters(c, "this method takes none") : SK_OK;
	*parameters = text ? sk_json_parse(c->arena, text, strlen(text), NULL, NULL) : NULL;
	return cJSON_IsObject(*parameters) ? SK_OK : refuse_parameters(c, "deviceMethodParameters must be a JSON object");
}

static int InvokeDeviceMethod(struct sk_call *c)
{
	struct asked m = { .id = sk_json_text(c->in, "deviceId"), .answer = sk_json_object(c->arena) };
	const struct method *method = method_of(sk_json_get(c->in, "deviceMethod"));
	const cJSON *waiting = sk_get(c, "buttons/account/waiting/%s", m.id);
	int rc;

	m.device = sk_json_copy(c->arena, device_wanted(c, &rc));
	if (rc && waiting)
		return sk_fail(c, SK_E_PRECONDITION_FAILED, "Device %s is not claimed yet", m.id);
	if (!rc && !method)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "deviceMethod is none of those that GetDeviceMethods lists");
	if (!rc)
		rc = read_parameters(c, method, &m.parameters);
	if (!rc)
		rc = method->run(c, &m);
	if (!rc)
		sk_json_set_string(c->arena, c->out, "deviceMethodResponse", sk_json_print(c->arena, m.answer, NULL));
	return rc;
}
