/* sandbox.c -- the names that rules have, and nothing beside them.
 *
 * A fresh table is filled from a list; what Lua's libraries brought along is dropped. Reading a name that is not there finds a file of lib/, or is
 * an error that says what was meant; writing one is for the time of loading only. No coroutines, no load, no debug, no finalizers: README.md. */
#include <string.h>

#include <lua5.4/lualib.h>

#include "lua-rules/internal.h"

static const char names_key; /* of the registry */

/* -- functions that are other ones here -- */

/* What a limit has ended stays ended. */
static int safe_pcall(lua_State *L)
{
	struct lua_file *f = host_file(L);
	int status;

	luaL_checkany(L, 1);
	status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
	if (f->over || status == LUA_ERRMEM) {
		f->over = f->over ? f->over : "not enough memory";
		return lua_error(L);
	}
	luaL_checkstack(L, 1, "pcall");
	lua_pushboolean(L, status == LUA_OK);
	lua_insert(L, 1);
	return lua_gettop(L);
}

/* Finalizers run where no limit reaches them. */
static int safe_setmetatable(lua_State *L)
{
	static const char *const refused[] = { "__gc", "__close", NULL };
	int type = lua_type(L, 2);

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	for (const char *const *name = refused; type == LUA_TTABLE && *name; name++) {
		lua_pushstring(L, *name);
		if (lua_rawget(L, 2) != LUA_TNIL)
			host_fail(L, "setmetatable: %s is not for rules", *name);
	}
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		host_fail(L, "setmetatable: this metatable is protected");
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* "null", and "table" for documents and messages, which are used like one. */
static int kind_of(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_islightuserdata(L, 1))
		lua_pushliteral(L, "null");
	else if (lua_isuserdata(L, 1))
		lua_pushliteral(L, "table");
	else
		lua_pushstring(L, luaL_typename(L, 1));
	return 1;
}

