/* lua_memory_test.c -- rules in Lua with memory that fails at every point in turn: a file loads or says that there was none, a run is whole or has
 * not been, and the next one is served by the same state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lua-rules/host.h"
#include "tests/unit/scarce.h"

static const char text[] =
	"local limits = { 28, 25 }\n"
	"rule 'r' { topic = 'a/+', where = \"temp > 1\", timer = function(name, data) publish('late/' .. name, data) end,\n"
	"  run = function(m)\n"
	"    local out = json.copy(m)\n"
	"    out.hall, out.levels = m.site.hall, m.levels\n"
	"    out.words = { ('a b c'):gsub('%a', string.upper) }\n"
	"    table.sort(limits)\n"
	"    out.n = state.get('n', 0) + sql.value('temp + 1', m)\n"
	"    state.set('n', out.n)\n"
	"    publish('x', out, { qos = 1, user = { k = 'v' } })\n"
	"    shadow.desire('valve', { open = shadow.get('valve').open })\n"
	"    sink.sqs { queueUrl = 'q' }\n"
	"    timer.set('t', 5, { m.levels[2] })\n"
	"    log(time.format('%Y'), uuid(), m.mqtt.qos, tostring(m.site))\n"
	"    pcall(error, json.decode('{\"a\":[1,2]}'))\n"
	"  end }\n"
	"rule 's' { sql = [[SELECT temp FROM 'b' WHERE temp > 1]], actions = { { republish = { topic = 'c', roleArn = 'r' } } } }\n"
	"test 'it does' { topic = 'a/b', message = { temp = 2, site = { hall = 'B' } }, shadow = { valve = { open = true } }, expect_state = { n = 3 } }\n"
	"test 'and that' { topic = 'b', message = { temp = 2 }, expect = { { action = 'republish', payload = { temp = 2 } } } }\n";
static const char payload[] = "{\"temp\":2,\"site\":{\"hall\":\"B\"}}";

static struct lua_file *load(char *why, size_t size)
{
	return lua_file_load("a.lua", text, strlen(text), lua_shipped, NULL, why, size);
}

/* With all its memory. */
static struct lua_file *loaded(void)
{
	char why[300];

	scarce_plenty();
	struct lua_file *f = load(why, sizeof why);
	scarce_again();
	if (!f)
		fail_msg("%s", why);
	return f;
}

static bool a_file_loads(void *ctx)
{
	char why[300];
	struct lua_file *f = load(why, sizeof why);

	(void)ctx;
	assert_true(f || (scarce_failed() && strncmp(why, "a.lua:", 6) == 0 && strstr(why, "memory")));
	bool good = f;
	assert_true(!f || lua_file_rules(f) == 2);
	lua_file_free(&f);
	return good;
}

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	(void)ctx, (void)a, (void)b, (void)why;
	*out = what == LUA_SHADOW ? sk_json_parse(arena, "{\"open\":true}", 13, NULL, NULL) : NULL;
	return 0;
}

static int count(const struct lua_outcome *out)
{
	int n = 0;

	for (const struct lua_effect *e = out->effects; e; e = e->next)
		n++;
	return n;
}

static int run(struct lua_file *f, struct sk_arena *a, struct lua_outcome *out)
{
	const struct lua_world w = { .ask = ask, .now_ms = 1700000000000 };
	struct lua_message m = { .topic = "a/b", .payload = payload, .size = sizeof payload - 1, .document = sk_json_parse(a, payload, sizeof payload - 1, NULL, NULL) };

	if (!m.document)
		return -100;
	return lua_rule_run(f, 0, &m, &w, a, out);
}

/* The state that had no memory serves the next message. */
static void serves(struct lua_file *f)
{
	struct sk_arena a = { 0 };
	struct lua_outcome out = { 0 };

	scarce_plenty();
	assert_int_equal(run(f, &a, &out), SK_OK);
	assert_int_equal(count(&out), 6);
	sk_arena_free(&a);
	scarce_again();
}

static bool a_message_runs(void *ctx)
{
	struct lua_file *f = loaded();
	struct sk_arena a = { 0 };
	struct lua_outcome out = { 0 };
	int rc = run(f, &a, &out);

	(void)ctx;
	assert_true(rc == SK_OK ? count(&out) == 6 : count(&out) == 0);
	assert_true(rc == SK_OK || scarce_failed());
	assert_true(rc != SK_E_INTERNAL || (out.why && strstr(out.why, "memory")));
	bool good = rc == SK_OK && !a.failed;
	sk_arena_free(&a);
	serves(f);
	lua_file_free(&f);
	return good;
}

static bool a_timer_runs(void *ctx)
{
	struct lua_file *f = loaded();
	struct sk_arena a = { 0 };
	struct lua_outcome out = { 0 };
	const struct lua_world w = { .ask = ask, .now_ms = 1700000000000 };
	const cJSON *data = sk_json_parse(&a, "[1,{\"a\":2}]", 11, NULL, NULL);
	int rc = data ? lua_rule_timer(f, 0, "t", data, &w, &a, &out) : -100;

	(void)ctx;
	assert_true(rc == SK_OK ? count(&out) == 1 : count(&out) == 0);
	bool good = rc == SK_OK && !a.failed;
	sk_arena_free(&a);
	serves(f);
	lua_file_free(&f);
	return good;
}

struct told {
	int passed, failed;
	char why[400];
};

static void tell(void *ctx, const char *test, const char *why)
{
	struct told *t = ctx;

	assert_non_null(test);
	t->passed += !why;
	t->failed += why != NULL;
	if (why)
		snprintf(t->why, sizeof t->why, "%s", why);
}

/* A test never passes because it could not be compared. */
static bool tests_run(void *ctx)
{
	struct lua_file *f = loaded();
	struct sk_arena a = { 0 };
	struct told told = { 0 };
	struct lua_test_report report = { .tell = tell, .ctx = &told };
	int rc = lua_file_test(f, &a, &report);

	(void)ctx;
	assert_int_equal(told.passed + told.failed, 2);
	assert_int_equal(report.passed, told.passed);
	if (told.failed && !scarce_failed())
		fail_msg("%s", told.why);
	bool good = rc == 0 && report.failed == 0 && !a.failed;
	sk_arena_free(&a);
	lua_file_free(&f);
	return good;
}

static void loading(void **state)
{
	(void)state;
	assert_true(scarce_often(600, a_file_loads, NULL) > 500);
}

static void running(void **state)
{
	(void)state;
	assert_true(scarce_often(600, a_message_runs, NULL) > 20);
	assert_true(scarce_often(600, a_timer_runs, NULL) > 2);
}

static void testing(void **state)
{
	(void)state;
	assert_true(scarce_often(400, tests_run, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading),
		cmocka_unit_test(running),
		cmocka_unit_test(testing),
	};
	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
