/* sink_aws_services_test.c -- the bodies that each service gets, to the byte, what it may refuse, and what cannot be sent at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "tests/unit/aws_world.h"

static const char *check(const struct aws_service *s, const char *fields)
{
	return s->check(sk_json_parse(&aws_arena, fields, strlen(fields), NULL, NULL), &aws_arena);
}

/* What an item of these becomes; the next call forgets it. */
static const struct aws_seen *body_of(const struct aws_service *s, const char *fields, const char *payload)
{
	aws_sent = 0;
	assert_string_equal(aws_one(s, fields, payload), "ok");
	assert_int_equal(aws_sent, 1);
	return &aws_seen[0];
}

/* -- sqs -- */

#define QUEUE "\"queueUrl\":\"https://sqs.us-east-1.amazonaws.com/1/q\""

static void sqs_sends_text_and_base64(void **state)
{
	const char *sent = "Action=SendMessageBatch&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F1%2Fq"
	                   "&SendMessageBatchRequestEntry.1.Id=1&SendMessageBatchRequestEntry.1.MessageBody=";

	(void)state;
	assert_string_equal(body_of(&aws_sqs, "{" QUEUE "}", "{\"a\": \"\xc3\xbc+&\"}")->body, sk_printf(&aws_arena, "%s%%7B%%22a%%22%%3A%%20%%22%%C3%%BC%%2B%%26%%22%%7D", sent));
	assert_string_equal(body_of(&aws_sqs, "{" QUEUE ",\"useBase64\":true}", "\x01?>")->body, sk_printf(&aws_arena, "%sAT8%%2B", sent));
}

static void sqs_does_not_send_what_it_would_not_take(void **state)
{
	struct sk_sink_item *nul = aws_item_of("{" QUEUE "}", "a\0b", 3);

	(void)state;
	assert_string_equal(aws_one(&aws_sqs, "{" QUEUE "}", ""), "fail: the message is empty, which the service does not take");
	assert_string_equal(aws_one(&aws_sqs, "{" QUEUE "}", "\xff"),
	                    "fail: the message is not UTF-8 text: encode(*, 'base64') makes it so, or useBase64 where there is one");
	assert_string_equal(aws_one(&aws_sqs, "{" QUEUE "}", "\x1b"), "fail: the message has a control character, which the service does not take");
	assert_string_equal(aws_one(&aws_sqs, "{" QUEUE "}", "\xef\xbf\xbf"), "fail: the message has a control character, which the service does not take");
	assert_string_equal(aws_one(&aws_sqs, "{" QUEUE "}", "\t\xef\xbf\xbd\r\n"), "ok");
	assert_string_equal(aws_send(&aws_sqs, &nul, 1), "fail");
	assert_string_equal(aws_one(&aws_sqs, "{\"queueUrl\":\"http://x\"}", "x"), "fail: queueUrl is no URL of a queue");
	assert_string_equal(aws_one(&aws_sqs, "{\"queueUrl\":\"http://x/a?b\"}", "x"), "fail: queueUrl is no URL of a queue");
	assert_non_null(check(&aws_sqs, "{\"queueUrl\":\"hot\"}"));
	assert_null(check(&aws_sqs, "{" QUEUE "}"));
	assert_null(check(&aws_sqs, "{\"queueUrl\":\"${a}\"}"));
}

/* -- sns -- */

static void sns_publishes_batches_to_topics(void **state)
{
	(void)state;
	assert_string_equal(body_of(&aws_sns, "{\"targetArn\":\"arn:aws:sns:us-east-1:1:t\"}", "m")->body,
	                    "Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3At&PublishBatchRequestEntries.member.1.Id=1"
	                    "&PublishBatchRequestEntries.member.1.Message=m");
	assert_string_equal(body_of(&aws_sns, "{\"targetArn\":\"arn:aws:sns:us-east-1:1:t.fifo\",\"messageFormat\":\"JSON\"}", "{\"default\":1}")->body,
	                    "Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3At.fifo&PublishBatchRequestEntries.member.1.Id=1"
	                    "&PublishBatchRequestEntries.member.1.Message=%7B%22default%22%3A1%7D&PublishBatchRequestEntries.member.1.MessageStructure=json"
	                    "&PublishBatchRequestEntries.member.1.MessageGroupId=hall%2F7%2Fpress"
	                    "&PublishBatchRequestEntries.member.1.MessageDeduplicationId=00000000000000000000000000000002");
}

