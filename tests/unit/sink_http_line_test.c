/* sink_http_line_test.c -- items to lines for InfluxDB and rows for ClickHouse: every character that has a meaning there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins/sink_http/sink_http.h"
#include "tests/unit/fake_outbound.h"

#define COUNT(x) (sizeof(x) / sizeof(*(x)))

struct line_case {
	const char *fields, *payload, *line;
};

static const char *line_of(struct sk_arena *a, const char *fields, const char *payload)
{
	struct outbound_text t = { .a = a };
	outbound_puts(&t, "before\n");
	const char *why = influx_line(&t, fake_item(a, fields, payload));
	if (why)
		assert_string_equal(t.at, "before\n");
	return why ? why : t.at + 7;
}

static void check_lines(const struct line_case *c, size_t n)
{
	struct sk_arena a = { 0 };
	for (size_t i = 0; i < n; i++)
		assert_string_equal(line_of(&a, c[i].fields, c[i].payload), c[i].line);
	sk_arena_free(&a);
}

#define M "\"timestamp\":\"5\",\"precision\":\"ns\",\"measurement\":\"m\""

static void names_and_values_are_escaped(void **state)
{
	static const struct line_case cases[] = {
		{ "{\"timestamp\":\"5\",\"precision\":\"ns\",\"measurement\":\"a b,c=d\\\"e\\\\f\",\"fields\":{\"x\":\"1\"}}", "", "a\\ b\\,c=d\"e\\f x=1 5" },
		{ "{" M ",\"tags\":{\"k 1,2=3\\\"\":\"v 1,2=3\\\"\\\\4\"},\"fields\":{\"x\":\"1\"}}", "", "m,k\\ 1\\,2\\=3\"=v\\ 1\\,2\\=3\"\\4 x=1 5" },
		{ "{" M ",\"tags\":{\"a\":\"1\",\"empty\":\"\",\"b\":\"ä€\"},\"fields\":{\"x\":\"1\"}}", "", "m,a=1,b=ä€ x=1 5" },
		{ "{" M ",\"fields\":{\"f 1,2=3\":\"text \\\"q\\\" back\\\\slash, a=b\\nline\"}}", "", "m f\\ 1\\,2\\=3=\"text \\\"q\\\" back\\\\slash, a=b\nline\" 5" },
		{ "{" M ",\"fields\":{\"s\":\"ends with \\\\\"}}", "", "m s=\"ends with \\\\\" 5" },
		{ "{" M ",\"fields\":{\"s\":\"\"}}", "", "m s=\"\" 5" },
	};
	(void)state;
	check_lines(cases, COUNT(cases));
}

static void texts_become_what_they_look_like(void **state)
{
	static const struct line_case cases[] = {
		{ "{" M ",\"fields\":{\"a\":\"21.5\",\"b\":\"-3\",\"c\":\"7i\",\"d\":\"8u\",\"e\":\"1e-3\",\"f\":\"true\",\"g\":\"false\"}}", "",
		  "m a=21.5,b=-3,c=7i,d=8u,e=1e-3,f=true,g=false 5" },
		{ "{" M ",\"fields\":{\"a\":\"1.5i\",\"b\":\".5\",\"c\":\"5.\",\"d\":\"1e\",\"e\":\"+1\",\"f\":\"0x1\",\"g\":\"True\",\"h\":\"-\",\"i\":\"1 2\"}}", "",
		  "m a=\"1.5i\",b=\".5\",c=\"5.\",d=\"1e\",e=\"+1\",f=\"0x1\",g=\"True\",h=\"-\",i=\"1 2\" 5" },
		{ "{" M ",\"fields\":{\"a\":\"\\\"12\\\"\",\"b\":\"\\\"\",\"c\":\"\\\"\\\"\"}}", "", "m a=\"12\",b=\"\\\"\",c=\"\" 5" },
	};
	(void)state;
	check_lines(cases, COUNT(cases));
}

static void without_fields_the_payload_has_them(void **state)
{
	static const struct line_case cases[] = {
		{ "{" M "}", "{\"t\":21.50,\"n\":-1e3,\"s\":\"a\\\"b\",\"ok\":true,\"no\":false,\"nil\":null}", "m t=21.50,n=-1e3,s=\"a\\\"b\",ok=true,no=false 5" },
		{ "{" M "}", "{\"a\":{\"b\":{\"c d\":1}},\"l\":[1,{\"x\":2},[3]],\"big\":9007199254740993}", "m a_b_c\\ d=1,l_0=1,l_1_x=2,l_2_0=3,big=9007199254740993 5" },
		{ "{" M "}", "[1]", "the payload is no JSON object, and the action names no fields" },
		{ "{" M "}", "{\"a\":1} x", "the payload is no JSON object, and the action names no fields" },
		{ "{" M "}", "{\"a\":null,\"b\":[],\"c\":{}}", "there is no field: the payload has neither numbers, nor texts, nor truth values" },
		{ "{" M "}", "{\"\":1}", "a field has no name" },
		{ "{" M "}", "{\"a\\nb\":1}", "a measurement, tag or field name holds a line end or another control character" },
	};
	(void)state;
	check_lines(cases, COUNT(cases));
}

static void what_line_protocol_cannot_say_is_refused(void **state)
{
	static const struct line_case cases[] = {
		{ "{\"measurement\":\"\"}", "{\"a\":1}", "the measurement is empty" },
		{ "{\"measurement\":\"#m\"}", "{\"a\":1}", "a measurement that begins with # would be a comment" },
		{ "{\"measurement\":\"m\\n\"}", "{\"a\":1}", "a measurement, tag or field name holds a line end or another control character" },
		{ "{\"measurement\":\"m\\\\\"}", "{\"a\":1}", "a measurement, tag or field name ends with a backslash, which line protocol cannot say" },
		{ "{" M ",\"tags\":{\"t\":\"v\\\\\"}}", "{\"a\":1}", "a measurement, tag or field name ends with a backslash, which line protocol cannot say" },
		{ "{" M ",\"tags\":{\"t\":\"v\\nm2 x=1\"}}", "{\"a\":1}", "a measurement, tag or field name holds a line end or another control character" },
		{ "{" M ",\"fields\":{\"a\\\\,b\":\"1\"}}", "", "a field's name has a backslash before a comma, a blank, a quote or =, which line protocol cannot say" },
		{ "{" M "}", "{\"a\\\\\\\"b\":1}", "a field's name has a backslash before a comma, a blank, a quote or =, which line protocol cannot say" },
		{ "{" M "}", "{\"a\\\\ b\":1}", "a field's name has a backslash before a comma, a blank, a quote or =, which line protocol cannot say" },
		{ "{" M ",\"tags\":{\"\":\"v\"}}", "{\"a\":1}", "a tag has no name" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"soon\"}", "{\"a\":1}", "the timestamp is no integer in its range" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"\"}", "{\"a\":1}", "the timestamp is no integer in its range" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"9223372036854775807\"}", "{\"a\":1}", "the timestamp is no integer in its range" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"1\",\"precision\":\"h\"}", "{\"a\":1}", "the precision is none of ns, us, ms, s" },
	};
	(void)state;
	check_lines(cases, COUNT(cases));
}

static void times_are_nanoseconds(void **state)
{
	static const struct line_case cases[] = {
		{ "{\"measurement\":\"m\",\"timestamp\":\"1700000000123\"}", "{\"a\":1}", "m a=1 1700000000123000000" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"-7\",\"precision\":\"s\"}", "{\"a\":1}", "m a=1 -7000000000" },
		{ "{\"measurement\":\"m\",\"timestamp\":\"7\",\"precision\":\"us\"}", "{\"a\":1}", "m a=1 7000" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	check_lines(cases, COUNT(cases));
	const char *first = line_of(&a, "{\"measurement\":\"m\"}", "{\"a\":1}");
	assert_memory_equal(first, "m a=1 1700000000123", 19);
	assert_int_equal(strlen(first), 25);
	assert_string_equal(first, line_of(&a, "{\"measurement\":\"m\"}", "{\"a\":1}"));
	struct sk_sink_item *other = fake_item(&a, "{\"measurement\":\"m\"}", "{\"a\":1}");
	struct outbound_text t = { .a = &a };
	other->id = "ffffffffffffffffffffffffffffffff";
	assert_null(influx_line(&t, other));
	assert_string_not_equal(first, t.at);
	sk_arena_free(&a);
}

/* -- ClickHouse -- */

