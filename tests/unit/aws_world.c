/* aws_world.c -- see aws_world.h. */
#include "tests/unit/aws_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "sigv4/sigv4.h"

enum { MOST_SEEN = 2048, MOST_LINES = 16, HEADERS = 16 };

struct line {
	const char *word, *body;
	int times, status;
};
struct sk_arena aws_arena;
struct aws_settings aws_set;
struct aws_seen aws_seen[MOST_SEEN];
size_t aws_sent;
int64_t aws_now_ms;
static struct line script[MOST_LINES];
static size_t lines, rounds, serial;
static const char *base;
static bool cut;

int aws_world_fresh(void **state)
{
	(void)state;
	sk_arena_free(&aws_arena);
	sk_arena_init(&aws_arena, 0);
	aws_set = (struct aws_settings){ .timeout = 5000, .connections = 4, .kinesis_order = true };
	memset(script, 0, sizeof script);
	aws_sent = lines = rounds = serial = 0;
	aws_now_ms = AWS_NOW_MS;
	base = "{}";
	cut = false;
	setenv("AWS_ACCESS_KEY_ID", AWS_KEY_ID, 1);
	setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRET, 1);
	unsetenv("AWS_SESSION_TOKEN");
	return 0;
}

int aws_world_clean(void **state)
{
	(void)state;
	sk_arena_free(&aws_arena);
	return 0;
}

/* -- requests -- */

static const char *header_of(const struct outbound_request *r, const char *name)
{
	for (size_t i = 0; i < r->headers; i++)
		if (!strcasecmp(r->header[i].name, name))
			return r->header[i].value;
	return NULL;
}

/* S3's paths are canonical as they are: those of tests have nothing in them that is encoded, so that both ways are one. */
static void verify(const struct outbound_request *r)
{
	struct sigv4_field field[HEADERS];
	struct sigv4_claim claim;
	struct sigv4_refusal no;
	struct sigv4_body body = { r->body, r->size };
	uint8_t key[SIGV4_HASH];
	const char *host = strstr(r->url, "://") + 3, *path = strchr(host, '/');

	assert_non_null(path);
	assert_true(r->headers <= HEADERS);
	for (size_t i = 0; i < r->headers; i++)
		field[i] = (struct sigv4_field){ r->header[i].name, r->header[i].value };
	struct sigv4_request q = { .method = r->method, .path = path, .query = "", .header = field, .headers = r->headers };
	assert_int_equal(strlen(header_of(r, "host")), path - host);
	assert_memory_equal(header_of(r, "host"), host, path - host);
	if (sigv4_read(&aws_arena, &q, &claim, &no))
		fail_msg("%s %s", no.name, no.message);
	assert_string_equal(claim.key_id, getenv("AWS_ACCESS_KEY_ID"));
	assert_null(strchr(path, '%'));
	sigv4_signing_key(AWS_SECRET, claim.date, claim.region, claim.service, key);
	if (sigv4_judge(&aws_arena, &q, &claim, &body, key, aws_now_ms, &no))
		fail_msg("%s %s", no.name, no.message);
}

static const char *copy(const char *s)
{
	return s ? sk_strdup(&aws_arena, s) : NULL;
}

static void see(const struct outbound_request *r)
{
	assert_true(aws_sent < MOST_SEEN);
	aws_seen[aws_sent++] = (struct aws_seen){ .method = copy(r->method), .url = copy(r->url), .target = copy(header_of(r, "x-amz-target")),
		.token = copy(header_of(r, "x-amz-security-token")), .acl = copy(header_of(r, "x-amz-acl")),
		.body = sk_strndup(&aws_arena, r->body, r->size), .size = r->size, .round = rounds };
}

/* -- answers -- */

static int count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* XML: what SQS and SNS say, and any other of an Action of that name. */
static const char *yes_in_xml(const struct aws_seen *s)
{
	struct sigv4_text t = { .a = &aws_arena };
	const char *action = strstr(s->body, "Action=") ? strstr(s->body, "Action=") + 7 : "";
	const char *name = sk_strndup(&aws_arena, action, strcspn(action, "&"));

	sigv4_puts(&t, sk_printf(&aws_arena, "<%sResponse><Successful>", name));
	for (int i = 1; i <= count(s->body, ".Id="); i++)
		sigv4_puts(&t, sk_printf(&aws_arena, "<SendMessageBatchResultEntry><Id>%d</Id></SendMessageBatchResultEntry><member><Id>%d</Id></member>", i, i));
	sigv4_puts(&t, sk_printf(&aws_arena, "</Successful><Failed/></%sResponse>", name));
	return sigv4_text_end(&t);
}

