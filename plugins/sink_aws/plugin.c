/* plugin.c -- skeeter_sink_aws: the actions of AWS's services, to AWS or to whatever speaks their protocols. Glue only: the clock, libcurl, one row
 * for each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/plugin.h"
#include "core/why.h"
#include "plugins/sink_aws/aws.h"

enum { MOST_ANSWER = 1 << 20 };

/* -- a lane's sink -- */

struct opened {
	struct aws_sink sink;
	struct outbound *client;
};

static void send_by_curl(void *ctx, struct outbound_request *r, size_t n, struct sk_arena *a)
{
	outbound_send(((struct opened *)ctx)->client, r, n, a);
}

static int64_t now_ms(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *open_service(const struct aws_settings *s, const struct aws_service *service, char *why, size_t why_size)
{
	struct outbound_settings settings = { .ca = s->cafile, .connect_ms = s->timeout, .total_ms = s->timeout, .connections = (int)s->connections, .proxy = s->proxy,
		.most_answer = MOST_ANSWER, .want = { "x-amzn-ErrorType" } };
	struct opened *o = calloc(1, sizeof *o);

	if (!o || !(o->client = outbound_open(&settings, why, why_size))) {
		if (!o)
			sk_why(why, why_size, "memory is out");
		free(o);
		return NULL;
	}
	o->sink = (struct aws_sink){ .service = service, .settings = s, .region = sk_region(), .account = sk_account(),
		.world = { .send = send_by_curl, .now_ms = now_ms, .ctx = o } };
	return o;
}

static void deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	aws_deliver(&((struct opened *)sink)->sink, item, n, a);
}

static void close_sink(void *sink)
{
	struct opened *o = sink;

	outbound_close(&o->client);
	free(o);
}

/* -- kinds -- */

