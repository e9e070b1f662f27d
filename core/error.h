/* error.h -- AWS's error names, each with its HTTP status and MQTT reason, in one table (error.c, from errors.tbl). */
#ifndef SK_ERROR_H
#define SK_ERROR_H

enum sk_error {
	SK_OK = 0,
#define SK_ERROR(code, name, http, mqtt) SK_E_##code##_NEG,
#include "core/errors.tbl"
#undef SK_ERROR
};
/* Handlers and engines return 0 or one of these negative codes. */
#define SK_ERROR(code, name, http, mqtt) enum { SK_E_##code = -(int)SK_E_##code##_NEG };
#include "core/errors.tbl"
#undef SK_ERROR

struct sk_error_info {
	const char *name; /* as AWS spells it: "ResourceNotFoundException" */
	int http;         /* status */
	int mqtt;         /* MQTT 5 reason code of the kind of failure */
};

/* Of any negative code; an unknown one is InternalFailureException. Never NULL. */
const struct sk_error_info *sk_error_info(int code);
/* The same as that service (AWS's signing name) has it, by errors_of.tbl; service may be NULL. */
const struct sk_error_info *sk_error_of(const char *service, int code);
/* The code with that name, 0 if there is none. */
int sk_error_by_name(const char *name);

#endif
