/* core_json_test.c -- documents: what is refused, what is kept, and that memory may end anywhere. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/json.h"

static struct sk_arena arena;

static int start(void **state)
{
	(void)state;
	sk_arena_reset(&arena, 65536);
	return 0;
}

static cJSON *parse(const char *text)
{
	return sk_json_parse(&arena, text, strlen(text), NULL, NULL);
}

static const char *print(const cJSON *node)
{
	return sk_json_print(&arena, node, NULL);
}

static const struct {
	const char *text;
	enum sk_json_status status;
	size_t at;
} refused[] = {
	{ "", SK_JSON_SYNTAX, 0 },
	{ " ", SK_JSON_SYNTAX, 1 },
	{ "\xef\xbb\xbf{}", SK_JSON_SYNTAX, 0 },
	{ "{} x", SK_JSON_SYNTAX, 3 },
	{ "{}{}", SK_JSON_SYNTAX, 2 },
	{ "[1,]", SK_JSON_SYNTAX, 3 },
	{ "[,1]", SK_JSON_SYNTAX, 1 },
	{ "[1 2]", SK_JSON_SYNTAX, 3 },
	{ "[1", SK_JSON_SYNTAX, 2 },
	{ "[}", SK_JSON_SYNTAX, 1 },
	{ "{\"a\":1]", SK_JSON_SYNTAX, 6 },
	{ "{\"a\":1,}", SK_JSON_SYNTAX, 7 },
	{ "{\"a\" 1}", SK_JSON_SYNTAX, 5 },
	{ "{\"a\"", SK_JSON_SYNTAX, 4 },
	{ "{a:1}", SK_JSON_SYNTAX, 1 },
	{ "{1:1}", SK_JSON_SYNTAX, 1 },
	{ "{'a':1}", SK_JSON_SYNTAX, 1 },
	{ "{\"a\":}", SK_JSON_SYNTAX, 5 },
	{ "]", SK_JSON_SYNTAX, 0 },
	{ "tru", SK_JSON_SYNTAX, 0 },
	{ "True", SK_JSON_SYNTAX, 0 },
	{ "nulll", SK_JSON_SYNTAX, 4 },
	{ "NaN", SK_JSON_SYNTAX, 0 },
	{ "-Infinity", SK_JSON_SYNTAX, 0 },
	{ "01", SK_JSON_SYNTAX, 1 },
	{ "-01", SK_JSON_SYNTAX, 2 },
	{ "-", SK_JSON_SYNTAX, 0 },
	{ "+1", SK_JSON_SYNTAX, 0 },
	{ ".5", SK_JSON_SYNTAX, 0 },
	{ "1.", SK_JSON_SYNTAX, 0 },
	{ "1.e1", SK_JSON_SYNTAX, 0 },
	{ "1e", SK_JSON_SYNTAX, 0 },
	{ "1e+", SK_JSON_SYNTAX, 0 },
	{ "0x10", SK_JSON_SYNTAX, 1 },
	{ "1 // one", SK_JSON_SYNTAX, 2 },
	{ "\"a", SK_JSON_SYNTAX, 2 },
	{ "\"a\\", SK_JSON_SYNTAX, 3 },
	{ "\"\\x41\"", SK_JSON_SYNTAX, 1 },
	{ "\"\\u12g4\"", SK_JSON_SYNTAX, 1 },
	{ "\"\\u12\"", SK_JSON_SYNTAX, 1 },
	{ "\"a\tb\"", SK_JSON_SYNTAX, 2 },
	{ "\"1234567890\n\"", SK_JSON_SYNTAX, 11 },
	{ "\"\\u0000\"", SK_JSON_NUL, 1 },
	{ "{\"a\\u0000b\":1}", SK_JSON_NUL, 3 },
	{ "\"\\ud800\"", SK_JSON_ENCODING, 1 },
	{ "\"\\ud800\\u0041\"", SK_JSON_ENCODING, 1 },
	{ "\"\\udc00\\ud800\"", SK_JSON_ENCODING, 1 },
	{ "\"\xff\"", SK_JSON_ENCODING, 1 },
	{ "\"ab\xc3\"", SK_JSON_ENCODING, 3 },
	{ "\"\xc0\xaf\"", SK_JSON_ENCODING, 1 },
	{ "\"\xed\xa0\x80\"", SK_JSON_ENCODING, 1 },
	{ "\"\xf4\x90\x80\x80\"", SK_JSON_ENCODING, 1 },
	{ "1e400", SK_JSON_RANGE, 0 },
	{ "[-1e309]", SK_JSON_RANGE, 1 },
	{ "1e99999999999999999999", SK_JSON_RANGE, 0 },
};

static void what_is_not_rfc_8259_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct sk_json_error e;

		if (sk_json_parse(&arena, refused[i].text, strlen(refused[i].text), NULL, &e))
			fail_msg("accepted: %s", refused[i].text);
		if (e.status != refused[i].status || e.at != refused[i].at || !e.why)
			fail_msg("%s: status %d at %zu", refused[i].text, e.status, e.at);
	}
}

/* What comes out; NULL: the same text. */
static const struct {
	const char *in, *out;
} kept[] = {
	{ "null", NULL }, { "true", NULL }, { "false", NULL }, { "\"\"", NULL }, { "{}", NULL }, { "[]", NULL },
	{ "0", NULL }, { "-0", NULL }, { "1.0", NULL }, { "-0.0", NULL }, { "1e3", NULL }, { "0.10", NULL }, { "1E+2", NULL },
	{ "9007199254740992", NULL }, { "9007199254740993", NULL }, { "-9007199254740993", NULL },
	{ "9223372036854775807", NULL }, { "-9223372036854775808", NULL }, { "9223372036854775808", NULL },
	{ "18446744073709551616", NULL }, { "123456789012345678901234567890", NULL },
	{ "3.141592653589793238462643383279", NULL }, { "1e-400", NULL }, { "0e999999999999", NULL },
	{ "999999999999999", NULL }, { "1000000000000000", NULL }, { "-999999999999999", NULL },
	{ " { \"a\" :\t[ 1 ,\r\n2 ] } ", "{\"a\":[1,2]}" },
	{ "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" },
	{ "{\"a\":{\"x\":[1]},\"b\":2,\"\\u0061\":[{}]}", "{\"a\":[{}],\"b\":2}" },
	{ "{\"a\":1,\"a\":{\"a\":1,\"a\":2},\"a\":[]}", "{\"a\":[]}" },
	{ "{\"A\":1,\"a\":2,\"\":3}", NULL },
	{ "\"\\u00e9\\u20ac\\ud83d\\ude00\\u007f\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\"" },
	{ "\"1234567\\n12345678\\n\xc3\xa9 12345678\"", NULL },
	{ "[[[],{}],[[1,[2]],3],{\"a\":{\"b\":{}}}]", NULL },
};

