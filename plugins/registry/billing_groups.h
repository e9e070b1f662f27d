/* billing_groups.h -- the billing group of a thing: billingGroupName in the thing's record, and the mark
 * registry/billing-group-thing/<group>/<thing> {} in the same commit. */
#ifndef REGISTRY_BILLING_GROUPS_H
#define REGISTRY_BILLING_GROUPS_H

#include "core/call.h"

/* A thing's mark is put or taken away. NULL group: nothing. */
void billing_group_mark(struct sk_call *c, const char *group, const char *thing, bool there);

/* The event by which a large billing group is forgotten. */
sk_handler billing_groups_on_forget;
#define BILLING_GROUP_FORGET "ForgetBillingGroup"

#endif
