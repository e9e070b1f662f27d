/* engine_unit.h -- a file of Lua rules in force: its state, and the one thread that runs it. Freed with the last rule of it. */
#ifndef RULES_LUA_UNIT_H
#define RULES_LUA_UNIT_H

#include <stdatomic.h>

#include "lua-rules/host.h"

struct lua_unit {
	atomic_uint refs;
	struct lua_file *file;
	int thread;
	char name[]; /* of the file in its folder */
};
struct lua_unit *lua_unit_new(const char *name, struct lua_file *file); /* takes the file over; NULL: memory is out, the file is the caller's */
struct lua_unit *lua_unit_ref(struct lua_unit *u);
void lua_unit_unref(struct lua_unit *u); /* NULL is allowed */

#endif
