/* lua_sandbox_test.c -- what a hostile or broken rule may try: each ends within its limits, and the state serves the next message or says that it cannot.
 *
 * Limits of instructions and memory end each of them without any clock; those that a clock is needed for say so. No test measures time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lua5.4/lauxlib.h>

#include "tests/unit/lua_world.h"

/* -- ended by a limit -- */

struct hostile {
	const char *what, *body;
	const char *before; /* stands above the rule; may be NULL */
	bool by_itself;     /* it ends with an error of its own */
};

static const struct hostile endless[] = {
	{ "a loop", "while true do end", NULL, false },
	{ "a goto", "::again:: goto again", NULL, false },
	{ "a repeat with an empty call", "repeat type(1) until false", NULL, false },
	{ "a for that counts", "for i = 1, math.maxinteger do end", NULL, false },
	{ "recursion", "local function f() return 1 + f() end f()", NULL, false },
	{ "recursion in tails", "local function f() return f() end return f()", NULL, false },
	{ "recursion through a metatable", "local t = setmetatable({}, {}) getmetatable(t).__index = function(a, k) return a[k + 1] end return t[1]", NULL, true },
	{ "a metatable that loops", "local t = setmetatable({}, { __index = function() while true do end end }) return t.x", NULL, false },
	{ "__len that loops", "return #setmetatable({}, { __len = function() while true do end end })", NULL, false },
	{ "__eq that loops", "local e = { __eq = function() while true do end end } return setmetatable({}, e) == setmetatable({}, e)", NULL, false },
	{ "__concat that loops", "return setmetatable({}, { __concat = function() while true do end end }) .. 'x'", NULL, false },
	{ "__tostring that loops", "return tostring(setmetatable({}, { __tostring = function() while true do end end }))", NULL, false },
	{ "__tostring of an error that loops", "error(setmetatable({}, { __tostring = function() while true do end end }))", NULL, true },
	{ "__pairs that loops", "for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end", NULL, false },
	{ "__call that loops", "setmetatable({}, { __call = function() while true do end end })()", NULL, false },
	{ "__close added later", "local mt = {} local t = setmetatable({}, mt) mt.__close = function() while true do end end do local x <close> = t end", NULL, false },
	{ "__close when it is over", "local mt = {} local t = setmetatable({}, mt) mt.__close = function() while true do pcall(next, {}) end end local x <close> = t while true do end", NULL, false },
	{ "pcall around a loop", "pcall(function() while true do end end)", NULL, false },
	{ "a storm of pcalls", "while true do pcall(function() while true do end end) end", NULL, false },
	{ "pcall of pcall", "while true do pcall(pcall, pcall, error) end", NULL, false },
	{ "pcalls that call themselves", "local function f() while true do pcall(f) end end f()", NULL, false },
	{ "pcall in an iterator", "for _ in function() pcall(function() while true do end end) return 1 end do end", NULL, false },
	{ "a comparator", "table.sort({ 3, 1, 2, 5, 4 }, function() while true do end end)", NULL, false },
	{ "a sort with pcalls", "while true do table.sort({ 3, 1, 2 }, function(a, b) pcall(error) return a < b end) end", NULL, false },
	{ "a sort without a comparator", "local t = {} for i = 1, 60000 do t[i] = i * 7919 % 60013 end while true do table.sort(t) end", NULL, false },
	{ "gsub's function", "return ('x'):gsub('x', function() while true do end end)", NULL, false },
	{ "gsub's table", "return ('x'):gsub('x', setmetatable({}, { __index = function() while true do end end }))", NULL, false },
	{ "gmatch without an end", "while true do for w in ('a b c'):gmatch('%a') do end end", NULL, false },
	{ "concat over C alone", "return table.concat(setmetatable({}, { __index = rawlen }), '', 1, math.maxinteger)", NULL, false },
	{ "concat over tostring", "return table.concat(setmetatable({}, { __index = tostring }), '', 1, math.maxinteger)", NULL, false },
	{ "move of nothing", "return table.move({}, 1, math.maxinteger - 1, 2)", NULL, false },
	{ "insert that shifts", "local t = {} for i = 1, 60000 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end", NULL, false },
	{ "insert with a length that lies", "table.insert(setmetatable({}, { __len = function() return math.maxinteger - 5 end }), 1, 1)", NULL, false },
	{ "a document to a table again and again", "while true do json.copy(m) end", NULL, false },
	{ "encode again and again", "local t = {} for i = 1, 1000 do t[i] = i end while true do json.encode(t) end", NULL, false },
	{ "decode again and again", "local t = '[' .. ('1,'):rep(10000) .. '1]' while true do json.decode(t) end", NULL, false },
	{ "elements from behind", "local n = 0 for i = 1, 1000000 do n = n + m.list[4] + m.list[1] end", NULL, false },
	{ "logging without an end", "while true do log('x') end", NULL, false },
	{ "publishing without an end", "while true do publish('x', 'y') end", NULL, false },
	{ "big publishes", "local t = ('x'):rep(1000000) for i = 1, 900 do publish('x', t) end", NULL, false },
	{ "state without an end", "local i = 0 while true do i = i + 1 state.set('k' .. i, i) end", NULL, false },
	{ "timers without an end", "while true do timer.set('t', 1) end", NULL, false },
	{ "timers and pcall", "while true do pcall(timer.set, 't', 1) end", NULL, false },
	{ "random numbers", "while true do math.random(10) end", NULL, false },
	{ "SQL without an end", "while true do sql.value('temp + 1', m) end", NULL, false },
	{ "new SQL each time", "local i = 0 while true do i = i + 1 sql.value('temp + ' .. i, m) end", NULL, false },
	{ "closures", "local f = type while true do local g = f f = function() return g end end", NULL, false },
	{ "tonumber of long texts", "local s = (' '):rep(1000000) while true do tonumber(s) end", NULL, false },
	{ "lengths in characters", "local s = ('x'):rep(1000000) while true do utf8.len(s) end", NULL, false },
	{ "format", "local s = ('x'):rep(1000000) while true do string.format('%s', s) end", NULL, false },
	{ "next over holes, errors as values", "while true do pcall(error, {}) end", NULL, false },
};

