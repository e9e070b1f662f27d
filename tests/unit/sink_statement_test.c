/* sink_statement_test.c -- fields of an action to a statement of SQL, what is refused when a rule is made, and what PostgreSQL's errors mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins/sink_postgres/postgres.h"
#include "statements/statement.h"

static const struct statement_dialect marks = { .quote = '`', .numbered = false, .most = 20 };

static struct sk_sink_item item_of(struct sk_arena *a, const char *fields)
{
	struct sk_sink_item item = { .payload = "{}", .size = 2, .id = "0123", .rule = "r", .topic = "t" };
	const cJSON *json = sk_json_parse(a, fields, strlen(fields), NULL, NULL);
	assert_non_null(json);
	item.field = sk_sink_flatten(json, "url", a, &item.fields);
	return item;
}

/* "SQL | value, NULL, ..." or what is wrong. */
static const char *shown(struct sk_arena *a, const struct statement_dialect *d, const char *fields)
{
	struct sk_sink_item item = item_of(a, fields);
	struct statement s = { 0 };
	const char *fault = statement_of(&item, d, a, &s), *text = s.sql;
	for (size_t i = 0; !fault && i < s.n; i++)
		text = sk_printf(a, "%s%s%s", text, i ? ", " : " | ", s.value[i].text ? s.value[i].text : "NULL");
	return fault ? fault : text;
}

static void a_table_becomes_an_insert_whose_names_are_quoted(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	assert_string_equal(shown(&a, &postgres_dialect, "{\"url\":\"x\",\"table\":\"r\",\"columns\":{\"a\":\"1\",\"b\":\"\"}}"),
	                    "INSERT INTO \"r\" (\"a\", \"b\") VALUES ($1, $2) | 1, ");
	assert_string_equal(shown(&a, &marks, "{\"table\":\"s.r`\",\"columns\":{\"a.b\":\"'; DROP\",\"`\":\"\"},\"nullWhenEmpty\":true}"),
	                    "INSERT INTO `s`.`r``` (`a.b`, ````) VALUES (?, ?) | '; DROP, NULL");
	assert_string_equal(shown(&a, &postgres_dialect, "{\"table\":\"r\",\"payloadColumn\":\"p\",\"idColumn\":\"i\",\"columns\":{\"a\":\"1\"}}"),
	                    "INSERT INTO \"r\" (\"a\", \"i\", \"p\") VALUES ($1, $2, $3) | 1, 0123, {}");
	assert_string_equal(shown(&a, &postgres_dialect, "{\"table\":\"r\",\"payloadColumn\":\"p\"}"), "INSERT INTO \"r\" (\"p\") VALUES ($1) | {}");
	sk_arena_free(&a);
}

static void marks_of_many_columns_count_on(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	const char *fields = "{\"table\":\"r\",\"columns\":{\"c0\":\"\"";
	for (int i = 1; i < 120; i++)
		fields = sk_printf(&a, "%s,\"c%d\":\"\"", fields, i);
	const char *text = shown(&a, &postgres_dialect, sk_printf(&a, "%s}}", fields));
	assert_non_null(strstr(text, "($1, $2, "));
	assert_non_null(strstr(text, ", $9, $10, $11, "));
	assert_non_null(strstr(text, ", $99, $100, $101, "));
	assert_non_null(strstr(text, ", $120) | "));
	sk_arena_free(&a);
}

