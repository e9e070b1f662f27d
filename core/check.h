/* check.h -- 32 bits that tell whether bytes are those that were written: quick, not for enemies. Some 10 bytes a nanosecond. */
#ifndef SK_CHECK_H
#define SK_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t sk_check(const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t a = 0x9e3779b97f4a7c15u ^ n, word;

	for (; n >= 8; n -= 8, at += 8) {
		memcpy(&word, at, 8);
		a = (a ^ word) * 0xff51afd7ed558ccdu;
		a ^= a >> 32;
	}
	word = 0;
	memcpy(&word, at, n);
	a = (a ^ word) * 0xff51afd7ed558ccdu;
	a = (a ^ a >> 32) * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(a ^ a >> 29);
}

#endif
