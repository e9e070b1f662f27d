/* internal.h -- what the files of this folder share: templates within fields, and what they know of each other's actions. */
#ifndef RULES_INTERNAL_H
#define RULES_INTERNAL_H

#include "rules/rule.h"

/* The field's node has the template's number, from 1, in valueint, which means nothing else in a string. */
struct rules_template {
	const char *path; /* "headers.userProperties[0].value" */
	const struct expr_program *program;
};

/* -- kinds.c -- */

/* Called for a field that may hold templates and does; `path` is only lent. False ends the walk. */
typedef bool rules_on_template(void *ctx, const cJSON *field, const char *path);
/* In the same order each time for the same fields. False: fn said so. */
bool rules_each_template(const struct rules_kind *k, const cJSON *fields, rules_on_template *fn, void *ctx);
/* What the error document calls failedResource, or NULL. */
const char *rules_resource(const struct rules_kind *k, const cJSON *fields);
/* The only member of an action that is not null; NULL: there is none, or more than one. */
const cJSON *rules_only_kind(const cJSON *action);

/* -- evaluate.c -- */

/* Fills in the templates of n actions for out->payload, which is set. SK_OK, SQL_LATER or SK_E_INTERNAL with out->why. */
int rules_deliver(const struct rules_action *list, int n, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
                  struct rules_outcome *out);

/* -- republish.c -- */

bool rules_is_republish(const struct rules_action *action);
/* Why this payload may not be republished with these fields, or NULL. */
const char *rules_payload_fault(struct sk_arena *a, const cJSON *fields, const struct rules_outcome *o);

#endif
