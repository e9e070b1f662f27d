/* check.h -- 32 bits that tell whether bytes are those that were written: quick, not for enemies. Some 10 bytes a nanosecond. */
#ifndef SK_CHECK_H
#define SK_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sk_check_word(uint64_t a, const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
	a = (a ^ word) * 0xff51afd7ed558ccdu;
	return a << 31 | a >> 33;
}

/* Four words at a time, which do not wait for each other. What is left over at the end is read with what comes before it. */
static inline uint32_t sk_check(const void *bytes, size_t n)
{
	const unsigned char *at = bytes, *end = at + n;
	uint64_t a = 0x9e3779b97f4a7c15u ^ n, b = a + 1, c = a + 2, d = a + 3;

	for (; end - at >= 32; at += 32) {
		a = sk_check_word(a, at);
		b = sk_check_word(b, at + 8);
		c = sk_check_word(c, at + 16);
		d = sk_check_word(d, at + 24);
	}
	a ^= b * 3 ^ c * 5 ^ d * 7;
	for (; end - at >= 8; at += 8)
		a = sk_check_word(a, at);
	if (at != end && n >= 8)
		a = sk_check_word(a, end - 8);
	for (; n < 8 && at != end; at++)
		a = (a ^ *at) * 0xff51afd7ed558ccdu;
	a = (a ^ a >> 32) * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(a ^ a >> 29);
}

#endif
