/* registry_groups_test.c -- thing groups, billing groups and the things in them, through their own rows, on a fake runtime with forced misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/registry/billing_groups.h"
#include "plugins/registry/group_members.h"
#include "plugins/registry/registry.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"

static struct registry_state state = { .account = "123456789012" };
static const struct sk_on on[] = {
	{ GROUP_MEMBERS_FORGET, group_members_on_forget, "registry" },
	{ BILLING_GROUP_FORGET, billing_groups_on_forget, "registry" },
	{ 0 }
};

static int setup(void **at)
{
	struct fake *f = *at = fake_new();

	f->state = &state;
	fake_add_shapes(f, shapes);
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static const struct sk_op_group *const groups[] = { &things_group, &thing_groups_group, &group_members_group, &billing_groups_group };

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
#define SAYS(text) assert_non_null(strstr(f->message, text))

static void thing(struct fake *f, const char *name)
{
	char input[200];

	snprintf(input, sizeof(input), "{'thingName':'%s'}", name);
	OK("CreateThing", input);
}

static void group(struct fake *f, const char *name, const char *parent)
{
	char input[300];

	snprintf(input, sizeof(input), parent ? "{'thingGroupName':'%s','parentGroupName':'%s'}" : "{'thingGroupName':'%s'}", name, parent);
	OK("CreateThingGroup", input);
}

static void join(struct fake *f, const char *name, const char *to)
{
	char input[300];

	snprintf(input, sizeof(input), "{'thingName':'%s','thingGroupName':'%s'}", name, to);
	OK("AddThingToThingGroup", input);
}

/* The names in the answer's list, separated by blanks. */
static const char *listed(struct fake *f, const char *op, const char *input, const char *list)
{
	static char names[4000];
	size_t used = 0;

	OK(op, input);
	*names = 0;
	SK_JSON_EACH(one, sk_json_get(f->out, list)) {
		const char *name = cJSON_IsString(one) ? one->valuestring : sk_json_text(one, "groupName");
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? " " : "", name);
	}
	return names;
}

static const char *groups_of(struct fake *f, const char *input)
{
	return listed(f, "ListThingGroups", input, "thingGroups");
}

static void a_group_is_created_and_described(void **at)
{
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'lights','thingGroupProperties':{'thingGroupDescription':'all of them',"
	                       "'attributePayload':{'attributes':{'a':'1','gone':''}}},'tags':[{'Key':'k'}]}");
	assert_true(fake_is(f, f->out, "{'thingGroupName':'lights','thingGroupArn':'" ARN "thinggroup/lights','...':1}"));
	assert_int_equal(strlen(sk_json_text(f->out, "thingGroupId")), 36);
	group(f, "red", "lights");
	OK("DescribeThingGroup", "{'thingGroupName':'lights'}");
	assert_true(fake_is(f, sk_json_get(f->out, "thingGroupProperties"),
	                    "{'thingGroupDescription':'all of them','attributePayload':{'attributes':{'a':'1'}}}"));
	assert_true(fake_is(f, sk_json_get(f->out, "thingGroupMetadata"), "{'creationDate':1700000000.123}"));
	assert_int_equal(sk_json_int_of(f->out, "version", 0), 1);
	OK("DescribeThingGroup", "{'thingGroupName':'red'}");
	assert_true(fake_is(f, sk_json_get(f->out, "thingGroupMetadata"),
	                    "{'creationDate':1700000000.123,'parentGroupName':'lights',"
	                    "'rootToParentThingGroups':[{'groupName':'lights','groupArn':'" ARN "thinggroup/lights'}]}"));
	assert_true(strstr(fake_get(f, "registry/group/red"), "\"parentGroupName\":\"lights\"") != NULL);
	assert_true(fake_text_is(f, fake_get(f, "registry/group-child/lights/red"), "{}"));
}

