/* messages_publish_test.c -- what Publish sends for what it is given, what it refuses, and what the retained operations answer to whom nobody
 * watches. The messages of a real broker are tests/e2e/messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/properties.h"
#include "plugins/messages/messages.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/messages/messages.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static bool is_input(const char *topic)
{
	return !strcmp(topic, "$aws/things/lamp/shadow/update");
}

static struct messages_state options = { .retained = true, .publish_size = 16, .is_input = is_input };

static int setup(void **state)
{
	struct fake *f = fake_new();

	f->state = &options;
	f->caller.kind = SK_HTTP;
	fake_add_shapes(f, shapes);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free((struct fake **)state);
	return 0;
}

static int publish(struct fake *f, const char *input)
{
	return fake_op(f, &publish_group, "Publish", input);
}

static void a_message_is_sent_as_it_was_given(void **state)
{
	struct fake *f = *state;

	assert_int_equal(publish(f, "{'topic':'a/b','qos':1,'retain':true,'payload':'AAEC/w=='}"), SK_OK);
	const struct fake_effect *e = fake_effect(f, FAKE_PUBLISH, 0);
	assert_string_equal(e->name, "a/b");
	assert_int_equal(e->flags, SK_QOS1 | SK_RETAIN);
	assert_int_equal(e->size, 4);
	assert_memory_equal(e->text, "\0\1\2\xff", 4);
	assert_null(e->properties);
	assert_true(fake_is(f, f->out, "{'message':'OK','...':0}"));
	assert_int_equal(strlen(sk_json_text(f->out, "traceId")), 36);
	assert_int_equal(publish(f, "{'topic':'a'}"), SK_OK);
	e = fake_effect(f, FAKE_PUBLISH, 0);
	assert_int_equal(e->flags, SK_QOS0);
	assert_int_equal(e->size, 0);
}

static void what_stands_beside_a_message_goes_along(void **state)
{
	struct fake *f = *state;
	struct sk_properties all;
	struct sk_property p;
	int users = 0, others = 0;

	assert_int_equal(publish(f, "{'topic':'a','payload':'eA==','payloadFormatIndicator':'UTF8_DATA','contentType':'t','responseTopic':'r','messageExpiry':9,"
	                            "'correlationData':'AAE=','userProperties':[{'a':'1'},{'a':'2','b':''}]}"), SK_OK);
	const struct fake_effect *e = fake_effect(f, FAKE_PUBLISH, 0);
	all = (struct sk_properties){ .at = e->properties, .end = (const unsigned char *)e->properties + e->properties_size };
	while (sk_properties_next(&all, &p)) {
		users += p.id == SK_PROPERTY_USER_PROPERTY;
		others += p.id != SK_PROPERTY_USER_PROPERTY;
	}
	assert_false(all.bad);
	assert_int_equal(users, 3);
	assert_int_equal(others, 5);
}

static void user_properties_come_in_four_writings(void **state)
{
	static const char *const writings[] = {
		"[{'a':'1'}]", "'[{\\\"a\\\":\\\"1\\\"}]'", "'W3siYSI6IjEifV0='", "'Ilt7XCJhXCI6XCIxXCJ9XSI='",
	};
	struct fake *f = *state;
	char input[200];

	for (size_t i = 0; i < 4; i++) {
		snprintf(input, sizeof(input), "{'topic':'a','userProperties':%s}", writings[i]);
		for (char *at = input; *at; at++)
			*at = *at == '\'' ? '"' : *at;
		assert_int_equal(publish(f, input), SK_OK);
		const struct fake_effect *e = fake_effect(f, FAKE_PUBLISH, 0);
		assert_int_equal(e->properties_size, 7);
		assert_memory_equal(e->properties, "\x26\0\1a\0\1" "1", 7);
	}
}

static void what_is_no_message_is_refused(void **state)
{
	static const char *const inputs[] = {
		"{'topic':''}", "{'topic':'a/#'}", "{'topic':'+'}", "{'topic':'$SYS/a'}", "{'topic':'$aws/x'}", "{'topic':'$'}", "{}",
		"{'topic':'a','qos':2}", "{'topic':'a','qos':-1}", "{'topic':'a','payload':'A'}", "{'topic':'a','payload':'AA=A'}", "{'topic':'a','payload':'A A='}",
		"{'topic':'a','payload':'AB=='}", "{'topic':'a','retain':'yes'}", "{'topic':'a','messageExpiry':-1}", "{'topic':'a','messageExpiry':4294967296}",
		"{'topic':'a','responseTopic':'#'}", "{'topic':'a','responseTopic':''}", "{'topic':'a','correlationData':'x'}", "{'topic':'a','payload':'/w==','payloadFormatIndicator':'UTF8_DATA'}",
		"{'topic':'a','payloadFormatIndicator':'X'}", "{'topic':'a','userProperties':{'a':'1'}}", "{'topic':'a','userProperties':[1]}",
		"{'topic':'a\\u0001'}", "{'topic':'a\\u007f'}", "{'topic':'\\u0085'}", "{'topic':'\\ufdd0'}", "{'topic':'\\ufffe'}", "{'topic':'\\ud83f\\udfff'}",
		"{'topic':'a','contentType':'\\n'}", "{'topic':'a','userProperties':[{'a':'\\n'}]}", "{'topic':'a','userProperties':[{'\\n':'a'}]}",
		"{'topic':'a','userProperties':[{'a':1}]}", "{'topic':'a','userProperties':'x'}", "{'topic':'a','userProperties':7}",
	};
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(inputs) / sizeof(*inputs); i++) {
		if (publish(f, inputs[i]) != SK_E_INVALID_REQUEST)
			fail_msg("taken: %s", inputs[i]);
		assert_int_equal(fake_effect_count(f), 0);
	}
	assert_int_equal(publish(f, "{'topic':'a','payload':'AAAAAAAAAAAAAAAAAAAAAA=='}"), SK_OK);
	assert_int_equal(publish(f, "{'topic':'a','payload':'AAAAAAAAAAAAAAAAAAAAAAA='}"), SK_E_TOO_LARGE);
}

static void a_topic_may_be_what_mqtt_lets_it_be(void **state)
{
	struct fake *f = *state;
	char input[700];

	assert_int_equal(publish(f, "{'topic':'/ \\u00a0\\u00fc\\ufeff\\ufffd\\ud83d\\ude00//'}"), SK_OK);
	for (int levels = 200; levels < 202; levels++) {
		char *at = input + sprintf(input, "{'topic':'");
		for (int i = 1; i < levels; i++)
			at += sprintf(at, "a/");
		sprintf(at, "a'}");
		assert_int_equal(publish(f, input), levels == 200 ? SK_OK : SK_E_INVALID_REQUEST);
	}
}

/* As over MQTT: a service's topic is taken, and nothing is retained on it. */
static void a_service_is_reached_and_nothing_is_retained_there(void **state)
{
	struct fake *f = *state;

	assert_int_equal(publish(f, "{'topic':'$aws/things/lamp/shadow/update','retain':true,'qos':1}"), SK_OK);
	assert_int_equal(fake_effect(f, FAKE_PUBLISH, 0)->flags, SK_QOS1);
}

