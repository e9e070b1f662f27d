/* sink_aws_test.c -- the engine of skeeter_sink_aws: what goes together, in which order, what an answer means for whom, whose key signs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "core/secrets.h"
#include "plugins/sink_aws/xml.h"
#include "tests/unit/aws_world.h"

#define QUEUE "{\"queueUrl\":\"https://sqs.eu-west-1.amazonaws.com/123456789012/hot\"}"
#define STREAM "{\"streamName\":\"s\"}"

static const char *repeated(const char *word, size_t n)
{
	const char *all = "";

	for (size_t i = 0; i < n; i++)
		all = sk_printf(&aws_arena, "%s%s%s", all, i ? " " : "", word);
	return all;
}

/* -- what goes together -- */

static void items_go_in_requests_of_ten_all_at_the_same_time(void **state)
{
	(void)state;
	assert_string_equal(aws_send(&aws_sqs, aws_items(25, QUEUE, "m%d"), 25), repeated("ok", 25));
	assert_int_equal(aws_sent, 3);
	assert_int_equal(aws_seen[2].round, 1);
	assert_non_null(strstr(aws_seen[0].body, "Entry.10.MessageBody=m9"));
	assert_non_null(strstr(aws_seen[2].body, "Entry.5.MessageBody=m24"));
	assert_null(strstr(aws_seen[2].body, "Entry.6."));
}

static void what_is_too_large_for_one_request_goes_in_two(void **state)
{
	size_t half = 150 << 10;
	char *big = sk_alloc_text(&aws_arena, half + 1);
	struct sk_sink_item *item[3];

	(void)state;
	memset(big, 'x', half);
	big[half] = '\0';
	for (size_t i = 0; i < 3; i++)
		item[i] = aws_item(QUEUE, i == 1 ? "small" : big);
	assert_string_equal(aws_send(&aws_sqs, item, 3), "ok ok ok");
	assert_int_equal(aws_sent, 2);
}

static void items_of_different_roles_do_not_share_a_request(void **state)
{
	struct sk_sink_item *item[2];

	(void)state;
	item[0] = aws_item("{\"streamName\":\"s\",\"roleArn\":\"one\"}", "1");
	item[1] = aws_item("{\"streamName\":\"s\",\"roleArn\":\"two\"}", "2");
	assert_string_equal(aws_send(&aws_kinesis, item, 2), "ok ok");
	assert_int_equal(aws_sent, 2);
}

/* -- order -- */

#define KEYED(key) "{\"streamName\":\"s\",\"partitionKey\":\"" key "\"}"

static void records_of_one_key_go_one_request_after_the_other(void **state)
{
	struct sk_sink_item *item[] = { aws_item(KEYED("a"), "a1"), aws_item(KEYED("a"), "a2"), aws_item(KEYED("b"), "b1"), aws_item(KEYED("a"), "a3"),
		aws_item(STREAM, "none"), aws_item(KEYED("b"), "b2") };

	(void)state;
	assert_string_equal(aws_send(&aws_kinesis, item, 6), repeated("ok", 6));
	assert_int_equal(aws_sent, 3);
	assert_int_equal(aws_seen[0].round, 1);
	assert_int_equal(aws_seen[2].round, 3);
	assert_non_null(strstr(aws_seen[0].body, "\"YTE=\"")); /* a1, b1 and the one without a key */
	assert_non_null(strstr(aws_seen[0].body, "\"YjE=\""));
	assert_non_null(strstr(aws_seen[0].body, "\"bm9uZQ==\""));
	assert_non_null(strstr(aws_seen[1].body, "\"YTI=\""));
	assert_non_null(strstr(aws_seen[1].body, "\"YjI=\""));
	assert_non_null(strstr(aws_seen[2].body, "\"YTM=\""));
}

static void what_comes_again_keeps_those_behind_it_waiting(void **state)
{
	struct sk_sink_item *item[] = { aws_item(KEYED("a"), "a1"), aws_item(KEYED("b"), "b1"), aws_item(KEYED("a"), "a2"), aws_item(KEYED("b"), "b2") };

	(void)state;
	aws_world_says("PutRecords", 1, 200,
	               "{\"FailedRecordCount\":1,\"Records\":[{\"ErrorCode\":\"ProvisionedThroughputExceededException\",\"ErrorMessage\":\"Rate exceeded\"},"
	               "{\"SequenceNumber\":\"1\",\"ShardId\":\"0\"}]}");
	assert_string_equal(aws_send(&aws_kinesis, item, 4), "retry ok retry ok");
	assert_string_equal(item[0]->why, "ProvisionedThroughputExceededException: Rate exceeded");
	assert_int_equal(aws_sent, 2);
	assert_null(strstr(aws_seen[1].body, "YTI="));
}