static void creating_the_same_group_again_answers_the_same(void **at)
{
	static const char words[] = "{'thingGroupName':'g','thingGroupProperties':{'thingGroupDescription':'d','attributePayload':{'attributes':{'a':'1'}}}}";
	struct fake *f = *at;

	OK("CreateThingGroup", words);
	char *id = strdup(sk_json_text(f->out, "thingGroupId"));
	OK("CreateThingGroup", words);
	assert_string_equal(sk_json_text(f->out, "thingGroupId"), id);
	REFUSED("CreateThingGroup", "{'thingGroupName':'g'}", SK_E_ALREADY_EXISTS);
	assert_true(fake_is(f, f->error_fields, "{'resourceArn':'" ARN "thinggroup/g','...':1}"));
	assert_string_equal(sk_json_text(f->error_fields, "resourceId"), id);
	REFUSED("CreateThingGroup", "{'thingGroupName':'g','parentGroupName':'g'}", SK_E_ALREADY_EXISTS);
	free(id);
}

static void a_tree_is_seven_deep(void **at)
{
	struct fake *f = *at;

	group(f, "g1", NULL);
	for (int i = 2; i <= 7; i++) {
		char name[8], parent[8];
		snprintf(name, sizeof(name), "g%d", i);
		snprintf(parent, sizeof(parent), "g%d", i - 1);
		group(f, name, parent);
	}
	REFUSED("CreateThingGroup", "{'thingGroupName':'g8','parentGroupName':'g7'}", SK_E_INVALID_REQUEST);
	SAYS("7 levels");
	REFUSED("CreateThingGroup", "{'thingGroupName':'x','parentGroupName':'ghost'}", SK_E_INVALID_REQUEST);
	SAYS("ghost");
	REFUSED("CreateThingGroup", "{'thingGroupName':'x','parentGroupName':'x'}", SK_E_INVALID_REQUEST);
	assert_int_equal(fake_count(f, "registry/group-descendant/g1/"), 6);
	assert_int_equal(fake_count(f, "registry/group/"), 7);
	OK("DescribeThingGroup", "{'thingGroupName':'g7'}");
	assert_int_equal(sk_json_count(sk_json_get(sk_json_get(f->out, "thingGroupMetadata"), "rootToParentThingGroups")), 6);
}

static void groups_are_listed_by_parent_prefix_and_depth(void **at)
{
	struct fake *f = *at;

	group(f, "a", NULL), group(f, "ab", "a"), group(f, "abc", "ab"), group(f, "ac", "a"), group(f, "b", NULL);
	assert_string_equal(groups_of(f, "{}"), "a ab abc ac b");
	assert_string_equal(groups_of(f, "{'recursive':true}"), "a ab abc ac b");
	assert_string_equal(groups_of(f, "{'recursive':false}"), "a b");
	assert_string_equal(groups_of(f, "{'parentGroup':'a'}"), "ab abc ac");
	assert_string_equal(groups_of(f, "{'parentGroup':'a','recursive':false}"), "ab ac");
	assert_string_equal(groups_of(f, "{'parentGroup':'b'}"), "");
	assert_string_equal(groups_of(f, "{'namePrefixFilter':'ab'}"), "ab abc");
	assert_string_equal(groups_of(f, "{'parentGroup':'a','namePrefixFilter':'abc'}"), "abc");
	assert_string_equal(groups_of(f, "{'recursive':false,'namePrefixFilter':'ab'}"), "");
	REFUSED("ListThingGroups", "{'parentGroup':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("ListThingGroups", "{'nextToken':'zz'}", SK_E_INVALID_REQUEST);
	assert_string_equal(groups_of(f, "{'maxResults':2,'namePrefixFilter':'a'}"), "a ab");
	char input[200];
	snprintf(input, sizeof(input), "{'namePrefixFilter':'a','nextToken':'%s'}", sk_json_text(f->out, "nextToken"));
	assert_string_equal(groups_of(f, input), "abc ac");
	assert_null(sk_json_get(f->out, "nextToken"));
}

static void an_update_merges_replaces_and_counts(void **at)
{
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'g','thingGroupProperties':{'thingGroupDescription':'d','attributePayload':{'attributes':{'a':'1','b':'2'}}}}");
	OK("UpdateThingGroup", "{'thingGroupName':'g','expectedVersion':1,'thingGroupProperties':{'attributePayload':{'attributes':{'a':'','c':'3'},'merge':true}}}");
	assert_true(fake_is(f, f->out, "{'version':2}"));
	OK("DescribeThingGroup", "{'thingGroupName':'g'}");
	assert_true(fake_is(f, sk_json_get(f->out, "thingGroupProperties"),
	                    "{'thingGroupDescription':'d','attributePayload':{'attributes':{'b':'2','c':'3'}}}"));
	OK("UpdateThingGroup", "{'thingGroupName':'g','thingGroupProperties':{'thingGroupDescription':'e','attributePayload':{'attributes':{'z':'9'}}}}");
	OK("DescribeThingGroup", "{'thingGroupName':'g'}");
	assert_true(fake_is(f, sk_json_get(f->out, "thingGroupProperties"),
	                    "{'thingGroupDescription':'e','attributePayload':{'attributes':{'z':'9'}}}"));
	REFUSED("UpdateThingGroup", "{'thingGroupName':'g','expectedVersion':1,'thingGroupProperties':{}}", SK_E_VERSION_CONFLICT);
	SAYS("The version for thing group g does not match");
	REFUSED("UpdateThingGroup", "{'thingGroupName':'ghost','thingGroupProperties':{}}", SK_E_NOT_FOUND);
	REFUSED("UpdateThingGroup", "{'thingGroupName':'g'}", SK_E_INVALID_REQUEST);
	REFUSED("DescribeThingGroup", "{'thingGroupName':'ghost'}", SK_E_NOT_FOUND);
}

