/* rules_world.h -- rules and messages of the tests of rules/: short to write, always the same world (tests/unit/sql_world.h). */
#ifndef TESTS_RULES_WORLD_H
#define TESTS_RULES_WORLD_H

#include "rules/rule.h"

/* JSON in which ` stands for ". */
cJSON *world_json(struct sk_arena *a, const char *text);
/* The rule `alarm` of a topicRulePayload in such JSON; 2016-03-23 unless it says another version. `kept` holds the rule and nothing else. */
const struct rules_rule *world_rule(struct sk_arena *kept, const char *payload, struct rules_error *e);
/* A message with its payload parsed, if it is JSON. */
struct sql_message world_parsed(struct sk_arena *a, const char *payload, const char *topic);

#endif
