/* look.c -- see look.h. A name that comes out of a message goes into a key only when it has the form of a name. */
#include "rules/look.h"

#include <string.h>

#include "shadow/shadow.h"

enum { THING_MOST = 128, SHADOW_MOST = 64, GROUPS_MOST = 25 };

/* The letters of names: AWS's patterns of ThingName and ShadowName. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-"

/* NULL: it is no text that can be a name. Nothing has such a name, so that what is asked is undefined. */
static const char *name_of(const cJSON *arg, size_t most, const char *letters)
{
	const char *name = cJSON_IsString(arg) ? arg->valuestring : NULL;
	size_t n = name ? strlen(name) : 0;

	return n && n <= most && strspn(name, letters) == n ? name : NULL;
}

static const cJSON *record_of(const struct rules_world *w, const char *key, bool *later)
{
	return key ? w->record(w->context, key, later) : NULL;
}

/* get_thing_shadow(thing [, shadow], role) */
static int look_shadow(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	const char *thing = name_of(what->args[0], THING_MOST, NAME_LETTERS);
	const char *shadow = what->count > 2 ? name_of(what->args[1], SHADOW_MOST, "$" NAME_LETTERS) : "";
	const struct shadow_call engine = { .arena = w->arena, .limits = shadow_limits_default, .now_ms = w->now_ms, .name = thing };
	struct shadow_result result = { 0 };
	bool later = false;
	const cJSON *stored;

	(void)why;
	if (!thing || !shadow)
		return SQL_ANSWERED;
	stored = record_of(w, sk_printf(w->arena, "thing/%s/shadow%s%s", thing, *shadow ? "/" : "", shadow), &later);
	if (stored && shadow_get(&engine, stored, NULL, &result) == SK_OK)
		*answer = result.accepted;
	return later ? SQL_LATER : SQL_ANSWERED;
}

static int describe_thing(const struct rules_world *w, const char *name, const cJSON **answer)
{
	static const char *const copied[] = { "thingId", "thingTypeName", "billingGroupName" };
	struct sk_arena *a = w->arena;
	bool later = false;
	const cJSON *thing = record_of(w, sk_printf(a, "registry/thing/%s", name), &later);
	cJSON *out;

	if (!thing)
		return later ? SQL_LATER : SQL_ANSWERED;
	out = sk_json_object(a);
	sk_json_set_string(a, out, "defaultClientId", name);
	sk_json_set_string(a, out, "thingName", name);
	sk_json_set_string(a, out, "thingArn", sk_printf(a, "%sthing/%s", w->arn, name));
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		sk_json_set_string(a, out, copied[i], sk_json_text(thing, copied[i]));
	sk_json_set(a, out, "attributes", sk_json_copy(a, sk_json_get(thing, "attributes")));
	sk_json_set_int(a, out, "version", sk_json_int_of(thing, "version", 1));
	*answer = out;
	return SQL_ANSWERED;
}

/* A membership of a group without a record counts nowhere: the group is being deleted. */
static int list_groups(const struct rules_world *w, const char *name, const cJSON **answer)
{
	struct sk_arena *a = w->arena;
	bool later = false;
	const cJSON *thing = record_of(w, sk_printf(a, "registry/thing/%s", name), &later);
	const char *prefix = sk_printf(a, "registry/thing-group/%s/", name);
	const cJSON *names = prefix ? w->names(w->context, prefix, GROUPS_MOST, &later) : NULL;
	cJSON *out = sk_json_object(a), *groups = sk_json_set_array(a, out, "thingGroups");

	SK_JSON_EACH(group, names) {
		if (!record_of(w, sk_printf(a, "registry/group/%s", group->valuestring), &later))
			continue;
		cJSON *one = sk_json_append(groups, sk_json_object(a));
		sk_json_set_string(a, one, "groupName", group->valuestring);
		sk_json_set_string(a, one, "groupArn", sk_printf(a, "%sthinggroup/%s", w->arn, group->valuestring));
	}
	*answer = thing ? out : NULL;
	return later ? SQL_LATER : SQL_ANSWERED;
}

