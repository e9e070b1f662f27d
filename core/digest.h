/* digest.h -- SHA-256 that cannot fail. */
#ifndef SK_DIGEST_H
#define SK_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { SK_DIGEST_SIZE = 32 };
void sk_digest(const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE]);

#endif
