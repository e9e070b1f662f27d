/* rules_operations_test.c -- topic rules through their own rows, on a fake runtime with forced misses: both records of a rule go together, what a
 * file makes is listed and left alone, and the busiest rules come first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/rules/files.h"
#include "plugins/rules/rules.h"
#include "plugins/rules/statistics.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/rules/rules.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:rule/"
#define SQL(text) "{\"sql\":\"" text "\",\"actions\":[]}"

/* -- what the plugin's threads know, here -- */

static const char *const filed[] = { "m_lua", "z_sql" };
static bool files;

bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	(void)state;
	for (size_t i = 0; files && i < 2; i++) {
		if (strcmp(filed[i], name))
			continue;
		*rule = sk_json_object(a);
		sk_json_set_string(a, *rule, "ruleName", name);
		sk_json_set_bool(a, *rule, "readOnly", true);
		sk_json_set_string(a, *rule, "file", "climate.lua");
		sk_json_set_string(a, *rule, "sql", i ? "SELECT 1 AS one FROM 'z'" : NULL);
		sk_json_set_array(a, *rule, "actions");
		return true;
	}
	return false;
}

void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	for (int i = 1; i >= 0; i--) {
		cJSON *item = sk_json_object(a), *rule = NULL;
		char name[8];

		if (!rules_files_get(state, filed[i], a, &rule))
			continue;
		sk_json_set_string(a, item, "topicPattern", i ? "z" : "m/#");
		sk_json_set_bool(a, item, "ruleDisabled", i);
		sk_json_set_string(a, item, "file", "climate.lua");
		snprintf(name, sizeof(name), "%s", filed[i]);
		fn(ctx, name, item);
	}
}

static uint64_t traced_after;

void rules_statistics_each(void *state, void (*fn)(void *ctx, const struct rules_statistics *s), void *ctx)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		char name[16], error[16];
		snprintf(name, sizeof(name), "r%03d", i);
		snprintf(error, sizeof(error), "bad %d", i);
		struct rules_statistics s = { .name = name, .disabled = i == 499, .matched = 10, .passed = 5, .failed = 2, .dropped = 1,
			                      .ns = (uint64_t)(i * 7919 % 500) * 1000, .file = i % 2 ? NULL : "f.lua", .last_error = i % 3 ? NULL : error,
			                      .last_error_ms = 1700000000000 };
		fn(ctx, &s);
		memset(name, 'x', sizeof(name));
	}
}

bool rules_trace_read(void *state, const char *rule, uint64_t after, struct sk_arena *a, cJSON *out)
{
	(void)state;
	traced_after = after;
	if (strcmp(rule, "hot"))
		return false;
	sk_json_append(sk_json_set_array(a, out, "traces"), sk_json_int(a, 1));
	return true;
}

/* -- */

static struct rules_state state = { .most_rules = 1000, .account = "123456789012" };