static void the_payload_and_the_id_stand_where_they_are_told_to(void **state)
{
	(void)state;
	static const struct { const char *more, *shown; } cases[] = {
		{ "", "S | a, b" },
		{ ",\"payloadParameter\":1", "S | {}, a, b" },
		{ ",\"payloadParameter\":2", "S | a, {}, b" },
		{ ",\"payloadParameter\":3", "S | a, b, {}" },
		{ ",\"payloadParameter\":4,\"idParameter\":1", "S | 0123, a, b, {}" },
		{ ",\"payloadParameter\":2,\"idParameter\":3", "S | a, {}, 0123, b" },
		{ ",\"idParameter\":2", "S | a, 0123, b" },
		{ ",\"payloadParameter\":4", "payloadParameter and idParameter must be places of their own among all parameters, from 1" },
		{ ",\"payloadParameter\":0", "payloadParameter and idParameter must be places of their own among all parameters, from 1" },
		{ ",\"payloadParameter\":\"1x\"", "payloadParameter and idParameter must be places of their own among all parameters, from 1" },
		{ ",\"payloadParameter\":1,\"idParameter\":1", "payloadParameter and idParameter must be places of their own among all parameters, from 1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		const char *fields = sk_printf(&a, "{\"sql\":\"S\",\"parameters\":[\"a\",\"b\"]%s}", cases[i].more);
		assert_string_equal(shown(&a, &marks, fields), cases[i].shown);
		sk_arena_free(&a);
	}
}

static void fields_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	static const struct { const char *fields, *fault; } cases[] = {
		{ "{\"sql\":\"S\"}", NULL },
		{ "{\"table\":\"a.b\",\"columns\":{\"x\":\"\"}}", NULL },
		{ "{}", "either sql or table must be there" },
		{ "{\"sql\":\"S\",\"table\":\"r\"}", "either sql or table must be there" },
		{ "{\"sql\":\"S\",\"idColumn\":\"r\"}", "columns, payloadColumn and idColumn go with table, not with sql" },
		{ "{\"table\":\"r\",\"columns\":{\"x\":\"\"},\"idParameter\":1}", "parameters, payloadParameter and idParameter go with sql, not with table" },
		{ "{\"table\":\"r\"}", "table needs columns or payloadColumn" },
		{ "{\"table\":\"r.\",\"columns\":{\"x\":\"\"}}", "table must be a name, or two with a dot between them" },
		{ "{\"table\":\".r\",\"columns\":{\"x\":\"\"}}", "table must be a name, or two with a dot between them" },
		{ "{\"table\":\"\",\"columns\":{\"x\":\"\"}}", "table must be a name, or two with a dot between them" },
		{ "{\"table\":\"r\",\"columns\":{\"\":\"\"}}", "a column has no name" },
		{ "{\"table\":\"r\",\"columns\":{\"x\":\"\"},\"payloadColumn\":\"x\"}", "a column is there twice" },
		{ "{\"table\":\"r\",\"payloadColumn\":\"x\",\"idColumn\":\"x\"}", "a column is there twice" },
		{ "{\"sql\":\"S\",\"parameters\":[null]}", "a parameter is null: write an empty text, and nullWhenEmpty" },
		{ "{\"sql\":\"S\",\"parameters\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}", "too many parameters" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		const cJSON *fields = sk_json_parse(&a, cases[i].fields, strlen(cases[i].fields), NULL, NULL);
		const char *fault = statement_check(fields, &marks, &a);
		assert_true(!fault == !cases[i].fault);
		if (fault)
			assert_string_equal(fault, cases[i].fault);
		sk_arena_free(&a);
	}
}

static void somebodys_words_become_one_line_of_whole_characters(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	char text[2000];
	assert_string_equal(statement_words(&a, "\n FATAL:  no\r\n\tway \x7f\n"), "FATAL: no way");
	assert_string_equal(statement_words(&a, ""), "");
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	for (size_t skip = 0; skip < 2; skip++) {
		text[0] = 'x';
		const char *words = statement_words(&a, text + (skip ? 2 : 0));
		assert_true(strlen(words) > 390 && strlen(words) <= 400);
		assert_true(skip == 0 || sk_utf8_valid(words, strlen(words)));
	}
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_in_range(strlen(statement_words(&a, text)), 399, 400);
	sk_arena_free(&a);
}

static void errors_of_postgresql_are_told_apart(void **state)
{
	(void)state;
	static const char *const again[] = { "08006", "08000", "53300", "53100", "57P01", "57P02", "57P03", "57P05", "57014", "40001", "40P01", "55P03", "58030", "25006" };
	static const char *const never[] = { "23505", "23514", "22P02", "42P01", "42601", "42501", "0A000", "2D000", "XX000", "55000", "57000", "P0001", "" };
	for (size_t i = 0; i < sizeof again / sizeof *again; i++)
		assert_int_equal(postgres_verdict(again[i]), SK_SUNK_RETRY);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert_int_equal(postgres_verdict(never[i]), SK_SUNK_FAIL);
	assert_true(postgres_stale("42804") && postgres_stale("26000") && postgres_stale("0A000"));
	assert_false(postgres_stale("23505") || postgres_stale("22P02"));
}

static void a_password_does_not_stand_in_the_url(void **state)
{
	(void)state;
	static const struct { const char *url; bool fine; } cases[] = {
		{ "postgresql://h/db", true }, { "postgresql://u:p@h/db", true }, { "host=h user=password", true }, { "", false },
		{ "host=h password=x", false }, { "host=h PASSWORD \t = x", false }, { "postgresql://h/db?password=x", false }, { "sslpassword=x", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		cJSON *fields = sk_json_object(&a);
		sk_json_set_string(&a, fields, "url", cases[i].url);
		sk_json_set_string(&a, fields, "sql", "S");
		assert_int_equal(postgres_check(fields, &a) == NULL, cases[i].fine);
		sk_arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_becomes_an_insert_whose_names_are_quoted),
		cmocka_unit_test(marks_of_many_columns_count_on),
		cmocka_unit_test(the_payload_and_the_id_stand_where_they_are_told_to),
		cmocka_unit_test(fields_that_do_not_go_together_are_refused),
		cmocka_unit_test(somebodys_words_become_one_line_of_whole_characters),
		cmocka_unit_test(errors_of_postgresql_are_told_apart),
		cmocka_unit_test(a_password_does_not_stand_in_the_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
