/* button_api_test.c -- devices, projects and placements through their own rows, on a fake runtime with forced misses. A press is what the click engine
 * writes: pressedAt in button/<id>/state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/button/button.h"
#include "plugins/button/devices.h"
#include "plugins/button/events.h"
#include "plugins/button/templates.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/button/button.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot1click:us-east-1:123456789012:"
#define FUNCTION "arn:aws:lambda:us-east-1:123456789012:function:"

static struct button_state state;

static int setup(void **at)
{
	struct fake *f = *at = fake_new();
	char why[200];

	state = (struct button_state){ .events = 16, .events_age = 60000, .waiting = 2 };
	assert_int_equal(tags_inputs_new(&state.projects_tags, shapes, why, sizeof(why)), 0);
	f->state = &state;
	fake_add_shapes(f, shapes);
	return 0;
}

static int teardown(void **at)
{
	tags_inputs_free(&state.projects_tags);
	fake_free((struct fake **)at);
	return 0;
}

static const struct sk_op_group *const groups[] = { &button_devices_group, &button_claims_group, &button_claim_codes_group, &button_methods_group,
	                                            &button_events_group, &button_projects_group, &button_placements_group,
	                                            &button_placement_devices_group, &button_tags_group };

static int call(struct fake *f, const char *op, const char *input)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		for (const struct sk_op *o = groups[i]->op; o->name; o++)
			if (!strcmp(o->name, op))
				return fake_op(f, groups[i], op, input);
	fail_msg("no operation %s", op);
	return 0;
}

#define OK(op, input) assert_int_equal(call(f, op, input), SK_OK)
#define REFUSED(op, input, code) assert_int_equal(call(f, op, input), code)

static const struct sk_on on[] = { { BUTTON_SEEN, button_on_seen, "buttons/account" }, { BUTTON_EVENTS_AGED, button_on_events_aged, "button/{deviceId}" }, { 0 } };

static void claim(struct fake *f, const char *id)
{
	char input[200];

	snprintf(input, sizeof(input), "{'claimCode':'C-1234567890-%s','deviceIds':['%s']}", id, id);
	OK("CreateClaimCode", input);
	snprintf(input, sizeof(input), "{'claimCode':'C-1234567890-%s'}", id);
	OK("ClaimDevicesByClaimCode", input);
}

/* -- claims -- */

