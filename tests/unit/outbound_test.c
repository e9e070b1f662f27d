/* outbound_test.c -- what answers mean, what is said of them, where URLs lead, and the search for the one bad item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/secrets.h"
#include "outbound/credentials.h"
#include "outbound/split.h"
#include "outbound/text.h"
#include "tests/unit/fake_outbound.h"

#define COUNT(x) (sizeof(x) / sizeof(*(x)))

static void a_status_says_what_comes_next(void **state)
{
	static const struct { int status; enum sk_sunk result; } cases[] = {
		{ 200, SK_SUNK_OK }, { 201, SK_SUNK_OK }, { 204, SK_SUNK_OK }, { 299, SK_SUNK_OK }, { 300, SK_SUNK_FAIL }, { 301, SK_SUNK_FAIL }, { 307, SK_SUNK_FAIL },
		{ 400, SK_SUNK_FAIL }, { 401, SK_SUNK_FAIL }, { 404, SK_SUNK_FAIL }, { 408, SK_SUNK_RETRY }, { 409, SK_SUNK_FAIL }, { 413, SK_SUNK_FAIL },
		{ 425, SK_SUNK_RETRY }, { 429, SK_SUNK_RETRY }, { 500, SK_SUNK_RETRY }, { 503, SK_SUNK_RETRY }, { 599, SK_SUNK_RETRY }, { 0, SK_SUNK_RETRY },
	};
	struct sk_arena a = { 0 };
	const char *why;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct outbound_request r = { .status = cases[i].status, .why = cases[i].status ? NULL : "nobody there", .answer = "so\r\n it is", .answer_size = 10 };
		assert_int_equal(outbound_verdict(&r, &a, &why), cases[i].result);
		if (cases[i].result == SK_SUNK_OK)
			assert_null(why);
		else
			assert_string_equal(why, !r.status ? "nobody there" : r.status < 400 ? sk_printf(&a, "%d: the server redirects, which is not followed", r.status) :
			                         sk_printf(&a, "%d: so it is", r.status));
	}
	struct outbound_request never = { .never = true, .why = "no" };
	assert_int_equal(outbound_verdict(&never, &a, &why), SK_SUNK_FAIL);
	sk_arena_free(&a);
}

static void what_a_server_quotes_of_the_request_is_not_repeated(void **state)
{
	static const struct outbound_header sent[] = { { "Authorization", "Bearer s3cr3t-token" }, { "X-Api-Key", "abcd" }, { "X-Short", "ab" }, { "Content-Type", "text/plain" } };
	static const char said[] = "bad Bearer s3cr3t-token, or s3cr3t-token; key abcd abcd, ab, text/plain";
	struct outbound_request r = { .status = 403, .header = sent, .headers = COUNT(sent), .answer = said, .answer_size = sizeof said - 1 };
	struct sk_arena a = { 0 };
	const char *why;
	(void)state;
	outbound_verdict(&r, &a, &why);
	assert_null(strstr(why, "s3cr3t"));
	assert_null(strstr(why, "abcd"));
	assert_string_equal(why, "403: bad *******************, or ************; key **** ****, ab, text/plain");
	sk_arena_free(&a);
}

static void nor_is_what_its_url_holds(void **state)
{
	static const struct { const char *url, *answer, *why; } cases[] = {
		{ "https://h/?key=sesame&x=1", "no sesame at /?key=sesame&x=1", "403: no ****** at /?key=******&x=1" },
		{ "https://me:sesame@h:1/p", "no me:sesame@h", "403: no me:******@h" },
		{ "https://h/a?sesame", "sesame", "403: sesame" }, { "https://h/a?=&b=&c#d=sesame", "sesame", "403: sesame" },
		{ "https://h/x:sesame@y?q", "sesame", "403: sesame" }, { "?a=sesame", "sesame", "403: ******" }, { "", "sesame", "403: sesame" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		struct outbound_request r = { .url = cases[i].url, .status = 403, .answer = cases[i].answer, .answer_size = strlen(cases[i].answer) };
		const char *why;
		assert_int_equal(outbound_verdict(&r, &a, &why), SK_SUNK_FAIL);
		assert_string_equal(why, cases[i].why);
		sk_arena_free(&a);
	}
}

static void items_are_told_and_told_when(void **state)
{
	struct sk_arena a = { 0 };
	struct sk_sink_item one = { 0 }, two = { 0 }, *const items[] = { &one, &two };
	struct outbound_request r = { .status = 429, .retry_ms = 3000, .answer = "slowly", .answer_size = 6 };
	(void)state;
	outbound_say(&r, items, 2, &a);
	assert_int_equal(one.result, SK_SUNK_RETRY);
	assert_int_equal(two.retry_ms, 3000);
	assert_string_equal(two.why, "429: slowly");
	r.status = 200;
	outbound_say(&r, items, 1, &a);
	assert_int_equal(one.result, SK_SUNK_OK);
	assert_null(one.why);
	sk_arena_free(&a);
}

static void what_is_said_is_one_line_of_text(void **state)
{
	static const struct { const char *text; size_t size, most; const char *line; } cases[] = {
		{ "", 0, 10, "" }, { "  a \r\n\t b\n", 11, 10, "a b" }, { "a\0b", 3, 10, "a b" }, { "\x7f\x01", 2, 10, "" }, { "abcdef", 6, 3, "abc" },
		{ "aä", 3, 3, "aä" }, { "aä", 3, 2, "a" }, { "€uro", 6, 2, "" }, { "a\xff" "b", 3, 10, "a?b" }, { "\xc3", 1, 10, "?" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(outbound_line(&a, cases[i].text, cases[i].size, cases[i].most), cases[i].line);
	sk_arena_free(&a);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
	static const struct { const char *url, *origin; } cases[] = {
		{ "https://Example.ORG:8443/a/${topic()}?x#y", "https://example.org:8443" }, { "http://10.0.0.1", "http://10.0.0.1" }, { "HTTPS://h?q", "https://h" },
		{ "https://user:secret@h:1/", "https://h:1" }, { "https://[::1]:80/", "https://[::1]:80" }, { "https://h#f", "https://h" },
	};
	static const struct { const char *url, *why; } bad[] = {
		{ "ftp://h/", "must begin with" }, { "file:///etc/passwd", "must begin with" }, { "//h", "must begin with" }, { "", "must begin with" },
		{ "https://${topic(2)}/", "cannot be a template" }, { "https://h${topic()}", "cannot be a template" }, { "https://${x}.h/", "cannot be a template" },
		{ "https://${x}@h/", "cannot be a template" }, { "https://", "has no host" }, { "http:///x", "has no host" }, { "http://:80/", "has no host" },
		{ "http://u@/", "has no host" }, { "http://a b/", "no host has" }, { "http://a\r\nHost: b/", "no host has" },
	};
	struct sk_arena a = { 0 };
	const char *why;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(outbound_origin(&a, cases[i].url, &why), cases[i].origin);
		assert_null(why);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(outbound_origin(&a, bad[i].url, &why));
		assert_non_null(strstr(why, bad[i].why));
	}
	sk_arena_free(&a);
}

static void urls_are_written_so_that_they_can_be_sent(void **state)
{
	struct sk_arena a = { 0 };
	struct outbound_text t = { .a = &a };
	(void)state;
	assert_string_equal(outbound_url(&a, "https://h/a b/\xc3\xa4%20\"<>\\^`{|}\r\n?x=1&y=[2]#end"), "https://h/a%20b/%C3%A4%20%22%3C%3E%5C%5E%60%7B%7C%7D%0D%0A?x=1&y=[2]");
	assert_string_equal(outbound_url(&a, ""), "");
	outbound_put_encoded(&t, "a b/&=+%~-._\xff");
	assert_string_equal(t.at, "a%20b%2F%26%3D%2B%25~-._%FF");
	sk_arena_free(&a);
}

static void headers_that_would_break_a_request_are_refused(void **state)
{
	static const struct { const char *name, *value; } bad[] = {
		{ "", "x" }, { "a b", "x" }, { "a:", "x" }, { "a\r\nb", "x" }, { "\xc3\xa4", "x" }, { "A", "x\r\nB: y" }, { "A", "x\ny" }, { "A", "\x7f" },
		{ "Content-Length", "1" }, { "transfer-encoding", "chunked" }, { "Connection", "close" }, { "EXPECT", "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(outbound_header_fault(bad[i].name, bad[i].value));
	assert_null(outbound_header_fault("X-A", "b c\td \xc3\xa4"));
	assert_null(outbound_header_fault("X-A", ""));
}

/* -- split -- */