static void what_is_accepted_leaves_as_it_came(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		struct sk_json_error e = { .status = SK_JSON_SYNTAX };
		cJSON *node = sk_json_parse(&arena, kept[i].in, strlen(kept[i].in), NULL, &e);

		if (!node)
			fail_msg("refused: %s: %s", kept[i].in, e.why);
		assert_int_equal(e.status, SK_JSON_OK);
		assert_string_equal(print(node), kept[i].out ? kept[i].out : kept[i].in);
		assert_string_equal(print(sk_json_copy(&arena, node)), print(node));
		assert_true(sk_json_equal(node, sk_json_copy(&arena, node)));
		assert_true(sk_json_equal(node, parse(sk_json_print_pretty(&arena, node, NULL))));
	}
}

static void exactly_n_bytes_are_read(void **state)
{
	char text[] = { '1', '2', '3' };
	cJSON *node;

	(void)state;
	node = sk_json_parse(&arena, text, 2, NULL, NULL);
	assert_true(node->valuedouble == 12);
	assert_null(sk_json_parse(&arena, "{}\0", 3, NULL, NULL));
	assert_null(sk_json_parse(&arena, NULL, 0, NULL, NULL));
}

static void lists_are_linked_as_cjson_links_them(void **state)
{
	cJSON *node = parse("{\"a\":1,\"b\":[1,2,3],\"c\":3}");

	(void)state;
	assert_string_equal(node->child->prev->string, "c");
	assert_null(node->child->prev->next);
	assert_string_equal(node->child->next->prev->string, "a");
	assert_int_equal(cJSON_GetArraySize(node->child->next), 3);
	assert_int_equal(sk_json_count(node->child->next), 3);
	assert_int_equal(cJSON_GetArrayItem(node->child->next, 2)->valueint, 3);
	assert_null(node->valuestring);
	assert_true(node->valuedouble == 0 && node->valueint == 0);
	assert_true(cJSON_Compare(node, sk_json_copy(&arena, node), true));
}

