/* sink_http_mail_test.c -- items to mails: headers that nothing can break out of, encoded words, bodies that arrive as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "plugins/sink_http/sink_http.h"
#include "tests/unit/fake_outbound.h"

#define COUNT(x) (sizeof(x) / sizeof(*(x)))
#define FROM_TO "\"from\":\"a@x.org\",\"to\":\"b@y.org\""

static void a_mail_is_headers_and_a_body(void **state)
{
	struct sk_arena a = { 0 };
	struct outbound_mail m;
	(void)state;
	assert_null(mail_build(&a, fake_item(&a, "{\"from\":\"Hall 7 <a@x.org>\",\"to\":\" b@y.org , \\\"C the\\\" <c@z.org>\",\"subject\":\"hot\"}", "{\"t\":31}\n.\nend"), &m));
	assert_string_equal(m.text,
		"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		"From: \"Hall 7\" <a@x.org>\r\n"
		"To: b@y.org,\r\n \"C the\" <c@z.org>\r\n"
		"Subject: hot\r\n"
		"Message-ID: <000102030405060708090a0b0c0d0e0f@x.org>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n"
		"{\"t\":31}\r\n.\r\nend\r\n");
	assert_int_equal(m.size, strlen(m.text));
	assert_string_equal(m.from, "a@x.org");
	assert_int_equal(m.tos, 2);
	assert_string_equal(m.to[1], "c@z.org");
	sk_arena_free(&a);
}

static void nothing_breaks_out_of_a_header(void **state)
{
	static const struct { const char *fields, *why; } cases[] = {
		{ "{" FROM_TO ",\"subject\":\"x\\r\\nBcc: evil@z.org\"}", "the subject holds a line end" }, { "{" FROM_TO ",\"subject\":\"x\\ny\"}", "the subject holds a line end" },
		{ "{" FROM_TO ",\"subject\":\"x\\u0007\"}", "the subject holds a line end" },
		{ "{\"from\":\"a@x.org\\r\\nBcc: c@z.org\",\"to\":\"b@y.org\"}", "line end" }, { "{\"from\":\"a@x.org\",\"to\":\"b@y.org\\nRCPT TO:<c@z.org>\"}", "line end" },
		{ "{\"from\":\"a\\nb <a@x.org>\",\"to\":\"b@y.org\"}", "line end" }, { "{\"from\":\"a@x.org\",\"to\":\"b@y.org>c\"}", "that none has" },
		{ "{\"from\":\"a@x.org\",\"to\":\"<b@y.org> <c@z.org>\"}", "that none has" }, { "{\"from\":\"a@x.org\",\"to\":\"<b@y.org\"}", "Name <user@host>" },
		{ "{\"from\":\"a@x.org\",\"to\":\"b y@y.org\"}", "that none has" }, { "{\"from\":\"a@x.org\",\"to\":\"ä@y.org\"}", "that none has" },
		{ "{\"from\":\"a@x.org\",\"to\":\"y.org\"}", "user@host" }, { "{\"from\":\"a@x.org\",\"to\":\"@y.org\"}", "user@host" }, { "{\"from\":\"a@x.org\",\"to\":\"b@\"}", "user@host" },
		{ "{\"from\":\"a@x.org\",\"to\":\"\"}", "no recipient" }, { "{\"from\":\"a@x.org\"}", "no recipient" }, { "{\"from\":\"a@x.org\",\"to\":\"b@y.org,,c@z.org\"}", "user@host" },
		{ "{\"to\":\"b@y.org\"}", "user@host" }, { "{" FROM_TO ",\"contentType\":\"text/plain\\r\\nX: y\"}", "the content type holds a line end" },
	};
	struct sk_arena a = { 0 };
	struct outbound_mail m;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = mail_build(&a, fake_item(&a, cases[i].fields, "x"), &m);
		assert_non_null(why);
		assert_non_null(strstr(why, cases[i].why));
	}
	sk_arena_free(&a);
}

/* What a reader makes of a header's encoded words. */
static const char *decoded(struct sk_arena *a, const char *mail, const char *name)
{
	struct outbound_text t = { .a = a };
	const char *at = strstr(mail, name) + strlen(name), *end = strstr(at, "\r\n");
	while (end[2] == ' ')
		end = strstr(end + 2, "\r\n");
	outbound_puts(&t, "");
	for (const char *line = at; line < end; line = strstr(line, "\r\n") + 2)
		assert_true(strstr(line, "\r\n") - line <= 76);
	while ((at = memmem(at, (size_t)(end - at), "=?UTF-8?B?", 10))) {
		const char *stop = strstr(at, "?=");
		unsigned char bytes[100];
		long n = sk_base64_decode(at + 10, (size_t)(stop - at - 10), bytes);
		assert_true(n > 0 && sk_utf8_valid((char *)bytes, (size_t)n));
		outbound_put(&t, bytes, (size_t)n);
		at = stop + 2;
	}
	return t.at;
}

static void what_is_not_plain_is_encoded(void **state)
{
	static const char *const subjects[] = { "Türe offen", "日本語のとても長い件名がここにありますので折り返さなければなりません、はい", "=?utf-8?q?fake?=",
		"a subject that is only ASCII but longer than sixty characters is folded in the same way" };
	struct sk_arena a = { 0 };
	struct outbound_mail m;
	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		char fields[512];
		snprintf(fields, sizeof fields, "{" FROM_TO ",\"subject\":\"%s\"}", subjects[i]);
		assert_null(mail_build(&a, fake_item(&a, fields, "x"), &m));
		assert_string_equal(decoded(&a, m.text, "\r\nSubject: "), subjects[i]);
	}
	assert_null(mail_build(&a, fake_item(&a, "{\"from\":\"Küche <a@x.org>\",\"to\":\"b@y.org\"}", "x"), &m));
	assert_non_null(strstr(m.text, "From: =?UTF-8?B?S8O8Y2hl?= <a@x.org>\r\n"));
	assert_null(mail_build(&a, fake_item(&a, "{\"from\":\"a \\\\ b \\\" c <a@x.org>\",\"to\":\"b@y.org\"}", "x"), &m));
	assert_non_null(strstr(m.text, "From: \"a \\\\ b \\\" c\" <a@x.org>\r\n"));
	sk_arena_free(&a);
}

