/* engine_destinations.h -- the URLs that may be sent to, for the threads that run rules: each message of a http action asks.
 *
 * The watch on registry/destination/ makes a new list at each change and exchanges it; a thread holds the one that it has begun with. */
#ifndef RULES_ENGINE_DESTINATIONS_H
#define RULES_ENGINE_DESTINATIONS_H

#include "core/plugin.h"
#include "core/store.h"
#include "core/arena.h"
#include "core/json.h"

struct rules_engine;
struct destinations;

struct destinations *destinations_new(void); /* NULL: memory is out */
void destinations_free(struct destinations **d);
/* A watch, on the broker's thread. */
void destinations_reset(struct destinations *d, enum sk_reset phase); /* core/plugin.h */
int engine_watch_destination(void *state, const char *name, const struct sk_bytes *bytes);
/* Any thread: NULL, or why an action of that kind with those fields, filled in, may not be carried out: its confirmationUrl (its url, if it has none) is
 * not that of a destination that is ENABLED, or its url is not below it. */
const char *destinations_refuse(struct rules_engine *e, const char *kind, const cJSON *fields, struct sk_arena *a);

#endif
