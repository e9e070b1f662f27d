/* declare.c -- what lib/rule.lua and lib/test.lua have read, kept as struct lua_rule and struct host_test.
 *
 * Texts and lists are the file's; functions stay in Lua and are known by reference. What SQL there is has been compiled once, so that a file that loads
 * holds no statement that does not. */
#include <string.h>

#include "lua-rules/internal.h"
#include "rules/filters.h"
#include "rules/rule.h"

enum { MOST_NAME = 128 };
static const char usual_version[] = "2016-03-23";

/* -- lists that grow in the file's arena -- */

/* What a file keeps counts like what its state has. */
static void check_kept(lua_State *L)
{
	const struct lua_file *f = host_file(L);

	if (f->kept.failed || f->kept.total > f->limits.memory)
		host_stop(L, "not enough memory");
}

/* Room for one more after n, which is 0 or a power of two when it must grow; NULL: memory is out. */
static void *grown(lua_State *L, void *list, int n, size_t size)
{
	void *more = list;

	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
		more = sk_alloc(&host_file(L)->kept, size * (size_t)(n ? 2 * n : 4));
		check_kept(L);
		if (n)
			memcpy(more, list, size * (size_t)n);
	}
	return more;
}

static const char *kept(lua_State *L, const char *text)
{
	const char *copy = sk_strdup(&host_file(L)->kept, text);

	check_kept(L);
	return copy;
}

/* -- rule "name" and test "name" are two steps: the second one must follow -- */

static void check_loading(lua_State *L, const char *what)
{
	if (!host_file(L)->loading)
		host_fail(L, "%s: only while the file is loaded", what);
}

/* begin("rule", name): its line. */
int host_begin(lua_State *L)
{
	struct lua_file *f = host_file(L);
	const char *what = luaL_checkstring(L, 1);

	check_loading(L, what);
	if (lua_type(L, 2) != LUA_TSTRING)
		host_fail(L, "%s: expected its name, as in %s \"name\" { ... }", what, what);
	if (f->begun)
		host_fail(L, "%s of line %d has no { ... }", f->begun, f->begun_line);
	f->begun = kept(L, lua_pushfstring(L, "%s \"%s\"", what, lua_tostring(L, 2)));
	f->begun_line = host_line(L);
	lua_pushinteger(L, f->begun_line);
	return 1;
}

/* -- fields of the table at index 3 -- */

static const char *field_text(lua_State *L, const char *key)
{
	const char *text = NULL;
	size_t n;

	if (lua_getfield(L, 3, key) == LUA_TSTRING) {
		text = lua_tolstring(L, -1, &n);
		if (strlen(text) != n || !sk_utf8_valid(text, n))
			host_fail(L, "%s: expected UTF-8 without a byte 0", key);
		text = kept(L, text);
	}
	lua_pop(L, 1);
	return text;
}

static int field_function(lua_State *L, const char *key)
{
	if (lua_getfield(L, 3, key) == LUA_TFUNCTION)
		return luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pop(L, 1);
	return LUA_NOREF;
}

/* A list or object as JSON, parsed into *node. */
static const char *field_json(lua_State *L, const char *key, const cJSON **node)
{
	const char *text = NULL;

	if (lua_getfield(L, 3, key) == LUA_TTABLE) {
		*node = host_to_json(L, -1, key);
		text = sk_json_print(host_file(L)->now->arena, *node, NULL);
		host_check_arena(L);
		text = kept(L, text);
	}
	lua_pop(L, 1);
	return text;
}

static bool field_true(lua_State *L, const char *key)
{
	bool is = lua_getfield(L, 3, key) == LUA_TBOOLEAN && lua_toboolean(L, -1);

	lua_pop(L, 1);
	return is;
}

/* -- what must fit together -- */

static void check_name(lua_State *L, const char *name)
{
	struct lua_file *f = host_file(L);
	size_t n = strlen(name);

	if (!n || n > MOST_NAME || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != n)
		host_fail(L, "rule \"%.140s\": a name has 1 to %d letters, digits and _", name, MOST_NAME);
	for (int i = 0; i < f->rules; i++)
		if (strcmp(f->rule[i].rule.name, name) == 0)
			host_fail(L, "rule \"%s\" stands on line %d already", name, f->rule[i].rule.line);
	if (f->rules == HOST_MOST_RULES)
		host_fail(L, "more than %d rules in one file", HOST_MOST_RULES);
}