static void a_code_claims_the_devices_that_it_names(void **at)
{
	struct fake *f = *at;

	REFUSED("ClaimDevicesByClaimCode", "{'claimCode':'C-123EXAMPLE'}", SK_E_FORBIDDEN);
	REFUSED("ClaimDevicesByClaimCode", "{'claimCode':'D-123EXAMPLE'}", SK_E_INVALID_REQUEST);
	OK("CreateClaimCode", "{'claimCode':'C-123EXAMPLE','deviceIds':['a','b','c']}");
	REFUSED("CreateClaimCode", "{'claimCode':'C-123EXAMPLE','deviceIds':['d']}", SK_E_RESOURCE_CONFLICT);
	REFUSED("DescribeDevice", "{'deviceId':'a'}", SK_E_NOT_FOUND);
	OK("ListUnclaimedDevices", "{}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "devices")), 3);
	OK("ClaimDevicesByClaimCode", "{'claimCode':'C-123EXAMPLE'}");
	assert_true(fake_is(f, f->out, "{'claimCode':'C-123EXAMPLE','total':3}"));
	OK("ListUnclaimedDevices", "{}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "devices")), 0);
	assert_string_equal(fake_get(f, "buttons/account/waiting-count"), "{\"count\":0}");
	OK("DescribeDevice", "{'deviceId':'a'}");
	assert_true(fake_is(f, f->out, "{'deviceDescription':{'arn':'" ARN "devices/a','attributes':{},'deviceId':'a','enabled':false,'remainingLife':100,"
	                    "'type':'button','tags':{}}}"));
	OK("UpdateDeviceState", "{'deviceId':'a','enabled':true}");
	OK("ClaimDevicesByClaimCode", "{'claimCode':'C-123EXAMPLE'}");
	OK("DescribeDevice", "{'deviceId':'a'}");
	assert_true(sk_json_true(sk_json_get(f->out, "deviceDescription"), "enabled"));
	OK("UpdateDeviceState", "{'deviceId':'a'}");
	OK("DescribeDevice", "{'deviceId':'a'}");
	assert_true(sk_json_true(sk_json_get(f->out, "deviceDescription"), "enabled"));
	REFUSED("UpdateDeviceState", "{'deviceId':'z','enabled':true}", SK_E_NOT_FOUND);
}

static void codes_are_made_listed_and_deleted(void **at)
{
	struct fake *f = *at;

	OK("CreateClaimCode", "{'deviceIds':['a']}");
	const char *code = sk_json_text(f->out, "claimCode");
	assert_int_equal(strlen(code), 15);
	assert_int_equal(strncmp(code, "C-", 2), 0);
	OK("CreateClaimCode", "{'claimCode':'C-123EXAMPLE','deviceIds':['a','b']}");
	OK("ListClaimCodes", "{'maxResults':1}");
	assert_true(fake_is(f, f->out, "{'claimCodes':[{'claimCode':'C-123EXAMPLE','deviceIds':['a','b'],'createdAt':1700000000.123}],'...':1}"));
	assert_non_null(sk_json_text(f->out, "nextToken"));
	OK("DeleteClaimCode", "{'claimCode':'C-123EXAMPLE'}");
	REFUSED("DeleteClaimCode", "{'claimCode':'C-123EXAMPLE'}", SK_E_NOT_FOUND);
	REFUSED("ClaimDevicesByClaimCode", "{'claimCode':'C-123EXAMPLE'}", SK_E_FORBIDDEN);
	REFUSED("CreateClaimCode", "{'deviceIds':[]}", SK_E_INVALID_REQUEST);
	REFUSED("CreateClaimCode", "{'deviceIds':['a/b']}", SK_E_INVALID_REQUEST);
}

static void a_single_claim_wants_a_press_between_its_two_steps(void **at)
{
	struct fake *f = *at;

	REFUSED("InitiateDeviceClaim", "{'deviceId':'a'}", SK_E_NOT_FOUND);
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a'}", SK_E_NOT_FOUND);
	assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'a'}"), SK_OK);
	fake_put(f, "button/a/state", "{'pressedAt':1700000000122}");
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a'}", SK_E_PRECONDITION_FAILED);
	OK("InitiateDeviceClaim", "{'deviceId':'a'}");
	assert_true(fake_is(f, f->out, "{'state':'CLAIM_INITIATED'}"));
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a'}", SK_E_PRECONDITION_FAILED);
	REFUSED("InvokeDeviceMethod", "{'deviceId':'a','deviceMethod':{'methodName':'getOnClickCallback'}}", SK_E_PRECONDITION_FAILED);
	fake_put(f, "button/a/state", "{'pressedAt':1700000000123,'remainingLife':99.5}");
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a','tags':{'aws:x':'y'}}", SK_E_INVALID_REQUEST);
	OK("FinalizeDeviceClaim", "{'deviceId':'a','tags':{'Driver Phone':'1'}}");
	assert_true(fake_is(f, f->out, "{'state':'CLAIMED'}"));
	OK("ListDevices", "{'deviceType':'button'}");
	assert_true(fake_is(f, f->out, "{'devices':[{'arn':'" ARN "devices/a','attributes':{},'deviceId':'a','enabled':false,'remainingLife':99.5,"
	                    "'type':'button','tags':{'Driver Phone':'1'}}]}"));
	OK("ListDevices", "{'deviceType':'lamp'}");
	assert_true(fake_is(f, f->out, "{'devices':[]}"));
	REFUSED("InitiateDeviceClaim", "{'deviceId':'a'}", SK_E_RESOURCE_CONFLICT);
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a'}", SK_E_RESOURCE_CONFLICT);
}

static void an_unclaimed_device_has_lost_all_but_its_name(void **at)
{
	struct fake *f = *at;

	claim(f, "a");
	OK("CreateProject", "{'projectName':'P','placementTemplate':{'deviceTemplates':{'t':{'deviceType':'button'}}}}");
	OK("CreatePlacement", "{'projectName':'P','placementName':'L'}");
	OK("AssociateDeviceWithPlacement", "{'projectName':'P','placementName':'L','deviceTemplateName':'t','deviceId':'a'}");
	OK("TagResource", "{'resourceArn':'" ARN "devices/a','tags':{'k':'v'}}");
	OK("UnclaimDevice", "{'deviceId':'a'}");
	assert_true(fake_is(f, f->out, "{'state':'UNCLAIMED'}"));
	REFUSED("UnclaimDevice", "{'deviceId':'a'}", SK_E_NOT_FOUND);
	OK("GetDevicesInPlacement", "{'projectName':'P','placementName':'L'}");
	assert_true(fake_is(f, f->out, "{'devices':{}}"));
	assert_int_equal(fake_count(f, "buttons/account/in/"), 0);
	OK("InitiateDeviceClaim", "{'deviceId':'a'}");
	OK("UnclaimDevice", "{'deviceId':'a'}");
	REFUSED("FinalizeDeviceClaim", "{'deviceId':'a'}", SK_E_PRECONDITION_FAILED);
	OK("ClaimDevicesByClaimCode", "{'claimCode':'C-1234567890-a'}");
	OK("ListTagsForResource", "{'resourceArn':'" ARN "devices/a'}");
	assert_true(fake_is(f, f->out, "{'tags':{}}"));
}

static int seen(struct sk_call *c)
{
	button_seen(c, sk_json_text(c->in, "deviceId"));
	return SK_OK;
}

static void pressed_devices_wait_until_there_are_too_many(void **at)
{
	struct fake *f = *at;

	assert_int_equal(fake_handler(f, seen, "button/a", "{'deviceId':'a'}"), SK_OK);
	assert_string_equal(fake_effect(f, FAKE_EMIT, 0)->name, BUTTON_SEEN);
	assert_true(fake_text_is(f, fake_effect(f, FAKE_EMIT, 0)->text, "{'deviceId':'a'}"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'a'}"), SK_OK);
	assert_string_equal(fake_get(f, "buttons/account/waiting-count"), "{\"count\":1}");
	assert_int_equal(fake_handler(f, seen, "button/a", "{'deviceId':'a'}"), SK_OK);
	assert_int_equal(fake_effect_count(f), 0);
	assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'a/b'}"), SK_OK);
	assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'b'}"), SK_OK);
	assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'c'}"), SK_OK);
	assert_int_equal(fake_count(f, "buttons/account/waiting/"), 2);
	claim(f, "d");
	assert_int_equal(fake_event(f, on, BUTTON_SEEN, "{'deviceId':'d'}"), SK_OK);
	assert_int_equal(fake_count(f, "buttons/account/waiting/"), 2);
}

