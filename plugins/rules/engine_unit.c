/* engine_unit.c -- see engine_unit.h. */
#include "plugins/rules/engine_unit.h"

#include <stdlib.h>
#include <string.h>

struct lua_unit *lua_unit_new(const char *name, struct lua_file *file)
{
	size_t n = strlen(name) + 1;
	struct lua_unit *u = calloc(1, sizeof *u + n);
	if (!u)
		return NULL;
	atomic_init(&u->refs, 1);
	u->file = file;
	memcpy(u->name, name, n);
	return u;
}

struct lua_unit *lua_unit_ref(struct lua_unit *u)
{
	atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
	return u;
}

void lua_unit_unref(struct lua_unit *u)
{
	if (!u || atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) != 1)
		return;
	lua_file_free(&u->file);
	free(u);
}
