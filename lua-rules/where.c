/* where.c -- errors that say where in the rule's file, however deep in lib/ they came up, and what was meant. */
#include <stdio.h>
#include <string.h>

#include "core/closest.h"
#include "lua-rules/internal.h"

int host_line(lua_State *L)
{
	const char *name = host_file(L)->name;
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (*ar.source == '=' && strcmp(ar.source + 1, name) == 0)
			return ar.currentline;
	}
	return 0;
}

_Noreturn void host_fail(lua_State *L, const char *fmt, ...)
{
	const char *name = host_file(L)->name;
	int line = host_line(L);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (line > 0)
		lua_pushfstring(L, "%s:%d: %s", name, line, text);
	else
		lua_pushfstring(L, "%s: %s", name, text);
	lua_error(L);
	__builtin_unreachable();
}

int host_with_line(lua_State *L)
{
	const char *name = host_file(L)->name;
	size_t n = strlen(name);
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
	int line = text && strncmp(text, name, n) ? host_line(L) : 0;

	if (line > 0)
		lua_pushfstring(L, "%s:%d: %s", name, line, text);
	return 1;
}

const char *host_did_you_mean(lua_State *L, const char *word, const char *const *names)
{
	size_t n = 0;
	const char *meant;

	while (names[n])
		n++;
	meant = sk_closest(word, names, n, sizeof *names);
	return meant ? lua_pushfstring(L, ": did you mean '%s'?", meant) : "";
}
