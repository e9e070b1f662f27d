/* sql_limits_test.c -- AWS IoT SQL against hostile statements and payloads; programs' size, text and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql.h"
#include "tests/unit/sql_world.h"

static const struct sql_options modern = { .version = SQL_2016_03_23 };

static const struct expr_program *compile(struct sk_arena *a, const char *sql)
{
	struct expr_error e;
	const struct expr_program *p = sql_compile(a, sql, strlen(sql), &modern, &e);

	if (!p)
		fail_msg("%s: %s", sql, e.message);
	return p;
}

static char *repeated(struct sk_arena *a, const char *head, const char *s, size_t n, const char *tail)
{
	size_t size = strlen(s);
	char *text = sk_alloc_text(a, strlen(head) + n * size + strlen(tail) + 1), *out = stpcpy(text, head);

	for (size_t i = 0; i < n; i++)
		out = stpcpy(out, s);
	strcpy(out, tail);
	return text;
}

/* What a run says: a document, or why it ended. */
static const char *answer(struct sk_arena *a, const char *sql, const char *payload, const struct expr_limits *limits)
{
	struct sql_message m = world_message(payload, NULL);
	struct sql_result r;

	m.document = sk_json_parse(a, payload, m.size, NULL, NULL);
	if (sql_run(compile(a, sql), &m, a, limits, &r))
		return r.why;
	return r.document ? sk_json_print(a, r.document, NULL) : "nothing";
}

static void a_typical_program_is_small(void **state)
{
	struct sk_arena a = { 0 };
	const struct expr_program *p =
	        compile(&a, "SELECT *, temp * 1.8 + 32 AS fahrenheit, topic(2) AS hall, CASE mode WHEN 'a' THEN 1 ELSE 2 END AS mode,"
	                    " (SELECT VALUE v FROM samples WHERE v > 30) AS high FROM 'factory/+/press/#' WHERE temp > 30 AND startswith(device, 'press')");

	(void)state;
	assert_true(p->size < 400);
	assert_string_equal(sql_filter(p), "factory/+/press/#");
	assert_null(sql_filter(compile(&a, "SELECT a")));
	sk_arena_free(&a);
}

static void a_program_is_explained(void **state)
{
	struct sk_arena a = { 0 };
	char *text = sql_explain(&a, compile(&a, "SELECT color AS rgb FROM 'a/b' WHERE temp > 50"));

	(void)state;
	assert_string_equal(text, "65 bytes, from 'a/b'\ncondition at 25, items at 2\n"
	                          "    1  END\n    2  OBJECT\n    3  NAME 'color'\n   11  PUT 'rgb'\n   18  END\n   19  STRING 'a/b'\n"
	                          "   25  NAME 'temp'\n   32  INT 50\n   34  INFIX >\n   36  END\n");
	sk_arena_free(&a);
}

static const char *traced(struct sk_arena *a, const char *sql, const char *payload)
{
	struct sql_message m = world_message(payload, NULL);
	struct sql_result r;
	cJSON *lines;

	m.document = sk_json_parse(a, payload, m.size, NULL, NULL);
	lines = sql_trace(a, sql, strlen(sql), &modern, &m, &r);
	return lines ? sk_json_print(a, lines, NULL) : r.why;
}

static void a_trace_has_the_value_of_every_clause(void **state)
{
	struct sk_arena a = { 0 };

	(void)state;
	assert_string_equal(traced(&a, "SELECT temp * 2 AS t FROM 'a' WHERE (temp > 30 AND on) OR nope.x = 5", "{\"temp\":31,\"on\":false}"),
	                    "[{\"clause\":\"temp\",\"value\":31},{\"clause\":\"temp > 30\",\"value\":true},{\"clause\":\"on\",\"value\":false},"
	                    "{\"clause\":\"temp > 30 AND on\",\"value\":false},{\"clause\":\"nope.x\"},{\"clause\":\"nope.x = 5\"},"
	                    "{\"clause\":\"(temp > 30 AND on) OR nope.x = 5\"}]");
	assert_string_equal(traced(&a, "SELECT upper('a') AS t WHERE a OR b", "{\"a\":true}"),
	                    "[{\"clause\":\"a\",\"value\":true},{\"clause\":\"a OR b\",\"value\":true},{\"clause\":\"upper('a')\",\"value\":\"A\"}]");
	assert_string_equal(traced(&a, "SELECT (SELECT VALUE v FROM l WHERE v > 1) AS x", "{\"l\":[{\"v\":1},{\"v\":2}]}"),
	                    "[{\"clause\":\"l\",\"value\":[{\"v\":1},{\"v\":2}]},{\"clause\":\"v\",\"value\":1},{\"clause\":\"v > 1\",\"value\":false},"
	                    "{\"clause\":\"v\",\"value\":2},{\"clause\":\"v > 1\",\"value\":true},{\"clause\":\"v\",\"value\":2},"
	                    "{\"clause\":\"(SELECT VALUE v FROM l WHERE v > 1)\",\"value\":[2]}]");
	assert_string_equal(traced(&a, "SET @a = b * 2 SELECT @a AS x FROM 'a' WHERE @a > 3", "{\"b\":2}"),
	                    "[{\"clause\":\"b\",\"value\":2},{\"clause\":\"b * 2\",\"value\":4},{\"clause\":\"@a\",\"value\":4},"
	                    "{\"clause\":\"@a > 3\",\"value\":true},{\"clause\":\"@a\",\"value\":4}]");
	assert_string_equal(traced(&a, "SELECT a FROM", "{}"), "line 1, column 14: expected a topic filter in single quotes, found the end");
	sk_arena_free(&a);
}