/* The body after base64. */
static void arrives(struct sk_arena *a, const char *type, const void *payload, size_t size, const char *says)
{
	struct outbound_mail m;
	char fields[200];
	snprintf(fields, sizeof fields, "{" FROM_TO "%s%s%s}", type ? ",\"contentType\":\"" : "", type ? type : "", type ? "\"" : "");
	struct sk_sink_item *item = fake_item(a, fields, "");
	item->payload = payload;
	item->size = size;
	assert_null(mail_build(a, item, &m));
	assert_non_null(strstr(m.text, says));
	const char *body = strstr(m.text, "\r\n\r\n") + 4;
	struct outbound_text t = { .a = a };
	outbound_puts(&t, "");
	assert_non_null(strstr(m.text, "base64"));
	for (const char *end; *body; body = end + 2) {
		unsigned char line[100];
		end = strstr(body, "\r\n");
		assert_true(end - body <= 76);
		long n = sk_base64_decode(body, (size_t)(end - body), line);
		assert_true(n > 0);
		outbound_put(&t, line, (size_t)n);
	}
	assert_int_equal(t.n, size);
	assert_memory_equal(t.at, payload, size);
}

static void a_body_arrives_as_it_was(void **state)
{
	struct sk_arena a = { 0 };
	char bytes[1000], line[1100];
	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7);
	memset(line, 'x', sizeof line);
	arrives(&a, NULL, bytes, sizeof bytes, "Content-Type: application/octet-stream\r\n");
	arrives(&a, NULL, "ä", 2, "Content-Type: text/plain; charset=utf-8\r\n");
	arrives(&a, NULL, "a\rb", 3, "Content-Type: text/plain; charset=utf-8\r\n");
	arrives(&a, NULL, line, sizeof line, "Content-Type: text/plain; charset=utf-8\r\n");
	arrives(&a, "application/json", "{\n}", 3, "Content-Type: application/json\r\n");
	arrives(&a, "image/png", bytes, 57, "Content-Type: image/png\r\n");
	arrives(&a, "image/png", bytes, 58, "Content-Type: image/png\r\n");
	sk_arena_free(&a);
}

/* The server knows nobody called nobody, and goes away when it hears of lost. */
static int mails;

static void postman(struct outbound_mail *m)
{
	mails++;
	m->lost = strstr(m->to[0], "lost");
	m->result = m->lost ? SK_SUNK_RETRY : strstr(m->to[0], "nobody") ? SK_SUNK_FAIL : SK_SUNK_OK;
	m->why = m->lost ? "away" : m->result == SK_SUNK_FAIL ? "550 nobody" : NULL;
}

static void mails_are_sent_until_the_server_is_away(void **state)
{
	static struct sink_http_state none;
	static const char *const to[] = { "b@y.org", "nobody@y.org", "x y", "lost@y.org", "b@y.org" };
	struct sk_arena a = { 0 };
	char why[100];
	void *sink = smtp_open(&none, sk_json_parse(&a, "{\"url\":\"smtp://h\"}", 18, NULL, NULL), why, sizeof why);
	struct sk_sink_item *item[COUNT(to)];
	(void)state;
	for (size_t i = 0; i < COUNT(to); i++)
		item[i] = fake_item(&a, sk_printf(&a, "{\"from\":\"a@x.org\",\"to\":\"%s\"}", to[i]), "x");
	fake_mails(postman);
	smtp_deliver(sink, item, COUNT(to), &a);
	assert_int_equal(mails, 3);
	static const enum sk_sunk results[] = { SK_SUNK_OK, SK_SUNK_FAIL, SK_SUNK_FAIL, SK_SUNK_RETRY, SK_SUNK_RETRY };
	for (size_t i = 0; i < COUNT(to); i++)
		assert_int_equal(item[i]->result, results[i]);
	assert_string_equal(item[1]->why, "550 nobody");
	assert_string_equal(item[4]->why, "away");
	smtp_close(sink);
	sk_arena_free(&a);
}

static const char *checked(const char *fields)
{
	static struct sk_arena a;
	sk_arena_reset(&a, 0);
	return smtp_check(sk_json_parse(&a, fields, strlen(fields), NULL, NULL), &a);
}

static void rules_that_cannot_work_are_refused(void **state)
{
	(void)state;
	assert_null(checked("{\"url\":\"smtp://h:25\"}"));
	assert_null(checked("{\"url\":\"smtps://h\",\"user\":\"u\",\"password\":\"p\"}"));
	assert_non_null(checked("{\"url\":\"http://h\"}"));
	assert_non_null(checked("{\"url\":\"smtp://\"}"));
	assert_non_null(checked("{\"url\":\"smtp://u:p@h\"}"));
	assert_non_null(checked("{\"url\":\"smtp://h h\"}"));
	assert_non_null(checked("{\"url\":\"smtp://h\",\"password\":\"p\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_headers_and_a_body), cmocka_unit_test(nothing_breaks_out_of_a_header), cmocka_unit_test(what_is_not_plain_is_encoded),
		cmocka_unit_test(a_body_arrives_as_it_was), cmocka_unit_test(mails_are_sent_until_the_server_is_away),
		cmocka_unit_test(rules_that_cannot_work_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
