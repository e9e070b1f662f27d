/* token.c -- see token.h: hexadecimal digits. */
#include "core/token.h"

#include <string.h>

#include "core/digest.h"

char *sk_token_of(struct sk_arena *a, const char *name)
{
	size_t n = strlen(name);
	char *hex = sk_alloc_text(a, n * 2 + 1);
	if (!hex)
		return NULL;
	sk_hex(name, n, hex);
	return hex;
}

static int digit(char ch)
{
	const char *all = "0123456789abcdef", *at = ch ? strchr(all, ch) : NULL;
	return at ? (int)(at - all) : -1;
}

const char *sk_token_read(struct sk_arena *a, const char *token)
{
	size_t n = strlen(token);
	char *name = sk_alloc_text(a, n / 2 + 1);
	if (!name || !n || n % 2)
		return NULL;
	for (size_t i = 0; i < n / 2; i++) {
		int high = digit(token[2 * i]), low = digit(token[2 * i + 1]);
		if (high < 0 || low < 0 || high * 16 + low == 0)
			return NULL;
		name[i] = (char)(high * 16 + low);
	}
	name[n / 2] = '\0';
	return name;
}