/* As every service says that it has taken all: what is no answer to the request is not looked at. */
static const char *yes(const struct aws_seen *s)
{
	struct sigv4_text t = { .a = &aws_arena };

	if (!s->target)
		return yes_in_xml(s);
	if (strstr(s->target, "PutLogEvents"))
		return "{\"nextSequenceToken\":\"1\"}";
	sigv4_puts(&t, strstr(s->target, "Firehose") ? "{\"FailedPutCount\":0,\"RequestResponses\":[" : "{\"Records\":[");
	for (int i = 0; i < count(s->body, "\"Data\""); i++)
		sigv4_puts(&t, i ? ",{\"SequenceNumber\":\"1\"}" : "{\"SequenceNumber\":\"1\"}");
	sigv4_puts(&t, "]}");
	return sigv4_text_end(&t);
}

static void answer(struct outbound_request *r, const struct aws_seen *s)
{
	const char *body = NULL;

	r->status = 200;
	for (size_t i = 0; i < lines && !body; i++) {
		if (!script[i].times || !(strstr(s->body, script[i].word) || (s->target && strstr(s->target, script[i].word))))
			continue;
		script[i].times--;
		r->status = script[i].status;
		body = script[i].body;
	}
	if (!r->status)
		r->why = body;
	r->answer = r->status ? body ? body : yes(s) : "";
	r->answer_size = strlen(r->answer);
	r->cut = cut;
}

static void send_all(void *ctx, struct outbound_request *r, size_t n, struct sk_arena *a)
{
	(void)ctx, (void)a;
	rounds++;
	for (size_t i = 0; i < n; i++) {
		verify(&r[i]);
		see(&r[i]);
		answer(&r[i], &aws_seen[aws_sent - 1]);
	}
}

static int64_t now(void *ctx)
{
	(void)ctx;
	return aws_now_ms;
}

struct aws_sink aws_world_sink(const struct aws_service *s)
{
	return (struct aws_sink){ .service = s, .settings = &aws_set, .region = "us-east-1", .account = "123456789012", .world = { .send = send_all, .now_ms = now } };
}

void aws_world_says(const char *word, int times, int status, const char *body)
{
	assert_true(lines < MOST_LINES);
	script[lines++] = (struct line){ word, body, times, status };
}

void aws_world_cut(void)
{
	cut = true;
}

/* -- items -- */

void aws_world_base(const char *fields)
{
	base = fields;
}

struct sk_sink_item *aws_item_of(const char *fields, const void *payload, size_t size)
{
	struct sk_arena *a = &aws_arena;
	struct sk_sink_item *i = sk_alloc(a, sizeof *i);
	cJSON *all = sk_json_parse(a, base, strlen(base), NULL, NULL);
	const cJSON *more = sk_json_parse(a, fields, strlen(fields), NULL, NULL);

	assert_true(cJSON_IsObject(all) && cJSON_IsObject(more));
	SK_JSON_EACH(one, more)
		sk_json_set(a, all, one->string, sk_json_copy(a, one));
	*i = (struct sk_sink_item){ .payload = sk_strndup(a, payload, size), .size = size, .rule = "press", .topic = "hall/7/press", .time_ms = AWS_NOW_MS };
	i->id = sk_printf(a, "%032zx", ++serial);
	i->field = sk_sink_flatten(all, NULL, a, &i->fields);
	return i;
}

struct sk_sink_item *aws_item(const char *fields, const char *payload)
{
	return aws_item_of(fields, payload, strlen(payload));
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
struct sk_sink_item **aws_items(size_t n, const char *fields, const char *payload)
{
	struct sk_sink_item **item = sk_alloc(&aws_arena, n * sizeof *item);

	for (size_t i = 0; i < n; i++)
		item[i] = aws_item(fields, sk_printf(&aws_arena, payload, (int)i));
	return item;
}

const char *aws_send(const struct aws_service *s, struct sk_sink_item **item, size_t n)
{
	static const char *const words[] = { [SK_SUNK_RETRY] = "retry", [SK_SUNK_OK] = "ok", [SK_SUNK_FAIL] = "fail" };
	struct aws_sink sink = aws_world_sink(s);
	const char *all = "";

	aws_deliver(&sink, item, n, &aws_arena);
	for (size_t i = 0; i < n; i++) {
		assert_true(item[i]->result == SK_SUNK_OK ? !item[i]->why : item[i]->why && *item[i]->why);
		assert_true(!item[i]->why || (!strstr(item[i]->why, AWS_SECRET) && !strchr(item[i]->why, '\n')));
		all = sk_printf(&aws_arena, "%s%s%s", all, i ? " " : "", words[item[i]->result]);
	}
	return all;
}

const char *aws_one(const struct aws_service *s, const char *fields, const char *payload)
{
	struct sk_sink_item *item = aws_item(fields, payload);
	const char *result = aws_send(s, &item, 1);

	return item->why ? sk_printf(&aws_arena, "%s: %s", result, item->why) : result;
}