static int setup(void **at)
{
	struct fake *f = *at = fake_new();

	f->state = &state;
	fake_add_shapes(f, shapes);
	files = false;
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static int call(struct fake *f, const char *op, const char *input)
{
	static const struct sk_op_group *const groups[] = { &topic_rules_group, &dry_run_group, &observed_group };

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		for (const struct sk_op *o = groups[i]->op; o->name; o++)
			if (!strcmp(o->name, op))
				return fake_op(f, groups[i], op, input);
	fail_msg("no operation %s", op);
	return 0;
}

#define OK(op, input) assert_int_equal(call(f, op, input), SK_OK)
#define REFUSED(op, input, code, part) \
	do { \
		assert_int_equal(call(f, op, input), code); \
		if (!strstr(f->message, part)) \
			fail_msg("%s", f->message); \
	} while (0)

static void create(struct fake *f, const char *name, const char *filter, bool disabled)
{
	char input[600];

	snprintf(input, sizeof(input), "{\"ruleName\":\"%s\",\"topicRulePayload\":{\"sql\":\"SELECT * FROM '%s'\",\"actions\":[],\"ruleDisabled\":%s}}", name, filter,
	         disabled ? "true" : "false");
	OK("CreateTopicRule", input);
}

static void both_records_go_together(void **at)
{
	struct fake *f = *at;

	OK("CreateTopicRule", "{\"ruleName\":\"hot\",\"tags\":\"a=b\",\"topicRulePayload\":{\"sql\":\"SELECT * FROM 'a/+'\",\"description\":\"d\",\"more\":1,"
	                      "\"awsIotSqlVersion\":null,\"actions\":[{\"lambda\":{\"functionArn\":\"f\"}}],\"ruleDisabled\":true}}");
	assert_true(fake_text_is(f, fake_get(f, "registry/rule/hot"),
	                         "{\"payload\":{\"sql\":\"SELECT * FROM 'a/+'\",\"description\":\"d\",\"actions\":[{\"lambda\":{\"functionArn\":\"f\"}}]},"
	                         "\"ruleDisabled\":true,\"filter\":\"a/+\",\"createdAt\":1700000000123,\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}"));
	assert_true(fake_text_is(f, fake_get(f, "registry/rule-filter/hot"), "{'filter':'a/+','disabled':true,'createdAt':1700000000123}"));
	f->now_ms += 1000;
	OK("EnableTopicRule", "{'ruleName':'hot'}");
	assert_true(fake_text_is(f, fake_get(f, "registry/rule-filter/hot"), "{'filter':'a/+','disabled':false,'createdAt':1700000000123}"));
	OK("ReplaceTopicRule", "{\"ruleName\":\"hot\",\"topicRulePayload\":" SQL("SELECT * FROM 'b'") "}");
	assert_true(fake_text_is(f, fake_get(f, "registry/rule-filter/hot"), "{'filter':'b','disabled':false,'createdAt':1700000000123}"));
	assert_true(fake_text_is(f, fake_get(f, "registry/rule/hot"),
	                         "{\"payload\":" SQL("SELECT * FROM 'b'") ",\"ruleDisabled\":false,\"filter\":\"b\",\"createdAt\":1700000000123,"
	                         "\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}"));
	OK("DisableTopicRule", "{'ruleName':'hot'}");
	assert_non_null(strstr(fake_get(f, "registry/rule/hot"), "\"ruleDisabled\":true"));
	assert_non_null(strstr(fake_get(f, "registry/rule-filter/hot"), "\"disabled\":true"));
	OK("DeleteTopicRule", "{'ruleName':'hot'}");
	assert_int_equal(fake_count(f, "registry/rule/") + fake_count(f, "registry/rule-filter/"), 0);
}

static void a_rule_without_from_is_there_and_no_topic_reaches_it(void **at)
{
	struct fake *f = *at;

	OK("CreateTopicRule", "{'ruleName':'basic','topicRulePayload':{'sql':'SELECT *','actions':[]}}");
	assert_true(fake_text_is(f, fake_get(f, "registry/rule-filter/basic"), "{'disabled':false,'createdAt':1700000000123}"));
	OK("ListTopicRules", "{}");
	assert_true(fake_is(f, f->out, "{'rules':[{'ruleArn':'" ARN "basic','ruleName':'basic','createdAt':1700000000.123,'ruleDisabled':false}]}"));
	OK("ListTopicRules", "{'topic':'a'}");
	assert_true(fake_is(f, f->out, "{'rules':[]}"));
	OK("DryRunTopicRule", "{'ruleName':'basic','topic':'$aws/rules/basic/a/b','payload':'{}'}");
	assert_true(sk_json_true(f->out, "matched"));
	OK("DryRunTopicRule", "{'ruleName':'basic','topic':'a/b','payload':'{}'}");
	assert_true(cJSON_IsFalse(sk_json_get(f->out, "matched")));
	REFUSED("DryRunTopicRule", "{'ruleName':'basic'}", SK_E_INVALID_REQUEST, "topic is missing");
}

static void what_is_refused_leaves_nothing(void **at)
{
	struct fake *f = *at;
	char long_filter[700];

	REFUSED("CreateTopicRule", "{\"ruleName\":\"r\",\"topicRulePayload\":" SQL("SELECT * FORM 'a'") "}", SK_E_SQL_PARSE, "line 1, column");
	REFUSED("CreateTopicRule", "{\"ruleName\":\"r\",\"topicRulePayload\":{\"sql\":\"SELECT * FROM 'a'\",\"actions\":[{}]}}", SK_E_INVALID_REQUEST, "action");
	REFUSED("CreateTopicRule", "{\"ruleName\":\"r\",\"tags\":\"a=1&a=2\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}", SK_E_INVALID_REQUEST, "more than once");
	REFUSED("CreateTopicRule", "{'ruleName':'r'}", SK_E_INVALID_REQUEST, "'topicRulePayload' failed");
	snprintf(long_filter, sizeof(long_filter), "{\"ruleName\":\"r\",\"topicRulePayload\":" SQL("SELECT * FROM '%0257d'") "}", 0);
	REFUSED("CreateTopicRule", long_filter, SK_E_INVALID_REQUEST, "257 bytes, more than 256");
	REFUSED("ReplaceTopicRule", "{\"ruleName\":\"r\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}", SK_E_UNAUTHORIZED, "Access to topic rule 'r' was denied");
	REFUSED("EnableTopicRule", "{'ruleName':'r'}", SK_E_UNAUTHORIZED, "denied");
	REFUSED("DisableTopicRule", "{'ruleName':'r'}", SK_E_UNAUTHORIZED, "denied");
	REFUSED("GetTopicRule", "{'ruleName':'r'}", SK_E_UNAUTHORIZED, "denied");
	OK("DeleteTopicRule", "{'ruleName':'r'}");
	assert_int_equal(fake_count(f, "registry/"), 0);
	create(f, "r", "a", false);
	REFUSED("CreateTopicRule", "{\"ruleName\":\"r\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}", SK_E_ALREADY_EXISTS, "Rule r already exists");
	assert_true(fake_is(f, f->error_fields, "{'resourceId':'r','resourceArn':'" ARN "r'}"));
}

static void there_are_so_many_rules_and_no_more(void **at)
{
	struct fake *f = *at;

	state.most_rules = 2;
	create(f, "a", "a", false);
	create(f, "b", "b", false);
	REFUSED("CreateTopicRule", "{\"ruleName\":\"c\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}", SK_E_INVALID_REQUEST, "at most 2 rules");
	OK("DeleteTopicRule", "{'ruleName':'a'}");
	OK("DeleteTopicRule", "{'ruleName':'a'}");
	create(f, "c", "c", false);
	assert_true(fake_text_is(f, fake_get(f, "registry/rule-count"), "{'count':2}"));
	state.most_rules = 1000;
}

/* -- files -- */

static void what_a_file_makes_is_read_and_left_alone(void **at)
{
	struct fake *f = *at;

	files = true;
	OK("GetTopicRule", "{'ruleName':'m_lua'}");
	assert_true(fake_is(f, f->out, "{'ruleArn':'" ARN "m_lua','rule':{'ruleName':'m_lua','readOnly':true,'file':'climate.lua','actions':[]}}"));
	static const char *const changes[] = { "CreateTopicRule", "ReplaceTopicRule", "DeleteTopicRule", "EnableTopicRule", "DisableTopicRule" };
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		REFUSED(changes[i], "{\"ruleName\":\"m_lua\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}", SK_E_INVALID_REQUEST, "made by the file climate.lua");
	REFUSED("DryRunTopicRule", "{'ruleName':'m_lua','topic':'m/x'}", SK_E_INVALID_REQUEST, "is Lua, made by the file climate.lua");
	OK("DryRunTopicRule", "{'ruleName':'z_sql'}");
	assert_true(fake_is(f, sk_json_get(f->out, "output"), "{'one':1}"));
	OK("TraceTopicRule", "{'ruleName':'m_lua'}");
	assert_true(fake_is(f, f->out, "{'traces':[]}"));
}

/* The names on a page, and its token. */
static const char *names(struct fake *f, const char *input)
{
	static char text[400];
	char *end = text;

	OK("ListTopicRules", input);
	SK_JSON_EACH(rule, sk_json_get(f->out, "rules"))
		end += snprintf(end, (size_t)(text + sizeof(text) - end), "%s ", sk_json_text(rule, "ruleName"));
	snprintf(end, (size_t)(text + sizeof(text) - end), "%s", sk_json_text(f->out, "nextToken") ? "..." : "");
	return text;
}

static void pages_have_rules_of_both_kinds_in_order(void **at)
{
	struct fake *f = *at;
	char input[200], all[400] = "";

	files = true;
	create(f, "a", "a/#", false);
	create(f, "n", "m/1", false);
	create(f, "y", "y", true);
	fake_put(f, "registry/rule-filter/z_sql", "{'filter':'hidden','createdAt':1}");
	assert_string_equal(names(f, "{}"), "a m_lua n y z_sql ");
	assert_true(fake_is(f, cJSON_GetArrayItem(sk_json_get(f->out, "rules"), 4),
	                    "{'ruleArn':'" ARN "z_sql','ruleName':'z_sql','topicPattern':'z','ruleDisabled':true,'file':'climate.lua'}"));
	assert_string_equal(names(f, "{'topic':'m/1'}"), "m_lua n ");
	assert_string_equal(names(f, "{'topic':'m/#'}"), "m_lua ");
	assert_string_equal(names(f, "{'ruleDisabled':true}"), "y z_sql ");
	assert_string_equal(names(f, "{'ruleDisabled':false,'maxResults':2}"), "a m_lua ...");
	for (int size = 1; size <= 5; size++) {
		*all = '\0';
		snprintf(input, sizeof(input), "{\"maxResults\":%d}", size);
		for (int page = 0; page < 6; page++) {
			strcat(all, names(f, input));
			char *more = strstr(all, "...");
			if (!more)
				break;
			*more = '\0';
			snprintf(input, sizeof(input), "{\"maxResults\":%d,\"nextToken\":\"%s\"}", size, sk_json_text(f->out, "nextToken"));
		}
		assert_string_equal(all, "a m_lua n y z_sql ");
	}
	REFUSED("ListTopicRules", "{'nextToken':'x'}", SK_E_INVALID_REQUEST, "nextToken");
}

/* -- trying and watching -- */

static void a_dry_run_reads_what_it_needs_and_writes_nothing(void **at)
{
	struct fake *f = *at;

	fake_put(f, "registry/thing/lamp", "{'thingName':'lamp','version':3}");
	fake_put(f, "registry/thing-group/lamp/up", "{}");
	fake_put(f, "registry/group/up", "{}");
	fake_put(f, "thing/lamp/shadow", "{'state':{'reported':{'on':true}},'metadata':{'reported':{'on':{'timestamp':1}}},'version':2}");
	OK("DryRunTopicRule",
	   "{\"ruleName\":\"r\",\"topic\":\"a/lamp\",\"payload\":\"{}\",\"topicRulePayload\":{\"awsIotSqlVersion\":\"2016-03-23\",\"actions\":["
	   "{\"republish\":{\"roleArn\":\"r\",\"topic\":\"lit/${get_thing_shadow(topic(2), 'r').state.reported.on}\"}}],\"sql\":"
	   "\"SELECT get_thing_shadow(topic(2), 'r').version AS s, get_registry_data('DescribeThing', topic(2), 'r').version AS v, "
	   "get(get_registry_data('ListThingGroupsForThing', topic(2), 'r').thingGroups, 0).groupName AS g, accountid() AS a FROM 'a/+'\"}}");
	assert_true(fake_is(f, sk_json_get(f->out, "output"), "{'s':2,'v':3,'g':'up','a':'123456789012'}"));
	const cJSON *action = cJSON_GetArrayItem(sk_json_get(f->out, "actions"), 0);
	assert_string_equal(sk_json_text(sk_json_get(action, "fields"), "topic"), "lit/true");
	assert_true(f->runs > 1);
	assert_int_equal(fake_effect_count(f), 0);
	assert_int_equal(fake_count(f, "registry/rule"), 0);
}

static void a_dry_run_has_all_of_a_message(void **at)
{
	struct fake *f = *at;

	OK("DryRunTopicRule",
	   "{\"ruleName\":\"r\",\"payloadBase64\":\"eyJhIjoxfQ==\",\"clientId\":\"c\",\"principal\":\"p\",\"sourceIp\":\"::1\",\"headers\":{\"contentType\":\"t\","
	   "\"responseTopic\":\"rt\",\"correlationData\":\"AAE=\",\"payloadFormatIndicator\":\"UTF8_DATA\",\"userProperties\":[{\"key\":\"k\",\"value\":\"v\"}]},"
	   "\"topicRulePayload\":{\"awsIotSqlVersion\":\"2016-03-23\",\"actions\":[],\"sql\":\"SELECT a, clientid() AS c, principal() AS p, sourceip() AS i, "
	   "get_mqtt_property('content_type') AS t, get_mqtt_property('response_topic') AS r, get_mqtt_property('correlation_data') AS d, "
	   "get_mqtt_property('format_indicator') AS f, get_user_properties('k') AS u, topic() AS o, timestamp() AS n FROM 'a/b'\"}}");
	assert_true(fake_is(f, sk_json_get(f->out, "output"),
	                    "{'a':1,'c':'c','p':'p','i':'::1','t':'t','r':'rt','d':'AAE=','f':'UTF8_DATA','u':['v'],'o':'a/b','n':1700000000123}"));
	OK("DryRunTopicRule",
	   "{\"ruleName\":\"r\",\"topic\":\"a\",\"topicRulePayload\":{\"awsIotSqlVersion\":\"2016-03-23\",\"actions\":[],\"sql\":\"SELECT "
	   "parse_time('HH:mm Z', 0, 'America/Belize') AS b, parse_time('HH:mm Z', 0, 'Asia/Tokyo') AS t, parse_time('HH', 0, '../etc/passwd') AS x FROM 'a'\"}}");
	assert_true(fake_is(f, sk_json_get(f->out, "output"), "{'b':'18:00 -0600','t':'09:00 +0900'}"));
	static const char *const bad[] = { "'payloadBase64':'*'", "'payload':'x','payloadBase64':'AA=='", "'headers':{'correlationData':'*'}" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char input[300];
		snprintf(input, sizeof(input), "{'ruleName':'r','topic':'a','topicRulePayload':{'sql':'SELECT 1 AS a','actions':[]},%s}", bad[i]);
		assert_int_equal(call(f, "DryRunTopicRule", input), SK_E_INVALID_REQUEST);
	}
	REFUSED("DryRunTopicRule", "{'ruleName':'r','topic':'a'}", SK_E_NOT_FOUND, "Rule r does not exist");
}

static void the_busiest_rules_come_first(void **at)
{
	struct fake *f = *at;
	int64_t before = INT64_MAX;

	OK("ListTopicRuleStatistics", "{'maxResults':7}");
	const cJSON *list = sk_json_get(f->out, "statistics");
	assert_int_equal(sk_json_count(list), 7);
	assert_int_equal(sk_json_int_of(f->out, "rules", 0), 500);
	SK_JSON_EACH(one, list) {
		int64_t us = sk_json_int_of(one, "microseconds", -1);
		assert_true(us >= 493 && us < before);
		before = us;
	}
	OK("ListTopicRuleStatistics", "{}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "statistics")), 100);
	OK("ListTopicRuleStatistics", "{'maxResults':10000}");
	assert_int_equal(sk_json_count(sk_json_get(f->out, "statistics")), 500);
	OK("ListTopicRuleStatistics", "{'ruleName':'r006'}");
	assert_true(fake_is(f, f->out, "{'rules':1,'statistics':[{'ruleName':'r006','file':'f.lua','ruleDisabled':false,'matched':10,'passed':5,'failed':2,'dropped':1,"
	                               "'microseconds':14,'lastError':'bad 6','lastErrorAt':1700000000}]}"));
	OK("ListTopicRuleStatistics", "{'ruleName':'r499'}");
	assert_true(fake_is(f, f->out, "{'rules':1,'statistics':[{'ruleName':'r499','ruleDisabled':true,'matched':10,'passed':5,'failed':2,'dropped':1,'microseconds':81}]}"));
}

static void traces_are_those_behind_a_number(void **at)
{
	struct fake *f = *at;

	REFUSED("TraceTopicRule", "{'ruleName':'hot'}", SK_E_NOT_FOUND, "Rule hot does not exist");
	create(f, "hot", "a", false);
	create(f, "new", "a", false);
	OK("TraceTopicRule", "{'ruleName':'hot','after':17}");
	assert_true(fake_is(f, f->out, "{'traces':[1]}"));
	assert_int_equal(traced_after, 17);
	OK("TraceTopicRule", "{'ruleName':'hot','after':-1}");
	assert_int_equal(traced_after, 0);
	OK("TraceTopicRule", "{'ruleName':'new'}");
	assert_true(fake_is(f, f->out, "{'traces':[]}"));
}

/* With less and less memory each call answers, or says that there is none. */
static void scarce_memory_is_an_answer(void **at)
{
	static const struct { const char *op, *input; } calls[] = {
		{ "CreateTopicRule", "{\"ruleName\":\"b\",\"tags\":\"a=b\",\"topicRulePayload\":" SQL("SELECT * FROM 'a'") "}" },
		{ "ReplaceTopicRule", "{\"ruleName\":\"a\",\"topicRulePayload\":" SQL("SELECT * FROM 'b'") "}" },
		{ "DisableTopicRule", "{'ruleName':'a'}" }, { "GetTopicRule", "{'ruleName':'a'}" }, { "ListTopicRules", "{'topic':'a'}" },
		{ "DryRunTopicRule", "{\"ruleName\":\"a\",\"payload\":\"{}\",\"headers\":{\"userProperties\":[{\"key\":\"k\",\"value\":\"v\"}]}}" },
		{ "ListTopicRuleStatistics", "{}" }, { "TraceTopicRule", "{'ruleName':'hot'}" }, { "DeleteTopicRule", "{'ruleName':'a'}" },
	};
	struct fake *f = *at;

	files = true;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		for (size_t limit = 1; limit < 100000; limit = limit * 5 / 4 + 1) {
			fake_put(f, "registry/rule/a", "{\"payload\":" SQL("SELECT * FROM 'a'") ",\"filter\":\"a\",\"createdAt\":1}");
			fake_put(f, "registry/rule-filter/a", "{'filter':'a','createdAt':1}");
			fake_put(f, "registry/rule-filter/hot", "{'filter':'a','createdAt':1}");
			fake_delete(f, "registry/rule/b");
			f->memory_limit = limit;
			int rc = call(f, calls[i].op, calls[i].input);
			assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
			assert_true(!fake_get(f, "registry/rule/b") == !fake_get(f, "registry/rule-filter/b") || i);
			fake_delete(f, "registry/rule-filter/b");
		}
	f->memory_limit = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_records_go_together),
		TEST(a_rule_without_from_is_there_and_no_topic_reaches_it),
		TEST(what_is_refused_leaves_nothing),
		TEST(there_are_so_many_rules_and_no_more),
		TEST(what_a_file_makes_is_read_and_left_alone),
		TEST(pages_have_rules_of_both_kinds_in_order),
		TEST(a_dry_run_reads_what_it_needs_and_writes_nothing),
		TEST(a_dry_run_has_all_of_a_message),
		TEST(the_busiest_rules_come_first),
		TEST(traces_are_those_behind_a_number),
		TEST(scarce_memory_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
