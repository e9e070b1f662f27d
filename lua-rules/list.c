/* list.c -- table.insert, remove, move, concat, pack and unpack: as Lua's own, each element charged. sort is lib/table.lua's. */
#include "lua-rules/internal.h"

/* insert(list, value) or insert(list, place, value) */
static int list_insert(lua_State *L)
{
	int given = lua_gettop(L);
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer behind = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1), place = behind;

	if (given != 2 && given != 3)
		host_fail(L, "table.insert wants (list, value) or (list, place, value)");
	if (given == 3) {
		place = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)place - 1u < (lua_Unsigned)behind, 2, "position out of bounds");
	}
	for (lua_Integer i = behind; i > place; i--) {
		host_charge(L, 1);
		lua_geti(L, 1, i - 1);
		lua_seti(L, 1, i);
	}
	lua_settop(L, given);
	lua_seti(L, 1, place);
	return 0;
}

static int list_remove(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer size = luaL_len(L, 1), place = luaL_optinteger(L, 2, size);

	if (!lua_isnoneornil(L, 2))
		luaL_argcheck(L, (lua_Unsigned)place - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
	lua_geti(L, 1, place);
	for (; place < size; place++) {
		host_charge(L, 1);
		lua_geti(L, 1, place + 1);
		lua_seti(L, 1, place);
	}
	lua_pushnil(L);
	lua_seti(L, 1, place);
	return 1;
}

static void copy(lua_State *L, int to, lua_Integer from, lua_Integer into)
{
	host_charge(L, 1);
	lua_geti(L, 1, from);
	lua_seti(L, to, into);
}

/* move(from, first, last, place, to) */
static int list_move(lua_State *L)
{
	lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), place = luaL_checkinteger(L, 4);
	int to = lua_isnoneornil(L, 5) ? 1 : 5;

	if (!lua_isuserdata(L, 1))
		luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, to, LUA_TTABLE);
	if (last < first) {
		lua_pushvalue(L, to);
		return 1;
	}
	luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
	luaL_argcheck(L, place <= LUA_MAXINTEGER - (last - first), 4, "destination wrap around");
	if (place > last || place <= first || to != 1) {
		for (lua_Integer i = 0; i <= last - first; i++)
			copy(L, to, first + i, place + i);
	} else {
		for (lua_Integer i = last - first; i >= 0; i--)
			copy(L, to, first + i, place + i);
	}
	lua_pushvalue(L, to);
	return 1;
}

static void add(lua_State *L, luaL_Buffer *b, lua_Integer i)
{
	host_charge(L, 1);
	lua_geti(L, 1, i);
	if (!lua_isstring(L, -1))
		host_fail(L, "table.concat: the value at %lld is a %s", (long long)i, luaL_typename(L, -1));
	luaL_addvalue(b);
}

/* concat(list, between, first, last) */
static int list_concat(lua_State *L)
{
	size_t gap;
	const char *between = luaL_optlstring(L, 2, "", &gap);
	lua_Integer i = luaL_optinteger(L, 3, 1), last = luaL_opt(L, luaL_checkinteger, 4, luaL_len(L, 1));
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (; i < last; i++) {
		add(L, &b, i);
		luaL_addlstring(&b, between, gap);
	}
	if (i == last)
		add(L, &b, i);
	luaL_pushresult(&b);
	return 1;
}

static int list_pack(lua_State *L)
{
	int n = lua_gettop(L);

	host_charge(L, (uint64_t)n);
	lua_createtable(L, n, 1);
	lua_insert(L, 1);
	for (int i = n; i >= 1; i--)
		lua_seti(L, 1, i);
	lua_pushinteger(L, n);
	lua_setfield(L, 1, "n");
	return 1;
}

static int list_unpack(lua_State *L)
{
	lua_Integer i = luaL_optinteger(L, 2, 1), last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
	lua_Unsigned n = (lua_Unsigned)last - (lua_Unsigned)i;

	if (i > last)
		return 0;
	if (n >= 100000 || !lua_checkstack(L, (int)++n))
		host_fail(L, "table.unpack: too many results");
	host_charge(L, n);
	for (; i < last; i++)
		lua_geti(L, 1, i);
	lua_geti(L, 1, last);
	return (int)n;
}

void host_open_lists(lua_State *L, int into)
{
	static const luaL_Reg functions[] = { { "insert", list_insert }, { "remove", list_remove }, { "move", list_move }, { "concat", list_concat },
		{ "pack", list_pack }, { "unpack", list_unpack }, { NULL, NULL } };

	lua_pushvalue(L, into);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
