/* registry_account_test.c -- events, tags and logging options of the registry through their own rows, on a fake runtime with forced misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/registry/registry.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"

/* What this plugin and skeeter_auth say in their rows. */
static const struct sk_tagged *tagged_at(size_t i)
{
	static const struct sk_tagged tagged[] = {
		{ "thingtype", "registry/type/" }, { "thinggroup", "registry/group/" }, { "billinggroup", "registry/billing-group/" },
		{ "policy", "registry/policy/" }, { "cacert", "registry/cacert/" },
	};

	return i < sizeof(tagged) / sizeof(*tagged) ? &tagged[i] : NULL;
}

static struct registry_state state = { .account = "123456789012", .tagged = tagged_at };

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

static const struct sk_op_group *const groups[] = { &things_group, &thing_types_group, &thing_groups_group, &group_members_group,
	                                            &billing_groups_group, &tags_group, &events_group, &logging_group };

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

/* -- events -- */

static void all_events_are_off_until_they_are_switched_on(void **at)
{
	struct fake *f = *at;

	OK("DescribeEventConfigurations", "{}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "eventConfigurations")), 11);
	assert_null(sk_json_get(f->out, "creationDate"));
	SK_JSON_EACH(one, sk_json_get(f->out, "eventConfigurations"))
		assert_true(cJSON_IsFalse(sk_json_get(one, "Enabled")));
	OK("CreateThing", "{'thingName':'lamp'}");
	assert_int_equal(fake_effect_count(f), 0);
	OK("UpdateEventConfigurations", "{'eventConfigurations':{'THING':{'Enabled':true},'POLICY':{'Enabled':true}}}");
	f->now_ms += 1000;
	OK("UpdateEventConfigurations", "{'eventConfigurations':{'THING':{},'CA_CERTIFICATE':{'Enabled':true}}}");
	OK("DescribeEventConfigurations", "{}");
	const cJSON *all = sk_json_get(f->out, "eventConfigurations");
	assert_true(fake_is(f, all, "{'THING':{'Enabled':false},'POLICY':{'Enabled':true},'CA_CERTIFICATE':{'Enabled':true},'...':1}"));
	assert_true(fake_is(f, f->out, "{'creationDate':1700000000.123,'lastModifiedDate':1700000001.123,'...':1}"));
	OK("UpdateEventConfigurations", "{}");
	REFUSED("UpdateEventConfigurations", "{'eventConfigurations':{'NOTHING':{'Enabled':true}}}", SK_E_INVALID_REQUEST);
	REFUSED("UpdateEventConfigurations", "{'eventConfigurations':{'THING':{'Enabled':1}}}", SK_E_INVALID_REQUEST);
}

static void switch_on(struct fake *f)
{
	OK("UpdateEventConfigurations",
	   "{'eventConfigurations':{'THING':{'Enabled':true},'THING_GROUP':{'Enabled':true},'THING_TYPE':{'Enabled':true},"
	   "'THING_GROUP_MEMBERSHIP':{'Enabled':true},'THING_GROUP_HIERARCHY':{'Enabled':true},'THING_TYPE_ASSOCIATION':{'Enabled':true}}}");
}

/* The index-th publish is durable, on $aws/events/<topic>, and has these members beside those of every event. */
static void expect(struct fake *f, size_t index, const char *topic, const char *operation, const char *members)
{
	const struct fake_effect *e = fake_effect(f, FAKE_PUBLISH, index);
	char json[1500];

	assert_non_null(e);
	assert_int_equal(e->flags, SK_QOS1 | SK_DURABLE);
	assert_int_equal(strncmp(e->name, "$aws/events/", 12), 0);
	assert_string_equal(e->name + 12, topic);
	snprintf(json, sizeof(json), "{'timestamp':%lld,'operation':'%s','accountId':'123456789012',%s,'...':1}", (long long)f->now_ms, operation,
	         members);
	assert_true(fake_text_is(f, e->text, json));
	assert_non_null(strstr(e->text, "\"eventId\":\""));
}

#define NO_MORE(n) assert_int_equal(fake_effect_count(f), n)

static void a_thing_tells_its_life(void **at)
{
	struct fake *f = *at;

	OK("CreateThingType", "{'thingTypeName':'bulb'}");
	switch_on(f);
	OK("CreateThing", "{'thingName':'lamp','thingTypeName':'bulb','attributePayload':{'attributes':{'a':'1'}}}");
	expect(f, 0, "thing/lamp/created", "CREATED",
	       "'eventType':'THING_EVENT','thingName':'lamp','versionNumber':1,'thingTypeName':'bulb','attributes':{'a':'1'}");
	expect(f, 1, "thingTypeAssociation/thing/lamp/thingType/bulb/added", "ADDED",
	       "'eventType':'THING_TYPE_ASSOCIATION_EVENT','thingName':'lamp','thingTypeName':'bulb'");
	NO_MORE(2);
	OK("CreateThing", "{'thingName':'lamp','thingTypeName':'bulb','attributePayload':{'attributes':{'a':'1'}}}");
	NO_MORE(0);
	OK("UpdateThing", "{'thingName':'lamp','removeThingType':true}");
	expect(f, 0, "thingTypeAssociation/thing/lamp/thingType/bulb/removed", "REMOVED", "'thingTypeName':'bulb'");
	expect(f, 1, "thing/lamp/updated", "UPDATED", "'versionNumber':2,'thingTypeName':null,'attributes':{'a':'1'}");
	NO_MORE(2);
	OK("DeleteThing", "{'thingName':'lamp'}");
	expect(f, 0, "thing/lamp/deleted", "DELETED", "'versionNumber':2,'attributes':{'a':'1'}");
	assert_string_equal(fake_effect(f, FAKE_EMIT, 0)->name, "DeleteThing");
	NO_MORE(2);
}

static void a_type_tells_its_life(void **at)
{
	struct fake *f = *at;

	switch_on(f);
	OK("CreateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'thingTypeDescription':'d','searchableAttributes':['a']}}");
	expect(f, 0, "thingType/bulb/created", "CREATED",
	       "'eventType':'THING_TYPE_EVENT','thingTypeName':'bulb','isDeprecated':false,'deprecationDate':null,'searchableAttributes':['a'],"
	       "'propagatingAttributes':[],'description':'d'");
	OK("UpdateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'mqtt5Configuration':{'propagatingAttributes':"
	                      "[{'userPropertyKey':'k','thingAttribute':'a'}]}}}");
	expect(f, 0, "thingType/bulb/updated", "UPDATED", "'propagatingAttributes':[{'userPropertyKey':'k','thingAttribute':'a'}]");
	OK("DeprecateThingType", "{'thingTypeName':'bulb'}");
	expect(f, 0, "thingType/bulb/updated", "UPDATED", "'isDeprecated':true,'deprecationDate':1700000000123");
	f->now_ms += 300000;
	OK("DeleteThingType", "{'thingTypeName':'bulb'}");
	expect(f, 0, "thingType/bulb/deleted", "DELETED", "'isDeprecated':true,'description':'d'");
	NO_MORE(1);
}

static void a_group_tells_its_life(void **at)
{
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'p'}");
	char *id = strdup(sk_json_text(f->out, "thingGroupId")), members[600];
	switch_on(f);
	OK("CreateThingGroup", "{'thingGroupName':'c','parentGroupName':'p'}");
	snprintf(members, sizeof(members),
	         "'eventType':'THING_GROUP_EVENT','thingGroupName':'c','versionNumber':1,'parentGroupName':'p','parentGroupId':'%s','description':null,"
	         "'rootToParentThingGroups':[{'groupArn':'" ARN "thinggroup/p','groupId':'%s'}],'attributes':{},'dynamicGroupMappingId':null", id, id);
	expect(f, 0, "thingGroup/c/created", "CREATED", members);
	snprintf(members, sizeof(members), "'eventType':'THING_GROUP_HIERARCHY_EVENT','thingGroupId':'%s','thingGroupName':'p','childGroupName':'c'", id);
	expect(f, 1, "thingGroupHierarchy/thingGroup/p/childThingGroup/c/added", "ADDED", members);
	NO_MORE(2);
	OK("UpdateThingGroup", "{'thingGroupName':'c','thingGroupProperties':{'thingGroupDescription':'d'}}");
	expect(f, 0, "thingGroup/c/updated", "UPDATED", "'versionNumber':2,'description':'d'");
	OK("DeleteThingGroup", "{'thingGroupName':'c'}");
	expect(f, 0, "thingGroupHierarchy/thingGroup/p/childThingGroup/c/removed", "REMOVED", members);
	expect(f, 1, "thingGroup/c/deleted", "DELETED", "'versionNumber':2");
	NO_MORE(2);
	OK("DeleteThingGroup", "{'thingGroupName':'p'}");
	expect(f, 0, "thingGroup/p/deleted", "DELETED", "'parentGroupName':null,'parentGroupId':null,'rootToParentThingGroups':[]");
	NO_MORE(1);
	free(id);
}

