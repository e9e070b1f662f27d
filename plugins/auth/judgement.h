/* judgement.h -- what each effective policy says to one question, by the engine of the live check. On a worker. */
#ifndef AUTH_JUDGEMENT_H
#define AUTH_JUDGEMENT_H

#include "plugins/auth/effective.h"

enum judged { JUDGED_NOTHING, JUDGED_ALLOWS, JUDGED_DENIES, JUDGED_UNREADABLE };
struct judgement {
	enum judged says;
	unsigned statement; /* from 1, when it allows or denies */
};
struct judgement judge(struct sk_call *c, const struct effective *e, const struct effective_policy *p, enum policy_action action,
                       const char *name);
/* Appends each variable without a value that statements about this action ask for, once. */
void judge_missing(struct sk_call *c, struct effective *e, enum policy_action action, cJSON *list);

#endif