static const struct hostile greedy[] = {
	{ "tables", "local t = {} while true do t[#t + 1] = {} end", NULL, false },
	{ "a table that grows", "local t, i = {}, 1 while true do t[i] = i i = i + 1 end", NULL, false },
	{ "a text that doubles", "local s = 'x' while true do s = s .. s end", NULL, false },
	{ "texts and pcall", "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end", NULL, false },
	{ "tables and pcall", "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end", NULL, false },
	{ "a long concat", "local t = {} for i = 1, 200 do t[i] = ('x'):rep(100000) end return table.concat(t)", NULL, false },
	{ "gsub that grows", "return (('x'):rep(100000):gsub('x', ('y'):rep(1000)))", NULL, false },
	{ "pack", "return string.pack('c1000000000', '')", NULL, false },
	{ "many values", "return select('#', table.unpack({}, 1, 90000)) + select('#', string.byte(('x'):rep(4000000), 1, -1))", NULL, false },
	{ "varargs", "local function f(...) return f(1, ...) end f()", NULL, false },
	{ "what is kept from run to run", "for i = 1, 1000000 do kept[#kept + 1] = { i } end", "kept = {}", false },
};

static const struct lua_limits without_clock = { .instructions = 300000, .memory = 4 << 20 };

static struct lua_try *hostile_file(const struct hostile *h, const struct lua_limits *limits)
{
	char text[2000];

	snprintf(text, sizeof text, "%s\nrule 'r' { topic = '#', run = function(m) if m.temp == 0 then return publish('fine', '1') end %s\nend,"
	         " timer = function() end }", h->before ? h->before : "", h->body);
	return try_file(text, limits);
}

