/* target.h -- what an operation means by an ARN: a certificate, or a group of things. */
#ifndef AUTH_TARGET_H
#define AUTH_TARGET_H

#include "core/call.h"
#include "plugins/auth/certificate.h"

/* Reads a certificate's ARN of this account and region into `hex` (lower case). SK_OK, or what sk_fail returned: InvalidRequest for
 * anything else. */
int target_of_arn(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1]);
/* The same, and *record is its record; ResourceNotFound when there is none. */
int target_record(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1], const cJSON **record);
const char *target_arn(struct sk_call *c, const char *hex);
const char *target_group_arn(struct sk_call *c, const char *group);

enum target_kind { TARGET_CERTIFICATE, TARGET_GROUP };
struct target {
	enum target_kind kind;
	const char *name; /* the certificate's id, the group's name */
	char hex[CERTIFICATE_HEX_SIZE + 1];
};
/* What policies are attached to; there: it must exist. */
int target_any(struct sk_call *c, const char *arn, bool there, struct target *t);
int target_certificate(struct sk_call *c, const char *arn, bool there, struct target *t);

#endif
