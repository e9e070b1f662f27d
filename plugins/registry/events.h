/* events.h -- what the registry tells subscribers of $aws/events about itself, as far as UpdateEventConfigurations switched it on.
 *
 * Call these in the handler that makes the change, with the records as they are after it (before it, for what is removed): they publish at
 * QoS 1, durably, in the same commit. Records are those of the files that own them. */
#ifndef REGISTRY_EVENTS_H
#define REGISTRY_EVENTS_H

#include "core/call.h"

enum event_operation { EVENT_CREATED, EVENT_UPDATED, EVENT_DELETED, EVENT_ADDED, EVENT_REMOVED };

void event_thing(struct sk_call *c, enum event_operation op, const cJSON *thing);
void event_thing_type(struct sk_call *c, enum event_operation op, const cJSON *type);
/* The thing came to have that type, or has it no more. NULL type: nothing. */
void event_type_association(struct sk_call *c, enum event_operation op, const cJSON *thing, const char *type);
void event_group(struct sk_call *c, enum event_operation op, const cJSON *group);
void event_membership(struct sk_call *c, enum event_operation op, const cJSON *group, const cJSON *thing);
/* NULL parent: nothing. */
void event_hierarchy(struct sk_call *c, enum event_operation op, const cJSON *parent, const cJSON *child);

#endif
