/* rules_evaluate_test.c -- messages through rules: what is sent, how fields are filled in, what fails alone and what fails all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

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
	/* one fails, the others do not */
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`sqs`:{`queueUrl`:`q`}},{`republish`:{`topic`:`${missing}`}},{`sns`:{`targetArn`:`${a}`}}]}", "a", "{\"a\":2}",
	  "{\"one\":1} | sqs {\"queueUrl\":\"q\"} | republish failed: topic: an expression of the template is undefined | sns {\"targetArn\":\"2\"}" },
	/* lists, members, depth */
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`contentType`:`text`,`userProperties`:[{`key`:`k`,`value`:`${a}`},"
	  "{`key`:`${a}${a}`,`value`:`v`}]}}}]}", "a", "{\"a\":2}",
	  "{\"one\":1} | republish {\"topic\":\"t\",\"headers\":{\"contentType\":\"text\",\"userProperties\":[{\"key\":\"k\",\"value\":\"2\"},{\"key\":\"22\",\"value\":\"v\"}]}}" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`republish`:{`topic`:`t`,`headers`:{`userProperties`:[{`key`:`k`,`value`:`1`},{`key`:`k`,`value`:`${b}`}]}}}]}", "a", "{}",
	  "{\"one\":1} | republish failed: headers.userProperties[1].value: an expression of the template is undefined" },
	{ "{`sql`:`SELECT 1 AS one FROM '#'`,`actions`:[{`kafka`:{`topic`:`t`,`clientProperties`:{`acks`:`1`,`sasl.scram.username`:`${u}`}}}]}", "a", "{\"u\":\"me\"}",
	  "{\"one\":1} | kafka {\"topic\":\"t\",\"clientProperties\":{\"acks\":\"1\",\"sasl.scram.username\":\"me\"}}" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