static void a_group_has_fifty_attributes(void **at)
{
	struct fake *f = *at;
	char input[2000];

	for (int n = 51; n >= 50; n--) {
		size_t used = (size_t)snprintf(input, sizeof(input), "{'thingGroupName':'g','thingGroupProperties':{'attributePayload':{'attributes':{");
		for (int i = 0; i < n; i++)
			used += (size_t)snprintf(input + used, sizeof(input) - used, "%s'a%d':'v'", i ? "," : "", i);
		snprintf(input + used, sizeof(input) - used, "}}}}");
		REFUSED("CreateThingGroup", input, n == 50 ? SK_OK : SK_E_INVALID_REQUEST);
	}
	REFUSED("UpdateThingGroup", "{'thingGroupName':'g','thingGroupProperties':{'attributePayload':{'attributes':{'one':'more'},'merge':true}}}",
	        SK_E_INVALID_REQUEST);
	SAYS("50 attributes");
}

static void a_group_goes_after_its_children(void **at)
{
	struct fake *f = *at;

	group(f, "p", NULL), group(f, "c", "p"), thing(f, "lamp"), join(f, "lamp", "c");
	fake_put(f, "registry/attached-group/c/policy", "{}");
	fake_put(f, "registry/target-group/policy/c", "{}");
	REFUSED("DeleteThingGroup", "{'thingGroupName':'p'}", SK_E_INVALID_REQUEST);
	assert_string_equal(f->message, "Cannot delete thing group : p when there are still child groups attached to it.");
	REFUSED("DeleteThingGroup", "{'thingGroupName':'c','expectedVersion':2}", SK_E_VERSION_CONFLICT);
	OK("DeleteThingGroup", "{'thingGroupName':'c','expectedVersion':1}");
	OK("DeleteThingGroup", "{'thingGroupName':'p'}");
	OK("DeleteThingGroup", "{'thingGroupName':'p'}");
	OK("DeleteThing", "{'thingName':'lamp'}");
	assert_int_equal(fake_count(f, ""), 0);
}

