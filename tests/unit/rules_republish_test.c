/* rules_republish_test.c -- the fields of a republish: topics and headers that may be published, and what is said of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rules_world.h"
#include "tests/unit/sql_world.h"

static const char *republish(struct sk_arena *a, const cJSON *fields, struct rules_republish *out)
{
	const struct rules_action action = { .kind = rules_kind("republish"), .fields = fields };
	const struct rules_delivery d = { .action = &action, .fields = fields };

	return rules_republish(&d, a, out);
}

/* -- topics -- */

#define E32 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define E256 E32 E32 E32 E32 E32 E32 E32 E32

static const struct {
	const char *given;
	const char *topic; /* what is published to; NULL: it is refused */
	const char *fault;
} topics[] = {
	{ "a", "a", NULL },
	{ "a/b/", "a/b/", NULL },
	{ "/", "/", NULL },
	{ "a/$aws/b", "a/$aws/b", NULL },
	{ "\xc3\xa4/\xe2\x82\xac", "\xc3\xa4/\xe2\x82\xac", NULL },
	{ "$$aws/things/lamp/shadow/update", "$aws/things/lamp/shadow/update", NULL },
	{ "$$aws/things/lamp/shadow/name/jobs/update", "$aws/things/lamp/shadow/name/jobs/update", NULL },
	{ "$$aws/rules/next/a/b", "$aws/rules/next/a/b", NULL },
	{ "1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8", NULL },
	{ "1/2/3/4/5/6/7/8/9", NULL, "topic has more than 7 slashes: '1/2/3/4/5/6/7/8/9'" },
	{ "$$aws/2/3/4/5/6/7/8", "$aws/2/3/4/5/6/7/8", NULL },
	{ "$$aws/2/3/4/5/6/7/8/9", NULL, "topic has more than 7 slashes: '$aws/2/3/4/5/6/7/8/9'" },
	{ "$$aws/rules/r/1/2/3/4/5/6/7/8", "$aws/rules/r/1/2/3/4/5/6/7/8", NULL }, /* the first three segments are not counted */
	{ "$$aws/rules/r/1/2/3/4/5/6/7/8/9", NULL, "topic has more than 7 slashes: '$aws/rules/r/1/2/3/4/5/6/7/8/9'" },
	{ E256, E256, NULL },
	{ E256 "e", NULL, "topic is longer than 256 bytes: '" E32 E32 E32 "eeee'" },
	{ E256 E32 "\xc3\xa4", NULL, "topic is longer than 256 bytes: '" E32 E32 E32 "eeee'" },
	{ E32 E32 E32 "eee\xc3\xa4" E256, NULL, "topic is longer than 256 bytes: '" E32 E32 E32 "eee'" }, /* no half a character */
	{ "$$aws/rules/r/" E256, "$aws/rules/r/" E256, NULL },
	{ "", NULL, "topic is empty: ''" },
	{ "$$aws/rules/r/", "$aws/rules/r/", NULL },
	{ "a/+/b", NULL, "topic holds a wildcard: 'a/+/b'" },
	{ "a/#", NULL, "topic holds a wildcard: 'a/#'" },
	{ "a#", NULL, "topic holds a wildcard: 'a#'" },
	{ "a\nb", NULL, "topic is not UTF-8, or holds a control character: 'a?b'" },
	{ "a/\xff", NULL, "topic is not UTF-8, or holds a control character: 'a/?'" },
	{ "a/\xed\xa0\x80", NULL, "topic is not UTF-8, or holds a control character: 'a/?\?\?'" },
	{ "$aws/things/lamp/shadow/update", NULL, "topic is reserved: it begins with $$aws/ if that is meant: '$aws/things/lamp/shadow/update'" },
	{ "$SYS/broker", NULL, "topic is reserved: it begins with $$aws/ if that is meant: '$SYS/broker'" },
	{ "$$SYS/broker", NULL, "topic is reserved: of topics with a dollar only those below $$aws/ are published to: '$SYS/broker'" },
	{ "$$CONTROL/skeeter/v1", NULL, "topic is reserved: of topics with a dollar only those below $$aws/ are published to: '$CONTROL/skeeter/v1'" },
	{ "$$share/g/t", NULL, "topic is reserved: of topics with a dollar only those below $$aws/ are published to: '$share/g/t'" },
	{ "$$$aws/things/x/shadow/get", NULL, "topic is reserved: of topics with a dollar only those below $$aws/ are published to: '$$aws/things/x/shadow/get'" },
	{ "$$", NULL, "topic is reserved: of topics with a dollar only those below $$aws/ are published to: '$'" },
	{ "$", NULL, "topic is reserved: it begins with $$aws/ if that is meant: '$'" },
	{ "$$aws/things/lamp/jobs/get", NULL, "topic is one of jobs, which rules may not publish to: '$aws/things/lamp/jobs/get'" },
	{ "$$aws/things/lamp/jobs", NULL, "topic is one of jobs, which rules may not publish to: '$aws/things/lamp/jobs'" },
	{ "$$aws/things//jobs/x", NULL, "topic is one of jobs, which rules may not publish to: '$aws/things//jobs/x'" },
	{ "$$aws/things/lamp/jobsy", "$aws/things/lamp/jobsy", NULL },
	{ "$$aws/things/jobs", "$aws/things/jobs", NULL },
};

