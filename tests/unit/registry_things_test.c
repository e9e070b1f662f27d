/* registry_things_test.c -- the registry's operations through their own rows, on a fake runtime with forced misses. */
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

#define THING_ARN "arn:aws:iot:us-east-1:123456789012:thing/"
#define TYPE_ARN "arn:aws:iot:us-east-1:123456789012:thingtype/"
#define MINUTE 60000

static struct registry_state state = { .endpoint = "iot.example.com", .account = "123456789012" };

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

static int thing(struct fake *f, const char *op, const char *input)
{
	return fake_op(f, &things_group, op, input);
}

static int type(struct fake *f, const char *op, const char *input)
{
	return fake_op(f, &thing_types_group, op, input);
}

static void create(struct fake *f, const char *name)
{
	char input[200];

	snprintf(input, sizeof(input), "{'thingName':'%s'}", name);
	assert_int_equal(thing(f, "CreateThing", input), SK_OK);
}

static const cJSON *describe(struct fake *f, const char *name)
{
	char input[200];

	snprintf(input, sizeof(input), "{'thingName':'%s'}", name);
	assert_int_equal(thing(f, "DescribeThing", input), SK_OK);
	return f->out;
}

/* An input with n attributes a0..., each "v". */
static const char *with_attributes(const char *before, int n)
{
	static char input[4000];
	size_t used = (size_t)snprintf(input, sizeof(input), "{'thingName':'lamp',%s'attributePayload':{'attributes':{", before);

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(input + used, sizeof(input) - used, "%s'a%d':'v'", i ? "," : "", i);
	snprintf(input + used, sizeof(input) - used, "}}}");
	return input;
}

static void a_thing_is_created_and_described(void **at)
{
	struct fake *f = *at;

	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','attributePayload':{'attributes':{'room':'hall','x':''}}}"), SK_OK);
	assert_true(f->runs >= 2);
	const char *id = sk_json_text(f->out, "thingId");
	assert_int_equal(strlen(id), 36);
	char *kept = strdup(id);
	assert_true(fake_is(f, f->out, "{'thingName':'lamp','thingArn':'" THING_ARN "lamp','...':1}"));
	describe(f, "lamp");
	assert_string_equal(sk_json_text(f->out, "thingId"), kept);
	free(kept);
	assert_true(fake_is(f, f->out, "{'defaultClientId':'lamp','thingName':'lamp','thingArn':'" THING_ARN "lamp','version':1,"
	                               "'attributes':{'room':'hall'},'...':1}"));
	assert_null(sk_json_get(f->out, "thingTypeName"));
	assert_int_equal(f->runs, 2);
}

static void what_is_not_there_is_not_found(void **at)
{
	struct fake *f = *at;

	assert_int_equal(thing(f, "DescribeThing", "{'thingName':'lamp'}"), SK_E_NOT_FOUND);
	assert_string_equal(f->message, "Thing lamp cannot be found.");
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp'}"), SK_E_NOT_FOUND);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_E_NOT_FOUND);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','billingGroupName':'b'}"), SK_E_NOT_FOUND);
	assert_int_equal(type(f, "DescribeThingType", "{'thingTypeName':'bulb'}"), SK_E_NOT_FOUND);
	assert_int_equal(type(f, "DeprecateThingType", "{'thingTypeName':'bulb'}"), SK_E_NOT_FOUND);
	assert_int_equal(type(f, "UpdateThingType", "{'thingTypeName':'bulb'}"), SK_E_NOT_FOUND);
	assert_int_equal(type(f, "DeleteThingType", "{'thingTypeName':'bulb'}"), SK_E_NOT_FOUND);
	assert_int_equal(fake_count(f, ""), 0);
}

