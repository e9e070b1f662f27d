/* json_parse.c -- RFC 8259 text to a tree in the arena, in one pass and without recursion.
 *
 * While a container is open its own unused fields hold the parser's state: `valuestring` its parent, `valueint` its
 * count of members up to SK_JSON_FEW_KEYS, `valuedouble` the bits of its keys (struct seen); closing it clears them. All
 * decoded text goes into one buffer of n + 1 bytes: what a string or number loses is at least its NUL. */
#include "core/json.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/json_keys.h"
#include "core/json_number.h"
#include "core/json_walk.h"
#include "core/utf8.h"

#define MAX_BYTES (1u << 30)
#define BATCH     32

struct parser {
	struct sk_arena *arena;
	const unsigned char *start, *p, *end;
	char *text; /* where the next decoded string goes */
	cJSON *spare;
	int spares;
	int depth, max_depth;
	bool unique;
	bool fresh; /* `top` was opened by the last value and is still empty */
	cJSON *top;
	struct sk_json_error error;
};

static bool fail_at(struct parser *s, const unsigned char *at, enum sk_json_status status, const char *why)
{
	s->error = (struct sk_json_error){ status, (size_t)(at - s->start), why };
	return false;
}

static bool out_of_memory(struct parser *s)
{
	return fail_at(s, s->p, SK_JSON_MEMORY, "out of memory");
}

