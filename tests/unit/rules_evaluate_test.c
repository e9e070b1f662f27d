/* rules_evaluate_test.c -- messages through rules: what is sent, how fields are filled in, what fails alone and what fails all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rules/look.h"
#include "tests/unit/rules_world.h"
#include "tests/unit/sql_world.h"

static const struct golden {
	const char *rule, *topic, *payload;
	const char *want; /* "later", "error TEXT", "none", "nothing", or what is sent and a line for each action: " | kind FIELDS" or " | kind failed: TEXT" */
} cases[] = {
	{ "{`sql`:`SELECT * FROM 'a/b' WHERE temp > 30`,`actions`:[{`republish`:{`topic`:`x`,`roleArn`:`r`}}]}", "a/b", "{ \"temp\": 31 }",
	  "{ \"temp\": 31 } | republish {\"topic\":\"x\",\"roleArn\":\"r\"}" },
	{ "{`sql`:`SELECT * FROM 'a/b' WHERE temp > 30`,`actions`:[{`republish`:{`topic`:`x`,`roleArn`:`r`}}]}", "a/b", "{ \"temp\": 30 }", "none" },
	{ "{`sql`:`SELECT * FROM 'a/b'`,`actions`:[{`lambda`:{`functionArn`:`f`}}]}", "a/b", "not JSON", "not JSON | lambda {\"functionArn\":\"f\"}" },
	{ "{`sql`:`SELECT * FROM 'a/b'`,`actions`:[{`lambda`:{`functionArn`:`f`}}]}", "a/b", "", " | lambda {\"functionArn\":\"f\"}" },
	{ "{`sql`:`SELECT temp * 2 AS double, missing`,`actions`:[]}", "a/b", "{\"temp\":4}", "{\"double\":8}" },
	{ "{`sql`:`SELECT VALUE temp FROM 'a'`,`actions`:[{`lambda`:{`functionArn`:`f`}}]}", "a", "{\"temp\":\"hot\"}", "\"hot\" | lambda {\"functionArn\":\"f\"}" },
	{ "{`sql`:`SELECT VALUE missing FROM 'a'`,`actions`:[{`lambda`:{`functionArn`:`f`}}]}", "a", "{\"temp\":1}", "nothing" },
	/* templates see the message, not the statement's aliases */
	{ "{`sql`:`SELECT temp AS t FROM '#'`,`actions`:[{`republish`:{`topic`:`out/${topic(2)}/${temp}`,`qos`:1}}]}", "a/b", "{\"temp\":7}",
	  "{\"t\":7} | republish {\"topic\":\"out/b/7\",\"qos\":1}" },
	{ "{`sql`:`SELECT temp AS t FROM '#'`,`actions`:[{`republish`:{`topic`:`out/${t}`}}]}", "a/b", "{\"temp\":7}",
	  "{\"t\":7} | republish failed: topic: an expression of the template is undefined" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`s3`:{`bucketName`:`b`,`key`:`${clientid()}-${timestamp()}.json`,`roleArn`:`${x}`}}]}", "a", "{}",
	  "{\"one\":1} | s3 {\"bucketName\":\"b\",\"key\":\"client-1-1481825251155.json\",\"roleArn\":\"${x}\"}" },
	/* but its variables */
	{ "{`sql`:`SET @t = temp * 2 SELECT @t AS t FROM '#' WHERE @t > 10`,`actions`:[{`republish`:{`topic`:`out/${@t}/${temp}`}}]}", "a/b", "{\"temp\":7}",
	  "{\"t\":14} | republish {\"topic\":\"out/14/7\"}" },
	{ "{`sql`:`SET @t = temp * 2 SELECT @t AS t FROM '#'`,`actions`:[{`republish`:{`topic`:`out/${@u}`}}]}", "a/b", "{\"temp\":7}",
	  "actions[0].republish.topic: line 1, column 7: @u is not set" },
	/* one fails, the others do not */
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`sqs`:{`queueUrl`:`q`}},{`republish`:{`topic`:`${missing}`}},{`sns`:{`targetArn`:`${a}`}}]}", "a", "{\"a\":2}",
	  "{\"one\":1} | sqs {\"queueUrl\":\"q\"} | republish failed: topic: an expression of the template is undefined | sns {\"targetArn\":\"2\"}" },
	/* lists, members, depth */
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`contentType`:`text`,`userProperties`:[{`key`:`k`,`value`:`${a}`},"
	  "{`key`:`${a}${a}`,`value`:`v`}]}}}]}", "a", "{\"a\":2}",
	  "{\"one\":1} | republish {\"topic\":\"t\",\"headers\":{\"contentType\":\"text\",\"userProperties\":[{\"key\":\"k\",\"value\":\"2\"},{\"key\":\"22\",\"value\":\"v\"}]}}" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`userProperties`:[{`key`:`k`,`value`:`1`},{`key`:`k`,`value`:`${b}`}]}}}]}", "a", "{}",
	  "{\"one\":1} | republish failed: headers.userProperties[1].value: an expression of the template is undefined" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`kafka`:{`topic`:`t`,`clientProperties`:{`acks`:`1`,`sasl.scram.username`:`${u}`},`headers`:[{`key`:`${u}`,`value`:`v`}]}}]}", "a", "{\"u\":\"me\"}",
	  "{\"one\":1} | kafka {\"topic\":\"t\",\"clientProperties\":{\"acks\":\"1\",\"sasl.scram.username\":\"${u}\"},\"headers\":[{\"key\":\"me\",\"value\":\"v\"}]}" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`iotSiteWise`:{`putAssetPropertyValueEntries`:[{`propertyAlias`:`/${topic(1)}`,`propertyValues`:[{`value`:"
	  "{`doubleValue`:`${t}`},`timestamp`:{`timeInSeconds`:`${floor(timestamp() / 1000)}`,`offsetInNanos`:`0`}}]}],`roleArn`:`r`}}]}", "a", "{\"t\":1.5}",
	  "{\"one\":1} | iotSiteWise {\"putAssetPropertyValueEntries\":[{\"propertyAlias\":\"/a\",\"propertyValues\":[{\"value\":{\"doubleValue\":\"1.5\"},"
	  "\"timestamp\":{\"timeInSeconds\":\"1481825251\",\"offsetInNanos\":\"0\"}}]}],\"roleArn\":\"r\"}" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`dynamoDBv2`:{`roleArn`:`r`,`putItem`:{`tableName`:`t_${a}`}}}]}", "a", "{\"a\":{\"b\":[1]}}",
	  "{\"one\":1} | dynamoDBv2 {\"roleArn\":\"r\",\"putItem\":{\"tableName\":\"t_{\\\"b\\\":[1]}\"}}" },
	/* look-ups */
	{ "{`sql`:`SELECT get_thing_shadow(d, 'r').state.reported.alarm AS s FROM '#'`,`actions`:[]}", "a", "{\"d\":\"lamp\"}", "{\"s\":\"ON\"}" },
	{ "{`sql`:`SELECT get_thing_shadow(d, 'r') AS s FROM '#'`,`actions`:[]}", "a", "{\"d\":\"later\"}", "later" },
	{ "{`sql`:`SELECT get_thing_shadow(d, 'r') AS s FROM '#'`,`actions`:[]}", "a", "{\"d\":\"broken\"}", "error get_thing_shadow: it is broken" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`republish`:{`topic`:`${get_thing_shadow(d, 'r').state.reported.alarm}`}}]}", "a", "{\"d\":\"lamp\"}",
	  "{\"one\":1} | republish {\"topic\":\"ON\"}" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`sns`:{`targetArn`:`x`}},{`republish`:{`topic`:`${get_thing_shadow(d, 'r').state.reported.alarm}`}}]}", "a",
	  "{\"d\":\"later\"}", "later" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`sns`:{`targetArn`:`x`}},{`republish`:{`topic`:`${get_thing_shadow(d, 'r').state.reported.alarm}`}}]}", "a",
	  "{\"d\":\"broken\"}", "{\"one\":1} | sns {\"targetArn\":\"x\"} | republish failed: topic: get_thing_shadow: it is broken" },
	/* what is declared to be UTF-8 is */
	{ "{`sql`:`SELECT * FROM '#'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`payloadFormatIndicator`:`${'UTF8_DATA'}`}}},{`sqs`:{`queueUrl`:`q`}}]}", "a", "\xff",
	  "\xff | republish failed: the payload is not UTF-8, as headers.payloadFormatIndicator says | sqs {\"queueUrl\":\"q\"}" },
};

