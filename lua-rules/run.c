/* run.c -- one message, or one timer, through one rule.
 *
 * A run is all or nothing: its effects are the outcome's only when it came to its end. Between runs the state holds what loading made, and what
 * the rule's own local variables keep. */
#include <string.h>

#include "lua-rules/internal.h"

enum { MOST_WHY = 600 };

struct job {
	const struct host_declared *rule;
	const char *timer;          /* NULL: a message */
	const cJSON *document;      /* of the timer */
	bool matched;
};

/* The message is at index 2. */
static bool matches(lua_State *L, const struct host_declared *r)
{
	bool is;

	if (r->condition != LUA_NOREF) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, r->condition);
		is = host_sql_matches(L, lua_gettop(L));
	} else if (r->where != LUA_NOREF) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, r->where);
		lua_pushvalue(L, 2);
		lua_call(L, 1, 1);
		is = lua_toboolean(L, -1);
	} else {
		return true;
	}
	lua_pop(L, 1);
	return is;
}

static int run(lua_State *L)
{
	struct job *job = lua_touserdata(L, 1);
	const struct host_declared *r = job->rule;

	if (job->timer) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, r->timer);
		lua_pushstring(L, job->timer);
		host_push_copy(L, job->document);
		lua_call(L, 2, 0);
		job->matched = true;
		return 0;
	}
	host_push_message(L);
	job->matched = matches(L, r);
	if (!job->matched || r->run == LUA_NOREF)
		return 0;
	lua_rawgeti(L, LUA_REGISTRYINDEX, r->run);
	lua_pushvalue(L, 2);
	lua_call(L, 1, 0);
	return 0;
}

int host_run(struct lua_file *f, lua_CFunction function, void *with, struct host_now *now, struct lua_outcome *out)
{
	lua_State *L = f->state;

	now->end = &now->first;
	host_seed(now, now->world->seed);
	f->now = now;
	f->serial++;
	bool good = host_protected(f, function, with);
	*out = (struct lua_outcome){ .effects = good ? now->first : NULL, .instructions = f->spent };
	if (!good) {
		char why[MOST_WHY];
		out->budget = f->over != NULL;
		host_error_text(f, why, sizeof why);
		out->why = sk_strdup(now->arena, why);
		if (!out->why)
			out->why = "not enough memory";
	}
	lua_settop(L, 0);
	if (!good)
		lua_gc(L, LUA_GCCOLLECT);
	f->now = NULL;
	return good ? SK_OK : SK_E_INTERNAL;
}

static int run_rule(struct lua_file *f, struct job *job, struct host_now *now, struct lua_outcome *out)
{
	now->rule = (int)(job->rule - f->rule);
	int rc = host_run(f, run, job, now, out);
	out->matched = job->matched;
	return rc;
}

int lua_rule_run(struct lua_file *f, int rule, const struct lua_message *m, const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out)
{
	struct job job = { .rule = &f->rule[rule] };
	struct host_now now = { .message = m, .world = w, .arena = a };

	return run_rule(f, &job, &now, out);
}

int lua_rule_timer(struct lua_file *f, int rule, const char *timer, const cJSON *document, const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out)
{
	struct job job = { .rule = &f->rule[rule], .timer = timer, .document = document };
	struct host_now now = { .world = w, .arena = a };

	if (job.rule->timer == LUA_NOREF) { /* the file has changed since it was set */
		*out = (struct lua_outcome){ .matched = false };
		return SK_OK;
	}
	return run_rule(f, &job, &now, out);
}