static void without_order_all_go_at_once(void **state)
{
	(void)state;
	aws_set.kinesis_order = false;
	assert_string_equal(aws_send(&aws_kinesis, aws_items(501, KEYED("a"), "%d"), 501), repeated("ok", 501));
	assert_int_equal(aws_sent, 2);
	assert_int_equal(aws_seen[1].round, 1);
}

static void a_fifo_queue_gets_one_message_of_a_topic_at_a_time(void **state)
{
	static const char fifo[] = "{\"queueUrl\":\"http://127.0.0.1:9324/000000000000/hot.fifo\"}";
	struct sk_sink_item *item[] = { aws_item(fifo, "1"), aws_item(fifo, "2"), aws_item(fifo, "3") };

	(void)state;
	aws_set.endpoint = "http://127.0.0.1:9324";
	item[2]->topic = "a topic/ü";
	assert_string_equal(aws_send(&aws_sqs, item, 3), "ok ok ok");
	assert_int_equal(aws_sent, 2);
	assert_string_equal(aws_seen[0].url, "http://127.0.0.1:9324/000000000000/hot.fifo");
	assert_non_null(strstr(aws_seen[0].body, "Entry.1.MessageGroupId=hall%2F7%2Fpress&"));
	assert_non_null(strstr(aws_seen[0].body, "Entry.1.MessageDeduplicationId=00000000000000000000000000000001&"));
	assert_non_null(strstr(aws_seen[0].body, "Entry.2.MessageBody=3&SendMessageBatchRequestEntry.2.MessageGroupId="));
	assert_null(strstr(aws_seen[0].body, "topic"));
	assert_non_null(strstr(aws_seen[1].body, "MessageBody=2"));
}

/* -- partial failures, and blame -- */

static void those_that_are_refused_alone_fail_alone(void **state)
{
	struct sk_sink_item **item = aws_items(5, QUEUE, "m%d");

	(void)state;
	aws_world_says("", 1, 200,
	               "<SendMessageBatchResponse><SendMessageBatchResult>"
	               "<SendMessageBatchResultEntry><Id>1</Id><MessageId>x</MessageId></SendMessageBatchResultEntry>"
	               "<BatchResultErrorEntry><Id>2</Id><Code>InvalidMessageContents</Code><Message>a &lt;b&gt;</Message><SenderFault>true</SenderFault></BatchResultErrorEntry>"
	               "<BatchResultErrorEntry><Id>3</Id><Code>InternalError</Code><Message>We</Message><SenderFault>false</SenderFault></BatchResultErrorEntry>"
	               "<BatchResultErrorEntry><Id>4</Id><Code>Whatever</Code><SenderFault>false</SenderFault></BatchResultErrorEntry>"
	               "</SendMessageBatchResult></SendMessageBatchResponse>");
	assert_string_equal(aws_send(&aws_sqs, item, 5), "ok fail retry retry retry");
	assert_string_equal(item[1]->why, "InvalidMessageContents: a <b>");
	assert_string_equal(item[2]->why, "InternalError: We");
	assert_string_equal(item[3]->why, "Whatever");
	assert_string_equal(item[4]->why, "the service's answer does not say what became of it");
}

static void a_request_that_is_refused_is_cut_in_two_until_the_culprit_is_alone(void **state)
{
	struct sk_sink_item **item = aws_items(10, QUEUE, "m%d");

	(void)state;
	aws_world_says("MessageBody=m6", 100, 400, "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidMessageContents</Code><Message>No</Message></Error></ErrorResponse>");
	assert_string_equal(aws_send(&aws_sqs, item, 10), "ok ok ok ok ok ok fail ok ok ok");
	assert_string_equal(item[6]->why, "InvalidMessageContents: No");
	assert_true(aws_sent < 12);
}

