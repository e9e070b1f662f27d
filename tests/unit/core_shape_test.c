/* core_shape_test.c -- rows of types and inputs, AWS's validation sentences word for word, and text bound to types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/shape.h"
#include "core/shape_pattern.h"

#define OF(...) ((const struct sk_shape[]){ __VA_ARGS__, { 0 } })
#define STR(n, lo, hi, p) { .name = n, .kind = SK_SHAPE_STRING, .min = lo, .max = hi, .text = p }

static const struct sk_shape shapes[] = {
	STR("AttributeName", 0, 8, "[a-z]+"),
	STR("AttributeValue", 0, 5, ""),
	{ .name = "Attributes", .kind = SK_SHAPE_MAP, .key = "AttributeName", .element = "AttributeValue" },
	{ .name = "AttributePayload", .kind = SK_SHAPE_STRUCT, .text = "attributes:Attributes merge:Boolean" },
	{ .name = "Status", .kind = SK_SHAPE_ENUM, .text = "ACTIVE INACTIVE" },
	{ .name = "StatusList", .kind = SK_SHAPE_LIST, .element = "Status", .max = 3 },
	{ .name = "Ratio", .kind = SK_SHAPE_NUMBER, .min = 0, .max = 100 },
	{ .name = "Document", .kind = SK_SHAPE_ANY },
	{ .name = "Node", .kind = SK_SHAPE_STRUCT, .text = "name!:ThingName children:NodeList byName:NodeMap" },
	{ .name = "NodeList", .kind = SK_SHAPE_LIST, .element = "Node" },
	{ .name = "NodeMap", .kind = SK_SHAPE_MAP, .key = "String", .element = "Node" },
	{ .name = "Grid", .kind = SK_SHAPE_LIST, .element = "StatusList" },
	{ .name = "Version", .kind = SK_SHAPE_LONG, .min = INT64_MIN, .max = INT64_MAX },
	{ 0 }
};

static struct sk_shapes *all;
static struct sk_arena arena;
static char why[300];

static int setup(void **state)
{
	(void)state;
	all = sk_shapes_new();
	return all && sk_shapes_add(all, shapes, why, sizeof why) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sk_shapes_free(&all);
	sk_arena_free(&arena);
	return all ? -1 : 0;
}

static struct sk_inputs *inputs(const char *route, const char *text)
{
	struct sk_inputs *in = sk_inputs_new(all, route, text, true, why, sizeof why);
	if (!in)
		fail_msg("%s", why);
	return in;
}

/* What the check says of the JSON text, "" when it passes. */
static const char *check(const char *route, const char *text, const char *json)
{
	const char *message;
	struct sk_inputs *in = inputs(route, text);
	const cJSON *object = sk_json_parse(&arena, json, strlen(json), NULL, NULL);
	int rc = sk_inputs_check(in, &arena, object, &message);
	assert_int_equal(rc, message ? -1 : 0);
	sk_inputs_free(&in);
	assert_null(in);
	return message ? message : "";
}

#define FAILED " failed to satisfy constraint: Member must "

