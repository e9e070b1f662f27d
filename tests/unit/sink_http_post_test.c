/* sink_http_post_test.c -- AWS's http action: which items go into one request, what the request is, and that its signature holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/sink_http/sink_http.h"
#include "sigv4/sigv4.h"
#include "tests/unit/fake_outbound.h"

#define COUNT(x) (sizeof(x) / sizeof(*(x)))
#define BATCH "\"enableBatching\":true"

static struct sk_arena arena, scratch;
static struct outbound_request request[32];

static int reset(void **state)
{
	(void)state;
	sk_arena_reset(&arena, 0);
	sk_arena_reset(&scratch, 0);
	return 0;
}

static struct sk_sink_item *item(const char *fields, const char *payload, const char *topic)
{
	struct sk_sink_item *i = fake_item(&arena, fields, payload);
	i->topic = topic;
	return i;
}

/* The bodies, one a line. */
static const char *bodies(struct sk_sink_item **items, size_t n)
{
	size_t posts;
	struct post *p = posts_of(&arena, &scratch, items, n, &posts);
	struct outbound_text t = { .a = &arena };
	assert_non_null(p);
	for (size_t i = 0; i < posts; i++) {
		assert_null(post_request(&arena, &p[i], 1700000000000, &request[i]));
		outbound_put(&t, request[i].body, request[i].size);
		outbound_putc(&t, '\n');
	}
	return t.at;
}

static const char *header(const struct outbound_request *r, const char *name)
{
	const char *found = NULL;
	for (size_t i = 0; i < r->headers; i++)
		if (!strcasecmp(r->header[i].name, name)) {
			assert_null(found);
			found = r->header[i].value;
		}
	return found;
}

static void without_batches_each_item_is_a_request(void **state)
{
	struct sk_sink_item *items[] = { item("{\"url\":\"https://h/a b\"}", "{\"n\":1}", "t"), item("{\"url\":\"https://h/a b\"}", "{\"n\":2}", "t"), item("{\"url\":\"https://h/\"}", "plain", "t") };
	(void)state;
	assert_string_equal(bodies(items, 3), "{\"n\":1}\n{\"n\":2}\nplain\n");
	assert_string_equal(request[0].url, "https://h/a%20b");
	assert_string_equal(header(&request[0], "content-type"), "application/json");
	assert_string_equal(header(&request[2], "content-type"), "application/octet-stream");
}

static void a_content_type_that_is_given_wins(void **state)
{
	struct sk_sink_item *items[] = { item("{\"url\":\"https://h/\",\"headers\":[{\"value\":\"v\",\"key\":\"k\"},{\"key\":\"CONTENT-type\",\"value\":\"text/x\"},{\"key\":\"e\",\"value\":\"\"}]}", "{}", "t") };
	(void)state;
	bodies(items, 1);
	assert_int_equal(request[0].headers, 3);
	assert_string_equal(header(&request[0], "content-type"), "text/x");
	assert_string_equal(header(&request[0], "k"), "v");
	assert_string_equal(header(&request[0], "e"), "");
}

static void batches_hold_what_belongs_together(void **state)
{
#define AT(path, more) "{\"url\":\"https://h/" path "\"," BATCH more "}"
	struct sk_sink_item *items[] = {
		item(AT("a", ""), "{\"n\":1}", "t"), item(AT("a", ""), "{\"n\":2}", "u"), item(AT("b", ""), "{\"n\":3}", "t"), item(AT("a", ""), "no JSON", "t"),
		item(AT("a", ""), "{\"n\":4}", "t"), item(AT("a", ",\"headers\":[{\"key\":\"k\",\"value\":\"1\"}]"), "{\"n\":5}", "t"), item(AT("a", ""), "6", "t"),
		item(AT("a", ",\"headers\":[{\"key\":\"k\",\"value\":\"1\"}]"), "{\"n\":7}", "t"),
	};
	(void)state;
	assert_string_equal(bodies(items, COUNT(items)), "[{\"n\":1},{\"n\":4},6]\n[{\"n\":2}]\n[{\"n\":3}]\nno JSON\n[{\"n\":5},{\"n\":7}]\n");
	assert_string_equal(header(&request[0], "content-type"), "application/json");
	struct sk_sink_item *across[] = { item(AT("a", ",\"batchConfig\":{\"batchAcrossTopics\":true}"), "1", "t"), item(AT("a", ",\"batchConfig\":{\"batchAcrossTopics\":true}"), "2", "u") };
	assert_string_equal(bodies(across, 2), "[1,2]\n");
}

