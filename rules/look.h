/* look.h -- what a statement asks of the world, answered from records: shadows and the registry, and functions where something runs them.
 *
 * Pure: which records, and what is made of them. They are read through callbacks that may answer "not yet"; the answers are those of
 * GetThingShadow, DescribeThing and ListThingGroupsForThing. What is not there is undefined. */
#ifndef RULES_LOOK_H
#define RULES_LOOK_H

#include "sql/sql.h"

/* In all of them: *later (false before) is set when there is no answer yet. Keys and names are checked: no slash but those of the key's form. */
struct rules_world {
	struct sk_arena *arena;  /* for answers, which share nodes with records */
	const char *arn;         /* "arn:aws:iot:REGION:ACCOUNT:" */
	int64_t now_ms;
	void *context;
	/* The record "thing/lamp/shadow"; NULL: there is none. */
	const cJSON *(*record)(void *context, const char *key, bool *later);
	/* Names behind a prefix, "registry/thing-group/lamp/": an array of texts, at most `most`. */
	const cJSON *(*names)(void *context, const char *prefix, int most, bool *later);
	/* aws_lambda: as sql_look. NULL: nothing here runs functions. */
	int (*invoke)(void *context, const char *arn, const cJSON *input, const cJSON **answer, const char **why);
	/* get_secret: as sk_secret() of core/secrets.h. NULL: nothing here keeps secrets. */
	const char *(*secret)(void *context, const char *name, const char *key);
};
/* A sql_look: `world` is a struct rules_world, or begins with one. */
int rules_look(void *world, const struct sql_lookup *what, const cJSON **answer, const char **why);

#endif
