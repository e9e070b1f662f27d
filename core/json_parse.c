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
/* What every value passes: one loop without calls is a sixth faster than what the compiler chooses by itself. */
#define HOT static inline __attribute__((always_inline))

struct parser {
	struct sk_arena *arena;
	const unsigned char *start, *end;
	char *text; /* where the next decoded string goes */
	cJSON *spare;
	int spares;
	int depth, max_depth;
	bool unique;
	bool fresh; /* `top` was opened by the last value and is still empty */
	cJSON *top;
	struct sk_json_error error;
};

/* The place in the text goes from function to function as `p`, in a register: each answers the place behind what it
 * read, or NULL with the error noted. */
static const unsigned char *fail_at(struct parser *s, const unsigned char *p, enum sk_json_status status, const char *why)
{
	s->error = (struct sk_json_error){ status, (size_t)(p - s->start), why };
	return NULL;
}

static const unsigned char *wrong(struct parser *s, const unsigned char *p, const char *why)
{
	return fail_at(s, p, SK_JSON_SYNTAX, why);
}

static const unsigned char *out_of_memory(struct parser *s, const unsigned char *p)
{
	return fail_at(s, p, SK_JSON_MEMORY, "out of memory");
}

HOT const unsigned char *skip_space(const unsigned char *p, const unsigned char *end)
{
	while (__builtin_expect(p < end && *p <= ' ', 0) && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* Nodes come in batches, so that most cost no call; a batch follows what the rest of the text can need. */
static bool more_nodes(struct parser *s, const unsigned char *p)
{
	size_t likely = (size_t)(s->end - p) / 16 + 1;

	s->spares = likely < BATCH ? (int)likely : BATCH;
	s->spare = sk_alloc(s->arena, (size_t)s->spares * sizeof *s->spare);
	if (s->spare)
		return true;
	s->spares = 0;
	out_of_memory(s, p);
	return false;
}

HOT cJSON *new_node(struct parser *s, const unsigned char *p)
{
	if (s->spares == 0 && !more_nodes(s, p))
		return NULL;
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

/* p stands behind "\u". */
static const unsigned char *unicode_escape(struct parser *s, const unsigned char *p, char **out)
{
	int c = hex4(p, s->end), low;

	if (c < 0)
		return wrong(s, p - 2, "expected four hexadecimal digits after \\u");
	if (c == 0)
		return fail_at(s, p - 2, SK_JSON_NUL, "\\u0000 is not accepted");
	p += 4;
	if (c >= 0xd800 && c <= 0xdfff) {
		low = c < 0xdc00 && s->end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, s->end) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(s, p - 6, SK_JSON_ENCODING, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*out = put_utf8(*out, (unsigned)c);
	return p;
}

static const char escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* What cannot be copied as it is: an escape, UTF-8, or an error. p < end. */
static const unsigned char *special(struct parser *s, const unsigned char *p, char **out)
{
	int n;

	if (*p == '\\') {
		if (s->end - p < 2)
			return wrong(s, s->end, "the text ends within a string");
		if (p[1] == 'u')
			return unicode_escape(s, p + 2, out);
		if (!escapes[p[1]])
			return wrong(s, p, "unknown escape in a string");
		*(*out)++ = escapes[p[1]];
		return p + 2;
	}
	if (*p < 0x20)
		return wrong(s, p, "control character in a string");
	n = sk_utf8_length(p, s->end);
	if (n == 0)
		return fail_at(s, p, SK_JSON_ENCODING, "not UTF-8");
	memcpy(*out, p, (size_t)n);
	*out += n;
	return p + n;
}

/* Copies up to the next special byte. Eight bytes may be written at once: the buffer is never ahead of the text. */
HOT const unsigned char *copy_plain(const unsigned char *p, const unsigned char *end, char **to)
{
	char *out = *to;

	for (; end - p >= 8; p += 8, out += 8) {
		uint64_t word = sk_load8(p), found = sk_special8(word);

		memcpy(out, &word, sizeof word);
		if (found) {
			*to = out + sk_first8(found);
			return p + sk_first8(found);
		}
	}
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		*out++ = (char)*p++;
	*to = out;
	return p;
}

/* p stands behind the opening quote; the decoded text begins where s->text was. */
HOT const unsigned char *string(struct parser *s, const unsigned char *p)
{
	const unsigned char *end = s->end;
	char *out = s->text;

	p = copy_plain(p, end, &out);
	while (p == end || *p != '"') {
		if (p == end)
			return wrong(s, end, "the text ends within a string");
		p = special(s, p, &out);
		if (!p)
			return NULL;
		p = copy_plain(p, end, &out);
	}
	*out++ = '\0';
	s->text = out;
	return p + 1;
}

/* An integer of up to 15 digits, which is most numbers. NULL without an error: look closer. */
HOT const unsigned char *short_integer(const unsigned char *p, const unsigned char *end, cJSON *node)
{
	bool negative = *p == '-';
	const unsigned char *from = p += negative;
	int64_t v = 0;

	while (p < end && (unsigned)(*p - '0') < 10 && p - from < 16)
		v = v * 10 + (*p++ - '0');
	if (p == from || p - from > 15 || (*from == '0' && (p - from > 1 || negative)))
		return NULL;
	if (p < end && (*p == '.' || (*p | 0x20) == 'e'))
		return NULL;
	v = negative ? -v : v;
	node->type = cJSON_Number;
	node->valuedouble = (double)v;
	node->valueint = v > INT_MAX ? INT_MAX : v < INT_MIN ? INT_MIN : (int)v;
	return p;
}

static const unsigned char *long_number(struct parser *s, const unsigned char *p, cJSON *node)
{
	struct sk_json_literal l;
	const char *from = (const char *)p, *end = sk_json_number_scan(from, (const char *)s->end, &l);
	size_t n = end ? (size_t)(end - from) : 0;

	if (!end)
		return wrong(s, p, "not a number");
	if (l.integer && !l.cut && l.digits <= (uint64_t)SK_JSON_EXACT) {
		sk_json_number_fill(node, l.negative ? -(double)l.digits : (double)l.digits);
		return p + n;
	}
	node->valuestring = memcpy(s->text, from, n);
	node->valuestring[n] = '\0';
	s->text += n + 1;
	sk_json_number_fill(node, sk_json_number_value(&l, node->valuestring));
	return isfinite(node->valuedouble) ? p + n : fail_at(s, p, SK_JSON_RANGE, "number out of range");
}

HOT const unsigned char *number(struct parser *s, const unsigned char *p, cJSON *node)
{
	const unsigned char *end = short_integer(p, s->end, node);

	return end ? end : long_number(s, p, node);
}

static const unsigned char *word(struct parser *s, const unsigned char *p, cJSON *node, int type)
{
	const char *text = type == cJSON_True ? "true" : type == cJSON_False ? "false" : "null";
	size_t n = type == cJSON_False ? 5 : 4;

	if ((size_t)(s->end - p) < n || memcmp(p, text, n) != 0)
		return wrong(s, p, "expected a value");
	node->type = type;
	node->valueint = type == cJSON_True;
	return p + n;
}

HOT const unsigned char *open_container(struct parser *s, const unsigned char *p, cJSON *node, int type)
{
	if (s->depth == s->max_depth)
		return fail_at(s, p, SK_JSON_DEPTH, "nested too deeply");
	s->depth++;
	node->type = type;
	node->valuestring = (char *)s->top;
	s->top = node;
	s->fresh = true;
	return p + 1;
}

HOT void close_container(struct parser *s)
{
	cJSON *node = s->top;

	s->depth--;
	s->top = (cJSON *)node->valuestring;
	node->valuestring = NULL;
	node->valueint = 0;
	node->valuedouble = 0;
}

HOT const unsigned char *value(struct parser *s, const unsigned char *p, cJSON *node)
{
	p = skip_space(p, s->end);
	if (p == s->end)
		return wrong(s, p, "expected a value");
	switch (*p) {
	case '{': return open_container(s, p, node, cJSON_Object);
	case '[': return open_container(s, p, node, cJSON_Array);
	case 't': return word(s, p, node, cJSON_True);
	case 'f': return word(s, p, node, cJSON_False);
	case 'n': return word(s, p, node, cJSON_NULL);
	case '"':
		node->type = cJSON_String;
		node->valuestring = s->text;
		return string(s, p + 1);
	default: return *p == '-' || (*p >= '0' && *p <= '9') ? number(s, p, node) : wrong(s, p, "expected a value");
	}
}

HOT void append(cJSON *parent, cJSON *node)
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

static uint64_t filter_bit(const unsigned char *key, size_t n)
{
	unsigned h = (unsigned)n;

	if (n)
		h += key[0] + 7u * key[n / 2] + 31u * key[n - 1];
	return 1ull << (h & 63);
}

/* The key stands decoded before s->text, and raw between `at` and p. The raw bytes are the same if they are as many, and
 * reading them does not wait for the decoded ones to be written. */
HOT cJSON *find_among_few(struct parser *s, const char *key, const unsigned char *at, const unsigned char *p)
{
	size_t n = (size_t)(s->text - key) - 1;
	const unsigned char *bytes = (size_t)(p - at) == n + 2 ? at + 1 : (const unsigned char *)key;
	uint64_t seen = seen_keys(s->top), bit = filter_bit(bytes, n);
	cJSON *m = seen & bit ? s->top->child : NULL;

	set_seen_keys(s->top, seen | bit);
	while (m && strcmp(m->string, key) != 0)
		m = m->next;
	return m;
}

/* Before the first key that is too many for find_among_few. */
static bool gather_keys(struct parser *s)
{
	struct sk_json_keys *keys = sk_json_keys_of(s->arena, s->top);

	set_seen_keys(s->top, (uintptr_t)keys);
	s->top->valueint++;
	return keys != NULL;
}

/* Appends a member whose key is new. NULL when memory is out. */
HOT cJSON *new_member(struct parser *s, const unsigned char *p, char *key)
{
	cJSON *top = s->top, *node = new_node(s, p);

	if (!node)
		return NULL;
	node->string = key;
	append(top, node);
	if (top->valueint < SK_JSON_FEW_KEYS) {
		top->valueint++;
		return node;
	}
	return sk_json_keys_add(s->arena, set_of_keys(top), node) ? node : NULL;
}

/* The node for the value of `key`, read from `at` to p: a new member, or the first one of the same key, emptied. */
HOT const unsigned char *member(struct parser *s, const unsigned char *at, const unsigned char *p, char *key,
                                          cJSON **node)
{
	cJSON *top = s->top, *found;

	if (top->valueint == SK_JSON_FEW_KEYS && !gather_keys(s))
		return out_of_memory(s, p);
	found = top->valueint > SK_JSON_FEW_KEYS ? sk_json_keys_find(set_of_keys(top), key)
	                                         : find_among_few(s, key, at, p);
	if (found && s->unique)
		return fail_at(s, at, SK_JSON_DUPLICATE, "duplicate key");
	if (found)
		*found = (cJSON){ .next = found->next, .prev = found->prev, .string = found->string };
	*node = found ? found : new_member(s, p, key);
	return *node ? p : out_of_memory(s, p);
}

HOT const unsigned char *next_member(struct parser *s, const unsigned char *p, cJSON **node)
{
	const unsigned char *at = p;
	char *key = s->text;

	if (p == s->end || *p != '"')
		return wrong(s, p, "expected a key in double quotes");
	p = string(s, p + 1);
	if (!p || !member(s, at, p, key, node))
		return NULL;
	p = skip_space(p, s->end);
	return p < s->end && *p == ':' ? p + 1 : wrong(s, p, "expected ':' after a key");
}

HOT const unsigned char *next_place(struct parser *s, const unsigned char *p, cJSON **node)
{
	p = skip_space(p, s->end);
	if (s->top->type == cJSON_Object)
		return next_member(s, p, node);
	*node = new_node(s, p);
	if (!*node)
		return NULL;
	append(s->top, *node);
	return p;
}

/* Behind a value: closes what ends here, then makes the node of the next value; none behind the outermost value. */
HOT const unsigned char *advance(struct parser *s, const unsigned char *p, cJSON **node)
{
	for (; s->top; s->fresh = false) {
		bool object = s->top->type == cJSON_Object;

		p = skip_space(p, s->end);
		if (p < s->end && *p == (object ? '}' : ']')) {
			p++;
			close_container(s);
			continue;
		}
		if (s->fresh) {
			s->fresh = false;
			return next_place(s, p, node);
		}
		if (p == s->end || *p != ',')
			return wrong(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
		return next_place(s, p + 1, node);
	}
	*node = NULL;
	return p;
}

static bool document(struct parser *s, cJSON *root)
{
	const unsigned char *p = s->start;

	for (cJSON *node = root; node;) {
		p = value(s, p, node);
		if (!p || !(p = advance(s, p, &node)))
			return false;
	}
	p = skip_space(p, s->end);
	return p == s->end || wrong(s, p, "text after the value");
}

cJSON *sk_json_parse(struct sk_arena *a, const char *text, size_t n, const struct sk_json_options *opt,
                     struct sk_json_error *e)
{
	const unsigned char *start = (const unsigned char *)(text ? text : "");
	struct parser s = { .arena = a, .start = start, .end = start + (text ? n : 0) };
	cJSON *root = NULL;

	s.max_depth = opt && opt->max_depth > 0 ? opt->max_depth : SK_JSON_MAX_DEPTH;
	s.unique = opt && opt->unique_keys;
	if (n > MAX_BYTES)
		fail_at(&s, start, SK_JSON_MEMORY, "longer than 1 GiB");
	else if (!(s.text = sk_alloc_text(a, n + 1)) || !(root = new_node(&s, start)))
		out_of_memory(&s, start);
	if (root && !document(&s, root))
		root = NULL;
	if (e)
		*e = s.error;
	return root;
}
