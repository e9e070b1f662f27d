/* keyring.h -- the access keys that requests are judged by, in memory. Any thread.
 *
 * The broker's thread tells of changes before the operation that made them is answered; whoever judges asks at the same time. A lock is held
 * for some microseconds at most. Keys derived for a day, region and service are kept with the access key that they are derived from. */
#ifndef HTTP_KEYRING_H
#define HTTP_KEYRING_H

#include "core/json.h"
#include "sigv4/sigv4.h"

#define KEYRING_ALL "*" /* a policy that is none: everything */

struct keyring;
struct keyring *keyring_new(void);
void keyring_free(struct keyring **k);
/* secret NULL: the key is deleted, disabled, or cannot be opened: it is good for nothing. policies: a list of names. 0, or -1: memory is out. */
int keyring_set(struct keyring *k, const char *id, const char *secret, const cJSON *policies);

/* All keys are set anew: what was not set between the two calls is gone then, and good until then. */
void keyring_begin(struct keyring *k);
void keyring_end(struct keyring *k);

struct keyring_grant {
	bool all;                  /* everything */
	size_t policies;
	const char *const *policy; /* in the arena */
};
/* The key for sigv4_judge, and what its holder may do (in the arena). -1: there is no such key, or it is good for nothing. */
int keyring_find(struct keyring *k, struct sk_arena *a, const struct sigv4_claim *claim, uint8_t key[SIGV4_HASH], struct keyring_grant *grant);

#endif
