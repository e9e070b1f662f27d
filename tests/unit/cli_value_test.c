/* cli_value_test.c -- what people type after a flag, and the JSON that is sent for it; each case is one row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/value.h"
#include "cli/words.h"

#define STRING "{\"kind\":\"string\"}"
#define STRINGS "{\"kind\":\"list\",\"element\":{\"kind\":\"string\"}}"
#define PAYLOAD \
	"{\"kind\":\"struct\",\"members\":[{\"name\":\"attributes\",\"kind\":\"map\",\"element\":{\"kind\":\"string\"}}," \
	"{\"name\":\"merge\",\"kind\":\"boolean\"},{\"name\":\"count\",\"kind\":\"integer\"}]}"
#define TAGS "{\"kind\":\"list\",\"element\":{\"kind\":\"struct\",\"members\":[{\"name\":\"Key\",\"kind\":\"string\"}]}}"

struct value_case {
	const char *row, *text, *expect; /* expect: JSON, or an error's beginning after '!' */
};

static const struct value_case cases[] = {
	{ STRING, "kitchen", "\"kitchen\"" },
	{ STRING, "{\"a\":1}", "\"{\\\"a\\\":1}\"" },
	{ STRING, "12", "\"12\"" },
	{ STRING, "\xff", "!the text is not UTF-8" },
	{ "{}", "12", "\"12\"" },
	{ "{\"kind\":\"enum\"}", "ACTIVE", "\"ACTIVE\"" },
	{ "{\"kind\":\"integer\"}", "12", "12" },
	{ "{\"kind\":\"integer\"}", "1.5", "!expected a whole number, got '1.5'" },
	{ "{\"kind\":\"integer\"}", "abc", "!expected a number, got 'abc'" },
	{ "{\"kind\":\"long\"}", "9223372036854775807", "9223372036854775807" },
	{ "{\"kind\":\"number\"}", "1.5", "1.5" },
	{ "{\"kind\":\"boolean\"}", "true", "true" },
	{ "{\"kind\":\"boolean\"}", "yes", "!expected true or false, got 'yes'" },
	{ "{\"kind\":\"timestamp\"}", "1700000000", "1700000000" },
	{ "{\"kind\":\"timestamp\"}", "2026-01-01", "\"2026-01-01\"" },
	{ "{\"kind\":\"any\"}", "{\"state\":{}}", "{\"state\":{}}" },
	{ "{\"kind\":\"any\"}", "word", "\"word\"" },
	{ STRINGS, "a", "[\"a\"]" },
	{ STRINGS, "[\"a\",\"b\"]", "[\"a\",\"b\"]" },
	{ STRINGS, "[\"a\"", "!not JSON, at byte 4" },
	{ TAGS, "Key=a,Value=b", "[{\"Key\":\"a\",\"Value\":\"b\"}]" },
	{ PAYLOAD, "{\"merge\":false}", "{\"merge\":false}" },
	{ PAYLOAD, "merge=true", "{\"merge\":true}" },
	{ PAYLOAD, "count=3,merge=false", "{\"count\":3,\"merge\":false}" },
	{ PAYLOAD, "attributes={room=kitchen,floor=2},merge=true", "{\"attributes\":{\"room\":\"kitchen\",\"floor\":\"2\"},\"merge\":true}" },
	{ PAYLOAD, "attributes={}", "{\"attributes\":{}}" },
	{ PAYLOAD, "other=true", "{\"other\":\"true\"}" },
	{ PAYLOAD, "other=a,b,c", "{\"other\":[\"a\",\"b\",\"c\"]}" },
	{ PAYLOAD, "other=[a,b]", "{\"other\":[\"a\",\"b\"]}" },
	{ PAYLOAD, "other=[]", "{\"other\":[]}" },
	{ PAYLOAD, "other='a,b}',more=\"c d\"", "{\"other\":\"a,b}\",\"more\":\"c d\"}" },
	{ PAYLOAD, "other=a\\,b", "{\"other\":\"a,b\"}" },
	{ PAYLOAD, "other=", "{\"other\":\"\"}" },
	{ PAYLOAD, "other=a=b", "{\"other\":\"a=b\"}" },
	{ PAYLOAD, "merge", "!'merge', at character 1: expected key=value" },
	{ PAYLOAD, "merge=perhaps", "!expected true or false, got 'perhaps'" },
	{ PAYLOAD, "attributes={room=kitchen", "!'attributes={room=kitchen', at character 25: expected ',' or '}'" },
	{ PAYLOAD, "other=[a", "!'other=[a', at character 9: expected ',' or ']'" },
	{ PAYLOAD, "other='a", "!'other='a', at character 9: a quote is not closed" },
	{ PAYLOAD, "merge=true}", "!'merge=true}', at character 11: expected ','" },
	{ PAYLOAD, "a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={", "!'" },
	{ PAYLOAD, "file:///nowhere/at/all", "!cannot read /nowhere/at/all: No such file or directory" },
	{ STRING, "file:///", "!cannot read /" },
};