static void what_concerns_all_is_not_cut(void **state)
{
	struct sk_sink_item **item = aws_items(10, QUEUE, "m%d");

	(void)state;
	aws_world_says("", 100, 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Access to the resource is denied.</Message></Error></ErrorResponse>");
	assert_string_equal(aws_send(&aws_sqs, item, 10), repeated("fail", 10));
	assert_int_equal(aws_sent, 1);
}

static void what_is_not_the_services_own_answer_is_not_cut(void **state)
{
	(void)state;
	aws_world_says("", 100, 404, "<html>Not found</html>");
	assert_string_equal(aws_send(&aws_kinesis, aws_items(100, STREAM, "m%d"), 100), repeated("fail", 100));
	assert_int_equal(aws_sent, 1);
	aws_sent = 0;
	aws_world_fresh(NULL);
	aws_world_says("\"bTc=\"", 100, 413, "");
	assert_string_equal(aws_send(&aws_kinesis, aws_items(8, STREAM, "m%d"), 8), "ok ok ok ok ok ok ok fail");
}

static void a_connection_that_breaks_ends_the_delivery(void **state)
{
	struct sk_sink_item *item[] = { aws_item(KEYED("a"), "a1"), aws_item(KEYED("a"), "a2"), aws_item("{\"streamName\":\"\"}", "x") };

	(void)state;
	aws_world_says("", 1, 0, "connection refused");
	assert_string_equal(aws_send(&aws_kinesis, item, 3), "retry retry fail");
	assert_string_equal(item[0]->why, "connection refused");
	assert_string_equal(item[1]->why, "connection refused");
	assert_int_equal(aws_sent, 1);
}

static void a_service_that_is_slow_is_not_waited_for_without_end(void **state)
{
	struct sk_sink_item *item[] = { aws_item(KEYED("a"), "a1"), aws_item(KEYED("a"), "a2") };

	(void)state;
	aws_set.timeout = -1;
	assert_string_equal(aws_send(&aws_kinesis, item, 2), "ok retry");
}

static void a_failure_without_a_reason_says_so(void **state)
{
	(void)state;
	aws_world_says("", 1, 200, "<SendMessageBatchResponse><BatchResultErrorEntry><Id>1</Id><SenderFault>true</SenderFault></BatchResultErrorEntry></SendMessageBatchResponse>");
	assert_string_equal(aws_one(&aws_sqs, QUEUE, "x"), "fail: the service gives no reason");
}

static void an_answer_that_says_nothing_is_no_answer(void **state)
{
	static const char *const bodies[] = { "", "[]", "<html>", "{}", "{\"Records\":[]}", "{\"Records\":[{},{}]}", "{\"Records\":7}" };

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		aws_world_says("", 1, 200, bodies[i]);
		assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), "retry: the service's answer does not say what became of it");
	}
	aws_world_says("", 1, 200, "<html>It works!</html>");
	assert_string_equal(aws_one(&aws_cloudwatch_alarm, "{\"alarmName\":\"a\"}", "x"), "retry: the service's answer does not say what became of it");
	aws_world_says("", 1, 200, "<html>It works!</html>");
	assert_string_equal(aws_one(&aws_dynamodb, "{\"tableName\":\"t\",\"hashKeyField\":\"h\",\"hashKeyValue\":\"1\"}", "x"),
	                    "retry: the service's answer does not say what became of it");
	aws_world_cut();
	assert_string_equal(aws_one(&aws_sqs, QUEUE, "x"), "retry: the service's answer does not say what became of it");
}

/* -- errors -- */

static void errors_are_mapped_by_their_codes(void **state)
{
	static const struct {
		int status;
		const char *body, *result;
	} rows[] = {
		{ 400, "{\"__type\":\"com.amazonaws.kinesis.v20131202#ProvisionedThroughputExceededException\",\"message\":\"Rate\"}",
		  "retry: ProvisionedThroughputExceededException: Rate" },
		{ 400, "{\"__type\":\"KMSThrottlingException:http://x/\",\"Message\":\"k\"}", "retry: KMSThrottlingException: k" },
		{ 400, "{\"__type\":\"KMSDisabledException\",\"Message\":\"k\"}", "fail: KMSDisabledException: k" },
		{ 400, "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}", "retry: ExpiredTokenException: old" },
		{ 400, "{\"__type\":\"UnrecognizedClientException\",\"message\":\"who\"}", "retry: UnrecognizedClientException: who" },
		{ 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"none\"}", "fail: ResourceNotFoundException: none" },
		{ 400, "{\"__type\":\"ValidationException\",\"message\":\"a\\nb\"}", "fail: ValidationException: a b" },
		{ 403, "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature not yet current: 1 is still later than 2\"}",
		  "retry: the clock here and the service's differ: InvalidSignatureException: Signature not yet current: 1 is still later than 2" },
		{ 403, "{\"__type\":\"InvalidSignatureException\",\"message\":\"it does not match\"}", "fail: InvalidSignatureException: it does not match" },
		{ 429, "", "retry: HTTP 429" },
		{ 408, "", "retry: HTTP 408" },
		{ 500, "{\"__type\":\"AccessDeniedException\"}", "retry: AccessDeniedException" },
		{ 503, "<html>", "retry: HTTP 503" },
		{ 404, "{\"__type\":7}", "fail: HTTP 404" },
		{ 301, "", "fail: HTTP 301" },
		{ 0, "timed out", "retry: timed out" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		aws_world_fresh(NULL);
		aws_world_says("", 1, rows[i].status, rows[i].body);
		assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), rows[i].result);
	}
	aws_world_says("", 1, 403, "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference</Message></Error>");
	assert_string_equal(aws_one(&aws_s3, "{\"bucketName\":\"box\",\"key\":\"k\"}", "x"),
	                    "retry: the clock here and the service's differ: RequestTimeTooSkewed: The difference");
}