static void batches_keep_their_bounds_and_their_order(void **state)
{
	struct sk_sink_item *items[25];
	size_t posts;
	(void)state;
	for (size_t i = 0; i < 25; i++)
		items[i] = item(AT("a", ""), sk_printf(&arena, "%zu", i), "t");
	assert_string_equal(bodies(items, 25), "[0,1,2,3,4,5,6,7,8,9]\n[10,11,12,13,14,15,16,17,18,19]\n[20,21,22,23,24]\n");
	for (size_t i = 0; i < 5; i++)
		items[i] = item(AT("a", ",\"batchConfig\":{\"maxBatchSize\":3,\"maxBatchSizeBytes\":100}"), i == 2 ? sk_printf(&arena, "\"%0200d\"", 0) : "1", "t");
	struct post *p = posts_of(&arena, &scratch, items, 5, &posts);
	assert_int_equal(posts, 3);
	assert_int_equal(p[0].items, 2);
	assert_int_equal(p[1].items, 1);
	assert_int_equal(p[2].items, 2);
	assert_int_equal(p[2].bytes, 5);
	for (size_t i = 0; i < 4; i++)
		items[i] = item(AT("a", ",\"batchConfig\":{\"maxBatchSizeBytes\":100}"), sk_printf(&arena, "\"%047d\"", 0), "t");
	p = posts_of(&arena, &scratch, items, 4, &posts);
	assert_int_equal(posts, 4);
	for (size_t i = 0; i < 4; i++)
		items[i] = item(AT("a", ",\"batchConfig\":{\"maxBatchSizeBytes\":101}"), sk_printf(&arena, "\"%047d\"", 0), "t");
	p = posts_of(&arena, &scratch, items, 4, &posts);
	assert_int_equal(posts, 2);
	assert_int_equal(p[0].bytes, 101);
}

/* -- signatures: what sigv4/ verifies is what it is given over HTTP -- */

#define SIGNED(url, service) "{\"url\":\"" url "\",\"headers\":[{\"key\":\"X-A\",\"value\":\" b  c \"}],\"auth\":{\"sigv4\":{\"signingRegion\":\"eu-west-1\",\"serviceName\":\"" service "\",\"roleArn\":\"arn:r\"}}}"

static void holds(const struct outbound_request *r, const char *path, const char *query)
{
	struct sigv4_field field[16];
	struct sigv4_request s = { .method = "POST", .path = path, .query = query, .header = field };
	struct sigv4_body body = { r->body, r->size };
	struct sigv4_claim claim;
	struct sigv4_refusal no;
	uint8_t key[SIGV4_HASH];
	for (; s.headers < r->headers; s.headers++)
		field[s.headers] = (struct sigv4_field){ r->header[s.headers].name, r->header[s.headers].value };
	assert_int_equal(sigv4_read(&arena, &s, &claim, &no), 0);
	assert_string_equal(claim.key_id, "AK");
	assert_string_equal(claim.token, "TOKEN");
	assert_string_equal(claim.region, "eu-west-1");
	sigv4_signing_key("SK", claim.date, claim.region, claim.service, key);
	assert_int_equal(sigv4_judge(&arena, &s, &claim, &body, key, 1700000000000, &no), 0);
}

static void signatures_hold(void **state)
{
	static const struct { const char *fields, *host, *path, *query; } cases[] = {
		{ SIGNED("https://H.example:8443/a b/\xc3\xa4?x=1&y=%20", "execute-api"), "h.example:8443", "/a%20b/%C3%A4", "x=1&y=%20" },
		{ SIGNED("https://h:443", "lambda"), "h", "/", "" }, { SIGNED("http://h:80?q", "iot"), "h", "/", "q" }, { SIGNED("http://h:443/x/../y", "iot"), "h:443", "/x/../y", "" },
	};
	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
	setenv("AWS_SESSION_TOKEN", "TOKEN", 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sk_sink_item *one[] = { item(cases[i].fields, "{\"a\":1}", "t") };
		bodies(one, 1);
		assert_string_equal(header(&request[0], "host"), cases[i].host);
		holds(&request[0], cases[i].path, cases[i].query);
	}
	struct sk_sink_item *s3[] = { item(SIGNED("https://h/b/k", "s3"), "x", "t") };
	bodies(s3, 1);
	assert_int_equal(strlen(header(&request[0], "x-amz-content-sha256")), 64);
	unsetenv("AWS_ACCESS_KEY_ID");
	size_t posts;
	struct post *p = posts_of(&arena, &scratch, s3, 1, &posts);
	assert_non_null(strstr(post_request(&arena, p, 0, &request[0]), "no credentials"));
}