static void bad_input_never_reaches_a_handler(void **at)
{
	static const char *const bad[] = {
		"{}", "{'thingName':''}", "{'thingName':'a/b'}", "{'thingName':'a b'}", "{'thingName':7}",
		"{'thingName':'a','thingTypeName':'+'}", "{'thingName':'a','attributePayload':[]}",
		"{'thingName':'a','attributePayload':{'attributes':{'x':7}}}",
		"{'thingName':'a','attributePayload':{'attributes':{'x y':'v'}}}",
		"{'thingName':'a','attributePayload':{'attributes':{'x':'v w'}}}",
	};
	struct fake *f = *at;
	char name[200], value[801], input[1200];

	memset(name, 'n', sizeof(name));
	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(thing(f, "CreateThing", bad[i]), SK_E_INVALID_REQUEST);
		assert_int_equal(f->runs, 0);
		assert_non_null(strstr(f->message, "validation error"));
	}
	for (int n = 128; n <= 129; n++) {
		snprintf(input, sizeof(input), "{'thingName':'%.*s'}", n, name);
		assert_int_equal(thing(f, "CreateThing", input), n == 128 ? SK_OK : SK_E_INVALID_REQUEST);
	}
	for (int n = 800; n <= 801; n++) {
		snprintf(input, sizeof(input), "{'thingName':'v','attributePayload':{'attributes':{'x':'%.*s'}}}", n, value);
		assert_int_equal(thing(f, "CreateThing", input), n == 800 ? SK_OK : SK_E_INVALID_REQUEST);
	}
}

static void creating_the_same_again_answers_the_same(void **at)
{
	static const char same[] = "{'thingName':'lamp','attributePayload':{'attributes':{'a':'1','b':'2'}}}";
	struct fake *f = *at;

	assert_int_equal(thing(f, "CreateThing", same), SK_OK);
	char *id = strdup(sk_json_text(f->out, "thingId"));
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','attributePayload':{'attributes':{'b':'2','a':'1','c':''}}}"), SK_OK);
	assert_string_equal(sk_json_text(f->out, "thingId"), id);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp'}"), SK_E_ALREADY_EXISTS);
	assert_string_equal(f->message, "Thing lamp already exists in account with different attributes");
	assert_string_equal(sk_json_text(f->error_fields, "resourceId"), id);
	assert_string_equal(sk_json_text(f->error_fields, "resourceArn"), THING_ARN "lamp");
	assert_null(f->out);
	fake_put(f, "registry/type/bulb", "{'thingTypeName':'bulb'}");
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','thingTypeName':'bulb','attributePayload':"
	                                         "{'attributes':{'a':'1','b':'2'}}}"), SK_E_ALREADY_EXISTS);
	assert_int_equal(sk_json_int_of(describe(f, "lamp"), "version", 0), 1);
	free(id);
}

static void a_thing_keeps_its_billing_group(void **at)
{
	struct fake *f = *at;

	fake_put(f, "registry/billing-group/b", "{}");
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','billingGroupName':'b'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','billingGroupName':'b'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp'}"), SK_E_ALREADY_EXISTS);
	assert_string_equal(sk_json_text(describe(f, "lamp"), "billingGroupName"), "b");
}

static void attributes_are_limited_by_having_a_type(void **at)
{
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", with_attributes("", 4)), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "CreateThing", with_attributes("'thingTypeName':'bulb',", 51)), SK_E_INVALID_REQUEST);
	assert_int_equal(fake_count(f, "registry/thing/"), 0);
	assert_int_equal(thing(f, "CreateThing", with_attributes("'thingTypeName':'bulb',", 50)), SK_OK);
	assert_non_null(fake_get(f, "registry/type-thing/bulb/lamp"));
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','removeThingType':true}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','attributePayload':{'attributes':{'z':'1'},'merge':true}}"),
	                 SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','attributePayload':{'attributes':{'z':'1','a0':''},'merge':true}}"),
	                 SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(describe(f, "lamp"), "attributes")), 50);
}

static void an_update_replaces_merges_and_removes_attributes(void **at)
{
	static const struct {
		const char *payload, *after;
	} steps[] = {
		{ "{'attributes':{'a':'1','b':'2'}}", "{'a':'1','b':'2'}" },
		{ "{'attributes':{'c':'3'},'merge':true}", "{'a':'1','b':'2','c':'3'}" },
		{ "{'attributes':{'a':'','b':'4'},'merge':true}", "{'b':'4','c':'3'}" },
		{ "{'merge':true}", "{'b':'4','c':'3'}" },
		{ "{}", "{'b':'4','c':'3'}" },
		{ "{'attributes':{'d':'5','e':''},'merge':false}", "{'d':'5'}" },
		{ "{'attributes':{'gone':''},'merge':true}", "{'d':'5'}" },
		{ "{'attributes':{}}", "{}" },
	};
	struct fake *f = *at;
	char input[300];

	create(f, "lamp");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		snprintf(input, sizeof(input), "{'thingName':'lamp','attributePayload':%s}", steps[i].payload);
		assert_int_equal(thing(f, "UpdateThing", input), SK_OK);
		assert_true(fake_is(f, f->out, "{}"));
		describe(f, "lamp");
		assert_true(fake_is(f, sk_json_get(f->out, "attributes"), steps[i].after));
		assert_int_equal(sk_json_int_of(f->out, "version", 0), i + 2);
	}
}

