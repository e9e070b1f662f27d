/* registry.h -- the registry's tables, and what its options are read into; start fills in what they leave open.
 *
 * The state is constant once the plugin has started: handlers read it from any worker. */
#ifndef REGISTRY_H
#define REGISTRY_H

struct sk_op_group;
extern const struct sk_op_group things_group, thing_types_group, endpoint_group;

struct registry_state {
	const char *endpoint; /* never NULL after start */
	char host[256];       /* what endpoint points to when the option is not given */
};

#endif
