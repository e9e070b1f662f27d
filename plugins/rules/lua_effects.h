/* lua_effects.h -- what a run of a Lua rule wants done, as a document that travels in a call:
 *
 *   {ruleName, state: [{key, was, n?, value?}], timers: [{name, due?, document?}], publish: [{topic, payload, qos, ...}]}
 *
 * `key` is a record's key, `was` its number when the rule looked, `n` the number of what it writes (none: it has only looked). A payload is base64: see lua-rules/effects.h. */
#ifndef RULES_LUA_EFFECTS_H
#define RULES_LUA_EFFECTS_H

#include "core/call.h"
#include "lua-rules/host.h"

cJSON *lua_timer_write(struct sk_arena *a, const struct lua_effect *e);
/* In a call of partition rule/NAME. SK_E_CONFLICT: the state has changed since the rule looked, and nothing is done. */
int lua_effects_apply(struct sk_call *c, const cJSON *effects);

/* The plugin's events: effects of a message; a timer that is due. */
sk_handler lua_on_effects, lua_on_timer;
#define LUA_EVENT_EFFECTS "RunRule"
#define LUA_EVENT_TIMER "RunRuleTimer"

#endif