static void an_expected_version_guards(void **at)
{
	struct fake *f = *at;

	create(f, "lamp");
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','expectedVersion':1}"), SK_OK);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','expectedVersion':1}"), SK_E_VERSION_CONFLICT);
	assert_string_equal(f->message, "The version for thing lamp does not match the expected version.");
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp','expectedVersion':9223372036854775807}"), SK_E_VERSION_CONFLICT);
	assert_int_equal(fake_effect_count(f), 0);
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp','expectedVersion':2}"), SK_OK);
	assert_int_equal(fake_count(f, ""), 0);
}

static void a_type_can_be_changed_and_removed(void **at)
{
	struct fake *f = *at;

	create(f, "lamp");
	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'tube'}"), SK_OK);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'none'}"), SK_E_NOT_FOUND);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_OK);
	assert_string_equal(sk_json_text(describe(f, "lamp"), "thingTypeName"), "bulb");
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'tube'}"), SK_OK);
	assert_null(fake_get(f, "registry/type-thing/bulb/lamp"));
	assert_non_null(fake_get(f, "registry/type-thing/tube/lamp"));
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'bulb','removeThingType':true}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','removeThingType':true}"), SK_OK);
	assert_null(sk_json_get(describe(f, "lamp"), "thingTypeName"));
	assert_int_equal(fake_count(f, "registry/type-thing/"), 0);
}

static void a_thing_with_principals_stays(void **at)
{
	struct fake *f = *at;

	create(f, "lamp");
	fake_put(f, "registry/thing-principal/lamp/3f2a", "{}");
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp'}"), SK_E_INVALID_REQUEST);
	assert_string_equal(f->message, "Cannot delete. Thing lamp is still attached to one or more principals");
	assert_non_null(fake_get(f, "registry/thing/lamp"));
	fake_delete(f, "registry/thing-principal/lamp/3f2a");
	fake_put(f, "registry/thing-principal/lamp2/3f2a", "{}");
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	assert_null(fake_get(f, "registry/thing/lamp"));
}

static void deleting_tells_and_may_be_repeated(void **at)
{
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	assert_int_equal(fake_effect_count(f), 1);
	assert_string_equal(fake_effect(f, FAKE_EMIT, 0)->name, "DeleteThing");
	assert_true(fake_text_is(f, fake_effect(f, FAKE_EMIT, 0)->text, "{'thingName':'lamp'}"));
	assert_int_equal(fake_count(f, "registry/thing"), 0);
	assert_int_equal(fake_count(f, "registry/type-thing"), 0);
	assert_int_equal(thing(f, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	assert_int_equal(fake_effect_count(f), 0);
}

static size_t listed(struct fake *f, const char *input)
{
	assert_int_equal(thing(f, "ListThings", input), SK_OK);
	return (size_t)sk_json_count(sk_json_get(f->out, "things"));
}

static void things_are_listed_page_by_page(void **at)
{
	struct fake *f = *at;
	char name[40], input[200] = "{'maxResults':100}";
	size_t seen = 0;

	for (int i = 0; i < 230; i++) {
		snprintf(name, sizeof(name), "t%03d", i);
		create(f, name);
	}
	assert_int_equal(listed(f, "{}"), 25);
	for (int page = 0; page < 3; page++) {
		seen += listed(f, input);
		const char *next = sk_json_text(f->out, "nextToken");
		assert_int_equal(next == NULL, page == 2);
		snprintf(input, sizeof(input), "{'maxResults':100,'nextToken':'%s'}", next ? next : "");
	}
	assert_int_equal(seen, 230);
	assert_int_equal(thing(f, "ListThings", "{'nextToken':'no token'}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "ListThings", "{'maxResults':251}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "ListThings", "{'maxResults':0}"), SK_E_INVALID_REQUEST);
}

static void lists_are_filtered_by_attribute_and_type(void **at)
{
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'a','attributePayload':{'attributes':{'room':'hall'}}}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'b','thingTypeName':'bulb','attributePayload':{'attributes':{'room':'hallway'}}}"),
	                 SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'c','thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(listed(f, "{'attributeName':'room'}"), 2);
	assert_int_equal(listed(f, "{'attributeName':'room','attributeValue':'hall','usePrefixAttributeValue':true}"), 2);
	assert_int_equal(listed(f, "{'attributeName':'room','attributeValue':'hallw','usePrefixAttributeValue':true}"), 1);
	assert_int_equal(listed(f, "{'thingTypeName':'bulb'}"), 2);
	assert_int_equal(listed(f, "{'thingTypeName':'tube'}"), 0);
	assert_int_equal(listed(f, "{'thingTypeName':'bulb','attributeName':'room'}"), 1);
	assert_int_equal(listed(f, "{'attributeName':'room','attributeValue':'hall'}"), 1);
	assert_true(fake_is(f, sk_json_get(f->out, "things"), "[{'thingName':'a','thingArn':'" THING_ARN "a','version':1,"
	                                                      "'attributes':{'room':'hall'}}]"));
	assert_int_equal(listed(f, "{'maxResults':1,'attributeName':'room','attributeValue':'hallway'}"), 0);
	assert_non_null(sk_json_text(f->out, "nextToken"));
	assert_int_equal(thing(f, "ListThings", "{'attributeValue':'hall'}"), SK_E_INVALID_REQUEST);
}

