/* budget.c -- what ends a run that does not end by itself: instructions, time, memory.
 *
 * Once a limit is reached `over` is set and stays: the hook then comes at every instruction and raises again, so that no pcall gets any further.
 * Memory that is allocated is charged as instructions, and a lot of it brings the hook at once: one instruction may copy megabytes. */
#include <stdlib.h>

#include "lua-rules/internal.h"

enum {
	EVERY = 100,          /* instructions between two looks at the limits */
	BYTES_EACH = 64,      /* bytes of memory that cost as much as an instruction */
	HURRY = 1 << 18,      /* bytes allocated since the last look that bring the next one now */
	REFUSED = 20000,      /* instructions that a refused allocation costs: Lua collects all its garbage for it */
	ASK = 1000,           /* instructions charged by C between two questions to the clock */
};
static const char out_of_memory[] = "not enough memory";

static void on_count(lua_State *L, lua_Debug *ar);

/* Nothing of Lua's is touched but the hook, as from a signal handler. */
static void hurry(struct lua_file *f)
{
	if (!f->state || f->hurried)
		return;
	f->hurried = true;
	lua_sethook(f->state, on_count, LUA_MASKCOUNT, 1);
}

static void *refuse(struct lua_file *f)
{
	f->spent += REFUSED;
	hurry(f);
	return NULL;
}

static void *allocate(void *ctx, void *p, size_t old, size_t size)
{
	struct lua_file *f = ctx;
	size_t had = p ? old : 0;
	void *q;

	if (!size) {
		free(p);
		f->used -= had;
		return NULL;
	}
	if (size > had && (f->used > f->limits.memory || size - had > f->limits.memory - f->used))
		return refuse(f);
	q = realloc(p, size);
	if (!q)
		return size <= had ? p : refuse(f); /* what shrinks must not fail */
	f->used = f->used - had + size;
	f->volume += size > had ? size - had : 0;
	if (f->volume > HURRY)
		hurry(f);
	return q;
}

lua_State *host_state_new(struct lua_file *f)
{
	lua_State *L = lua_newstate(allocate, f);

	if (L) {
		*(struct lua_file **)lua_getextraspace(L) = f;
		f->state = L;
		lua_sethook(L, on_count, LUA_MASKCOUNT, EVERY);
	}
	return L;
}

static void budget_start(struct lua_file *f)
{
	f->spent = f->asked = f->volume = 0;
	f->over = NULL;
	f->hurried = false;
	f->began_us = f->limits.now_us ? f->limits.now_us(f->limits.ctx) : 0;
	lua_sethook(f->state, on_count, LUA_MASKCOUNT, EVERY);
}

_Noreturn void host_stop(lua_State *L, const char *limit)
{
	struct lua_file *f = host_file(L);

	f->over = limit;
	lua_sethook(f->state, on_count, LUA_MASKCOUNT, 1);
	host_fail(L, "stopped: %s", limit);
}

bool host_late(const struct lua_file *f)
{
	const struct lua_limits *most = &f->limits;

	return most->now_us && most->now_us(most->ctx) - f->began_us > most->time_us;
}

static void look(lua_State *L, struct lua_file *f)
{
	f->asked = f->spent;
	if (f->spent > f->limits.instructions)
		host_stop(L, "more instructions than a run may take");
	if (host_late(f))
		host_stop(L, "more time than a run may take");
}

static void on_count(lua_State *L, lua_Debug *ar)
{
	struct lua_file *f = host_file(L);

	(void)ar;
	if (f->over)
		host_stop(L, f->over);
	f->spent += EVERY + f->volume / BYTES_EACH;
	f->volume = 0;
	if (f->hurried) {
		f->hurried = false;
		lua_sethook(L, on_count, LUA_MASKCOUNT, EVERY);
	}
	look(L, f);
}

void host_charge(lua_State *L, uint64_t n)
{
	struct lua_file *f = host_file(L);

	f->spent += n;
	if (f->spent > f->limits.instructions || f->spent - f->asked >= ASK)
		look(L, f);
}

bool host_protected(struct lua_file *f, lua_CFunction run, void *with)
{
	struct sk_arena *a = f->now->arena;
	lua_State *L = f->state;
	size_t limit = a->limit, most = a->total + f->limits.memory;
	bool failed = a->failed;
	int status;

	budget_start(f);
	a->limit = limit && limit < most ? limit : most;
	lua_pushcfunction(L, host_with_line);
	lua_pushcfunction(L, run);
	lua_pushlightuserdata(L, with);
	status = lua_pcall(L, 1, 0, 1);
	if (status == LUA_ERRMEM && !f->over)
		f->over = out_of_memory;
	a->limit = limit;
	a->failed = a->failed && (failed || status == LUA_OK); /* what failed is void, and its error says so */
	return status == LUA_OK;
}

void host_check_arena(lua_State *L)
{
	if (host_file(L)->now->arena->failed)
		host_stop(L, "not enough memory for what a run may make");
}
