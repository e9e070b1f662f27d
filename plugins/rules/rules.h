/* rules.h -- the tables of skeeter_rules, and what its options are read into.
 *
 * The options are constant once the plugin has started: handlers read them from any worker. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/rules/action_check.h"

extern const struct sk_op_group topic_rules_group, dry_run_group, observed_group, destinations_group, dead_letters_group;

struct rules_engine; /* engine.h */
enum rules_destinations { DESTINATIONS_CONFIRMED, DESTINATIONS_ANY };
struct rules_state {
	bool strict_aws;
	int64_t most_rules, threads;
	int64_t ring;        /* bytes, of all threads together */
	const char *journal; /* folder of the rings; NULL: one in /dev/shm */
	const char *folder;  /* NULL: there are no files of rules */
	int64_t spill;       /* bytes that may wait for one destination */
	int64_t retry_for, retry_least, retry_most; /* ms */
	int64_t lanes;       /* destinations */
	int64_t dead_letters; /* of one rule */
	int64_t recorder, recorder_age; /* bytes, 0: nothing is recorded; ms */
	const char *recorder_topics; /* NULL: what matches a rule */
	int64_t lua_instructions, lua_time, lua_memory; /* of one run, ms of one run, bytes of one file */
	const char *account; /* for accountid() */
	struct rules_engine *engine;
	int destinations;    /* who may be sent to by http actions: enum rules_destinations */
	const char *confirm_url; /* where our HTTP listener is seen by those who are asked; NULL: they are not told */
	action_sinks *sinks; /* NULL: none are loaded */
	void (*warn)(const char *line); /* NULL: nobody listens */
};

#endif