static char *membership_id(struct fake *f, size_t index)
{
	const char *at = strstr(fake_effect(f, FAKE_PUBLISH, index)->text, "\"membershipId\":\"");

	assert_non_null(at);
	return strndup(at + 16, 36);
}

static void a_membership_tells_that_it_began_and_ended_under_one_id(void **at)
{
	struct fake *f = *at;

	switch_on(f);
	OK("CreateThing", "{'thingName':'lamp'}");
	OK("CreateThingGroup", "{'thingGroupName':'g'}");
	OK("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'g'}");
	expect(f, 0, "thingGroupMembership/thingGroup/g/thing/lamp/added", "ADDED",
	       "'eventType':'THING_GROUP_MEMBERSHIP_EVENT','groupArn':'" ARN "thinggroup/g','thingArn':'" ARN "thing/lamp'");
	char *first = membership_id(f, 0);
	assert_int_equal(strlen(first), 36);
	assert_true(first[14] == '4' && strspn(first, "0123456789abcdef-") == 36);
	OK("AddThingToThingGroup", "{'thingName':'lamp','thingGroupName':'g'}");
	NO_MORE(0);
	OK("RemoveThingFromThingGroup", "{'thingName':'lamp','thingGroupName':'g'}");
	expect(f, 0, "thingGroupMembership/thingGroup/g/thing/lamp/removed", "REMOVED", "'groupArn':'" ARN "thinggroup/g'");
	char *second = membership_id(f, 0);
	assert_string_equal(first, second);
	OK("UpdateThingGroupsForThing", "{'thingName':'lamp','thingGroupsToAdd':['g']}");
	NO_MORE(1);
	OK("DeleteThing", "{'thingName':'lamp'}");
	expect(f, 0, "thingGroupMembership/thingGroup/g/thing/lamp/removed", "REMOVED", "'thingArn':'" ARN "thing/lamp'");
	expect(f, 1, "thing/lamp/deleted", "DELETED", "'versionNumber':1");
	free(first), free(second);
}

