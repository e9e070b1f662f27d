/* engine_state.h -- what a Lua rule keeps: the records rule/NAME/state/KEY, {v: value, n: how often it was written}, and what of it is still on its way
 * to the store. The rule's own thread. */
#ifndef RULES_LUA_STATE_H
#define RULES_LUA_STATE_H

#include "plugins/rules/engine_live.h"

struct rules_thread;
enum { STATE_KEY_MOST = 512 };

/* The record's key for a key of the rule; NULL: too long or empty. */
char *lua_state_key(struct sk_arena *a, const char *rule, const char *key);
/* The value now, with what is on its way; *n is how often it was written (0: it is not there). */
const cJSON *lua_state_get(struct rules_thread *t, struct live_rule *r, const char *record_key, int64_t *n);
/* A write that leaves with a call; it is seen from now on. NULL value: removed. 0 or -1: memory is out. */
int lua_state_sent(struct rules_thread *t, struct live_rule *r, const char *record_key, const cJSON *value, int64_t n);
/* A call of the rule has ended: when none is left, or when one has failed, what is stored counts again. */
void lua_state_settle(struct live_rule *r, bool failed);
struct lua_overlay;
void lua_state_free(struct lua_overlay **o);

#endif
