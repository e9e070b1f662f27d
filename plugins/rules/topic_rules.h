/* topic_rules.h -- what other operations on topic rules share with those that make them. */
#ifndef RULES_TOPIC_RULES_H
#define RULES_TOPIC_RULES_H

#include "core/call.h"
#include "rules/rule.h"

/* What AWS answers instead of "not found", which the models of these operations do not have. */
int topic_rule_fail_absent(struct sk_call *c, const char *name);
/* The topicRulePayload of a rule, stored or made by a file (then `sql` may be missing: it is Lua); NULL: there is no such rule. */
const cJSON *topic_rule_payload(struct sk_call *c, const char *name);
/* NULL: *rc says what is wrong with it. */
const struct rules_rule *topic_rule_compile(struct sk_call *c, const char *name, const cJSON *payload, int *rc);

#endif