/* -- tags -- */

static void resources_are_tagged_by_arn(void **at)
{
	static const char *const arns[] = { "thingtype/t", "thinggroup/g", "billinggroup/b", "policy/p", "cacert/c" };
	struct fake *f = *at;
	char input[400];

	OK("CreateThingType", "{'thingTypeName':'t','tags':[{'Key':'born','Value':'1'}]}");
	OK("CreateThingGroup", "{'thingGroupName':'g','tags':[{'Key':'born','Value':'1'}]}");
	OK("CreateBillingGroup", "{'billingGroupName':'b','tags':[{'Key':'born','Value':'1'}]}");
	fake_put(f, "registry/policy/p", "{'tags':[{'Key':'born','Value':'1'}]}");
	fake_put(f, "registry/cacert/c", "{'tags':[{'Key':'born','Value':'1'}]}");
	for (size_t i = 0; i < sizeof(arns) / sizeof(*arns); i++) {
		snprintf(input, sizeof(input), "{'resourceArn':'" ARN "%s','tags':[{'Key':'k','Value':'v'},{'Key':'born'}]}", arns[i]);
		OK("TagResource", input);
		snprintf(input, sizeof(input), "{'resourceArn':'" ARN "%s'}", arns[i]);
		OK("ListTagsForResource", input);
		assert_true(fake_is(f, f->out, "{'tags':[{'Key':'k','Value':'v'},{'Key':'born','Value':''}]}"));
		snprintf(input, sizeof(input), "{'resourceArn':'" ARN "%s','tagKeys':['k','none']}", arns[i]);
		OK("UntagResource", input);
		snprintf(input, sizeof(input), "{'resourceArn':'" ARN "%s','tagKeys':['born']}", arns[i]);
		OK("UntagResource", input);
		snprintf(input, sizeof(input), "{'resourceArn':'" ARN "%s'}", arns[i]);
		OK("ListTagsForResource", input);
		assert_true(fake_is(f, f->out, "{'tags':[]}"));
	}
	assert_string_equal(fake_get(f, "registry/policy/p"), "{}");
}

