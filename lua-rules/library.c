/* library.c -- the base table: what lib/ is made on, and all that a run can do to the world.
 *
 * Nothing is done here. What a rule wants done becomes an effect in the run's arena, in order; what it asks goes through the world's callback. */
#include <string.h>
#include <time.h>

#include "core/utf8.h"
#include "lua-rules/internal.h"
#include "rules/rule.h"

enum { MOST_TEXT = 65535, MOST_LOG = 1024, MOST_KEY = 256, MOST_USER = 64 };
static const char base_key; /* of the registry */

static struct host_now *running(lua_State *L, const char *what)
{
	struct host_now *now = host_file(L)->now;

	if (!now->world)
		host_fail(L, "%s: only while a rule runs, not while its file is loaded", what);
	return now;
}

/* What belongs to a rule. */
static struct host_now *running_rule(lua_State *L, const char *what)
{
	struct host_now *now = running(L, what);

	if (now->rule < 0)
		host_fail(L, "%s: rules have it, a function keeps nothing: a shadow does", what);
	return now;
}

/* -- arguments -- */

/* A text of the arena: UTF-8, without NUL, at least one byte, at most `most`. */
static const char *text_at(lua_State *L, int index, const char *what, size_t most)
{
	size_t n;
	const char *s;

	if (lua_type(L, index) != LUA_TSTRING)
		host_fail(L, "%s: expected text, got %s", what, luaL_typename(L, index));
	s = lua_tolstring(L, index, &n);
	if (n == 0 || n > most)
		host_fail(L, "%s: expected 1 to %zu bytes, got %zu", what, most, n);
	if (memchr(s, '\0', n) || !sk_utf8_valid(s, n))
		host_fail(L, "%s: expected UTF-8 without a byte 0", what);
	s = sk_strndup(host_file(L)->now->arena, s, n);
	host_check_arena(L);
	return s;
}

/* The member of the options at `index`, as text; NULL: it is not there. */
static const char *option_text(lua_State *L, int index, const char *key)
{
	const char *s = NULL;

	if (lua_getfield(L, index, key) != LUA_TNIL)
		s = text_at(L, -1, key, MOST_TEXT);
	lua_pop(L, 1);
	return s;
}

static lua_Integer option_integer(lua_State *L, int index, const char *key, lua_Integer most)
{
	lua_Integer n = 0;
	int is = true;

	if (lua_getfield(L, index, key) != LUA_TNIL)
		n = lua_tointegerx(L, -1, &is);
	if (!is || n < 0 || n > most)
		host_fail(L, "%s: expected a whole number from 0 to %lld", key, (long long)most);
	lua_pop(L, 1);
	return n;
}

static bool option_true(lua_State *L, int index, const char *key)
{
	bool is = lua_getfield(L, index, key) != LUA_TNIL && lua_toboolean(L, -1);

	lua_pop(L, 1);
	return is;
}

/* -- effects -- */

static struct lua_effect *leave(lua_State *L, enum lua_effect_kind kind, const char *name)
{
	struct host_now *now = host_file(L)->now;
	struct lua_effect *e = sk_alloc(now->arena, sizeof *e);

	host_check_arena(L);
	if (++now->effects > HOST_MOST_EFFECTS)
		host_stop(L, "more than 1000 effects of one run");
	host_charge(L, 10);
	e->kind = kind;
	e->name = name;
	return e;
}

/* Only what is complete is part of the run. */
static int done(lua_State *L, struct lua_effect *e)
{
	struct host_now *now = host_file(L)->now;

	*now->end = e;
	now->end = &e->next;
	return 0;
}

/* Texts as they are, anything else as JSON. */
static void set_payload(lua_State *L, int index, const char *what, struct sk_message *m)
{
	struct sk_arena *a = host_file(L)->now->arena;
	char *copy;

	if (lua_type(L, index) == LUA_TSTRING) {
		const char *s = lua_tolstring(L, index, &m->size);
		m->payload = copy = sk_alloc_text(a, m->size + 1);
		host_check_arena(L);
		memcpy(copy, s, m->size);
		copy[m->size] = '\0';
	} else {
		m->payload = sk_json_print(a, host_to_json(L, index, what), &m->size);
		host_check_arena(L);
	}
	host_charge(L, m->size / 16);
}

