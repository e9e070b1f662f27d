/* call_world.h -- the world of a statement or a template that runs in a call. Like all that a call reads, what is not there yet makes the run void. */
#ifndef RULES_CALL_WORLD_H
#define RULES_CALL_WORLD_H

#include "core/call.h"
#include "rules/look.h"

/* Its `invoke` is NULL: nothing runs functions. */
struct rules_world call_world(struct sk_call *c);
/* A sql_zone_at, for messages whose world is such a one. */
bool call_world_zone(void *world, const char *name, int64_t utc_ms, struct sql_zone *out);

#endif