static bool at_once(void *state)
{
	++*(int *)state;
	return true;
}

static void work_is_counted(void **state)
{
	struct sk_arena a = { 0 };
	const char *many = repeated(&a, "{\"l\":[", "1,", 200000, "2]}");
	const char *text = repeated(&a, "{\"s\":\"", "a", 200000, "\"}");
	const struct expr_limits few = { .steps = 10000 }, small = { .bytes = 300000 };
	int asked = 0;
	const struct expr_limits stopped = { .stop = at_once, .state = &asked };

	(void)state;
	assert_string_equal(answer(&a, "SELECT (SELECT VALUE * FROM l) AS x", many, &few), "more than 10000 steps");
	assert_string_equal(answer(&a, "SELECT 5 IN l AS x", many, &few), "more than 10000 steps");
	assert_string_equal(answer(&a, "SELECT concat(l, l) AS x", many, &few), "more than 10000 steps");
	assert_string_equal(answer(&a, "SELECT replace(s, 'a', 'aaaaaaaaaa') AS x", text, &small), "more than 300000 bytes of memory");
	assert_string_equal(answer(&a, "SELECT s + s + s AS x", text, &small), "more than 300000 bytes of memory");
	assert_string_equal(answer(&a, "SELECT regexp_replace(s, 'a', 'b') AS x", text, &few), "more than 10000 steps");
	assert_string_equal(answer(&a, "SELECT (SELECT VALUE * FROM l) AS x", many, &stopped), "it took too long");
	assert_int_equal(asked, 1);
	assert_string_equal(answer(&a, "SELECT length(s) AS x", text, NULL), "{\"x\":200000}");
	sk_arena_free(&a);
}

static void what_grows_with_nesting_ends(void **state)
{
	struct sk_arena a = { 0 };
	const char *text = repeated(&a, "SELECT ", "replace(", 30, repeated(&a, "'aa'", ", 'a', 'aaaaaaaa')", 30, " AS x"));

	(void)state;
	assert_non_null(strstr(answer(&a, text, "{}", NULL), "more than "));
	sk_arena_free(&a);
}

static void nesting_is_bounded(void **state)
{
	static const struct {
		const char *open, *close;
	} pairs[] = { { "(", ")" }, { "[", "]" }, { "abs(", ")" }, { "CASE 1 WHEN 1 THEN ", " END" }, { "(SELECT VALUE a FROM ", ")" },
		      { "(SELECT ", " FROM a)" }, { "{'a':", "}" }, { "get_or_default(", ", 1)" }, { "cast(", " AS Int)" }, { "NOT ", "" }, { "-", "" } };
	struct sk_arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct expr_error e;
		const char *deep = repeated(&a, "SELECT ", pairs[i].open, 5000, repeated(&a, "1", pairs[i].close, 5000, ""));
		const char *shallow = repeated(&a, "SELECT ", pairs[i].open, 14, repeated(&a, "1", pairs[i].close, 14, " AS x"));
		assert_null(sql_compile(&a, deep, strlen(deep), &modern, &e));
		assert_non_null(strstr(e.message, "nested too deeply"));
		answer(&a, shallow, "{\"a\":{}}", NULL);
	}
	sk_arena_free(&a);
}