static void topics_are_published_to_or_refused(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		struct sk_arena a = { 0 };
		cJSON topic = { .type = cJSON_String, .string = (char *)"topic", .valuestring = (char *)topics[i].given };
		cJSON fields = { .type = cJSON_Object, .child = &topic };
		struct rules_republish out;
		topic.prev = &topic;
		const char *fault = republish(&a, &fields, &out);
		const char *got = fault ? fault : out.topic, *want = topics[i].fault ? topics[i].fault : topics[i].topic;
		if (strcmp(got, want) != 0 || !fault != !topics[i].fault) {
			print_error("%s\n  got      %s\n  expected %s\n", topics[i].given, got, want);
			failures++;
		}
		sk_arena_free(&a);
	}
	assert_int_equal(failures, 0);
}

/* -- headers -- */

static const struct {
	const char *fields; /* beside the topic */
	const char *fault;  /* NULL: it is fine */
} headers[] = {
	{ "`qos`:0", NULL },
	{ "`qos`:1", NULL },
	{ "`qos`:2", "qos is neither 0 nor 1" },
	{ "`qos`:-1", "qos is neither 0 nor 1" },
	{ "`headers`:{}", NULL },
	{ "`headers`:null", NULL },
	{ "`headers`:{`payloadFormatIndicator`:`UTF8_DATA`}", NULL },
	{ "`headers`:{`payloadFormatIndicator`:`UNSPECIFIED_BYTES`}", NULL },
	{ "`headers`:{`payloadFormatIndicator`:`utf8`}", "headers.payloadFormatIndicator is neither UNSPECIFIED_BYTES nor UTF8_DATA: 'utf8'" },
	{ "`headers`:{`payloadFormatIndicator`:``}", "headers.payloadFormatIndicator is neither UNSPECIFIED_BYTES nor UTF8_DATA: ''" },
	{ "`headers`:{`contentType`:``}", NULL },
	{ "`headers`:{`contentType`:`a\\u0007b`}", "headers.contentType is not UTF-8, holds a control character, or is longer than 65535 bytes: 'a?b'" },
	{ "`headers`:{`responseTopic`:`a/b`}", NULL },
	{ "`headers`:{`responseTopic`:``}", "headers.responseTopic is empty: ''" },
	{ "`headers`:{`responseTopic`:`a/+`}", "headers.responseTopic holds a wildcard: 'a/+'" },
	{ "`headers`:{`responseTopic`:`1/2/3/4/5/6/7/8/9`}", "headers.responseTopic has more than 7 slashes: '1/2/3/4/5/6/7/8/9'" },
	{ "`headers`:{`correlationData`:``}", NULL },
	{ "`headers`:{`correlationData`:`AQL/`}", NULL },
	{ "`headers`:{`correlationData`:`AQL`}", "headers.correlationData is not base64: 'AQL'" },
	{ "`headers`:{`correlationData`:`AQ==AQ==`}", "headers.correlationData is not base64: 'AQ==AQ=='" },
	{ "`headers`:{`messageExpiry`:`0`}", NULL },
	{ "`headers`:{`messageExpiry`:`4294967295`}", NULL },
	{ "`headers`:{`messageExpiry`:`4294967296`}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: '4294967296'" },
	{ "`headers`:{`messageExpiry`:`99999999999999999999999`}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: '99999999999999999999999'" },
	{ "`headers`:{`messageExpiry`:`-1`}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: '-1'" },
	{ "`headers`:{`messageExpiry`:`1.5`}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: '1.5'" },
	{ "`headers`:{`messageExpiry`:` 1`}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: ' 1'" },
	{ "`headers`:{`messageExpiry`:``}", "headers.messageExpiry is no number of seconds from 0 to 4294967295: ''" },
	{ "`headers`:{`userProperties`:[]}", NULL },
	{ "`headers`:{`userProperties`:{}}", "headers.userProperties is no list of at most 100 properties" },
	{ "`headers`:{`userProperties`:[{`key`:`a`}]}", "headers.userProperties needs a key and a value in each, UTF-8 without control characters" },
	{ "`headers`:{`userProperties`:[{`key`:`a\\n`,`value`:`b`}]}", "headers.userProperties needs a key and a value in each, UTF-8 without control characters" },
	{ "`headers`:{`userProperties`:[{`key`:``,`value`:``},{`key`:`a`,`value`:`b`},{`key`:`a`,`value`:`c`}]}", NULL },
};

