/* text.h -- a text that grows in an arena: bodies of requests. What does not fit any more is remembered once, in `a`->failed. */
#ifndef OUTBOUND_TEXT_H
#define OUTBOUND_TEXT_H

#include <stdarg.h>

#include "core/arena.h"

struct outbound_text {
	struct sk_arena *a;
	char *at;          /* `n` bytes, and behind them a NUL; NULL as long as nothing was put */
	size_t n, room;
};
void outbound_put(struct outbound_text *t, const void *bytes, size_t n);
void outbound_puts(struct outbound_text *t, const char *text);
void outbound_putc(struct outbound_text *t, char c);
void outbound_putf(struct outbound_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* All but letters, digits and -._~ as %XX: a value in a query. */
void outbound_put_encoded(struct outbound_text *t, const char *text);
/* A URL as it can be sent: blanks, control characters, what is not ASCII and "<>\^`{|} as %XX; without a fragment. */
const char *outbound_url(struct sk_arena *a, const char *url);

#endif
