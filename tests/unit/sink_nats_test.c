/* sink_nats_test.c -- NATS as text, its addresses and keys, and what JetStream's answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "plugins/sink_nats/address.h"
#include "plugins/sink_nats/protocol.h"

#define SEED "SUAAOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBZ5FE"
#define SIGNATURE "tGzA0mHx0G153n88JvBTKOaRWmSDzbp7vrXQmLDFIewezJGpBo2wfTvbDxtf5lcFAxjK3_cMonLQGCqG5ihzBA"

static struct sk_arena a;

static cJSON *json(const char *text)
{
	cJSON *node = sk_json_parse(&a, text, strlen(text), NULL, NULL);
	assert_non_null(node);
	return node;
}

static const char *published(const struct nats_message *m)
{
	struct nats_out counted = { 0 }, out = { 0 };
	nats_publish(&counted, m);
	out.to = sk_alloc_text(&a, counted.n + 1);
	nats_publish(&out, m);
	assert_int_equal(out.n, counted.n);
	out.to[out.n] = '\0';
	return out.to;
}

static void messages_are_written(void **state)
{
	static const struct nats_header headers[] = { { "A", "b c" }, { "Nats-Msg-Id", "7" } };
	struct nats_message m = { .subject = "a.b", .payload = "hello", .size = 5 };
	(void)state;
	assert_string_equal(published(&m), "PUB a.b 5\r\nhello\r\n");
	m.reply = "_INBOX.x.1";
	m.size = 0;
	assert_string_equal(published(&m), "PUB a.b _INBOX.x.1 0\r\n\r\n");
	m.header = headers;
	m.headers = 2;
	m.size = 5;
	assert_string_equal(published(&m), "HPUB a.b _INBOX.x.1 36 41\r\nNATS/1.0\r\nA: b c\r\nNats-Msg-Id: 7\r\n\r\nhello\r\n");
	m.reply = NULL;
	struct nats_out o = { 0 };
	assert_int_equal(nats_publish(&o, &m), 41);
	sk_arena_reset(&a, 0);
}

static void what_is_no_subject_is_refused(void **state)
{
	static const char *const good[] = { "a", "a.b", "a*.>b", "$KV.bucket.key", "\xc3\xa4", NULL };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b", "a\r\nPUB x", "a\tb", "*", "a.>", "a.*.b", "$JS.API.STREAM.DELETE.x", "$SYS.x", "_INBOX.a", NULL };
	char name[1100];
	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_null(nats_subject_fault(good[i]));
	for (size_t i = 0; bad[i]; i++)
		assert_non_null(nats_subject_fault(bad[i]));
	memset(name, 'a', sizeof name);
	name[1024] = '\0';
	assert_null(nats_subject_fault(name));
	name[1024] = 'a';
	name[1025] = '\0';
	assert_non_null(nats_subject_fault(name));
}

static void what_is_no_header_is_refused(void **state)
{
	static const struct { struct nats_header h; bool fine; } cases[] = {
		{ { "A-b", "" }, true }, { { "A", "x: y" }, true }, { { "", "x" }, false }, { { "a:b", "x" }, false }, { { "a b", "x" }, false },
		{ { "\xc3\xa4", "x" }, false }, { { "A", "x\r\nB: y" }, false }, { { "A", "x\n" }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(nats_header_fault(&cases[i].h) == NULL, cases[i].fine);
}

/* "kind subject|header|text or payload, bytes" of the first event, with - for CRLF. */
static const char *event(const char *bytes)
{
	struct nats_event e;
	long n = nats_next(bytes, strlen(bytes), &e);
	const struct nats_text t = e.kind == NATS_MESSAGE ? e.payload : e.text;
	char *out;
	if (n <= 0)
		return n ? "none" : "more";
	/* Each shorter piece asks for more. */
	for (long i = 0; i < n; i++) {
		struct nats_event ignored;
		assert_int_equal(nats_next(bytes, (size_t)i, &ignored), 0);
	}
	out = sk_printf(&a, "%d %.*s|%.*s|%.*s, %ld", (int)e.kind, (int)e.subject.size, e.subject.at, (int)e.header.size, e.header.at, (int)t.size, t.at, n);
	for (char *p = out; *p; p++)
		*p = *p == '\r' || *p == '\n' ? '-' : *p;
	return out;
}

