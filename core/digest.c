/* digest.c -- see digest.h. OpenSSL 3's SHA256() takes memory and leaves the digest as it was when there is none: a certificate would have
 * the id that happened to stand there. What it calls deprecated works on the stack. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/digest.h"

#include <openssl/sha.h>

void sk_digest(const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE])
{
	SHA256_CTX context;

	SHA256_Init(&context);
	SHA256_Update(&context, data, n);
	SHA256_Final(out, &context);
}
