/* credentials.h -- a .creds file: a user's JWT, and the seed of the key that answers the server's nonce. Pure. */
#ifndef SINK_NATS_CREDENTIALS_H
#define SINK_NATS_CREDENTIALS_H

#include <stddef.h>

#include "core/arena.h"

struct nats_credentials {
	const char *jwt, *seed;    /* the arena's */
};
/* NULL, or what is wrong with the file's text. */
const char *nats_credentials(struct sk_arena *a, const char *text, struct nats_credentials *out);
/* The nonce signed with the seed, in base64url without padding. NULL: the seed is none, or memory is out. */
const char *nats_sign(struct sk_arena *a, const char *seed, const char *nonce);

#endif
