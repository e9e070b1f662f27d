/* rules.h -- what the files of `skeeter rules` share: which rule is meant, and how a trace is printed. */
#ifndef SKEETER_CLI_RULES_H
#define SKEETER_CLI_RULES_H

#include "cli/cli.h"

struct rule_target {
	const char *name;
	const cJSON *payload; /* a topicRulePayload; NULL: not read */
	bool stored;          /* of the broker's; else of a file */
};
/* A name, or a file with a topicRulePayload, bare or as a member of that name. A stored rule's payload is read with `whole` only. CLI_OK, or the
 * error is printed. */
int rule_find(struct cli *cli, const char *text, bool whole, struct rule_target *t);
/* Its filter in *filter, NULL: it has none. CLI_OK, or what is wrong with it is printed. */
int rule_filter(struct cli *cli, const struct rule_target *t, const char **filter);

/* rules_trace()'s document, a line each for clauses, output and actions. False: it does not match, or something fails. */
bool rule_print_trace(struct sk_arena *a, const cJSON *trace, const char *indent);
bool rule_is_well(const cJSON *trace);

/* Ctrl-C ends what lasts: true once it was pressed. rule_until_stopped() begins to listen for it. */
void rule_until_stopped(void);
bool rule_stopped(void);
const char *rule_clock(struct sk_arena *a, int64_t ms); /* "12:34:56", local */

cli_run rule_dry_run;          /* rules_dry_run.c */
cli_run rule_top, rule_trace;  /* rules_watch.c */
cli_run rule_test;             /* rules_test.c */
cli_run rule_lanes, rule_dead_letters; /* rules_lanes.c */
cli_run rule_replay;           /* rules_replay.c */

#endif
