/* utf8.h -- one step of UTF-8 and eight bytes at a time, for those who scan text. */
#ifndef SK_UTF8_H
#define SK_UTF8_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The length (1 to 4) of the well-formed sequence at s, 0 if there is none before `end`. s < end. */
int sk_utf8_length(const unsigned char *s, const unsigned char *end);

/* Whether MQTT takes this text (UTF-8) as a string: no control characters, nothing that is no character, at most 65,535 bytes. */
bool sk_utf8_is_text(const char *text);

static inline uint64_t sk_load8(const void *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof word);
	return word;
}

#define SK_EVERY_BYTE(b) (0x0101010101010101u * (uint64_t)(b))

/* Not 0 when one of the eight bytes is '"', '\\', below 0x20 or above 0x7f: what a JSON string cannot copy as it is. */
static inline uint64_t sk_special8(uint64_t word)
{
	uint64_t quote = word ^ SK_EVERY_BYTE('"'), slash = word ^ SK_EVERY_BYTE('\\');

	return ((quote - SK_EVERY_BYTE(1)) | (slash - SK_EVERY_BYTE(1)) | (word - SK_EVERY_BYTE(0x20)) | word) &
	       SK_EVERY_BYTE(0x80);
}

/* Which of the eight bytes, in the order of memory, is the first one that `found` of sk_special8 marks. Subtraction may
 * carry a false mark behind a true one in little endian, before it in big endian: there the caller may find it plain. */
static inline int sk_first8(uint64_t found)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_ctzll(found) >> 3;
#else
	return __builtin_clzll(found) >> 3;
#endif
}

#endif