static void a_type_is_created_described_and_listed(void **at)
{
	static const char properties[] = "{'thingTypeDescription':'light bulb','searchableAttributes':['wattage','model']}";
	struct fake *f = *at;
	char input[400];

	snprintf(input, sizeof(input), "{'thingTypeName':'bulb','thingTypeProperties':%s,'tags':[{'Key':'k','Value':'v'}]}", properties);
	assert_int_equal(type(f, "CreateThingType", input), SK_OK);
	char *id = strdup(sk_json_text(f->out, "thingTypeId"));
	assert_true(fake_is(f, f->out, "{'thingTypeName':'bulb','thingTypeArn':'" TYPE_ARN "bulb','...':1}"));
	assert_int_equal(type(f, "DescribeThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_string_equal(sk_json_text(f->out, "thingTypeId"), id);
	assert_true(fake_is(f, sk_json_get(f->out, "thingTypeProperties"), properties));
	assert_true(fake_is(f, sk_json_get(f->out, "thingTypeMetadata"), "{'deprecated':false,'creationDate':1700000000.123}"));
	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'tube'}"), SK_OK);
	assert_int_equal(type(f, "ListThingTypes", "{}"), SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "thingTypes")), 2);
	assert_int_equal(type(f, "ListThingTypes", "{'thingTypeName':'tube'}"), SK_OK);
	assert_true(fake_is(f, sk_json_get(f->out, "thingTypes"), "[{'thingTypeName':'tube','thingTypeArn':'" TYPE_ARN "tube',"
	            "'thingTypeProperties':{},'thingTypeMetadata':{'deprecated':false,'creationDate':1700000000.123}}]"));
	assert_int_equal(type(f, "ListThingTypes", "{'thingTypeName':'none'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'thingTypes':[]}"));
	free(id);
}

static void creating_the_same_type_again_answers_the_same(void **at)
{
	static const char *const others[] = {
		"{'searchableAttributes':['a','a']}", "{'searchableAttributes':['a','b','c']}", "{}",
		"{'searchableAttributes':['a','b'],'thingTypeDescription':'other'}",
		"{'searchableAttributes':['a','b'],'mqtt5Configuration':{'propagatingAttributes':[{'userPropertyKey':'k','thingAttribute':'a'}]}}",
	};
	struct fake *f = *at;
	char input[400];

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'searchableAttributes':['a','b']}}"), SK_OK);
	char *id = strdup(sk_json_text(f->out, "thingTypeId"));
	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'thingTypeDescription':'',"
	                                            "'searchableAttributes':['b','a'],'mqtt5Configuration':{}}}"), SK_OK);
	assert_string_equal(sk_json_text(f->out, "thingTypeId"), id);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(input, sizeof(input), "{'thingTypeName':'bulb','thingTypeProperties':%s}", others[i]);
		assert_int_equal(type(f, "CreateThingType", input), SK_E_ALREADY_EXISTS);
	}
	assert_string_equal(sk_json_text(f->error_fields, "resourceId"), id);
	assert_string_equal(sk_json_text(f->error_fields, "resourceArn"), TYPE_ARN "bulb");
	free(id);
}

