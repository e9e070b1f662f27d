/* lane_seal.h -- what lies in the files of lanes and knows a secret lies there sealed (core/seal.h): a copy of those files, or of the store, gives none away.
 *
 * The key is one for the process: FOLDER.key beside the folder of lanes, made when it is not there. Without that file what was sealed is lost. */
#ifndef RULES_LANE_SEAL_H
#define RULES_LANE_SEAL_H

#include "core/seal.h"

enum { LANE_SEALED_MORE = 4 + SK_SEAL_NONCE + SK_SEAL_TAG }; /* bytes that sealing adds */

/* At start; `fresh` is chance. 0, or -1 with why[]. */
int lane_seal_open(const char *folder, const uint8_t fresh[SK_SEAL_KEY], char *why, size_t why_size);
/* n bytes stand at `at` + LANE_SEALED_MORE - SK_SEAL_TAG; the sealed record, n + LANE_SEALED_MORE bytes, is made of them there. 0, or -1: memory is out. */
int lane_seal(void *at, size_t n);
bool lane_is_sealed(const void *record, size_t size);
/* The bytes that were sealed, *n of them, the arena's; NULL: not with this key, or a->failed. */
void *lane_unseal(struct sk_arena *a, const void *record, size_t size, size_t *n);
/* A text, as text, and back. */
const char *lane_seal_text(struct sk_arena *a, const char *text);
const char *lane_unseal_text(struct sk_arena *a, const char *sealed);

#endif