static cJSON *parse(struct sk_arena *a, const char *text)
{
	return sk_json_parse(a, text, strlen(text), NULL, NULL);
}

static void check(const struct value_case *c, struct sk_arena *a)
{
	struct value_error e = { "" };
	char *argv[] = { (char *)c->text };
	cJSON *value = value_of(a, parse(a, c->row), argv, 1, &e);
	if (c->expect[0] == '!') {
		assert_null(value);
		e.text[strlen(c->expect + 1)] = 0;
		assert_string_equal(e.text, c->expect + 1);
	} else {
		if (!value)
			print_message("%s: %s\n", c->text, e.text);
		assert_string_equal(sk_json_print(a, value, NULL), c->expect);
	}
}

static void text_after_a_flag_becomes_the_value_of_its_kind(void **state)
{
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		check(&cases[i], &a);
		sk_arena_reset(&a, 0);
	}
	sk_arena_free(&a);
}

static void a_list_takes_several_values_and_nothing_else_does(void **state)
{
	struct sk_arena a = { 0 };
	struct value_error e;
	char *argv[] = { "a", "[\"b\",\"c\"]", "d" };
	(void)state;
	assert_string_equal(sk_json_print(&a, value_of(&a, parse(&a, STRINGS), argv, 3, &e), NULL), "[\"a\",\"b\",\"c\",\"d\"]");
	assert_null(value_of(&a, parse(&a, STRING), argv, 3, &e));
	assert_string_equal(e.text, "'[\"b\",\"c\"]' is one value too many");
	sk_arena_free(&a);
}

static void a_file_is_read_whole_and_must_be_text(void **state)
{
	struct sk_arena a = { 0 };
	struct value_error e;
	char path[] = "/tmp/skeeter-value-XXXXXX", big[20000];
	int fd = mkstemp(path);
	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(write(fd, big, sizeof(big)), sizeof(big));
	const char *text = value_text(&a, sk_printf(&a, "file://%s", path), &e);
	assert_int_equal(strlen(text), sizeof(big));
	assert_int_equal(write(fd, "\0x", 2), 2);
	close(fd);
	assert_null(value_text(&a, sk_printf(&a, "fileb://%s", path), &e));
	assert_non_null(strstr(e.text, "holds a zero byte"));
	unlink(path);
	sk_arena_free(&a);
}

static void names_turn_into_words_and_back(void **state)
{
	static const char *const names[][2] = {
		{ "CreateThing", "create-thing" },
		{ "RegisterCertificateWithoutCA", "register-certificate-without-ca" },
		{ "DescribeCACertificate", "describe-ca-certificate" },
		{ "ListV2LoggingLevels", "list-v2-logging-levels" },
		{ "GetOTAUpdate", "get-ota-update" },
		{ "thingName", "thing-name" },
		{ "x", "x" },
		{ "", "" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_string_equal(words_kebab(&a, names[i][0]), names[i][1]);
		assert_true(words_same(names[i][1], names[i][0]));
		assert_true(words_same(names[i][0], names[i][0]));
		assert_false(words_same("create-thin", names[i][0]));
	}
	sk_arena_free(&a);
}

static void no_allocation_that_fails_is_followed(void **state)
{
	(void)state;
	for (long n = 1; n < 12; n++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct sk_arena a = { 0 };
			struct value_error e = { "" };
			char *argv[] = { (char *)cases[i].text };
			cJSON *row = parse(&a, cases[i].row);
			struct sk_arena small = { .limit = 64 * (size_t)n };
			value_of(&small, row, argv, 1, &e);
			assert_true(small.total <= small.limit);
			sk_arena_free(&small);
			sk_arena_free(&a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_after_a_flag_becomes_the_value_of_its_kind),
		cmocka_unit_test(a_list_takes_several_values_and_nothing_else_does),
		cmocka_unit_test(a_file_is_read_whole_and_must_be_text),
		cmocka_unit_test(names_turn_into_words_and_back),
		cmocka_unit_test(no_allocation_that_fails_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
