/* attribute.c -- JSON as DynamoDB's types. Numbers keep their literal: DynamoDB has 38 digits, a double 17. */
#include "plugins/sink_aws/aws.h"

static cJSON *typed(struct sk_arena *a, const char *type, cJSON *value)
{
	cJSON *out = sk_json_object(a);

	sk_json_add(a, out, type, value);
	return out;
}

/* Depth is bounded by what sk_json_parse() lets in. */
static cJSON *list(struct sk_arena *a, const cJSON *value)
{
	cJSON *out = sk_json_array(a);

	SK_JSON_EACH(one, value)
		sk_json_append(out, aws_attribute(a, one));
	return out;
}

cJSON *aws_attributes(struct sk_arena *a, const cJSON *object)
{
	cJSON *out = sk_json_object(a);

	SK_JSON_EACH(one, object)
		sk_json_add(a, out, one->string, aws_attribute(a, one));
	return out;
}

cJSON *aws_attribute(struct sk_arena *a, const cJSON *value)
{
	if (cJSON_IsString(value))
		return typed(a, "S", sk_json_string(a, value->valuestring));
	if (cJSON_IsNumber(value))
		return typed(a, "N", sk_json_string(a, sk_json_print(a, value, NULL)));
	if (cJSON_IsBool(value))
		return typed(a, "BOOL", sk_json_bool(a, cJSON_IsTrue(value)));
	if (cJSON_IsArray(value))
		return typed(a, "L", list(a, value));
	if (cJSON_IsObject(value))
		return typed(a, "M", aws_attributes(a, value));
	return typed(a, "NULL", sk_json_bool(a, true));
}