static void sentences_are_awss_word_for_word(void **state)
{
	(void)state;
	static const struct {
		const char *route, *inputs, *json, *message;
	} cases[] = {
		{ "/things/{thingName}", "", "{\"thingName\":\"a b\"}",
		  "1 validation error detected: Value 'a b' at 'thingName'" FAILED
		  "satisfy regular expression pattern: [a-zA-Z0-9:_-]+" },
		{ "/things/{thingName}", "", "{}", "1 validation error detected: Value null at 'thingName'" FAILED "not be null" },
		{ "/things/{thingName}", "", "{\"thingName\":null}",
		  "1 validation error detected: Value null at 'thingName'" FAILED "not be null" },
		{ "/things/{thingName}", "", "[]", "1 validation error detected: Value null at 'thingName'" FAILED "not be null" },
		{ "/things/{thingName}", "", "{\"thingName\":\"\"}",
		  "2 validation errors detected: Value '' at 'thingName'" FAILED "have length greater than or equal to 1; "
		  "Value '' at 'thingName'" FAILED "satisfy regular expression pattern: [a-zA-Z0-9:_-]+" },
		{ "/", "maxResults", "{\"maxResults\":251}",
		  "1 validation error detected: Value '251' at 'maxResults'" FAILED "have value less than or equal to 250" },
		{ "/", "maxResults", "{\"maxResults\":0}",
		  "1 validation error detected: Value '0' at 'maxResults'" FAILED "have value greater than or equal to 1" },
		{ "/", "status", "{\"status\":\"LOST\"}",
		  "1 validation error detected: Value 'LOST' at 'status'" FAILED "satisfy enum value set: [ACTIVE, INACTIVE]" },
		{ "/", "status! maxResults", "{\"maxResults\":300}",
		  "2 validation errors detected: Value null at 'status'" FAILED "not be null; "
		  "Value '300' at 'maxResults'" FAILED "have value less than or equal to 250" },
		{ "/", "tags:TagList", "{\"tags\":[{\"Key\":\"a\"},{\"Key\":\"\",\"Value\":\"x\"},{}]}",
		  "2 validation errors detected: Value '' at 'tags.2.member.key'" FAILED "have length greater than or equal to 1; "
		  "Value null at 'tags.3.member.key'" FAILED "not be null" },
		{ "/", "attributePayload", "{\"attributePayload\":{\"attributes\":{\"A\":\"x\",\"b\":\"123456\"}}}",
		  "2 validation errors detected: Value '{A=x, b=123456}' at 'attributePayload.attributes' failed to satisfy constraint: "
		  "Map keys must satisfy constraint: [Member must have length less than or equal to 8, "
		  "Member must satisfy regular expression pattern: [a-z]+]; "
		  "Value '{A=x, b=123456}' at 'attributePayload.attributes' failed to satisfy constraint: "
		  "Map value must satisfy constraint: [Member must have length less than or equal to 5]" },
		{ "/", "tagKeys:TagKeyList!", "{\"tagKeys\":[\"a\",\"\"]}",
		  "1 validation error detected: Value '[a, ]' at 'tagKeys'" FAILED "satisfy constraint: "
		  "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
		  "Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$]" },
		{ "/", "statusList", "{\"statusList\":[\"ACTIVE\",null,\"X\"]}",
		  "1 validation error detected: Value '[ACTIVE, null, X]' at 'statusList'" FAILED "satisfy constraint: "
		  "[Member must satisfy enum value set: [ACTIVE, INACTIVE], Member must not be null]" },
		{ "/", "statusList", "{\"statusList\":[\"ACTIVE\",\"ACTIVE\",\"ACTIVE\",\"ACTIVE\"]}",
		  "1 validation error detected: Value '[ACTIVE, ACTIVE, ACTIVE, ACTIVE]' at 'statusList'" FAILED
		  "have length less than or equal to 3" },
		{ "/", "grid", "{\"grid\":[[],[\"X\"]]}",
		  "1 validation error detected: Value '[X]' at 'grid.2.member'" FAILED "satisfy constraint: "
		  "[Member must satisfy enum value set: [ACTIVE, INACTIVE]]" },
		{ "/", "node", "{\"node\":{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"byName\":{\"Key\":{\"name\":\"?\"}}}]}}",
		  "1 validation error detected: Value '?' at 'node.children.1.member.byName.Key.member.name'" FAILED
		  "satisfy regular expression pattern: [a-zA-Z0-9:_-]+" },
		{ "/", "ratio", "{\"ratio\":100.5}",
		  "1 validation error detected: Value '100.5' at 'ratio'" FAILED "have value less than or equal to 100" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(check(cases[i].route, cases[i].inputs, cases[i].json), cases[i].message);
}

static void wrong_json_types_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *input, *json, *value, *type;
	} cases[] = {
		{ "x:ThingName", "5", "5", "string" },     { "x:ThingName", "{\"a\":[1,true]}", "{a=[1, true]}", "string" },
		{ "x:MaxResults", "\"5\"", "5", "integer" }, { "x:MaxResults", "1.5", "1.5", "integer" },
		{ "x:Integer", "2147483648", "2147483648", "integer" }, { "x:Long", "9223372036854775808", "9223372036854775808", "long" },
		{ "x:Boolean", "\"true\"", "true", "boolean" }, { "x:Ratio", "\"1\"", "1", "number" },
		{ "x:Status", "true", "true", "string" },   { "x:TagList", "{}", "{}", "list" },
		{ "x:Attributes", "[]", "[]", "map" },      { "x:Tag", "\"t\"", "t", "structure" },
		{ "x:Timestamp", "\"now\"", "now", "timestamp" },
	};
	char json[200], message[300];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(json, sizeof json, "{\"x\":%s}", cases[i].json);
		snprintf(message, sizeof message, "1 validation error detected: Value '%s' at 'x'" FAILED "be of type %s", cases[i].value,
		         cases[i].type);
		assert_string_equal(check("/", cases[i].input, json), message);
	}
	assert_string_equal(check("/", "statusList", "{\"statusList\":[1]}"),
	                    "1 validation error detected: Value '[1]' at 'statusList'" FAILED
	                    "satisfy constraint: [Member must be of type string]");
	assert_string_equal(check("/", "tags:TagList", "{\"tags\":[1]}"),
	                    "1 validation error detected: Value '[1]' at 'tags'" FAILED
	                    "satisfy constraint: [Member must be of type structure]");
}

