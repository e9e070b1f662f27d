/* dead_letters_keep.h -- the records of dead letters, and how many there are. In calls of partition rule/NAME. */
#ifndef RULES_DEAD_LETTERS_KEEP_H
#define RULES_DEAD_LETTERS_KEEP_H

#include "core/call.h"
#include "plugins/rules/lane.h"

enum { DEAD_BYTES_MOST = 64 << 20 }; /* of one rule, as they lie in the store */

int64_t dead_letters_kept(struct sk_call *c, const char *rule);
void dead_letters_remove(struct sk_call *c, const char *rule, const char *const *id, const cJSON *const *letter, size_t n);
/* `item` is the record as base64, `i` what it says. Keeping it again changes nothing. How many older ones had to go. */
int dead_letters_add(struct sk_call *c, const struct lane_item *i, const char *item, const char *why);

#endif
