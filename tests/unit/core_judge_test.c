/* core_judge_test.c -- what an operation asks a policy for follows from its row and the plugins' resources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "core/judge.h"
#include "core/runtime.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"

static const struct sk_shape shapes[] = {
	{ .name = "GroupName", .kind = SK_SHAPE_STRING },
	{ .name = "PolicyName", .kind = SK_SHAPE_STRING }, { .name = "Target", .kind = SK_SHAPE_STRING }, { .name = "ShadowName", .kind = SK_SHAPE_STRING },
	{ .name = "CertificateId", .kind = SK_SHAPE_STRING },
	{ .name = "Groups", .kind = SK_SHAPE_LIST, .element = "GroupName" }, { 0 }
};
static const struct sk_resource resources[] = {
	{ "ThingName", "thing/" }, { "GroupName", "thinggroup/" }, { "PolicyName", "policy/" }, { "Target", "" }, { "ShadowName", "/" },
	{ "CertificateId", "^cert/" }, { 0 }
};
static const struct sk_plugin plugin = { .name = "p", .resources = resources };
static struct sk_runtime rt;
static struct sk_arena arena;

static int setup(void **at)
{
	char why[200];

	(void)at;
	rt = (struct sk_runtime){ .shapes = sk_shapes_new(), .loaded_count = 1 };
	rt.loaded[0].plugin = &plugin;
	return rt.shapes ? sk_shapes_add(rt.shapes, shapes, why, sizeof(why)) : -1;
}

static int teardown(void **at)
{
	(void)at;
	sk_shapes_free(&rt.shapes);
	sk_arena_free(&arena);
	return 0;
}

static const struct {
	enum sk_verb verb;
	const char *route, *inputs, *in, *resources;
} cases[] = {
	{ SK_POST, "/things/{thingName}", "groupName", "{\"thingName\":\"lamp\",\"groupName\":\"g\"}", "[\"" ARN "thing/lamp\"]" },
	{ SK_GET, "/things", "thingName", "{\"thingName\":\"lamp\"}", "[\"*\"]" },
	{ SK_PUT, "/add", "thingName groupName", "{\"thingName\":\"a\",\"groupName\":\"b\"}", "[\"" ARN "thing/a\",\"" ARN "thinggroup/b\"]" },
	{ SK_PUT, "/add", "thingName groupName", "{}", "[\"*\"]" },
	{ SK_PUT, "/update", "thingName groups:Groups", "{\"thingName\":\"a\",\"groups\":[\"b\",\"c\"]}",
	  "[\"" ARN "thing/a\",\"" ARN "thinggroup/b\",\"" ARN "thinggroup/c\"]" },
	{ SK_PUT, "/target-policies/{policyName}", "target!", "{\"policyName\":\"p\",\"target\":\"" ARN "cert/abc\"}", "[\"" ARN "cert/abc\"]" },
	{ SK_PUT, "/target-policies/{policyName}", "target!", "{\"policyName\":\"p\",\"target\":\"arn:aws-cn:iot:x:1:thinggroup/a:b\"}",
	  "[\"" ARN "thinggroup/a:b\"]" },
	{ SK_PUT, "/target-policies/{policyName}", "target!", "{\"policyName\":\"p\",\"target\":\"cognito\"}", "[\"" ARN "policy/p\"]" },
	{ SK_PUT, "/target-policies/{policyName}", "target!", "{\"policyName\":\"p\",\"target\":\"arn:aws:iot\"}", "[\"" ARN "policy/p\"]" },
	{ SK_GET, "/things/{thingName}/shadow", "shadowName", "{\"thingName\":\"lamp\",\"shadowName\":\"s\"}", "[\"" ARN "thing/lamp/s\"]" },
	{ SK_GET, "/things/{thingName}/shadow", "shadowName", "{\"thingName\":\"lamp\"}", "[\"" ARN "thing/lamp\"]" },
	{ SK_GET, "/things/{thingName}/shadow", "shadowName name:ShadowName", "{\"thingName\":\"lamp\",\"shadowName\":\"s\",\"name\":\"t\"}",
	  "[\"" ARN "thing/lamp/s\",\"" ARN "thing/lamp/t\"]" },
	{ SK_PUT, "/certificates/{certificateId}", "", "{\"certificateId\":\"ABCdef\"}", "[\"" ARN "cert/abcdef\"]" },
	{ SK_PUT, "/target-policies/{policyName}", "target!", "{\"policyName\":\"p\",\"target\":\"" ARN "cert/ABC\"}", "[\"" ARN "cert/abc\"]" },
	{ SK_POST, "/things/{thingName}", "", "{\"thingName\":\"Cert\"}", "[\"" ARN "thing/Cert\"]" },
	{ SK_GET, "/endpoint", "boolean", "{\"boolean\":true}", "[\"*\"]" },
	{ SK_POST, "/things/{thingName}", "", "{\"thingName\":5}", "[\"*\"]" },
};

static void resources_follow_from_the_row(void **at)
{
	(void)at;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[200] = "";
		const struct sk_op op = { .verb = cases[i].verb };
		struct sk_row row = { .op = &op, .name = "CreateThing", .service = "iot" };
		row.inputs = sk_inputs_new(rt.shapes, cases[i].route, cases[i].inputs, cases[i].verb != SK_GET, why, sizeof(why));
		if (!row.inputs)
			fail_msg("%zu: %s", i, why);
		const cJSON *in = sk_json_parse(&arena, cases[i].in, strlen(cases[i].in), NULL, NULL);
		const char *made = sk_json_print(&arena, sk_row_resources(&rt, &arena, &row, in, ARN), NULL);
		assert_string_equal(made, cases[i].resources);
		sk_inputs_free(&row.inputs);
	}
}

static void actions_have_the_prefix_of_iam(void **at)
{
	struct sk_row row = { .name = "GetThingShadow", .service = "iotdata" };

	(void)at;
	assert_string_equal(sk_row_action(&arena, &row), "iot:GetThingShadow");
	row = (struct sk_row){ .name = "CreateAsset", .service = "iotsitewise" };
	assert_string_equal(sk_row_action(&arena, &row), "iotsitewise:CreateAsset");
}

static int verdict_of(void *state, struct sk_judgement *j)
{
	(void)state;
	return !strcmp(j->action, "iot:CreateThing") ? SK_ALLOW : SK_DENY;
}

static void whoever_knows_policies_judges(void **at)
{
	static const struct sk_hooks hooks = { .judge = verdict_of };
	static const struct sk_plugin judge = { .name = "j", .hooks = &hooks };
	struct sk_judgement j = { .action = "iot:CreateThing", .policies = 0 };

	(void)at;
	assert_int_equal(sk_judge(&rt, &j), SK_PASS);
	rt.loaded[rt.loaded_count++].plugin = &judge;
	assert_int_equal(sk_judge(&rt, &j), SK_ALLOW);
	j.action = "iot:DeleteThing";
	assert_int_equal(sk_judge(&rt, &j), SK_DENY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(resources_follow_from_the_row, setup, teardown),
		cmocka_unit_test_setup_teardown(actions_have_the_prefix_of_iam, setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_knows_policies_judges, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
