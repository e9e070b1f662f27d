/* action_check.h -- what can be known of actions when their rule is made: whether something here carries them out, and what that says of their fields.
 *
 * Pure: which sinks are loaded, and which secrets there are, is asked; nothing is sent. */
#ifndef RULES_ACTION_CHECK_H
#define RULES_ACTION_CHECK_H

#include "core/sink.h"
#include "rules/rule.h"

/* sk_sink_find(), or what a test has. NULL: there are none. */
typedef const struct sk_sink *action_sinks(const char *kind, void **state);

/* NULL, or what is wrong with an action of the rule, in one line: "actions[1].redis.url: a template here must be ...". A kind of AWS's that nothing
 * here carries out is fine. *absent: NULL, or of a secret that is not there yet, "actions[1].redis.password: there is no secret db". */
const char *action_check(const struct rules_rule *r, action_sinks *find, struct sk_arena *a, const char **absent);
/* The same of one action; `where` "actions[1]", or NULL: that is not said. */
const char *action_check_one(const struct rules_action *action, const char *where, action_sinks *find, struct sk_arena *a, const char **absent);
/* Nothing here carries it out: NULL, or that in one line. */
const char *action_unserved(const struct rules_action *action, action_sinks *find, struct sk_arena *a);

#endif