static void names_of_devices_stand_in_keys_and_topics(void **at)
{
	(void)at;
	assert_true(button_id_valid("G030PM0123456789"));
	assert_true(button_id_valid("0x00158d0001:a_b.c-d"));
	assert_false(button_id_valid(""));
	assert_false(button_id_valid("a/b"));
	assert_false(button_id_valid("a+"));
	assert_false(button_id_valid("123456789012345678901234567890123"));
}

/* -- methods -- */

#define INVOKE(name, more) "{'deviceId':'a','deviceMethod':{'methodName':'" name "'}" more "}"
/* Parameters are JSON in a text, so here the quotes are real. */
#define PARAMETERS(json) "{\"deviceId\":\"a\",\"deviceMethod\":{\"deviceType\":\"button\",\"methodName\":\"set%s\"},\"deviceMethodParameters\":\"" json "\"}"

static int set(struct fake *f, const char *method, const char *format)
{
	char input[600];

	snprintf(input, sizeof(input), format, method);
	return call(f, "InvokeDeviceMethod", input);
}

static void expect(struct fake *f, const char *method, const char *json)
{
	char input[200];

	snprintf(input, sizeof(input), INVOKE("%s", ""), method);
	OK("InvokeDeviceMethod", input);
	assert_true(fake_text_is(f, sk_json_text(f->out, "deviceMethodResponse"), json));
}