/* It ends by a limit, and the next message is served. */
static void ends(const struct hostile *h, bool serves)
{
	struct lua_try *t = hostile_file(h, &without_clock);

	try_run(t, "a/b", "{\"temp\":1,\"list\":[1,2,3,4]}");
	if (t->rc == SK_OK || t->out.budget == h->by_itself)
		fail_msg("%s: rc %d, %s", h->what, t->rc, t->out.why ? t->out.why : "no error");
	assert_true(lua_file_memory(t->file) < without_clock.memory + 200000);
	const char *next = try_run(t, "a/b", "{\"temp\":0}");
	if (serves && strcmp(next, "fine 1") != 0)
		fail_msg("%s, and then: %s", h->what, next);
	try_free(&t);
}

static void loops_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
		ends(&endless[i], true);
}

static void memory_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++)
		ends(&greedy[i], !greedy[i].before);
}

/* Loading is under the same limits. */
static void a_file_that_does_not_end_does_not_load(void **state)
{
	static const char *const files[] = { "while true do end", "while true do pcall(function() while true do end end) end", "local t = {} while true do t[#t + 1] = {} end",
		"local s = 'x' while true do s = s .. s end" };
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		assert_null(lua_file_load("a.lua", files[i], strlen(files[i]), lua_shipped, &without_clock, why, sizeof why));
		assert_true(strncmp(why, "a.lua:", 6) == 0);
		assert_true(strstr(why, "than a run may take") || strstr(why, "not enough memory"));
	}
}

/* -- patterns -- */

