/* rules_look_test.c -- what statements ask of shadows and the registry is answered from records, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/look.h"

static struct sk_arena arena;

static int teardown(void **state)
{
	(void)state;
	sk_arena_free(&arena);
	return 0;
}

static const struct { const char *key, *text; } records[] = {
	{ "thing/lamp/shadow", "{\"state\":{\"desired\":{\"on\":true},\"reported\":{\"on\":false}},\"metadata\":{\"desired\":{\"on\":{\"timestamp\":5}},"
	                       "\"reported\":{\"on\":{\"timestamp\":5}}},\"version\":3}" },
	{ "thing/lamp/shadow/$night", "{\"state\":{\"reported\":{\"dim\":1}},\"metadata\":{\"reported\":{\"dim\":{\"timestamp\":5}}},\"version\":1}" },
	{ "thing/gone/shadow", "{\"version\":4,\"deletedAt\":5}" },
	{ "registry/thing/lamp", "{\"thingName\":\"lamp\",\"thingId\":\"i\",\"version\":2,\"thingTypeName\":\"bulb\",\"attributes\":{\"a\":\"b\"}}" },
	{ "registry/group/up", "{}" },
};

static const cJSON *record(void *context, const char *key, bool *later)
{
	(void)context;
	*later = *later || strstr(key, "slow") != NULL;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++)
		if (!strcmp(records[i].key, key))
			return sk_json_parse(&arena, records[i].text, strlen(records[i].text), NULL, NULL);
	return NULL;
}

static const cJSON *names(void *context, const char *prefix, int most, bool *later)
{
	static const char text[] = "[\"going\",\"up\"]";

	(void)context, (void)later;
	assert_int_equal(most, 25);
	return strcmp(prefix, "registry/thing-group/lamp/") ? sk_json_array(&arena) : sk_json_parse(&arena, text, sizeof(text) - 1, NULL, NULL);
}

static bool for_people;
static struct rules_world world = { .arena = &arena, .arn = "arn:aws:iot:r:1:", .now_ms = 9000, .record = record, .names = names };

/* The answer as text: "undefined", "later", or an error's sentence. `args` is an array, null is undefined. */
static const char *ask(const char *function, const char *args)
{
	struct sql_lookup what = { .function = function, .for_people = for_people };
	const cJSON *answer = NULL;
	const char *why = NULL;

	SK_JSON_EACH(arg, sk_json_parse(&arena, args, strlen(args), NULL, NULL))
		what.args[what.count++] = cJSON_IsNull(arg) ? NULL : arg;
	int rc = rules_look(&world, &what, &answer, &why);
	return rc < 0 ? why : rc == SQL_LATER ? "later" : answer ? sk_json_print(&arena, answer, NULL) : "undefined";
}

static void a_shadow_is_what_get_answers(void **state)
{
	(void)state;
	assert_string_equal(ask("get_thing_shadow", "[\"lamp\",\"role\"]"),
	                    "{\"state\":{\"desired\":{\"on\":true},\"reported\":{\"on\":false},\"delta\":{\"on\":true}},\"metadata\":{\"desired\":{\"on\":{\"timestamp\":5}},"
	                    "\"reported\":{\"on\":{\"timestamp\":5}}},\"version\":3,\"timestamp\":9}");
	assert_non_null(strstr(ask("get_thing_shadow", "[\"lamp\",\"$night\",\"role\"]"), "\"dim\":1"));
	static const char *const undefined[] = { "[\"none\",\"role\"]", "[\"gone\",\"role\"]", "[\"lamp\",\"other\",\"role\"]", "[null,\"role\"]", "[5,\"role\"]",
		"[\"lamp/shadow\",\"role\"]", "[\"\",\"role\"]", "[\"lamp\",\"a/b\",\"role\"]", "[\"lamp\",null,\"role\"]", "[\"la mp\",\"role\"]" };
	for (size_t i = 0; i < sizeof(undefined) / sizeof(*undefined); i++)
		assert_string_equal(ask("get_thing_shadow", undefined[i]), "undefined");
	assert_string_equal(ask("get_thing_shadow", "[\"slow\",\"role\"]"), "later");
}

static void the_registry_answers_as_its_operations_do(void **state)
{
	(void)state;
	assert_string_equal(ask("get_registry_data", "[\"DescribeThing\",\"lamp\",\"role\"]"),
	                    "{\"defaultClientId\":\"lamp\",\"thingName\":\"lamp\",\"thingArn\":\"arn:aws:iot:r:1:thing/lamp\",\"thingId\":\"i\",\"thingTypeName\":\"bulb\","
	                    "\"attributes\":{\"a\":\"b\"},\"version\":2}");
	assert_string_equal(ask("get_registry_data", "[\"ListThingGroupsForThing\",\"lamp\",\"role\"]"),
	                    "{\"thingGroups\":[{\"groupName\":\"up\",\"groupArn\":\"arn:aws:iot:r:1:thinggroup/up\"}]}");
	assert_string_equal(ask("get_registry_data", "[\"DescribeThing\",\"none\",\"role\"]"), "undefined");
	assert_string_equal(ask("get_registry_data", "[\"ListThingGroupsForThing\",\"none\",\"role\"]"), "undefined");
	assert_string_equal(ask("get_registry_data", "[\"DescribeThing\",\"slow\",\"role\"]"), "later");
	assert_string_equal(ask("get_registry_data", "[\"ListThingGroupsForThing\",\"slow\",\"role\"]"), "later");
	assert_string_equal(ask("get_registry_data", "[\"DescribeThing\",\"a/b\",\"role\"]"), "undefined");
	assert_non_null(strstr(ask("get_registry_data", "[\"DeleteThing\",\"lamp\",\"role\"]"), "DescribeThing or ListThingGroupsForThing"));
	assert_non_null(strstr(ask("get_registry_data", "[null,\"lamp\",\"role\"]"), "DescribeThing or ListThingGroupsForThing"));
}

