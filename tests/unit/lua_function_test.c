/* lua_function_test.c -- a file as a function: an event in, an answer and effects out, within the limits of any run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/lua_world.h"

static struct lua_try *t;

static const char *call(const char *body, const char *event)
{
	static char kept[2000];
	char text[1000];

	snprintf(text, sizeof text, "local n = 0\nfunction handler(event, context)\n%s\nend\nother = 5\n", body);
	t = try_file(text, NULL);
	strncpy(kept, try_function(t, "handler", event), sizeof kept - 1);
	try_free(&t);
	return kept;
}

static void an_event_goes_in_and_an_answer_comes_out(void **state)
{
	(void)state;
	assert_string_equal(call("return { twice = event.n * 2, id = context.awsRequestId }", "{\"n\":21}"), "= {\"id\":\"1\",\"twice\":42}");
	assert_string_equal(call("return event", "[1,{\"a\":null},\"x\"]"), "= [1,{\"a\":null},\"x\"]");
	assert_string_equal(call("", "{}"), "= null");
	assert_string_equal(call("return event == nil", NULL), "= true");
	assert_string_equal(call("return 9007199254740993", "1"), "= 9007199254740993");
	assert_string_equal(call("event.new = 1 return event", "{}"), "= {\"new\":1}");
}

static void it_does_what_a_rule_may(void **state)
{
	(void)state;
	assert_string_equal(call("publish('lamp/set', { on = true }) log('switched') return 'ok'", "{}"), "lamp/set {\"on\":true}\nlog switched\n= \"ok\"");
	assert_string_equal(call("shadow.desire('lamp', { on = true })", "{}"),
	                    "$aws/things/lamp/shadow/update {\"state\":{\"desired\":{\"on\":true}}} qos1\n= null");
}

static void what_a_function_has_not(void **state)
{
	(void)state;
	assert_string_equal(call("local x = state.get('a') return x", "{}"), "error: a.lua:3: state.get: rules have it, a function keeps nothing: a shadow does");
	assert_string_equal(call("state.set('a', 1)", "{}"), "error: a.lua:3: state.set: rules have it, a function keeps nothing: a shadow does");
	assert_string_equal(call("timer.set('a', 1)", "{}"), "error: a.lua:3: timer.set: rules have it, a function keeps nothing: a shadow does");
	assert_string_equal(call("timer.clear('a')", "{}"), "error: a.lua:3: timer.clear: rules have it, a function keeps nothing: a shadow does");
	assert_string_equal(call("sink.sqs { queueUrl = 'q', payload = '' }", "{}"), "error: a.lua:3: sink.sqs: rules have it: publish what a rule takes up");
}

static void a_failed_run_has_done_nothing(void **state)
{
	(void)state;
	assert_string_equal(call("publish('a', 'b') error('broken')", "{}"), "error: a.lua:3: broken");
	assert_string_equal(call("return function() end", "{}"), "error: a.lua: handler: the value is a function, which JSON does not have");
	t = try_file("function handler() return other end other = 5", NULL);
	assert_string_equal(try_function(t, "nobody", "{}"), "error: a.lua: there is no 'nobody' here");
	assert_string_equal(try_function(t, "other", "{}"), "error: a.lua: 'other' is not a function");
	assert_string_equal(try_function(t, "handler", "{}"), "= 5");
	assert_int_equal(lua_file_rules(t->file), 0);
	try_free(&t);
}

static void it_has_a_rules_limits(void **state)
{
	const struct lua_limits few = { .instructions = 1000, .memory = 1 << 20 };

	(void)state;
	t = try_file("function handler(event) if event.loop then while true do end end return ('x'):rep(event.n or 3) end", &few);
	assert_non_null(strstr(try_function(t, "handler", "{\"loop\":true}"), "error: "));
	assert_true(t->out.budget);
	assert_non_null(strstr(try_function(t, "handler", "{\"n\":100000000}"), "error: "));
	assert_string_equal(try_function(t, "handler", "{}"), "= \"xxx\"");
	try_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_goes_in_and_an_answer_comes_out),
		cmocka_unit_test(it_does_what_a_rule_may),
		cmocka_unit_test(what_a_function_has_not),
		cmocka_unit_test(a_failed_run_has_done_nothing),
		cmocka_unit_test(it_has_a_rules_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
