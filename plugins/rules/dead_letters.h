/* dead_letters.h -- what becomes of an action that has failed for good: the rule's error action, or a dead letter that an operator may send again.
 *
 * Of partition rule/NAME: rule/NAME/dead/ID is {time, topic, action, why, attempts, bytes, clientId?}, rule/NAME/dead-item/ID is {number, fields, item}:
 * what is sent again, a record of lane.h as base64, and the action's fields as the rule had them, sealed (lane_seal.h). rule/NAME/dead-letters is {count, bytes, dropped}.
 * Ids are those of the items and begin with the time. A letter outlives its rule. */
#ifndef RULES_DEAD_LETTERS_H
#define RULES_DEAD_LETTERS_H

#include "core/call.h"

/* The plugin's event {ruleName, why, attempts, fields, item}: in one commit the error action or the letter. Its answer: {dead: bool, dropped: n}. */
sk_handler rules_on_failed;
#define RULES_EVENT_FAILED "RuleActionFailed"

/* dead_letters_send.c: a sk_slow; in: {letters: [{kind, fields, item}]}. {sent: n, why?}: the first n are in the files of their lanes. */
cJSON *dead_letters_send(struct sk_arena *a, const cJSON *in, void *state);

#endif