static void tags_survive_updates(void **at)
{
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'g','tags':[{'Key':'k','Value':'v'}]}");
	OK("UpdateThingGroup", "{'thingGroupName':'g','thingGroupProperties':{'thingGroupDescription':'d'}}");
	OK("ListTagsForResource", "{'resourceArn':'" ARN "thinggroup/g'}");
	assert_true(fake_is(f, f->out, "{'tags':[{'Key':'k','Value':'v'}]}"));
}

static void bad_tags_are_refused(void **at)
{
	static const char *const bad[] = {
		"{'resourceArn':'" ARN "thing/lamp','tags':[]}", "{'resourceArn':'" ARN "cert/c','tags':[]}",
		"{'resourceArn':'" ARN "thinggroup/','tags':[]}", "{'resourceArn':'" ARN "thinggroup/g/x','tags':[]}",
		"{'resourceArn':'arn:aws:iot:eu-west-1:123456789012:thinggroup/g','tags':[]}", "{'resourceArn':'g','tags':[]}", "{'resourceArn':'g'}",
		"{'resourceArn':'" ARN "thinggroup/g','tags':[{'Key':'aws:x'}]}", "{'resourceArn':'" ARN "thinggroup/g','tags':[{'Key':'AWS:x'}]}",
		"{'resourceArn':'" ARN "thinggroup/g','tags':[{'Key':'a'},{'Key':'a'}]}", "{'resourceArn':'" ARN "thinggroup/g','tags':[{'Key':''}]}",
		"{'resourceArn':'" ARN "thinggroup/g','tags':[{'Value':'a'}]}",
	};
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'g'}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		REFUSED("TagResource", bad[i], SK_E_INVALID_REQUEST);
	REFUSED("TagResource", "{'resourceArn':'" ARN "thinggroup/ghost','tags':[]}", SK_E_NOT_FOUND);
	REFUSED("UntagResource", "{'resourceArn':'" ARN "thinggroup/ghost','tagKeys':[]}", SK_E_NOT_FOUND);
	REFUSED("ListTagsForResource", "{'resourceArn':'" ARN "thinggroup/ghost'}", SK_E_NOT_FOUND);
	REFUSED("ListTagsForResource", "{'resourceArn':'" ARN "thinggroup/g','nextToken':'x'}", SK_E_INVALID_REQUEST);
	REFUSED("CreateThingGroup", "{'thingGroupName':'h','tags':[{'Key':'aws:x'}]}", SK_E_INVALID_REQUEST);
	REFUSED("CreateBillingGroup", "{'billingGroupName':'h','tags':[{'Key':'aws:x'}]}", SK_E_INVALID_REQUEST);
}

/* {resourceArn, <list>: n keys that begin with `prefix`} */
static const char *many(const char *list, const char *prefix, int n, bool keys)
{
	static char input[8000];
	size_t used = (size_t)snprintf(input, sizeof(input), "{'resourceArn':'" ARN "thinggroup/g','%s':[", list);

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(input + used, sizeof(input) - used, keys ? "%s'%s%d'" : "%s{'Key':'%s%d'}", i ? "," : "", prefix, i);
	snprintf(input + used, sizeof(input) - used, "]}");
	return input;
}

