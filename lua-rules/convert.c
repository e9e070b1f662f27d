/* convert.c -- Lua's values to JSON and back.
 *
 * A table is a list when its keys are 1 to n, an object when they are all strings, and an error with its path when they are neither. An empty one is an object,
 * unless it was made by array{}. Members are written in the order of the alphabet: Lua's own order is another one each time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "lua-rules/internal.h"

static const char array_kind[] = "array";

struct walk {
	lua_State *L;
	struct sk_arena *arena;
	const char *what;                    /* "publish", of errors */
	int depth;
	const void *table[HOST_MOST_DEPTH];  /* that we are in */
	const char *key[HOST_MOST_DEPTH];    /* NULL: `place` */
	lua_Integer place[HOST_MOST_DEPTH];
};

static cJSON *value(struct walk *w, int index);

/* ".a.b[2]" on the Lua stack. */
static const char *path(struct walk *w)
{
	lua_State *L = w->L;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (int i = 0; i < w->depth; i++) {
		if (w->key[i]) {
			luaL_addchar(&b, '.');
			luaL_addlstring(&b, w->key[i], strnlen(w->key[i], 40));
		} else if (w->place[i]) {
			lua_pushfstring(L, "[%I]", (LUAI_UACINT)w->place[i]);
			luaL_addvalue(&b);
		}
	}
	luaL_pushresult(&b);
	return lua_tostring(L, -1);
}

static _Noreturn void refuse(struct walk *w, const char *why)
{
	const char *at = path(w);

	host_fail(w->L, "%s: the value%s%s%s", w->what, *at ? " at " : "", at, why);
}

static cJSON *string(struct walk *w, int index)
{
	size_t n;
	const char *s = lua_tolstring(w->L, index, &n);

	if (memchr(s, '\0', n))
		refuse(w, " has a byte 0, which JSON texts here may not have");
	if (!sk_utf8_valid(s, n))
		refuse(w, " is not UTF-8, so it cannot be JSON");
	host_charge(w->L, n / 64);
	return sk_json_stringn(w->arena, s, n);
}

static cJSON *number(struct walk *w, int index)
{
	double v = lua_tonumber(w->L, index);

	if (lua_isinteger(w->L, index))
		return sk_json_int(w->arena, lua_tointeger(w->L, index));
	if (!isfinite(v))
		refuse(w, isnan(v) ? " is not a number (0/0)" : " is infinite");
	return sk_json_number(w->arena, v);
}

/* -- tables -- */

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool is_marked(lua_State *L, int index)
{
	bool is = false;

	if (lua_getmetatable(L, index)) {
		is = luaL_getmetatable(L, array_kind) == LUA_TTABLE && lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	return is;
}

struct keys {
	lua_Unsigned all, names, places; /* places: whole numbers from 1 to the length */
};

static struct keys count(struct walk *w, int index)
{
	lua_State *L = w->L;
	lua_Unsigned n = lua_rawlen(L, index);
	struct keys k = { 0 };

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		k.all++;
		k.names += lua_type(L, -2) == LUA_TSTRING;
		k.places += lua_isinteger(L, -2) && (lua_Unsigned)lua_tointeger(L, -2) - 1 < n;
	}
	host_charge(L, k.all);
	return k;
}

static cJSON *list(struct walk *w, int index, lua_Integer n)
{
	cJSON *array = sk_json_array(w->arena);

	w->key[w->depth - 1] = NULL;
	for (lua_Integer i = 1; i <= n; i++) {
		w->place[w->depth - 1] = i;
		lua_rawgeti(w->L, index, i);
		sk_json_append(array, value(w, lua_gettop(w->L)));
		lua_pop(w->L, 1);
	}
	return array;
}

/* All keys are strings. */
static cJSON *object(struct walk *w, int index, size_t n)
{
	lua_State *L = w->L;
	const char **key = sk_alloc(w->arena, (n + 1) * sizeof *key);
	cJSON *members = sk_json_object(w->arena);
	size_t size, i = 0;

	host_check_arena(L);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		w->key[w->depth - 1] = key[i++] = lua_tolstring(L, -2, &size);
		if (strlen(key[i - 1]) != size || !sk_utf8_valid(key[i - 1], size))
			refuse(w, " has a name that is not UTF-8 or holds a byte 0");
	}
	qsort(key, n, sizeof *key, by_name);
	host_charge(L, n);
	for (i = 0; i < n; i++) {
		w->key[w->depth - 1] = key[i];
		lua_pushstring(L, key[i]);
		lua_rawget(L, index);
		sk_json_add(w->arena, members, key[i], value(w, lua_gettop(L)));
		lua_pop(L, 1);
	}
	return members;
}

static void enter(struct walk *w, int index)
{
	const void *table = lua_topointer(w->L, index);

	for (int i = 0; i < w->depth; i++)
		if (w->table[i] == table)
			refuse(w, " contains itself");
	if (w->depth == HOST_MOST_DEPTH)
		host_fail(w->L, "%s: tables nested deeper than %d cannot be JSON", w->what, HOST_MOST_DEPTH);
	luaL_checkstack(w->L, 8, "a table");
	w->table[w->depth] = table;
	w->key[w->depth] = NULL;
	w->place[w->depth++] = 0;
}

