/* runners.c -- see runners.h. */
#include "plugins/functions/runners.h"

#include <string.h>

#include "plugins/functions/functions.h"

static void start_lua(struct functions_state *s, struct run *r)
{
	run_lua_start(s->lua, r);
}

static const struct { const char *begin; void (*start)(struct functions_state *, struct run *); } runners[] = { { "lua", start_lua }, { 0 } };

bool runners_have(const char *runtime)
{
	for (size_t i = 0; runners[i].begin; i++)
		if (!strncmp(runtime, runners[i].begin, strlen(runners[i].begin)))
			return true;
	return false;
}

void runners_start(void *state, struct run *r)
{
	size_t i = 0;
	while (strncmp(r->runtime, runners[i].begin, strlen(runners[i].begin)))
		i++;
	runners[i].start(state, r);
}

struct run_engine *run_engine_of(void *state)
{
	return ((struct functions_state *)state)->engine;
}