static void a_device_has_five_methods(void **at)
{
	struct fake *f = *at;

	REFUSED("GetDeviceMethods", "{'deviceId':'a'}", SK_E_NOT_FOUND);
	REFUSED("InvokeDeviceMethod", INVOKE("getOnClickCallback", ""), SK_E_NOT_FOUND);
	claim(f, "a");
	OK("GetDeviceMethods", "{'deviceId':'a'}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "deviceMethods")), 5);
	SK_JSON_EACH(one, sk_json_get(f->out, "deviceMethods"))
		assert_non_null(sk_json_text(one, "methodName"));
	expect(f, "getDeviceHealthParameters", "{'remainingLife':100}");
	fake_put(f, "button/a/state", "{'remainingLife':99.85}");
	expect(f, "getDeviceHealthParameters", "{'remainingLife':99.85}");
	REFUSED("InvokeDeviceMethod", INVOKE("getDeviceHealthParameters", ",'deviceMethodParameters':''"), SK_E_INVALID_REQUEST);
	REFUSED("InvokeDeviceMethod", INVOKE("explode", ""), SK_E_INVALID_REQUEST);
	REFUSED("InvokeDeviceMethod", "{'deviceId':'a'}", SK_E_INVALID_REQUEST);
	REFUSED("InvokeDeviceMethod", "{'deviceId':'a','deviceMethod':{'deviceType':'lamp','methodName':'getOnClickCallback'}}", SK_E_INVALID_REQUEST);
}

static void callbacks_are_set_told_and_taken_away(void **at)
{
	struct fake *f = *at;

	claim(f, "a");
	expect(f, "getOnClickCallback", "{}");
	assert_int_equal(set(f, "OnClickCallback", PARAMETERS("{\\\"deviceId\\\":\\\"a\\\",\\\"callback\\\":{\\\"awsLambdaArn\\\":\\\"" FUNCTION "x\\\"}}")), SK_OK);
	expect(f, "getOnClickCallback", "{'callback':{'awsLambdaArn':'" FUNCTION "x'}}");
	expect(f, "getDeviceHealthMonitorCallback", "{}");
	assert_int_equal(set(f, "DeviceHealthMonitorCallback", PARAMETERS("{\\\"callback\\\":{\\\"awsLambdaArn\\\":\\\"" FUNCTION "y\\\"},"
	                                                                "\\\"condition\\\":{\\\"remainingLifeLowerThan\\\":7.5}}")), SK_OK);
	expect(f, "getDeviceHealthMonitorCallback", "{'callback':{'awsLambdaArn':'" FUNCTION "y'},'condition':{'remainingLifeLowerThan':7.5}}");
	assert_int_equal(set(f, "OnClickCallback", PARAMETERS("{\\\"callback\\\":null}")), SK_OK);
	expect(f, "getOnClickCallback", "{}");
	expect(f, "getDeviceHealthMonitorCallback", "{'callback':{'awsLambdaArn':'" FUNCTION "y'},'condition':{'remainingLifeLowerThan':7.5}}");
	assert_int_equal(set(f, "DeviceHealthMonitorCallback", PARAMETERS("{\\\"callback\\\":null}")), SK_OK);
	expect(f, "getDeviceHealthMonitorCallback", "{}");
}

static void bad_parameters_are_refused(void **at)
{
	static const char *const bad[] = {
		PARAMETERS(""), PARAMETERS("{"), PARAMETERS("[]"), PARAMETERS("{}"), PARAMETERS("{\\\"callback\\\":{}}"), PARAMETERS("{\\\"callback\\\":7}"),
		PARAMETERS("{\\\"callback\\\":{\\\"awsLambdaArn\\\":\\\"arn:aws:sqs:us-east-1:123456789012:x\\\"}}"),
		PARAMETERS("{\\\"deviceId\\\":\\\"b\\\",\\\"callback\\\":null}"),
		PARAMETERS("{\\\"deviceId\\\":7,\\\"callback\\\":null}"),
	};
	struct fake *f = *at;

	claim(f, "a");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(set(f, "OnClickCallback", bad[i]), SK_E_INVALID_REQUEST);
		assert_int_equal(set(f, "DeviceHealthMonitorCallback", bad[i]), SK_E_INVALID_REQUEST);
	}
	REFUSED("InvokeDeviceMethod", INVOKE("setOnClickCallback", ""), SK_E_INVALID_REQUEST);
	assert_int_equal(set(f, "DeviceHealthMonitorCallback", PARAMETERS("{\\\"callback\\\":null,\\\"condition\\\":{}}")), SK_E_INVALID_REQUEST);
	assert_int_equal(set(f, "DeviceHealthMonitorCallback", PARAMETERS("{\\\"callback\\\":null,\\\"condition\\\":{\\\"remainingLifeLowerThan\\\":101}}")),
	                 SK_E_RANGE_NOT_SATISFIABLE);
}