/* get_registry_data(operation, thing, role) */
static int look_registry(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	static const struct { const char *operation; int (*look)(const struct rules_world *, const char *, const cJSON **); } rows[] = {
		{ "DescribeThing", describe_thing }, { "ListThingGroupsForThing", list_groups },
	};
	const char *thing = name_of(what->args[1], THING_MOST, NAME_LETTERS);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (cJSON_IsString(what->args[0]) && !strcmp(what->args[0]->valuestring, rows[i].operation))
			return thing ? rows[i].look(w, thing, answer) : SQL_ANSWERED;
	*why = "it asks DescribeThing or ListThingGroupsForThing, nothing else";
	return SK_E_INVALID_REQUEST;
}

/* aws_lambda(function, input) */
static int look_function(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	if (!cJSON_IsString(what->args[0]))
		return SQL_ANSWERED;
	if (w->invoke)
		return w->invoke(w->context, what->args[0]->valuestring, what->args[1], answer, why);
	*why = "no plugin here runs functions (skeeter_functions)";
	return SK_E_UNAVAILABLE;
}

/* -- secrets -- */

static void hide(struct sk_arena *a, cJSON *node)
{
	cJSON *next;

	for (cJSON *one = node->child; one; one = next) {
		next = one->next;
		if (cJSON_IsObject(one))
			hide(a, one);
		else
			sk_json_set_string(a, node, one->string, "***");
	}
}

/* A secret that is a JSON object is one; what is shown has its members, not their values. */
static const cJSON *secret_node(struct sk_arena *a, const char *text, bool whole, bool hidden)
{
	cJSON *object = whole ? sk_json_parse(a, text, strlen(text), NULL, NULL) : NULL;

	if (!cJSON_IsObject(object))
		return sk_json_string(a, hidden ? "***" : text);
	if (hidden)
		hide(a, object);
	return object;
}

/* "If you specify a value for the key parameter, this function fails": for SecretBinary, which is base64, and for what is no JSON object. */
static const char *secret_fault(const struct rules_world *w, const char *type, const char *key)
{
	if (strcmp(type, "SecretString") && strcmp(type, "SecretBinary"))
		return "a secret is asked for as SecretString or SecretBinary";
	if (key && !strcmp(type, "SecretBinary"))
		return "a SecretBinary has no keys";
	return w->secret ? NULL : "nothing here keeps secrets (plugin_opt_secrets)";
}

/* get_secret(name, type [, key], role); a third argument that is no ARN is a key. */
static int look_secret(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	const cJSON *third = what->args[2];
	bool keyed = what->count > 3 || (cJSON_IsString(third) && strncmp(third->valuestring, "arn:", 4));
	const char *key = keyed && cJSON_IsString(third) ? third->valuestring : NULL, *name, *text;

	if (!cJSON_IsString(what->args[0]) || !cJSON_IsString(what->args[1]) || (keyed && !key))
		return SQL_ANSWERED;
	name = what->args[0]->valuestring;
	*why = secret_fault(w, what->args[1]->valuestring, key);
	if (*why)
		return SK_E_INVALID_REQUEST;
	text = w->secret(w->context, name, key);
	*answer = text ? secret_node(w->arena, text, !key && !strcmp(what->args[1]->valuestring, "SecretString"), what->for_people) : NULL;
	if (!text)
		*why = sk_printf(w->arena, "there is no secret %.128s%s%.128s", name, key ? ", " : "", key ? key : "");
	return text ? SQL_ANSWERED : SK_E_NOT_FOUND;
}

static int look_table(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	(void)w, (void)what, (void)answer;
	*why = "nothing here keeps tables";
	return SK_E_UNAVAILABLE;
}

int rules_look(void *world, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	static const struct { const char *function; int (*look)(const struct rules_world *, const struct sql_lookup *, const cJSON **, const char **); } rows[] = {
		{ "get_thing_shadow", look_shadow }, { "get_registry_data", look_registry }, { "aws_lambda", look_function },
		{ "get_secret", look_secret },       { "get_dynamodb", look_table },
	};

	*answer = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].function, what->function))
			return rows[i].look(world, what, answer, why);
	*why = "nothing here can answer it";
	return SK_E_UNAVAILABLE;
}
