/* json_print.c -- a tree to text, compact or for people, without recursion.
 *
 * The text grows at the end of the arena, where it usually needs no copy, and what was too much is given back. */
#include "core/json.h"

#include <string.h>

#include "core/json_number.h"
#include "core/json_walk.h"
#include "core/utf8.h"

#define FIRST_ROOM 256

struct printer {
	struct sk_arena *arena;
	char *text;
	size_t n, room;
	bool pretty;
};

/* Makes room for `more` bytes. A new piece that happens to follow the old one directly needs no copy. */
static bool grow(struct printer *p, size_t more)
{
	size_t want = p->room < FIRST_ROOM ? FIRST_ROOM : 2 * p->room;
	char *text;

	while (want - p->n < more)
		want *= 2;
	text = sk_alloc_text(p->arena, want);
	if (!text)
		return false;
	if (p->text && text == p->text + p->room) {
		p->room += want;
		return true;
	}
	if (p->n)
		memcpy(text, p->text, p->n);
	p->text = text;
	p->room = want;
	return true;
}

static inline bool reserve(struct printer *p, size_t more)
{
	return p->room - p->n >= more || grow(p, more);
}

static inline bool put(struct printer *p, const char *s, size_t n)
{
	if (!reserve(p, n))
		return false;
	memcpy(p->text + p->n, s, n);
	p->n += n;
	return true;
}

static inline bool put_char(struct printer *p, char c)
{
	if (!reserve(p, 1))
		return false;
	p->text[p->n++] = c;
	return true;
}

static bool must_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes of s can be copied as they are. */
static size_t plain_length(const char *s, const char *end)
{
	const char *p = s;

	while (end - p >= 8 && !sk_special8(sk_load8(p)))
		p += 8;
	while (p < end && !must_escape((unsigned char)*p))
		p++;
	return (size_t)(p - s);
}

static bool put_escape(struct printer *p, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char names[0x20] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
	char text[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c < 0x20 && !names[c])
		return put(p, text, sizeof text);
	text[1] = c < 0x20 ? names[c] : (char)c;
	return put(p, text, 2);
}

/* Can all n bytes be copied as they are? The last word may overlap the one before it. False may also mean: look closer. */
static bool is_plain(const char *s, size_t n)
{
	uint32_t first, last;
	size_t i;

	if (n < 4) {
		for (i = 0; i < n && !must_escape((unsigned char)s[i]); i++)
			;
		return i == n;
	}
	if (n < 8) {
		memcpy(&first, s, sizeof first);
		memcpy(&last, s + n - sizeof last, sizeof last);
		return !sk_special8(first | (uint64_t)last << 32);
	}
	for (i = 0; i + 8 <= n; i += 8)
		if (sk_special8(sk_load8(s + i)))
			return false;
	return !sk_special8(sk_load8(s + n - 8));
}

static bool put_escaped(struct printer *p, const char *s, const char *end)
{
	if (!put_char(p, '"'))
		return false;
	while (s < end) {
		size_t n = plain_length(s, end);

		if (!put(p, s, n))
			return false;
		s += n;
		if (s < end && !put_escape(p, (unsigned char)*s++))
			return false;
	}
	return put_char(p, '"');
}

/* Nearly all strings are short and plain: room once, one copy. */
static bool put_string(struct printer *p, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (!is_plain(s, n))
		return put_escaped(p, s, s + n);
	if (!reserve(p, n + 2))
		return false;
	p->text[p->n++] = '"';
	if (n)
		memcpy(p->text + p->n, s, n);
	p->n += n;
	p->text[p->n++] = '"';
	return true;
}

static bool put_number(struct printer *p, const cJSON *node)
{
	char room[SK_JSON_NUMBER_ROOM];
	const char *text = sk_json_number_text(node, room);

	return put(p, text, strlen(text));
}

static bool put_scalar(struct printer *p, const cJSON *node)
{
	switch (sk_json_kind(node)) {
	case cJSON_String: return put_string(p, node->valuestring);
	case cJSON_Number: return put_number(p, node);
	case cJSON_True: return put(p, "true", 4);
	case cJSON_False: return put(p, "false", 5);
	case cJSON_Object: return put(p, "{}", 2);
	case cJSON_Array: return put(p, "[]", 2);
	default: return put(p, "null", 4);
	}
}

static bool put_line(struct printer *p, int depth)
{
	if (!p->pretty)
		return true;
	if (!put_char(p, '\n') || !reserve(p, 2 * (size_t)depth))
		return false;
	memset(p->text + p->n, ' ', 2 * (size_t)depth);
	p->n += 2 * (size_t)depth;
	return true;
}

static bool put_key(struct printer *p, const char *key)
{
	return put_string(p, key) && put_char(p, ':') && (!p->pretty || put_char(p, ' '));
}

/* The node at the head of a list, or behind a comma. A container with children is left open as the new level. */
static bool put_node(struct printer *p, struct sk_json_walk *w, const cJSON *node)
{
	const struct sk_json_level *in = sk_json_walk_at(w);

	if (in && !put_line(p, w->n))
		return false;
	if (in && sk_json_kind(in->node) == cJSON_Object && !put_key(p, node->string))
		return false;
	if (!sk_json_is_container(node) || !node->child)
		return put_scalar(p, node);
	return put_char(p, sk_json_kind(node) == cJSON_Object ? '{' : '[') && sk_json_walk_down(w, node);
}

static bool put_end(struct printer *p, struct sk_json_walk *w)
{
	const cJSON *node = w->levels[--w->n].node;

	return put_line(p, w->n) && put_char(p, sk_json_kind(node) == cJSON_Object ? '}' : ']');
}

static bool put_tree(struct printer *p, const cJSON *root)
{
	struct sk_json_walk w;
	const cJSON *node = root;

	sk_json_walk_start(&w, p->arena);
	for (;;) {
		int depth = w.n;

		if (!put_node(p, &w, node))
			return false;
		if (w.n > depth) {
			node = node->child;
			continue;
		}
		while (w.n && !node->next) {
			node = sk_json_walk_at(&w)->node;
			if (!put_end(p, &w))
				return false;
		}
		if (!w.n)
			return true;
		node = node->next;
		if (!put_char(p, ','))
			return false;
	}
}

static char *print(struct sk_arena *a, const cJSON *node, size_t *n, bool pretty)
{
	struct printer p = { .arena = a, .pretty = pretty };

	if (n)
		*n = 0;
	if (!node || !put_tree(&p, node) || !put_char(&p, '\0'))
		return NULL;
	sk_arena_trim(a, p.text, p.room, p.n);
	if (n)
		*n = p.n - 1;
	return p.text;
}

char *sk_json_print(struct sk_arena *a, const cJSON *node, size_t *n)
{
	return print(a, node, n, false);
}

char *sk_json_print_pretty(struct sk_arena *a, const cJSON *node, size_t *n)
{
	return print(a, node, n, true);
}