static void functions_are_named_by_arns(void **at)
{
	(void)at;
	assert_true(function_arn_valid(FUNCTION "x"));
	assert_true(function_arn_valid(FUNCTION "x:PROD"));
	assert_true(function_arn_valid(FUNCTION "x:$LATEST"));
	assert_true(function_arn_valid("arn:aws-cn:lambda:cn-north-1:123456789012:function:a_b-c"));
	assert_false(function_arn_valid(""));
	assert_false(function_arn_valid("x"));
	assert_false(function_arn_valid(FUNCTION));
	assert_false(function_arn_valid(FUNCTION "x:"));
	assert_false(function_arn_valid(FUNCTION "x:y:z"));
	assert_false(function_arn_valid(FUNCTION "x y"));
	assert_false(function_arn_valid("arn:aws:lambda:us-east-1:12345678901:function:x"));
	assert_false(function_arn_valid("arn:aws:lambda::123456789012:function:x"));
	assert_false(function_arn_valid("arn:aws:lambda:us-east-1:123456789012:layer:x"));
	assert_false(function_arn_valid("arn:aws:sns:us-east-1:123456789012:function:x"));
}

/* -- events -- */

static int add_event(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "deviceId");
	const cJSON *device = sk_get(c, "buttons/account/device/%s", id), *old = sk_get(c, "button/%s/state", id);
	cJSON *after = old ? sk_json_copy(c->arena, old) : sk_json_object(c->arena);

	button_event_add(c, after, id, device, sk_json_get(c->in, "std"));
	sk_put(c, after, "button/%s/state", id);
	return SK_OK;
}

static void press(struct fake *f, int n)
{
	char input[100];

	snprintf(input, sizeof(input), "{'deviceId':'a','std':{'n':%d}}", n);
	assert_int_equal(fake_handler(f, add_event, "button/a", input), SK_OK);
}

#define LIST(from, to, more) "{'deviceId':'a','fromTimeStamp':" from ",'toTimeStamp':" to more "}"

static int first_listed(const struct fake *f)
{
	const char *std = sk_json_text(sk_json_get(f->out, "events")->child, "stdEvent");

	return atoi(std + 5); /* {"n": */
}

static void events_are_listed_by_time_in_pages(void **at)
{
	struct fake *f = *at;
	char input[300];

	claim(f, "a");
	f->now_ms = 1700000001000;
	for (int i = 0; i < 10; i++, f->now_ms += i % 2 ? 0 : 1000)
		press(f, i);
	OK("ListDeviceEvents", LIST("1700000000", "1700000100", ""));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 10);
	assert_true(fake_is(f, sk_json_get(f->out, "events")->child, "{'device':{'attributes':{},'deviceId':'a','type':'button'},'...':1}"));
	assert_string_equal(sk_json_text(sk_json_get(f->out, "events")->child, "stdEvent"), "{\"n\":0}");
	OK("ListDeviceEvents", LIST("1700000002", "1700000003", ""));
	int within = sk_json_count(sk_json_get(f->out, "events"));
	assert_true(within > 0 && within < 10);
	OK("ListDeviceEvents", LIST("1700000000", "1700000100", ",'maxResults':4"));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 4);
	snprintf(input, sizeof(input), LIST("1700000000", "1700000100", ",'maxResults':6,'nextToken':'%s'"), sk_json_text(f->out, "nextToken"));
	OK("ListDeviceEvents", input);
	assert_int_equal(first_listed(f), 4);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 6);
	assert_null(sk_json_get(f->out, "nextToken"));
	OK("ListDeviceEvents", LIST("1700000100", "1700000100", ""));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 0);
	REFUSED("ListDeviceEvents", LIST("1700000100", "1700000099.9", ""), SK_E_RANGE_NOT_SATISFIABLE);
	REFUSED("ListDeviceEvents", LIST("1700000000", "1700000100", ",'nextToken':'zz'"), SK_E_INVALID_REQUEST);
	REFUSED("ListDeviceEvents", "{'deviceId':'b','fromTimeStamp':1,'toTimeStamp':2}", SK_E_NOT_FOUND);
}

