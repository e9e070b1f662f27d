/* button_target_test.c -- from a pressed device to its placement, its attributes and its function; and what memory that runs out leaves of all operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/button/button.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/button/button.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

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

/* -- a press -- */

/* Nothing is put out before the run is whole, so that what a void run answers is not seen. */
static int tell(struct sk_call *c)
{
	struct button_target t;

	if (!button_target_of(c, sk_json_text(c->in, "deviceId"), &t)) {
		sk_json_set_bool(c->arena, c->out, "claimed", false);
		return SK_OK;
	}
	sk_json_set_string(c->arena, c->out, "function", t.function);
	sk_json_set(c->arena, c->out, "attributes", button_device_attributes(c, t.device));
	sk_json_set(c->arena, c->out, "placementInfo", button_placement_info(c, &t));
	return SK_OK;
}

#define TOLD(json) \
	do { \
		assert_int_equal(fake_handler(f, tell, "button/a", "{'deviceId':'a'}"), SK_OK); \
		assert_true(fake_is(f, f->out, json)); \
	} while (0)

static void a_device_that_is_not_claimed_has_nothing(void **at)
{
	struct fake *f = *at;

	TOLD("{'claimed':false}");
	fake_put(f, "buttons/account/waiting/a", "{'type':'button'}");
	TOLD("{'claimed':false}");
}

static void a_device_in_no_placement_calls_its_own_function(void **at)
{
	struct fake *f = *at;

	fake_put(f, "buttons/account/device/a", "{'type':'button'}");
	TOLD("{'attributes':{}}");
	fake_put(f, "buttons/account/device/a", "{'type':'button','onClick':{'awsLambdaArn':'" FUNCTION "own'}}");
	TOLD("{'function':'" FUNCTION "own','attributes':{}}");
}

#define PLACED "'projectName':'P','placementName':'L','deviceTemplateName':'t'"
#define ATTRIBUTES "'attributes':{'projectRegion':'us-east-1'," PLACED "}"
#define INFO(attributes) "'placementInfo':{'projectName':'P','placementName':'L','attributes':" attributes ",'devices':{'t':'a','u':'b'}}"

static void a_placement_overrides_attributes_and_its_template_the_function(void **at)
{
	struct fake *f = *at;

	fake_put(f, "buttons/account/device/a", "{'type':'button','onClick':{'awsLambdaArn':'" FUNCTION "own'}," PLACED "}");
	fake_put(f, "buttons/account/placement/P/L", "{'attributes':{'b':'3','c':'4'},'devices':{'t':'a','u':'b'}}");
	fake_put(f, "buttons/account/project/P", "{'placementTemplate':{'defaultAttributes':{'a':'1','b':'2'},'deviceTemplates':{'t':{'callbackOverrides':"
	                                         "{'onClickCallback':'" FUNCTION "theirs'}}}}}");
	TOLD("{'function':'" FUNCTION "theirs'," ATTRIBUTES "," INFO("{'a':'1','b':'3','c':'4'}") "}");
	fake_put(f, "buttons/account/project/P", "{'placementTemplate':{'defaultAttributes':{},'deviceTemplates':{'t':{'callbackOverrides':{}}}}}");
	TOLD("{'function':'" FUNCTION "own'," ATTRIBUTES "," INFO("{'b':'3','c':'4'}") "}");
}

static void remaining_life_is_what_was_reported(void **at)
{
	struct fake *f = *at;
	const char *const states[] = { "{}", "{'remainingLife':5.4}", "{'remainingLife':0}" };
	const double lives[] = { 100, 5.4, 0 };

	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		fake_put(f, "buttons/account/device/a", "{'type':'button'}");
		fake_put(f, "button/a/state", states[i]);
		assert_int_equal(fake_op(f, &button_devices_group, "DescribeDevice", "{'deviceId':'a'}"), SK_OK);
		assert_true(sk_json_get(sk_json_get(f->out, "deviceDescription"), "remainingLife")->valuedouble == lives[i]);
	}
}

/* -- memory -- */

static void memory_that_runs_out_is_an_error(void **at)
{
	static const struct {
		const struct sk_op_group *group;
		const char *op, *input;
	} calls[] = {
		{ &button_claim_codes_group, "CreateClaimCode", "{'claimCode':'C-1234567890','deviceIds':['a','b']}" },
		{ &button_claims_group, "ClaimDevicesByClaimCode", "{'claimCode':'C-1234567890'}" },
		{ &button_projects_group, "CreateProject", "{'projectName':'P','placementTemplate':{'defaultAttributes':{'x':'y'},'deviceTemplates':{'t':{}}},'tags':{'k':'v'}}" },
		{ &button_placements_group, "CreatePlacement", "{'projectName':'P','placementName':'L','attributes':{'x':'z'}}" },
		{ &button_placement_devices_group, "AssociateDeviceWithPlacement", "{'projectName':'P','placementName':'L','deviceTemplateName':'t','deviceId':'a'}" },
		{ &button_devices_group, "ListDevices", "{}" },
		{ &button_methods_group, "InvokeDeviceMethod", "{'deviceId':'a','deviceMethod':{'methodName':'getOnClickCallback'}}" },
		{ &button_events_group, "ListDeviceEvents", "{'deviceId':'a','fromTimeStamp':1,'toTimeStamp':2}" },
		{ &button_tags_group, "TagResource", "{'resourceArn':'arn:aws:iot1click:us-east-1:123456789012:projects/P','tags':{'k':'w'}}" },
		{ &button_claims_group, "UnclaimDevice", "{'deviceId':'a'}" },
	};
	struct fake *f = *at;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int rc = -1, refused = 0;
		for (f->memory_limit = 64; rc && f->memory_limit < 1000000; f->memory_limit += f->memory_limit / 4) {
			rc = fake_op(f, calls[i].group, calls[i].op, calls[i].input);
			assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
			refused += rc != SK_OK;
		}
		assert_int_equal(rc, SK_OK);
		assert_true(refused > 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_is_not_claimed_has_nothing),
		TEST(a_device_in_no_placement_calls_its_own_function),
		TEST(a_placement_overrides_attributes_and_its_template_the_function),
		TEST(remaining_life_is_what_was_reported),
		TEST(memory_that_runs_out_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