static inline void skip_space(struct parser *s)
{
	while (s->p < s->end && *s->p <= ' ' && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* Nodes come in batches, so that most cost no call; a batch follows what the rest of the text can need. */
static cJSON *new_node(struct parser *s)
{
	if (s->spares == 0) {
		size_t likely = (size_t)(s->end - s->p) / 16 + 1;

		s->spares = likely < BATCH ? (int)likely : BATCH;
		s->spare = sk_alloc(s->arena, (size_t)s->spares * sizeof *s->spare);
		if (!s->spare) {
			s->spares = 0;
			out_of_memory(s);
			return NULL;
		}
	}
	s->spares--;
	return s->spare++;
}

static int hex4(const unsigned char *p, const unsigned char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char c = p[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static char *put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* s->p stands at the four digits after "\u". */
static bool unicode_escape(struct parser *s, char **out)
{
	const unsigned char *at = s->p - 2;
	int c = hex4(s->p, s->end), low;

	if (c < 0)
		return fail_at(s, at, SK_JSON_SYNTAX, "expected four hexadecimal digits after \\u");
	if (c == 0)
		return fail_at(s, at, SK_JSON_NUL, "\\u0000 is not accepted");
	s->p += 4;
	if (c >= 0xd800 && c <= 0xdfff) {
		low = c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s->p + 2, s->end) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(s, at, SK_JSON_ENCODING, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s->p += 6;
	}
	*out = put_utf8(*out, (unsigned)c);
	return true;
}

static const char escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* What cannot be copied as it is: an escape, UTF-8, or an error. s->p < s->end. */
static bool special(struct parser *s, char **out)
{
	int n;

	if (*s->p == '\\') {
		if (s->end - s->p < 2)
			return fail_at(s, s->end, SK_JSON_SYNTAX, "the text ends within a string");
		s->p += 2;
		if (s->p[-1] == 'u')
			return unicode_escape(s, out);
		if (!escapes[s->p[-1]])
			return fail_at(s, s->p - 2, SK_JSON_SYNTAX, "unknown escape in a string");
		*(*out)++ = escapes[s->p[-1]];
		return true;
	}
	if (*s->p < 0x20)
		return fail_at(s, s->p, SK_JSON_SYNTAX, "control character in a string");
	n = sk_utf8_length(s->p, s->end);
	if (n == 0)
		return fail_at(s, s->p, SK_JSON_ENCODING, "not UTF-8");
	memcpy(*out, s->p, (size_t)n);
	*out += n;
	s->p += n;
	return true;
}

/* Copies up to the next special byte. Eight bytes may be written at once: the buffer is never ahead of the text. */
static inline char *copy_plain(struct parser *s, char *out)
{
	const unsigned char *p = s->p;

	for (; s->end - p >= 8; p += 8, out += 8) {
		uint64_t word = sk_load8(p);

		memcpy(out, &word, sizeof word);
		if (sk_special8(word))
			break;
	}
	while (p < s->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		*out++ = (char)*p++;
	s->p = p;
	return out;
}

/* s->p stands behind the opening quote. NULL on failure. */
static char *string(struct parser *s)
{
	char *text = s->text, *out = text;

	for (;;) {
		out = copy_plain(s, out);
		if (s->p == s->end) {
			fail_at(s, s->end, SK_JSON_SYNTAX, "the text ends within a string");
			return NULL;
		}
		if (*s->p == '"')
			break;
		if (!special(s, &out))
			return NULL;
	}
	s->p++;
	*out++ = '\0';
	s->text = out;
	return text;
}

static bool number(struct parser *s, cJSON *node)
{
	struct sk_json_literal l;
	const unsigned char *from = s->p;
	const char *end = sk_json_number_scan((const char *)from, (const char *)s->end, &l);
	size_t n;

	if (!end)
		return fail_at(s, from, SK_JSON_SYNTAX, "not a number");
	s->p = (const unsigned char *)end;
	if (l.integer && !l.cut && l.digits <= (uint64_t)SK_JSON_EXACT) {
		sk_json_number_fill(node, l.negative ? -(double)l.digits : (double)l.digits);
		return true;
	}
	n = (size_t)(s->p - from);
	memcpy(s->text, from, n);
	s->text[n] = '\0';
	node->valuestring = s->text;
	s->text += n + 1;
	sk_json_number_fill(node, sk_json_number_value(&l, node->valuestring));
	if (!isfinite(node->valuedouble))
		return fail_at(s, from, SK_JSON_RANGE, "number out of range");
	return true;
}

static bool word(struct parser *s, cJSON *node, const char *text, int type)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return fail_at(s, s->p, SK_JSON_SYNTAX, "expected a value");
	s->p += n;
	node->type = type;
	node->valueint = type == cJSON_True;
	return true;
}

static bool open_container(struct parser *s, cJSON *node, int type)
{
	if (s->depth == s->max_depth)
		return fail_at(s, s->p, SK_JSON_DEPTH, "nested too deeply");
	s->depth++;
	s->p++;
	node->type = type;
	node->valuestring = (char *)s->top;
	s->top = node;
	s->fresh = true;
	return true;
}

static void close_container(struct parser *s)
{
	cJSON *node = s->top;

	s->p++;
	s->depth--;
	s->top = (cJSON *)node->valuestring;
	node->valuestring = NULL;
	node->valueint = 0;
	node->valuedouble = 0;
}

static bool value(struct parser *s, cJSON *node)
{
	skip_space(s);
	if (s->p == s->end)
		return fail_at(s, s->p, SK_JSON_SYNTAX, "expected a value");
	switch (*s->p) {
	case '{': return open_container(s, node, cJSON_Object);
	case '[': return open_container(s, node, cJSON_Array);
	case 't': return word(s, node, "true", cJSON_True);
	case 'f': return word(s, node, "false", cJSON_False);
	case 'n': return word(s, node, "null", cJSON_NULL);
	case '"':
		s->p++;
		node->type = cJSON_String;
		node->valuestring = string(s);
		return node->valuestring != NULL;
	default:
		if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
			return number(s, node);
		return fail_at(s, s->p, SK_JSON_SYNTAX, "expected a value");
	}
}

static void append(cJSON *parent, cJSON *node)
{
	cJSON *head = parent->child;

	if (!head) {
		parent->child = node->prev = node;
		return;
	}
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

/* The keys of an open object: few are a 64-bit filter before a look along the members, many are a set. */
static uint64_t seen_keys(const cJSON *object)
{
	uint64_t seen;

	_Static_assert(sizeof seen == sizeof object->valuedouble, "the state of an open object fits into valuedouble");
	memcpy(&seen, &object->valuedouble, sizeof seen);
	return seen;
}

static void set_seen_keys(cJSON *object, uint64_t seen)
{
	memcpy(&object->valuedouble, &seen, sizeof seen);
}

static struct sk_json_keys *set_of_keys(const cJSON *object)
{
	return (struct sk_json_keys *)(uintptr_t)seen_keys(object);
}

static uint64_t filter_bit(const char *key, const char *end)
{
	size_t n = (size_t)(end - key);
	uint64_t h = n;

	if (n)
		h += (uint64_t)(unsigned char)key[0] + 7u * (unsigned char)key[n / 2] + 31u * (unsigned char)key[n - 1];
	return 1ull << (h & 63);
}

static cJSON *find_among_few(cJSON *object, const char *key, const char *end)
{
	uint64_t seen = seen_keys(object), bit = filter_bit(key, end);
	cJSON *m = seen & bit ? object->child : NULL;

	set_seen_keys(object, seen | bit);
	while (m && strcmp(m->string, key) != 0)
		m = m->next;
	return m;
}

/* Before the first key that is too many for find_among_few. */
static bool gather_keys(struct parser *s)
{
	struct sk_json_keys *keys = sk_json_keys_of(s->arena, s->top);

	if (!keys)
		return out_of_memory(s);
	set_seen_keys(s->top, (uintptr_t)keys);
	s->top->valueint++;
	return true;
}

static cJSON *new_member(struct parser *s, char *key)
{
	cJSON *top = s->top, *node = new_node(s);

	if (!node)
		return NULL;
	node->string = key;
	append(top, node);
	if (top->valueint < SK_JSON_FEW_KEYS) {
		top->valueint++;
	} else if (!sk_json_keys_add(s->arena, set_of_keys(top), node)) {
		out_of_memory(s);
		return NULL;
	}
	return node;
}

/* The node for the value of `key`, which ends at s->text: a new member, or the first one of the same key, emptied. */
static cJSON *member(struct parser *s, char *key, const unsigned char *at)
{
	cJSON *top = s->top, *found;

	if (top->valueint == SK_JSON_FEW_KEYS && !gather_keys(s))
		return NULL;
	found = top->valueint > SK_JSON_FEW_KEYS ? sk_json_keys_find(set_of_keys(top), key)
	                                         : find_among_few(top, key, s->text - 1);
	if (!found)
		return new_member(s, key);
	if (s->unique) {
		fail_at(s, at, SK_JSON_DUPLICATE, "duplicate key");
		return NULL;
	}
	*found = (cJSON){ .next = found->next, .prev = found->prev, .string = found->string };
	return found;
}

static cJSON *next_member(struct parser *s)
{
	const unsigned char *at = s->p;
	char *key;

	if (s->p == s->end || *s->p != '"') {
		fail_at(s, s->p, SK_JSON_SYNTAX, "expected a key in double quotes");
		return NULL;
	}
	s->p++;
	key = string(s);
	if (!key)
		return NULL;
	skip_space(s);
	if (s->p == s->end || *s->p != ':') {
		fail_at(s, s->p, SK_JSON_SYNTAX, "expected ':' after a key");
		return NULL;
	}
	s->p++;
	return member(s, key, at);
}

static cJSON *next_place(struct parser *s)
{
	cJSON *node;

	skip_space(s);
	if (s->top->type == cJSON_Object)
		return next_member(s);
	node = new_node(s);
	if (node)
		append(s->top, node);
	return node;
}

/* Behind a value: closes what ends here. NULL with an error, or at the end of the outermost value. */
static cJSON *advance(struct parser *s)
{
	for (; s->top; s->fresh = false) {
		bool object = s->top->type == cJSON_Object;

		skip_space(s);
		if (s->p < s->end && *s->p == (object ? '}' : ']')) {
			close_container(s);
			continue;
		}
		if (s->fresh) {
			s->fresh = false;
			return next_place(s);
		}
		if (s->p == s->end || *s->p != ',') {
			fail_at(s, s->p, SK_JSON_SYNTAX, object ? "expected ',' or '}'" : "expected ',' or ']'");
			return NULL;
		}
		s->p++;
		return next_place(s);
	}
	return NULL;
}

static bool document(struct parser *s, cJSON *root)
{
	cJSON *node = root;

	while (node && value(s, node))
		node = advance(s);
	if (s->error.status)
		return false;
	skip_space(s);
	return s->p == s->end || fail_at(s, s->p, SK_JSON_SYNTAX, "text after the value");
}

cJSON *sk_json_parse(struct sk_arena *a, const char *text, size_t n, const struct sk_json_options *opt,
                     struct sk_json_error *e)
{
	const unsigned char *start = (const unsigned char *)(text ? text : "");
	struct parser s = { .arena = a, .start = start, .p = start, .end = start + (text ? n : 0) };
	cJSON *root = NULL;

	s.max_depth = opt && opt->max_depth > 0 ? opt->max_depth : SK_JSON_MAX_DEPTH;
	s.unique = opt && opt->unique_keys;
	if (n > MAX_BYTES)
		fail_at(&s, start, SK_JSON_MEMORY, "longer than 1 GiB");
	else if (!(s.text = sk_alloc_text(a, n + 1)) || !(root = new_node(&s)))
		out_of_memory(&s);
	if (root && !document(&s, root))
		root = NULL;
	if (e)
		*e = s.error;
	return root;
}