static void good_input_passes(void **state)
{
	(void)state;
	static const struct {
		const char *route, *inputs, *json;
	} cases[] = {
		{ "/things/{thingName}", "attributePayload &page", "{\"thingName\":\"lamp:1\",\"attributePayload\":{\"attributes\":{\"a\":\"b\"},"
		  "\"merge\":true},\"nextToken\":\"\",\"maxResults\":250,\"unknown\":{\"x\":[1]}}" },
		{ "/", "maxResults", "{\"maxResults\":null}" },
		{ "/", "maxResults", "{\"maxResults\":2.5e1}" },
		{ "/", "version", "{\"version\":9223372036854775807}" },
		{ "/", "version", "{\"version\":-9223372036854775808}" },
		{ "/", "document", "{\"document\":[null,{\"a\":1}]}" },
		{ "/", "x:Timestamp", "{\"x\":1700000000.123}" },
		{ "/", "x:Integer", "{\"x\":-2147483648}" },
		{ "/", "", "{}" },
		{ "/", "x:AttributeValue", "{\"x\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xb6\xc3\xbc\"}" },
		{ "/", "tagKeys:TagKeyList", "{\"tagKeys\":[\"Gr\xc3\xb6\xc3\x9f" "e @1\"]}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(check(cases[i].route, cases[i].inputs, cases[i].json), "");
}

static void a_missing_body_lacks_what_is_required(void **state)
{
	(void)state;
	const char *message;
	struct sk_inputs *in = inputs("/", "status!");
	assert_int_equal(sk_inputs_check(in, &arena, NULL, &message), -1);
	assert_non_null(strstr(message, "Value null at 'status'"));
	sk_inputs_free(&in);
	sk_inputs_free(&in);
}

static void long_values_paths_and_lists_of_errors_are_cut(void **state)
{
	(void)state;
	enum { N = 300000 };
	char *json = malloc(N * 4);
	size_t n = (size_t)sprintf(json, "{\"x\":\"");
	for (int i = 0; i < N; i++)
		n += (size_t)sprintf(json + n, "\xc3\xa4");
	strcpy(json + n, "\"}");
	const char *message = check("/", "x:ThingName", json);
	assert_true(strlen(message) < 6000 && sk_utf8_valid(message, strlen(message)));
	assert_non_null(strstr(message, "\xc3\xa4...' at 'x'"));
	n = (size_t)sprintf(json, "{\"tags\":[{}");
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(json + n, ",{}");
	strcpy(json + n, "]}");
	message = check("/", "tags:TagList", json);
	assert_memory_equal(message, "64 validation errors detected: ", 31);
	assert_non_null(strstr(message, "'tags.64.member.key'"));
	assert_null(strstr(message, "'tags.65.member.key'"));
	free(json);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char json[4000] = "{\"node\":";
	for (int i = 0; i < 40; i++)
		strcat(json, "{\"name\":\"a\",\"children\":[");
	for (int i = 0; i < 40; i++)
		strcat(json, "]}");
	strcat(json, "}");
	const char *message = check("/", "node", json);
	assert_non_null(strstr(message, "1 validation error detected: "));
	assert_non_null(strstr(message, "Member must not be nested deeper than 32 levels"));
}

static void a_check_survives_every_failed_allocation(void **state)
{
	(void)state;
	struct sk_inputs *in = inputs("/", "attributePayload tags:TagList status!");
	const char *json = "{\"attributePayload\":{\"attributes\":{\"A\":\"123456\"}},\"tags\":[{}],\"status\":\"X\"}", *message;
	const cJSON *object = sk_json_parse(&arena, json, strlen(json), NULL, NULL);
	for (long i = 1; i < 12; i++) {
		struct sk_arena small = { 0 };
		sk_arena_fail_after(i);
		assert_int_equal(sk_inputs_check(in, &small, object, &message), -1);
		sk_arena_fail_after(0);
		assert_true(message || small.failed);
		sk_arena_free(&small);
	}
	sk_inputs_free(&in);
}

static void inputs_have_place_type_and_requiredness(void **state)
{
	(void)state;
	static const struct sk_input expected[] = {
		{ "thingName", "ThingName", true, SK_IN_PATH, "thingName" },
		{ "key", "TagKey", true, SK_IN_PATH, "key" },
		{ "principal", "String", true, SK_IN_HEADER, "x-amzn-principal" },
		{ "status", "Status", false, SK_IN_QUERY, "status" },
		{ "tags", "TagList", true, SK_IN_BODY, "tags" },
		{ "nextToken", "NextToken", false, SK_IN_BODY, "nextToken" },
		{ "maxResults", "MaxResults", false, SK_IN_BODY, "maxResults" },
		{ "marker", "Marker", false, SK_IN_QUERY, "marker" },
		{ "pageSize", "PageSize", false, SK_IN_QUERY, "pageSize" },
		{ "ascendingOrder", "AscendingOrder", false, SK_IN_QUERY, "isAscendingOrder" },
	};
	struct sk_inputs *in = inputs("/things/{thingName}/x/{key+:TagKey}", "^principal!:String=x-amzn-principal ?status tags:TagList!\n\t&page ?&marks");
	assert_int_equal(sk_inputs_count(in), sizeof expected / sizeof *expected);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const struct sk_input *got = sk_inputs_at(in, i);
		assert_string_equal(got->name, expected[i].name);
		assert_string_equal(got->type, expected[i].type);
		assert_int_equal(got->required, expected[i].required);
		assert_int_equal(got->place, expected[i].place);
		assert_string_equal(got->wire, expected[i].wire);
	}
	assert_null(sk_inputs_at(in, 10));
	sk_inputs_free(&in);
	in = sk_inputs_new(all, "/", "status", false, why, sizeof why);
	assert_int_equal(sk_inputs_at(in, 0)->place, SK_IN_QUERY);
	sk_inputs_free(&in);
}

/* A raw input is a body that the check does not see; as a member it is checked like any other. A whole one is always checked. */
static void one_input_and_one_output_may_be_the_body(void **state)
{
	(void)state;
	struct sk_inputs *in = inputs("/x", "@status! >payload");
	assert_int_equal(sk_inputs_count(in), 1);
	assert_int_equal(sk_inputs_at(in, 0)->place, SK_IN_RAW);
	assert_string_equal(sk_inputs_raw(in), "status");
	assert_string_equal(sk_inputs_raw_output(in), "payload");
	sk_inputs_free(&in);
	assert_string_equal(check("/x", "@status! >payload", "{}"), "");
	assert_true(strstr(check("/x", "@status! >payload", "{\"status\":1}"), "'status'") != NULL);
	in = inputs("/x", "status >payload >error=X-Error >code=:status");
	assert_string_equal(sk_inputs_raw_output(in), "payload");
	assert_string_equal(sk_inputs_outputs(in)[0].name, "error");
	assert_string_equal(sk_inputs_outputs(in)[0].wire, "X-Error");
	assert_string_equal(sk_inputs_outputs(in)[1].wire, ":status");
	assert_null(sk_inputs_outputs(in)[2].name);
	sk_inputs_free(&in);
	in = inputs("/x", "*status!");
	assert_int_equal(sk_inputs_at(in, 0)->place, SK_IN_WHOLE);
	assert_null(sk_inputs_raw(in));
	sk_inputs_free(&in);
	assert_true(strstr(check("/x", "*status!", "{}"), "Value null at 'status'") != NULL);
	in = inputs("/x", "status");
	assert_null(sk_inputs_raw(in));
	assert_null(sk_inputs_raw_output(in));
	sk_inputs_free(&in);
}

static void bad_rows_of_inputs_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *route, *inputs, *why;
	} cases[] = {
		{ "/x", "nothingLike", "/x: there is no shape NothingLike" },
		{ "/x", "a:Nope", "/x: there is no shape Nope" },
		{ "/x/{status}", "status", "/x/{status}: status is there twice" },
		{ "/x", "status!!", "/x: cannot read 'status!!'" },
		{ "/x", "status:", "/x: cannot read 'status:'" },
		{ "/x", "!", "/x: cannot read '!'" },
		{ "/x", "?^status", "/x: cannot read '?^status'" },
		{ "/x", "&pages", "/x: there is no &pages" },
		{ "/x", "&page!", "/x: cannot read '&page!'" },
		{ "/x", "status=", "/x: cannot read 'status='" },
		{ "/x", "status=a=b", "/x: cannot read 'status=a=b'" },
		{ "/x", ">", "/x: cannot read '>'" },
		{ "/x", ">status!", "/x: cannot read '>status!'" },
		{ "/x", ">a >b", "/x: cannot read '>b'" },
		{ "/x", ">a=", "/x: cannot read '>a='" },
		{ "/x", ">=b", "/x: cannot read '>=b'" },
		{ "/x", ">a=1 >b=2 >c=3 >d=4 >e=5 >f=6", "/x: more than 5 members of the output are no body" },
		{ "/x", "&page nextToken", "/x: nextToken is there twice" },
		{ "/x/{status", "", "/x/{status: malformed {input}" },
		{ "/x/{}", "", "/x/{}: malformed {input}" },
		{ "/x/{?status}", "", "/x/{?status}: malformed {input}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(sk_inputs_new(all, cases[i].route, cases[i].inputs, true, why, sizeof why));
		assert_string_equal(why, cases[i].why);
	}
}