static void on_control_correlation_data_is_the_envelopes(void **state)
{
	struct fake *f = *state;

	f->caller.kind = SK_OPERATOR;
	assert_int_equal(publish(f, "{'topic':'a','correlationData':'no base64'}"), SK_OK);
	assert_null(fake_effect(f, FAKE_PUBLISH, 0)->properties);
}

static void many_user_properties_are_too_many(void **state)
{
	struct fake *f = *state;
	char input[4000], *at = input;

	at += sprintf(at, "{'topic':'a','userProperties':[");
	for (int i = 0; i < 101; i++)
		at += sprintf(at, "%s{'a':'%d'}", i ? "," : "", i);
	sprintf(at, "]}");
	assert_int_equal(publish(f, input), SK_E_INVALID_REQUEST);
}

static void short_of_memory_it_sends_all_or_nothing(void **state)
{
	struct fake *f = *state;

	int sent = 0;

	for (size_t limit = 64; limit < 16384; limit += 64) {
		f->memory_limit = limit;
		int rc = publish(f, "{'topic':'a','payload':'eA==','correlationData':'AAE=','userProperties':'W3siYSI6IjEifV0='}");
		assert_int_equal(fake_effect_count(f), rc == SK_OK);
		assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
		sent += rc == SK_OK;
	}
	assert_true(sent > 0);
}

static void without_a_watch_the_retained_operations_are_unavailable(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_op(f, &retained_group, "GetRetainedMessage", "{'topic':'a'}"), SK_E_UNAVAILABLE);
	assert_int_equal(fake_op(f, &retained_group, "ListRetainedMessages", "{}"), SK_E_UNAVAILABLE);
	assert_int_equal(fake_op(f, &retained_group, "ListRetainedMessages", "{'nextToken':'x'}"), SK_E_INVALID_REQUEST);
	assert_int_equal(fake_op(f, &retained_group, "GetRetainedMessage", "{'topic':'$SYS/a'}"), SK_E_NOT_FOUND);
	assert_int_equal(fake_op(f, &retained_group, "GetRetainedMessage", "{'topic':'a/#'}"), SK_E_INVALID_REQUEST);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_sent_as_it_was_given),
		TEST(what_stands_beside_a_message_goes_along),
		TEST(user_properties_come_in_four_writings),
		TEST(what_is_no_message_is_refused),
		TEST(a_topic_may_be_what_mqtt_lets_it_be),
		TEST(a_service_is_reached_and_nothing_is_retained_there),
		TEST(on_control_correlation_data_is_the_envelopes),
		TEST(many_user_properties_are_too_many),
		TEST(short_of_memory_it_sends_all_or_nothing),
		TEST(without_a_watch_the_retained_operations_are_unavailable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
