/* query.c -- AWS IoT SQL within rules: `where` as text, and sql.value("expression", m).
 *
 * An expression is compiled as part of a statement. A program is one block without pointers, so it lives in Lua's memory like any other value. */
#include <string.h>

#include "core/properties.h"
#include "lua-rules/internal.h"
#include "sql/sql.h"

enum { MOST_KEPT = 64, MOST_USER = 32, MOST_EXPRESSION = 16384 };
static const char kept_key; /* of the registry: programs of sql.value by their text */

static _Noreturn void refuse(lua_State *L, const char *what, const struct expr_error *e, size_t before)
{
	const char *why = strstr(e->message, ": ");

	if (e->line != 1)
		host_fail(L, "%s: %s", what, e->message);
	host_fail(L, "%s: column %d: %s", what, e->column > (int)before ? e->column - (int)before : 1, why ? why + 2 : e->message);
}

void host_sql_compile(lua_State *L, const char *what, const char *before, const char *expression, const char *after)
{
	struct sk_arena *a = host_file(L)->now->arena;
	const struct sql_options options = { .version = SQL_2016_03_23 };
	const struct expr_program *p;
	struct expr_error e = { .line = 1 };
	char *text;

	if (strlen(expression) > MOST_EXPRESSION)
		host_fail(L, "%s: an expression of more than %d bytes", what, MOST_EXPRESSION);
	text = sk_printf(a, "%s%s%s", before, expression, after);
	host_check_arena(L);
	p = sql_compile(a, text, strlen(text), &options, &e);
	host_charge(L, strlen(text));
	host_check_arena(L);
	if (!p)
		refuse(L, what, &e, strlen(before));
	memcpy(lua_newuserdatauv(L, p->size, 0), p, p->size);
}

/* -- the message -- */

/* get_thing_shadow(thing [, shadow], role) and get_registry_data("DescribeThing", thing, role), by the world's callback. */
static int look(void *ctx, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	const struct host_now *now = ctx;
	const struct lua_world *w = now->world;
	bool shadow = strcmp(what->function, "get_thing_shadow") == 0, registry = strcmp(what->function, "get_registry_data") == 0;
	const char *first = what->count > 0 ? cJSON_GetStringValue(what->args[0]) : NULL, *second = what->count > 1 ? cJSON_GetStringValue(what->args[1]) : NULL;

	if (shadow && first && w->ask)
		return w->ask(w->ctx, LUA_SHADOW, first, what->count > 2 ? second : NULL, now->arena, answer, why);
	if (registry && first && second && w->ask && strcmp(first, "DescribeThing") == 0)
		return w->ask(w->ctx, LUA_THING, second, NULL, now->arena, answer, why);
	if (shadow || (registry && first && strcmp(first, "DescribeThing") == 0))
		return SQL_ANSWERED;
	*why = "not within a rule in Lua: write it as sql = [[SELECT ...]]";
	return SK_E_UNAVAILABLE;
}

static const char *copy(struct sk_arena *a, const char *s, size_t n)
{
	return sk_strndup(a, s, n);
}

static void set_properties(struct sql_message *to, const struct lua_message *m, struct sk_arena *a)
{
	const unsigned char *at = m->properties;
	struct sk_properties list = { .at = at, .end = at ? at + m->properties_size : at };
	struct sql_property *user = at ? sk_alloc(a, (MOST_USER + 1) * sizeof *user) : NULL;
	struct sk_property p;
	int users = 0;

	to->user = user;
	while (user && sk_properties_next(&list, &p)) {
		if (p.id == SK_PROPERTY_USER_PROPERTY && users < MOST_USER)
			user[users++] = (struct sql_property){ copy(a, p.text, p.size), copy(a, p.value, p.value_size) };
		else if (p.id == SK_PROPERTY_CONTENT_TYPE)
			to->content_type = copy(a, p.text, p.size);
		else if (p.id == SK_PROPERTY_RESPONSE_TOPIC)
			to->response_topic = copy(a, p.text, p.size);
		else if (p.id == SK_PROPERTY_PAYLOAD_FORMAT)
			to->format = (int)p.number;
		else if (p.id == SK_PROPERTY_CORRELATION_DATA) {
			to->correlation = p.text;
			to->correlation_size = p.size;
		}
	}
}

void host_sql_message(struct host_now *now, const struct lua_message *m, struct sql_message *to)
{
	*to = (struct sql_message){
		.topic = m->topic, .payload = m->payload, .size = m->size, .document = m->document, .client_id = m->client_id, .principal = m->principal,
		.source_ip = m->source_ip, .format = -1, .now_ms = now->world->now_ms, .world = now, .look = look,
	};
	memcpy(to->seed, now->world->seed, sizeof to->seed);
	set_properties(to, m, now->arena);
}

static bool is_late(void *state)
{
	return host_late(state);
}

static void run(lua_State *L, int index, struct sql_result *out)
{
	struct lua_file *f = host_file(L);
	const struct expr_limits limits = { .steps = f->limits.instructions > f->spent ? f->limits.instructions - f->spent : 1, .bytes = f->limits.memory,
		.stop = is_late, .state = f };
	struct sql_message m;

	host_sql_message(f->now, f->now->message, &m);
	host_check_arena(L);
	int rc = sql_run(lua_touserdata(L, index), &m, f->now->arena, &limits, out);
	host_charge(L, out->steps);
	host_check_arena(L);
	if (rc != SK_OK)
		host_fail(L, "sql: %s", out->why ? out->why : sk_error_info(rc)->name);
}

bool host_sql_matches(lua_State *L, int index)
{
	struct sql_result r;

	run(L, index, &r);
	return r.outcome != SQL_NO_MATCH;
}

/* -- sql.value(expression, m) -- */

/* The program of the text at index 1, on the stack. */
static void push_program(lua_State *L)
{
	lua_Integer n;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) == LUA_TTABLE) {
		lua_pushvalue(L, 1);
		if (lua_rawget(L, -2) == LUA_TUSERDATA)
			return;
		lua_pop(L, 1);
		lua_rawgeti(L, -1, 0);
	} else {
		lua_pushnil(L);
	}
	n = lua_tointeger(L, -1);
	lua_pop(L, 1);
	if (n == 0 || n >= MOST_KEPT) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
		n = 0;
	}
	host_sql_compile(L, "sql.value", "SELECT VALUE (", lua_tostring(L, 1), ") FROM 'x'");
	lua_pushvalue(L, 1);
	lua_pushvalue(L, -2);
	lua_rawset(L, -4);
	lua_pushinteger(L, n + 1);
	lua_rawseti(L, -3, 0);
}

int host_sql_function(lua_State *L)
{
	struct sql_result r;

	if (lua_type(L, 1) != LUA_TSTRING)
		host_fail(L, "sql.value: expected an expression as text, got %s", luaL_typename(L, 1));
	if (!host_is_message(L, 2))
		host_fail(L, "sql.value: expected (expression, m), m being the rule's message");
	push_program(L);
	run(L, lua_gettop(L), &r);
	host_push_node(L, r.document);
	return 1;
}
