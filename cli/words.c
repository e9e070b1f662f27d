/* words.c -- see words.h. A dash goes before each capital that begins a word: one after a small letter or a digit, or the
 * last of a run of capitals when a small letter follows it. */
#include "cli/words.h"

#include <ctype.h>
#include <string.h>

static bool begins_word(const char *s, size_t i)
{
	if (i == 0 || !isupper((unsigned char)s[i]))
		return false;
	return !isupper((unsigned char)s[i - 1]) || islower((unsigned char)s[i + 1]);
}

char *words_kebab(struct sk_arena *a, const char *camel)
{
	size_t n = strlen(camel), out = 0;
	char *kebab = sk_alloc_text(a, 2 * n + 1);
	if (!kebab)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (begins_word(camel, i) && camel[i - 1] != '-')
			kebab[out++] = '-';
		kebab[out++] = (char)tolower((unsigned char)camel[i]);
	}
	kebab[out] = 0;
	return kebab;
}

bool words_same(const char *typed, const char *camel)
{
	for (;; typed++, camel++) {
		while (*typed == '-')
			typed++;
		while (*camel == '-')
			camel++;
		if (tolower((unsigned char)*typed) != tolower((unsigned char)*camel))
			return false;
		if (!*typed)
			return true;
	}
}