static void a_resource_has_fifty_tags(void **at)
{
	struct fake *f = *at;

	OK("CreateThingGroup", "{'thingGroupName':'g'}");
	REFUSED("TagResource", many("tags", "k", 51, false), SK_E_LIMIT_EXCEEDED);
	OK("TagResource", many("tags", "k", 50, false));
	OK("TagResource", many("tags", "k", 50, false));
	REFUSED("TagResource", many("tags", "x", 1, false), SK_E_LIMIT_EXCEEDED);
	REFUSED("UntagResource", many("tagKeys", "k", 51, true), SK_E_INVALID_REQUEST);
	OK("UntagResource", many("tagKeys", "k", 50, true));
	OK("TagResource", many("tags", "x", 1, false));
}

/* -- logging -- */

static void logging_is_configured_first(void **at)
{
	struct fake *f = *at;

	REFUSED("GetV2LoggingOptions", "{}", SK_E_NOT_CONFIGURED);
	REFUSED("ListV2LoggingLevels", "{}", SK_E_NOT_CONFIGURED);
	REFUSED("SetV2LoggingLevel", "{'logTarget':{'targetType':'DEFAULT'},'logLevel':'INFO'}", SK_E_NOT_CONFIGURED);
	OK("SetV2LoggingOptions", "{'roleArn':'arn:aws:iam::1:role/r'}");
	OK("GetV2LoggingOptions", "{}");
	assert_true(fake_is(f, f->out, "{'roleArn':'arn:aws:iam::1:role/r','defaultLogLevel':'ERROR','disableAllLogs':false}"));
	OK("SetV2LoggingOptions", "{'defaultLogLevel':'INFO','disableAllLogs':true,'eventConfigurations':[{'eventType':'Connect','logLevel':'WARN'}]}");
	OK("GetV2LoggingOptions", "{}");
	assert_true(fake_is(f, f->out, "{'roleArn':'arn:aws:iam::1:role/r','defaultLogLevel':'INFO','disableAllLogs':true}"));
	OK("GetV2LoggingOptions", "{'verbose':true}");
	assert_true(fake_is(f, sk_json_get(f->out, "eventConfigurations"), "[{'eventType':'Connect','logLevel':'WARN'}]"));
	REFUSED("SetV2LoggingOptions", "{'defaultLogLevel':'LOUD'}", SK_E_INVALID_REQUEST);
}

