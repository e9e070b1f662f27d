/* lua_host_test.c -- files of rules load or say why not; runs leave what their rules did, all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lua_world.h"

static void a_rule_with_a_topic_runs(void **state)
{
	struct lua_try *t = try_file("rule \"overheat\" {\n"
	                             "  description = \"too hot\",\n"
	                             "  topic = \"factory/+/temperature\",\n"
	                             "  where = function(m) return m.temp > 30 end,\n"
	                             "  run = function(m) publish(\"factory/\" .. m.levels[2] .. \"/valve/set\", { open = false }) end,\n"
	                             "}\n", NULL);
	const struct lua_rule *r = lua_file_rule(t->file, 0);

	(void)state;
	assert_int_equal(lua_file_rules(t->file), 1);
	assert_string_equal(r->name, "overheat");
	assert_string_equal(r->filter, "factory/+/temperature");
	assert_string_equal(r->description, "too hot");
	assert_int_equal(r->line, 1);
	assert_true(r->has_run && r->has_where && !r->has_timer && !r->disabled && !r->sql && !r->actions);
	assert_null(lua_file_rule(t->file, 1));
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{\"temp\":31}"), "factory/hall-3/valve/set {\"open\":false}");
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{\"temp\":30}"), "no");
	assert_true(t->out.instructions < 1000);
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{}"), "error: a.lua:4: attempt to compare number with nil");
	assert_false(t->out.budget);
	try_free(&t);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_with_a_topic_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