static void bad_rows_of_shapes_are_refused(void **state)
{
	(void)state;
	struct sk_shapes *s = sk_shapes_new();
	assert_int_equal(sk_shapes_add(s, OF(STR("A", 0, 5, "[a-z")), why, sizeof why), -1);
	assert_string_equal(why, "shape A: pattern [a-z: missing terminating ] for character class");
	assert_int_equal(sk_shapes_add(s, OF(STR("A", 0, 5, "[a-z]")), why, sizeof why), 0);
	assert_int_equal(sk_shapes_add(s, OF(STR("A", 0, 5, "[a-z]")), why, sizeof why), 0);
	assert_int_equal(sk_shapes_add(s, OF(STR("A", 0, 6, "[a-z]")), why, sizeof why), -1);
	assert_string_equal(why, "shape A is defined twice, differently");
	assert_int_equal(sk_shapes_add(s, OF({ .name = "S", .kind = SK_SHAPE_STRUCT, .text = "a ?b" }), why, sizeof why), -1);
	assert_string_equal(why, "shape S: cannot read '?b'");
	assert_int_equal(sk_shapes_add(s, OF({ .name = "S", .kind = SK_SHAPE_STRUCT, .text = "a &page" }), why, sizeof why), -1);
	assert_int_equal(sk_shapes_add(s, OF({ .name = "S", .kind = SK_SHAPE_STRUCT, .text = "a deep:Missing" }), why, sizeof why), 0);
	assert_int_equal(sk_shapes_add(s, OF({ .name = "L", .kind = SK_SHAPE_LIST, .element = "S" }), why, sizeof why), 0);
	assert_null(sk_inputs_new(s, "/x", "l", true, why, sizeof why));
	assert_string_equal(why, "/x: there is no shape Missing");
	assert_int_equal(sk_shapes_add(s, OF(STR("Missing", 0, 0, "")), why, sizeof why), 0);
	struct sk_inputs *in = sk_inputs_new(s, "/x", "l", true, why, sizeof why);
	assert_non_null(in);
	sk_inputs_free(&in);
	sk_shapes_free(&s);
	sk_shapes_free(&s);
}

