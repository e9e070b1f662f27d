/* lua_file_fuzz.c -- any text as a file of rules: it loads or says why not, its rules run, its tests run, all within limits and twice with the same answer.
 *
 * What runs twice has no memory of its own here: what a rule did the first time is gone with its file. */
#include <string.h>

#include "lua-rules/host.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lua_limits limits = { .instructions = 20000, .memory = 1 << 20 };
static const char payload[] = "{\"temp\":31,\"site\":{\"hall\":\"B\"},\"list\":[1,\"x\",null],\"unit\":\"F\",\"value\":3}";

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	(void)ctx, (void)a, (void)b;
	*why = "not today";
	*out = what == LUA_STATE ? sk_json_int(arena, 7) : sk_json_parse(arena, payload, sizeof payload - 1, NULL, NULL);
	return what == LUA_THING ? SK_E_UNAVAILABLE : 0;
}

static void check_effects(const struct lua_outcome *out, int rc)
{
	int n = 0;

	expect((rc == SK_OK) == (out->why == NULL));
	expect(rc == SK_OK || !out->effects);
	expect(out->matched || !out->effects);
	for (const struct lua_effect *e = out->effects; e; e = e->next, n++) {
		expect(e->name && strlen(e->name) <= 65535 && sk_utf8_valid(e->name, strlen(e->name)));
		expect(e->kind != LUA_PUBLISH || (*e->name && !strpbrk(e->name, "+#")));
		expect(!e->message.size || e->message.payload);
	}
	expect(n <= 1000);
}

static void run_all(struct lua_file *f, struct sk_arena *a)
{
	const struct lua_world w = { .ask = ask, .now_ms = 1700000000000 };
	struct lua_message m = { .topic = "factory/hall/temperature", .payload = payload, .size = sizeof payload - 1, .client_id = "c" };
	struct lua_outcome out;

	m.document = sk_json_parse(a, payload, m.size, NULL, NULL);
	for (int i = 0; i < lua_file_rules(f); i++) {
		const struct lua_rule *r = lua_file_rule(f, i);
		expect(r->name && *r->name && !r->filter != !r->sql && (r->has_run || r->actions));
		check_effects(&out, lua_rule_run(f, i, &m, &w, a, &out));
		expect(lua_file_memory(f) < limits.memory + (4 << 20));
		if (r->has_timer)
			check_effects(&out, lua_rule_timer(f, i, "t", m.document, &w, a, &out));
		sk_arena_reset(a, 65536);
		m.document = sk_json_parse(a, payload, m.size, NULL, NULL);
	}
}

static void tell(void *ctx, const char *test, const char *why)
{
	(void)why;
	expect(test);
	++*(int *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	char why[512] = "x", again[512] = "x";
	struct lua_file *f = lua_file_load("a.lua", (const char *)data, size, lua_shipped, &limits, why, sizeof why), *g;
	int told = 0;
	struct lua_test_report report = { .tell = tell, .ctx = &told };

	expect(f ? !*why : strncmp(why, "a.lua:", 6) == 0 && !strchr(why, '\n'));
	g = lua_file_load("a.lua", (const char *)data, size, lua_shipped, &limits, again, sizeof again);
	expect(!f == !g);
	lua_file_free(&g);
	if (f) {
		run_all(f, &a);
		lua_file_test(f, &a, &report);
		expect(told == report.passed + report.failed);
	}
	lua_file_free(&f);
	sk_arena_free(&a);
	return 0;
}
