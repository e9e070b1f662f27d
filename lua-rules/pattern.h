/* pattern.h -- Lua's patterns with a limit: the same matches as string.find of Lua 5.4, in bounded time and without recursion.
 *
 * Pure, and knows nothing of Lua's state. Texts are bytes and may hold NUL; letters and digits are those of ASCII. */
#ifndef LUA_RULES_PATTERN_H
#define LUA_RULES_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_MOST_CAPTURES = 32, PATTERN_MOST_CHOICES = 100 };

struct pattern_capture {
	const char *at;
	ptrdiff_t size;      /* -1: a position, `()` */
};
struct pattern_choice {  /* where a search may go on otherwise: an item that repeats */
	const char *item, *behind, *next; /* the item, its end, what follows its quantifier */
	const char *least, *at;           /* texts positions: taken at least, taken now */
	uint32_t open;
	int captures;
	bool lazy;
};
struct pattern {
	const char *from, *to;       /* the pattern; a ^ at its beginning is the caller's business */
	const char *text, *end;      /* all of the subject */
	/* Told now and then how much was done; false ends the search. */
	bool (*spend)(void *ctx, uint64_t steps);
	void *ctx;
	/* of the last match */
	int captures;
	struct pattern_capture capture[PATTERN_MOST_CAPTURES];
	/* the search's own */
	uint32_t open;               /* bits of captures that have begun only */
	uint64_t steps;
	bool stopped;                /* spend() has said no */
	int choices;
	struct pattern_choice choice[PATTERN_MOST_CHOICES];
};

/* NULL, or what is wrong with the pattern: "malformed pattern (missing ']')". A search needs one that is right. */
const char *pattern_wrong(const char *from, const char *to);
/* The end of the match that begins at s, NULL: none, or stopped. */
const char *pattern_match(struct pattern *p, const char *s);

#endif