static void patterns_are_javas_over_the_whole_value(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "[a-z]+", "abc", true },                 { "[a-z]+", "abc ", false },          { "[a-z]+", "abc\n", false },
		{ "^[a-z]+$", "abc\n", false },            { "^[a-z]+$", "abc", true },          { "1m|15m|1h", "15m", true },
		{ "[a-z]+|^\\$next", "$next", true },      { "[a-z]+|^\\$next", "$nextx", false },
		{ "[\\p{Graph}\\x20]*", "a b~", true },    { "[\\p{Graph}\\x20]*", "a\tb", false }, { "[\\p{Graph}\\x20]*", "\xc3\xa4", false },
		{ "[^\\p{C}]+", "Gr\xc3\xbc\xc3\x9f" "e", true }, { "[^\\p{C}]+", "a\x07", false },
		{ "[^\\p{Cntrl}]*", "ok", true },          { "[^\\p{Cntrl}]*", "\x1b", false },
		{ "\\p{ASCII}*", "abc", true },            { "\\p{ASCII}*", "\xc3\xa4", false },  { "\\P{Alpha}+", "12", true },
		{ "\\P{Alpha}+", "1a", false },            { "[\\p{Upper}\\p{Digit}_]+", "A_1", true }, { "[\\p{Upper}\\p{Digit}_]+", "a", false },
		{ "[^\\u0000-\\u001F\\u007F]+", "ab", true }, { "[^\\u0000-\\u001F\\u007F]+", "a\x7f", false },
		{ "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", "a\t\xf0\x9f\x98\x80", true },
		{ "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", "\x01", false },
		{ "(?!(?i)AWS_)[a-zA-Z_][a-zA-Z0-9_]*", "aws_x", false }, { "(?!(?i)AWS_)[a-zA-Z_][a-zA-Z0-9_]*", "my_x", true },
		{ "(^(?!_{2}))(^[a-zA-Z0-9_]+$)", "__x", false }, { "(^(?!_{2}))(^[a-zA-Z0-9_]+$)", "_x", true },
		{ "[\\w=,@-]+", "a=b,c@d-e_f", true },     { "[\\w=,@-]+", "\xc3\xa4", false },   { "[a-zA-Z0-9-_.]+", "a-b_c.d", true },
		{ "^((`[\\w\\- ]+`)|([\\w\\-]+))(\\.((`[\\w- ]+`)|([\\w\\-]+)))*$", "a.`b c`", true },
		{ "[a-z]+", "\xff", false },               { "[\\]a]+", "]a", true },              { ".*", "a\nb", false },
		{ "[\\s\\S]*", "a\nb", true },             { "\\S{3,5}", "abcdef", false },
		{ "^urn:tdm:(([a-z]{2}-(gov-)?[a-z]{4,9}-[0-9]{1,3}/[0-9]+/)*[\\p{Alnum}_]+(/[\\p{Alnum}_]+)*):([\\p{Alpha}]*):"
		  "([\\p{Alnum}_]+(/[\\p{Alnum}_]+)*)$", "urn:tdm:a/b:C:d", true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_pattern *p = sk_pattern_new(cases[i].pattern, why, sizeof why);
		struct sk_matcher m = { .arena = &arena };
		if (!p)
			fail_msg("%s", why);
		if (sk_pattern_matches(p, &m, cases[i].text, strlen(cases[i].text)) != cases[i].matches)
			fail_msg("%s against %s", cases[i].pattern, cases[i].text);
		sk_pattern_free(&p);
	}
}