static void rows_are_objects(void **state)
{
	static const struct { const char *fields, *payload, *row; } cases[] = {
		{ "{\"table\":\"t\"}", "{\"a\": 1}", "{\"a\": 1}\n" },
		{ "{\"table\":\"t\"}", "{\n\"a\":1}", "{\n\"a\":1}\n" },
		{ "{\"columns\":{\"a\":\"1.5\",\"b\":\"x\\\"y\\n\",\"c\":\"true\",\"d\":\"[1,2]\",\"e\":\"[broken\",\"f\":\"\"}}", "not JSON",
		  "{\"a\":\"1.5\",\"b\":\"x\\\"y\\n\",\"c\":true,\"d\":[1,2],\"e\":\"[broken\",\"f\":\"\"}\n" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct outbound_text t = { .a = &a };
		assert_null(clickhouse_row(&t, fake_item(&a, cases[i].fields, cases[i].payload)));
		assert_string_equal(t.at, cases[i].row);
	}
	static const char *const bad[] = { "", "1", "[{}]", "{} {}", "{\"a\":1}, {\"b\":2}", "x" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct outbound_text t = { .a = &a };
		assert_non_null(clickhouse_row(&t, fake_item(&a, "{\"table\":\"t\"}", bad[i])));
		assert_int_equal(t.n, 0);
	}
	sk_arena_free(&a);
}

static void errors_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(clickhouse_code("Code: 117, e.displayText() = DB::Exception: Unknown field"), 117);
	assert_int_equal(clickhouse_code("Code: 60. DB::Exception: Table"), 60);
	assert_int_equal(clickhouse_code("Code: x"), 0);
	assert_int_equal(clickhouse_code("Code: 99999999999999999999"), 0);
	assert_int_equal(clickhouse_code("Code: -1"), 0);
	assert_int_equal(clickhouse_code(""), 0);
}

