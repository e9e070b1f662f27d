/* lane_seal.c -- see lane_seal.h. A nonce is made of what is sealed, so it is never used for anything else.
 *
 *   'L' 'S' 0 0 | nonce | sealed | tag */
#include "plugins/rules/lane_seal.h"

#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/why.h"

enum { HEAD = 4 + SK_SEAL_NONCE };
#define WHOSE "lane"

static uint8_t key[SK_SEAL_KEY];

int lane_seal_open(const char *folder, const uint8_t fresh[SK_SEAL_KEY], char *why, size_t why_size)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s.key", folder) >= (int)sizeof path)
		return sk_why(why, why_size, "%s is too long", folder);
	return sk_seal_open("the lanes' key", path, fresh, key, why, why_size);
}

static void nonce_of(const void *bytes, size_t n, uint8_t nonce[SK_SEAL_NONCE])
{
	uint8_t hash[SK_DIGEST_SIZE];

	sk_hmac(key, sizeof key, bytes, n, hash);
	memcpy(nonce, hash, SK_SEAL_NONCE);
}

int lane_seal(void *at, size_t n)
{
	uint8_t *record = at;

	memcpy(record, "LS\0\0", 4);
	nonce_of(record + HEAD, n, record + 4);
	return sk_seal_bytes(key, record + 4, WHOSE, record + HEAD, n);
}

bool lane_is_sealed(const void *record, size_t size)
{
	return size >= LANE_SEALED_MORE && !memcmp(record, "LS\0\0", 4);
}

void *lane_unseal(struct sk_arena *a, const void *record, size_t size, size_t *n)
{
	const uint8_t *from = record;
	uint8_t *to = sk_alloc(a, size);

	*n = size - LANE_SEALED_MORE;
	if (!to)
		return NULL;
	memcpy(to, from + HEAD, size - HEAD);
	return sk_unseal_bytes(key, from + 4, WHOSE, to, *n) ? NULL : to;
}

const char *lane_seal_text(struct sk_arena *a, const char *text)
{
	uint8_t nonce[SK_SEAL_NONCE];

	nonce_of(text, strlen(text), nonce);
	return sk_seal_text(a, key, nonce, WHOSE, text);
}

const char *lane_unseal_text(struct sk_arena *a, const char *sealed)
{
	return sk_seal_read(a, key, WHOSE, sealed);
}
