/* lua_pattern_fuzz.c -- a pattern, a newline, a text: find, match, gmatch and gsub of rules answer what Lua's own do.
 *
 * The same lines run in a rule and in a plain Lua. Ours may refuse a pattern that Lua refuses only when a text leads it there: then it refuses it always. */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>
#include <string.h>

#include "lua-rules/host.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_PATTERN = 24, MOST_TEXT = 12 }; /* Lua's own takes exponential time */

static const char lines[] =
	"local function say(ok, ...)\n"
	"  if not ok then return publish('x', 'error') end\n"
	"  local words = {}\n"
	"  for i = 1, select('#', ...) do words[i] = tostring((select(i, ...))) end\n"
	"  publish('x', 'ok ' .. table.concat(words, ','))\n"
	"end\n"
	"local function each(text, pattern, from)\n"
	"  local found = {}\n"
	"  for a, b in string.gmatch(text, pattern, from) do\n"
	"    found[#found + 1] = tostring(a) .. ':' .. tostring(b)\n"
	"  end\n"
	"  return table.concat(found, ';')\n"
	"end\n"
	"local function compare(raw)\n"
	"  local cut = string.find(raw, '\\n', 1, true)\n"
	"  if not cut then return end\n"
	"  local pattern, text = string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1)\n"
	"  say(pcall(string.find, text, pattern))\n"
	"  say(pcall(string.find, text, pattern, 3))\n"
	"  say(pcall(string.find, text, pattern, -2))\n"
	"  say(pcall(string.find, text, pattern, 1, true))\n"
	"  say(pcall(string.match, text, pattern))\n"
	"  say(pcall(string.match, text, pattern, 2))\n"
	"  say(pcall(each, text, pattern))\n"
	"  say(pcall(each, text, pattern, -3))\n"
	"  say(pcall(string.gsub, text, pattern, '<%0%%>'))\n"
	"  say(pcall(string.gsub, text, pattern, '%1.%2'))\n"
	"  say(pcall(string.gsub, text, pattern, { a = '1', b = false, [1] = 'one' }, 3))\n"
	"  say(pcall(string.gsub, text, pattern, function(a, b) return b and a end))\n"
	"end\n";
enum { CALLS = 12, PLAIN = 3 };

struct said {
	char *text[CALLS];
	size_t size[CALLS];
	int n;
};

static int keep(lua_State *L)
{
	struct said *s = lua_touserdata(L, lua_upvalueindex(1));
	const char *text = luaL_checklstring(L, 2, &s->size[s->n]);

	expect(s->n < CALLS);
	s->text[s->n] = memcpy(malloc(s->size[s->n] + 1), text, s->size[s->n]);
	s->n++;
	return 0;
}

static void ask_lua(const uint8_t *data, size_t size, struct said *s)
{
	static lua_State *L;

	if (!L) {
		L = luaL_newstate();
		luaL_openlibs(L);

		char *text = malloc(sizeof lines + 40);
		sprintf(text, "%s return compare", lines);
		expect(luaL_dostring(L, text) == LUA_OK);
		free(text);
		lua_setglobal(L, "compare");
	}
	lua_pushlightuserdata(L, s);
	lua_pushcclosure(L, keep, 1);
	lua_setglobal(L, "publish");
	lua_getglobal(L, "compare");
	lua_pushlstring(L, (const char *)data, size);
	expect(lua_pcall(L, 1, 0, 0) == LUA_OK);
}

static const struct lua_effect *ask_rule(const uint8_t *data, size_t size, struct sk_arena *a)
{
	static struct lua_file *f;
	static const struct lua_limits limits = { .instructions = 1000000000 };
	struct lua_message m = { .topic = "x", .payload = data, .size = size };
	struct lua_world w = { 0 };
	struct lua_outcome out;
	char why[300];

	if (!f) {
		char *text = malloc(sizeof lines + 200);
		sprintf(text, "%s rule 'r' { topic = '#', run = function(m) compare(m.raw) end }", lines);
		f = lua_file_load("a.lua", text, strlen(text), lua_shipped, &limits, why, sizeof why);
		free(text);
		expect(f);
	}
	expect(lua_rule_run(f, 0, &m, &w, a, &out) == SK_OK);
	return out.effects;
}

static bool is_error(const void *text, size_t size)
{
	return size == 5 && memcmp(text, "error", 5) == 0;
}

/* Refused before any text was looked at. */
static bool refused(const struct lua_effect *e)
{
	bool all = true;

	for (int i = 0; e; e = e->next, i++)
		all = all && (i == PLAIN || is_error(e->message.payload, e->message.size));
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memchr(data, '\n', size);
	struct sk_arena a = { 0 };
	struct said s = { .n = 0 };

	if (!cut || cut - data > MOST_PATTERN || size - (size_t)(cut - data) - 1 > MOST_TEXT)
		return -1;
	ask_lua(data, size, &s);
	const struct lua_effect *e = ask_rule(data, size, &a);
	bool no = refused(e);
	for (int i = 0; i < s.n; i++, e = e->next) {
		expect(e);
		bool same = e->message.size == s.size[i] && (!s.size[i] || memcmp(e->message.payload, s.text[i], s.size[i]) == 0);
		expect(same || (no && i != PLAIN));
		free(s.text[i]);
	}
	expect(!e);
	sk_arena_free(&a);
	return 0;
}