static void a_membership_is_three_marks_and_is_listed(void **at)
{
	struct fake *f = *at;

	group(f, "p", NULL), group(f, "c", "p"), thing(f, "lamp"), thing(f, "fan");
	join(f, "lamp", "c"), join(f, "fan", "p"), join(f, "fan", "p");
	assert_true(fake_text_is(f, fake_get(f, "registry/group-thing/c/lamp"), "{}"));
	assert_true(fake_text_is(f, fake_get(f, "registry/thing-group/lamp/c"), "{}"));
	assert_string_equal(listed(f, "ListThingsInThingGroup", "{'thingGroupName':'p'}", "things"), "fan");
	assert_string_equal(listed(f, "ListThingsInThingGroup", "{'thingGroupName':'p','recursive':true}", "things"), "fan lamp");
	assert_string_equal(listed(f, "ListThingsInThingGroup", "{'thingGroupName':'c','recursive':true}", "things"), "lamp");
	assert_string_equal(listed(f, "ListThingsInThingGroup", "{'thingGroupName':'p','recursive':true,'maxResults':1}", "things"), "fan");
	assert_non_null(sk_json_text(f->out, "nextToken"));
	assert_string_equal(listed(f, "ListThingGroupsForThing", "{'thingName':'lamp'}", "thingGroups"), "c");
	REFUSED("ListThingsInThingGroup", "{'thingGroupName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("ListThingGroupsForThing", "{'thingName':'ghost'}", SK_E_NOT_FOUND);
	OK("RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'c'}");
	OK("RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'c'}");
	assert_int_equal(fake_count(f, "registry/group-tree-thing/"), 1);
	assert_null(fake_get(f, "registry/group-thing/c/lamp"));
}

static void a_pair_is_named_or_given_by_arn(void **at)
{
	static const char *const bad[] = {
		"{}", "{'thingName':'lamp'}", "{'thingGroupName':'g'}", "{'thingArn':'" ARN "thing/lamp','thingGroupArn':'" ARN "thing/g'}",
		"{'thingName':'lamp','thingGroupArn':'arn:aws:iot:us-east-1:999999999999:thinggroup/g'}",
		"{'thingName':'lamp','thingGroupArn':'" ARN "thinggroup/'}", "{'thingName':'lamp','thingGroupArn':'" ARN "thinggroup/g/x'}",
		"{'thingName':'fan','thingArn':'" ARN "thing/lamp','thingGroupName':'g'}",
	};
	struct fake *f = *at;

	group(f, "g", NULL), thing(f, "lamp");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		REFUSED("AddThingToThingGroup", bad[i], SK_E_INVALID_REQUEST);
		REFUSED("RemoveThingFromThingGroup", bad[i], SK_E_INVALID_REQUEST);
	}
	OK("AddThingToThingGroup", "{'thingArn':'" ARN "thing/lamp','thingGroupArn':'" ARN "thinggroup/g'}");
	OK("RemoveThingFromThingGroup", "{'thingName':'lamp','thingArn':'" ARN "thing/lamp','thingGroupArn':'" ARN "thinggroup/g'}");
	REFUSED("AddThingToThingGroup", "{'thingName':'ghost','thingGroupName':'g'}", SK_E_NOT_FOUND);
	REFUSED("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("RemoveThingFromThingGroup", "{'thingName':'ghost','thingGroupName':'g'}", SK_E_NOT_FOUND);
	REFUSED("RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'ghost'}", SK_E_NOT_FOUND);
	assert_int_equal(fake_count(f, "registry/group-thing/"), 0);
}

static void a_thing_is_in_one_group_of_a_tree_and_in_ten_at_most(void **at)
{
	struct fake *f = *at;
	char name[8];

	thing(f, "lamp"), group(f, "p", NULL), group(f, "c", "p"), group(f, "d", "p");
	join(f, "lamp", "c");
	REFUSED("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'d'}", SK_E_INVALID_REQUEST);
	SAYS("same hierarchy");
	REFUSED("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'p'}", SK_E_INVALID_REQUEST);
	for (int i = 1; i <= 10; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		group(f, name, NULL);
		if (i < 10)
			join(f, "lamp", name);
	}
	REFUSED("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'g10'}", SK_E_INVALID_REQUEST);
	SAYS("10 groups");
	OK("RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'g1'}");
	join(f, "lamp", "g10");
	assert_int_equal(fake_count(f, "registry/thing-group/lamp/"), 10);
	OK("DeleteThing", "{'thingName':'lamp'}");
	assert_int_equal(fake_count(f, "registry/thing-group/") + fake_count(f, "registry/group-thing/") + fake_count(f, "registry/group-tree-thing/"), 0);
}

static void groups_of_a_thing_change_together(void **at)
{
	struct fake *f = *at;

	thing(f, "lamp"), group(f, "p", NULL), group(f, "c", "p"), group(f, "d", "p"), group(f, "x", NULL);
	join(f, "lamp", "c");
	OK("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToRemove':['c'],'thingGroupsToAdd':['d','x']}");
	assert_string_equal(listed(f, "ListThingGroupsForThing", "{'thingName':'lamp'}", "thingGroups"), "d x");
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToRemove':['x'],'thingGroupsToAdd':['c']}", SK_E_INVALID_REQUEST);
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToRemove':['x'],'thingGroupsToAdd':['x']}", SK_E_INVALID_REQUEST);
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToAdd':['ghost']}", SK_E_NOT_FOUND);
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToRemove':['ghost']}", SK_E_NOT_FOUND);
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("UpdateThingGroupsForThing", "{}", SK_E_INVALID_REQUEST);
	REFUSED("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToAdd':['1','2','3','4','5','6','7','8','9','10','11']}",
	        SK_E_INVALID_REQUEST);
	assert_string_equal(listed(f, "ListThingGroupsForThing", "{'thingName':'lamp'}", "thingGroups"), "d x");
}

static void fill(struct fake *f, int n)
{
	char name[300];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "registry/thing/t%03d", i);
		fake_put(f, name, "{'thingName':'t','thingId':'00000000-0000-4000-8000-000000000000','billingGroupName':'b'}");
		snprintf(name, sizeof(name), "registry/billing-group-thing/b/t%03d", i);
		fake_put(f, name, "{}");
		snprintf(name, sizeof(name), "registry/thing-group/t%03d/c", i);
		fake_put(f, name, "{}");
		for (int k = 0; k < 3; k++) {
			static const char *const kinds[] = { "group-thing/c", "group-tree-thing/c", "group-tree-thing/p" };
			snprintf(name, sizeof(name), "registry/%s/t%03d", kinds[k], i);
			fake_put(f, name, "{}");
		}
	}
}

