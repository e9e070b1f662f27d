/* target.h -- the certificate that an operation means. */
#ifndef AUTH_TARGET_H
#define AUTH_TARGET_H

#include "core/call.h"
#include "plugins/auth/certificate.h"

/* Reads a certificate's ARN of this account and region into `hex` (lower case). SK_OK, or what sk_fail returned: InvalidRequest for
 * anything else that may be attached to. */
int target_of_arn(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1]);
/* The same, and *record is its record; ResourceNotFound when there is none. */
int target_record(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1], const cJSON **record);
const char *target_arn(struct sk_call *c, const char *hex);

#endif