static void levels_are_set_listed_and_deleted(void **at)
{
	struct fake *f = *at;

	OK("SetV2LoggingOptions", "{}");
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'THING_GROUP','targetName':'g'},'logLevel':'DEBUG'}");
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID','targetName':'a/b c'},'logLevel':'WARN'}");
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'DEFAULT'},'logLevel':'DISABLED'}");
	OK("GetV2LoggingOptions", "{}");
	assert_string_equal(sk_json_text(f->out, "defaultLogLevel"), "DISABLED");
	OK("ListV2LoggingLevels", "{}");
	assert_true(fake_is(f, sk_json_get(f->out, "logTargetConfigurations"),
	                    "[{'logTarget':{'targetType':'CLIENT_ID','targetName':'a/b c'},'logLevel':'WARN'},"
	                    "{'logTarget':{'targetType':'DEFAULT'},'logLevel':'DISABLED'},"
	                    "{'logTarget':{'targetType':'THING_GROUP','targetName':'g'},'logLevel':'DEBUG'}]"));
	OK("ListV2LoggingLevels", "{'targetType':'THING_GROUP'}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "logTargetConfigurations")), 1);
	OK("ListV2LoggingLevels", "{'targetType':'DEFAULT'}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "logTargetConfigurations")), 1);
	OK("DeleteV2LoggingLevel", "{'targetType':'CLIENT_ID','targetName':'a/b c'}");
	OK("DeleteV2LoggingLevel", "{'targetType':'CLIENT_ID','targetName':'a/b c'}");
	OK("ListV2LoggingLevels", "{'targetType':'CLIENT_ID'}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "logTargetConfigurations")), 0);
	REFUSED("DeleteV2LoggingLevel", "{'targetType':'DEFAULT','targetName':'x'}", SK_E_INVALID_REQUEST);
	REFUSED("DeleteV2LoggingLevel", "{'targetType':'CLIENT_ID','targetName':''}", SK_E_INVALID_REQUEST);
	REFUSED("SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID'},'logLevel':'WARN'}", SK_E_INVALID_REQUEST);
	REFUSED("SetV2LoggingLevel", "{'logTarget':{'targetType':'DEFAULT','targetName':'x'},'logLevel':'WARN'}", SK_E_INVALID_REQUEST);
	REFUSED("SetV2LoggingLevel", "{'logTarget':{'targetType':'NOBODY','targetName':'x'},'logLevel':'WARN'}", SK_E_INVALID_REQUEST);
	REFUSED("ListV2LoggingLevels", "{'nextToken':'!'}", SK_E_INVALID_REQUEST);
}

static void a_thousand_targets_have_levels(void **at)
{
	struct fake *f = *at;
	char key[100];

	f->no_misses = true;
	OK("SetV2LoggingOptions", "{}");
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "registry/logging-level/CLIENT_ID/c%d", i);
		fake_put(f, key, "{'logTarget':{'targetType':'CLIENT_ID','targetName':'c'},'logLevel':'WARN'}");
	}
	REFUSED("SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID','targetName':'new'},'logLevel':'WARN'}", SK_E_LIMIT_EXCEEDED);
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID','targetName':'c7'},'logLevel':'INFO'}");
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'DEFAULT'},'logLevel':'INFO'}");
	fake_delete(f, "registry/logging-level/CLIENT_ID/c1");
	OK("SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID','targetName':'new'},'logLevel':'WARN'}");
}

static void memory_that_runs_out_is_an_error(void **at)
{
	static const struct { const char *op, *input; } calls[] = {
		{ "UpdateEventConfigurations", "{'eventConfigurations':{'THING_TYPE':{'Enabled':true}}}" },
		{ "DescribeEventConfigurations", "{}" },
		{ "CreateThingType", "{'thingTypeName':'t','tags':[{'Key':'k','Value':'v'}]}" },
		{ "TagResource", "{'resourceArn':'" ARN "thingtype/t','tags':[{'Key':'l'}]}" },
		{ "ListTagsForResource", "{'resourceArn':'" ARN "thingtype/t'}" },
		{ "UntagResource", "{'resourceArn':'" ARN "thingtype/t','tagKeys':['l']}" },
		{ "SetV2LoggingOptions", "{'defaultLogLevel':'INFO'}" },
		{ "SetV2LoggingLevel", "{'logTarget':{'targetType':'CLIENT_ID','targetName':'c'},'logLevel':'WARN'}" },
		{ "ListV2LoggingLevels", "{}" },
		{ "DeleteV2LoggingLevel", "{'targetType':'CLIENT_ID','targetName':'c'}" },
	};
	struct fake *f = *at;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int refused = 0, rc = SK_E_UNAVAILABLE;
		for (f->memory_limit = 64; rc && f->memory_limit < 1000000; f->memory_limit += f->memory_limit / 4) {
			rc = call(f, calls[i].op, calls[i].input);
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
		TEST(all_events_are_off_until_they_are_switched_on),
		TEST(a_thing_tells_its_life),
		TEST(a_type_tells_its_life),
		TEST(a_group_tells_its_life),
		TEST(a_membership_tells_that_it_began_and_ended_under_one_id),
		TEST(resources_are_tagged_by_arn),
		TEST(tags_survive_updates),
		TEST(bad_tags_are_refused),
		TEST(a_resource_has_fifty_tags),
		TEST(logging_is_configured_first),
		TEST(levels_are_set_listed_and_deleted),
		TEST(a_thousand_targets_have_levels),
		TEST(memory_that_runs_out_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
