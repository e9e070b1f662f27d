/* secret.c -- fields of actions that hold a secret as it is, by what they are called. AWS's way is get_secret(), but nobody is made to go it. */
#include <string.h>

#include "core/sink.h"
#include "rules/internal.h"

/* Within a name, in lower or upper case: "sasl.password", "X-Api-Key", "accessToken". */
bool rules_is_secret_name(const char *name)
{
	static const char *const parts[] = { "password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "credential", "apikey", "api-key", "api_key" };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

static bool is_secret_text(const char *name, const char *text)
{
	return *text && ((name && rules_is_secret_name(name)) || sk_sink_without_password(NULL, text) != text);
}

/* {key, value}: the key is the name. */
bool rules_holds_secret(const cJSON *fields)
{
	const char *key = sk_json_text(fields, "key"), *value = sk_json_text(fields, "value");

	if (key && value && is_secret_text(key, value))
		return true;
	SK_JSON_EACH(one, fields)
		if (cJSON_IsString(one) ? is_secret_text(one->string, one->valuestring) : rules_holds_secret(one))
			return true;
	return false;
}

static void hide_text(struct sk_arena *a, const char *name, cJSON *text)
{
	if (!is_secret_text(name, text->valuestring) || strstr(text->valuestring, "get_secret"))
		return;
	text->valuestring = (char *)(name && rules_is_secret_name(name) ? "***" : sk_sink_without_password(a, text->valuestring));
}

static void hide(struct sk_arena *a, cJSON *node)
{
	const char *key = sk_json_text(node, "key");
	cJSON *value = sk_json_get(node, "value");

	if (key && cJSON_IsString(value))
		hide_text(a, key, value);
	for (cJSON *one = node ? node->child : NULL; one; one = one->next) {
		if (cJSON_IsString(one))
			hide_text(a, one->string, one);
		else
			hide(a, one);
	}
}

cJSON *rules_without_secrets(struct sk_arena *a, const cJSON *fields)
{
	cJSON *copy = sk_json_copy(a, fields);

	hide(a, copy);
	return copy;
}