static const char *printed(struct sk_arena *a, int rc, const struct rules_outcome *o)
{
	char *text;

	if (rc == SQL_LATER)
		return "later";
	if (rc)
		return sk_printf(a, "error %s", o->why);
	if (o->outcome == SQL_NO_MATCH || o->outcome == SQL_NOTHING)
		return o->outcome == SQL_NOTHING ? "nothing" : "none";
	text = sk_printf(a, "%.*s", (int)o->size, (const char *)o->payload);
	for (int i = 0; i < o->deliveries; i++) {
		const struct rules_delivery *d = &o->delivery[i];
		const char *what = d->error ? sk_printf(a, "failed: %s", d->error) : sk_json_print(a, d->fields, NULL);
		text = sk_printf(a, "%s | %s %s", text, d->action->kind->name, what);
	}
	return text;
}

static void every_case_holds(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct golden *g = &cases[i];
		struct sk_arena kept = { 0 }, a = { 0 };
		struct rules_error e;
		const struct rules_rule *r = world_rule(&kept, g->rule, &e);
		struct sql_message m = world_parsed(&a, g->payload, g->topic);
		struct rules_outcome o;
		const char *got = r ? printed(&a, rules_evaluate(r, &m, &a, NULL, &o), &o) : e.message;
		if (strcmp(got, g->want) != 0) {
			print_error("%s\n  got      %s\n  expected %s\n", g->rule, got, g->want);
			failures++;
		}
		sk_arena_free(&a);
		sk_arena_free(&kept);
	}
	assert_int_equal(failures, 0);
}

