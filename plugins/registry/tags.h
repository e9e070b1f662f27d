/* tags.h -- the tags of a resource: a member `tags`, AWS's list of {Key, Value}, of the resource's own record. */
#ifndef REGISTRY_TAGS_H
#define REGISTRY_TAGS_H

#include "core/call.h"

/* For a Create operation: InvalidRequest when its `tags` are too many, name a key twice or one that AWS keeps for itself. */
int tags_check(struct sk_call *c);
/* Puts the input's tags into a record that is being created. */
void tags_store(struct sk_call *c, cJSON *record);

#endif