static void patterns_end(void **state)
{
	static const struct hostile patterns[] = {
		{ "going back", "return ('a'):rep(40):find(('a*'):rep(20) .. 'b')", NULL, false },
		{ "going back, few at a time", "return ('a'):rep(40):find(('a-'):rep(20) .. 'b')", NULL, false },
		{ "going back, maybe", "return ('a'):rep(60):find(('a?'):rep(60) .. ('a'):rep(61) .. 'b')", NULL, false },
		{ "sets", "return ('a'):rep(40):match(('[a-z]*'):rep(20) .. '%d')", NULL, false },
		{ "captures", "return ('a'):rep(40):match(('(a*)'):rep(20) .. 'b')", NULL, false },
		{ "balances", "return ('('):rep(200000):find('%b()')", NULL, false },
		{ "a long text", "return ('a'):rep(200000):find('.-b')", NULL, false },
		{ "gsub", "return ('a'):rep(40):gsub(('a*'):rep(20) .. 'b', '')", NULL, false },
		{ "gmatch", "for x in ('a'):rep(40):gmatch(('a*'):rep(20) .. 'b') do end", NULL, false },
		{ "what was captured", "return (('a'):rep(2000)):find('(a*)%1%1%1b')", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		ends(&patterns[i], true);
	assert_non_null(strstr(try_body("return ('x'):find(('a?'):rep(200))"), "a.lua:1: pattern too complex"));
	assert_non_null(strstr(try_body("return ('x'):find('[a')"), "malformed pattern (missing ']')"));
}

/* -- what is refused -- */

static void names_are_not_there(void **state)
{
	static const char *const names[] = { "os", "io", "load", "loadstring", "dofile", "loadfile", "debug", "package", "coroutine", "xpcall", "collectgarbage", "_G", "_ENV._G",
		"string.dump", "math.randomseed", "warn", "newproxy" };
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(text, sizeof text, "if pcall(function() return %s.x end) or pcall(function() return %s() end) then publish('there', '') end", names[i], names[i]);
		assert_string_equal(try_body(text), "");
	}
	assert_non_null(strstr(try_body("return os.time()"), "error: a.lua:1: 'os' is not for rules: time.now()"));
	assert_non_null(strstr(try_body("return publsh('x')"), "there is no 'publsh' here: did you mean 'publish'?"));
	assert_non_null(strstr(try_body("count = 1"), "'count' is not local"));
	assert_non_null(strstr(try_body("_ENV.count = 1"), "'count' is not local"));
}

static void metatables_are_guarded(void **state)
{
	static const struct {
		const char *body, *said;
	} cases[] = {
		{ "setmetatable({}, { __gc = function() end })", "error: a.lua:1: setmetatable: __gc is not for rules" },
		{ "setmetatable({}, { __gc = true })", "error: a.lua:1: setmetatable: __gc is not for rules" },
		{ "setmetatable({}, { __close = print })", "error: a.lua:1: setmetatable: __close is not for rules" },
		{ "publish('x', tostring(getmetatable('')))", "x false" },
		{ "publish('x', tostring(getmetatable(m)))", "x false" },
		{ "publish('x', tostring(getmetatable(m.site)))", "x false" },
		{ "publish('x', tostring(getmetatable(null)))", "x false" },
		{ "publish('x', tostring(getmetatable(_ENV)))", "x false" },
		{ "publish('x', tostring(getmetatable(array{})))", "x false" },
		{ "publish('x', tostring(getmetatable(sink)))", "x false" },
		{ "setmetatable(_ENV, {})", "error: a.lua:1: setmetatable: this metatable is protected" },
		{ "setmetatable(m, {})", "error: a.lua:1: bad argument #1 to 'setmetatable' (table expected, got message)" },
		{ "setmetatable('', {})", "error: a.lua:1: bad argument #1 to 'setmetatable' (table expected, got string)" },
		{ "setmetatable(array{}, {})", "error: a.lua:1: setmetatable: this metatable is protected" },
		{ "rawset(m, 'x', 1)", "error: a.lua:1: bad argument #1 to 'rawset' (table expected, got message)" },
		{ "m.x = 1", "error: a.lua:1: a message is read-only: json.copy(m) makes a table of it" },
		{ "m.site.x = 1", "error: a.lua:1: a document is read-only: json.copy(...) makes a table of it" },
		{ "local x <close> = {}", "error: a.lua:1: variable 'x' got a non-closable value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(try_body(cases[i].body), cases[i].said);
}

/* Even a finalizer that came in by another way than ours would have to be made by setmetatable. */
static void a_metatable_that_gets_gc_later_does_not_run_it(void **state)
{
	(void)state;
	assert_string_equal(try_body("local mt = {} local t = setmetatable({}, mt) mt.__gc = function() while true do end end t = nil"
	                             " for i = 1, 20000 do local x = { i } end publish('x', 'done')"), "x done");
}

static int dump(lua_State *L, const void *p, size_t n, void *ctx)
{
	(void)L;
	luaL_addlstring(ctx, p, n);
	return 0;
}

static void bytecode_does_not_load(void **state)
{
	lua_State *L = luaL_newstate();
	luaL_Buffer b;
	char why[200];
	size_t n;

	(void)state;
	assert_int_equal(luaL_loadstring(L, "return 1"), LUA_OK);
	luaL_buffinit(L, &b);
	lua_pushvalue(L, 1);
	assert_int_equal(lua_dump(L, dump, &b, 0), 0);
	lua_pop(L, 1);
	luaL_pushresult(&b);
	const char *code = lua_tolstring(L, -1, &n);
	assert_null(lua_file_load("a.lua", code, n, lua_shipped, NULL, why, sizeof why));
	assert_non_null(strstr(why, "attempt to load a binary chunk"));
	lua_close(L);
}

static void deep_texts_do_not_break_the_stack(void **state)
{
	static const char *const unit[][2] = { { "(", ")" }, { "{", "}" }, { "function() return ", " end" }, { "not ", "" }, { "-", "" }, { "'a' .. ", "" } };
	enum { DEEP = 100000 };
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
		size_t left = strlen(unit[i][0]), right = strlen(unit[i][1]);
		char *text = malloc(20 + DEEP * (left + right)), *s = text + sprintf(text, "local x = ");
		for (int k = 0; k < DEEP && s - text < 900000; k++)
			s = memcpy(s, unit[i][0], left) + left;
		*s++ = '1';
		for (int k = 0; k < DEEP && s - text < 1000000 && right; k++)
			s = memcpy(s, unit[i][1], right) + right;
		struct lua_file *f = lua_file_load("a.lua", text, (size_t)(s - text), lua_shipped, NULL, why, sizeof why);
		assert_null(f);
		assert_true(strlen(why) < sizeof why);
		free(text);
	}
	assert_non_null(strstr(try_body("local s = ('['):rep(1000) .. (']'):rep(1000) json.decode(s)"), "json.decode: at byte"));
	assert_non_null(strstr(try_body("local t = {} for i = 1, 1000 do t = { t } end json.encode(t)"), "nested deeper than 64"));
	assert_non_null(strstr(try_body("local t = { a = {} } t.a.b = t publish('x', t)"), "publish: the value at .a.b contains itself"));
}

static void big_texts_are_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(try_body("return ('x'):rep(1e9)"), "a.lua:1: string.rep would make more than"));
	assert_non_null(strstr(try_body("return ('x'):rep(math.maxinteger, 'yyyy')"), "string.rep would make more than"));
	assert_non_null(strstr(try_body("return table.unpack({}, 1, 1e8)"), "table.unpack: too many results"));
	assert_non_null(strstr(try_body("return string.format('%500d', 1)"), "invalid conversion"));
	assert_string_equal(try_body("publish('x', ('ab'):rep(3, '-') .. ('x'):rep(0) .. ('x'):rep(-1) .. (''):rep(math.maxinteger))"), "x ab-ab-ab");
	assert_non_null(strstr(try_body("publish(('x'):rep(70000), '')"), "publish: the topic: expected 1 to 65535 bytes"));
}

