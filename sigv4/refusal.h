/* sigv4_refusal.h -- what AWS answers when it does not believe a request: names, statuses and sentences. For the files of SigV4 and keys. */
#ifndef SIGV4_REFUSAL_H
#define SIGV4_REFUSAL_H

#include "sigv4/sigv4.h"

/* REFUSAL(code, status, x-amzn-ErrorType) */
#define SIGV4_REFUSALS(REFUSAL) \
	REFUSAL(NOT_SIGNED, 403, "MissingAuthenticationTokenException") \
	REFUSAL(INCOMPLETE, 403, "IncompleteSignatureException") \
	REFUSAL(INVALID, 403, "InvalidSignatureException") \
	REFUSAL(UNKNOWN_KEY, 403, "UnrecognizedClientException") \
	REFUSAL(DENIED, 403, "AccessDeniedException") \
	REFUSAL(BAD_BODY, 400, "InvalidRequestException") \
	REFUSAL(NO_MEMORY, 503, "ServiceUnavailableException")

enum sigv4_why {
#define REFUSAL(code, status, name) SIGV4_##code,
	SIGV4_REFUSALS(REFUSAL)
#undef REFUSAL
};

#define SIGV4_MISMATCH "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and " \
	"signing method. Consult the service documentation for details."
#define SIGV4_NO_SUCH_KEY "The security token included in the request is invalid."

/* Fills *no, returns -1. */
__attribute__((format(printf, 4, 5))) int sigv4_refuse(struct sk_arena *a, struct sigv4_refusal *no, enum sigv4_why why, const char *fmt, ...);

#endif
