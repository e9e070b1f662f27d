/* base64.h -- RFC 4648 section 4, strict: padded, nothing else between the letters. */
#ifndef SK_BASE64_H
#define SK_BASE64_H

#include <stddef.h>

#include "core/arena.h"

size_t sk_base64_size(size_t n); /* of n bytes encoded, without a NUL, which nobody writes */
void sk_base64_encode(const void *bytes, size_t n, char *out);
/* The same as a text of the arena's; NULL: memory is out. */
char *sk_base64_text(struct sk_arena *a, const void *bytes, size_t n);
/* Bytes decoded into out, which has room for n; -1: not base64. */
long sk_base64_decode(const char *text, size_t n, unsigned char *out);

#endif