/* What is made beside Lua's memory is bounded too: documents of a run, and what a file keeps of itself. */
static void documents_end(void **state)
{
	static const struct hostile makers[] = {
		{ "a text of many brackets", "json.decode('[' .. ('[],'):rep(400000) .. '0]')", NULL, false },
		{ "copies of the message", "local t = {} for i = 1, 100000 do t[i] = m.list end json.encode(t)", NULL, false },
		{ "state", "local s = ('x'):rep(100000) for i = 1, 900 do state.set('k' .. i, s) end", NULL, false },
		{ "a pretty text", "local t = {} for i = 1, 40 do t = { t } end local l = {} for i = 1, 3000 do l[i] = t end json.encode(l, true)", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		struct lua_try *t = hostile_file(&makers[i], &(struct lua_limits){ .instructions = 100000000, .memory = 4 << 20 });
		try_run(t, "a", "{\"temp\":1,\"list\":[1,2,3,4]}");
		if (t->rc == SK_OK || !t->out.budget)
			fail_msg("%s: %s", makers[i].what, t->rc ? t->out.why : "no error");
		assert_true(t->arena.total < (4 << 20) + 200000);
		assert_false(t->arena.failed);
		assert_string_equal(try_run(t, "a", "{\"temp\":0}"), "fine 1");
		try_free(&t);
	}
}

static void what_a_file_keeps_ends(void **state)
{
	static const char *const files[] = {
		"local s = ('x'):rep(1000000) for i = 1, 200 do rule('r' .. i) { topic = 'a', description = s, run = print } end",
		"local s = ('x'):rep(100000) for i = 1, 1000 do test('t') { topic = 'a', message = s, expect = {} } end",
		"local t = {} for i = 1, 100 do t[i] = i end local d = test 'x' while true do d { topic = 'a', message = t, expect = {} } end",
	};
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		assert_null(lua_file_load("a.lua", files[i], strlen(files[i]), lua_shipped, NULL, why, sizeof why));
		assert_true(strstr(why, "memory") || strstr(why, "instructions") || strstr(why, "more than"));
	}
	struct lua_try *t = try_file("local d = test 'x' d { topic = 'a', message = 1, expect = {} } local e = rule 'r'\n"
	                             "e { topic = '#', run = function(m) if m == 1 then e {} end d { topic = 'a', message = 1, expect = {} } end }", NULL);
	assert_string_equal(try_run(t, "a", "{}"), "error: a.lua:2: test: only while the file is loaded");
	try_free(&t);
}

/* -- time -- */

