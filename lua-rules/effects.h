/* effects.h -- a message that a run wants published, as JSON: what it has to be where the run is one place and the commit another.
 *
 * {topic, payload (base64), flags, utf8?, expiry?, contentType?, responseTopic?, correlation? (base64), user? [name, value, ...]} */
#ifndef LUA_RULES_EFFECTS_H
#define LUA_RULES_EFFECTS_H

#include "core/call.h"

cJSON *lua_publish_write(struct sk_arena *a, const char *topic, const struct sk_message *m);
/* The topic; what *m points to is a's or the document's. */
const char *lua_publish_read(struct sk_arena *a, const cJSON *one, struct sk_message *m);

#endif