static void sns_publishes_one_by_one_to_what_is_no_topic(void **state)
{
	static const char phone[] = "{\"targetArn\":\"arn:aws:sns:us-east-1:1:endpoint/GCM/app/1\",\"messageFormat\":\"RAW\"}";

	(void)state;
	assert_string_equal(aws_send(&aws_sns, aws_items(2, phone, "m%d"), 2), "ok ok");
	assert_int_equal(aws_sent, 2);
	assert_string_equal(aws_seen[1].body, "Action=Publish&Version=2010-03-31&TargetArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3Aendpoint%2FGCM%2Fapp%2F1&Message=m1");
}

static void sns_tells_its_members_apart(void **state)
{
	struct sk_sink_item **item = aws_items(3, "{\"targetArn\":\"arn:aws:sns:us-east-1:1:t\"}", "m%d");

	(void)state;
	aws_world_says("", 1, 200,
	               "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>"
	               "<Failed><member><Id>2</Id><Code>InvalidParameter</Code><Message>Invalid</Message><SenderFault>true</SenderFault></member></Failed>"
	               "<Successful><member><MessageId>a</MessageId><Id>3</Id></member></Successful></PublishBatchResult></PublishBatchResponse>");
	assert_string_equal(aws_send(&aws_sns, item, 3), "retry fail ok");
	assert_string_equal(item[1]->why, "InvalidParameter: Invalid");
	assert_string_equal(aws_one(&aws_sns, "{\"targetArn\":\"arn:aws:sns:us-east-1:1:t\",\"messageFormat\":\"JSON\"}", "m"),
	                    "fail: messageFormat is JSON, but the message is no JSON object");
	assert_non_null(check(&aws_sns, "{\"targetArn\":\"t\"}"));
	assert_string_equal(aws_one(&aws_sns, "{\"targetArn\":\"t\"}", "m"), "fail: targetArn is no ARN of SNS");
}

/* -- kinesis and firehose -- */

static void kinesis_records_have_a_key(void **state)
{
	(void)state;
	assert_string_equal(body_of(&aws_kinesis, "{\"streamName\":\"s\"}", "x")->body,
	                    "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"eA==\",\"PartitionKey\":\"00000000000000000000000000000001\"}]}");
	assert_string_equal(aws_seen[0].target, "Kinesis_20131202.PutRecords");
	assert_string_equal(body_of(&aws_kinesis, "{\"streamName\":\"s\",\"partitionKey\":\"a\\\"b\"}", "")->body,
	                    "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"a\\\"b\"}]}");
}

static void firehose_makes_records_of_an_array(void **state)
{
	static const char batch[] = "{\"deliveryStreamName\":\"d\",\"batchMode\":true,\"separator\":\"\\n\"}";

	(void)state;
	assert_string_equal(body_of(&aws_firehose, batch, "[1, {\"a\": \"b\"}]")->body,
	                    "{\"DeliveryStreamName\":\"d\",\"Records\":[{\"Data\":\"MQo=\"},{\"Data\":\"eyJhIjoiYiJ9Cg==\"}]}");
	assert_string_equal(body_of(&aws_firehose, batch, "x")->body, "{\"DeliveryStreamName\":\"d\",\"Records\":[{\"Data\":\"eAo=\"}]}");
	assert_string_equal(body_of(&aws_firehose, "{\"deliveryStreamName\":\"d\"}", "[1]")->body, "{\"DeliveryStreamName\":\"d\",\"Records\":[{\"Data\":\"WzFd\"}]}");
	assert_string_equal(aws_one(&aws_firehose, batch, "[]"), "fail: the message is an empty array: there is nothing to put");
}

static void a_message_of_several_records_is_as_well_off_as_the_worst(void **state)
{
	static const char batch[] = "{\"deliveryStreamName\":\"d\",\"batchMode\":true}";
	struct sk_sink_item *item[] = { aws_item(batch, "[1,2]"), aws_item(batch, "[3,4]"), aws_item(batch, "5") };
	struct sigv4_text many = { .a = &aws_arena };

	(void)state;
	aws_world_says("", 1, 200,
	               "{\"FailedPutCount\":1,\"RequestResponses\":[{\"RecordId\":\"1\"},{\"RecordId\":\"2\"},{\"RecordId\":\"3\"},"
	               "{\"ErrorCode\":\"ServiceUnavailableException\",\"ErrorMessage\":\"Slow down.\"},{\"RecordId\":\"5\"}]}");
	assert_string_equal(aws_send(&aws_firehose, item, 3), "ok retry ok");
	sigv4_puts(&many, "[0");
	for (int i = 0; i < 500; i++)
		sigv4_puts(&many, ",1");
	sigv4_puts(&many, "]");
	assert_string_equal(aws_one(&aws_firehose, batch, sigv4_text_end(&many)), "fail: more than 500 records in one message");
}

