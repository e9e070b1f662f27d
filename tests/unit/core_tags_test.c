/* core_tags_test.c -- tags as a header has them, and how they are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/tags.h"

static struct sk_arena arena;

static int teardown(void **state)
{
	(void)state;
	sk_arena_free(&arena);
	return 0;
}

static const char *read_query(const char *query)
{
	const char *text = sk_json_print(&arena, sk_tags_of_query(&arena, query), NULL);

	return text ? text : "none";
}

static void a_query_is_a_list_of_tags(void **state)
{
	static const struct { const char *query, *tags; } cases[] = {
		{ "", "[]" },
		{ "site=Oslo", "[{\"Key\":\"site\",\"Value\":\"Oslo\"}]" },
		{ "a=1&b=&c", "[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"b\",\"Value\":\"\"},{\"Key\":\"c\",\"Value\":\"\"}]" },
		{ "a=1=2&", "[{\"Key\":\"a\",\"Value\":\"1=2\"}]" },
		{ "a%20b=c+d&%c3%A9=%3d%26", "[{\"Key\":\"a b\",\"Value\":\"c d\"},{\"Key\":\"\xc3\xa9\",\"Value\":\"=&\"}]" },
		{ "a=1&a=2", "[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"a\",\"Value\":\"2\"}]" },
		{ "=1", "none" }, { "&", "none" }, { "a=1&&b=2", "none" }, { "a=%", "none" }, { "a=%4", "none" }, { "a=%4x", "none" }, { "a=%00", "none" },
		{ "a=%ff", "none" }, { "%zz=1", "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(read_query(cases[i].query), cases[i].tags);
}

static void kept_is_what_the_list_says(void **state)
{
	static const char given[] = "[{\"Key\":\"a\",\"more\":1},{\"Key\":\"b\",\"Value\":\"2\"}]";
	cJSON *tags = sk_json_parse(&arena, given, sizeof(given) - 1, NULL, NULL), *record = sk_json_object(&arena);

	(void)state;
	sk_tags_store(&arena, record, NULL);
	sk_tags_store(&arena, record, sk_json_array(&arena));
	assert_string_equal(sk_json_print(&arena, record, NULL), "{}");
	sk_tags_store(&arena, record, tags);
	assert_string_equal(sk_json_print(&arena, record, NULL), "{\"tags\":[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"b\",\"Value\":\"2\"}]}");
	assert_ptr_equal(sk_tags_find(tags, "b"), tags->child->next);
	assert_null(sk_tags_find(tags, "c"));
	assert_null(sk_tags_find(NULL, "a"));
}

static void without_memory_there_is_no_list(void **state)
{
	(void)state;
	for (long n = 1; n < 4; n++) {
		struct sk_arena a = { 0 };
		sk_arena_fail_after(n);
		const cJSON *list = sk_tags_of_query(&a, "site=Oslo");
		sk_arena_fail_after(0);
		assert_true(list || a.failed);
		sk_arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_a_list_of_tags),
		cmocka_unit_test(kept_is_what_the_list_says),
		cmocka_unit_test(without_memory_there_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
