/* policy_parse.h -- what the two halves of reading a policy document share: documents and statements (policy_parse.c), patterns,
 * variables and conditions (policy_pattern.c). For policy_*.c.
 *
 * Everything here returns 0, or -1 after policy_refuse. */
#ifndef AUTH_POLICY_PARSE_H
#define AUTH_POLICY_PARSE_H

#include "core/arena.h"
#include "core/json.h"
#include "plugins/auth/policy.h"

/* A pattern names its variables by one byte below this. */
enum { POLICY_MOST_USES = 128 };

struct policy_parse {
	struct sk_arena memory; /* of the document and the draft */
	struct policy policy;   /* the draft */
	struct policy_use use[POLICY_MOST_USES];
	unsigned statement;          /* the one being read, from 1 */
	struct policy_statement *at; /* its draft */
	policy_is_action *others;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) int policy_refuse(struct policy_parse *p, const char *fmt, ...);
char policy_wildcard(char c);
/* With wildcards ? and * stand for themselves only as ${?} and ${*}. */
int policy_compile(struct policy_parse *p, const char *source, bool wildcards, struct policy_pattern *out);
int policy_read_conditions(struct policy_parse *p, struct policy_statement *s, const cJSON *node);

#endif