/* -- where to, and whose key -- */

static const char *host_with(const struct aws_service *s, const char *fields)
{
	aws_sent = 0;
	aws_one(s, fields, "{\"id\":1}");
	return aws_sent ? aws_seen[0].url : "none";
}

static void endpoints_are_those_of_aws_unless_they_are_set(void **state)
{
	static const char arn[] = "{\"targetArn\":\"arn:aws:sns:ap-south-1:123456789012:t\"}", bucket[] = "{\"bucketName\":\"box\",\"key\":\"a/b\"}",
		dotted[] = "{\"bucketName\":\"my.box\",\"key\":\"a/b\"}", china[] = "{\"targetArn\":\"arn:aws-cn:sns:cn-north-1:123456789012:t\"}";

	(void)state;
	assert_string_equal(host_with(&aws_sqs, QUEUE), "https://sqs.eu-west-1.amazonaws.com/123456789012/hot");
	assert_string_equal(host_with(&aws_sqs, "{\"queueUrl\":\"https://eu-west-2.queue.amazonaws.com/1/q\"}"), "https://sqs.eu-west-2.amazonaws.com/1/q");
	assert_string_equal(host_with(&aws_sqs, "{\"queueUrl\":\"http://elsewhere/1/q\"}"), "https://sqs.us-east-1.amazonaws.com/1/q");
	assert_string_equal(host_with(&aws_sns, arn), "https://sns.ap-south-1.amazonaws.com/");
	assert_string_equal(host_with(&aws_sns, china), "https://sns.cn-north-1.amazonaws.com.cn/");
	assert_string_equal(host_with(&aws_cloudwatch_alarm, "{\"alarmName\":\"a\"}"), "https://monitoring.us-east-1.amazonaws.com/");
	assert_string_equal(host_with(&aws_s3, bucket), "https://box.s3.us-east-1.amazonaws.com/a/b");
	assert_string_equal(host_with(&aws_s3, dotted), "https://s3.us-east-1.amazonaws.com/my.box/a/b");
	aws_set.endpoint = "HTTP://127.0.0.1:4566/";
	aws_set.endpoint_of[AWS_SNS] = "https://sns.local";
	assert_string_equal(host_with(&aws_sqs, QUEUE), "http://127.0.0.1:4566/123456789012/hot");
	assert_string_equal(host_with(&aws_s3, bucket), "http://127.0.0.1:4566/box/a/b");
	assert_string_equal(host_with(&aws_sns, arn), "https://sns.local/");
	assert_string_equal(host_with(&aws_sns, "{\"targetArn\":\"arn:aws:sns:evil.example/:1:t\"}"), "none");
}

static void endpoints_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = { "127.0.0.1:80", "ftp://x", "http://", "http://x/path", "http://x?a", "http://user:word@x" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_non_null(aws_endpoint_check(bad[i], &aws_arena));
	assert_null(aws_endpoint_check("http://127.0.0.1:4566", &aws_arena));
	assert_null(aws_endpoint_check("https://minio.local/", &aws_arena));
}

