/* pattern.c -- matching by going on and going back: a stack of choices instead of recursion.
 *
 * A pattern is a line of items without alternatives, so going back needs no undoing: whatever a capture held is written again when its
 * bracket is passed again. Each comparison and each step back counts; nothing else takes time. */
#include "lua-rules/pattern.h"

#include <ctype.h>
#include <string.h>

enum { TELL = 256 }; /* steps between two spend() */

static unsigned char byte(const char *s)
{
	return (unsigned char)*s;
}

static bool step(struct pattern *p)
{
	if (++p->steps < TELL)
		return !p->stopped;
	if (!p->spend(p->ctx, p->steps))
		p->stopped = true;
	p->steps = 0;
	return !p->stopped;
}

/* -- one character -- */

static bool in_class(unsigned char c, unsigned char class)
{
	bool is;

	switch (tolower(class)) {
	case 'a': is = isalpha(c); break;
	case 'c': is = iscntrl(c); break;
	case 'd': is = isdigit(c); break;
	case 'g': is = isgraph(c); break;
	case 'l': is = islower(c); break;
	case 'p': is = ispunct(c); break;
	case 's': is = isspace(c); break;
	case 'u': is = isupper(c); break;
	case 'w': is = isalnum(c); break;
	case 'x': is = isxdigit(c); break;
	case 'z': is = c == '\0'; break; /* as Lua still knows it */
	default: return class == c;
	}
	return isupper(class) ? !is : is;
}

/* `s` stands behind '[' or '[^', `end` at the ']'. */
static bool in_set(unsigned char c, const char *s, const char *end)
{
	while (s < end) {
		if (*s == '%') {
			if (in_class(c, byte(s + 1)))
				return true;
			s += 2;
		} else if (end - s > 2 && s[1] == '-') {
			if (byte(s) <= c && c <= byte(s + 2))
				return true;
			s += 3;
		} else if (byte(s++) == c) {
			return true;
		}
	}
	return false;
}

/* `item` is one character of the pattern, ending before `behind`. */
static bool fits(unsigned char c, const char *item, const char *behind)
{
	switch (*item) {
	case '.':
		return true;
	case '%':
		return in_class(c, byte(item + 1));
	case '[':
		return item[1] == '^' ? !in_set(c, item + 2, behind - 1) : in_set(c, item + 1, behind - 1);
	default:
		return byte(item) == c;
	}
}

/* The end of the item that stands for one character; NULL: it has none. */
static const char *item_end(const char *s, const char *to)
{
	if (*s == '%')
		return to - s > 1 ? s + 2 : NULL;
	if (*s++ != '[')
		return s;
	if (s < to && *s == '^')
		s++;
	do { /* a ']' at the beginning is a character of the set */
		if (s >= to)
			return NULL;
		s += *s == '%' && to - s > 1 ? 2 : 1;
	} while (s >= to || *s != ']');
	return s + 1;
}

/* -- is it a pattern at all -- */

struct check {
	const char *at, *to;
	int captures;
	uint32_t open;
};

static int last_open(uint32_t open)
{
	return 31 - __builtin_clz(open);
}

static const char *check_bracket(struct check *c)
{
	if (*c->at++ == '(') {
		if (c->captures == PATTERN_MOST_CAPTURES)
			return "too many captures";
		if (c->at < c->to && *c->at == ')')
			c->at++;
		else
			c->open |= 1u << c->captures;
		c->captures++;
		return NULL;
	}
	if (!c->open)
		return "invalid pattern capture: ')' without '('";
	c->open &= ~(1u << last_open(c->open));
	return NULL;
}

static const char *check_escape(struct check *c)
{
	char kind = c->to - c->at > 1 ? c->at[1] : '\0';
	int n = kind - '1';

	if (kind == 'b') {
		if (c->to - c->at < 4)
			return "malformed pattern (missing arguments to '%b')";
		c->at += 4;
	} else if (kind == 'f') {
		if (c->to - c->at < 3 || c->at[2] != '[')
			return "missing '[' after '%f' in pattern";
		c->at = item_end(c->at + 2, c->to);
		return c->at ? NULL : "malformed pattern (missing ']')";
	} else if (isdigit((unsigned char)kind)) {
		if (n < 0 || n >= c->captures || c->open & 1u << n)
			return "invalid capture index in pattern";
		c->at += 2;
	}
	return NULL;
}

static bool special_escape(char kind)
{
	return kind == 'b' || kind == 'f' || isdigit((unsigned char)kind);
}

static bool is_bracket(char c)
{
	return c == '(' || c == ')';
}

static bool is_quantifier(char c)
{
	return c == '*' || c == '+' || c == '-' || c == '?';
}

static const char *check_item(struct check *c, int *choices)
{
	const char *end = item_end(c->at, c->to);

	if (!end)
		return *c->at == '%' ? "malformed pattern (ends with '%')" : "malformed pattern (missing ']')";
	c->at = end;
	if (c->at < c->to && is_quantifier(*c->at)) {
		c->at++;
		if (++*choices > PATTERN_MOST_CHOICES)
			return "pattern too complex";
	}
	return NULL;
}