/* ipairs or pairs (the upvalue): nil is refused here, where its line is known. */
static int through(lua_State *L)
{
	if (lua_type(L, 1) != LUA_TTABLE && lua_type(L, 1) != LUA_TUSERDATA)
		host_fail(L, "%s: expected a table or a list, got %s", lua_tostring(L, lua_upvalueindex(2)), luaL_typename(L, 1));
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* A function of Lua's (the upvalue) that takes as long as its texts are. */
static int charged(lua_State *L)
{
	enum { BYTES_EACH = 16 };
	lua_CFunction f = lua_tocfunction(L, lua_upvalueindex(1));
	uint64_t bytes = 0;

	for (int i = lua_gettop(L); i > 0; i--)
		if (lua_type(L, i) == LUA_TSTRING)
			bytes += lua_rawlen(L, i);
	host_charge(L, bytes / BYTES_EACH);
	return f(L);
}

/* -- the names -- */

struct source {
	const char *library; /* "" for the basic ones */
	lua_CFunction open;
	const char *names;   /* with * before those that are charged */
};
static const struct source sources[] = {
	{ "", luaopen_base, "assert error getmetatable ipairs next pairs rawequal rawget rawlen rawset select *tonumber *tostring" },
	{ "string", luaopen_string, "byte char *format len *lower *pack packsize *reverse sub *unpack *upper" },
	{ "math", luaopen_math, "abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger modf pi rad sin sqrt tan tointeger type ult" },
	{ "utf8", luaopen_utf8, "*char charpattern *codepoint *codes *len *offset" },
};

/* Lua's library is on top, the table to fill below it. */
static void take(lua_State *L, const char *names)
{
	char name[32];

	for (const char *s = names, *end; *s; s = *end ? end + 1 : end) {
		end = strchrnul(s, ' ');
		bool slow = *s == '*';
		s += slow;
		memcpy(name, s, (size_t)(end - s));
		name[end - s] = '\0';
		lua_getfield(L, -1, name);
		if (slow)
			lua_pushcclosure(L, charged, 1);
		lua_setfield(L, -3, name);
	}
}

static void take_library(lua_State *L, const struct source *from, int names)
{
	luaL_requiref(L, *from->library ? from->library : "_G", from->open, false);
	if (!*from->library) {
		lua_pushvalue(L, names);
		lua_insert(L, -2);
		take(L, from->names);
		lua_pop(L, 2);
		return;
	}
	lua_newtable(L);
	lua_insert(L, -2);
	take(L, from->names);
	lua_pop(L, 1);
	lua_setfield(L, names, from->library);
}

/* Methods of texts: ("x"):rep(3). */
static void open_methods(lua_State *L, int names)
{
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_getfield(L, names, "string");
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

static void open_own(lua_State *L, int names)
{
	static const char *const loops[] = { "ipairs", "pairs", NULL };
	static const luaL_Reg own[] = { { "pcall", safe_pcall }, { "setmetatable", safe_setmetatable }, { "type", kind_of }, { "uuid", host_uuid },
		{ NULL, NULL } };

	lua_pushvalue(L, names);
	luaL_setfuncs(L, own, 0);
	for (const char *const *name = loops; *name; name++) {
		lua_getfield(L, names, *name);
		lua_pushstring(L, *name);
		lua_pushcclosure(L, through, 2);
		lua_setfield(L, names, *name);
	}
	lua_getfield(L, names, "string");
	host_open_text(L, lua_gettop(L));
	lua_getfield(L, names, "math");
	lua_pushcfunction(L, host_random);
	lua_setfield(L, -2, "random");
	lua_settop(L, names);
	host_open_json(L, names);
	host_push_null(L);
	lua_setfield(L, names, "null");
}

/* -- names that are not there -- */

/* What people look for, and what there is. */
static const struct {
	const char *name, *instead;
} elsewhere[] = {
	{ "os", "time.now() and time.format() say what time it is" },
	{ "io", "a rule has no files" },
	{ "coroutine", "a rule runs from its beginning to its end" },
	{ "debug", "log(...) writes a line" },
	{ "load", "a rule is what its file says" },
	{ "loadstring", "a rule is what its file says" },
	{ "dofile", "require \"name\" finds what is in lib/" },
	{ "package", "require \"name\" finds what is in lib/" },
	{ "xpcall", "use pcall" },
	{ "collectgarbage", "Lua does that by itself" },
	{ "_G", "each name stands for itself" },
};

static const struct lua_library *library(const struct lua_file *f, const char *name)
{
	for (const struct lua_library *l = f->libraries; l && l->name; l++)
		if (strcmp(l->name, name) == 0)
			return l;
	return NULL;
}

/* Runs a file of lib/ and keeps what it returns under its name; leaves that on the stack. */
static void enter_library(lua_State *L, const struct lua_library *l)
{
	host_load(L, l->name, l->text, l->size);
	host_push_base(L);
	lua_call(L, 1, 1);
	if (lua_isnil(L, -1))
		host_fail(L, "lib/%s.lua returns nothing", l->name);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, l->name);
	lua_pop(L, 1);
}

static const char *guess(lua_State *L, const char *name)
{
	enum { MOST = 200 };
	const char *known[MOST + 1];
	int n = 0;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		if (n < MOST && lua_type(L, -2) == LUA_TSTRING)
			known[n++] = lua_tostring(L, -2);
	for (const struct lua_library *l = host_file(L)->libraries; l && l->name && n < MOST; l++)
		known[n++] = l->name;
	known[n] = NULL;
	return host_did_you_mean(L, name, known);
}

/* (table of names, name that it does not have) */
static int missing(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
	const struct lua_library *l = library(host_file(L), name);

	if (l) {
		enter_library(L, l);
		return 1;
	}
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (strcmp(elsewhere[i].name, name) == 0)
			host_fail(L, "'%s' is not for rules: %s", name, elsewhere[i].instead);
	host_fail(L, "there is no '%s' here%s", name, guess(L, name));
}

/* (environment, name, value) */
static int assign(lua_State *L)
{
	if (!host_file(L)->loading)
		host_fail(L, "'%s' is not local: a rule keeps nothing between messages but what it gives to state.set()", luaL_tolstring(L, 2, NULL));
	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
	lua_insert(L, 2);
	lua_rawset(L, 2);
	return 0;
}

/* require "name": what is in lib/. */
static int require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	if (!library(host_file(L), name))
		host_fail(L, "require: there is no '%s' in lib/%s", name, guess(L, name));
	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
	lua_getfield(L, -1, name); /* or missing() finds it */
	return 1;
}

/* The environment is empty, so that every read and write of a name comes to these. */
static void open_environment(lua_State *L, int names)
{
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, missing);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, names);
	lua_newtable(L);
	lua_createtable(L, 0, 3);
	lua_pushvalue(L, names);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, assign);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

void host_open(lua_State *L)
{
	int names;

	lua_newtable(L);
	names = lua_gettop(L);
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		take_library(L, &sources[i], names);
	open_own(L, names);
	lua_pushcfunction(L, require);
	lua_setfield(L, names, "require");
	open_methods(L, names);
	host_open_documents(L);
	host_open_messages(L);
	lua_pushvalue(L, names); /* what errors look functions' names up in */
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_pushvalue(L, names);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
	open_environment(L, names);
	lua_settop(L, names - 1);
}

void host_load(lua_State *L, const char *name, const char *text, size_t size)
{
	const char *chunk = lua_pushfstring(L, "=%s", name);

	if (luaL_loadbufferx(L, text, size, chunk, "t") != LUA_OK)
		lua_error(L);
	lua_remove(L, -2);
}