/* -- the sink -- */

static int64_t no_time(void) { return 1700000000000; }

static void by_path(struct outbound_request *r, struct sk_arena *a)
{
	(void)a;
	r->status = atoi(strrchr(r->url, '/') + 1);
	r->retry_ms = r->status == 429 ? 7000 : 0;
	r->why = "nobody there";
}

static void each_item_gets_its_answer(void **state)
{
	static struct sink_http_state s = { .now_ms = no_time };
	char why[100];
	void *sink = post_open(&s, NULL, why, sizeof why);
	struct sk_sink_item *items[] = { item("{\"url\":\"http://h/200\"}", "1", "t"), item("{\"url\":\"http://h/404\"}", "1", "t"), item("{\"url\":\"http://h/429\"}", "1", "t"),
		                         item("{\"url\":\"http://h/0\"}", "1", "t"), item("{\"url\":\"http://h/500\"," BATCH "}", "1", "t"), item("{\"url\":\"http://h/500\"," BATCH "}", "1", "t") };
	(void)state;
	fake_outbound(by_path);
	post_deliver(sink, items, COUNT(items), &arena);
	assert_int_equal(fake_outbound_requests, 5);
	assert_int_equal(items[0]->result, SK_SUNK_OK);
	assert_int_equal(items[1]->result, SK_SUNK_FAIL);
	assert_int_equal(items[2]->retry_ms, 7000);
	assert_string_equal(items[3]->why, "nobody there");
	assert_int_equal(items[4]->result, SK_SUNK_RETRY);
	assert_string_equal(items[5]->why, "500");
	post_close(sink);
}

static const char *checked(const char *fields)
{
	return post_check(sk_json_parse(&arena, fields, strlen(fields), NULL, NULL), &arena);
}

static void rules_that_cannot_work_are_refused(void **state)
{
	const char *why;
	(void)state;
	assert_null(checked("{\"url\":\"https://h/${topic()}\",\"headers\":[{\"key\":\"a\",\"value\":\"${x}\"}]}"));
	assert_string_equal(checked("{\"url\":\"https://${topic()}/\"}"), "the host cannot be a template");
	assert_non_null(checked("{\"url\":\"gopher://h/\"}"));
	assert_non_null(checked("{}"));
	assert_non_null(checked("{\"url\":\"https://h\",\"headers\":[{\"key\":\"a b\",\"value\":\"\"}]}"));
	assert_non_null(checked("{\"url\":\"https://h\",\"headers\":[{\"key\":\"Content-Length\",\"value\":\"1\"}]}"));
	assert_null(checked("{\"url\":\"https://h\",\"headers\":[{\"key\":\"Authorization\",\"value\":\"x\"}]}"));
	assert_non_null(checked("{\"url\":\"https://h\",\"headers\":[{\"key\":\"Authorization\",\"value\":\"x\"}],\"auth\":{\"sigv4\":{}}}"));
	const cJSON *fields = sk_json_parse(&arena, "{\"url\":\"https://u:secret@H:1/x\"}", 32, NULL, NULL);
	assert_string_equal(post_lane(fields, &arena, &why), "https://h:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_batches_each_item_is_a_request, reset), cmocka_unit_test_setup(a_content_type_that_is_given_wins, reset),
		cmocka_unit_test_setup(batches_hold_what_belongs_together, reset), cmocka_unit_test_setup(batches_keep_their_bounds_and_their_order, reset),
		cmocka_unit_test_setup(signatures_hold, reset), cmocka_unit_test_setup(each_item_gets_its_answer, reset),
		cmocka_unit_test_setup(rules_that_cannot_work_are_refused, reset),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sk_arena_free(&arena);
	sk_arena_free(&scratch);
	return failed;
}
