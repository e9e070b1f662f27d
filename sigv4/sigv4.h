/* sigv4.h -- AWS Signature Version 4: what a request claims, whether it holds, and making such a claim.
 *
 * One canonicaliser (canonical.c) serves verifying and signing. It is pure: time and keys are arguments, memory is the arena's,
 * any thread may call it. Paths are encoded twice and normalised, as for every service but S3; in a query `+` is a plus.
 *
 * Serving takes two steps, so that a body is not waited for in vain: sigv4_read() when the headers are there, sigv4_judge() when the
 * body is. access_keys.h has both in one, with the keys. */
#ifndef SIGV4_H
#define SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

enum { SIGV4_HASH = 32, SIGV4_SKEW_S = 300, SIGV4_LONGEST_S = 604800 };

struct sigv4_field {
	const char *name, *value;
};
struct sigv4_request { /* as it came or will be sent; nothing decoded */
	const char *method;
	const char *path;  /* "/things/a%20b", without the query */
	const char *query; /* without the question mark; "" for none */
	const struct sigv4_field *header; /* in order of arrival, a repeated one each time; names in any case */
	size_t headers;
};

/* What is answered when a request is refused: status, x-amzn-ErrorType, and "message". Texts are the arena's or constants. */
struct sigv4_refusal {
	int http;
	const char *name;
	const char *message;
};

/* What x-amz-content-sha256 says of the body. */
enum sigv4_payload {
	SIGV4_HASHED,            /* nothing, or a hash: the body's own hash is what counts */
	SIGV4_UNSIGNED,          /* UNSIGNED-PAYLOAD */
	SIGV4_CHUNKED,           /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
	SIGV4_CHUNKED_TRAILER,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
	SIGV4_UNSIGNED_TRAILER,  /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};
struct sigv4_claim {
	bool presigned;            /* in the query, for expires_s seconds */
	const char *key_id, *date, *region, *service; /* of the credential; date is YYYYMMDD */
	const char *when;          /* YYYYMMDDTHHMMSSZ */
	int64_t when_s, expires_s; /* seconds since 1970; expires_s: SIGV4_SKEW_S unless presigned */
	const char *signed_headers; /* "host;x-amz-date" */
	const char *token;         /* X-Amz-Security-Token, or NULL */
	enum sigv4_payload payload;
	char signature[2 * SIGV4_HASH + 1]; /* as it came: 64 lower-case hex digits */
};

/* Is there anything of a signature in it? false: sigv4_read would answer MissingAuthenticationToken. */
bool sigv4_is_signed(const struct sigv4_request *r);
/* 0, or -1 with *no: it is not signed, half a signature, a wrong form. Does not look at the clock or at keys. */
int sigv4_read(struct sk_arena *a, const struct sigv4_request *r, struct sigv4_claim *out, struct sigv4_refusal *no);
/* The payload that x-amz-content-sha256 names. */
enum sigv4_payload sigv4_payload_named(const char *word);
/* The key that signs for one day, region and service. */
void sigv4_signing_key(const char *secret, const char *date, const char *region, const char *service, uint8_t key[SIGV4_HASH]);

struct sigv4_body {
	const char *data; /* sigv4_judge() makes of a chunked one what was in the chunks, in the arena */
	size_t size;
};
/* Does the claim hold for this body, by this key, now? 0, or -1 with *no. Takes the same time whichever digit of the signature is wrong. */
int sigv4_judge(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_claim *claim, struct sigv4_body *body,
                const uint8_t key[SIGV4_HASH], int64_t now_ms, struct sigv4_refusal *no);

/* -- signing -- */
struct sigv4_signer {
	const char *key_id, *secret, *token; /* token NULL: none */
	const char *region, *service;
	int64_t now_ms;
	bool unsigned_payload; /* only where the service takes it, and over TLS */
	bool s3;               /* paths as S3 takes them: encoded once, not normalised */
};
/* Signs all of r's headers, which must hold host and must not hold x-amz-date, x-amz-security-token or authorization: these are the
 * three (without a token two) that come back in add[] and are to be sent too. Returns how many; 0: memory is out. */
size_t sigv4_sign(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_body *body, const struct sigv4_signer *by,
                  struct sigv4_field add[3]);
/* The query (without the question mark) of a presigned request for `seconds`; NULL: memory is out. */
const char *sigv4_presign(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_body *body, const struct sigv4_signer *by,
                          int64_t seconds);

#endif