static char *nested(int levels, const char *open, const char *close)
{
	char *text = sk_alloc_text(&arena, (size_t)levels * (strlen(open) + strlen(close)) + 1), *p = text;

	for (int i = 0; i < levels; i++)
		p = stpcpy(p, open);
	for (int i = 0; i < levels; i++)
		p = stpcpy(p, close);
	*p = '\0';
	return text;
}

static void depth_ends_at_the_limit(void **state)
{
	struct sk_json_options six = { .max_depth = 6 };
	struct sk_json_error e;
	char *text = nested(6, "[", "]");

	(void)state;
	assert_int_equal(sk_json_depth(sk_json_parse(&arena, text, 12, &six, NULL)), 6);
	text = nested(7, "[", "]");
	assert_null(sk_json_parse(&arena, text, 14, &six, &e));
	assert_int_equal(e.status, SK_JSON_DEPTH);
	assert_int_equal(e.at, 6);
	assert_non_null(parse(nested(SK_JSON_MAX_DEPTH, "[", "]")));
	assert_null(parse(nested(SK_JSON_MAX_DEPTH + 1, "[", "]")));
	assert_int_equal(sk_json_depth(parse("1")), 0);
	assert_int_equal(sk_json_depth(parse("{}")), 1);
	assert_int_equal(sk_json_depth(parse("{\"a\":{}}")), 2);
	assert_int_equal(sk_json_depth(parse("[[],[[]],[]]")), 3);
	assert_int_equal(sk_json_depth(NULL), 0);
}

static void a_million_levels_need_no_stack(void **state)
{
	struct sk_json_options deep = { .max_depth = INT_MAX };
	char *text = nested(1000000, "[", "]");
	struct sk_json_error e;
	cJSON *node;
	size_t n;

	(void)state;
	assert_null(sk_json_parse(&arena, text, 2000000, NULL, &e));
	assert_int_equal(e.status, SK_JSON_DEPTH);
	node = sk_json_parse(&arena, text, 2000000, &deep, &e);
	assert_non_null(node);
	assert_string_equal(sk_json_print(&arena, node, &n), text);
	assert_int_equal(n, 2000000);
	assert_int_equal(sk_json_depth(node), 1000000);
	assert_true(sk_json_equal(node, sk_json_copy(&arena, node)));
	sk_arena_fail_after(1);
	assert_int_equal(sk_json_depth(node), INT_MAX);
	sk_arena_fail_after(0);
}

