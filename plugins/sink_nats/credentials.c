/* credentials.c -- see credentials.h. A seed is base32 of two bytes that say whose it is, 32 bytes of Ed25519, and a CRC-16 of them. */
#include "plugins/sink_nats/credentials.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

enum { SEED_TEXT = 58, SEED_BYTES = 36, KEY = 32, SIGNATURE = 64 };

/* The line behind the one that begins a part. NULL: there is no such part. */
static const char *part(struct sk_arena *a, const char *text, const char *name)
{
	const char *at = strstr(text, name);

	at = at ? strchr(at, '\n') : NULL;
	if (!at)
		return NULL;
	at += strspn(at, " \t\r\n");
	return sk_strndup(a, at, strcspn(at, " \t\r\n"));
}

const char *nats_credentials(struct sk_arena *a, const char *text, struct nats_credentials *out)
{
	out->jwt = part(a, text, "-BEGIN NATS USER JWT-");
	out->seed = part(a, text, "-BEGIN USER NKEY SEED-");
	if (!out->jwt || !*out->jwt)
		return "the credentials file has no user JWT";
	return out->seed && strlen(out->seed) == SEED_TEXT ? NULL : "the credentials file has no user seed";
}

static int base32(const char *text, unsigned char *out, size_t room)
{
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;

	for (; *text; text++) {
		int c = *text >= 'A' && *text <= 'Z' ? *text - 'A' : *text >= '2' && *text <= '7' ? *text - '2' + 26 : -1;
		if (c < 0)
			return -1;
		bits = (bits << 5 | (uint32_t)c) & 0xffff;
		have += 5;
		if (have < 8)
			continue;
		have -= 8;
		if (n < room)
			out[n] = (unsigned char)(bits >> have);
		n++;
	}
	return n == room ? 0 : -1;
}

/* CRC-16/XMODEM */
static unsigned crc16(const unsigned char *bytes, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}

static const char *base64url(struct sk_arena *a, const unsigned char *bytes, int n)
{
	char *out = sk_alloc_text(a, (size_t)(n + 2) / 3 * 4 + 1);

	if (!out)
		return NULL;
	EVP_EncodeBlock((unsigned char *)out, bytes, n);
	for (char *p = out; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	out[strcspn(out, "=")] = '\0';
	return out;
}

const char *nats_sign(struct sk_arena *a, const char *seed, const char *nonce)
{
	unsigned char raw[SEED_BYTES], signature[SIGNATURE];
	size_t n = sizeof signature;
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *c = NULL;
	bool signed_;

	if (base32(seed, raw, sizeof raw) || crc16(raw, SEED_BYTES - 2) != (raw[SEED_BYTES - 2] | (unsigned)raw[SEED_BYTES - 1] << 8))
		return NULL;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw + 2, KEY);
	c = EVP_MD_CTX_new();
	signed_ = key && c && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
	          EVP_DigestSign(c, signature, &n, (const unsigned char *)nonce, strlen(nonce)) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	OPENSSL_cleanse(raw, sizeof raw);
	return signed_ ? base64url(a, signature, (int)n) : NULL;
}
