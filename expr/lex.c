/* lex.c -- text to tokens, and what is said about text that is wrong.
 *
 * Invariant: p->token lies within the text, and p->behind is the end of the token before it. */
#include "expr/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool begins_name(const struct expr_dialect *d, char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) || (c && d->name_signs && strchr(d->name_signs, c));
}

/* -- errors -- */

static void place_of(const struct expr_parser *p, const char *at)
{
	const char *line = p->text;

	p->error->line = 1;
	for (const char *s = p->text; s < at; s++) {
		if (*s != '\n')
			continue;
		p->error->line++;
		line = s + 1;
	}
	p->error->column = (int)(at - line) + 1;
}

static bool note(struct expr_parser *p, const char *at, const char *fmt, va_list ap)
{
	struct expr_error *e = p->error;
	int n;

	if (p->failed)
		return false;
	p->failed = true;
	place_of(p, at);
	n = snprintf(e->message, sizeof e->message, "line %d, column %d: ", e->line, e->column);
	vsnprintf(e->message + n, sizeof e->message - (size_t)n, fmt, ap);
	return false;
}

bool expr_refuse_at(struct expr_parser *p, const char *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(p, at, fmt, ap);
	va_end(ap);
	return false;
}

bool expr_expected(struct expr_parser *p, const char *what)
{
	const struct expr_token *t = &p->token;
	int n = t->n > 24 ? 24 : (int)t->n;

	while (n > 0 && n < (int)t->n && (t->at[n] & 0xc0) == 0x80) /* not within a character */
		n--;
	if (!p->failed)
		snprintf(p->error->expected, sizeof p->error->expected, "%s", what);
	if (t->kind == EXPR_T_END)
		return expr_refuse_at(p, t->at, "expected %s, found the end", what);
	return expr_refuse_at(p, t->at, "expected %s, found %.*s", what, n, t->at);
}

bool expr_out_of_memory(struct expr_parser *p)
{
	return expr_refuse_at(p, p->token.at, "out of memory");
}

/* -- tokens -- */

static const char *end_of_number(const char *s, const char *end)
{
	const char *e;

	while (s < end && is_digit(*s))
		s++;
	if (end - s > 1 && *s == '.' && is_digit(s[1]))
		for (s++; s < end && is_digit(*s);)
			s++;
	if (s < end && (*s | 0x20) == 'e') {
		e = s + 1;
		e += e < end && (*e == '-' || *e == '+');
		if (e < end && is_digit(*e))
			for (s = e; s < end && is_digit(*s);)
				s++;
	}
	return s;
}

static size_t backslashes(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && s[n] == '\\')
		n++;
	return n;
}

/* s stands on the quote. NULL: it does not end. Doubled, the quote is itself; so it is behind an odd number of backslashes,
 * of which every two in front of a quote are one. Elsewhere a backslash is itself. */
static const char *end_of_quoted(const char *s, const char *end)
{
	char quote = *s++;

	while (s < end) {
		size_t slashes = backslashes(s, end);
		s += slashes;
		if (s == end || *s != quote) {
			s += slashes == 0;
			continue;
		}
		if (slashes % 2 == 0 && !(end - s > 1 && s[1] == quote))
			return s + 1;
		s += slashes % 2 ? 1 : 2;
	}
	return NULL;
}

static size_t length_of_sign(const struct expr_dialect *d, const char *s, const char *end)
{
	size_t longest = 1;

	for (const struct expr_operator *o = d->operators; o->spelling; o++) {
		size_t n = strlen(o->spelling);
		if (n > longest && n <= (size_t)(end - s) && memcmp(o->spelling, s, n) == 0)
			longest = n;
	}
	while (longest < (size_t)(end - s) && (s[longest] & 0xc0) == 0x80)
		longest++;
	return longest;
}

static struct expr_token token_at(const struct expr_parser *p, const char *s)
{
	const struct expr_dialect *d = p->dialect;
	struct expr_token t = { .kind = EXPR_T_SIGN };
	const char *e = s;

