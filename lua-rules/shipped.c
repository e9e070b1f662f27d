/* shipped.c -- the files of lib/ as they were when this was built: a plugin needs no files beside it.
 *
 * The Makefile writes the rows: LIBRARY(name, text). */
#include "lua-rules/host.h"

const struct lua_library lua_shipped[] = {
#define LIBRARY(name, text) { name, text, sizeof(text) - 1 },
#include "lua_library.inc"
#undef LIBRARY
	{ 0 }
};
