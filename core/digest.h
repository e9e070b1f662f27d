/* digest.h -- SHA-256 and what is made of it, without memory: it cannot fail. */
#ifndef SK_DIGEST_H
#define SK_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { SK_DIGEST_SIZE = 32, SK_SHA1_SIZE = 20 };
void sk_digest(const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE]);
/* HMAC-SHA-256 (RFC 2104). out may be the key or the data. */
void sk_hmac(const void *key, size_t key_size, const void *data, size_t n, uint8_t out[SK_DIGEST_SIZE]);
/* For protocols that still want it. */
void sk_sha1(const void *data, size_t n, uint8_t out[SK_SHA1_SIZE]);

/* n bytes as 2n small hexadecimal digits and a NUL. */
void sk_hex(const void *data, size_t n, char *out);
/* 16 bytes of chance as a UUID of version 4, lower case, and a NUL. */
enum { SK_UUID_TEXT = 37 };
void sk_uuid_text(const void *chance, char out[SK_UUID_TEXT]);

#endif
