/* engine_state.h -- what a Lua rule keeps: the records rule/NAME/state/KEY, {v: value, n: the number of the run that wrote it}, and what of it is still on
 * its way to the store. The rule's own thread. Numbers are by chance: counted, a write that failed and another that took its place would be the same. */
#ifndef RULES_LUA_STATE_H
#define RULES_LUA_STATE_H

#include "plugins/rules/engine_live.h"

struct rules_thread;
enum { STATE_KEY_MOST = 512 };

/* The record's key for a key of the rule; NULL: too long or empty. */
char *lua_state_key(struct sk_arena *a, const char *rule, const char *key);
int64_t lua_state_number(const uint8_t seed[16]); /* 1 to 2^48 */
/* The value now, with what is on its way (r NULL: as it is stored); *n is its number (0: it is not there; -1: the store does not answer). */
const cJSON *lua_state_get(struct rules_thread *t, struct live_rule *r, const char *record_key, int64_t *n);
/* A write that leaves with a call; it is seen from now on. NULL value: removed. 0 or -1: memory is out. */
int lua_state_sent(struct rules_thread *t, struct live_rule *r, const char *record_key, const cJSON *value, int64_t n);
struct lua_overlay;
void lua_state_free(struct lua_overlay **o);

#endif