/* open() and lane() are not told for which kind they are asked. */
#define KIND(service, kind) \
	static const char *lane_##service(const cJSON *fields, struct sk_arena *a, const char **why) \
	{ \
		(void)why; \
		return aws_lane(&aws_##service, kind, fields, a); \
	} \
	static const char *check_##service(const cJSON *fields, struct sk_arena *a) \
	{ \
		return aws_##service.check ? aws_##service.check(fields, a) : NULL; \
	} \
	static void *open_##service(void *state, const cJSON *fields, char *why, size_t why_size) \
	{ \
		(void)fields; \
		return open_service(state, &aws_##service, why, why_size); \
	}

KIND(sqs, "sqs")
KIND(sns, "sns")
KIND(kinesis, "kinesis")
KIND(firehose, "firehose")
KIND(dynamodb, "dynamoDB")
KIND(dynamodb_v2, "dynamoDBv2")
KIND(s3, "s3")
KIND(cloudwatch_metric, "cloudwatchMetric")
KIND(cloudwatch_alarm, "cloudwatchAlarm")
KIND(cloudwatch_logs, "cloudwatchLogs")
KIND(step_functions, "stepFunctions")

#define SINK(service, ...) \
	{ .lane = lane_##service, .check = check_##service, .open = open_##service, .deliver = deliver, .close = close_sink, __VA_ARGS__ }

static const struct sk_sink sinks[] = {
	SINK(sqs, .kind = "sqs", .prose = "messages to a queue of SQS"),
	SINK(sns, .kind = "sns", .prose = "messages to a topic of SNS"),
	SINK(kinesis, .kind = "kinesis", .prose = "records to a stream of Kinesis", .order = "partitionKey", .most_items = 500, .most_bytes = 4 << 20),
	SINK(firehose, .kind = "firehose", .prose = "records to a stream of Firehose", .order = "", .most_items = 500, .most_bytes = 3 << 20),
	SINK(dynamodb, .kind = "dynamoDB", .prose = "an item of a DynamoDB table, the message in one attribute", .order = "hashKeyValue"),
	SINK(dynamodb_v2, .kind = "dynamoDBv2", .prose = "an item of a DynamoDB table, an attribute for each member of the message"),
	SINK(s3, .kind = "s3", .prose = "objects in a bucket of S3", .order = "key", .most_bytes = 4 << 20),
	SINK(cloudwatch_metric, .kind = "cloudwatchMetric", .prose = "values of a CloudWatch metric", .order = "", .most_items = 1000),
	SINK(cloudwatch_alarm, .kind = "cloudwatchAlarm", .prose = "the state of a CloudWatch alarm", .order = "alarmName"),
	SINK(cloudwatch_logs, .kind = "cloudwatchLogs", .prose = "events in CloudWatch Logs", .order = "", .most_items = 1000),
	SINK(step_functions, .kind = "stepFunctions", .prose = "executions of a state machine of Step Functions", .order = ""),
	{ 0 }
};

/* -- options -- */

#define OPTION(type, field, init, values, prose) SK_OPTION(type, struct aws_settings, field, init, values, prose)
#define ENDPOINT(option, which) \
	{ .name = "endpoint_" option, .type = SK_STR, .offset = offsetof(struct aws_settings, endpoint_of[which]), .prose = "the same of this service alone" }

static const struct sk_option options[] = {
	OPTION(SK_STR, endpoint, NULL, NULL, "where all services are: `http://127.0.0.1:4566`; none: AWS, `https://SERVICE.REGION.amazonaws.com`"),
	ENDPOINT("sqs", AWS_SQS),
	ENDPOINT("sns", AWS_SNS),
	ENDPOINT("kinesis", AWS_KINESIS),
	ENDPOINT("firehose", AWS_FIREHOSE),
	ENDPOINT("dynamodb", AWS_DYNAMODB),
	ENDPOINT("s3", AWS_S3),
	ENDPOINT("cloudwatch", AWS_CLOUDWATCH),
	ENDPOINT("logs", AWS_LOGS),
	ENDPOINT("stepfunctions", AWS_STEPFUNCTIONS),
	OPTION(SK_DURATION, timeout, "5s", NULL, "how long a request may take"),
	OPTION(SK_INT, connections, "8", "1 64", "requests at a time to one destination"),
	OPTION(SK_STR, cafile, NULL, NULL, "PEM file of the certificates that servers are trusted by; none: the system's"),
	OPTION(SK_STR, proxy, NULL, NULL, "the proxy on the way to the services, `http://host:port`; none: the environment's is not used either"),
	OPTION(SK_BOOL, kinesis_order, "true", NULL, "keep the order of records of one partition key: a request holds one of each"),
	{ 0 }
};

/* NULL, or what is wrong with the URL of that option. */
static const char *check_url(const char *url, const char *option, const char **wrong, struct sk_arena *a)
{
	*wrong = option;
	return url ? aws_endpoint_check(url, a) : NULL;
}

static int start(void *state, char *why, size_t why_size)
{
	const struct aws_settings *s = state;
	struct sk_arena a = { 0 };
	const char *wrong = NULL, *fault = check_url(s->endpoint, "plugin_opt_endpoint", &wrong, &a);

	for (size_t i = 0; i < AWS_NAMES && !fault; i++)
		fault = check_url(s->endpoint_of[i], "plugin_opt_endpoint_...", &wrong, &a);
	if (!fault)
		fault = check_url(s->proxy, "plugin_opt_proxy", &wrong, &a);
	if (!fault && s->timeout < 100) {
		wrong = "plugin_opt_timeout";
		fault = "it must be 100ms or more";
	}
	int rc = fault ? sk_why(why, why_size, "%s: %s", wrong, fault) : outbound_load();
	if (rc && !fault)
		sk_why(why, why_size, "libcurl does not start");
	sk_arena_free(&a);
	return rc;
}

static void stop(void *state)
{
	(void)state;
	outbound_unload();
}

SKEETER_PLUGIN(.name = "sink_aws", .prose = "rule actions to SQS, SNS, Kinesis, Firehose, DynamoDB, S3, CloudWatch, Step Functions",
               .state_size = sizeof(struct aws_settings), .options = options, .sinks = sinks, .start = start, .stop = stop)
