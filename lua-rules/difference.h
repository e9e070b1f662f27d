/* difference.h -- what a test expected and what came, said so that it can be read. */
#ifndef LUA_RULES_DIFFERENCE_H
#define LUA_RULES_DIFFERENCE_H

#include "core/json.h"

/* NULL: they are equal; else "NAME.a[2] must be 1, is 2". `came` NULL: there is nothing. */
const char *difference_of(struct sk_arena *a, const char *name, const cJSON *expected, const cJSON *came);
/* Lists, one by one: of an expected object only the members that it has count, each whole. */
const char *difference_of_lists(struct sk_arena *a, const char *what, const cJSON *expected, const cJSON *came);

#endif
