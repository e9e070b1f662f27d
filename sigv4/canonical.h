/* canonical.h -- what both sides of a signature hash: the canonical request and the string to sign. For sigv4*.c and tests.
 *
 * Texts are the arena's; NULL when memory is out, and then the arena's `failed` is set. */
#ifndef SIGV4_CANONICAL_H
#define SIGV4_CANONICAL_H

#include "sigv4/sigv4.h"

enum { SIGV4_MOST_HEADERS = 100 }; /* that may be signed */
#define SIGV4_SIGNATURE "X-Amz-Signature"

struct sigv4_canonical {
	const struct sigv4_request *request;
	const char *signed_headers; /* in any order and case; they come out sorted, each once */
	const char *payload;        /* the hash in hex, or the word that stands for it */
	bool presigned;             /* the query's own signature is left out */
	bool s3;                    /* the path is encoded once and taken as it is */
};
/* A growing text. */
struct sigv4_text {
	struct sk_arena *a;
	char *at; /* not terminated */
	size_t n, room;
};
void sigv4_put(struct sigv4_text *t, const char *s, size_t n);
void sigv4_puts(struct sigv4_text *t, const char *s);
/* Percent-encoding with upper-case digits of all but letters, digits and -._~ ; `keep` may be one more byte that stays, or 0. */
void sigv4_encode(struct sigv4_text *t, const char *s, size_t n, char keep);
/* The text, terminated; NULL when memory was out on the way. */
char *sigv4_text_end(struct sigv4_text *t);

const char *sigv4_canonical_request(struct sk_arena *a, const struct sigv4_canonical *c);
/* "content-type;host": the names of all headers of the request, sorted, each once. */
const char *sigv4_header_names(struct sk_arena *a, const struct sigv4_request *r);
/* when: YYYYMMDDTHHMMSSZ; scope: date/region/service/aws4_request. */
const char *sigv4_string_to_sign(struct sk_arena *a, const char *when, const char *scope, const char *canonical);
const char *sigv4_scope(struct sk_arena *a, const char *date, const char *region, const char *service);


/* A header's value by its name in any case, the first of that name; NULL: there is none. */
const char *sigv4_header(const struct sigv4_request *r, const char *name);
/* The decoded value of a query parameter, the first of exactly that name; NULL: there is none, or memory is out. */
const char *sigv4_parameter(struct sk_arena *a, const char *query, const char *name);

#endif