static const char *secret(void *context, const char *name, const char *key)
{
	(void)context;
	if (!strcmp(name, "db"))
		return !key ? "{\"user\":\"me\",\"deep\":{\"n\":[1,\"x\"]}}" : !strcmp(key, "user") ? "me" : NULL;
	return !strcmp(name, "plain") && !key ? "c4n4ry" : NULL;
}

static const char *asked_for_people(const char *args)
{
	for_people = true;
	const char *answer = ask("get_secret", args);
	for_people = false;
	return answer;
}

static void a_secret_is_answered_and_not_shown(void **state)
{
	(void)state;
	world.secret = secret;
	assert_string_equal(ask("get_secret", "[\"plain\",\"SecretString\",\"arn:aws:iam::1:role/r\"]"), "\"c4n4ry\"");
	assert_string_equal(ask("get_secret", "[\"plain\",\"SecretBinary\",\"arn:aws:iam::1:role/r\"]"), "\"c4n4ry\"");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretString\",\"arn:aws:iam::1:role/r\"]"), "{\"user\":\"me\",\"deep\":{\"n\":[1,\"x\"]}}");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretString\",\"user\",\"arn:aws:iam::1:role/r\"]"), "\"me\"");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretString\",\"user\"]"), "\"me\"");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretString\",\"none\",\"role\"]"), "there is no secret db, none");
	assert_string_equal(ask("get_secret", "[\"plain\",\"SecretString\",\"k\",\"role\"]"), "there is no secret plain, k");
	assert_string_equal(ask("get_secret", "[\"none\",\"SecretString\",\"arn:aws:iam::1:role/r\"]"), "there is no secret none");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretBinary\",\"user\",\"role\"]"), "a SecretBinary has no keys");
	assert_string_equal(ask("get_secret", "[\"db\",\"Secret\",\"arn:aws:iam::1:role/r\"]"), "a secret is asked for as SecretString or SecretBinary");
	assert_string_equal(ask("get_secret", "[null,\"SecretString\",\"arn:\"]"), "undefined");
	assert_string_equal(ask("get_secret", "[\"db\",5,\"arn:\"]"), "undefined");
	assert_string_equal(ask("get_secret", "[\"db\",\"SecretString\",7,\"role\"]"), "undefined");
	assert_string_equal(asked_for_people("[\"plain\",\"SecretString\",\"arn:\"]"), "\"***\"");
	assert_string_equal(asked_for_people("[\"plain\",\"SecretBinary\",\"arn:\"]"), "\"***\"");
	assert_string_equal(asked_for_people("[\"db\",\"SecretString\",\"user\",\"arn:\"]"), "\"***\"");
	assert_string_equal(asked_for_people("[\"db\",\"SecretString\",\"arn:\"]"), "{\"user\":\"***\",\"deep\":{\"n\":\"***\"}}");
	assert_string_equal(asked_for_people("[\"none\",\"SecretString\",\"arn:\"]"), "there is no secret none");
	world.secret = NULL;
}

static int twice(void *context, const char *arn, const cJSON *input, const cJSON **answer, const char **why)
{
	(void)context, (void)why;
	*answer = sk_json_string(&arena, sk_printf(&arena, "%s of %s", arn, sk_json_print(&arena, input, NULL)));
	return SQL_ANSWERED;
}

static void what_nobody_does_is_said(void **state)
{
	(void)state;
	assert_string_equal(ask("aws_lambda", "[\"f\",1]"), "no plugin here runs functions (skeeter_functions)");
	assert_string_equal(ask("aws_lambda", "[null,1]"), "undefined");
	world.invoke = twice;
	assert_string_equal(ask("aws_lambda", "[\"f\",1]"), "\"f of 1\"");
	world.invoke = NULL;
	assert_string_equal(ask("get_secret", "[\"s\",\"SecretString\",\"arn:\"]"), "nothing here keeps secrets (plugin_opt_secrets)");
	assert_non_null(strstr(ask("get_dynamodb", "[\"t\"]"), "tables"));
	assert_non_null(strstr(ask("other", "[]"), "nothing here"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shadow_is_what_get_answers),
		cmocka_unit_test(the_registry_answers_as_its_operations_do),
		cmocka_unit_test(a_secret_is_answered_and_not_shown),
		cmocka_unit_test(what_nobody_does_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
