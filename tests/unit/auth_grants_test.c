/* auth_grants_test.c -- policies judged by name for access keys: whole ARNs, any action, several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>
#include <pthread.h>

#include "core/plugin.h"
#include "plugins/auth/grants.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"

static struct grants *grants;

static int setup(void **at)
{
	(void)at;
	grants = grants_new();
	return grants ? 0 : -1;
}

static int teardown(void **at)
{
	(void)at;
	grants_free(&grants);
	return 0;
}

/* The text may be written with ' for ". */
static void set(const char *name, const char *statements)
{
	char json[2000], why[300] = "";
	struct policy *p;

	snprintf(json, sizeof(json), "{'Version':'2012-10-17','Statement':%s}", statements);
	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	p = policy_new_with(json, strlen(json), policy_any_action, why, sizeof(why));
	if (!p)
		fail_msg("%s: %s", json, why);
	assert_int_equal(grants_set(grants, name, p), 0);
	policy_free(&p);
}

static int may(const char *policies, const char *action, const char *resource)
{
	char copy[200];
	const char *name[20];
	cJSON one = { .type = cJSON_String, .valuestring = (char *)resource }, all = { .type = cJSON_Array, .child = &one };
	struct sk_judgement j = { .policy = name, .action = action, .resources = &all, .address = "10.0.0.7", .now_ms = 1700000000000 };

	snprintf(copy, sizeof(copy), "%s", policies);
	for (char *each = strtok(copy, " "); each; each = strtok(NULL, " "))
		name[j.policies++] = each;
	int verdict = grants_judge(grants, &j);
	assert_int_equal(j.denied == resource, verdict == SK_DENY);
	return verdict;
}

