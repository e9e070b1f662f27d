/* file.c -- a file of rules: loaded, looked at, freed.
 *
 * The struct itself lies in the arena that it owns. Loading is a run like any other, with the same limits but without a world: what a file does beside
 * declaring counts for nothing. */
#include <stdio.h>
#include <string.h>

#include "lua-rules/internal.h"

enum { INSTRUCTIONS = 1000000, TIME_US = 100000, MEMORY = 8 << 20, MOST_FILE = 1 << 20 };

struct text {
	const char *at;
	size_t size;
};

static struct lua_file *file_new(const char *name, const struct lua_limits *limits)
{
	struct sk_arena kept = { 0 };
	struct lua_file *f = sk_alloc(&kept, sizeof *f);
	const char *copy = sk_strdup(&kept, name);

	if (!f || !copy) {
		sk_arena_free(&kept);
		return NULL;
	}
	f->kept = kept;
	f->name = copy;
	if (limits)
		f->limits = *limits;
	f->limits.instructions = f->limits.instructions ? f->limits.instructions : INSTRUCTIONS;
	f->limits.time_us = f->limits.time_us ? f->limits.time_us : TIME_US;
	f->limits.memory = f->limits.memory ? f->limits.memory : MEMORY;
	return f;
}

void lua_file_free(struct lua_file **f)
{
	struct sk_arena kept;

	if (!*f)
		return;
	if ((*f)->state)
		lua_close((*f)->state);
	kept = (*f)->kept;
	sk_arena_free(&kept);
	*f = NULL;
}

static int load(lua_State *L)
{
	struct lua_file *f = host_file(L);
	const struct text *text = lua_touserdata(L, 1);

	host_open(L);
	host_load(L, f->name, text->at, text->size);
	lua_call(L, 0, 0);
	if (f->begun)
		host_fail(L, "line %d: %s has no { ... }", f->begun_line, f->begun);
	return 0;
}

void host_error_text(struct lua_file *f, char *why, size_t why_size)
{
	const char *text = lua_type(f->state, -1) == LUA_TSTRING ? lua_tostring(f->state, -1) : "an error that is no text";
	size_t n = strlen(f->name);
	bool named;

	if (f->over && !strstr(text, f->over))
		text = f->over;
	named = strncmp(text, f->name, n) == 0 && text[n] == ':';
	snprintf(why, why_size, "%s%s%s", named ? "" : f->name, named ? "" : ": ", text);
	for (char *s = why; *s; s++)
		if ((unsigned char)*s < ' ')
			*s = ' ';
}

static bool run_text(struct lua_file *f, struct text *text, char *why, size_t why_size)
{
	struct host_now now = { .rule = -1 };
	struct sk_arena scratch = { 0 };

	now.arena = &scratch;
	now.end = &now.first;
	f->now = &now;
	f->serial++;
	f->loading = true;
	bool good = host_protected(f, load, text);
	if (!good)
		host_error_text(f, why, why_size);
	lua_settop(f->state, 0);
	f->loading = false;
	f->now = NULL;
	sk_arena_free(&scratch);
	return good;
}

struct lua_file *lua_file_load(const char *name, const char *text, size_t size, const struct lua_library *libraries, const struct lua_limits *limits,
                               char *why, size_t why_size)
{
	struct lua_file *f = file_new(name, limits);

	snprintf(why, why_size, "%s: not enough memory", name);
	if (!f)
		return NULL;
	f->libraries = libraries;
	if (size > MOST_FILE) {
		snprintf(why, why_size, "%s: %zu bytes, at most %d are taken", name, size, MOST_FILE);
		lua_file_free(&f);
	} else if (!host_state_new(f) || !run_text(f, &(struct text){ text, size }, why, why_size)) {
		lua_file_free(&f);
	} else {
		*why = '\0';
	}
	return f;
}

void lua_file_set_time(struct lua_file *f, int64_t time_us, uint64_t instructions)
{
	f->limits.time_us = time_us;
	f->limits.instructions = instructions;
}

int lua_file_rules(const struct lua_file *f)
{
	return f->rules;
}

const struct lua_rule *lua_file_rule(const struct lua_file *f, int i)
{
	return i >= 0 && i < f->rules ? &f->rule[i].rule : NULL;
}

size_t lua_file_memory(const struct lua_file *f)
{
	return f->used + f->kept.total;
}