/* The event's input, for the event after it. */
static char *emitted(struct fake *f, const char *event)
{
	const struct fake_effect *e = fake_effect(f, FAKE_EMIT, 0);

	if (!e)
		return NULL;
	assert_string_equal(e->name, event);
	return strdup(e->text);
}

static void a_large_group_is_forgotten_by_events(void **at)
{
	struct fake *f = *at;

	group(f, "p", NULL), group(f, "c", "p");
	fill(f, 250);
	OK("DeleteThingGroup", "{'thingGroupName':'c'}");
	char *input = emitted(f, GROUP_MEMBERS_FORGET);
	assert_non_null(input);
	assert_int_equal(fake_count(f, "registry/group-thing/c/"), 150);
	REFUSED("CreateThingGroup", "{'thingGroupName':'c'}", SK_E_INVALID_REQUEST);
	SAYS("still being deleted");
	assert_string_equal(listed(f, "ListThingGroupsForThing", "{'thingName':'t249'}", "thingGroups"), "");
	OK("DeleteThing", "{'thingName':'t249'}");
	char *first = strdup(input);
	for (int i = 0; input; i++) {
		assert_true(i < 3);
		assert_int_equal(fake_event(f, on, GROUP_MEMBERS_FORGET, input), SK_OK);
		free(input);
		input = emitted(f, GROUP_MEMBERS_FORGET);
	}
	assert_int_equal(fake_count(f, "registry/group-t") + fake_count(f, "registry/thing-group/"), 0);
	group(f, "c", NULL), thing(f, "lamp"), join(f, "lamp", "c");
	assert_int_equal(fake_event(f, on, GROUP_MEMBERS_FORGET, first), SK_OK); /* again, after a crash */
	assert_int_equal(fake_count(f, "registry/group-thing/c/"), 1);
	free(first);
}