	while (s < p->end && is_space(*s))
		s++;
	t.at = s;
	if (s == p->end) {
		t.kind = EXPR_T_END;
		return t;
	}
	if (is_digit(*s)) {
		t.kind = EXPR_T_NUMBER;
		e = end_of_number(s, p->end);
	} else if (strchr(d->quotes, *s) || (d->name_quote && *s == d->name_quote)) {
		t.kind = *s == d->name_quote ? EXPR_T_QUOTED_NAME : EXPR_T_STRING;
		e = end_of_quoted(s, p->end);
	} else if (begins_name(d, *s)) {
		t.kind = EXPR_T_NAME;
		for (e = s + 1; e < p->end && (is_digit(*e) || begins_name(d, *e));)
			e++;
	} else {
		e = s + length_of_sign(d, s, p->end);
	}
	t.n = e ? (size_t)(e - s) : 0;
	return t;
}

bool expr_next(struct expr_parser *p)
{
	p->behind = p->token.at + p->token.n;
	p->before = p->token.kind;
	p->token = token_at(p, p->behind);
	if (p->token.n == 0 && p->token.kind != EXPR_T_END)
		return expr_refuse_at(p, p->token.at, "the quote is not closed");
	if (p->token.kind == EXPR_T_NUMBER && p->token.at + p->token.n < p->end && begins_name(p->dialect, p->token.at[p->token.n]))
		return expr_refuse_at(p, p->token.at, "a number with letters behind it");
	return !p->failed;
}

struct expr_token expr_peek(const struct expr_parser *p)
{
	return token_at(p, p->token.at + p->token.n);
}

bool expr_parser_start(struct expr_parser *p, const char *text, size_t n)
{
	const char *nul = memchr(text, 0, n);

	*p->error = (struct expr_error){ 0 };
	p->text = text;
	p->end = text + n;
	p->token = (struct expr_token){ .at = text };
	if (nul)
		return expr_refuse_at(p, nul, "a NUL byte");
	if (n > INT32_MAX / 4)
		return expr_refuse_at(p, text, "longer than 512 MiB");
	if (!sk_utf8_valid(text, n))
		return expr_refuse_at(p, text, "not UTF-8");
	return expr_next(p);
}

bool expr_token_is(const struct expr_parser *p, const struct expr_token *t, const char *word)
{
	if ((t->kind != EXPR_T_NAME && t->kind != EXPR_T_SIGN) || strlen(word) != t->n)
		return false;
	return (p->dialect->fold_case ? strncasecmp(word, t->at, t->n) : strncmp(word, t->at, t->n)) == 0;
}

bool expr_at(const struct expr_parser *p, const char *word)
{
	return expr_token_is(p, &p->token, word);
}

bool expr_accept(struct expr_parser *p, const char *word)
{
	return !p->failed && expr_at(p, word) && (expr_next(p), true);
}

bool expr_expect(struct expr_parser *p, const char *word)
{
	char what[32];

	if (expr_accept(p, word))
		return !p->failed;
	snprintf(what, sizeof what, "'%s'", word);
	return expr_expected(p, what);
}

char *expr_token_text(struct expr_parser *p, const struct expr_token *t, size_t *n)
{
	bool quoted = t->kind == EXPR_T_STRING || t->kind == EXPR_T_QUOTED_NAME;
	const char *s = t->at + quoted, *end = t->at + t->n - quoted;
	char *text = sk_alloc_text(p->arena, t->n + 1), *out = text;

	if (!text) {
		expr_out_of_memory(p);
		return NULL;
	}
	while (s < end) {
		size_t slashes = quoted ? backslashes(s, end) : 0;
		bool at_quote = quoted && (s + slashes == end || s[slashes] == *t->at);
		memset(out, '\\', slashes);
		out += at_quote ? slashes / 2 : slashes;
		s += slashes;
		if (s == end)
			break;
		s += at_quote && slashes % 2 == 0; /* the first of two quotes */
		*out++ = *s++;
	}
	*out = '\0';
	*n = (size_t)(out - text);
	return text;
}

const struct expr_operator *expr_operator_at(const struct expr_parser *p, const struct expr_token *t, bool prefix)
{
	for (const struct expr_operator *o = p->dialect->operators; o->spelling; o++)
		if ((o->place == EXPR_PREFIX) == prefix && expr_token_is(p, t, o->spelling))
			return o;
	return NULL;
}

bool expr_is_reserved(const struct expr_parser *p, const struct expr_token *t)
{
	if (t->kind != EXPR_T_NAME)
		return false;
	for (const char *const *w = p->dialect->reserved; w && *w; w++)
		if (expr_token_is(p, t, *w))
			return true;
	return expr_operator_at(p, t, true) || expr_operator_at(p, t, false);
}