static void check_parts(lua_State *L, const struct lua_rule *r, bool where)
{
	const char *name = r->name;

	if (!r->filter == !r->sql)
		host_fail(L, "rule \"%s\": expected either topic = \"...\" or sql = [[SELECT ...]]", name);
	if (!r->has_run == !r->actions)
		host_fail(L, "rule \"%s\": expected either run = function(m) ... end or, with sql, actions = { ... }", name);
	if (r->actions && !r->sql)
		host_fail(L, "rule \"%s\": actions need sql = [[SELECT ...]]; with topic it is run = function(m) ... end", name);
	if (r->actions && r->has_timer)
		host_fail(L, "rule \"%s\": timer needs run = function(m) ... end, which sets it", name);
	if (where && r->sql)
		host_fail(L, "rule \"%s\": sql has a WHERE of its own, so where is not for it", name);
	if (r->filter && !rules_filter_valid(r->filter))
		host_fail(L, "rule \"%s\": '%.100s' is no topic filter", name, r->filter);
}

/* The statement and the actions are what CreateTopicRule would take. */
static void check_statement(lua_State *L, const struct lua_rule *r, const cJSON *actions, const cJSON *error_action)
{
	struct sk_arena *a = host_file(L)->now->arena;
	cJSON *payload = sk_json_object(a);
	struct rules_error e = { 0 };

	sk_json_set_string(a, payload, "sql", r->sql ? r->sql : sk_printf(a, "SELECT * FROM '%s'", "rule"));
	sk_json_set_string(a, payload, "awsIotSqlVersion", r->sql_version);
	sk_json_set(a, payload, "actions", actions ? sk_json_copy(a, actions) : sk_json_array(a));
	if (error_action)
		sk_json_set(a, payload, "errorAction", sk_json_copy(a, error_action));
	if (!rules_compile(a, r->name, payload, &(struct rules_settings){ 0 }, &e)) {
		host_check_arena(L);
		host_fail(L, "rule \"%s\": %s%s", r->name, e.error == SK_E_SQL_PARSE ? "sql: " : "", e.message);
	}
}

static void compile_where(lua_State *L, struct host_declared *d)
{
	if (lua_getfield(L, 3, "where") == LUA_TSTRING) {
		host_sql_compile(L, "where", "SELECT * FROM 'x' WHERE ", lua_tostring(L, -1), "");
		d->condition = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	lua_pop(L, 1);
}

/* declare_rule(name, line, fields): types of the fields have been checked. */
int host_declare_rule(lua_State *L)
{
	struct lua_file *f = host_file(L);
	struct host_declared d = { .where = LUA_NOREF, .run = LUA_NOREF, .timer = LUA_NOREF, .condition = LUA_NOREF };
	struct lua_rule *r = &d.rule;
	const cJSON *actions = NULL, *error_action = NULL;

	check_loading(L, "rule");
	check_name(L, luaL_checkstring(L, 1));
	r->name = kept(L, lua_tostring(L, 1));
	r->line = (int)lua_tointeger(L, 2);
	r->description = field_text(L, "description");
	r->filter = field_text(L, "topic");
	r->sql = field_text(L, "sql");
	r->sql_version = field_text(L, "sql_version");
	if (r->sql && !r->sql_version)
		r->sql_version = usual_version;
	r->actions = field_json(L, "actions", &actions);
	r->error_action = field_json(L, "error_action", &error_action);
	r->disabled = field_true(L, "disabled");
	d.where = field_function(L, "where");
	d.run = field_function(L, "run");
	d.timer = field_function(L, "timer");
	compile_where(L, &d);
	r->has_where = d.where != LUA_NOREF || d.condition != LUA_NOREF;
	r->has_run = d.run != LUA_NOREF;
	r->has_timer = d.timer != LUA_NOREF;
	check_parts(L, r, r->has_where);
	if (r->sql || error_action)
		check_statement(L, r, actions, error_action);
	f->rule = grown(L, f->rule, f->rules, sizeof d);
	f->rule[f->rules++] = d;
	f->begun = NULL;
	return 0;
}

/* declare_test(name, line, fields) */
int host_declare_test(lua_State *L)
{
	struct lua_file *f = host_file(L);
	struct host_test t = { .line = (int)lua_tointeger(L, 2) };
	const char *text;

	check_loading(L, "test");
	t.name = kept(L, luaL_checkstring(L, 1));
	text = sk_json_print(f->now->arena, host_to_json(L, 3, lua_pushfstring(L, "test \"%s\"", t.name)), NULL);
	host_check_arena(L);
	if (f->tests == HOST_MOST_TESTS)
		host_fail(L, "more than %d tests in one file", HOST_MOST_TESTS);
	t.text = kept(L, text);
	f->test = grown(L, f->test, f->tests, sizeof t);
	f->test[f->tests++] = t;
	f->begun = NULL;
	return 0;
}