static void events_are_bounded_in_number(void **at)
{
	struct fake *f = *at;

	claim(f, "a");
	for (int i = 0; i < 100; i++, f->now_ms++) {
		press(f, i);
		size_t kept = fake_count(f, "button/a/event/");
		assert_true(kept <= 16 && (i < 16 || kept >= 13));
	}
	state.events = 8;
	press(f, 100);
	assert_true(fake_count(f, "button/a/event/") <= 8);
	OK("ListDeviceEvents", LIST("1700000000", "1700000100", ""));
	assert_int_equal(first_listed(f) + sk_json_count(sk_json_get(f->out, "events")), 101);
}

static void events_are_bounded_in_age(void **at)
{
	struct fake *f = *at;

	claim(f, "a");
	press(f, 0);
	const struct fake_effect *timer = fake_effect(f, FAKE_TIMER_SET, 0);
	assert_string_equal(timer->also, BUTTON_EVENTS_AGED);
	assert_int_equal(timer->due_ms, f->now_ms + 60000);
	f->now_ms += 1000;
	press(f, 1);
	assert_null(fake_effect(f, FAKE_TIMER_SET, 0));
	f->now_ms += 59000;
	OK("ListDeviceEvents", LIST("1600000000", "1800000000", ""));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 2);
	f->now_ms++;
	OK("ListDeviceEvents", LIST("1600000000", "1800000000", ""));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 1);
	assert_int_equal(fake_event(f, on, BUTTON_EVENTS_AGED, "{'timer':'events','deviceId':'a'}"), SK_OK);
	assert_int_equal(fake_effect(f, FAKE_TIMER_SET, 0)->due_ms, f->now_ms + 999);
	assert_int_equal(fake_count(f, "button/a/event/"), 1);
	f->now_ms += 999;
	assert_int_equal(fake_event(f, on, BUTTON_EVENTS_AGED, "{'timer':'events','deviceId':'a'}"), SK_OK);
	assert_null(fake_effect(f, FAKE_TIMER_SET, 0));
	assert_int_equal(fake_count(f, "button/a/event/"), 0);
	press(f, 2);
	assert_non_null(fake_effect(f, FAKE_TIMER_SET, 0));
	assert_true(fake_text_is(f, fake_get(f, "button/a/state"), "{'events':1,'eventNumber':3}"));
}

static void events_of_before_the_claim_are_not_shown(void **at)
{
	struct fake *f = *at;

	claim(f, "a");
	press(f, 0);
	OK("UnclaimDevice", "{'deviceId':'a'}");
	f->now_ms += 10;
	OK("ClaimDevicesByClaimCode", "{'claimCode':'C-1234567890-a'}");
	OK("ListDeviceEvents", LIST("1600000000", "1800000000", ""));
	assert_int_equal(sk_json_count(sk_json_get(f->out, "events")), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_code_claims_the_devices_that_it_names),
		TEST(codes_are_made_listed_and_deleted),
		TEST(a_single_claim_wants_a_press_between_its_two_steps),
		TEST(an_unclaimed_device_has_lost_all_but_its_name),
		TEST(pressed_devices_wait_until_there_are_too_many),
		TEST(names_of_devices_stand_in_keys_and_topics),
		TEST(a_device_has_five_methods),
		TEST(callbacks_are_set_told_and_taken_away),
		TEST(bad_parameters_are_refused),
		TEST(functions_are_named_by_arns),
		TEST(events_are_listed_by_time_in_pages),
		TEST(events_are_bounded_in_number),
		TEST(events_are_bounded_in_age),
		TEST(events_of_before_the_claim_are_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
