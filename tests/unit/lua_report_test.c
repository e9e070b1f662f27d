/* lua_report_test.c -- tests that files of rules carry: what passes, what fails, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lua_world.h"

static const char rules[] =
	"rule 'a' { topic = 'in/+', where = 'n > 0', run = function(m)\n"
	"  if m.n == 99 then error('no') end\n"
	"  for i = 1, m.n do publish('out/' .. m.levels[2], { i = i, list = { 1, { x = m.x } } }) end\n"
	"  state.set('n', m.n) log('ran', m.n) timer.set('t', 10, { again = m.again })\n"
	"end, timer = function(name, data) publish('late', data) if data.again then timer.set(name, 10, data) end end }\n"
	"rule 'b' { topic = 'b', run = function(m) sink.sqs { queueUrl = m.client or 'none', payload = 'p' } publish('x', uuid()) end }\n"
	"rule 'off' { topic = 'in/+', disabled = true, run = function(m) publish('never', '') end }\n"
	"rule 'sql' { sql = [[SELECT n AS m FROM 'sql' WHERE n > 1]], run = function(m) publish('s', m) end }\n";

static void tell(void *ctx, const char *test, const char *why)
{
	char *room = ctx;

	assert_string_equal(test, "t");
	strcpy(room, why ? why : "ok");
}

/* What the runner says of one test; its line is 9. */
static const char *says(const char *test)
{
	static char why[2000];
	char text[4000];
	struct lua_test_report report = { .tell = tell, .ctx = why };

	snprintf(text, sizeof text, "%stest 't' { %s }", rules, test);
	struct lua_try *t = try_file(text, NULL);
	assert_int_equal(lua_file_test(t->file, &t->arena, &report), 0);
	assert_int_equal(report.passed + report.failed, 1);
	assert_int_equal(report.passed, strcmp(why, "ok") == 0);
	try_free(&t);
	return why;
}

struct expectation {
	const char *test, *said;
};