/* -- dynamoDB -- */

#define TABLE "\"tableName\":\"tab\",\"hashKeyField\":\"id\",\"hashKeyValue\":\"7\""

static void dynamodb_puts_updates_and_deletes(void **state)
{
	(void)state;
	assert_string_equal(body_of(&aws_dynamodb, "{" TABLE "}", "{\"t\":1.50}")->body,
	                    "{\"TableName\":\"tab\",\"Item\":{\"id\":{\"S\":\"7\"},\"payload\":{\"M\":{\"t\":{\"N\":\"1.50\"}}}}}");
	assert_string_equal(aws_seen[0].target, "DynamoDB_20120810.PutItem");
	assert_string_equal(body_of(&aws_dynamodb, "{" TABLE ",\"hashKeyType\":\"NUMBER\",\"rangeKeyField\":\"at\",\"rangeKeyValue\":\"x\",\"payloadField\":\"p\"}", "\xff")->body,
	                    "{\"TableName\":\"tab\",\"Item\":{\"id\":{\"N\":\"7\"},\"at\":{\"S\":\"x\"},\"p\":{\"B\":\"/w==\"}}}");
	assert_string_equal(body_of(&aws_dynamodb, "{" TABLE ",\"operation\":\"UPDATE\"}", "\"x\"")->body,
	                    "{\"TableName\":\"tab\",\"Key\":{\"id\":{\"S\":\"7\"}},\"UpdateExpression\":\"SET #p = :p\",\"ExpressionAttributeNames\":{\"#p\":\"payload\"},"
	                    "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"x\"}}}");
	assert_string_equal(aws_seen[0].target, "DynamoDB_20120810.UpdateItem");
	assert_string_equal(body_of(&aws_dynamodb, "{" TABLE ",\"operation\":\"DELETE\"}", "x")->body, "{\"TableName\":\"tab\",\"Key\":{\"id\":{\"S\":\"7\"}}}");
	assert_string_equal(aws_seen[0].target, "DynamoDB_20120810.DeleteItem");
}

static void dynamodb_refuses_what_does_not_go_together(void **state)
{
	(void)state;
	assert_string_equal(aws_one(&aws_dynamodb, "{" TABLE ",\"operation\":\"insert\"}", "1"), "fail: operation is not INSERT, UPDATE or DELETE");
	assert_string_equal(aws_one(&aws_dynamodb, "{" TABLE ",\"rangeKeyField\":\"at\"}", "1"), "fail: rangeKeyField and rangeKeyValue belong together");
	assert_string_equal(aws_one(&aws_dynamodb, "{" TABLE ",\"payloadField\":\"id\"}", "1"), "fail: payloadField is a field of the key");
	assert_string_equal(check(&aws_dynamodb, "{" TABLE ",\"operation\":\"PUT\"}"), "operation must be INSERT, UPDATE or DELETE");
	assert_string_equal(check(&aws_dynamodb, "{" TABLE ",\"rangeKeyValue\":\"x\"}"), "rangeKeyField and rangeKeyValue belong together");
	assert_null(check(&aws_dynamodb, "{" TABLE ",\"operation\":\"${op}\"}"));
}

static void dynamodb_writes_one_key_after_the_other(void **state)
{
	struct sk_sink_item *item[] = { aws_item("{" TABLE "}", "1"), aws_item("{" TABLE ",\"hashKeyValue\":\"8\"}", "2"), aws_item("{" TABLE "}", "3") };

	(void)state;
	aws_world_says("\"N\":\"1\"", 1, 400, "{\"__type\":\"ThrottlingException\"}");
	assert_string_equal(aws_send(&aws_dynamodb, item, 3), "retry ok retry");
	assert_int_equal(aws_sent, 2);
}

/* -- dynamoDBv2 -- */

#define PUT "{\"putItem\":{\"tableName\":\"tab\"}}"

