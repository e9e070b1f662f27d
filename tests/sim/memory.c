/* memory.c -- see memory.h. Live blocks stand in an open hash table of their addresses; a block that the world made is not in it. */
#include "tests/sim/memory.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static long fail_at, fail_more, asked, failed, live;
static bool world;
static void **table;
static size_t room;

void sim_memory_fail(long n, long more)
{
	fail_at = n;
	fail_more = more;
	asked = 0;
}

bool sim_memory_world(bool on)
{
	bool before = world;
	world = on;
	return before;
}

long sim_memory_asked(void)
{
	return asked;
}

long sim_memory_failed(void)
{
	return failed;
}

long sim_memory_live(void)
{
	return live;
}

static bool refused(void)
{
	asked += !world;
	bool no = fail_at && !world && asked >= fail_at && asked - fail_at <= fail_more;
	failed += no;
	return no;
}

/* -- the table -- */

static size_t home(const void *p)
{
	return (size_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 20) & (room - 1);
}

static void enter(void *p)
{
	size_t i = home(p);
	while (table[i])
		i = (i + 1) & (room - 1);
	table[i] = p;
	live++;
}

static void grow(void)
{
	void **old = table;
	size_t n = room;
	room = room ? room * 2 : 1 << 14;
	table = calloc(room, sizeof *table);
	live = 0;
	for (size_t i = 0; i < n; i++)
		if (old[i])
			enter(old[i]);
	free(old);
}

static void *note(void *p)
{
	if (p && 2 * (size_t)live >= room)
		grow();
	if (p)
		enter(p);
	return p;
}

static void forget(const void *p)
{
	size_t i = room ? home(p) : 0;
	while (room && table[i] && table[i] != p)
		i = (i + 1) & (room - 1);
	if (!room || !table[i])
		return;
	live--;
	table[i] = NULL;
	for (size_t k = (i + 1) & (room - 1); table[k]; k = (k + 1) & (room - 1)) {
		void *moved = table[k];
		table[k] = NULL;
		live--;
		enter(moved);
	}
}

/* -- what the runtime calls -- */

void *sim_malloc(size_t n)
{
	return refused() ? NULL : note(malloc(n));
}

void *sim_calloc(size_t n, size_t size)
{
	return refused() ? NULL : note(calloc(n, size));
}

void *sim_realloc(void *p, size_t n)
{
	if (refused())
		return NULL;
	if (p)
		forget(p);
	return note(realloc(p, n));
}

char *sim_strndup(const char *s, size_t n)
{
	return refused() ? NULL : note(strndup(s, n));
}

char *sim_strdup(const char *s)
{
	return refused() ? NULL : note(strdup(s));
}

void sim_release(void *p)
{
	if (p)
		forget(p);
	free(p);
}

/* -- SQLite's -- */

static sqlite3_mem_methods sqlites;

static void *sqlite_malloc(int n)
{
	return refused() ? NULL : sqlites.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
	return refused() ? NULL : sqlites.xRealloc(p, n);
}

void sim_memory_of_sqlite(void)
{
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites);
	sqlite3_mem_methods ours = sqlites;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}