static void headers_are_sent_or_refused(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct sk_arena a = { 0 };
		struct rules_republish out;
		const char *fault = republish(&a, world_json(&a, sk_printf(&a, "{`topic`:`t`,%s}", headers[i].fields)), &out);
		if (strcmp(fault ? fault : "fine", headers[i].fault ? headers[i].fault : "fine") != 0) {
			print_error("%s\n  got      %s\n  expected %s\n", headers[i].fields, fault ? fault : "fine", headers[i].fault ? headers[i].fault : "fine");
			failures++;
		}
		sk_arena_free(&a);
	}
	assert_int_equal(failures, 0);
}

static void all_that_headers_say_is_in_the_message(void **state)
{
	static const char text[] = "{`topic`:`t`,`qos`:1,`headers`:{`payloadFormatIndicator`:`UTF8_DATA`,`contentType`:`text/plain`,`responseTopic`:`answers`,"
	                           "`correlationData`:`AQL/`,`messageExpiry`:`60`,`userProperties`:[{`key`:`a`,`value`:`1`},{`key`:`a`,`value`:`2`}]}}";
	struct sk_arena a = { 0 };
	struct rules_republish out;

	(void)state;
	assert_null(republish(&a, world_json(&a, text), &out));
	assert_string_equal(out.topic, "t");
	assert_int_equal(out.qos, 1);
	assert_false(out.retain);
	assert_int_equal(out.message.flags, SK_QOS1);
	assert_true(out.message.utf8);
	assert_int_equal(out.message.expiry_s, 60);
	assert_string_equal(out.message.content_type, "text/plain");
	assert_string_equal(out.message.response_topic, "answers");
	assert_int_equal(out.message.correlation_size, 3);
	assert_memory_equal(out.message.correlation, "\x01\x02\xff", 3);
	assert_int_equal(out.message.users, 2);
	assert_string_equal(out.message.user[1].name, "a");
	assert_string_equal(out.message.user[1].value, "2");
	assert_null(republish(&a, world_json(&a, "{`topic`:`t`}"), &out));
	assert_int_equal(out.qos, 0);
	assert_false(out.message.utf8);
	assert_null(out.message.correlation);
	assert_int_equal(out.message.users, 0);
	sk_arena_free(&a);
}

static void user_properties_have_a_number_and_a_size(void **state)
{
	struct sk_arena a = { 0 };
	struct rules_republish out;
	cJSON *fields = world_json(&a, "{`topic`:`t`,`headers`:{`userProperties`:[]}}"), *list = sk_json_get(sk_json_get(fields, "headers"), "userProperties");

	(void)state;
	for (int i = 0; i < 101; i++) {
		cJSON *one = sk_json_append(list, sk_json_object(&a));
		sk_json_set_string(&a, one, "key", "a");
		sk_json_set_string(&a, one, "value", "b");
		assert_int_equal(republish(&a, fields, &out) != NULL, i == 100);
	}
	fields = world_json(&a, "{`topic`:`t`,`headers`:{`userProperties`:[{`key`:`k`}]}}");
	list = sk_json_get(sk_json_get(fields, "headers"), "userProperties");
	sk_json_set_string(&a, list->child, "value", sk_printf(&a, "%08191d", 0));
	assert_null(republish(&a, fields, &out));
	sk_json_set_string(&a, list->child, "value", sk_printf(&a, "%08192d", 0));
	assert_string_equal(republish(&a, fields, &out), "headers.userProperties has more than 8192 bytes");
	sk_arena_free(&a);
}

/* -- payloads -- */

/* "128 KB" of MQTT. */
static void a_payload_has_a_greatest_size(void **state)
{
	static char bytes[131074];
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o;
	const struct rules_rule *r = world_rule(&kept, "{`sql`:`SELECT * FROM '#'`,`actions`:[{`sqs`:{`queueUrl`:`q`}},{`republish`:{`topic`:`t`}}]}", &e);
	struct sql_message m = world_message(bytes, NULL);

	(void)state;
	memset(bytes, 'x', sizeof bytes - 1);
	m.size = 131072;
	assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
	assert_null(o.delivery[1].error);
	m.size = 131073;
	assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
	assert_null(o.delivery[0].error);
	assert_string_equal(o.delivery[1].error, "the payload has 131073 bytes, more than the 131072 that may be republished");
	sk_arena_free(&a);
	sk_arena_free(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_are_published_to_or_refused),
		cmocka_unit_test(headers_are_sent_or_refused),
		cmocka_unit_test(all_that_headers_say_is_in_the_message),
		cmocka_unit_test(user_properties_have_a_number_and_a_size),
		cmocka_unit_test(a_payload_has_a_greatest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
