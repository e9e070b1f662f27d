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

static int look_secret(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	(void)w, (void)what, (void)answer;
	*why = "no plugin here keeps secrets";
	return SK_E_UNAVAILABLE;
}

static int look_table(const struct rules_world *w, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	(void)w, (void)what, (void)answer;
	*why = "no plugin here keeps tables";
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