static void set_user(lua_State *L, int options, struct sk_message *m)
{
	struct sk_user_property *user;
	int type = lua_getfield(L, options, "user");

	if (type != LUA_TNIL && type != LUA_TTABLE)
		host_fail(L, "user: expected a table { name = \"value\" }: json.copy(...) makes one of a document");
	if (type == LUA_TTABLE) {
		m->user = user = sk_alloc(host_file(L)->now->arena, MOST_USER * sizeof *user);
		host_check_arena(L);
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1), m->users++) {
			if (m->users == MOST_USER)
				host_fail(L, "user: more than %d properties", MOST_USER);
			user[m->users].name = text_at(L, -2, "user: the name of a property", MOST_TEXT);
			user[m->users].value = text_at(L, -1, "user: the value of a property", MOST_TEXT);
		}
	}
	lua_pop(L, 1);
}

static void set_options(lua_State *L, int index, struct sk_message *m)
{
	const char *correlation;

	m->flags = (option_integer(L, index, "qos", 1) ? SK_QOS1 : SK_QOS0) | (option_true(L, index, "retain") ? SK_RETAIN : 0);
	m->utf8 = option_true(L, index, "utf8");
	m->expiry_s = (uint32_t)option_integer(L, index, "expiry", UINT32_MAX);
	m->content_type = option_text(L, index, "content_type");
	m->response_topic = option_text(L, index, "response_topic");
	correlation = option_text(L, index, "correlation");
	m->correlation = correlation;
	m->correlation_size = correlation ? strlen(correlation) : 0;
	set_user(L, index, m);
}

static const char *topic_at(lua_State *L, int index)
{
	const char *topic = text_at(L, index, "publish: the topic", MOST_TEXT);

	if (strpbrk(topic, "+#"))
		host_fail(L, "publish: '%.80s' is a filter: a topic has no + and no #", topic);
	if (topic[0] == '$' && strncmp(topic, "$aws/", 5) != 0)
		host_fail(L, "publish: '%.80s': of topics that begin with $ only $aws/... take messages", topic);
	return topic;
}

/* publish(topic, payload, options) */
static int base_publish(lua_State *L)
{
	struct lua_effect *e;

	running(L, "publish");
	e = leave(L, LUA_PUBLISH, topic_at(L, 1));
	set_payload(L, 2, "publish", &e->message);
	if (!lua_isnoneornil(L, 3) && !lua_istable(L, 3))
		host_fail(L, "publish: expected a table of options: json.copy(...) makes one of a document");
	if (!lua_isnoneornil(L, 3))
		set_options(L, 3, &e->message);
	return done(L, e);
}

/* The payload of an action: what was given, else the message's. */
static void set_action_payload(lua_State *L, const char *name, struct sk_message *to)
{
	const struct lua_message *m = host_file(L)->now->message;

	if (!lua_isnoneornil(L, 3)) {
		set_payload(L, 3, name, to);
	} else if (m && m->payload) {
		to->payload = m->payload;
		to->size = m->size;
	} else {
		host_fail(L, "sink.%s: expected a payload: a timer has no message of its own", name);
	}
}

/* act(name, fields, payload) */
static int base_act(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct lua_effect *e;

	if (running(L, name)->rule < 0)
		host_fail(L, "sink.%s: rules have it: publish what a rule takes up", name);
	e = leave(L, LUA_ACTION, text_at(L, 1, "sink", MOST_KEY));
	e->document = host_to_json(L, 2, name);
	set_action_payload(L, name, &e->message);
	return done(L, e);
}

/* set_state(key, value): nil forgets */
static int base_set_state(lua_State *L)
{
	struct lua_effect *e;

	running_rule(L, "state.set");
	e = leave(L, LUA_SET_STATE, text_at(L, 1, "state.set: the key", MOST_KEY));
	if (!lua_isnoneornil(L, 2))
		e->document = host_to_json(L, 2, "state.set");
	return done(L, e);
}