/* -- deliver: a server that refuses rows with a word in them -- */

static const char *said;
static int status;
static char seen[4096];

static void house(struct outbound_request *r, struct sk_arena *a)
{
	(void)a;
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s %.*s", r->url, (int)r->size, (const char *)r->body);
	r->status = 200;
	if (memmem(r->body, r->size, "bad", 3)) {
		r->status = status;
		r->answer = said;
	}
}

static void drive(void *sink, void (*deliver)(void *, struct sk_sink_item *const *, size_t, struct sk_arena *), struct sk_sink_item **item, size_t n)
{
	struct sk_arena a = { 0 };
	*seen = '\0';
	fake_outbound(house);
	for (size_t i = 0; i < n; i++)
		item[i]->result = SK_SUNK_RETRY;
	deliver(sink, item, n, &a);
	sk_arena_free(&a);
}

static void *opened(void *(*open)(void *, const cJSON *, char *, size_t), struct sk_arena *a, const char *fields)
{
	static struct sink_http_state none;
	char why[100];
	return open(&none, sk_json_parse(a, fields, strlen(fields), NULL, NULL), why, sizeof why);
}

static void a_row_that_clickhouse_refuses_fails_alone(void **state)
{
	struct sk_arena a = { 0 };
	void *sink = opened(clickhouse_open, &a, "{\"url\":\"http://h:1/?x=1\",\"database\":\"d`b\",\"table\":\"t\",\"user\":\"u\",\"password\":\"p\"}");
	struct sk_sink_item *item[] = { fake_item(&a, "{\"table\":\"t\"}", "{\"a\":1}"), fake_item(&a, "{\"table\":\"t\"}", "{\"bad\":1}"), fake_item(&a, "{\"table\":\"u\"}", "{\"a\":3}"),
		                        fake_item(&a, "{\"table\":\"t\"}", "7") };
	(void)state;
	status = 500, said = "Code: 117, e.displayText()";
	drive(sink, clickhouse_deliver, item, 4);
	assert_int_equal(item[0]->result, SK_SUNK_OK);
	assert_int_equal(item[1]->result, SK_SUNK_FAIL);
	assert_int_equal(item[2]->result, SK_SUNK_OK);
	assert_int_equal(item[3]->result, SK_SUNK_FAIL);
	assert_non_null(strstr(seen, "http://h:1/?x=1&query=INSERT%20INTO%20%60d%5C%60b%60.%60u%60%20FORMAT%20JSONEachRow {\"a\":3}"));
	status = 500, said = "Code: 241, memory";
	drive(sink, clickhouse_deliver, item, 3);
	assert_int_equal(item[0]->result, SK_SUNK_RETRY);
	assert_int_equal(item[2]->result, SK_SUNK_OK);
	status = 404, said = "Code: 60, no table";
	drive(sink, clickhouse_deliver, item, 3);
	assert_int_equal(item[1]->result, SK_SUNK_FAIL);
	status = 404, said = "Code: 81, no database";
	drive(sink, clickhouse_deliver, item, 3);
	assert_int_equal(item[1]->result, SK_SUNK_RETRY);
	status = 0;
	drive(sink, clickhouse_deliver, item, 3);
	assert_int_equal(fake_outbound_requests, 1);
	assert_int_equal(item[2]->result, SK_SUNK_RETRY);
	clickhouse_close(sink);
	sink = opened(clickhouse_open, &a, "{\"url\":\"http://h:1\",\"table\":\"${t}\"}");
	drive(sink, clickhouse_deliver, item, 1);
	assert_non_null(strstr(seen, "http://h:1/?query=INSERT"));
	clickhouse_close(sink);
	sk_arena_free(&a);
}

