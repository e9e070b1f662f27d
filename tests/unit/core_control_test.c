/* core_control_test.c -- $CONTROL/skeeter/v1: the envelope, its order, its errors word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

static char *last;
static char *reply;

static void keep_reply(void *ctx, const struct sk_outgoing *item)
{
	(void)ctx;
	if (item->kind != SK_OUT_REPLY)
		return;
	assert_null(reply);
	assert_string_equal(item->topic, "$CONTROL/skeeter/v1/response");
	assert_ptr_equal(item->client, SIM_CLIENT);
	assert_int_equal(item->qos, 1);
	reply = strdup(item->payload);
}

/* The answer to an envelope, ' for ". */
static const char *ask_bytes(struct sim *s, const char *text, size_t n)
{
	free(last);
	last = NULL;
	reply = NULL;
	s->host.publish = keep_reply;
	assert_int_equal(sim_control(s, text, n), 0);
	sim_settle(s);
	last = reply;
	return last ? last : "nothing";
}

static const char *ask(struct sim *s, const char *envelope)
{
	char *text = strdup(envelope);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	const char *answer = ask_bytes(s, text, strlen(text));
	free(text);
	return answer;
}

static int end(void **state)
{
	(void)state;
	free(last);
	last = NULL;
	return 0;
}

static void commands_are_carried_out_in_order(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(ask(s, "{'commands':[{'command':'Do','thingName':'a','script':'add n 1'},{'command':'Register','script':'get @thing/a/n'},"
		"{'command':'Do','thingName':'a','script':'add n 1'},{'command':'Look','script':'get @thing/a/n'}]}"),
		"{\"responses\":[{\"command\":\"Do\",\"data\":{\"saw\":[\"1\"]}},{\"command\":\"Register\",\"data\":{\"saw\":[\"1\"]}},"
		"{\"command\":\"Do\",\"data\":{\"saw\":[\"2\"]}},{\"command\":\"Look\",\"data\":{\"saw\":[\"2\"]}}]}");
	sim_free(&s);
}

static void the_next_command_sees_what_the_broker_thread_has_applied(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(ask(s, "{'commands':[{'command':'Index'},{'command':'Register','script':'put w/k 1'},{'command':'Index'}]}"),
		"{\"responses\":[{\"command\":\"Index\",\"data\":{}},{\"command\":\"Register\",\"data\":{\"saw\":[]}},"
		"{\"command\":\"Index\",\"data\":{\"index\":\"k={\\\"v\\\":1} \"}}]}");
	sim_free(&s);
}

static void an_error_answers_its_own_command_only(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(ask(s, "{'commands':[{'command':'Do','thingName':'a','script':'put n 1; fail ResourceNotFoundException no such thing'},"
		"{'command':'Do','thingName':'a','script':'get n'}]}"),
		"{\"responses\":[{\"command\":\"Do\",\"error\":\"no such thing\",\"code\":\"ResourceNotFoundException\",\"status\":404},"
		"{\"command\":\"Do\",\"data\":{\"saw\":[\"-\"]}}]}");
	sim_free(&s);
}

static void correlation_data_is_echoed_as_it_came(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(ask(s, "{'commands':[{'command':'Register','script':'','correlationData':{'deep':[1.50,null,9223372036854775807]}},"
		"{'command':'Nothing','correlationData':'x'}]}"),
		"{\"responses\":[{\"command\":\"Register\",\"correlationData\":{\"deep\":[1.50,null,9223372036854775807]},\"data\":{\"saw\":[]}},"
		"{\"command\":\"Nothing\",\"correlationData\":\"x\",\"error\":\"Unknown operation Nothing\",\"code\":\"UnknownOperationException\",\"status\":404}]}");
	sim_free(&s);
}