static void a_costly_pattern_stops_at_its_limit(void **state)
{
	(void)state;
	char text[64];
	memset(text, 'a', sizeof text);
	text[63] = 'b';
	struct sk_pattern *p = sk_pattern_new("(a+)+", why, sizeof why);
	struct sk_matcher m = { .arena = &arena };
	assert_true(sk_pattern_matches(p, &m, text, 63));
	assert_false(sk_pattern_matches(p, &m, text, 64));
	assert_true(arena.total < 8u << 20);
	sk_pattern_free(&p);
}

static void text_is_bound_to_its_type(void **state)
{
	(void)state;
	static const struct {
		enum sk_input_place place;
		const char *name, *text, *json;
	} cases[] = {
		{ SK_IN_PATH, "thingName", "lamp", "\"lamp\"" },       { SK_IN_QUERY, "maxResults", "25", "25" },
		{ SK_IN_QUERY, "maxResults", "-3", "-3" },             { SK_IN_QUERY, "maxResults", "x", "\"x\"" },
		{ SK_IN_QUERY, "maxResults", "", "\"\"" },             { SK_IN_QUERY, "maxResults", "1-2", "\"1-2\"" },
		{ SK_IN_QUERY, "maxResults", "-", "\"-\"" },           { SK_IN_QUERY, "maxResults", " 5", "\" 5\"" },
		{ SK_IN_QUERY, "version", "9223372036854775807", "9223372036854775807" },
		{ SK_IN_QUERY, "version", "9223372036854775808", "\"9223372036854775808\"" },
		{ SK_IN_QUERY, "merge", "true", "true" },              { SK_IN_QUERY, "merge", "false", "false" },
		{ SK_IN_QUERY, "merge", "True", "\"True\"" },          { SK_IN_QUERY, "ratio", "1.5e1", "15" },
		{ SK_IN_QUERY, "ratio", "nan", "\"nan\"" },            { SK_IN_QUERY, "ratio", "1e999", "\"1e999\"" },
		{ SK_IN_QUERY, "ratio", "0x10", "\"0x10\"" },          { SK_IN_QUERY, "since", "1700000000", "1700000000" },
		{ SK_IN_QUERY, "since", "2023-11-14T22:13:20Z", "1700000000" },
		{ SK_IN_QUERY, "since", "2023-11-14T22:13:20.5Z", "1700000000.5" },
		{ SK_IN_QUERY, "since", "2023-11-15T00:13:20+02:00", "1700000000" },
		{ SK_IN_QUERY, "since", "2023-11-14T16:43:20-0530", "1700000000" },
		{ SK_IN_QUERY, "since", "2023-11-14T22:13:20", "1700000000" },
		{ SK_IN_QUERY, "since", "2023-13-14T22:13:20Z", "\"2023-13-14T22:13:20Z\"" },
		{ SK_IN_QUERY, "since", "2023-11-14T22:13:20+99:00", "\"2023-11-14T22:13:20+99:00\"" },
		{ SK_IN_QUERY, "since", "2023-11-14T22:13:20ZZ", "\"2023-11-14T22:13:20ZZ\"" },
		{ SK_IN_QUERY, "since", "yesterday", "\"yesterday\"" },
		{ SK_IN_QUERY, "keys", "a,b", "[\"a,b\"]" },           { SK_IN_HEADER, "NAMES", " a, b ,,c", "[\"a\",\"b\",\"c\"]" },
		{ SK_IN_HEADER, "names", "", "[]" },                   { SK_IN_QUERY, "payload", "{}", "\"{}\"" },
		{ SK_IN_PATH, "thingName", "a\xff" "b\xc3", "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"" },
		{ SK_IN_QUERY, "thingName", "lamp", NULL },            { SK_IN_QUERY, "MaxResults", "1", NULL },
		{ SK_IN_QUERY, "nobody", "1", NULL },
	};
	struct sk_inputs *in = inputs("/things/{thingName}", "?maxResults ?version ?merge:Boolean ?ratio ?since:Timestamp "
	                              "?keys:TagKeyList ^names:TagKeyList ?payload:AttributePayload");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const cJSON *node = sk_inputs_bind(in, &arena, cases[i].place, cases[i].name, cases[i].text, NULL);
		const char *json = sk_json_print(&arena, node, NULL);
		if (!cases[i].json)
			assert_null(node);
		else
			assert_string_equal(json, cases[i].json);
	}
	sk_inputs_free(&in);
}