enum { ITEMS = 100 };
static char bodies[ITEMS + 1];

/* The body has one letter an item: b is bad, a request that holds x gets no answer. */
static void refuses_b(struct outbound_request *r, struct sk_arena *a)
{
	const char *body = r->body;
	(void)a;
	r->status = memchr(body, 'x', r->size) ? 0 : memchr(body, 'b', r->size) ? 400 : 204;
	if (!r->status)
		r->why = "nobody there";
}

static bool split(const char *body, struct sk_sink_item *item)
{
	struct sk_arena a = { 0 };
	struct sk_sink_item *items[ITEMS];
	size_t end[ITEMS], n = strlen(body);
	struct outbound_split s = { .body = body, .end = end };
	for (size_t i = 0; i < n; i++) {
		item[i] = (struct sk_sink_item){ 0 };
		items[i] = &item[i];
		end[i] = i + 1;
	}
	fake_outbound(refuses_b);
	bool answered = outbound_split_send(NULL, &s, items, n, &a);
	sk_arena_free(&a);
	return answered;
}

static void one_bad_item_fails_alone(void **state)
{
	struct sk_sink_item item[ITEMS];
	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		size_t n = 1 + (size_t)rand() % ITEMS;
		memset(bodies, 'g', n);
		bodies[n] = '\0';
		for (int bad = rand() % 4; bad > 0; bad--)
			bodies[(size_t)rand() % n] = 'b';
		assert_true(split(bodies, item));
		assert_true(fake_outbound_rounds <= 8);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(item[i].result, bodies[i] == 'b' ? SK_SUNK_FAIL : SK_SUNK_OK);
	}
	assert_true(split("b", item));
	assert_int_equal(fake_outbound_requests, 1);
	memset(bodies, 'b', ITEMS);
	split(bodies, item);
	assert_int_equal(fake_outbound_requests, 2 * ITEMS - 1);
}

