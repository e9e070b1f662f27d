/* utf8.c -- well-formed UTF-8 after RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "core/utf8.h"

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The second byte's range depends on the first one: RFC 3629, section 4. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0: return second >= 0xa0 && second <= 0xbf;
	case 0xed: return second >= 0x80 && second <= 0x9f;
	case 0xf0: return second >= 0x90 && second <= 0xbf;
	case 0xf4: return second >= 0x80 && second <= 0x8f;
	default: return is_tail(second);
	}
}

int sk_utf8_length(const unsigned char *s, const unsigned char *end)
{
	unsigned char c = *s;
	int n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n < 2)
		return n;
	if (end - s < n || !second_fits(c, s[1]))
		return 0;
	for (int i = 2; i < n; i++)
		if (!is_tail(s[i]))
			return 0;
	return n;
}

bool sk_utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = n ? p + n : p;

	while (p < end) {
		int step;

		if (end - p >= 8 && !(sk_load8(p) & SK_EVERY_BYTE(0x80))) {
			p += 8;
			continue;
		}
		step = sk_utf8_length(p, end);
		if (step == 0)
			return false;
		p += step;
	}
	return true;
}

/* Of valid UTF-8 MQTT leaves out control characters (to U+001F, U+007F to U+009F) and what is no character (U+FDD0 to U+FDEF, U+xFFFE, U+xFFFF). */
static bool is_no_character(const unsigned char *s)
{
	if (s[0] < 0x20 || s[0] == 0x7f)
		return true;
	if (s[0] == 0xc2)
		return s[1] < 0xa0;
	if (s[0] == 0xef && s[1] == 0xb7)
		return s[2] >= 0x90 && s[2] <= 0xaf;
	if (s[0] == 0xef)
		return s[1] == 0xbf && s[2] >= 0xbe;
	return s[0] >= 0xf0 && (s[1] & 0x0f) == 0x0f && s[2] == 0xbf && s[3] >= 0xbe;
}

bool sk_utf8_is_text(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s && !is_no_character(s))
		s++;
	return !*s && s - (const unsigned char *)text <= 65535;
}
