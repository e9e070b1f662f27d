/* function.c -- a call of a function: an event goes in, an answer comes out. */
#include <string.h>

#include "lua-rules/internal.h"

struct job {
	const char *function;
	const cJSON *const *argument; /* two of them */
	const cJSON *answer;
};

static int run(lua_State *L)
{
	struct job *job = lua_touserdata(L, 1);

	lua_getglobal(L, job->function);
	if (!lua_isfunction(L, -1))
		host_fail(L, "'%s' is not a function", job->function);
	for (int i = 0; i < 2; i++)
		host_push_copy(L, job->argument[i]);
	lua_call(L, 2, 1);
	job->answer = lua_isnil(L, -1) ? sk_json_null(host_file(L)->now->arena) : host_to_json(L, lua_gettop(L), job->function);
	host_check_arena(L);
	return 0;
}

int lua_function_run(struct lua_file *f, const char *function, const cJSON *const arguments[2], const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out,
                     const cJSON **answer)
{
	struct job job = { .function = function, .argument = arguments };
	struct host_now now = { .rule = -1, .world = w, .arena = a };
	int rc = host_run(f, run, &job, &now, out);

	out->matched = true;
	*answer = rc == SK_OK ? job.answer : NULL;
	return rc;
}
