/* rules.h -- the tables of skeeter_rules, and what its options are read into.
 *
 * The options are constant once the plugin has started: handlers read them from any worker. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "core/call.h"
#include "core/plugin.h"

extern const struct sk_op_group topic_rules_group, dry_run_group, observed_group;

struct rules_state {
	bool strict_aws;
	int64_t most_rules;
	const char *account; /* for accountid() */
};

#endif