static void mistakes_are_answered_word_for_word(void **state)
{
	static const struct { const char *envelope, *answer; } cases[] = {
		{ "{'commands':[", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload is not valid JSON\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload is not valid JSON\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "{}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Invalid/missing commands\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "[]", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Invalid/missing commands\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "{'commands':{}}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Invalid/missing commands\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "{'commands':[]}", "{\"responses\":[]}" },
		{ "{'commands':[5]}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"A command has no name\",\"code\":\"UnknownOperationException\",\"status\":404}]}" },
		{ "{'commands':[[]]}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"A command has no name\",\"code\":\"UnknownOperationException\",\"status\":404}]}" },
		{ "{'commands':[{'command':7}]}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"A command has no name\",\"code\":\"UnknownOperationException\",\"status\":404}]}" },
		{ "{'commands':[{'command':'skeeter:control'}]}", "{\"responses\":[{\"command\":\"skeeter:control\",\"error\":\"Unknown operation skeeter:control\",\"code\":\"UnknownOperationException\",\"status\":404}]}" },
		{ "{'commands':[{'command':'Do','thingName':'a b','script':''}]}", "{\"responses\":[{\"command\":\"Do\",\"error\":\"1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
		{ "{'commands':[{'command':'Do'}]}", "{\"responses\":[{\"command\":\"Do\",\"error\":\"1 validation error detected: Value null at 'thingName' failed to satisfy constraint: Member must not be null\",\"code\":\"InvalidRequestException\",\"status\":400}]}" },
	};
	struct sim *s = sim_new(1, 2);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(ask(s, cases[i].envelope), cases[i].answer);
	assert_int_equal(s->handled, 0);
	sim_free(&s);
}

static void bytes_that_are_no_text_are_not_json(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_non_null(strstr(ask_bytes(s, "\xff\xfe", 2), "Payload is not valid JSON"));
	assert_non_null(strstr(ask_bytes(s, "{\"commands\":[]}\0", 16), "Payload is not valid JSON"));
	sim_free(&s);
}

static void a_megabyte_of_nesting_is_refused(void **state)
{
	struct sim *s = sim_new(1, 2);
	size_t n = 1 << 20;
	char *text = malloc(n);
	(void)state;
	memset(text, '[', n);
	assert_non_null(strstr(ask_bytes(s, text, n), "Payload is not valid JSON"));
	free(text);
	sim_free(&s);
}

static void an_envelope_whose_payload_was_not_copied_is_too_large(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(ask_bytes(s, NULL, SK_CONTROL_MOST + 1), "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"The envelope is too large\",\"code\":\"InvalidRequestException\",\"status\":400}]}");
	sim_free(&s);
}

static void many_mistakes_do_not_hold_the_broker_up(void **state)
{
	struct sim *s = sim_new(1, 2);
	enum { MANY = 1000 };
	char *text = malloc(MANY * 20 + 100), *at = text + sprintf(text, "{\"commands\":[");
	(void)state;
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "%s{\"command\":\"X\"}", i ? "," : "");
	at += sprintf(at, "]}");
	reply = NULL;
	s->host.publish = keep_reply;
	s->hold_broker = true;
	sim_control(s, text, strlen(text));
	sim_settle(s);
	sim_drain(s, 1); /* the mistakes were found on a worker: all that is left for the broker is the answer */
	assert_non_null(reply);
	int errors = 0;
	for (const char *p = reply; (p = strstr(p, "Unknown operation X")); p++)
		errors++;
	assert_int_equal(errors, MANY);
	free(reply);
	free(text);
	sim_free(&s);
}

static void memory_out_anywhere_still_answers_something(void **state)
{
	int sorry = 0, whole = 0;
	(void)state;
	for (long n = 1; n < 80; n++) {
		struct sim *s = sim_new(1, 2);
		sk_arena_fail_after(n);
		const char *answer = ask(s, "{'commands':[{'command':'Do','thingName':'a','script':'put n 1'},{'command':'Index'},{'command':'Do','thingName':'b','script':'put n 1; get n'}]}");
		sk_arena_fail_after(0);
		assert_memory_equal(answer, "{\"responses\":[{", 15);
		sorry += strstr(answer, "\"status\":503}") != NULL;
		whole += strstr(answer, "\"status\":503}") == NULL;
		sim_free(&s);
	}
	assert_true(sorry > 3 && whole > 3);
}

static void a_command_that_needs_too_much_memory_says_so_and_the_next_envelope_is_served(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_put(s, "registry/p/000", "{\"v\":1}");
	assert_string_equal(ask(s, "{'commands':[{'command':'Register','script':'eat 70000000'}]}"),
		"{\"responses\":[{\"command\":\"Register\",\"error\":\"The request needs more memory than there is\",\"code\":\"ServiceUnavailableException\",\"status\":503}]}");
	assert_string_equal(ask(s, "{'commands':[{'command':'Register','script':'get p/000'}]}"), "{\"responses\":[{\"command\":\"Register\",\"data\":{\"saw\":[\"1\"]}}]}");
	sim_free(&s);
}

static void two_clients_envelopes_run_side_by_side(void **state)
{
	struct sim *s = sim_new(1, 2);
	static const char one[] = "{\"commands\":[{\"command\":\"Do\",\"thingName\":\"a\",\"script\":\"add n 1\"},{\"command\":\"Do\",\"thingName\":\"a\",\"script\":\"add n 1\"}]}";
	(void)state;
	for (int i = 0; i < 20; i++)
		sim_control(s, one, sizeof one - 1);
	sim_settle(s);
	assert_string_equal(sim_record(s, "thing/a/n"), "{\"v\":40}");
	assert_int_equal(sim_times_sent(s, "reply $CONTROL/skeeter/v1/response="), 20);
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_carried_out_in_order),
		cmocka_unit_test(the_next_command_sees_what_the_broker_thread_has_applied),
		cmocka_unit_test(an_error_answers_its_own_command_only),
		cmocka_unit_test(correlation_data_is_echoed_as_it_came),
		cmocka_unit_test(mistakes_are_answered_word_for_word),
		cmocka_unit_test(bytes_that_are_no_text_are_not_json),
		cmocka_unit_test(a_megabyte_of_nesting_is_refused),
		cmocka_unit_test(an_envelope_whose_payload_was_not_copied_is_too_large),
		cmocka_unit_test(many_mistakes_do_not_hold_the_broker_up),
		cmocka_unit_test(memory_out_anywhere_still_answers_something),
		cmocka_unit_test(a_command_that_needs_too_much_memory_says_so_and_the_next_envelope_is_served),
		cmocka_unit_test(two_clients_envelopes_run_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