static void members_become_attributes_of_dynamodbs_types(void **state)
{
	(void)state;
	assert_string_equal(body_of(&aws_dynamodb_v2, PUT,
	                            "{\"s\":\"\",\"n\":12345678901234567890.123,\"e\":1e3,\"t\":true,\"f\":false,\"z\":null,\"l\":[1,[\"a\"],{}],\"m\":{\"\\u00fc\":[]}}")->body,
	                    "{\"TableName\":\"tab\",\"Item\":{\"s\":{\"S\":\"\"},\"n\":{\"N\":\"12345678901234567890.123\"},\"e\":{\"N\":\"1e3\"},\"t\":{\"BOOL\":true},"
	                    "\"f\":{\"BOOL\":false},\"z\":{\"NULL\":true},\"l\":{\"L\":[{\"N\":\"1\"},{\"L\":[{\"S\":\"a\"}]},{\"M\":{}}]},\"m\":{\"M\":{\"\xc3\xbc\":{\"L\":[]}}}}}");
	assert_string_equal(aws_seen[0].target, "DynamoDB_20120810.PutItem");
	assert_string_equal(aws_one(&aws_dynamodb_v2, PUT, "[1]"), "fail: the message is no JSON object: its members would be the attributes");
}

static void what_a_table_puts_back_comes_again(void **state)
{
	struct sk_sink_item **item = aws_items(3, PUT, "{\"id\":\"%d\"}");

	(void)state;
	aws_world_says("BatchWrite", 1, 200, "{\"UnprocessedItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"1\"}}}}]}}");
	assert_string_equal(aws_send(&aws_dynamodb_v2, item, 3), "ok retry ok");
	assert_string_equal(aws_seen[0].body, "{\"RequestItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"0\"}}}},{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"1\"}}}},"
	                                      "{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"2\"}}}}]}}");
	aws_world_says("BatchWrite", 1, 200, "{\"UnprocessedItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"spelled otherwise\"}}}}]}}");
	assert_string_equal(aws_send(&aws_dynamodb_v2, item, 3), "retry retry retry");
	aws_world_says("BatchWrite", 1, 200, "{\"UnprocessedItems\":{}}");
	assert_string_equal(aws_send(&aws_dynamodb_v2, item, 3), "ok ok ok");
}

/* -- s3 -- */

static void s3_puts_the_payload_as_it_is(void **state)
{
	const struct aws_seen *s = body_of(&aws_s3, "{\"bucketName\":\"box\",\"key\":\"a/b\",\"cannedAcl\":\"public-read\"}", "\xff\xfe");

	(void)state;
	assert_string_equal(s->method, "PUT");
	assert_string_equal(s->body, "\xff\xfe");
	assert_string_equal(s->acl, "public-read");
	assert_string_equal(aws_one(&aws_s3, "{\"bucketName\":\"box\",\"key\":\"\"}", "x"), "fail: key is empty");
	assert_string_equal(aws_one(&aws_s3, "{\"bucketName\":\"../x\",\"key\":\"k\"}", "x"), "fail: bucketName is no name of a bucket");
	assert_string_equal(aws_one(&aws_s3, "{\"bucketName\":\"a@b\",\"key\":\"k\"}", "x"), "fail: bucketName is no name of a bucket");
	assert_non_null(check(&aws_s3, "{\"bucketName\":\"a/b\",\"key\":\"k\"}"));
	assert_non_null(check(&aws_s3, "{\"bucketName\":\"box\",\"key\":\"\"}"));
	assert_null(check(&aws_s3, "{\"bucketName\":\"${a}\",\"key\":\"${b}\"}"));
}

/* -- cloudwatch -- */

#define METRIC "\"metricNamespace\":\"n\",\"metricName\":\"temp\",\"metricUnit\":\"None\""