static void a_types_properties_are_checked(void **at)
{
	static const char *const bad[] = {
		"{'searchableAttributes':['a','b','c','d']}", "{'searchableAttributes':['a b']}", "{'searchableAttributes':'a'}",
		"{'mqtt5Configuration':{'propagatingAttributes':[{'thingAttribute':'a'}]}}",
		"{'mqtt5Configuration':{'propagatingAttributes':[{'userPropertyKey':'k'}]}}",
		"{'mqtt5Configuration':{'propagatingAttributes':[{'userPropertyKey':'k','thingAttribute':'a','connectionAttribute':'b'}]}}",
	};
	struct fake *f = *at;
	char input[400];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(input, sizeof(input), "{'thingTypeName':'bulb','thingTypeProperties':%s}", bad[i]);
		assert_int_equal(type(f, "CreateThingType", input), SK_E_INVALID_REQUEST);
	}
	assert_int_equal(fake_count(f, ""), 0);
}

/* An input whose list, opened by `before`, holds n times `item`. */
static const char *with_list(const char *before, const char *item, int n, const char *after)
{
	static char input[6000];
	size_t used = (size_t)snprintf(input, sizeof(input), "%s", before);

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(input + used, sizeof(input) - used, item, i ? "," : "", i);
	snprintf(input + used, sizeof(input) - used, "%s", after);
	return input;
}

static void a_types_lists_are_limited(void **at)
{
	static const char tags[] = "{'thingTypeName':'t','tags':[", tag[] = "%s{'Key':'k%d'}";
	static const char mqtt5[] = "{'thingTypeName':'m','thingTypeProperties':{'mqtt5Configuration':{'propagatingAttributes':[";
	static const char attribute[] = "%s{'userPropertyKey':'k%d','connectionAttribute':'iot:ClientId'}";
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", with_list(tags, tag, 51, "]}")), SK_E_INVALID_REQUEST);
	assert_int_equal(type(f, "CreateThingType", with_list(tags, tag, 50, "]}")), SK_OK);
	assert_int_equal(type(f, "CreateThingType", with_list(mqtt5, attribute, 21, "]}}}")), SK_E_INVALID_REQUEST);
	assert_int_equal(type(f, "CreateThingType", with_list(mqtt5, attribute, 20, "]}}}")), SK_OK);
}

static void only_mqtt5_of_a_type_is_updated(void **at)
{
	static const char update[] = "{'thingTypeName':'bulb','thingTypeProperties':{'mqtt5Configuration':{'propagatingAttributes':"
	                             "[{'userPropertyKey':'k','thingAttribute':'a'}]}}}";
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'thingTypeDescription':'d'}}"), SK_OK);
	assert_int_equal(type(f, "UpdateThingType", "{'thingTypeName':'bulb','thingTypeProperties':{'searchableAttributes':['x']}}"),
	                 SK_E_INVALID_REQUEST);
	assert_string_equal(f->message, "Can only update mqtt5Configuration.");
	assert_int_equal(type(f, "UpdateThingType", update), SK_OK);
	assert_int_equal(type(f, "DescribeThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_true(fake_is(f, sk_json_get(f->out, "thingTypeProperties"), "{'thingTypeDescription':'d','mqtt5Configuration':"
	                    "{'propagatingAttributes':[{'userPropertyKey':'k','thingAttribute':'a'}]}}"));
	assert_int_equal(type(f, "DeprecateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(type(f, "UpdateThingType", update), SK_E_INVALID_REQUEST);
}

static void a_deprecated_type_takes_no_new_things(void **at)
{
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'old','thingTypeName':'bulb'}"), SK_OK);
	create(f, "lamp");
	assert_int_equal(type(f, "DeprecateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(type(f, "DescribeThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	assert_true(fake_is(f, sk_json_get(f->out, "thingTypeMetadata"), "{'deprecated':true,'deprecationDate':1700000000.123,'...':1}"));
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'new','thingTypeName':'bulb'}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_E_INVALID_REQUEST);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'old','thingTypeName':'bulb'}"), SK_OK);
	assert_int_equal(type(f, "DeprecateThingType", "{'thingTypeName':'bulb','undoDeprecate':true}"), SK_OK);
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_OK);
}

