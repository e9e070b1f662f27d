/* sink_http_memory_test.c -- the sinks over HTTP and SMTP with memory that fails at every point in turn: then items come again, none fails, none is lost, and nothing
 * is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_http/sink_http.h"
#include "tests/unit/fake_outbound.h"
#include "tests/unit/scarce.h"

enum { ITEMS = 6, TIMES = 60 };
struct kind {
	const char *fields;                /* of the action */
	const char *item[ITEMS];           /* fields of each; 0 and 3 are good, 1 is refused by the server, 2 is wrong in itself */
	const char *payload[ITEMS];
	const char *(*check)(const cJSON *fields, struct sk_arena *a);
	void *(*open)(void *state, const cJSON *fields, char *why, size_t why_size);
	void (*deliver)(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
	void (*close)(void *sink);
};

static int64_t clock_ms(void) { return 1700000000000; }
static struct sink_http_state state = { .now_ms = clock_ms };
static size_t arrived;

static void server(struct outbound_request *r, struct sk_arena *a)
{
	(void)a;
	r->status = memmem(r->body, r->size, "refused", 7) ? 400 : 200;
	r->answer = "Code: 117, because of \"it\"";
	arrived += r->status == 200;
}

static void postman(struct outbound_mail *m)
{
	m->lost = false;
	m->result = strstr(m->text, "refused") ? SK_SUNK_FAIL : SK_SUNK_OK;
	m->why = "550 no";
	arrived += m->result == SK_SUNK_OK;
}

static bool once(void *ctx)
{
	static const enum sk_sunk expected[] = { SK_SUNK_OK, SK_SUNK_FAIL, SK_SUNK_FAIL, SK_SUNK_OK };
	const struct kind *k = ctx;
	struct sk_arena items = { 0 }, a = { 0 };
	struct sk_sink_item *item[ITEMS * TIMES];
	char why[100] = "";
	bool good = true;
	scarce_plenty();
	const cJSON *fields = sk_json_parse(&items, k->fields, strlen(k->fields), NULL, NULL);
	size_t kinds = 0, n;
	while (kinds < ITEMS && k->item[kinds])
		kinds++;
	for (n = 0; n < kinds * TIMES; n++)
		item[n] = fake_item(&items, k->item[n % kinds], k->payload[n % kinds]);
	scarce_again();
	fake_outbound(server);
	fake_mails(postman);
	arrived = 0;
	k->check(fields, &a);
	void *sink = k->open(&state, fields, why, sizeof why);
	if (sink) {
		k->deliver(sink, item, n, &a);
		k->close(sink);
	}
	for (size_t i = 0; i < n; i++) {
		assert_true(item[i]->result == SK_SUNK_RETRY || item[i]->result == expected[i % kinds]);
		assert_true(item[i]->result != SK_SUNK_OK || arrived);
		good &= item[i]->result == expected[i % kinds];
	}
	assert_true(good || scarce_failed());
	sk_arena_free(&a);
	scarce_plenty();
	sk_arena_free(&items);
	scarce_again();
	return good;
}

#define KIND(name) .check = name##_check, .open = name##_open, .deliver = name##_deliver, .close = name##_close
#define SIGNED "\"headers\":[{\"key\":\"a\",\"value\":\"b\"}],\"auth\":{\"sigv4\":{\"signingRegion\":\"r\",\"serviceName\":\"s3\",\"roleArn\":\"x\"}}"

static void everywhere(struct kind *k)
{
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
	assert_true(scarce_everywhere(once, k) >= 5);
}

static void requests(void **s)
{
	struct kind k = { "{\"url\":\"https://h/a\"}", { "{\"url\":\"https://h/a b\"," SIGNED "}", "{\"url\":\"https://h/\",\"enableBatching\":true}", NULL }, { "1", "{\"refused\":1}" }, KIND(post) };
	(void)s;
	everywhere(&k);
	k = (struct kind){ "{\"url\":\"https://h/a\"}", { "{\"url\":\"https://h/a\",\"enableBatching\":true}", "{\"url\":\"https://h/\",\"enableBatching\":true}", NULL }, { "{\"a\":[1,2]}", "{\"refused\":1}" }, KIND(post) };
	everywhere(&k);
}

static void points(void **s)
{
#define M "{\"measurement\":\"m\",\"tags\":{\"t\":\"v w\"}}"
	struct kind k = { "{\"url\":\"http://h\",\"database\":\"d\",\"user\":\"u\",\"password\":\"p\",\"measurement\":\"m\"}", { M, M, M, M }, { "{\"a\":{\"b\":1}}", "{\"refused\":\"x\"}", "x", "{\"c\":[true]}" },
		          KIND(influx) };
	(void)s;
	everywhere(&k);
}

static void rows(void **s)
{
	struct kind k = { "{\"url\":\"http://h\",\"database\":\"d\",\"user\":\"u\",\"password\":\"p\",\"table\":\"t\"}", { "{\"table\":\"t\",\"columns\":{\"a\":\"[1]\"}}", "{\"table\":\"t\"}", "{\"table\":\"\"}", "{\"table\":\"u\"}" },
		          { "", "{\"refused\":1}", "{}", "{\"c\":1}" }, KIND(clickhouse) };
	(void)s;
	everywhere(&k);
}

static void mails(void **s)
{
	struct kind k = { "{\"url\":\"smtp://h\",\"user\":\"u\",\"password\":\"p\"}", { "{\"from\":\"N <a@x>\",\"to\":\"b@y\",\"subject\":\"\xc3\xa4\"}", "{\"from\":\"a@x\",\"to\":\"b@y\"}", "{\"from\":\"a@x\"}", "{\"from\":\"a@x\",\"to\":\"b@y\"}" },
		          { "\xc3\xa4", "refused", "x", "" }, KIND(smtp) };
	(void)s;
	everywhere(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(requests), cmocka_unit_test(points), cmocka_unit_test(rows), cmocka_unit_test(mails) };
	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