/* set_timer(name, seconds, data) */
static int base_set_timer(lua_State *L)
{
	const struct host_now *now = running_rule(L, "timer.set");
	double seconds = lua_tonumber(L, 2);
	struct lua_effect *e;

	if (!lua_isnumber(L, 2) || !(seconds >= 0 && seconds <= 366 * 86400.0))
		host_fail(L, "timer.set: expected 0 to %d seconds", 366 * 86400);
	if (!host_file(L)->rule[now->rule].rule.has_timer)
		host_fail(L, "timer.set: rule '%s' declares no timer = function(name, data)", host_file(L)->rule[now->rule].rule.name);
	e = leave(L, LUA_SET_TIMER, text_at(L, 1, "timer.set: the name", MOST_KEY));
	e->due_ms = now->world->now_ms + (int64_t)(seconds * 1000);
	if (!lua_isnoneornil(L, 3))
		e->document = host_to_json(L, 3, "timer.set");
	return done(L, e);
}

static int base_clear_timer(lua_State *L)
{
	running_rule(L, "timer.clear");
	return done(L, leave(L, LUA_CLEAR_TIMER, text_at(L, 1, "timer.clear: the name", MOST_KEY)));
}

/* log(line): control characters become blanks. */
static int base_log(lua_State *L)
{
	size_t n;
	const char *s = luaL_checklstring(L, 1, &n);
	struct lua_effect *e;
	char *line;

	running(L, "log");
	n = n > MOST_LOG ? MOST_LOG : n;
	while (n && n == MOST_LOG && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	line = sk_strndup(host_file(L)->now->arena, s, n);
	host_check_arena(L);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	e = leave(L, LUA_LOG, sk_utf8_valid(line, n) ? line : "(a line that is not UTF-8)");
	return done(L, e);
}

/* -- questions -- */

static const cJSON *ask(lua_State *L, enum lua_ask what, const char *a, const char *b)
{
	static const char *const names[] = { "state.get", "shadow.get", "registry.thing" };
	struct host_now *now = running(L, names[what]);
	const cJSON *answer = NULL;
	const char *why = NULL;
	int rc = now->world->ask ? now->world->ask(now->world->ctx, what, a, b, now->arena, &answer, &why) : 0;

	host_charge(L, 20);
	host_check_arena(L);
	if (rc < 0)
		host_fail(L, "%s: %s", names[what], why ? why : sk_error_info(rc)->name);
	return answer;
}

/* What this run itself has set, the last one; false: nothing. */
static bool set_before(lua_State *L, const char *key, const cJSON **value)
{
	const struct host_now *now = host_file(L)->now;
	bool is = false;

	for (const struct lua_effect *e = now->first; e; e = e->next)
		if (e->kind == LUA_SET_STATE && strcmp(e->name, key) == 0) {
			*value = e->document;
			is = true;
		}
	host_charge(L, (uint64_t)now->effects / 4);
	return is;
}

/* state(key): tables that may be changed */
static int base_state(lua_State *L)
{
	const char *key;
	const cJSON *value = NULL;

	running_rule(L, "state.get");
	key = text_at(L, 1, "state.get: the key", MOST_KEY);
	if (!set_before(L, key, &value))
		value = ask(L, LUA_STATE, key, NULL);
	host_push_copy(L, value);
	return 1;
}

static int base_shadow(lua_State *L)
{
	const char *thing = text_at(L, 1, "shadow.get: the thing", MOST_KEY);

	host_push_node(L, ask(L, LUA_SHADOW, thing, lua_isnoneornil(L, 2) ? NULL : text_at(L, 2, "shadow.get: the shadow", MOST_KEY)));
	return 1;
}

static int base_thing(lua_State *L)
{
	host_push_node(L, ask(L, LUA_THING, text_at(L, 1, "registry.thing: the thing", MOST_KEY), NULL));
	return 1;
}

static int base_now(lua_State *L)
{
	lua_pushinteger(L, running(L, "time")->world->now_ms);
	return 1;
}

/* -- time in UTC -- */

static void broken_down(lua_State *L, int index, struct tm *tm)
{
	int is;
	lua_Number seconds = lua_tonumberx(L, index, &is);
	time_t t;

	if (!is || !(seconds >= -62135596800.0 && seconds < 253402300800.0))
		host_fail(L, "time: expected seconds since 1970, of the years 1 to 9999");
	t = (time_t)seconds - (seconds < (lua_Number)(time_t)seconds);
	gmtime_r(&t, tm);
}

/* format(text, seconds): strftime's letters that depend on no locale but C's */
static int base_format(lua_State *L)
{
	const char *format = luaL_checkstring(L, 1);
	struct tm tm;
	char text[512];

	broken_down(L, 2, &tm);
	for (const char *s = strchr(format, '%'); s; s = strchr(s + 2, '%'))
		if (!s[1] || !strchr("aAbBCdDeFgGHIjmMnpRSTuUVwWyYZz%", s[1]))
			host_fail(L, "time.format: '%%%.1s' is not one of %%Y %%m %%d %%H %%M %%S %%F %%T %%j %%a %%b ...", s + 1);
	if (*format && strftime(text, sizeof text, format, &tm) == 0)
		host_fail(L, "time.format: the text would be longer than %zu bytes", sizeof text - 1);
	lua_pushstring(L, *format ? text : "");
	return 1;
}

static int base_utc(lua_State *L)
{
	struct tm tm;

	broken_down(L, 1, &tm);
	const struct {
		const char *name;
		int n;
	} fields[] = { { "year", tm.tm_year + 1900 }, { "month", tm.tm_mon + 1 }, { "day", tm.tm_mday }, { "hour", tm.tm_hour }, { "min", tm.tm_min },
		{ "sec", tm.tm_sec }, { "weekday", tm.tm_wday ? tm.tm_wday : 7 }, { "yearday", tm.tm_yday + 1 } };

	lua_createtable(L, 0, sizeof fields / sizeof *fields);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		lua_pushinteger(L, fields[i].n);
		lua_setfield(L, -2, fields[i].name);
	}
	return 1;
}

