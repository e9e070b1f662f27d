/* shape_pattern.c -- AWS's patterns are Java's, so POSIX regex.h cannot read them: they hold \w, \x20, \uXXXX, \p{L}, \p{Graph} and
 * look-ahead. PCRE2 reads all of that once \uXXXX and Java's names of POSIX classes are respelled (translate). It runs interpreted,
 * with a limit on steps and memory: input is hostile, and a just-in-time compiler would map writable code into the
 * broker. As in Java's matches() a pattern stands for the whole value, and \w, \d, \s are ASCII. */
#include "core/shape_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"

#define STEP_LIMIT   200000
#define MEMORY_LIMIT 4096 /* KiB */
#define PCRE2_ALIGN 16

struct sk_pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
};

/* A reader of Java's spelling and a writer of PCRE2's. A piece of at least 2 characters grows at most 5-fold. */
struct translation {
	const char *from;
	char *to;
	bool in_class;
};

static const struct {
	const char *java, *posix;
} classes[] = {
	{ "Lower", "lower" }, { "Upper", "upper" }, { "Alpha", "alpha" }, { "Digit", "digit" }, { "Alnum", "alnum" },
	{ "Punct", "punct" }, { "Graph", "graph" }, { "Print", "print" }, { "Blank", "blank" }, { "Cntrl", "cntrl" },
	{ "XDigit", "xdigit" }, { "Space", "space" }, { "ASCII", "ascii" },
};

static void copy(struct translation *t, size_t n)
{
	for (; n > 0 && *t->from; n--)
		*t->to++ = *t->from++;
}

/* The value of \uXXXX at s, or -1. */
static long unicode_at(const char *s)
{
	char digits[5] = "";
	if (s[0] != '\\' || s[1] != 'u')
		return -1;
	strncpy(digits, s + 2, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(digits, NULL, 16);
}

/* \uXXXX, or the two halves of a surrogate pair, to \x{...}. */
static void unicode(struct translation *t, long high)
{
	long low = unicode_at(t->from + 6);
	t->from += 6;
	if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		t->from += 6;
	}
	t->to += sprintf(t->to, "\\x{%lX}", (unsigned long)high);
}

/* \p{Graph} to [:graph:], with brackets of its own outside a class. false: it is not one of Java's POSIX names. */
static bool posix_class(struct translation *t)
{
	const char *s = t->from;
	if ((s[1] != 'p' && s[1] != 'P') || s[2] != '{')
		return false;
	size_t n = strcspn(s + 3, "}");
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strlen(classes[i].java) != n || memcmp(classes[i].java, s + 3, n) != 0 || !s[3 + n])
			continue;
		t->to += sprintf(t->to, "%s[:%s%s:]%s", t->in_class ? "" : "[", s[1] == 'P' ? "^" : "", classes[i].posix,
		                 t->in_class ? "" : "]");
		t->from += n + 4;
		return true;
	}
	return false;
}

/* A hyphen behind \w in a class is itself to Java, a malformed range to PCRE2. */
static void hyphen(struct translation *t)
{
	if (!t->in_class || *t->from != '-')
		return;
	*t->to++ = '\\';
	copy(t, 1);
}

static void escape(struct translation *t)
{
	long code = unicode_at(t->from);
	if (code >= 0) {
		unicode(t, code);
	} else if (posix_class(t)) {
		hyphen(t);
	} else {
		bool is_class = t->from[1] && strchr("wWdDsShHvV", t->from[1]);
		copy(t, 2);
		if (is_class)
			hyphen(t);
	}
}

void sk_pattern_translate(const char *pattern, char *out)
{
	struct translation t = { pattern, out, false };
	while (*t.from) {
		if (*t.from == '\\') {
			escape(&t);
			continue;
		}
		if (*t.from == '[')
			t.in_class = true;
		else if (*t.from == ']')
			t.in_class = false;
		copy(&t, 1);
	}
	*t.to = 0;
}

/* In malloc'ed memory; NULL when it is out. */
static char *translate(const char *pattern)
{
	char *text = malloc(SK_PATTERN_ROOM(strlen(pattern)));
	if (text)
		sk_pattern_translate(pattern, text);
	return text;
}

static pcre2_code *compile(const char *pattern, char *why, size_t why_size)
{
	uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	char *text = translate(pattern);
	int error = PCRE2_ERROR_NOMEMORY;
	size_t at = 0;
	char reason[128] = "";
	pcre2_code *code = text ? pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &at, NULL) : NULL;
	free(text);
	if (!code) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, sizeof reason);
		sk_why(why, why_size, "pattern %s: %s", pattern, reason);
	}
	return code;
}

struct sk_pattern *sk_pattern_new(const char *pattern, char *why, size_t why_size)
{
	struct sk_pattern *p = calloc(1, sizeof *p);
	if (!p) {
		sk_why(why, why_size, "pattern %s: out of memory", pattern);
		return NULL;
	}
	p->code = compile(pattern, why, why_size);
	if (!p->code) {
		sk_pattern_free(&p);
		return NULL;
	}
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits) {
		sk_why(why, why_size, "pattern %s: out of memory", pattern);
		sk_pattern_free(&p);
		return NULL;
	}
	pcre2_set_match_limit(p->limits, STEP_LIMIT);
	pcre2_set_heap_limit(p->limits, MEMORY_LIMIT);
	return p;
}

void sk_pattern_free(struct sk_pattern **p)
{
	if (!*p)
		return;
	pcre2_match_context_free((*p)->limits);
	pcre2_code_free((*p)->code);
	free(*p);
	*p = NULL;
}

/* Not zeroed: PCRE2 wants 20 KB for the frames of each match. */
static void *arena_malloc(size_t size, void *arena)
{
	char *p = size < SIZE_MAX - PCRE2_ALIGN ? sk_alloc_text(arena, size + PCRE2_ALIGN) : NULL;
	return p ? p + (-(uintptr_t)p & (PCRE2_ALIGN - 1)) : NULL;
}

static void arena_free(void *p, void *arena)
{
	(void)p, (void)arena;
}

static pcre2_match_data *match_data(struct sk_arena *arena)
{
	pcre2_general_context *context = pcre2_general_context_create(arena_malloc, arena_free, arena);
	return context ? pcre2_match_data_create(1, context) : NULL;
}

bool sk_pattern_matches(const struct sk_pattern *p, struct sk_matcher *m, const char *text, size_t n)
{
	if (!m->data)
		m->data = match_data(m->arena);
	return m->data && pcre2_match(p->code, (PCRE2_SPTR)text, n, 0, 0, m->data, p->limits) >= 0;
}