static void a_type_goes_five_minutes_after_its_deprecation(void **at)
{
	static const char bulb[] = "{'thingTypeName':'bulb'}";
	struct fake *f = *at;

	assert_int_equal(type(f, "CreateThingType", bulb), SK_OK);
	assert_int_equal(thing(f, "CreateThing", "{'thingName':'lamp','thingTypeName':'bulb'}"), SK_OK);
	f->now_ms += 10 * MINUTE;
	assert_int_equal(type(f, "DeleteThingType", bulb), SK_E_INVALID_REQUEST);
	assert_int_equal(type(f, "DeprecateThingType", bulb), SK_OK);
	f->now_ms += 5 * MINUTE - 1;
	assert_int_equal(type(f, "DeprecateThingType", bulb), SK_OK);
	assert_int_equal(type(f, "DeleteThingType", bulb), SK_E_INVALID_REQUEST);
	assert_string_equal(f->message, "Cannot delete thing type : bulb. It is still associated with one or more things");
	assert_int_equal(thing(f, "UpdateThing", "{'thingName':'lamp','removeThingType':true}"), SK_OK);
	assert_int_equal(type(f, "DeleteThingType", bulb), SK_E_INVALID_REQUEST);
	assert_string_equal(f->message, "Cannot delete thing type : bulb. Please wait for 5 minutes after deprecation and then retry");
	f->now_ms += 1;
	assert_int_equal(type(f, "DeleteThingType", bulb), SK_OK);
	assert_int_equal(type(f, "DescribeThingType", bulb), SK_E_NOT_FOUND);
}

static void the_endpoint_is_one_for_all_types(void **at)
{
	struct fake *f = *at;

	assert_int_equal(fake_op(f, &endpoint_group, "DescribeEndpoint", "{}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'endpointAddress':'iot.example.com'}"));
	assert_int_equal(fake_op(f, &endpoint_group, "DescribeEndpoint", "{'endpointType':'iot:Data-ATS'}"), SK_OK);
	assert_int_equal(fake_op(f, &endpoint_group, "DescribeEndpoint", "{'endpointType':'iot:DeviceAdvisor'}"), SK_OK);
	assert_int_equal(fake_op(f, &endpoint_group, "DescribeEndpoint", "{'endpointType':'iot:Nothing'}"), SK_E_INVALID_REQUEST);
}

/* With ever more memory, the first calls answer 503 and store nothing, the last ones succeed. */
static void memory_that_runs_out_is_an_error(void **at)
{
	static const char update[] = "{'thingName':'lamp','thingTypeName':'bulb','attributePayload':{'attributes':{'a':'1'}}}";
	struct fake *f = *at;
	int refused = 0;

	assert_int_equal(type(f, "CreateThingType", "{'thingTypeName':'bulb'}"), SK_OK);
	create(f, "lamp");
	for (f->memory_limit = 1; f->memory_limit < 100000; f->memory_limit *= 2) {
		char *before = strdup(fake_get(f, "registry/thing/lamp"));
		int rc = thing(f, "UpdateThing", update);
		assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
		if (rc) {
			refused++;
			assert_string_equal(fake_get(f, "registry/thing/lamp"), before);
		}
		free(before);
	}
	assert_true(refused > 0);
	assert_non_null(fake_get(f, "registry/type-thing/bulb/lamp"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_thing_is_created_and_described),
		TEST(what_is_not_there_is_not_found),
		TEST(bad_input_never_reaches_a_handler),
		TEST(creating_the_same_again_answers_the_same),
		TEST(a_thing_keeps_its_billing_group),
		TEST(attributes_are_limited_by_having_a_type),
		TEST(an_update_replaces_merges_and_removes_attributes),
		TEST(an_expected_version_guards),
		TEST(a_type_can_be_changed_and_removed),
		TEST(a_thing_with_principals_stays),
		TEST(deleting_tells_and_may_be_repeated),
		TEST(things_are_listed_page_by_page),
		TEST(lists_are_filtered_by_attribute_and_type),
		TEST(a_type_is_created_described_and_listed),
		TEST(creating_the_same_type_again_answers_the_same),
		TEST(a_types_properties_are_checked),
		TEST(a_types_lists_are_limited),
		TEST(only_mqtt5_of_a_type_is_updated),
		TEST(a_deprecated_type_takes_no_new_things),
		TEST(a_type_goes_five_minutes_after_its_deprecation),
		TEST(the_endpoint_is_one_for_all_types),
		TEST(memory_that_runs_out_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
