/* text.c -- see text.h. Room is doubled, so that what was copied on the way is less than what is there. */
#include "outbound/text.h"

#include <stdio.h>
#include <string.h>

enum { FIRST = 256 };

static bool grow(struct outbound_text *t, size_t more)
{
	size_t room = t->room ? t->room : FIRST;
	char *at;

	if (t->n + more < t->room)
		return true;
	while (room <= t->n + more)
		room *= 2;
	at = sk_alloc_text(t->a, room);
	if (!at)
		return false;
	if (t->n)
		memcpy(at, t->at, t->n);
	t->at = at;
	t->room = room;
	return true;
}

void outbound_put(struct outbound_text *t, const void *bytes, size_t n)
{
	if (!grow(t, n))
		return;
	if (n)
		memcpy(t->at + t->n, bytes, n);
	t->n += n;
	t->at[t->n] = '\0';
}

void outbound_puts(struct outbound_text *t, const char *text)
{
	if (text)
		outbound_put(t, text, strlen(text));
}

void outbound_putc(struct outbound_text *t, char c)
{
	outbound_put(t, &c, 1);
}

void outbound_putf(struct outbound_text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	outbound_puts(t, sk_vprintf(t->a, fmt, ap));
	va_end(ap);
}

static void put_percent(struct outbound_text *t, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	char code[3] = { '%', hex[(unsigned char)c >> 4], hex[(unsigned char)c & 15] };

	outbound_put(t, code, sizeof code);
}

static void put_but(struct outbound_text *t, const char *text, const char *keep)
{
	while (*text) {
		size_t n = strspn(text, keep);
		outbound_put(t, text, n);
		text += n;
		if (*text)
			put_percent(t, *text++);
	}
}

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void outbound_put_encoded(struct outbound_text *t, const char *text)
{
	put_but(t, text, LETTERS_AND_DIGITS "-._~");
}

const char *outbound_url(struct sk_arena *a, const char *url)
{
	struct outbound_text t = { .a = a };
	const char *whole = sk_strndup(a, url, strcspn(url, "#"));

	outbound_put(&t, "", 0);
	if (whole)
		put_but(&t, whole, LETTERS_AND_DIGITS "-._~:/?[]@!$&'()*+,;=%");
	return a->failed ? NULL : t.at;
}
