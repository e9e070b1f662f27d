/* registry.h -- the registry's tables, and what its options are read into; start fills in what they leave open.
 *
 * The state is constant once the plugin has started: handlers read it from any worker. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stddef.h>

struct sk_op_group;
struct sk_tagged;
extern const struct sk_op_group things_group, thing_types_group, thing_groups_group, group_members_group, billing_groups_group, tags_group,
	events_group, logging_group, endpoint_group, role_aliases_group, domain_configurations_group;

struct registry_state {
	const char *endpoint; /* the option; may be NULL or empty, then host is the address */
	char host[256];       /* never empty after start */
	const char *account;  /* for documents that name it */
	const struct sk_tagged *(*tagged)(size_t i); /* what has tags, of all plugins: sk_tagged_at */
};

#endif