static void a_billing_group_has_things(void **at)
{
	struct fake *f = *at;

	OK("CreateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{'billingGroupDescription':'hall'}}");
	assert_true(fake_is(f, f->out, "{'billingGroupName':'b','billingGroupArn':'" ARN "billinggroup/b','...':1}"));
	OK("CreateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{'billingGroupDescription':'hall'}}");
	REFUSED("CreateBillingGroup", "{'billingGroupName':'b'}", SK_E_ALREADY_EXISTS);
	OK("CreateBillingGroup", "{'billingGroupName':'bb'}");
	OK("CreateThing", "{'thingName':'lamp','billingGroupName':'b'}");
	thing(f, "fan");
	OK("AddThingToBillingGroup", "{'thingName':'fan','billingGroupArn':'" ARN "billinggroup/b'}");
	assert_string_equal(listed(f, "ListThingsInBillingGroup", "{'billingGroupName':'b'}", "things"), "fan lamp");
	OK("AddThingToBillingGroup", "{'thingName':'fan','billingGroupName':'bb'}");
	OK("DescribeThing", "{'thingName':'fan'}");
	assert_string_equal(sk_json_text(f->out, "billingGroupName"), "bb");
	assert_string_equal(listed(f, "ListThingsInBillingGroup", "{'billingGroupName':'b'}", "things"), "lamp");
	OK("RemoveThingFromBillingGroup", "{'thingName':'fan','billingGroupName':'b'}");
	assert_string_equal(listed(f, "ListThingsInBillingGroup", "{'billingGroupName':'bb'}", "things"), "fan");
	OK("RemoveThingFromBillingGroup", "{'thingName':'fan','billingGroupName':'bb'}");
	OK("DescribeThing", "{'thingName':'fan'}");
	assert_null(sk_json_get(f->out, "billingGroupName"));
	assert_string_equal(listed(f, "ListBillingGroups", "{}", "billingGroups"), "b bb");
	assert_string_equal(listed(f, "ListBillingGroups", "{'namePrefixFilter':'bb'}", "billingGroups"), "bb");
	OK("DeleteThing", "{'thingName':'lamp'}");
	assert_int_equal(fake_count(f, "registry/billing-group-thing/"), 0);
}