static void duplicate_keys_are_refused_where_they_must_be_unique(void **state)
{
	struct sk_json_options unique = { .unique_keys = true };
	struct sk_json_error e;
	char text[4000], *p = text;

	(void)state;
	assert_null(sk_json_parse(&arena, "{\"a\":1,\"\\u0061\":2}", 18, &unique, &e));
	assert_int_equal(e.status, SK_JSON_DUPLICATE);
	assert_int_equal(e.at, 7);
	assert_non_null(sk_json_parse(&arena, "{\"a\":{\"a\":1},\"A\":2}", 19, &unique, &e));
	for (int n = 2; n < 60; n++) {
		p = text;
		for (int i = 0; i < n; i++)
			p += sprintf(p, "%c\"k%d\":{\"k\":0}", i ? ',' : '{', i);
		strcpy(p, "}");
		assert_non_null(sk_json_parse(&arena, text, strlen(text), &unique, &e));
		for (int again = 0; again < n; again++) {
			sprintf(p, ",\"k%d\":7}", again);
			assert_null(sk_json_parse(&arena, text, strlen(text), &unique, &e));
			assert_int_equal(e.status, SK_JSON_DUPLICATE);
			assert_int_equal(sk_json_count(parse(text)), n);
			assert_int_equal(sk_json_int_of(parse(text), sk_printf(&arena, "k%d", again), 0), 7);
		}
		start(NULL);
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *many_keys(int n, const char *format)
{
	char *text = sk_alloc_text(&arena, (size_t)n * 32 + 2), *p = text;

	*p++ = '{';
	for (int i = 0; i < n; i++)
		p += sprintf(p, format, (unsigned)i * 2654435761u, i), *p++ = i < n - 1 ? ',' : '}';
	*p = '\0';
	return text;
}

static void a_hundred_thousand_keys_take_linear_time(void **state)
{
	double from = seconds();
	cJSON *a = parse(many_keys(100000, "\"k%08x\":%d")), *b, *twice;
	char *text;

	(void)state;
	assert_int_equal(sk_json_count(a), 100000);
	b = sk_json_object(&arena);
	for (const cJSON *m = a->child->prev; sk_json_count(b) < 1; m = m->prev)
		sk_json_add(&arena, b, m->string, sk_json_copy(&arena, m));
	for (const cJSON *m = a->child; m->next; m = m->next)
		sk_json_add(&arena, b, m->string, sk_json_copy(&arena, m));
	assert_true(sk_json_equal(a, b));
	b->child->next->valuedouble = -1;
	assert_false(sk_json_equal(a, b));
	text = many_keys(100000, "\"same\":%2$d");
	twice = parse(text);
	assert_int_equal(sk_json_count(twice), 1);
	assert_int_equal(sk_json_int_of(twice, "same", 0), 99999);
	assert_true(seconds() - from < 5);
}

static void equality_is_by_value(void **state)
{
	static const char *const equal[][2] = {
		{ "1", "1.0" }, { "1", "1e0" }, { "10", "1e1" }, { "0", "-0" }, { "0.0", "0e5" }, { "100e-2", "1" },
		{ "9007199254740993", "9007199254740993.0" }, { "0.1", "0.10" }, { "123.45", "12345e-2" },
		{ "{\"a\":1,\"b\":[1,{}]}", "{\"b\":[1.0,{}],\"a\":1}" }, { "\"\\u0041\"", "\"A\"" },
		{ "18446744073709551616e0", "18446744073709551616" }, { "1e-400", "10e-401" },
	};
	static const char *const different[][2] = {
		{ "9007199254740993", "9007199254740992" }, { "1", "\"1\"" }, { "true", "1" }, { "null", "false" }, { "[]", "{}" },
		{ "[1,2]", "[2,1]" }, { "[1]", "[1,1]" }, { "{\"a\":1}", "{\"A\":1}" }, { "{\"a\":1}", "{\"b\":1}" },
		{ "{\"a\":1}", "{\"a\":1,\"b\":1}" }, { "0.1", "0.1000000000000000055511151231257827" }, { "1", "-1" },
		{ "9223372036854775808", "9223372036854775809" }, { "12", "120" }, { "[[1]]", "[1]" }, { "1.23", "1.234" },
		{ "{\"a\":{\"b\":1},\"c\":1}", "{\"c\":1,\"a\":{\"b\":2}}" }, { "\"a\"", "\"b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++)
		if (!sk_json_equal(parse(equal[i][0]), parse(equal[i][1])) || !sk_json_equal(parse(equal[i][1]), parse(equal[i][0])))
			fail_msg("not equal: %s %s", equal[i][0], equal[i][1]);
	for (size_t i = 0; i < sizeof different / sizeof different[0]; i++)
		if (sk_json_equal(parse(different[i][0]), parse(different[i][1])))
			fail_msg("equal: %s %s", different[i][0], different[i][1]);
	assert_true(sk_json_equal(NULL, NULL));
	assert_false(sk_json_equal(NULL, parse("null")));
	assert_true(sk_json_equal(sk_json_number(&arena, 0.1), parse("1e-1")));
	assert_true(sk_json_equal(sk_json_int(&arena, INT64_MAX), parse("9223372036854775807.000")));
}

static void people_get_two_spaces(void **state)
{
	size_t n;
	cJSON *node = parse("{\"a\":[1,{\"b\":[]}],\"c\":{}}");
	const char *want = "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}";

	(void)state;
	assert_string_equal(sk_json_print_pretty(&arena, node, &n), want);
	assert_int_equal(n, strlen(want));
}

static void members_are_set_replaced_and_removed(void **state)
{
	cJSON *o = sk_json_object(&arena), *list = sk_json_set_array(&arena, o, "list");

	(void)state;
	sk_json_set_string(&arena, o, "s", "text");
	assert_null(sk_json_set_string(&arena, o, "none", NULL));
	sk_json_set_int(&arena, o, "i", 5);
	sk_json_set_number(&arena, o, "d", 0.5);
	sk_json_set_bool(&arena, sk_json_set_object(&arena, o, "o"), "b", true);
	sk_json_append(list, sk_json_null(&arena));
	sk_json_append(list, sk_json_bool(&arena, false));
	assert_string_equal(print(o), "{\"list\":[null,false],\"s\":\"text\",\"i\":5,\"d\":0.5,\"o\":{\"b\":true}}");
	sk_json_set_int(&arena, o, "list", 1);
	sk_json_set_int(&arena, o, "o", 2);
	sk_json_set_int(&arena, o, "i", 3);
	assert_string_equal(print(o), "{\"list\":1,\"s\":\"text\",\"i\":3,\"d\":0.5,\"o\":2}");
	sk_json_remove(o, "list");
	sk_json_remove(o, "o");
	sk_json_remove(o, "absent");
	sk_json_remove(o, "i");
	sk_json_set_int(&arena, o, "new", 4);
	assert_string_equal(print(o), "{\"s\":\"text\",\"d\":0.5,\"new\":4}");
	assert_string_equal(o->child->prev->string, "new");
	assert_string_equal(sk_json_text(o, "s"), "text");
	assert_null(sk_json_text(o, "d"));
	assert_int_equal(sk_json_int_of(o, "new", 0), 4);
	assert_int_equal(sk_json_int_of(o, "s", -7), -7);
	assert_true(sk_json_true(sk_json_set_object(&arena, o, "x"), "b") == false);
	for (const char *const *k = (const char *const[]){ "s", "d", "new", "x", NULL }; *k; k++)
		sk_json_remove(o, *k);
	assert_string_equal(print(o), "{}");
	assert_null(o->child);
	sk_json_set_int(&arena, o, "only", 1);
	sk_json_set_int(&arena, o, "only", 2);
	sk_json_set_int(&arena, o, "next", 3);
	assert_string_equal(print(o), "{\"only\":2,\"next\":3}");
}

static void a_node_with_a_parent_is_copied_not_shared(void **state)
{
	cJSON *from = parse("{\"a\":{\"x\":1},\"b\":2}"), *to = sk_json_object(&arena), *list = sk_json_array(&arena);

	(void)state;
	SK_JSON_EACH(member, from)
		sk_json_set(&arena, to, member->string, (cJSON *)member);
	assert_string_equal(print(to), "{\"a\":{\"x\":1},\"b\":2}");
	sk_json_set_int(&arena, sk_json_get(to, "a"), "x", 9);
	assert_string_equal(print(from), "{\"a\":{\"x\":1},\"b\":2}");
	assert_null(sk_json_append(list, from->child));
	sk_json_set(&arena, to, "self", to);
	assert_string_equal(print(to), "{\"a\":{\"x\":9},\"b\":2}");
	to = sk_json_get(from, "a");
	sk_json_detach(from, to);
	sk_json_detach(from, to);
	assert_ptr_equal(sk_json_append(list, to), to);
	assert_string_equal(print(list), "[{\"x\":1}]");
	assert_string_equal(print(from), "{\"b\":2}");
}

static void strings_are_made_valid(void **state)
{
	(void)state;
	assert_string_equal(print(sk_json_string(&arena, "a\xff\xc3\xa9\xed\xa0\x80")),
	                    "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_string_equal(print(sk_json_stringn(&arena, "ab\0cd", 5)), "\"ab\"");
	assert_string_equal(print(sk_json_stringn(&arena, "abcd", 2)), "\"ab\"");
	assert_true(sk_utf8_valid("", 0) && sk_utf8_valid(NULL, 0) && sk_utf8_valid("12345678\xf0\x9f\x98\x80", 12));
	assert_false(sk_utf8_valid("12345678\xf0\x9f\x98", 11));
	assert_false(sk_utf8_valid("\xe0\x80\x80", 3));
	assert_false(sk_utf8_valid("\x80", 1));
}

static void null_runs_through(void **state)
{
	cJSON *o = sk_json_object(&arena), *s = sk_json_string(&arena, "s");

	(void)state;
	assert_null(print(NULL));
	assert_null(sk_json_copy(&arena, NULL));
	assert_null(sk_json_get(NULL, "a"));
	assert_null(sk_json_get(o, NULL));
	assert_null(sk_json_get(s, "a"));
	assert_null(sk_json_set(&arena, NULL, "a", s));
	assert_null(sk_json_set(&arena, o, "a", NULL));
	assert_null(sk_json_set(&arena, o, NULL, s));
	assert_null(sk_json_set(&arena, s, "a", o));
	assert_null(sk_json_add(&arena, NULL, "a", s));
	assert_null(sk_json_append(NULL, s));
	assert_null(sk_json_append(o, s));
	assert_null(sk_json_string(&arena, NULL));
	assert_int_equal(sk_json_count(NULL), 0);
	sk_json_remove(NULL, "a");
	sk_json_detach(NULL, s);
	sk_json_detach(o, NULL);
	sk_json_detach(o, s);
	assert_string_equal(print(o), "{}");
}

/* Everything that takes memory, once. False when some of it was missing. */
static bool use_all(struct sk_arena *a, const char *text)
{
	struct sk_json_error e;
	cJSON *node = sk_json_parse(a, text, strlen(text), NULL, &e), *o = sk_json_object(a), *copy;

	assert_true(node || e.status == SK_JSON_MEMORY);
	copy = sk_json_copy(a, node);
	sk_json_set(a, o, "copy", copy);
	sk_json_set_int(a, o, "big", INT64_MAX);
	sk_json_set_string(a, sk_json_set_object(a, o, "in"), "s", "\xff");
	sk_json_append(sk_json_set_array(a, o, "list"), sk_json_number(a, 1.5));
	sk_json_set(a, o, "again", copy);
	if (sk_json_print(a, o, NULL) && sk_json_print_pretty(a, o, NULL) && !a->failed)
		return true;
	assert_true(a->failed);
	return false;
}

static void memory_may_end_anywhere(void **state)
{
	char *text = many_keys(600, "\"k%x\":[%d,{\"a\":\"1.5\"}]");
	long n = 1;

	(void)state;
	for (bool complete = false; !complete; n++) {
		struct sk_arena a = { 0 };

		sk_arena_fail_after(n);
		complete = use_all(&a, text);
		sk_arena_fail_after(0);
		sk_arena_free(&a);
	}
	assert_true(n > 10);
	for (size_t limit = 1; limit < 600000; limit += limit / 9 + 1) {
		struct sk_arena a;

		sk_arena_init(&a, limit);
		use_all(&a, text);
		assert_true(a.total <= limit);
		sk_arena_free(&a);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_rfc_8259_is_refused_at_its_place),
		TEST(what_is_accepted_leaves_as_it_came),
		TEST(exactly_n_bytes_are_read),
		TEST(lists_are_linked_as_cjson_links_them),
		TEST(depth_ends_at_the_limit),
		TEST(a_million_levels_need_no_stack),
		TEST(duplicate_keys_are_refused_where_they_must_be_unique),
		TEST(a_hundred_thousand_keys_take_linear_time),
		TEST(equality_is_by_value),
		TEST(people_get_two_spaces),
		TEST(members_are_set_replaced_and_removed),
		TEST(a_node_with_a_parent_is_copied_not_shared),
		TEST(strings_are_made_valid),
		TEST(null_runs_through),
		TEST(memory_may_end_anywhere),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	sk_arena_free(&arena);
	return failed;
}