static void metrics_have_numbers_and_times(void **state)
{
	const char *sent = "Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=temp&MetricData.member.1.Value=21.5&MetricData.member.1.Unit=None"
	                   "&MetricData.member.1.Timestamp=";

	(void)state;
	assert_string_equal(body_of(&aws_cloudwatch_metric, "{" METRIC ",\"metricValue\":\"21.5\"}", "")->body, sk_printf(&aws_arena, "%s2023-11-14T22%%3A13%%3A20Z", sent));
	assert_string_equal(body_of(&aws_cloudwatch_metric, "{" METRIC ",\"metricValue\":\"21.5\",\"metricTimestamp\":\"0\"}", "")->body,
	                    sk_printf(&aws_arena, "%s1970-01-01T00%%3A00%%3A00Z", sent));
	static const char *const bad[] = { "x", "", "1x", "nan", "1e999", "0x10", "1 2" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(aws_one(&aws_cloudwatch_metric, sk_printf(&aws_arena, "{" METRIC ",\"metricValue\":\"%s\"}", bad[i]), ""), "fail: metricValue is no number");
	assert_string_equal(aws_one(&aws_cloudwatch_metric, "{" METRIC ",\"metricValue\":\"1\",\"metricTimestamp\":\"now\"}", ""),
	                    "fail: metricTimestamp is no number of seconds since 1970");
	assert_string_equal(aws_one(&aws_cloudwatch_metric, "{" METRIC ",\"metricValue\":\"1\",\"metricTimestamp\":\"1e15\"}", ""), "fail: metricTimestamp is no time");
}

static void metrics_of_one_namespace_share_a_request(void **state)
{
	struct sk_sink_item *item[] = { aws_item("{" METRIC ",\"metricValue\":\"1\"}", ""), aws_item("{" METRIC ",\"metricValue\":\"2\",\"metricNamespace\":\"o\"}", ""),
		aws_item("{" METRIC ",\"metricValue\":\"3\"}", "") };

	(void)state;
	assert_string_equal(aws_send(&aws_cloudwatch_metric, item, 3), "ok ok ok");
	assert_int_equal(aws_sent, 2);
	assert_non_null(strstr(aws_seen[0].body, "member.2.Value=3"));
}

static void alarms_get_their_states_one_after_the_other(void **state)
{
	static const char alarm[] = "{\"alarmName\":\"a\",\"stateValue\":\"OK\",\"stateReason\":\"it is\"}";

	(void)state;
	assert_string_equal(body_of(&aws_cloudwatch_alarm, alarm, "")->body, "Action=SetAlarmState&Version=2010-08-01&AlarmName=a&StateValue=OK&StateReason=it%20is");
	assert_string_equal(aws_send(&aws_cloudwatch_alarm, aws_items(2, alarm, "%d"), 2), "ok ok");
	assert_int_equal(aws_seen[1].round + 1, aws_seen[2].round);
}

/* -- logs -- */

#define GROUP "\"logGroupName\":\"g\""

static void log_events_stand_in_the_order_of_their_time(void **state)
{
	struct sk_sink_item *item[] = { aws_item("{" GROUP ",\"batchMode\":true}", "[{\"timestamp\":1700000000009,\"message\":\"late\"},{\"timestamp\":1699999999999,\"message\":\"early\"}]"),
		aws_item("{" GROUP "}", "{\"a\":1}") };

	(void)state;
	assert_string_equal(aws_send(&aws_cloudwatch_logs, item, 2), "ok ok");
	assert_int_equal(aws_sent, 1);
	assert_string_equal(aws_seen[0].body, "{\"logGroupName\":\"g\",\"logStreamName\":\"press\",\"logEvents\":[{\"timestamp\":1699999999999,\"message\":\"early\"},"
	                                      "{\"timestamp\":1700000000000,\"message\":\"{\\\"a\\\":1}\"},{\"timestamp\":1700000000009,\"message\":\"late\"}]}");
}

static void log_events_that_are_rejected_fail(void **state)
{
	struct sk_sink_item **item = aws_items(4, "{" GROUP "}", "m%d");

	(void)state;
	for (int i = 0; i < 4; i++)
		item[i]->time_ms = AWS_NOW_MS + (i + 1) % 4; /* 3 is the first */
	aws_world_says("", 1, 200, "{\"rejectedLogEventsInfo\":{\"tooNewLogEventStartIndex\":3,\"tooOldLogEventEndIndex\":1}}");
	assert_string_equal(aws_send(&aws_cloudwatch_logs, item, 4), "ok ok fail fail");
	assert_string_equal(item[2]->why, "rejectedLogEventsInfo: its time is too far ahead");
	assert_string_equal(item[3]->why, "rejectedLogEventsInfo: it is too old");
}

static void events_that_are_days_apart_do_not_share_a_request(void **state)
{
	struct sk_sink_item **item = aws_items(3, "{" GROUP "}", "m%d");

	(void)state;
	item[1]->time_ms += 86400000;
	assert_string_equal(aws_send(&aws_cloudwatch_logs, item, 3), "ok ok ok");
	assert_int_equal(aws_sent, 2);
}

static void a_log_stream_is_made_when_it_is_not_there(void **state)
{
	(void)state;
	aws_world_says("PutLogEvents", 1, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"The specified log stream does not exist.\"}");
	aws_world_says("CreateLogStream", 1, 400, "{\"__type\":\"ResourceAlreadyExistsException\",\"message\":\"another was faster\"}");
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP "}", "m"), "ok");
	assert_int_equal(aws_sent, 3);
	assert_string_equal(aws_seen[1].target, "Logs_20140328.CreateLogStream");
	assert_string_equal(aws_seen[1].body, "{\"logGroupName\":\"g\",\"logStreamName\":\"press\"}");
	aws_sent = 0;
	aws_world_says("PutLogEvents", 9, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"The specified log stream does not exist.\"}");
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP "}", "m"), "fail: ResourceNotFoundException: The specified log stream does not exist.");
	assert_int_equal(aws_sent, 3);
}