static void deep_and_wide_payloads_are_no_matter(void **state)
{
	struct sk_arena a = { 0 };
	const char *deep = repeated(&a, "{\"a\":", "[", 100, repeated(&a, "1", "]", 100, "}"));
	const char *keys = repeated(&a, "{\"x\":1", ",\"k\":2", 20000, "}");

	(void)state;
	assert_string_equal(answer(&a, "SELECT a = a AS x", deep, NULL), "{\"x\":true}");
	assert_string_equal(answer(&a, "SELECT *, 3 AS k", keys, NULL), "{\"x\":1,\"k\":3}");
	sk_arena_free(&a);
}

/* -- regular expressions kept from message to message -- */

static const char *matched(struct sk_arena *a, struct sql_patterns *kept, const char *pattern)
{
	struct sql_message m = world_message("{\"s\":\"press-17\"}", NULL);
	struct sql_result r;

	m.patterns = kept;
	m.document = sk_json_parse(a, m.payload, m.size, NULL, NULL);
	if (sql_run(compile(a, sk_printf(a, "SELECT VALUE regexp_substr(s, '%s')", pattern)), &m, a, NULL, &r))
		return r.why;
	return r.document ? sk_json_print(a, r.document, NULL) : "nothing";
}

static void patterns_may_be_kept(void **state)
{
	struct sql_patterns kept = { 0 };
	struct sk_arena a = { 0 };
	size_t before;

	(void)state;
	assert_string_equal(matched(&a, &kept, "[0-9]+"), "\"17\"");
	before = kept.arena.total;
	for (int i = 0; i < 1000; i++) {
		assert_string_equal(matched(&a, &kept, "[0-9]+"), "\"17\"");
		assert_string_equal(matched(&a, &kept, "("), "nothing");
		sk_arena_reset(&a, 0);
	}
	assert_true(kept.arena.total <= 2 * before);
	for (int i = 0; i < 3000; i++) { /* more than are kept, and than fit */
		assert_string_equal(matched(&a, &kept, sk_printf(&a, "p.*-(1|%d){1,9}7", i)), "\"press-17\"");
		assert_true(kept.arena.total < 1300000);
		sk_arena_reset(&a, 0);
	}
	for (long n = 1; n < 30; n++) {
		const char *said;
		sql_patterns_free(&kept);
		sk_alloc_text(&a, 1);
		sk_arena_fail_after(n);
		said = matched(&a, &kept, "[0-9]+");
		sk_arena_fail_after(0);
		assert_true(strcmp(said, "\"17\"") == 0 || strcmp(said, "out of memory") == 0);
		sk_arena_reset(&a, 0);
		assert_string_equal(matched(&a, &kept, "[0-9]+"), "\"17\"");
	}
	sql_patterns_free(&kept);
	sk_arena_free(&a);
}

/* -- threads -- */

static const struct expr_program *shared;

static void *run_often(void *failures)
{
	struct sk_arena a = { 0 };
	const char *payload = "{\"temp\":31.5,\"s\":\"press-17\",\"l\":[1,2,3]}";

	for (int i = 0; i < 2000; i++) {
		struct sql_message m = world_message(payload, NULL);
		struct sql_result r;
		m.document = sk_json_parse(&a, payload, m.size, NULL, NULL);
		if (sql_run(shared, &m, &a, NULL, &r) != SK_OK ||
		    strcmp(sk_json_print(&a, r.document, NULL), "{\"f\":88.7,\"m\":\"17\",\"h\":\"900150983cd24fb0d6963f7d28e17f72\",\"l\":[2,3]}") != 0)
			++*(int *)failures;
		sk_arena_reset(&a, 65536);
	}
	sk_arena_free(&a);
	return NULL;
}

static void one_program_serves_many_threads(void **state)
{
	struct sk_arena a = { 0 };
	pthread_t threads[4];
	int failures[4] = { 0 };

	(void)state;
	shared = compile(&a, "SELECT temp * 1.8 + 32 AS f, regexp_substr(s, '[0-9]+') AS m, md5('abc') AS h, [get(l, 1), l[2]] AS l FROM 'a/#' WHERE temp > 30");
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_often, &failures[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_typical_program_is_small),
		cmocka_unit_test(a_program_is_explained),
		cmocka_unit_test(a_trace_has_the_value_of_every_clause),
		cmocka_unit_test(work_is_counted),
		cmocka_unit_test(what_grows_with_nesting_ends),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(deep_and_wide_payloads_are_no_matter),
		cmocka_unit_test(patterns_may_be_kept),
		cmocka_unit_test(one_program_serves_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