static void items_that_were_not_answered_come_again(void **state)
{
	struct sk_sink_item item[ITEMS];
	(void)state;
	assert_false(split("ggxg", item));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(item[i].result, SK_SUNK_RETRY);
}

static void credentials_come_from_the_environment_last(void **state)
{
	struct sk_arena a = { 0 };
	struct outbound_credentials c;
	(void)state;
	unsetenv("AWS_ACCESS_KEY_ID");
	assert_non_null(strstr(outbound_credentials(&a, "arn:x", &c), "no credentials"));
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
	setenv("AWS_SESSION_TOKEN", "", 1);
	assert_null(outbound_credentials(&a, "arn:x", &c));
	assert_string_equal(c.key_id, "AK");
	assert_null(c.token);
	setenv("SKEETER_SECRET_AWS", "{\"accessKeyId\":\"A2\",\"secretAccessKey\":\"S2\",\"sessionToken\":\"T2\"}", 1);
	assert_null(outbound_credentials(&a, "arn:x", &c));
	assert_string_equal(c.token, "T2");
	setenv("SKEETER_SECRET_ARN_X", "half-a-key", 1);
	const char *why = outbound_credentials(&a, "arn:x", &c);
	assert_non_null(strstr(why, "arn:x"));
	assert_null(strstr(why, "half-a-key"));
	unsetenv("SKEETER_SECRET_ARN_X");
	unsetenv("SKEETER_SECRET_AWS");
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_says_what_comes_next), cmocka_unit_test(what_a_server_quotes_of_the_request_is_not_repeated),
		cmocka_unit_test(nor_is_what_its_url_holds),
		cmocka_unit_test(items_are_told_and_told_when), cmocka_unit_test(what_is_said_is_one_line_of_text), cmocka_unit_test(an_origin_is_scheme_host_and_port),
		cmocka_unit_test(urls_are_written_so_that_they_can_be_sent), cmocka_unit_test(headers_that_would_break_a_request_are_refused),
		cmocka_unit_test(one_bad_item_fails_alone), cmocka_unit_test(items_that_were_not_answered_come_again),
		cmocka_unit_test(credentials_come_from_the_environment_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