/* Nothing is copied that need not be. */
static void what_is_not_filled_in_is_shared(void **state)
{
	static const char rule[] = "{`sql`:`SELECT * FROM '#'`,`actions`:[{`republish`:{`topic`:`t`}},{`s3`:{`bucketName`:`b`,`key`:`${n}`}}]}";
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o;
	const struct rules_rule *r = world_rule(&kept, rule, &e);
	struct sql_message m = world_parsed(&a, "{\"n\":1}", NULL);
	const cJSON *s3;

	(void)state;
	assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
	assert_ptr_equal(o.payload, m.payload);
	assert_ptr_equal(o.delivery[0].fields, r->action[0].fields);
	s3 = o.delivery[1].fields;
	assert_ptr_not_equal(s3, r->action[1].fields);
	assert_ptr_equal(sk_json_text(s3, "bucketName"), sk_json_text(r->action[1].fields, "bucketName"));
	assert_string_equal(sk_json_text(s3, "key"), "1");
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* One set of limits for the statement and all templates; who passes them fails alone. */
static void templates_share_the_limits(void **state)
{
	static const char rule[] = "{`sql`:`SELECT 1 AS a FROM '#'`,`actions`:[{`s3`:{`bucketName`:`b`,`key`:`${(SELECT VALUE x + 1 FROM list)}`}},"
	                           "{`s3`:{`bucketName`:`b`,`key`:`${(SELECT VALUE x + 1 FROM list)}`}},{`sqs`:{`queueUrl`:`q`}}]}";
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o;
	const struct rules_rule *r = world_rule(&kept, rule, &e);
	char *text = sk_alloc_text(&kept, 40000);
	struct sql_message m;
	uint64_t all;

	(void)state;
	strcpy(text, "{\"list\":[{\"x\":1}");
	for (int i = 0; i < 3000; i++)
		strcat(text, ",{\"x\":1}");
	m = world_parsed(&a, strcat(text, "]}"), NULL);
	assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
	assert_null(o.delivery[0].error);
	assert_null(o.delivery[1].error);
	all = o.steps;
	assert_true(all > 6000);
	assert_int_equal(rules_evaluate(r, &m, &a, &(struct expr_limits){ .steps = all * 3 / 4 }, &o), SK_OK);
	assert_null(o.delivery[0].error);
	assert_non_null(strstr(o.delivery[1].error, "key: more than "));
	assert_null(o.delivery[2].error);
	assert_int_equal(rules_evaluate(r, &m, &a, &(struct expr_limits){ .bytes = 1000 }, &o), SK_OK);
	assert_non_null(strstr(o.delivery[1].error, " bytes of memory"));
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* -- the error action -- */

static const struct {
	const char *rule, *payload, *why;
	const char *want;
} failed[] = {
	{ "{`sql`:`SELECT * FROM '#'`,`actions`:[{`s3`:{`bucketName`:`keep`,`key`:`${missing}`}},{`sqs`:{`queueUrl`:`q`}},{`iotSiteWise`:{`putAssetPropertyValueEntries`:[{"
	  "`entryId`:`${missing}`}]}},{`dynamoDBv2`:{`putItem`:{`tableName`:`${missing}`}}}],`errorAction`:{`republish`:{`topic`:`errors/${topic(1)}/${n}`}}}",
	  "{\"n\":1}", NULL,
	  "{\"ruleName\":\"alarm\",\"topic\":\"a/b/c\",\"cloudwatchTraceId\":\"12345678-1234-1234-1234-123456789012\",\"clientId\":\"client-1\","
	  "\"base64OriginalPayload\":\"eyJuIjoxfQ==\",\"failures\":["
	  "{\"failedAction\":\"S3Action\",\"failedResource\":\"keep\",\"errorMessage\":\"key: an expression of the template is undefined\"},"
	  "{\"failedAction\":\"IotSiteWiseAction\",\"errorMessage\":\"putAssetPropertyValueEntries[0].entryId: an expression of the template is undefined\"},"
	  "{\"failedAction\":\"DynamoDBv2Action\",\"failedResource\":\"${missing}\",\"errorMessage\":\"putItem.tableName: an expression of the template is undefined\"}]}"
	  " | republish {\"topic\":\"errors/a/1\"}" },
	{ "{`sql`:`SELECT * FROM '#'`,`actions`:[],`errorAction`:{`sqs`:{`queueUrl`:`q`}}}", "\xff", "it broke",
	  "{\"ruleName\":\"alarm\",\"topic\":\"a/b/c\",\"cloudwatchTraceId\":\"12345678-1234-1234-1234-123456789012\",\"clientId\":\"client-1\","
	  "\"base64OriginalPayload\":\"/w==\",\"failures\":[{\"failedAction\":\"RuleExecution\",\"failedResource\":\"alarm\",\"errorMessage\":\"it broke\"}]}"
	  " | sqs {\"queueUrl\":\"q\"}" },
	{ "{`sql`:`SELECT * FROM '#'`,`actions`:[],`errorAction`:{`sqs`:{`queueUrl`:`${x}`}}}", "", "it broke",
	  "{\"ruleName\":\"alarm\",\"topic\":\"a/b/c\",\"cloudwatchTraceId\":\"12345678-1234-1234-1234-123456789012\",\"clientId\":\"client-1\","
	  "\"base64OriginalPayload\":\"\",\"failures\":[{\"failedAction\":\"RuleExecution\",\"failedResource\":\"alarm\",\"errorMessage\":\"it broke\"}]}"
	  " | sqs failed: queueUrl: an expression of the template is undefined" },
	{ "{`sql`:`SELECT * FROM '#'`,`actions`:[]}", "{}", "it broke", "none" },
};

static void the_error_action_is_told_what_failed(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof failed / sizeof *failed; i++) {
		struct sk_arena kept = { 0 }, a = { 0 };
		struct rules_error e;
		const struct rules_rule *r = world_rule(&kept, failed[i].rule, &e);
		struct sql_message m = world_parsed(&a, failed[i].payload, NULL);
		struct rules_outcome first = { 0 }, o;
		if (!failed[i].why)
			assert_int_equal(rules_evaluate(r, &m, &a, NULL, &first), SK_OK);
		const char *got = printed(&a, rules_evaluate_error(r, &m, first.delivery, first.deliveries, failed[i].why, &a, &o), &o);
		if (strcmp(got, failed[i].want) != 0) {
			print_error("%s\n  got      %s\n  expected %s\n", failed[i].rule, got, failed[i].want);
			failures++;
		}
		sk_arena_free(&a);
		sk_arena_free(&kept);
	}
	assert_int_equal(failures, 0);
}

/* Who has no client id, as over HTTP, is called as clientid() calls him. */
static void an_error_without_a_client(void **state)
{
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o;
	const struct rules_rule *r = world_rule(&kept, "{`sql`:`SELECT * FROM '#'`,`actions`:[],`errorAction`:{`sqs`:{`queueUrl`:`q`}}}", &e);
	struct sql_message m = world_parsed(&a, "{}", NULL);

	(void)state;
	m.client_id = NULL;
	assert_int_equal(rules_evaluate_error(r, &m, NULL, 0, NULL, &a, &o), SK_OK);
	assert_non_null(strstr(o.payload, "\"clientId\":\"N/A\""));
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* A payload near the limit is over it in base64: the error action cannot republish it, and says so. */
static void an_error_document_may_be_too_big(void **state)
{
	static char bytes[100001];
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o;
	const struct rules_rule *r = world_rule(&kept, "{`sql`:`SELECT * FROM '#'`,`actions`:[],`errorAction`:{`republish`:{`topic`:`t`}}}", &e);
	struct sql_message m;

	(void)state;
	memset(bytes, 'x', sizeof bytes - 1);
	m = world_parsed(&a, bytes, NULL);
	assert_int_equal(rules_evaluate_error(r, &m, NULL, 0, "why", &a, &o), SK_OK);
	assert_non_null(strstr(o.delivery->error, "more than the 131072 that may be republished"));
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* -- chance -- */

/* A message that is run again, because a function's answer has come, asks the same again. */
static void what_is_made_of_chance_is_the_same_when_a_message_is_run_again(void **state)
{
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	const struct rules_rule *r = world_rule(&kept, "{`sql`:`SELECT traceid() AS t, newuuid() AS u, newuuid() AS v, rand() AS r FROM '#'`,`actions`:[]}", &e);
	struct sql_message m = world_parsed(&a, "{}", "a");
	const char *text[3];

	(void)state;
	m.trace_id = NULL;
	for (int i = 0; i < 3; i++) {
		struct rules_outcome o;
		m.seed[0] = i == 2;
		assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
		text[i] = o.payload;
		const cJSON *out = sk_json_parse(&a, o.payload, o.size, NULL, NULL);
		const char *trace = sk_json_text(out, "t"), *uuid = sk_json_text(out, "u");
		assert_true(strlen(trace) == 36 && trace[14] == '4' && strchr("89ab", trace[19]) && trace[8] == '-' && trace[23] == '-');
		assert_true(strlen(uuid) == 36 && uuid[14] == '4' && strcmp(uuid, trace) != 0);
		assert_string_not_equal(uuid, sk_json_text(out, "v"));
		assert_string_equal(trace, sql_trace_id(&m, &a));
	}
	assert_string_equal(text[0], text[1]);
	assert_string_not_equal(text[0], text[2]);
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* -- traces -- */

static const struct {
	const char *rule, *payload;
	const char *want; /* "later" */
} traces[] = {
	{ "{`sql`:`SELECT temp AS t FROM 'a/b' WHERE temp > 30`,`actions`:[{`republish`:{`topic`:`x/${temp}`}}]}", "{\"temp\":31}",
	  "{\"matched\":true,\"output\":{\"t\":31},\"clauses\":[{\"clause\":\"temp\",\"value\":31},{\"clause\":\"temp > 30\",\"value\":true},{\"clause\":\"temp\",\"value\":31}],"
	  "\"actions\":[{\"action\":\"republish\",\"fields\":{\"topic\":\"x/31\"}}]}" },
	{ "{`sql`:`SELECT temp AS t FROM 'a/b' WHERE temp > 30`,`actions`:[{`republish`:{`topic`:`x/${temp}`}}]}", "{\"temp\":3}",
	  "{\"matched\":false,\"clauses\":[{\"clause\":\"temp\",\"value\":3},{\"clause\":\"temp > 30\",\"value\":false}],\"actions\":[]}" },
	{ "{`sql`:`SELECT * FROM 'a/b'`,`actions`:[{`republish`:{`topic`:`${t}`}},{`republish`:{`topic`:`${u}`}}]}", "{\"t\":\"$aws/x\"}",
	  "{\"matched\":true,\"output\":{\"t\":\"$aws/x\"},\"clauses\":[],\"actions\":[{\"action\":\"republish\",\"fields\":{\"topic\":\"$aws/x\"},"
	  "\"error\":\"topic is reserved: it begins with $$aws/ if that is meant: '$aws/x'\"},{\"action\":\"republish\",\"fields\":{\"topic\":\"${u}\"},"
	  "\"error\":\"topic: an expression of the template is undefined\"}]}" },
	{ "{`sql`:`SELECT * FROM 'a/b'`,`actions`:[]}", "text", "{\"matched\":true,\"output\":\"text\",\"clauses\":[],\"actions\":[]}" },
	{ "{`sql`:`SELECT * FROM 'a/b'`,`actions`:[]}", "\xff\xfe", "{\"matched\":true,\"outputBase64\":\"//4=\",\"clauses\":[],\"actions\":[]}" },
	{ "{`sql`:`SELECT get_thing_shadow('broken', 'r') AS s FROM 'a/b'`,`actions`:[{`sqs`:{`queueUrl`:`q`}}]}", "{}",
	  "{\"matched\":false,\"clauses\":[],\"actions\":[],\"error\":\"get_thing_shadow: it is broken\"}" },
	{ "{`sql`:`SELECT 1 AS a FROM 'a/b' WHERE get_thing_shadow('later', 'r').a = 1`,`actions`:[]}", "{}", "later" },
};

static void each_clause_is_traced(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		struct sk_arena kept = { 0 }, a = { 0 };
		struct rules_error e;
		const struct rules_rule *r = world_rule(&kept, traces[i].rule, &e);
		struct sql_message m = world_parsed(&a, traces[i].payload, NULL);
		bool later = false;
		const cJSON *trace = rules_trace(r, &m, &a, NULL, &later);
		const char *got = later ? "later" : trace ? sk_json_print(&a, trace, NULL) : "nothing";
		if (strcmp(got, traces[i].want) != 0) {
			print_error("%s\n  got      %s\n  expected %s\n", traces[i].rule, got, traces[i].want);
			failures++;
		}
		assert_true(!m.document || (!m.document->string && !m.document->prev)); /* the message is as it was */
		sk_arena_free(&a);
		sk_arena_free(&kept);
	}
	assert_int_equal(failures, 0);
}

/* A great value that is looked at a thousand times is not kept a thousand times. */
static void a_trace_has_a_greatest_size(void **state)
{
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	char *rule = sk_alloc_text(&kept, 30000), *text = sk_alloc_text(&kept, 20000);
	struct sql_message m;
	const cJSON *trace;
	bool later;
	int values = 0, cuts = 0;

	(void)state;
	strcpy(rule, "{`sql`:`SELECT list AS a");
	for (int i = 0; i < 900; i++)
		sprintf(rule + strlen(rule), ", list AS a%d", i);
	strcat(rule, " FROM 'a'`,`actions`:[]}");
	strcpy(text, "{\"list\":[0");
	for (int i = 0; i < 2000; i++)
		strcat(text, ",0");
	m = world_parsed(&a, strcat(text, "]}"), NULL);
	trace = rules_trace(world_rule(&kept, rule, &e), &m, &a, NULL, &later);
	SK_JSON_EACH(line, sk_json_get(trace, "clauses")) {
		values += sk_json_get(line, "value") != NULL;
		cuts += sk_json_true(line, "cut");
	}
	assert_true(values > 20);
	assert_int_equal(values + cuts, 901);
	assert_true(a.total < 24 << 20);
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

/* -- secrets -- */

static const char *secret(void *context, const char *name, const char *key)
{
	(void)context;
	return strcmp(name, "db") ? NULL : !key ? "{\"user\":\"c4n4ry\",\"port\":\"c4n4ry\"}" : "c4n4ry";
}

#define ASK "get_secret('db', 'SecretString', 'user', 'arn:aws:iam::1:role/r')"

static const struct { const char *rule, *payload, *sent, *trace; } secrets[] = {
	{ "{`sql`:`SELECT a, " ASK " AS s FROM 'a/b'`,`actions`:[]}", "{\"a\":1}", "{\"a\":1,\"s\":\"c4n4ry\"}", "\"output\":{\"a\":1,\"s\":\"***\"}" },
	{ "{`sql`:`SET @s = " ASK " SELECT md5(@s) AS s FROM 'a/b'`,`actions`:[]}", "{}", "{\"s\":\"", "\"output\":{\"s\":\"8a7ab20" },
	{ "{`sql`:`SELECT get_secret('db', 'SecretString', 'arn:aws:iam::1:role/r').port AS s FROM 'a/b'`,`actions`:[]}", "{}", "{\"s\":\"c4n4ry\"}", "\"output\":{\"s\":\"***\"}" },
	{ "{`sql`:`SELECT 1 AS a FROM 'a/b' WHERE startswith(" ASK ", 'c4n')`,`actions`:[{`sqs`:{`queueUrl`:`q`}}]}", "{}", "{\"a\":1}", "{\"matched\":true,\"clauses\":[{\"clause\":\"get_secret" },
	{ "{`sql`:`SELECT 1 AS a FROM 'a/b'`,`actions`:[{`http`:{`url`:`u`,`headers`:[{`key`:`k`,`value`:`Bearer ${" ASK "}`}]}}]}", "{}", "{\"a\":1}", "\"value\":\"Bearer ***\"" },
	{ "{`sql`:`SET @s = " ASK " SELECT 1 AS a FROM 'a/b'`,`actions`:[{`http`:{`url`:`u`,`headers`:[{`key`:`k`,`value`:`${concat('x', @s)}`}]}}]}", "{}", "{\"a\":1}", "\"value\":\"x***\"" },
	{ "{`sql`:`SELECT 1 AS a FROM 'a/b'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`messageExpiry`:`${Get_Secret('db','SecretString','user','arn:aws:iam::1:role/r')}`}}}]}", "{}", "{\"a\":1}",
	  "\"error\":\"headers.messageExpiry is no number of seconds from 0 to 4294967295: '***'\"" },
	{ "{`sql`:`SELECT get_secret('none', 'SecretString', 'arn:') AS s FROM 'a/b'`,`actions`:[]}", "{}", NULL, "\"error\":\"get_secret: there is no secret none\"" },
};

/* What a rule sends has them; what people see of it does not. */
static void a_trace_shows_no_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		struct sk_arena kept = { 0 }, a = { 0 };
		struct rules_world w = { .arena = &a, .arn = "arn:", .secret = secret };
		char *text = sk_strdup(&kept, secrets[i].rule);
		struct rules_error e;
		struct sql_message m = world_parsed(&a, secrets[i].payload, NULL);
		struct rules_outcome o;
		bool later;
		const struct rules_rule *r = world_rule(&kept, text, &e);
		if (!r)
			fail_msg("%s: %s", secrets[i].rule, e.message);
		m.world = &w;
		m.look = rules_look;
		assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o) == SK_OK, secrets[i].sent != NULL);
		assert_true(r->secret || (r->actions && r->action->secret));
		if (secrets[i].sent && strncmp(o.payload, secrets[i].sent, strlen(secrets[i].sent)))
			fail_msg("%s: sent %s", secrets[i].rule, (const char *)o.payload);
		if (o.deliveries && o.delivery->action->secret && !o.delivery->error)
			assert_true(strstr(sk_json_print(&a, o.delivery->fields, NULL), "c4n4ry") || strstr(secrets[i].rule, "republish"));
		const char *trace = sk_json_print(&a, rules_trace(r, &m, &a, NULL, &later), NULL);
		if (!strstr(trace, secrets[i].trace) || strstr(trace, "c4n4ry"))
			fail_msg("%s: shown %s", secrets[i].rule, trace);
		sk_arena_free(&a);
		sk_arena_free(&kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_holds),
		cmocka_unit_test(a_trace_shows_no_secret),
		cmocka_unit_test(what_is_not_filled_in_is_shared),
		cmocka_unit_test(templates_share_the_limits),
		cmocka_unit_test(the_error_action_is_told_what_failed),
		cmocka_unit_test(an_error_without_a_client),
		cmocka_unit_test(an_error_document_may_be_too_big),
		cmocka_unit_test(what_is_made_of_chance_is_the_same_when_a_message_is_run_again),
		cmocka_unit_test(each_clause_is_traced),
		cmocka_unit_test(a_trace_has_a_greatest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