/* -- errors -- */

/* fail(text): with the line of the rule's file. */
static int base_fail(lua_State *L)
{
	host_fail(L, "%s", luaL_checkstring(L, 1));
}

/* did_you_mean(word, table whose keys are the names) */
static int base_did_you_mean(lua_State *L)
{
	enum { MOST = 64 };
	const char *name[MOST + 1];
	int n = 0;
	const char *word = luaL_tolstring(L, 1, NULL);

	luaL_checktype(L, 2, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
		if (n < MOST && lua_type(L, -2) == LUA_TSTRING)
			name[n++] = lua_tostring(L, -2);
	name[n] = NULL;
	lua_pushstring(L, host_did_you_mean(L, word, name));
	return 1;
}

/* The names of all actions, as keys. */
static int base_actions(lua_State *L)
{
	lua_newtable(L);
	for (const struct rules_kind *k = rules_kinds; k->name; k++) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, k->name);
	}
	return 1;
}

void host_push_base(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "publish", base_publish }, { "act", base_act }, { "set_state", base_set_state }, { "set_timer", base_set_timer },
		{ "clear_timer", base_clear_timer }, { "log", base_log }, { "state", base_state }, { "shadow", base_shadow }, { "thing", base_thing },
		{ "now", base_now }, { "format", base_format }, { "utc", base_utc }, { "fail", base_fail }, { "did_you_mean", base_did_you_mean },
		{ "actions", base_actions }, { "begin", host_begin }, { "declare_rule", host_declare_rule }, { "declare_test", host_declare_test },
		{ "sql_value", host_sql_function }, { NULL, NULL }
	};

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &base_key) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	lua_newtable(L);
	host_open_lists(L, lua_gettop(L));
	lua_setfield(L, -2, "table");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &base_key);
}
