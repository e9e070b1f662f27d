/* plugin.c -- skeeter_functions: Lambda's API, and functions that run when something happens. Glue only. */
#include <stdio.h>

#include "core/plugin.h"
#include "plugins/functions/functions.h"
#include "plugins/functions/invoke.h"
#include "plugins/functions/runners.h"

#define SHAPES_FILE "plugins/functions/functions.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = { &functions_group, &aliases_group, &about_group, &invoke_group, &dead_letters_group, NULL };

static const struct sk_option options[] = {
	SK_OPTION(SK_SIZE, struct functions_state, code_size, "8M", NULL, "the largest package of a function"),
	SK_OPTION(SK_SIZE, struct functions_state, code_total, "256M", NULL, "all packages together"),
	SK_OPTION(SK_INT, struct functions_state, concurrency, "1000", "1 100000", "invocations that run at once; more are refused, asynchronous ones wait"),
	SK_OPTION(SK_INT, struct functions_state, threads, "2", "1 16", "threads that run functions in Lua"),
	SK_OPTION(SK_DURATION, struct functions_state, retry, "1m", NULL, "from an asynchronous invocation that failed to the next attempt; twice that to the one after it"),
	SK_OPTION(SK_INT, struct functions_state, dead_letters, "1000", "0 100000", "events of one function that are kept when all attempts have failed"),
	{ 0 }
};

static const struct sk_on on[] = {
	{ INVOKE_EVENT, invoke_on_invoke, "alone" },
	{ INVOKE_EVENT_LATER, invoke_on_event, "invoke/{id}" },
	{ INVOKE_EVENT_RETRY, invoke_on_retry, "invoke/{id}" },
	{ INVOKE_EVENT_DEAD, invoke_on_dead, "function/{functionName}" },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	struct functions_state *s = state;
	s->engine = run_engine_new(s, (int)s->concurrency);
	s->lua = s->engine ? run_lua_new((int)s->threads) : NULL;
	if (s->lua)
		return 0;
	snprintf(why, why_size, "memory is out");
	run_engine_free(&s->engine);
	return -1;
}

static void quiesce(void *state)
{
	struct functions_state *s = state;
	run_engine_end(s->engine);
	run_lua_end(&s->lua);
}

static void stop(void *state)
{
	run_engine_free(&((struct functions_state *)state)->engine);
}

SKEETER_PLUGIN(.name = "functions", .prose = "Lambda-style functions", .state_size = sizeof(struct functions_state), .options = options, .operations = operations, .on = on,
               .shapes = shapes, .start = start, .quiesce = quiesce, .stop = stop)
