/* seal.h -- secrets that must be had back (a signature is checked with the secret itself), kept so that the store alone gives none away.
 *
 * AES-256-GCM under a key that stands in a file of its own: whoever has the store, a backup of it or its pages on a disk has no secrets; whoever
 * has both files, or the memory of the broker, has them all. Rotation is new access keys. */
#ifndef SK_SEAL_H
#define SK_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

enum { SK_SEAL_KEY = 32, SK_SEAL_NONCE = 12, SK_SEAL_TAG = 16 };

/* Reads the key from the file. `what` names it in why[]: "plugin_opt_key_file". One that is not there is made, of the bytes in `fresh`, with mode 0600. 0, or -1 with why[]: it cannot be read or
 * made, is no key, or others than its owner may read it. */
int sk_seal_open(const char *what, const char *path, const uint8_t fresh[SK_SEAL_KEY], uint8_t key[SK_SEAL_KEY], char *why, size_t why_size);

/* base64 text of nonce, what is sealed, and its tag. A nonce is used once. `whose` is bound to it: what is sealed for one id opens for no
 * other. NULL: memory is out. */
const char *sk_seal_text(struct sk_arena *a, const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, const char *text);
/* NULL: it was not sealed with this key for this id, or has been changed; or memory is out. */
char *sk_seal_read(struct sk_arena *a, const uint8_t key[SK_SEAL_KEY], const char *whose, const char *sealed);

/* n bytes in their place; their tag follows, for which there is room. 0, or -1: memory is out. */
int sk_seal_bytes(const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, void *bytes, size_t n);
/* -1: as sk_seal_read(); then they are of no use. */
int sk_unseal_bytes(const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, void *bytes, size_t n);

#endif