static void without_credentials_items_wait_and_are_told_why(void **state)
{
	(void)state;
	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_string_equal(aws_one(&aws_kinesis, "{\"streamName\":\"s\",\"roleArn\":\"role\"}", "x"),
	                    "retry: no credentials: there is no secret role or aws, nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	assert_int_equal(aws_sent, 0);
}

static void a_key_with_a_line_end_is_no_key_and_items_wait(void **state)
{
	static const char why[] = "retry: no credentials: in AWS_ACCESS_KEY_ID and its like is a blank, a line end or another character that no key has";

	(void)state;
	setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRET "\n", 1);
	assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), why);
	setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRET, 1);
	setenv("AWS_SESSION_TOKEN", "a\r\nEvil: yes", 1);
	assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), why);
	setenv("AWS_SESSION_TOKEN", "", 1);
	assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), "ok");
	assert_null(aws_seen[0].token);
}

static void a_secret_of_the_roles_name_comes_before_aws_and_that_before_the_environment(void **state)
{
	char path[] = "/tmp/skeeter-aws-XXXXXX", why[128];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	fputs("{\"role\": {\"accessKeyId\": \"OF-ROLE\", \"secretAccessKey\": \"" AWS_SECRET "\", \"sessionToken\": \"TOKEN\"},"
	      " \"half\": {\"accessKeyId\": \"ID\"}, \"text\": \"hidden\", \"aws\": {\"accessKeyId\": \"OF-AWS\", \"secretAccessKey\": \"" AWS_SECRET "\"}}", f);
	fclose(f);
	chmod(path, 0600);
	assert_int_equal(sk_secrets_open(path, why, sizeof why), 0);
	setenv("AWS_ACCESS_KEY_ID", "OF-ROLE", 1);
	assert_string_equal(aws_one(&aws_kinesis, "{\"streamName\":\"s\",\"roleArn\":\"role\"}", "x"), "ok");
	assert_string_equal(aws_seen[0].token, "TOKEN");
	setenv("AWS_ACCESS_KEY_ID", "OF-AWS", 1);
	assert_string_equal(aws_one(&aws_kinesis, "{\"streamName\":\"s\",\"roleArn\":\"other\"}", "x"), "ok");
	assert_null(aws_seen[1].token);
	assert_string_equal(aws_one(&aws_kinesis, "{\"streamName\":\"s\",\"roleArn\":\"half\"}", "x"),
	                    "retry: no credentials: the secret half is not {\"accessKeyId\", \"secretAccessKey\"}");
	assert_string_equal(aws_one(&aws_kinesis, "{\"streamName\":\"s\",\"roleArn\":\"text\"}", "x"),
	                    "retry: no credentials: the secret text is not {\"accessKeyId\", \"secretAccessKey\"}");
	sk_secrets_close();
	unlink(path);
}

static void a_token_that_a_server_quotes_is_masked(void **state)
{
	(void)state;
	setenv("AWS_SESSION_TOKEN", "of-a-session", 1);
	aws_world_says("", 1, 403, "{\"__type\":\"AccessDeniedException\",\"message\":\"headers: x-amz-security-token=of-a-session, and more\"}");
	assert_string_equal(aws_one(&aws_kinesis, STREAM, "x"), "fail: AccessDeniedException: headers: x-amz-security-token=************, and more");
	assert_string_equal(aws_seen[0].token, "of-a-session");
}

static void a_lane_is_named_after_what_stands_before_the_first_template(void **state)
{
	static const char v2[] = "{\"putItem\":{\"tableName\":\"tab_${topic(1)}\"}}", all[] = "{\"streamName\":\"${topic()}\"}";

	(void)state;
	assert_string_equal(aws_lane(&aws_kinesis, "kinesis", sk_json_parse(&aws_arena, STREAM, strlen(STREAM), NULL, NULL), &aws_arena), "kinesis s");
	assert_string_equal(aws_lane(&aws_kinesis, "kinesis", sk_json_parse(&aws_arena, all, strlen(all), NULL, NULL), &aws_arena), "kinesis");
	assert_string_equal(aws_lane(&aws_dynamodb_v2, "dynamoDBv2", sk_json_parse(&aws_arena, v2, strlen(v2), NULL, NULL), &aws_arena), "dynamoDBv2 tab_");
}

/* -- memory -- */