const char *pattern_wrong(const char *from, const char *to)
{
	struct check c = { .at = from, .to = to };
	const char *why = NULL;
	int choices = 0;

	while (!why && c.at < to) {
		if (is_bracket(*c.at))
			why = check_bracket(&c);
		else if (*c.at == '%' && to - c.at > 1 && special_escape(c.at[1]))
			why = check_escape(&c);
		else
			why = check_item(&c, &choices);
	}
	return !why && c.open ? "unfinished capture" : why;
}

/* -- searching -- */

static void bracket(struct pattern *p, const char **at, const char *s)
{
	int n;

	if (*(*at)++ == '(') {
		n = p->captures++;
		p->capture[n] = (struct pattern_capture){ s, 0 };
		if (*at < p->to && **at == ')') {
			p->capture[n].size = -1;
			++*at;
		} else {
			p->open |= 1u << n;
		}
		return;
	}
	n = last_open(p->open);
	p->open &= ~(1u << n);
	p->capture[n].size = s - p->capture[n].at;
}

/* %bxy: the end of the balanced text at s, or NULL. */
static const char *balanced(struct pattern *p, const char *s, char opens, char closes)
{
	size_t depth = 1;

	if (s == p->end || *s != opens)
		return NULL;
	while (++s < p->end && step(p)) {
		if (*s == closes) {
			if (--depth == 0)
				return s + 1;
		} else if (*s == opens) {
			depth++;
		}
	}
	return NULL;
}

static bool frontier(const struct pattern *p, const char *s, const char *set, const char *behind)
{
	unsigned char before = s == p->text ? '\0' : byte(s - 1), here = s < p->end ? byte(s) : '\0';

	return !fits(before, set, behind) && fits(here, set, behind);
}

static const char *captured_again(struct pattern *p, const char *s, int n)
{
	const struct pattern_capture *c = &p->capture[n];

	if (c->size < 0 || p->end - s < c->size)
		return NULL;
	p->steps += (uint64_t)c->size / 16;
	return memcmp(c->at, s, (size_t)c->size) == 0 ? s + c->size : NULL;
}

/* An item of more than one character that begins with '%'. */
static const char *escape(struct pattern *p, const char **at, const char *s)
{
	const char *from = *at;

	switch (from[1]) {
	case 'b':
		*at = from + 4;
		return balanced(p, s, from[2], from[3]);
	case 'f':
		*at = item_end(from + 2, p->to);
		return frontier(p, s, from + 2, *at) ? s : NULL;
	default:
		*at = from + 2;
		return captured_again(p, s, from[1] - '1');
	}
}

/* Takes as many as there are, at most `most`, and remembers that fewer would do. */
static const char *repeat(struct pattern *p, struct pattern_choice c, size_t least, size_t most)
{
	size_t n = 0;

	while (n < most && c.at < p->end && step(p) && fits(byte(c.at), c.item, c.behind)) {
		c.at++;
		if (++n == least)
			c.least = c.at;
	}
	if (n < least)
		return NULL;
	if (c.at > c.least)
		p->choice[p->choices++] = c;
	return c.at;
}

/* One item that stands for a character, with its quantifier. */
static const char *single(struct pattern *p, const char **at, const char *s)
{
	struct pattern_choice c = { .item = *at, .behind = item_end(*at, p->to), .least = s, .at = s, .open = p->open, .captures = p->captures };
	char quantifier = c.behind < p->to ? *c.behind : '\0';

	c.next = *at = c.behind + is_quantifier(quantifier);
	switch (quantifier) {
	case '*':
		return repeat(p, c, 0, SIZE_MAX);
	case '+':
		return repeat(p, c, 1, SIZE_MAX);
	case '?':
		return repeat(p, c, 0, 1);
	case '-':
		c.lazy = true;
		p->choice[p->choices++] = c;
		return s;
	default:
		return s < p->end && fits(byte(s), c.item, c.behind) ? s + 1 : NULL;
	}
}

/* The place in the text where the newest choice goes on otherwise; NULL: there is none left. */
static const char *go_back(struct pattern *p, const char **at)
{
	while (p->choices && step(p)) {
		struct pattern_choice *c = &p->choice[p->choices - 1];
		const char *s;

		if (c->lazy ? c->at == p->end || !fits(byte(c->at), c->item, c->behind) : c->at == c->least) {
			p->choices--;
			continue;
		}
		s = c->lazy ? ++c->at : --c->at;
		*at = c->next;
		p->open = c->open;
		p->captures = c->captures;
		return s;
	}
	return NULL;
}

const char *pattern_match(struct pattern *p, const char *s)
{
	const char *at = p->from;

	p->captures = p->choices = 0;
	p->open = 0;
	while (s && at < p->to && step(p)) {
		if (is_bracket(*at))
			bracket(p, &at, s);
		else if (*at == '%' && special_escape(at[1]))
			s = escape(p, &at, s);
		else if (*at == '$' && at + 1 == p->to)
			s = s == p->end ? (at++, s) : NULL;
		else
			s = single(p, &at, s);
		if (!s)
			s = go_back(p, &at);
	}
	return p->stopped ? NULL : s;
}