static void a_billing_group_is_updated_and_deleted_under_its_version(void **at)
{
	struct fake *f = *at;

	OK("CreateBillingGroup", "{'billingGroupName':'b'}");
	OK("UpdateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{'billingGroupDescription':'x'},'expectedVersion':1}");
	assert_true(fake_is(f, f->out, "{'version':2}"));
	OK("DescribeBillingGroup", "{'billingGroupName':'b'}");
	assert_true(fake_is(f, f->out, "{'billingGroupName':'b','billingGroupArn':'" ARN "billinggroup/b','version':2,"
	                               "'billingGroupProperties':{'billingGroupDescription':'x'},'billingGroupMetadata':{'creationDate':1700000000.123},'...':1}"));
	REFUSED("UpdateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{},'expectedVersion':1}", SK_E_VERSION_CONFLICT);
	REFUSED("DeleteBillingGroup", "{'billingGroupName':'b','expectedVersion':1}", SK_E_VERSION_CONFLICT);
	REFUSED("UpdateBillingGroup", "{'billingGroupName':'ghost','billingGroupProperties':{}}", SK_E_NOT_FOUND);
	REFUSED("DescribeBillingGroup", "{'billingGroupName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("ListThingsInBillingGroup", "{'billingGroupName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("AddThingToBillingGroup", "{'thingName':'lamp','billingGroupName':'b'}", SK_E_NOT_FOUND);
	REFUSED("AddThingToBillingGroup", "{'thingName':'lamp','billingGroupName':'ghost'}", SK_E_NOT_FOUND);
	REFUSED("RemoveThingFromBillingGroup", "{'thingName':'lamp'}", SK_E_INVALID_REQUEST);
	OK("DeleteBillingGroup", "{'billingGroupName':'b','expectedVersion':2}");
	OK("DeleteBillingGroup", "{'billingGroupName':'b'}");
	assert_int_equal(fake_count(f, ""), 0);
}

static void a_large_billing_group_is_forgotten_by_events(void **at)
{
	struct fake *f = *at;

	OK("CreateBillingGroup", "{'billingGroupName':'b'}");
	fill(f, 150);
	OK("DeleteBillingGroup", "{'billingGroupName':'b'}");
	REFUSED("CreateBillingGroup", "{'billingGroupName':'b'}", SK_E_INVALID_REQUEST);
	assert_int_equal(fake_event(f, on, BILLING_GROUP_FORGET, "{'billingGroupName':'b'}"), SK_OK);
	assert_null(fake_effect(f, FAKE_EMIT, 0));
	assert_int_equal(fake_count(f, "registry/billing-group-thing/"), 0);
	assert_null(strstr(fake_get(f, "registry/thing/t149"), "billingGroupName"));
	OK("CreateBillingGroup", "{'billingGroupName':'b'}");
	OK("AddThingToBillingGroup", "{'billingGroupName':'b','thingName':'t149'}");
	assert_int_equal(fake_event(f, on, BILLING_GROUP_FORGET, "{'billingGroupName':'b'}"), SK_OK);
	assert_int_equal(fake_count(f, "registry/billing-group-thing/"), 1);
}

/* With ever more memory, the first calls answer 503 and store nothing, the last one succeeds. */
static void starve(struct fake *f, const char *op, const char *input)
{
	size_t before = fake_count(f, "");
	int refused = 0, rc = SK_E_UNAVAILABLE;

	for (f->memory_limit = 64; rc && f->memory_limit < 1000000; f->memory_limit += f->memory_limit / 4) {
		rc = call(f, op, input);
		assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
		refused += rc != SK_OK;
		if (rc)
			assert_int_equal(fake_count(f, ""), before);
	}
	assert_int_equal(rc, SK_OK);
	assert_true(refused > 0);
	f->memory_limit = 0;
}

static void memory_that_runs_out_stores_nothing(void **at)
{
	static const struct { const char *op, *input; } calls[] = {
		{ "CreateThingGroup", "{'thingGroupName':'p','tags':[{'Key':'k','Value':'v'}]}" },
		{ "CreateThingGroup", "{'thingGroupName':'c','parentGroupName':'p'}" },
		{ "CreateThingGroup", "{'thingGroupName':'c','parentGroupName':'p'}" },
		{ "DescribeThingGroup", "{'thingGroupName':'c'}" },
		{ "UpdateThingGroup", "{'thingGroupName':'c','thingGroupProperties':{'attributePayload':{'attributes':{'a':'1'}}}}" },
		{ "ListThingGroups", "{'parentGroup':'p'}" },
		{ "AddThingToThingGroup", "{'thingName':'lamp','thingGroupArn':'" ARN "thinggroup/c'}" },
		{ "ListThingsInThingGroup", "{'thingGroupName':'p','recursive':true}" },
		{ "ListThingGroupsForThing", "{'thingName':'lamp'}" },
		{ "RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'c'}" },
		{ "UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToAdd':['c']}" },
		{ "CreateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{'billingGroupDescription':'d'}}" },
		{ "DescribeBillingGroup", "{'billingGroupName':'b'}" },
		{ "UpdateBillingGroup", "{'billingGroupName':'b','billingGroupProperties':{'billingGroupDescription':'e'}}" },
		{ "ListBillingGroups", "{}" },
		{ "AddThingToBillingGroup", "{'thingArn':'" ARN "thing/lamp','billingGroupName':'b'}" },
		{ "ListThingsInBillingGroup", "{'billingGroupName':'b'}" },
		{ "DeleteBillingGroup", "{'billingGroupName':'b'}" },
		{ "DeleteThingGroup", "{'thingGroupName':'c'}" },
		{ "DeleteThing", "{'thingName':'lamp'}" },
	};
	struct fake *f = *at;

	thing(f, "lamp");
	fake_put(f, "registry/event-configurations", "{'enabled':{'THING':true,'THING_GROUP':true,'THING_GROUP_MEMBERSHIP':true,'THING_GROUP_HIERARCHY':true}}");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		starve(f, calls[i].op, calls[i].input);
	assert_int_equal(fake_count(f, ""), 3); /* the configuration, p, and that p is a root */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_group_is_created_and_described),
		TEST(creating_the_same_group_again_answers_the_same),
		TEST(a_tree_is_seven_deep),
		TEST(groups_are_listed_by_parent_prefix_and_depth),
		TEST(an_update_merges_replaces_and_counts),
		TEST(a_group_has_fifty_attributes),
		TEST(a_group_goes_after_its_children),
		TEST(a_membership_is_three_marks_and_is_listed),
		TEST(a_pair_is_named_or_given_by_arn),
		TEST(a_thing_is_in_one_group_of_a_tree_and_in_ten_at_most),
		TEST(groups_of_a_thing_change_together),
		TEST(a_large_group_is_forgotten_by_events),
		TEST(a_billing_group_has_things),
		TEST(a_billing_group_is_updated_and_deleted_under_its_version),
		TEST(a_large_billing_group_is_forgotten_by_events),
		TEST(memory_that_runs_out_stores_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
