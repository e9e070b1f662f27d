/* text.c -- string.find, match, gmatch, gsub and rep: as Lua's own, by the matcher of pattern.c and within the run's budget. */
#include <string.h>

#include "lua-rules/internal.h"
#include "lua-rules/pattern.h"

enum { STEPS_EACH = 4, BYTES_EACH = 32 }; /* of the matcher, or of plain text, that cost as much as an instruction */

static bool spend(void *ctx, uint64_t steps)
{
	host_charge(ctx, steps / STEPS_EACH + 1); /* raises when it is too much */
	return true;
}

/* The pattern at `index` for a search in the text at `subject`. */
static void prepare(lua_State *L, struct pattern *p, int subject, int index)
{
	size_t n, size;
	const char *wrong;

	p->text = luaL_checklstring(L, subject, &n);
	p->end = p->text + n;
	p->from = luaL_checklstring(L, index, &size);
	p->to = p->from + size;
	p->spend = spend;
	p->ctx = L;
	p->steps = 0;
	p->stopped = false;
	p->captures = 0;
	host_charge(L, size / BYTES_EACH);
	wrong = pattern_wrong(p->from, p->to);
	if (wrong)
		host_fail(L, "%s", wrong);
}

/* A ^ at the beginning. */
static bool anchored(struct pattern *p)
{
	bool is = p->from < p->to && *p->from == '^';

	p->from += is;
	return is;
}

static void push_capture(lua_State *L, const struct pattern *p, const struct pattern_capture *c)
{
	if (c->size < 0)
		lua_pushinteger(L, c->at - p->text + 1);
	else
		lua_pushlstring(L, c->at, (size_t)c->size);
}

/* All captures, or the whole match (`from` to `to`) when there are none and from is not NULL. How many. */
static int push_captures(lua_State *L, const struct pattern *p, const char *from, const char *to)
{
	luaL_checkstack(L, PATTERN_MOST_CAPTURES, "too many captures");
	if (!p->captures && from) {
		lua_pushlstring(L, from, (size_t)(to - from));
		return 1;
	}
	for (int i = 0; i < p->captures; i++)
		push_capture(L, p, &p->capture[i]);
	return p->captures;
}

/* Where a search begins: the optional argument at `index`, which may count from the end. NULL: behind the end. */
static const char *start(lua_State *L, const struct pattern *p, int index)
{
	lua_Integer i = luaL_optinteger(L, index, 1), n = p->end - p->text;

	if (i < 0)
		i = i < -n ? 1 : n + i + 1;
	else if (i == 0)
		i = 1;
	return i > n + 1 ? NULL : p->text + i - 1;
}

static bool is_plain(const struct pattern *p)
{
	for (const char *s = p->from; s < p->to; s++)
		if (memchr("^$*+?.([%-", *s, 10))
			return false;
	return true;
}

static int find_plain(lua_State *L, const struct pattern *p, const char *s)
{
	const char *found = memmem(s, (size_t)(p->end - s), p->from, (size_t)(p->to - p->from));

	host_charge(L, (uint64_t)((found ? found : p->end) - s) / BYTES_EACH);
	if (!found) {
		luaL_pushfail(L);
		return 1;
	}
	lua_pushinteger(L, found - p->text + 1);
	lua_pushinteger(L, found - p->text + (p->to - p->from));
	return 2;
}

static int found(lua_State *L, const struct pattern *p, const char *s, const char *end, bool places)
{
	if (!places)
		return push_captures(L, p, s, end);
	lua_pushinteger(L, s - p->text + 1);
	lua_pushinteger(L, end - p->text);
	return push_captures(L, p, NULL, NULL) + 2;
}

static int search(lua_State *L, struct pattern *p, const char *s, bool places)
{
	bool once = anchored(p);

	do {
		const char *end = pattern_match(p, s);
		if (end)
			return found(L, p, s, end, places);
	} while (s++ < p->end && !once);
	luaL_pushfail(L);
	return 1;
}

/* Text and pattern without any meaning of their characters. */
static void prepare_plain(lua_State *L, struct pattern *p)
{
	size_t n, size;

	p->text = luaL_checklstring(L, 1, &n);
	p->from = luaL_checklstring(L, 2, &size);
	p->end = p->text + n;
	p->to = p->from + size;
}

/* find(text, pattern, init, plain) */
static int text_find(lua_State *L)
{
	struct pattern p;
	bool plain = lua_toboolean(L, 4);
	const char *s;

	if (plain)
		prepare_plain(L, &p);
	else
		prepare(L, &p, 1, 2);
	s = start(L, &p, 3);
	if (!s) {
		luaL_pushfail(L);
		return 1;
	}
	return plain || is_plain(&p) ? find_plain(L, &p, s) : search(L, &p, s, true);
}

static int text_match(lua_State *L)
{
	struct pattern p;
	const char *s;

	prepare(L, &p, 1, 2);
	s = start(L, &p, 3);
	if (s)
		return search(L, &p, s, false);
	luaL_pushfail(L);
	return 1;
}

