/* files.h -- rules that are made by files: they are read like any other, and changed in their file only. */
#ifndef RULES_FILES_H
#define RULES_FILES_H

#include "core/json.h"

/* Any thread. Is that name made by a file? Then *rule (which may be NULL) is GetTopicRule's `rule`, with readOnly true, file, its path, and topicPattern; without sql when
 * the rule has none. */
bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule);
/* Any thread. Calls fn for each of them, in any order: `item` is ListTopicRules' without its ARN, with readOnly and file. */
void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx);

#endif