static int64_t hasty(void *ctx)
{
	int64_t *now = ctx;

	return *now += 10000; /* ten milliseconds at each look */
}

static void time_ends_a_run(void **state)
{
	int64_t now = 0;
	const struct lua_limits limits = { .instructions = UINT64_MAX, .now_us = hasty, .ctx = &now };
	static const struct hostile slow[] = { { "a loop", "while true do end", NULL, false }, { "pcalls", "while true do pcall(error) end", NULL, false },
		{ "work in C", "for i = 1, 1e9 do utf8.len(('x'):rep(10000)) end", NULL, false }, { "pattern", "return ('a'):rep(60):find(('a*'):rep(30) .. 'b')", NULL, false } };

	(void)state;
	for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
		struct lua_try *t = hostile_file(&slow[i], &limits);
		try_run(t, "a", "{\"temp\":1}");
		assert_true(t->out.budget);
		assert_non_null(strstr(t->out.why, "more time than a run may take"));
		assert_true(t->out.instructions < 200000);
		assert_string_equal(try_run(t, "a", "{\"temp\":0}"), "fine 1");
		try_free(&t);
	}
}

/* -- one file cannot reach another, nor a run the next one's documents -- */

static void files_know_nothing_of_each_other(void **state)
{
	struct lua_try *a = try_file("shared = 'mine' string.extra = 1 rule 'r' { topic = '#', run = function(m) publish('x', shared) end }", NULL);
	struct lua_try *b = try_file("rule 'r' { topic = '#', run = function(m) publish('x', tostring(string.extra)) publish('y', shared) end }", NULL);

	(void)state;
	assert_string_equal(try_run(a, "t", "{}"), "x mine");
	assert_string_equal(try_run(b, "t", "{}"), "error: a.lua:1: there is no 'shared' here");
	try_free(&a);
	try_free(&b);
}

static void what_is_over_says_so(void **state)
{
	struct lua_try *t = try_file("local kept, part, walk = nil\nrule 'r' { topic = '#', run = function(m)\n"
	                             " if m.use == 1 then publish('x', kept.temp) end\n if m.use == 2 then publish('x', part.hall) end\n"
	                             " if m.use == 3 then walk(part) end if m.use == 4 then publish('x', part) end\n"
	                             " kept, part, walk = m, m.site, pairs(m.site)\nend }", NULL);
	const char *const first = "{\"use\":0,\"temp\":1,\"site\":{\"hall\":2}}";

	(void)state;
	assert_string_equal(try_run(t, "t", first), "");
	assert_string_equal(try_run(t, "t", "{\"use\":1}"), "error: a.lua:3: this message is over: keep what you need of it in state");
	try_run(t, "t", first);
	assert_non_null(strstr(try_run(t, "t", "{\"use\":2}"), "error: a.lua:4: this document was part of an earlier message"));
	try_run(t, "t", first);
	assert_non_null(strstr(try_run(t, "t", "{\"use\":3}"), "error: a.lua:5: this document was part of an earlier message"));
	try_run(t, "t", first);
	assert_non_null(strstr(try_run(t, "t", "{\"use\":4}"), "error: a.lua:5: this document was part of an earlier message"));
	try_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loops_end),
		cmocka_unit_test(memory_ends),
		cmocka_unit_test(a_file_that_does_not_end_does_not_load),
		cmocka_unit_test(patterns_end),
		cmocka_unit_test(names_are_not_there),
		cmocka_unit_test(metatables_are_guarded),
		cmocka_unit_test(a_metatable_that_gets_gc_later_does_not_run_it),
		cmocka_unit_test(bytecode_does_not_load),
		cmocka_unit_test(deep_texts_do_not_break_the_stack),
		cmocka_unit_test(big_texts_are_refused),
		cmocka_unit_test(documents_end),
		cmocka_unit_test(what_a_file_keeps_ends),
		cmocka_unit_test(time_ends_a_run),
		cmocka_unit_test(files_know_nothing_of_each_other),
		cmocka_unit_test(what_is_over_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