static void a_point_that_influx_refuses_fails_alone(void **state)
{
	struct sk_arena a = { 0 };
	void *sink = opened(influx_open, &a, "{\"url\":\"http://h:8086/\",\"database\":\"my db\",\"user\":\"u\",\"password\":\"p\",\"measurement\":\"m\"}");
	struct sk_sink_item *item[] = { fake_item(&a, "{" M "}", "{\"a\":1}"), fake_item(&a, "{" M "}", "{\"bad\":1}"), fake_item(&a, "{" M "}", "x"), fake_item(&a, "{" M "}", "{\"b\":1}") };
	(void)state;
	status = 400, said = "{\"error\":\"partial write: field type conflict dropped=1\"}";
	drive(sink, influx_deliver, item, 4);
	assert_int_equal(item[0]->result, SK_SUNK_OK);
	assert_int_equal(item[1]->result, SK_SUNK_FAIL);
	assert_int_equal(item[2]->result, SK_SUNK_FAIL);
	assert_int_equal(item[3]->result, SK_SUNK_OK);
	assert_non_null(strstr(seen, "http://h:8086/write?db=my%20db&precision=ns m a=1 5\nm bad=1 5\nm b=1 5\n"));
	said = "{\"error\":\"partial write: field type conflict dropped=3\"}";
	drive(sink, influx_deliver, item, 4);
	assert_int_equal(fake_outbound_requests, 1);
	assert_int_equal(item[3]->result, SK_SUNK_FAIL);
	status = 404, said = "{\"error\":\"database not found\"}";
	drive(sink, influx_deliver, item, 2);
	assert_int_equal(item[0]->result, SK_SUNK_RETRY);
	influx_close(sink);
	sink = opened(influx_open, &a, "{\"url\":\"http://h:8086\",\"bucket\":\"b\",\"org\":\"o&o\",\"token\":\"t\",\"measurement\":\"m\"}");
	drive(sink, influx_deliver, item, 1);
	assert_non_null(strstr(seen, "http://h:8086/api/v2/write?org=o%26o&bucket=b&precision=ns m a=1 5\n"));
	influx_close(sink);
	sk_arena_free(&a);
}

static const char *checked(const char *(*check)(const cJSON *, struct sk_arena *), const char *fields)
{
	static struct sk_arena a;
	sk_arena_reset(&a, 0);
	return check(sk_json_parse(&a, fields, strlen(fields), NULL, NULL), &a);
}

static void rules_that_cannot_work_are_refused(void **state)
{
	(void)state;
	assert_null(checked(influx_check, "{\"url\":\"http://h\",\"database\":\"d\"}"));
	assert_null(checked(influx_check, "{\"url\":\"http://h\",\"bucket\":\"d\",\"org\":\"o\"}"));
	assert_non_null(checked(influx_check, "{\"url\":\"http://h\",\"bucket\":\"d\"}"));
	assert_non_null(checked(influx_check, "{\"url\":\"http://h\"}"));
	assert_non_null(checked(influx_check, "{\"url\":\"http://h\",\"bucket\":\"d\",\"org\":\"o\",\"database\":\"d\"}"));
	assert_non_null(checked(influx_check, "{\"url\":\"udp://h\",\"database\":\"d\"}"));
	assert_null(checked(clickhouse_check, "{\"url\":\"http://h\",\"table\":\"d\"}"));
	assert_non_null(checked(clickhouse_check, "{\"url\":\"h\",\"table\":\"d\"}"));
	assert_non_null(checked(clickhouse_check, "{\"url\":\"http://h\",\"table\":\"d\",\"columns\":{\"\":\"x\"}}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_are_escaped), cmocka_unit_test(texts_become_what_they_look_like), cmocka_unit_test(without_fields_the_payload_has_them),
		cmocka_unit_test(what_line_protocol_cannot_say_is_refused), cmocka_unit_test(times_are_nanoseconds), cmocka_unit_test(rows_are_objects),
		cmocka_unit_test(errors_have_numbers), cmocka_unit_test(a_row_that_clickhouse_refuses_fails_alone),
		cmocka_unit_test(a_point_that_influx_refuses_fails_alone), cmocka_unit_test(rules_that_cannot_work_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
