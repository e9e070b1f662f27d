/* policy_records.h -- what operations on policies, their versions and their attachments have in common. */
#ifndef AUTH_POLICY_RECORDS_H
#define AUTH_POLICY_RECORDS_H

#include "core/call.h"

/* The record; NULL with ResourceNotFound in *rc. */
const cJSON *policy_or_fail(struct sk_call *c, const char *name, int *rc);
void answer_policy(struct sk_call *c, cJSON *out, const char *name);
/* SK_OK, or MalformedPolicy. */
int check_document(struct sk_call *c, const char *document);

#endif
