/* digest.c -- see digest.h. OpenSSL 3's SHA256() and HMAC() take memory and leave the digest as it was when there is none: a certificate would have
 * the id that happened to stand there. They also look their algorithm up each time. What it calls deprecated works on the stack. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

enum { BLOCK = 64 };

void sk_digest(const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE])
{
	SHA256_CTX context;

	SHA256_Init(&context);
	SHA256_Update(&context, data, n);
	SHA256_Final(out, &context);
}

static void hash_behind_pad(const uint8_t key[BLOCK], uint8_t pad, const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE])
{
	SHA256_CTX context;
	uint8_t block[BLOCK];

	for (int i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(&context);
	SHA256_Update(&context, block, BLOCK);
	SHA256_Update(&context, data, n);
	SHA256_Final(out, &context);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(&context, sizeof context);
}

void sk_hmac(const void *key, size_t key_size, const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE])
{
	uint8_t block[BLOCK] = { 0 }, inner[SK_DIGEST_SIZE];

	if (key_size > BLOCK)
		sk_digest(key, key_size, block);
	else
		memcpy(block, key, key_size);
	hash_behind_pad(block, 0x36, data, n, inner);
	hash_behind_pad(block, 0x5c, inner, sizeof inner, out);
	OPENSSL_cleanse(block, sizeof block);
}

void sk_sha1(const void *data, size_t n, uint8_t out[SK_SHA1_SIZE])
{
	SHA_CTX context;

	SHA1_Init(&context);
	SHA1_Update(&context, data, n);
	SHA1_Final(out, &context);
}

void sk_hex(const void *data, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = data;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[at[i] >> 4];
		*out++ = digits[at[i] & 15];
	}
	*out = '\0';
}

void sk_uuid_text(const void *chance, char out[SK_UUID_TEXT])
{
	static const uint8_t sizes[] = { 4, 2, 2, 2, 6 };
	uint8_t b[16];
	const uint8_t *at = b;

	memcpy(b, chance, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof sizes; i++) {
		sk_hex(at, sizes[i], out);
		at += sizes[i];
		out += 2 * sizes[i];
		*out++ = i + 1 < sizeof sizes ? '-' : '\0';
	}
}