static void any_operation_is_allowed_by_its_name_and_whole_arn(void **at)
{
	(void)at;
	set("things", "{'Effect':'Allow','Action':['iot:CreateThing','iot:describe*'],'Resource':'" ARN "thing/a*'}");
	assert_int_equal(may("things", "iot:CreateThing", ARN "thing/abc"), SK_ALLOW);
	assert_int_equal(may("things", "iot:DescribeThing", ARN "thing/a"), SK_ALLOW);
	assert_int_equal(may("things", "iot:CreateThing", ARN "thing/b"), SK_DENY);
	assert_int_equal(may("things", "iot:CreateThings", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("things", "iot:DeleteThing", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("things", "iot:CreateThing", ARN "thinggroup/a"), SK_DENY);
	assert_int_equal(may("things", "iot:CreateThing", "*"), SK_DENY);
}

static void a_star_allows_what_is_about_no_resource(void **at)
{
	(void)at;
	set("list", "{'Effect':'Allow','Action':'iot:ListThings','Resource':'*'}");
	set("arns", "{'Effect':'Allow','Action':'iot:ListThings','Resource':'arn:aws:iot:*'}");
	assert_int_equal(may("list", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(may("arns", "iot:ListThings", "*"), SK_DENY);
}

static void a_denial_wins_wherever_it_stands(void **at)
{
	(void)at;
	set("all", "{'Effect':'Allow','Action':'*','Resource':'*'}");
	set("not", "[{'Effect':'Allow','Action':'iot:*','Resource':'*'},{'Effect':'Deny','Action':'IOT:deletething','Resource':'*'}]");
	assert_int_equal(may("all not", "iot:DeleteThing", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("not all", "iot:DeleteThing", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("not all", "iotsitewise:CreateAsset", "*"), SK_ALLOW);
	assert_int_equal(may("not", "iotsitewise:CreateAsset", "*"), SK_DENY);
}

static void all_resources_must_be_allowed(void **at)
{
	cJSON two = { .type = cJSON_String, .valuestring = ARN "thinggroup/vault" }, one = { .type = cJSON_String, .valuestring = ARN "thing/a", .next = &two };
	cJSON both = { .type = cJSON_Array, .child = &one };
	static const char *const name[] = { "hall" };
	struct sk_judgement j = { .policy = name, .policies = 1, .action = "iot:AddThingToThingGroup", .resources = &both };

	(void)at;
	set("hall", "{'Effect':'Allow','Action':'iot:Add*','Resource':['" ARN "thing/*','" ARN "thinggroup/hall']}");
	assert_int_equal(grants_judge(grants, &j), SK_DENY);
	assert_string_equal(j.denied, ARN "thinggroup/vault");
	two.valuestring = ARN "thinggroup/hall";
	assert_int_equal(grants_judge(grants, &j), SK_ALLOW);
	assert_null(j.denied);
}

static void what_is_left_out_is_understood(void **at)
{
	(void)at;
	set("but", "{'Effect':'Allow','NotAction':['iot:Delete*','iot:CreateThing'],'NotResource':'" ARN "thing/secret*'}");
	assert_int_equal(may("but", "iot:UpdateThing", ARN "thing/a"), SK_ALLOW);
	assert_int_equal(may("but", "iot:DeleteThing", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("but", "iot:CreateThing", ARN "thing/a"), SK_DENY);
	assert_int_equal(may("but", "iot:UpdateThing", ARN "thing/secret1"), SK_DENY);
}

static void conditions_and_variables_are_those_of_the_request(void **at)
{
	(void)at;
	set("net", "{'Effect':'Allow','Action':'iot:*','Resource':'*','Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/24'}}}");
	set("other", "{'Effect':'Allow','Action':'iot:*','Resource':'*','Condition':{'IpAddress':{'aws:SourceIp':'10.0.1.0/24'}}}");
	set("soon", "{'Effect':'Allow','Action':'iot:*','Resource':'*','Condition':{'DateGreaterThan':{'aws:CurrentTime':'2024-01-01T00:00:00Z'}}}");
	set("then", "{'Effect':'Allow','Action':'iot:*','Resource':'*','Condition':{'DateLessThan':{'aws:CurrentTime':'2024-01-01T00:00:00Z'}}}");
	set("mine", "{'Effect':'Allow','Action':'iot:*','Resource':'" ARN "thing/${iot:Connection.Thing.ThingName}'}");
	assert_int_equal(may("net", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(may("other", "iot:ListThings", "*"), SK_DENY);
	assert_int_equal(may("soon", "iot:ListThings", "*"), SK_DENY);
	assert_int_equal(may("then", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(may("mine", "iot:DescribeThing", ARN "thing/"), SK_DENY);
}

static void what_is_not_there_denies(void **at)
{
	(void)at;
	set("all", "{'Effect':'Allow','Action':'*','Resource':'*'}");
	assert_int_equal(may("", "iot:ListThings", "*"), SK_DENY);
	assert_int_equal(may("none", "iot:ListThings", "*"), SK_DENY);
	assert_int_equal(may("all none", "iot:ListThings", "*"), SK_DENY);
	assert_int_equal(may("all", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(grants_set(grants, "all", NULL), 0);
	assert_int_equal(grants_set(grants, "all", NULL), 0);
	assert_int_equal(may("all", "iot:ListThings", "*"), SK_DENY);
	set("all", "{'Effect':'Allow','Action':'*','Resource':'*'}");
	assert_int_equal(may("all", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(may("all all all all all all all all all all all all all all all all", "iot:ListThings", "*"), SK_ALLOW);
	assert_int_equal(may("all all all all all all all all all all all all all all all all all", "iot:ListThings", "*"), SK_DENY);
}

static void *ask(void *at)
{
	long *allowed = at;
	static const char *const name[] = { "all" };
	cJSON star = { .type = cJSON_String, .valuestring = "*" }, both = { .type = cJSON_Array, .child = &(cJSON){ .type = cJSON_String, .valuestring = "*",
		.next = &star } };
	struct sk_judgement j = { .policy = name, .policies = 1, .action = "iot:ListThings", .resources = &both };

	for (int i = 0; i < 3000; i++)
		*allowed += grants_judge(grants, &j) == SK_ALLOW;
	return NULL;
}

static void policies_change_while_others_ask(void **at)
{
	pthread_t thread[2];
	long allowed[2] = { 0 };

	(void)at;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask, &allowed[i]), 0);
	for (int i = 0; i < 1000; i++) {
		set("all", "{'Effect':'Allow','Action':'*','Resource':'*'}");
		if (i % 2)
			assert_int_equal(grants_set(grants, "all", NULL), 0);
	}
	set("all", "{'Effect':'Allow','Action':'*','Resource':'*'}");
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_true(allowed[0] <= 3000 && allowed[1] <= 3000);
	assert_int_equal(may("all", "iot:ListThings", "*"), SK_ALLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_operation_is_allowed_by_its_name_and_whole_arn, setup, teardown),
		cmocka_unit_test_setup_teardown(a_star_allows_what_is_about_no_resource, setup, teardown),
		cmocka_unit_test_setup_teardown(a_denial_wins_wherever_it_stands, setup, teardown),
		cmocka_unit_test_setup_teardown(all_resources_must_be_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_left_out_is_understood, setup, teardown),
		cmocka_unit_test_setup_teardown(conditions_and_variables_are_those_of_the_request, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_denies, setup, teardown),
		cmocka_unit_test_setup_teardown(policies_change_while_others_ask, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
