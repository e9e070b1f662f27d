/* document.c -- a document as rules see it: a read-only view of the message's own nodes, read when it is asked for and not before.
 *
 * A view knows the run that it was made in; in a later one the nodes are gone, and it says so instead of looking. null is a light userdata
 * of NULL: a value of its own, which is not nil. */
#include <string.h>

#include "lua-rules/internal.h"

enum { MEMBERS_EACH = 8 }; /* members passed by that cost as much as an instruction */
static const char kind[] = "document";

struct view {
	const cJSON *node;
	uint64_t serial;     /* of the run */
	const cJSON *last;   /* element `at` of an array, the one that was asked for last */
	lua_Integer at, count; /* -1: not counted yet */
};

void host_push_null(lua_State *L)
{
	lua_pushlightuserdata(L, NULL);
}

static void push_number(lua_State *L, const cJSON *node)
{
	int64_t i;

	if (sk_json_to_int(node, &i))
		lua_pushinteger(L, i);
	else
		lua_pushnumber(L, node->valuedouble);
}

static void push_view(lua_State *L, const cJSON *node)
{
	struct view *v = lua_newuserdatauv(L, sizeof *v, 0);

	*v = (struct view){ .node = node, .serial = host_file(L)->serial, .count = -1 };
	luaL_setmetatable(L, kind);
}

void host_push_node(lua_State *L, const cJSON *node)
{
	if (!node || cJSON_IsInvalid(node))
		lua_pushnil(L);
	else if (cJSON_IsNull(node))
		host_push_null(L);
	else if (cJSON_IsBool(node))
		lua_pushboolean(L, cJSON_IsTrue(node));
	else if (cJSON_IsNumber(node))
		push_number(L, node);
	else if (cJSON_IsString(node))
		lua_pushstring(L, node->valuestring);
	else
		push_view(L, node);
}

static struct view *view_at(lua_State *L, int index)
{
	struct view *v = luaL_checkudata(L, index, kind);

	if (v->serial != host_file(L)->serial)
		host_fail(L, "this document was part of an earlier message: keep a copy, json.copy(...), or what you need of it in state");
	return v;
}

const cJSON *host_node_at(lua_State *L, int index, bool *is)
{
	*is = luaL_testudata(L, index, kind) != NULL;
	if (*is)
		return view_at(L, index)->node;
	*is = host_is_message(L, index);
	return *is ? host_file(L)->now->message->document : NULL;
}

/* -- what [] means -- */

void host_push_member(lua_State *L, const cJSON *object, const char *key)
{
	uint64_t passed = 0;
	const cJSON *found = NULL;

	for (const cJSON *c = object->child; c && !found; c = c->next, passed++)
		if (strcmp(c->string, key) == 0)
			found = c;
	host_charge(L, passed / MEMBERS_EACH);
	host_push_node(L, found);
}

/* Counts from 1. Where the last one was asked for, the next one is near. */
static const cJSON *element(lua_State *L, struct view *v, lua_Integer i)
{
	uint64_t passed = 0;

	if (i < 1)
		return NULL;
	if (!v->last || i < v->at) {
		v->last = v->node->child;
		v->at = 1;
	}
	const cJSON *c = v->last;
	for (lua_Integer at = v->at; c && at < i; at++, passed++)
		c = c->next;
	if (c) {
		v->last = c;
		v->at = i;
	}
	host_charge(L, passed / MEMBERS_EACH);
	return c;
}

static int view_index(lua_State *L)
{
	struct view *v = view_at(L, 1);
	int type = lua_type(L, 2), whole = false;
	lua_Integer i = type == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0;

	if (cJSON_IsObject(v->node) && type == LUA_TSTRING)
		host_push_member(L, v->node, lua_tostring(L, 2));
	else
		host_push_node(L, whole && cJSON_IsArray(v->node) ? element(L, v, i) : NULL);
	return 1;
}

static int view_newindex(lua_State *L)
{
	host_fail(L, "a document is read-only: json.copy(...) makes a table of it");
}

static int view_len(lua_State *L)
{
	struct view *v = view_at(L, 1);

	if (!cJSON_IsArray(v->node))
		host_fail(L, "an object has no length: only lists have");
	if (v->count < 0) {
		v->count = sk_json_count(v->node);
		host_charge(L, (uint64_t)v->count / MEMBERS_EACH);
	}
	lua_pushinteger(L, v->count);
	return 1;
}

static int view_eq(lua_State *L)
{
	bool first, second;
	const cJSON *x = host_node_at(L, 1, &first), *y = host_node_at(L, 2, &second);

	lua_pushboolean(L, first && second && x == y);
	return 1;
}

static int view_tostring(lua_State *L)
{
	const cJSON *node = view_at(L, 1)->node;
	size_t n = 0;
	const char *text = sk_json_print(host_file(L)->now->arena, node, &n);

	host_check_arena(L);
	host_charge(L, n / MEMBERS_EACH);
	lua_pushlstring(L, text, n);
	return 1;
}

/* The iterator of pairs: upvalues are the view, the node that comes next, its place. */
static int next_node(lua_State *L)
{
	const struct view *v = view_at(L, lua_upvalueindex(1));
	const cJSON *c = lua_touserdata(L, lua_upvalueindex(2));
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));

	if (!c)
		return 0;
	lua_pushlightuserdata(L, c->next);
	lua_replace(L, lua_upvalueindex(2));
	lua_pushinteger(L, i + 1);
	lua_replace(L, lua_upvalueindex(3));
	if (cJSON_IsObject(v->node))
		lua_pushstring(L, c->string);
	else
		lua_pushinteger(L, i);
	host_push_node(L, c);
	return 2;
}

static int view_pairs(lua_State *L)
{
	const struct view *v = view_at(L, 1);

	lua_pushvalue(L, 1);
	lua_pushlightuserdata(L, v->node->child);
	lua_pushinteger(L, 1);
	lua_pushcclosure(L, next_node, 3);
	lua_pushvalue(L, 1);
	return 2;
}

/* -- null -- */

static int null_tostring(lua_State *L)
{
	lua_pushliteral(L, "null");
	return 1;
}

static int null_index(lua_State *L)
{
	host_fail(L, "null has no member '%s'", luaL_tolstring(L, 2, NULL));
}

static void open_null(lua_State *L)
{
	static const luaL_Reg methods[] = { { "__tostring", null_tostring }, { "__index", null_index }, { "__newindex", null_index }, { NULL, NULL } };

	host_push_null(L);
	luaL_newlib(L, methods);
	lua_pushliteral(L, "null");
	lua_setfield(L, -2, "__name");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

void host_open_documents(lua_State *L)
{
	static const luaL_Reg methods[] = { { "__index", view_index }, { "__newindex", view_newindex }, { "__len", view_len }, { "__eq", view_eq },
		{ "__tostring", view_tostring }, { "__pairs", view_pairs }, { NULL, NULL } };

	luaL_newmetatable(L, kind);
	luaL_setfuncs(L, methods, 0);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	open_null(L);
}