static void events_are_read(void **state)
{
	static const struct { const char *bytes, *is; } cases[] = {
		{ "INFO {\"a\":1} \r\nrest", "0 ||{\"a\":1}, 15" },
		{ "PING\r\n", "2 ||, 6" }, { "ping\n", "2 ||, 5" }, { "PONG\r\n", "3 ||, 6" }, { "+OK\r\n", "4 ||, 5" },
		{ "-ERR 'Authorization Violation'\r\n", "5 ||Authorization Violation, 32" },
		{ "-ERR 'x \"a.b\"'\r\n", "5 ||x \"a.b\", 16" },
		{ "MSG a.b 1 3\r\nxyz\r\nPING\r\n", "1 a.b||xyz, 18" },
		{ "MSG a.b  1\treply 3\r\nx\r\n\r\n", "1 a.b||x--, 25" },
		{ "HMSG a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "1 a|NATS/1.0 503----|, 34" },
		{ "HMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", "1 a|NATS/1.0----|hi, 34" },
		{ "MSG a 1 3\r\nxyzw\r\n", "none" }, { "MSG a 1 -3\r\n", "none" }, { "MSG a 1\r\n", "none" }, { "MSG a 1 b c 3\r\n", "none" },
		{ "MSG a 1 9999999999999999999999\r\n", "none" }, { "MSG a 1 65000\r\n", "none" }, { "HMSG a 1 5 4\r\n", "none" }, { "HMSG a 1 4\r\n", "none" },
		{ "HTTP/1.1 400 Bad Request\r\n", "none" }, { "\r\n", "none" }, { "MSG a 1 3", "more" }, { "", "more" },
	};
	static char endless[NATS_LINE + 1];
	struct nats_event e;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(event(cases[i].bytes), cases[i].is);
	memset(endless, 'I', sizeof endless);
	assert_int_equal(nats_next(endless, NATS_LINE - 1, &e), 0);
	assert_int_equal(nats_next(endless, NATS_LINE, &e), -1);
	sk_arena_reset(&a, 0);
}

static void answers_are_judged(void **state)
{
	static const struct { const char *header, *payload; enum sk_sunk result; const char *why; } cases[] = {
		{ "", "{\"stream\":\"S\",\"seq\":1}", SK_SUNK_OK, NULL },
		{ "", "{\"stream\":\"S\",\"seq\":1,\"duplicate\":true}", SK_SUNK_OK, NULL },
		{ "", "{\"error\":{\"code\":400,\"err_code\":10060,\"description\":\"expected stream does not match\"}}", SK_SUNK_FAIL, "expected stream does not match" },
		{ "", "{\"stream\":\"S\",\"error\":{\"code\":503,\"description\":\"maximum messages exceeded\"}}", SK_SUNK_RETRY, "maximum messages exceeded" },
		{ "", "{\"error\":{\"code\":429,\"description\":\"slow\"}}", SK_SUNK_RETRY, "slow" },
		{ "", "{\"error\":{}}", SK_SUNK_RETRY, "the answer is none of JetStream's" },
		{ "", "hello", SK_SUNK_RETRY, "the answer is none of JetStream's" }, { "", "", SK_SUNK_RETRY, "the answer is none of JetStream's" },
		{ "NATS/1.0 503\r\n\r\n", "", SK_SUNK_RETRY, "no stream takes the subject" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct nats_event e = { .header = { cases[i].header, strlen(cases[i].header) }, .payload = { cases[i].payload, strlen(cases[i].payload) } };
		const char *why = "";
		assert_int_equal(nats_ack(&a, &e, &why), cases[i].result);
		if (cases[i].why)
			assert_string_equal(why, cases[i].why);
		else
			assert_null(why);
	}
	sk_arena_reset(&a, 0);
}

/* The servers with commas between, then user|password|token|tls; or what is wrong. */
static const char *address(const char *fields)
{
	struct nats_address to;
	const char *fault = nats_address(json(fields), &a, &to), *text = "";
	for (size_t i = 0; !fault && i < to.servers; i++)
		text = sk_printf(&a, "%s%s ", text, to.shown[i]);
#define TEXT(t) ((t) ? (t) : "-")
	return fault ? fault : sk_printf(&a, "%s%s|%s|%s|%d", text, TEXT(to.user), TEXT(to.password), TEXT(to.token), to.tls);
}

static void addresses_are_read(void **state)
{
	static const struct { const char *fields, *is; } cases[] = {
		{ "{\"url\":\"nats://h\"}", "h:4222 -|-|-|0" },
		{ "{\"url\":\"nats://h:1,nats://[::1]:2\",\"token\":\"t\"}", "h:1 [::1]:2 -|-|t|0" },
		{ "{\"url\":\"tls://u:p@h\"}", "h:4222 u|p|-|1" },
		{ "{\"url\":\"nats://u:p@h\",\"user\":\"v\",\"password\":\"q\",\"tls\":{}}", "h:4222 v|q|-|1" },
		{ "{\"url\":\"nats://t@h\"}", "the URL has a user without a password; a token stands in `token`" },
		{ "{\"url\":\"nats://h,\"}", "the URL has no scheme like https:// in front" },
		{ "{\"url\":\"http://h\"}", "url must be nats:// or tls://, or some of them with commas between" },
		{ "{\"url\":\"nats://h/x\"}", "nothing may follow the host of the URL" },
		{ "{\"url\":\"nats://\"}", "the URL has no host" },
		{ "{\"url\":\"nats://h\",\"user\":\"u\"}", "user and password go together" },
		{ "{\"url\":\"nats://u:p@h\",\"token\":\"t\"}", "more than one of user, token and credentials" },
		{ "{\"url\":\"nats://h\",\"tls\":{\"key\":\"k\"}}", "tls.certificate and tls.key go together" },
		{ "{}", "there is no url" },
	};
	const char *many = "nats://h";
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(address(cases[i].fields), cases[i].is);
	for (int i = 0; i < 16; i++)
		many = sk_printf(&a, "%s,nats://h", many);
	assert_string_equal(address(sk_printf(&a, "{\"url\":\"%s\"}", many)), "more than 16 servers");
	sk_arena_reset(&a, 0);
}

/* A seed made for this test; the signature is what node's crypto says of the same key and text. */
static void a_nonce_is_signed(void **state)
{
	static const char file[] = "-----BEGIN NATS USER JWT-----\r\nabc.def.ghi\r\n------END NATS USER JWT------\r\n\r\n"
	                           "-----BEGIN USER NKEY SEED-----\n" SEED "\n------END USER NKEY SEED------\n";
	struct nats_credentials c;
	(void)state;
	assert_null(nats_credentials(&a, file, &c));
	assert_string_equal(c.jwt, "abc.def.ghi");
	assert_string_equal(c.seed, SEED);
	assert_string_equal(nats_sign(&a, c.seed, "nonce"), SIGNATURE);
	assert_string_equal(nats_connect_line(&a, &(struct nats_address){ 0 }, &c, json("{\"nonce\":\"nonce\"}")),
	                    "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"echo\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1,"
	                    "\"lang\":\"c\",\"version\":\"1.0.0\",\"name\":\"skeeter\",\"jwt\":\"abc.def.ghi\",\"sig\":\"" SIGNATURE "\"}\r\n");
	char *wrong = sk_strdup(&a, SEED);
	wrong[20] = wrong[20] == 'A' ? 'B' : 'A';
	assert_null(nats_sign(&a, wrong, "nonce"));
	assert_null(nats_sign(&a, "SUA", "nonce"));
	assert_null(nats_sign(&a, "su!", "nonce"));
	assert_string_equal(nats_credentials(&a, "nothing", &c), "the credentials file has no user JWT");
	assert_string_equal(nats_credentials(&a, "-----BEGIN NATS USER JWT-----\na\n-----BEGIN USER NKEY SEED-----\nSU\n", &c), "the credentials file has no user seed");
	sk_arena_reset(&a, 0);
}

/* Chunks are large: one that fails is all that an address needs. Nothing is read that is not there. */
static void without_memory_an_address_is_refused(void **state)
{
	cJSON *fields = json("{\"url\":\"nats://u:p@h:1,nats://u:p@[::1]\"}");
	struct sk_arena none = { .limit = 1 };
	struct nats_address to;
	(void)state;
	const char *fault = nats_address(fields, &none, &to);
	assert_true(fault || none.failed);
	sk_arena_free(&none);
	sk_arena_reset(&a, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_written),
		cmocka_unit_test(what_is_no_subject_is_refused),
		cmocka_unit_test(what_is_no_header_is_refused),
		cmocka_unit_test(events_are_read),
		cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(a_nonce_is_signed),
		cmocka_unit_test(without_memory_an_address_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sk_arena_free(&a);
	return failed;
}
