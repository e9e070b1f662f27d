/* base64.c -- RFC 4648 section 4, strict: padded, nothing else between the letters. */
#include "core/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t sk_base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

void sk_base64_encode(const void *bytes, size_t n, char *out)
{
	const unsigned char *s = bytes;

	for (; n > 0; s += 3) {
		size_t take = n < 3 ? n : 3;
		unsigned v = s[0] << 16 | (take > 1 ? s[1] << 8 : 0) | (take > 2 ? s[2] : 0);
		*out++ = letters[v >> 18];
		*out++ = letters[v >> 12 & 63];
		*out++ = take > 1 ? letters[v >> 6 & 63] : '=';
		*out++ = take > 2 ? letters[v & 63] : '=';
		n -= take;
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four letters to a number of 24 bits; -1: not base64. */
static long quad(const char *s, int digits)
{
	long v = 0;

	for (int i = 0; i < 4; i++) {
		int digit = i < digits ? value_of(s[i]) : 0;
		if (digit < 0)
			return -1;
		v = v << 6 | digit;
	}
	return v;
}

long sk_base64_decode(const char *text, size_t n, unsigned char *out)
{
	unsigned char *to = out;

	if (n % 4)
		return -1;
	for (const char *s = text, *end = text + n; s < end; s += 4) {
		int digits = s + 4 == end ? 4 - (s[3] == '=') - (s[3] == '=' && s[2] == '=') : 4;
		long v = quad(s, digits);
		if (v < 0)
			return -1;
		*to++ = (unsigned char)(v >> 16);
		if (digits > 2)
			*to++ = (unsigned char)(v >> 8);
		if (digits > 3)
			*to++ = (unsigned char)v;
	}
	return to - out;
}

char *sk_base64_text(struct sk_arena *a, const void *bytes, size_t n)
{
	char *text = sk_alloc_text(a, sk_base64_size(n) + 1);

	if (!text)
		return NULL;
	sk_base64_encode(bytes, n, text);
	text[sk_base64_size(n)] = '\0';
	return text;
}