/* The iterator: upvalues are text, pattern, where to go on, the end of the last match (both as places from 0; -1: none). */
static int next_match(lua_State *L)
{
	struct pattern p;
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));

	prepare(L, &p, lua_upvalueindex(1), lua_upvalueindex(2));
	for (; i <= p.end - p.text; i++) {
		const char *s = p.text + i, *end = pattern_match(&p, s);
		if (!end || end - p.text == last)
			continue;
		lua_pushinteger(L, end - p.text);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(L, &p, s, end);
	}
	return 0;
}

static int text_gmatch(lua_State *L)
{
	struct pattern p;
	const char *s;

	prepare(L, &p, 1, 2);
	s = start(L, &p, 3);
	lua_settop(L, 2);
	lua_pushinteger(L, s ? s - p.text : p.end - p.text + 1);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, next_match, 4);
	return 1;
}

/* -- gsub: text 1, pattern 2, replacement 3, how many 4 -- */

static void add_capture(lua_State *L, luaL_Buffer *b, const struct pattern *p, int n)
{
	push_capture(L, p, &p->capture[n]);
	luaL_tolstring(L, -1, NULL);
	lua_remove(L, -2);
	luaL_addvalue(b);
}

/* The text of a replacement with its %0 to %9. */
static void add_text(lua_State *L, luaL_Buffer *b, const struct pattern *p, const char *from, const char *to)
{
	size_t n;
	const char *s = lua_tolstring(L, 3, &n), *end = s + n;

	for (; s < end; s++) {
		if (*s != '%') {
			luaL_addchar(b, *s);
			continue;
		}
		int digit = ++s < end ? *s - '0' : -1;
		if (s < end && *s == '%')
			luaL_addchar(b, '%');
		else if (digit == 0 || (digit == 1 && !p->captures))
			luaL_addlstring(b, from, (size_t)(to - from));
		else if (digit > 0 && digit <= p->captures)
			add_capture(L, b, p, digit - 1);
		else if (digit > 0 && digit <= 9)
			host_fail(L, "invalid capture index %%%d in replacement string", digit);
		else
			host_fail(L, "invalid use of '%%' in replacement string");
	}
}

/* What a table or function says instead of the match. */
static void push_replacement(lua_State *L, const struct pattern *p, const char *from, const char *to)
{
	if (lua_type(L, 3) == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(L, p, from, to), 1);
		return;
	}
	if (p->captures)
		push_capture(L, p, &p->capture[0]);
	else
		lua_pushlstring(L, from, (size_t)(to - from));
	lua_gettable(L, 3);
}

static void add_replacement(lua_State *L, luaL_Buffer *b, const struct pattern *p, const char *from, const char *to)
{
	int type = lua_type(L, 3);

	if (type == LUA_TNUMBER || type == LUA_TSTRING) {
		add_text(L, b, p, from, to);
		return;
	}
	push_replacement(L, p, from, to);
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, from, (size_t)(to - from));
		return;
	}
	if (!lua_isstring(L, -1))
		host_fail(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(b);
}

static int text_gsub(lua_State *L)
{
	struct pattern p;
	luaL_Buffer b;
	lua_Integer n = 0, most;
	const char *s, *last = NULL;
	int type = lua_type(L, 3);

	prepare(L, &p, 1, 2);
	luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3, "string/function/table");
	most = luaL_optinteger(L, 4, p.end - p.text + 1);
	bool once = anchored(&p);
	lua_settop(L, 3);
	if (type == LUA_TNUMBER)
		lua_tostring(L, 3);
	luaL_buffinit(L, &b);
	for (s = p.text; n < most;) {
		const char *end = pattern_match(&p, s);
		host_charge(L, 1);
		if (end && end != last) {
			n++;
			add_replacement(L, &b, &p, s, end);
			s = last = end;
		} else if (s < p.end) {
			luaL_addchar(&b, *s++);
		} else {
			break;
		}
		if (once)
			break;
	}
	luaL_addlstring(&b, s, (size_t)(p.end - s));
	luaL_pushresult(&b);
	lua_pushinteger(L, n);
	return 2;
}

/* rep(text, n, between) */
static int text_rep(lua_State *L)
{
	size_t size, gap, most = host_file(L)->limits.memory / 2;
	const char *s = luaL_checklstring(L, 1, &size), *between = luaL_optlstring(L, 3, "", &gap);
	lua_Integer n = luaL_checkinteger(L, 2);
	luaL_Buffer b;

	if (n <= 0 || size + gap == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if ((uint64_t)n > most / (size + gap))
		host_fail(L, "string.rep would make more than the %zu bytes that a rule may make at once", most);
	host_charge(L, (uint64_t)n + (uint64_t)n * (size + gap) / BYTES_EACH);
	char *to = luaL_buffinitsize(L, &b, (size_t)n * (size + gap));
	for (lua_Integer i = 0; i < n; i++) {
		memcpy(to, s, size);
		memcpy(to + size, between, gap);
		to += size + gap;
	}
	luaL_pushresultsize(&b, (size_t)n * (size + gap) - gap);
	return 1;
}

void host_open_text(lua_State *L, int into)
{
	static const luaL_Reg functions[] = { { "find", text_find }, { "match", text_match }, { "gmatch", text_gmatch }, { "gsub", text_gsub },
		{ "rep", text_rep }, { NULL, NULL } };

	lua_pushvalue(L, into);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
