/* chunks.h -- bodies in signed chunks (aws-chunked), with or without a trailer. No service of IoT's asks for them; SDKs that are told
 * to send them are understood. */
#ifndef SIGV4_CHUNKS_H
#define SIGV4_CHUNKS_H

#include "sigv4/sigv4.h"

/* The request's own signature has been found good. Checks every chunk's, the trailer's and its checksums, and makes *body what was in the
 * chunks. 0, or -1 with *no. */
int sigv4_read_chunks(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_claim *claim, struct sigv4_body *body,
                      const uint8_t key[SIGV4_HASH], struct sigv4_refusal *no);

#endif
