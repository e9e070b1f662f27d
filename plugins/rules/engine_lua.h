/* engine_lua.h -- one run of a Lua rule on its thread: what messages and timers have in common. */
#ifndef RULES_LUA_RUN_H
#define RULES_LUA_RUN_H

#include "lua-rules/host.h"
#include "plugins/rules/engine_thread.h"

struct lua_seen { /* a key of the state that the run has looked at */
	struct lua_seen *next;
	const char *key;
	int64_t n;
};
struct lua_run {
	struct rules_thread *thread;
	struct live_rule *rule;
	struct rules_world *world;
	const struct work *work; /* NULL: a timer's run */
	int64_t now_ms;
	struct lua_seen *seen;
	int depth;
	bool stored;       /* it sees what is stored alone, not what is on its way */
	int64_t number;    /* of what it writes (engine_state.h) */
};
/* For lua_world.ask; ctx is the run. */
int lua_run_ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why);
cJSON *lua_run_effects(struct lua_run *run, const struct lua_outcome *o); /* lua_effects.h */
/* Its logs and actions, once the run is over. */
const char *lua_run_others(struct lua_run *run, const struct lua_outcome *o); /* NULL, or what of it cannot be done */
/* engine_lua_trace.c: keeps what the run did, if somebody watches the rule. */
void lua_trace(const struct lua_run *run, const struct work *w, const cJSON *document, int rc, const struct lua_outcome *o);
/* engine_deliver.c: an action of a run, its serial-th. NULL, or why not. */
const char *deliver_lua(struct lua_run *run, const struct lua_effect *e, int serial);
void lua_run_log(const struct live_rule *r, const char *line);

#endif