static void a_log_group_is_not_made(void **state)
{
	(void)state;
	aws_world_says("", 1, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"The specified log group does not exist.\"}");
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP "}", "m"), "fail: ResourceNotFoundException: The specified log group does not exist.");
	assert_int_equal(aws_sent, 1);
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP "}", ""), "fail: the message is empty or no UTF-8 text, which a log does not take");
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP ",\"batchMode\":true}", "x"), "fail: batchMode wants a list of {\"timestamp\", \"message\"}");
	assert_string_equal(aws_one(&aws_cloudwatch_logs, "{" GROUP ",\"batchMode\":true}", "[{\"timestamp\":\"1\",\"message\":\"a\"}]"),
	                    "fail: batchMode wants {\"timestamp\": milliseconds, \"message\": \"text\"} of each");
}

/* -- step functions -- */

static void an_execution_is_started_once(void **state)
{
	static const char machine[] = "{\"stateMachineName\":\"m\",\"executionNamePrefix\":\"p-\"}";

	(void)state;
	assert_string_equal(body_of(&aws_step_functions, machine, "{\"a\":1}")->body,
	                    "{\"stateMachineArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:m\",\"name\":\"p-00000000000000000000000000000001\","
	                    "\"input\":\"{\\\"a\\\":1}\"}");
	assert_string_equal(aws_seen[0].target, "AWSStepFunctions.StartExecution");
	aws_world_says("", 1, 400, "{\"__type\":\"ExecutionAlreadyExists\",\"message\":\"Execution Already Exists\"}");
	assert_string_equal(aws_one(&aws_step_functions, machine, "1"), "ok");
	aws_world_says("", 1, 400, "{\"__type\":\"StateMachineDoesNotExist\",\"message\":\"none\"}");
	assert_string_equal(aws_one(&aws_step_functions, machine, "1"), "fail: StateMachineDoesNotExist: none");
	assert_string_equal(aws_one(&aws_step_functions, machine, "x"), "fail: the message is no JSON, which an execution's input must be");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, aws_world_fresh, aws_world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sqs_sends_text_and_base64),
		TEST(sqs_does_not_send_what_it_would_not_take),
		TEST(sns_publishes_batches_to_topics),
		TEST(sns_publishes_one_by_one_to_what_is_no_topic),
		TEST(sns_tells_its_members_apart),
		TEST(kinesis_records_have_a_key),
		TEST(firehose_makes_records_of_an_array),
		TEST(a_message_of_several_records_is_as_well_off_as_the_worst),
		TEST(dynamodb_puts_updates_and_deletes),
		TEST(dynamodb_refuses_what_does_not_go_together),
		TEST(dynamodb_writes_one_key_after_the_other),
		TEST(members_become_attributes_of_dynamodbs_types),
		TEST(what_a_table_puts_back_comes_again),
		TEST(s3_puts_the_payload_as_it_is),
		TEST(metrics_have_numbers_and_times),
		TEST(metrics_of_one_namespace_share_a_request),
		TEST(alarms_get_their_states_one_after_the_other),
		TEST(log_events_stand_in_the_order_of_their_time),
		TEST(log_events_that_are_rejected_fail),
		TEST(events_that_are_days_apart_do_not_share_a_request),
		TEST(a_log_stream_is_made_when_it_is_not_there),
		TEST(a_log_group_is_not_made),
		TEST(an_execution_is_started_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
