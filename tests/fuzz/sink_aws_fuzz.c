/* sink_aws_fuzz.c -- answers of services, and payloads, of any bytes: every item has its end, nothing overtakes, bodies are what they should be.
 *
 * Input: service, status, items, then answers, each ended by a byte 0xff, and behind a byte 0xfe the payload. Answers are given in turn. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_aws/aws.h"
#include "tests/fuzz/expect.h"

#define TOKEN "hidden-and-never-said" /* a server has seen it, and may say it */
enum { MOST = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct aws_service *const services[] = { &aws_sqs, &aws_sns, &aws_kinesis, &aws_firehose, &aws_dynamodb, &aws_dynamodb_v2, &aws_s3,
	&aws_cloudwatch_metric, &aws_cloudwatch_alarm, &aws_cloudwatch_logs, &aws_step_functions };
static const int statuses[] = { 200, 400, 403, 500, 0 };
static const struct sk_sink_field fields[] = { { "queueUrl", "http://x/1/q.fifo" }, { "targetArn", "arn:aws:sns:r:1:t" }, { "streamName", "s" }, { "partitionKey", "k" },
	{ "deliveryStreamName", "d" }, { "batchMode", "true" }, { "tableName", "t" }, { "hashKeyField", "h" }, { "hashKeyValue", "1" }, { "putItem.tableName", "t" },
	{ "bucketName", "box" }, { "key", "k" }, { "metricNamespace", "n" }, { "metricName", "m" }, { "metricValue", "1" }, { "metricUnit", "None" }, { "alarmName", "a" },
	{ "stateValue", "OK" }, { "stateReason", "r" }, { "logGroupName", "g" }, { "stateMachineName", "m" } };

struct world {
	const struct aws_service *service;
	const uint8_t *at, *end; /* answers to come */
	uint8_t status;
	size_t sent;
};

static void check_body(const struct world *w, const struct outbound_request *r)
{
	struct sk_arena a = { 0 };
	const char *body = r->body;

	if (w->service->protocol == AWS_JSON)
		expect(cJSON_IsObject(sk_json_parse(&a, body, r->size, NULL, NULL)));
	for (size_t i = 0; w->service->protocol == AWS_QUERY && i < r->size; i++)
		expect(body[i] > ' ' && body[i] < 0x7f && body[i] != '"' && body[i] != '<');
	sk_arena_free(&a);
}

static void answer_all(void *ctx, struct outbound_request *r, size_t n, struct sk_arena *a)
{
	struct world *w = ctx;

	for (size_t i = 0; i < n; i++, w->sent++) {
		const uint8_t *stop = w->at < w->end ? memchr(w->at, 0xff, (size_t)(w->end - w->at)) : NULL;
		size_t size = stop ? (size_t)(stop - w->at) : (size_t)(w->end - w->at);
		check_body(w, &r[i]);
		r[i].status = statuses[(w->status + w->sent) % (sizeof statuses / sizeof *statuses)];
		r[i].answer = sk_strndup(a, (const char *)w->at, size);
		r[i].answer_size = size;
		r[i].why = r[i].status ? NULL : "none";
		w->at += stop ? size + 1 : size;
		expect(w->sent < 4 * MOST * MOST);
	}
}

static int64_t now(void *ctx)
{
	(void)ctx;
	return 1700000000000;
}

static void check(const struct world *w, struct sk_sink_item *const *item, size_t n)
{
	bool again = false;

	for (size_t i = 0; i < n; i++) {
		expect(item[i]->result == SK_SUNK_OK || (item[i]->why && *item[i]->why));
		expect(item[i]->result != SK_SUNK_OK || w->sent);
		expect(!item[i]->why || (!strstr(item[i]->why, TOKEN) && !strchr(item[i]->why, '\n') && sk_utf8_valid(item[i]->why, strlen(item[i]->why))));
		if (w->service == &aws_kinesis || w->service == &aws_sqs || w->service == &aws_dynamodb || w->service == &aws_s3)
			expect(!again || item[i]->result != SK_SUNK_OK);
		again |= item[i]->result == SK_SUNK_RETRY;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct aws_settings settings = { .timeout = 5000, .connections = 4, .kinesis_order = true };
	struct sk_arena a = { 0 };
	struct sk_sink_item all[MOST], *item[MOST];
	char ids[MOST][40];
	size_t n;

	if (size < 3)
		return 0;
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SESSION_TOKEN", TOKEN, 1);
	const uint8_t *payload = memrchr(data + 3, 0xfe, size - 3), *end = data + size;
	struct world w = { .service = services[data[0] % (sizeof services / sizeof *services)], .status = data[1], .at = data + 3, .end = payload ? payload : end };
	struct aws_sink sink = { .service = w.service, .settings = &settings, .region = "us-east-1", .account = "1", .world = { answer_all, now, &w } };
	const char *text = payload ? sk_strndup(&a, (const char *)payload + 1, (size_t)(end - payload - 1)) : "{\"a\":1}";
	n = 1 + data[2] % MOST;
	for (size_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof ids[i], "%032zx", i);
		all[i] = (struct sk_sink_item){ .field = fields, .fields = sizeof fields / sizeof *fields, .payload = text, .size = payload ? (size_t)(end - payload - 1) : 7,
			.rule = "r", .topic = "a/b", .id = ids[i], .time_ms = 1700000000000 };
		item[i] = &all[i];
	}
	aws_deliver(&sink, item, n, &a);
	check(&w, item, n);
	sk_arena_free(&a);
	return 0;
}
