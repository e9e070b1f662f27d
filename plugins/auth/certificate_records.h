/* certificate_records.h -- what operations on certificates and on those of CAs have in common: records, answers, and the managed capath
 * folder, which is written and read on the slow pool. */
#ifndef AUTH_CERTIFICATE_RECORDS_H
#define AUTH_CERTIFICATE_RECORDS_H

#include "core/call.h"
#include "plugins/auth/certificate.h"

/* Slow work answers {"error": text} when it failed: the call's error, SK_OK also while it has not finished. */
cJSON *slow_error(struct sk_arena *a, const char *why);
int slow_result(struct sk_call *c, const cJSON *result);
/* Puts the certificate into the capath folder, takes it out; nothing without the option. */
int trust_pem(struct sk_call *c, const char *pem);
int distrust_pem(struct sk_call *c, const char *pem);

/* The id in that input, in lower case. */
const char *given_id(struct sk_call *c, const char *member);
cJSON *certificate_record(struct sk_call *c, const struct certificate *x, const char *status, const char *mode);
/* A copy to change: a version later. */
cJSON *certificate_changed(struct sk_call *c, const cJSON *record);

/* What lists and descriptions show, and what only descriptions do. */
void answer_certificate(struct sk_call *c, cJSON *out, const char *arn, const char *id, const cJSON *record);
void answer_description(struct sk_call *c, cJSON *out, const cJSON *record);
int fail_registered(struct sk_call *c, const char *arn, const char *id);

#endif
