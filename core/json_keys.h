/* json_keys.h -- the set of keys of one big object.
 *
 * A crit-bit tree: an insertion or look-up costs at most the bits of its key, whatever the other keys are. There is no
 * hash, so there are no collisions to attack with and no seed to hide. Nodes are the arena's. */
#ifndef SK_JSON_KEYS_H
#define SK_JSON_KEYS_H

#include "core/json.h"

#define SK_JSON_FEW_KEYS 16 /* up to here a look along the members is faster */

struct sk_json_keys {
	uintptr_t root; /* 0: empty */
};

/* The member with that key, else NULL. */
cJSON *sk_json_keys_find(const struct sk_json_keys *keys, const char *key);
/* Adds the member unless its key is there. False when memory is out. */
bool sk_json_keys_add(struct sk_arena *a, struct sk_json_keys *keys, cJSON *member);
/* A set of all members of `object`, NULL when memory is out. */
struct sk_json_keys *sk_json_keys_of(struct sk_arena *a, const cJSON *object);

#endif
