/* engine_actions.h -- what CreateTopicRule looks at before it takes an action, for those that come otherwise: from files, from Lua as it runs, from a store
 * that was written when other plugins were loaded. Behind it a sink finds fields of the shape that its plugin says, and its own check() done. */
#ifndef RULES_ENGINE_ACTIONS_H
#define RULES_ENGINE_ACTIONS_H

#include "plugins/rules/engine.h"

void engine_actions_ready(struct rules_engine *e); /* all plugins are loaded; until then nothing is known of shapes */
void engine_actions_free(struct rules_engine *e);
/* Any thread. NULL, or what is wrong, without the values of fields: "'action.redis.key' failed to satisfy constraint: Member must not be null". *absent as of
 * action_check(). */
const char *engine_action_fault(struct rules_engine *e, const struct rules_action *action, struct sk_arena *a, const char **absent);

#endif
