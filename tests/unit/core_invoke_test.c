/* core_invoke_test.c -- calls that another thread brings: the same inboxes and handlers, one answer each, and when it may leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/invoke.h"
#include "tests/unit/sim_host.h"

static struct told { /* what finish() was called with */
	int times, error;
	bool quiet, ended;
	char text[512];
} told;
static struct sk_arena arena;

static void finish(struct sk_request *r, const struct sk_answer *a)
{
	char *text = a->arena ? sk_json_print(a->arena, a->out, NULL) : NULL;
	assert_ptr_equal(r->finish_ctx, &told);
	told.times++;
	told.error = a->error;
	told.quiet = a->quiet;
	told.ended = !a->outgoing;
	snprintf(told.text, sizeof told.text, "%s", a->error ? a->message ? a->message : "" : text ? text : "");
}

static int invoke_as(struct sim *s, bool internal, const char *operation, const char *input, const char **message)
{
	static const struct sk_caller caller = { .kind = SK_HTTP, .client_id = "", .principal = "AK", .region = "eu-west-1" };
	char *text = sk_strdup(&arena, input);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	struct sk_invocation v = { .row = sk_runtime_operation(s->rt, operation), .internal = internal, .caller = &caller, .in = sk_json_parse(&arena, text, strlen(text), NULL, NULL),
		                   .text = text, .size = strlen(text), .finish = finish, .ctx = &told };
	assert_non_null(v.in);
	memset(&told, 0, sizeof told);
	return sk_runtime_invoke(s->rt, &v, &arena, message);
}

/* What invoke answers; ' for " in the input. */
static int invoke(struct sim *s, const char *operation, const char *input, const char **message)
{
	return invoke_as(s, false, operation, input, message);
}

static const char *answer(struct sim *s, const char *operation, const char *input)
{
	const char *message;
	assert_int_equal(invoke(s, operation, input, &message), 0);
	sim_settle(s);
	assert_int_equal(told.times, 1);
	return told.text;
}

static int end(void **state)
{
	(void)state;
	sk_arena_free(&arena);
	return 0;
}

static void a_call_is_answered_once_with_what_the_handler_said(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	assert_string_equal(answer(s, "Do", "{'thingName':'a','script':'add n 1; get n'}"), "{\"saw\":[\"1\",\"1\"]}");
	assert_string_equal(answer(s, "Look", "{'script':'get @thing/a/n'}"), "{\"saw\":[\"1\"]}");
	assert_string_equal(answer(s, "Do", "{'thingName':'a','script':'put n 9; fail ResourceNotFoundException gone'}"), "gone");
	assert_int_equal(told.error, SK_E_NOT_FOUND);
	assert_string_equal(answer(s, "Look", "{'script':'get @thing/a/n'}"), "{\"saw\":[\"1\"]}");
	assert_string_equal(answer(s, "Register", "{'maxResults':0}"), "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "
	                    "Member must have value greater than or equal to 1");
	sim_free(&s);
}

static void only_an_answer_that_nothing_is_ahead_of_is_quiet(void **state)
{
	static const struct { const char *operation, *input; bool quiet; } cases[] = {
		{ "Look", "{'script':'get @thing/a/n'}", true },
		{ "Do", "{'thingName':'a','script':'put n 1'}", true },
		{ "Do", "{'thingName':'a','script':'put n 2; say t x'}", false },
		{ "Do", "{'thingName':'a','script':'kick u'}", false },
		{ "Register", "{'script':'put k 1'}", true },
		{ "Register", "{'script':'put w/k 1'}", false },
		{ "Register", "{'script':'put w/k 2; fail ResourceNotFoundException x'}", true },
	};
	struct sim *s = sim_new(1, 2);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		answer(s, cases[i].operation, cases[i].input);
		assert_int_equal(told.quiet, cases[i].quiet);
	}
	sim_free(&s);
}

static void a_row_of_the_broker_runs_there(void **state)
{
	struct sim *s = sim_new(1, 2);
	const char *message;
	(void)state;
	answer(s, "Register", "{'script':'put w/k 1'}");
	s->hold_broker = true;
	assert_int_equal(invoke(s, "Index", "{}", &message), 0);
	sim_settle(s);
	assert_int_equal(told.times, 0);
	s->hold_broker = false;
	sim_settle(s);
	assert_int_equal(told.times, 1);
	assert_string_equal(told.text, "{\"index\":\"k={\\\"v\\\":1} \"}");
	assert_true(told.quiet);
	sim_free(&s);
}

static void what_is_not_taken_is_said_at_once(void **state)
{
	struct sim *s = sim_new(1, 1);
	const char *message;
	(void)state;
	assert_int_equal(invoke(s, "Do", "{'thingName':'a/b'}", &message), SK_E_INVALID_REQUEST);
	assert_string_equal(message, "1 validation error detected: Value 'a/b' at 'thingName' failed to satisfy constraint: "
	                    "Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+");
	assert_int_equal(invoke(s, "Do", "{}", &message), SK_E_INVALID_REQUEST);
	assert_non_null(strstr(message, "'thingName'"));
	s->rt->inbox_limit = 2000;
	int taken = 0, rc;
	while ((rc = invoke(s, "Look", "{'script':''}", &message)) == 0)
		taken++;
	assert_int_equal(rc, SK_E_THROTTLING);
	assert_in_range(taken, 1, 10);
	sim_settle(s);
	assert_int_equal(invoke(s, "Look", "{'script':''}", &message), 0);
	sim_settle(s);
	atomic_store(&s->rt->stopping, true);
	assert_int_equal(invoke(s, "Look", "{'script':''}", &message), SK_E_UNAVAILABLE);
	assert_int_equal(told.times, 0);
	sim_free(&s);
}

/* A plugin ends what it has begun: a message of a rule that could not ask any more would be lost. */
static void what_a_plugin_brings_until_it_is_quiet_is_taken(void **state)
{
	struct sim *s = sim_new(1, 1);
	const char *message;
	(void)state;
	atomic_store(&s->rt->stopping, true);
	assert_int_equal(invoke_as(s, true, "Look", "{'script':''}", &message), 0);
	sim_settle(s);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.error, SK_OK);
	sim_free(&s);
}

static void when_the_runtime_ends_everybody_is_told(void **state)
{
	static const char *const operations[] = { "Look", "Index" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sim *s = sim_new(1, 1);
		const char *message;
		assert_int_equal(invoke(s, operations[i], "{}", &message), 0);
		assert_int_equal(told.times, 0);
		sim_free(&s);
		assert_int_equal(told.times, 1);
		assert_true(told.ended);
		assert_int_equal(told.error, SK_E_UNAVAILABLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_answered_once_with_what_the_handler_said),
		cmocka_unit_test(only_an_answer_that_nothing_is_ahead_of_is_quiet),
		cmocka_unit_test(a_row_of_the_broker_runs_there),
		cmocka_unit_test(what_is_not_taken_is_said_at_once),
		cmocka_unit_test(what_a_plugin_brings_until_it_is_quiet_is_taken),
		cmocka_unit_test(when_the_runtime_ends_everybody_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