static cJSON *table(struct walk *w, int index)
{
	struct keys k = count(w, index);
	bool marked = is_marked(w->L, index);
	cJSON *node = NULL;

	enter(w, index);
	if (k.places == k.all && (k.all || marked) && k.all == lua_rawlen(w->L, index))
		node = list(w, index, (lua_Integer)k.all);
	else if (k.names == k.all && !marked)
		node = object(w, index, k.all);
	w->depth--;
	if (!node && marked)
		refuse(w, " is a list with holes or names: its keys must be 1 to n (null stands for nothing)");
	if (!node && !k.names)
		refuse(w, " is a list with holes: its keys must be 1 to n (null stands for nothing)");
	if (!node)
		refuse(w, " has names and numbers as keys: a list has 1 to n, an object has strings");
	return node;
}

/* A part of a document, which must get a parent of its own. */
static cJSON *shared(struct walk *w, const cJSON *node)
{
	size_t before = w->arena->total;
	cJSON *copy = sk_json_copy(w->arena, node);

	host_charge(w->L, (uint64_t)sk_json_count(node) + (w->arena->total - before) / 64);
	return copy;
}

static cJSON *other(struct walk *w, int index)
{
	bool is;
	const cJSON *node = host_node_at(w->L, index, &is);

	if (is && !node)
		refuse(w, " is a message whose payload is not JSON: m.raw is its text");
	if (is)
		return shared(w, node);
	if (lua_islightuserdata(w->L, index))
		return sk_json_null(w->arena);
	if (lua_isnil(w->L, index))
		refuse(w, " is nil: null stands for nothing in JSON");
	refuse(w, lua_pushfstring(w->L, " is a %s, which JSON does not have", luaL_typename(w->L, index)));
}

static cJSON *value(struct walk *w, int index)
{
	cJSON *node;

	switch (lua_type(w->L, index)) {
	case LUA_TBOOLEAN:
		node = sk_json_bool(w->arena, lua_toboolean(w->L, index));
		break;
	case LUA_TNUMBER:
		node = number(w, index);
		break;
	case LUA_TSTRING:
		node = string(w, index);
		break;
	case LUA_TTABLE:
		node = table(w, index);
		break;
	default:
		node = other(w, index);
	}
	host_charge(w->L, 1);
	host_check_arena(w->L);
	return node;
}

const cJSON *host_to_json(lua_State *L, int index, const char *what)
{
	struct walk w = { .L = L, .arena = host_file(L)->now->arena, .what = what };
	bool is;
	const cJSON *node = host_node_at(L, index, &is);

	return is && node ? node : value(&w, lua_absindex(L, index));
}

/* -- and back -- */

void host_mark_array(lua_State *L)
{
	luaL_setmetatable(L, array_kind);
}

static void push_list(lua_State *L, const cJSON *array)
{
	lua_Integer i = 0;

	lua_createtable(L, sk_json_count(array), 0);
	host_mark_array(L);
	SK_JSON_EACH(element, array) {
		host_push_copy(L, element);
		lua_rawseti(L, -2, ++i);
	}
}

void host_push_copy(lua_State *L, const cJSON *node)
{
	host_charge(L, 1);
	luaL_checkstack(L, 6, "a document");
	if (cJSON_IsArray(node)) {
		push_list(L, node);
	} else if (cJSON_IsObject(node)) {
		lua_newtable(L);
		SK_JSON_EACH(member, node) {
			lua_pushstring(L, member->string);
			host_push_copy(L, member);
			lua_rawset(L, -3);
		}
	} else {
		host_push_node(L, node);
	}
}

/* -- json.encode, json.decode, json.copy, array -- */

static int json_encode(lua_State *L)
{
	struct sk_arena *a = host_file(L)->now->arena;
	const cJSON *node = host_to_json(L, 1, "json.encode");
	size_t n = 0;
	const char *text = lua_toboolean(L, 2) ? sk_json_print_pretty(a, node, &n) : sk_json_print(a, node, &n);

	host_check_arena(L);
	host_charge(L, n / 16);
	lua_pushlstring(L, text, n);
	return 1;
}

static int json_decode(lua_State *L)
{
	struct sk_json_error e;
	struct sk_json_options options = { .max_depth = HOST_MOST_DEPTH };
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	const cJSON *node = sk_json_parse(host_file(L)->now->arena, text, n, &options, &e);

	host_charge(L, n / 16);
	if (!node && e.status == SK_JSON_MEMORY)
		host_check_arena(L);
	if (!node)
		host_fail(L, "json.decode: at byte %zu: %s", e.at + 1, e.why);
	host_check_arena(L);
	host_push_copy(L, node);
	return 1;
}

static int json_copy(lua_State *L)
{
	host_push_copy(L, host_to_json(L, 1, "json.copy"));
	return 1;
}

static int make_array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (lua_getmetatable(L, 1) && !is_marked(L, 1))
		host_fail(L, "array: this table has a metatable already");
	lua_settop(L, 1);
	host_mark_array(L);
	return 1;
}

void host_open_json(lua_State *L, int into)
{
	static const luaL_Reg functions[] = { { "encode", json_encode }, { "decode", json_decode }, { "copy", json_copy }, { NULL, NULL } };

	luaL_newmetatable(L, array_kind);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	lua_setfield(L, into, "json");
	lua_pushcfunction(L, make_array);
	lua_setfield(L, into, "array");
}
