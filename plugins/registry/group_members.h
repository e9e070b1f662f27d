/* group_members.h -- which things are in which thing groups.
 *
 * A membership is three kinds of {} in one commit: registry/group-thing/<group>/<thing>, registry/thing-group/<thing>/<group>, and
 * registry/group-tree-thing/<g>/<thing> for the group itself and each of its ancestors. When a large group is deleted its record goes
 * at once and what is left of its memberships by events: a membership whose group has no record counts nowhere. */
#ifndef REGISTRY_GROUP_MEMBERS_H
#define REGISTRY_GROUP_MEMBERS_H

#include "core/call.h"

/* The thing is about to be deleted. */
void group_members_forget_thing(struct sk_call *c, const char *name, const cJSON *thing);
/* The group's record has just been removed; group is what it was. */
void group_members_forget_group(struct sk_call *c, const cJSON *group);
/* Something of a deleted group of that name has not been forgotten yet. */
bool group_members_left(struct sk_call *c, const char *group);
/* The event by which a large group is forgotten. */
sk_handler group_members_on_forget;
#define GROUP_MEMBERS_FORGET "ForgetGroupMembers"

#endif