static void tests_pass(void **state)
{
	static const char *const list[] = {
		"topic = 'in/1', message = { n = 0 }, expect = {}",
		"topic = 'in/1', message = { n = 1, x = 2 }, expect = { { topic = 'out/1', payload = { i = 1, list = { 1, { x = 2.0 } } } } }",
		"topic = 'in/1', message = { n = 1 }, expect_state = { n = 1, other = null }, expect_log = { 'ran 1' }",
		"topic = 'in/1', message = { n = 99 }, expect = {}, error = 'a.lua:2: no'",
		"topic = 'elsewhere', message = {}, expect = {}",
		"topic = 'b', client = 'c', message = {}, expect = { { action = 'sqs', queueUrl = 'c', payload = 'p' }, {} }",
		"topic = 'sql', message = { n = 2 }, expect = { { topic = 's', payload = { m = 2 } } }",
		"topic = 'sql', message = { n = 1 }, expect = {}",
		"topic = 'sql', raw = 'no JSON', expect = {}",
		"steps = { { topic = 'in/1', message = { n = 1, again = true } }, { after = 9.9, expect = {} }, { after = 30, expect = { { topic = 'late' }, { topic = 'late' }, { topic = 'late' } } } }",
		"steps = { { topic = 'in/1', message = { n = 1 } }, { after = 5, topic = 'in/1', message = { n = 1 } }, { after = 6, expect = {} }, { after = 5, expect = { { topic = 'late' } } } }",
		"rule = 'b', topic = 'in/1', message = { n = 1 }, expect = {}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (strcmp(says(list[i]), "ok") != 0)
			fail_msg("%s: %s", list[i], says(list[i]));
}

static void tests_fail(void **state)
{
	static const struct expectation list[] = {
		{ "topic = 'in/1', message = { n = 1 }, expect = {}",
		  "a.lua:9: message 1 was not expected\n  came      {\"topic\":\"out/1\",\"payload\":{\"i\":1,\"list\":[1,{}]},\"qos\":0,\"retain\":false}" },
		{ "topic = 'in/1', message = { n = 0 }, expect = { { topic = 'out/1' } }", "a.lua:9: message 1 is missing\n  expected  {\"topic\":\"out/1\"}" },
		{ "topic = 'in/1', message = { n = 1, x = 2 }, expect = { { payload = { i = 1, list = { 1, { x = 3 } } } } }",
		  "a.lua:9: message 1: payload.list[2].x must be 3, is 2\n  expected  {\"payload\":{\"i\":1,\"list\":[1,{\"x\":3}]}}\n"
		  "  came      {\"topic\":\"out/1\",\"payload\":{\"i\":1,\"list\":[1,{\"x\":2}]},\"qos\":0,\"retain\":false}" },
		{ "topic = 'in/1', message = { n = 1, x = 2 }, expect = { { payload = { i = 1, list = { 1 } } } }",
		  "a.lua:9: message 1: payload.list[2] must not be there, is {\"x\":2}\n  expected  {\"payload\":{\"i\":1,\"list\":[1]}}\n"
		  "  came      {\"topic\":\"out/1\",\"payload\":{\"i\":1,\"list\":[1,{\"x\":2}]},\"qos\":0,\"retain\":false}" },
		{ "topic = 'in/1', message = { n = 1 }, expect = { { topc = 'out/1' } }", NULL },
		{ "topic = 'in/1', message = { n = 1 }, expect_state = { n = 2 }", "a.lua:9: state n must be 2, is 1" },
		{ "topic = 'in/1', message = { n = 1 }, expect_state = { n = null }", "a.lua:9: state n must be null, is 1" },
		{ "topic = 'in/1', message = { n = 1 }, expect_state = { k = 2 }", "a.lua:9: state k must be 2, is not there" },
		{ "topic = 'in/1', message = { n = 1 }, expect_log = { 'ran 2' }", "a.lua:9: line of log 1 must be \"ran 2\", is \"ran 1\"\n  expected  \"ran 2\"\n  came      \"ran 1\"" },
		{ "topic = 'in/1', message = { n = 99 }, expect = {}", "a.lua:9: it failed: a.lua:2: no" },
		{ "topic = 'in/1', message = { n = 1 }, error = 'no'", "a.lua:9: expected it to fail with \"no\", but it did not" },
		{ "topic = 'in/1', message = { n = 99 }, error = 'yes'", "a.lua:9: expected it to fail with \"yes\"\n  came      a.lua:2: no" },
		{ "topic = 'elsewhere', message = {}, expect = { { topic = 'x' } }", "a.lua:9: no rule has a filter that matches elsewhere" },
		{ "rule = 'c', topic = 'in/1', message = {}, expect = {}", "a.lua:9: this file has no rule \"c\"" },
		{ "steps = { { topic = 'in/1', message = { n = 1 } }, { after = 10, expect = {} } }", "a.lua:9: step 2: message 1 was not expected\n  came      {\"topic\":\"late\",\"payload\":{},\"qos\":0,\"retain\":false}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *said = says(list[i].test);
		if (list[i].said ? strcmp(said, list[i].said) : !strstr(said, "topc must be \"out/1\", is not there"))
			fail_msg("%s\n  expected %s\n  came     %s", list[i].test, list[i].said ? list[i].said : "", said);
	}
}

static void tests_are_checked(void **state)
{
	static const struct expectation list[] = {
		{ "test 't' { topic = 'a', message = {}, expct = {} }", "a.lua:1: test \"t\": unknown field 'expct': did you mean 'expect'?" },
		{ "test 't' { topic = 'a', message = {} }", "a.lua:1: test \"t\": it expects nothing, so it cannot fail: expect = {} says that nothing leaves" },
		{ "test 't' { topic = 'a', expect = {} }", "a.lua:1: test \"t\": a topic has a message, or raw = \"\"" },
		{ "test 't' { message = {}, expect = {} }", "a.lua:1: test \"t\": a message has a topic" },
		{ "test 't' { topic = 'a', message = {}, raw = '', expect = {} }", "a.lua:1: test \"t\": either message or raw" },
		{ "test 't' { expect = {} }", "a.lua:1: test \"t\": expected topic and message, or after = seconds" },
		{ "test 't' { topic = 'a', message = {}, steps = { { after = 1, expect = {} } } }", NULL },
		{ "test 't' { steps = { { after = 1 } } }", "a.lua:1: test \"t\": it expects nothing, so it cannot fail: expect = {} says that nothing leaves" },
		{ "test 't' { steps = { { after = 1, expected = {} } } }", "a.lua:1: test \"t\", step 1: unknown field 'expected': did you mean 'expect'?" },
		{ "test 't' { topic = 'a', message = { f = print }, expect = {} }", "a.lua:1: test \"t\": the value at .message.f is a function, which JSON does not have" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *why = try_bad_file(list[i].test);
		if (list[i].said ? strcmp(why, list[i].said) : !strstr(why, "belongs into a step"))
			fail_msg("%s\n  expected %s\n  came     %s", list[i].test, list[i].said ? list[i].said : "", why);
	}
}

/* A timer that sets itself for now would run for ever. */
static void time_that_does_not_pass_ends(void **state)
{
	char why[2000];
	struct lua_test_report report = { .tell = tell, .ctx = why };
	struct lua_try *t = try_file("rule 'r' { topic = 'a', run = function() timer.set('t', 0) end, timer = function(n) timer.set(n, 0) end }\n"
	                             "test 't' { steps = { { topic = 'a', message = {} }, { after = 1, expect = {} } } }", NULL);

	(void)state;
	assert_int_equal(lua_file_test(t->file, &t->arena, &report), 0);
	assert_string_equal(why, "a.lua:2: step 2: more than 10000 timers have run");
	try_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tests_pass),
		cmocka_unit_test(tests_fail),
		cmocka_unit_test(tests_are_checked),
		cmocka_unit_test(time_that_does_not_pass_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
