/* templates.c -- see templates.h. */
#include "plugins/button/templates.h"

#include <string.h>

#include "plugins/button/button.h"

const cJSON *template_find(const cJSON *project, const char *name)
{
	return sk_json_get(sk_json_get(sk_json_get(project, "placementTemplate"), "deviceTemplates"), name);
}

/* arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME, and perhaps :QUALIFIER */
bool function_arn_valid(const char *arn)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", digits[] = "0123456789";
	const char *part[8];
	size_t size[8];
	int n = 0;

	for (const char *at = arn; n < 8; at += size[n - 1] + 1) {
		part[n] = at;
		size[n] = strcspn(at, ":");
		if (!at[size[n++]])
			break;
	}
	if ((n != 7 && n != 8) || part[n - 1][size[n - 1]])
		return false;
	return !strncmp(arn, "arn:aws", 7) && size[2] == 6 && !memcmp(part[2], "lambda", 6) && size[3] && size[4] == 12 && strspn(part[4], digits) == 12 &&
	       size[5] == 8 && !memcmp(part[5], "function", 8) && size[6] && strspn(part[6], name) == size[6] &&
	       (n == 7 || (size[7] && (strspn(part[7], name) == size[7] || !strcmp(part[7], "$LATEST"))));
}

static int check_callbacks(struct sk_call *c, const char *name, const cJSON *callbacks)
{
	SK_JSON_EACH(one, callbacks) {
		if (strcmp(one->string, TEMPLATE_ON_CLICK))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Device template %s: there is no callback %.128s: %s is the only one", name, one->string, TEMPLATE_ON_CLICK);
		if (*one->valuestring && !function_arn_valid(one->valuestring))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Device template %s: %.200s is not the ARN of a Lambda function", name, one->valuestring);
	}
	return SK_OK;
}

int template_check(struct sk_call *c, const cJSON *given)
{
	int rc = SK_OK;

	SK_JSON_EACH(one, sk_json_get(given, "deviceTemplates")) {
		const char *type = sk_json_text(one, "deviceType");
		if (!rc && type && strcmp(type, BUTTON_TYPE))
			rc = sk_fail(c, SK_E_INVALID_REQUEST, "Device template %s: the device type must be " BUTTON_TYPE, one->string);
		if (!rc)
			rc = check_callbacks(c, one->string, sk_json_get(one, "callbackOverrides"));
	}
	return rc;
}

cJSON *texts_after(struct sk_arena *a, const cJSON *old, const cJSON *given)
{
	cJSON *after = old ? sk_json_copy(a, old) : sk_json_object(a);

	SK_JSON_EACH(one, given) {
		if (!cJSON_IsString(one))
			continue;
		if (*one->valuestring)
			sk_json_set_string(a, after, one->string, one->valuestring);
		else
			sk_json_remove(after, one->string);
	}
	return after;
}

static cJSON *device_template_after(struct sk_arena *a, const cJSON *old, const cJSON *given)
{
	const char *type = sk_json_text(given, "deviceType");
	cJSON *after = sk_json_object(a);

	sk_json_set_string(a, after, "deviceType", type ? type : sk_json_text(old, "deviceType"));
	sk_json_set(a, after, "callbackOverrides", texts_after(a, sk_json_get(old, "callbackOverrides"), sk_json_get(given, "callbackOverrides")));
	return after;
}

cJSON *template_after(struct sk_arena *a, const cJSON *old, const cJSON *given)
{
	const cJSON *before = sk_json_get(old, "deviceTemplates"), *named = sk_json_get(given, "deviceTemplates");
	cJSON *after = sk_json_object(a), *templates;

	sk_json_set(a, after, "defaultAttributes", texts_after(a, sk_json_get(old, "defaultAttributes"), sk_json_get(given, "defaultAttributes")));
	templates = sk_json_set_object(a, after, "deviceTemplates");
	SK_JSON_EACH(one, cJSON_IsObject(named) ? named : before)
		sk_json_set(a, templates, one->string, named ? device_template_after(a, sk_json_get(before, one->string), one) : sk_json_copy(a, one));
	return after;
}