static void common_shapes_are_always_there(void **state)
{
	(void)state;
	struct sk_inputs *in = inputs("/", "a:Boolean b:String c:Integer d:Long e:Double f:Timestamp g:Tag h:TagKey i:TagValue "
	                              "j:TagList k:ThingName l:ClientId &page &marks");
	assert_int_equal(sk_inputs_count(in), 17);
	sk_inputs_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_are_awss_word_for_word),
		cmocka_unit_test(wrong_json_types_are_named),
		cmocka_unit_test(good_input_passes),
		cmocka_unit_test(a_missing_body_lacks_what_is_required),
		cmocka_unit_test(long_values_paths_and_lists_of_errors_are_cut),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_check_survives_every_failed_allocation),
		cmocka_unit_test(inputs_have_place_type_and_requiredness),
		cmocka_unit_test(one_input_and_one_output_may_be_the_body),
		cmocka_unit_test(bad_rows_of_inputs_are_refused),
		cmocka_unit_test(bad_rows_of_shapes_are_refused),
		cmocka_unit_test(patterns_are_javas_over_the_whole_value),
		cmocka_unit_test(a_costly_pattern_stops_at_its_limit),
		cmocka_unit_test(text_is_bound_to_its_type),
		cmocka_unit_test(common_shapes_are_always_there),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
