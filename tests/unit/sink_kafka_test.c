/* sink_kafka_test.c -- AWS's clientProperties as librdkafka's, the name of a lane, and what errors mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins/sink_kafka/kafka.h"

static int note(void *to, const char *name, const char *value, char *why, size_t why_size)
{
	char *text = to;
	(void)why, (void)why_size;
	if (!strcmp(value, "refuse"))
		return -1;
	snprintf(text + strlen(text), 2000 - strlen(text), "%s=%s ", name, value);
	return 0;
}

static const cJSON *json(struct sk_arena *a, const char *text)
{
	const cJSON *o = sk_json_parse(a, text, strlen(text), NULL, NULL);
	assert_non_null(o);
	return o;
}

static void properties_come_to_those_of_librdkafka(void **state)
{
	(void)state;
	static const struct { const char *properties, *come_to; } cases[] = {
		{ "{\"bootstrap.servers\":\"h:1\"}", "bootstrap.servers=h:1 security.protocol=SSL enable.idempotence=true " },
		{ "{\"bootstrap.servers\":\"h:1\",\"acks\":\"1\",\"security.protocol\":\"PLAINTEXT\",\"compression.type\":\"zstd\"}",
		  "bootstrap.servers=h:1 acks=1 security.protocol=PLAINTEXT compression.type=zstd max.in.flight.requests.per.connection=1 " },
		{ "{\"bootstrap.servers\":\"h:1\",\"sasl.mechanism\":\"PLAIN\",\"sasl.plain.username\":\"u\",\"sasl.plain.password\":\"p\"}",
		  "bootstrap.servers=h:1 sasl.mechanism=PLAIN sasl.username=u sasl.password=p security.protocol=SASL_SSL enable.idempotence=true " },
		{ "{\"bootstrap.servers\":\"h:1\",\"ssl.keystore\":\"-----BEGIN X\",\"ssl.truststore.password\":\"t\",\"key.serializer\":\"StringSerializer\",\"max.request.size\":\"9\"}",
		  "bootstrap.servers=h:1 ssl.certificate.pem=-----BEGIN X ssl.key.pem=-----BEGIN X message.max.bytes=9 security.protocol=SSL enable.idempotence=true " },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		char text[2000] = "", why[200];
		assert_int_equal(kafka_properties(json(&a, cases[i].properties), note, text, why, sizeof why), 0);
		assert_string_equal(text, cases[i].come_to);
		sk_arena_free(&a);
	}
}

static void what_is_wrong_is_said_without_the_value(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	char text[2000] = "", why[200];
	const cJSON *p = json(&a, "{\"bootstrap.servers\":\"h:1\",\"linger.ms\":\"refuse\"}");
	assert_int_equal(kafka_properties(p, note, text, why, sizeof why), -1);
	assert_string_equal(why, "clientProperties: linger.ms is not as it must be");
	assert_int_equal(kafka_properties(json(&a, "{\"bootstrap.servers\":\"h:1\",\"ssl.truststore\":\"secret\"}"), note, text, why, sizeof why), -1);
	assert_null(strstr(why, "secret"));
	assert_int_equal(kafka_properties(NULL, note, text, why, sizeof why), -1);
	sk_arena_free(&a);
}

static void a_lane_is_named_without_secrets(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	const char *why = NULL, *name = kafka_lane(json(&a, "{\"clientProperties\":{\"sasl.scram.password\":\"hush\",\"ssl.keystore\":\"hush\",\"ssl.key.password\":\"hush\","
	                                                    "\"security.protocol\":\"SASL_SSL\",\"sasl.scram.username\":\"me\",\"bootstrap.servers\":\"h:1,i:2\"}}"), &a, &why);
	assert_string_equal(name, "kafka://h:1,i:2 security.protocol=SASL_SSL sasl.scram.username=me");
	assert_non_null(kafka_lane(json(&a, "{}"), &a, &why));
	sk_arena_free(&a);
}

static void templates_are_secrets_only(void **state)
{
	(void)state;
	static const struct { const char *value; bool fine; } cases[] = {
		{ "${get_secret('a', 'SecretString')}", true }, { "${ get_secret('a', 'SecretString')}", true }, { "x", true }, { "${topic()}", false },
		{ "${get_secret('a', 'SecretString')}${x}", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		const char *text = sk_printf(&a, "{\"topic\":\"t\",\"clientProperties\":{\"bootstrap.servers\":\"h:1\",\"client.id\":\"%s\"}}", cases[i].value);
		assert_int_equal(kafka_check(json(&a, text), &a) == NULL, cases[i].fine);
		sk_arena_free(&a);
	}
}

static void partitions_are_numbers(void **state)
{
	(void)state;
	static const struct { const char *text; bool fine; int32_t number; } cases[] = {
		{ NULL, true, -1 }, { "", true, -1 }, { "0", true, 0 }, { "2147483647", true, INT32_MAX }, { "2147483648", false, 0 }, { "-1", false, 0 }, { " 1", false, 0 },
		{ "1x", false, 0 }, { "99999999999999999999", false, 0 }, { "1.0", false, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int32_t n = 7;
		assert_int_equal(kafka_partition(cases[i].text, &n), cases[i].fine);
		if (cases[i].fine)
			assert_int_equal(n, cases[i].number);
	}
}

static void errors_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR_NO_ERROR), SK_SUNK_OK);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), SK_SUNK_FAIL);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION), SK_SUNK_FAIL);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT), SK_SUNK_RETRY);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT), SK_SUNK_RETRY);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC), SK_SUNK_RETRY);
	assert_int_equal(kafka_verdict(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), SK_SUNK_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_come_to_those_of_librdkafka),
		cmocka_unit_test(what_is_wrong_is_said_without_the_value),
		cmocka_unit_test(a_lane_is_named_without_secrets),
		cmocka_unit_test(templates_are_secrets_only),
		cmocka_unit_test(partitions_are_numbers),
		cmocka_unit_test(errors_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