static void memory_that_is_out_loses_nothing(void **state)
{
	static const struct aws_service *const services[] = { &aws_sqs, &aws_kinesis, &aws_dynamodb_v2, &aws_cloudwatch_logs };
	size_t oks = 0, retries = 0;

	(void)state;
	aws_world_base("{\"queueUrl\":\"http://x/1/q\",\"streamName\":\"s\",\"partitionKey\":\"k\",\"putItem\":{\"tableName\":\"tab\"},\"logGroupName\":\"g\"}");
	for (size_t s = 0; s < 4; s++)
		for (size_t kilobytes = 1; kilobytes < 200; kilobytes += 3) {
			struct sk_arena a;
			struct aws_sink sink = aws_world_sink(services[s]);
			struct sk_sink_item **item = aws_items(30, "{}", "{\"id\":%d,\"text\":\"some more text that needs room\"}");
			aws_sent = 0;
			sk_arena_init(&a, kilobytes << 10);
			aws_deliver(&sink, item, 30, &a);
			for (size_t i = 0; i < 30; i++) {
				assert_int_not_equal(item[i]->result, SK_SUNK_FAIL);
				assert_true(item[i]->result == SK_SUNK_OK ? aws_sent > 0 : item[i]->why != NULL);
				oks += item[i]->result == SK_SUNK_OK;
				retries += item[i]->result == SK_SUNK_RETRY;
			}
			sk_arena_free(&a);
		}
	assert_true(oks > 0 && retries > 0);
}

/* -- XML -- */

static const char *text_in(const char *document, const char *name)
{
	return aws_xml_text((struct aws_xml){ document, document + strlen(document) }, name, &aws_arena);
}

static void xml_is_read_by_name(void **state)
{
	(void)state;
	assert_string_equal(text_in("<?xml version='1.0'?><!-- <Code>no</Code> --><Error a='>'><Code>Yes</Code></Error>", "Code"), "Yes");
	assert_string_equal(text_in("<a:Error xmlns:a='x'><a:Code >&lt;&#65;&#x42;&amp;amp;&quot;&apos;&gt;&#233;&#128512;</a:Code></a:Error>", "Code"), "<AB&amp;\"'>\xc3\xa9\xf0\x9f\x98\x80");
	assert_string_equal(text_in("<Code><![CDATA[<b>&amp;]]> x<i>y</i></Code>", "Code"), "<b>&amp; xy");
	assert_string_equal(text_in("<Code/>", "Code"), "");
	assert_string_equal(text_in("<Codes><Code>1<Code>2</Code></Code></Codes>", "Code"), "12");
	assert_string_equal(text_in("<Code>&nbsp;&#;&#xD800;&#0;&</Code>", "Code"), "&nbsp;&#;\xef\xbf\xbd\xef\xbf\xbd&");
	assert_null(text_in("<Code>1", "Code"));
	assert_null(text_in("</Code>1</Code>", "Code"));
	assert_null(text_in("<Cod>1</Cod>", "Code"));
	assert_null(text_in("<![CDATA[<Code>1</Code>", "Code"));
	assert_null(text_in("<Code a='>1</Code>", "Code"));
	assert_null(text_in("", "Code"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, aws_world_fresh, aws_world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(items_go_in_requests_of_ten_all_at_the_same_time),
		TEST(what_is_too_large_for_one_request_goes_in_two),
		TEST(items_of_different_roles_do_not_share_a_request),
		TEST(records_of_one_key_go_one_request_after_the_other),
		TEST(what_comes_again_keeps_those_behind_it_waiting),
		TEST(without_order_all_go_at_once),
		TEST(a_fifo_queue_gets_one_message_of_a_topic_at_a_time),
		TEST(those_that_are_refused_alone_fail_alone),
		TEST(a_request_that_is_refused_is_cut_in_two_until_the_culprit_is_alone),
		TEST(what_concerns_all_is_not_cut),
		TEST(what_is_not_the_services_own_answer_is_not_cut),
		TEST(a_connection_that_breaks_ends_the_delivery),
		TEST(a_service_that_is_slow_is_not_waited_for_without_end),
		TEST(an_answer_that_says_nothing_is_no_answer),
		TEST(a_failure_without_a_reason_says_so),
		TEST(errors_are_mapped_by_their_codes),
		TEST(endpoints_are_those_of_aws_unless_they_are_set),
		TEST(endpoints_that_cannot_be_are_refused),
		TEST(without_credentials_items_wait_and_are_told_why),
		TEST(a_key_with_a_line_end_is_no_key_and_items_wait),
		TEST(a_secret_of_the_roles_name_comes_before_aws_and_that_before_the_environment),
		TEST(a_token_that_a_server_quotes_is_masked),
		TEST(a_lane_is_named_after_what_stands_before_the_first_template),
		TEST(memory_that_is_out_loses_nothing),
		TEST(xml_is_read_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
