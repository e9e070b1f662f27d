/* topic.c -- the topic trie.
 *
 * A node is a level; the literal children of a node hang in a small hash over (length, first and last byte), so a level
 * costs one probe and one memcmp however many siblings it has. Before a level is even measured its first byte is
 * looked up in the node's set of first bytes: a topic such as "sensors/1" leaves at the root after one bit test.
 * Invariant: a node has one path from the root, so a find visits each node at most once, backtracking included, and
 * is never deeper than MAX_LEVELS. */
#include "core/topic.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"

#define MAX_LEVELS 64
#define MAX_PATTERN 1024

struct node {
	uint64_t first[4];     /* the bytes that literal children begin with */
	struct node **bucket;  /* heads of chains, mask + 1 of them; NULL: no literal children */
	struct node *sibling;  /* next of the same bucket */
	struct node *capture;  /* the child for {any} level */
	void *tail;            /* the row of a pattern that goes on with {rest+}; NULL: none does */
	void *row;             /* NULL: no pattern ends here */
	uint32_t mask;
	uint32_t children;
	uint32_t size;         /* of text */
	char text[];           /* the level; empty for a capture and the root */
};

struct sk_trie {
	struct node *root;
};

struct level {
	const char *at;
	size_t size;
};

static uint32_t level_hash(const char *s, size_t n)
{
	return (uint32_t)n * 31 + (unsigned char)s[0] * 7 + (unsigned char)s[n - 1];
}

/* The level that begins at s; `at` stays s. */
static struct level level_at(const char *s)
{
	return (struct level){ s, (size_t)(strchrnul(s, '/') - s) };
}

static struct node *node_new(const char *text, size_t n)
{
	struct node *node = calloc(1, sizeof *node + n + 1);
	if (!node)
		return NULL;
	memcpy(node->text, text, n);
	node->size = (uint32_t)n;
	return node;
}

static void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; node->bucket && i <= node->mask; i++) {
		for (struct node *child = node->bucket[i], *next; child; child = next) {
			next = child->sibling;
			node_free(child);
		}
	}
	free(node->bucket);
	node_free(node->capture);
	free(node);
}

static struct node *child_find(const struct node *node, const char *s, size_t n)
{
	if (!node->bucket)
		return NULL;
	struct node *child = node->bucket[level_hash(s, n) & node->mask];
	while (child && (child->size != n || memcmp(child->text, s, n) != 0))
		child = child->sibling;
	return child;
}

/* Doubles the buckets when there are as many children as buckets: chains stay about one long. */
static int buckets_grow(struct node *node)
{
	size_t n = node->bucket ? ((size_t)node->mask + 1) * 2 : 4;
	struct node **bucket = calloc(n, sizeof *bucket);
	if (!bucket)
		return -1;
	for (size_t i = 0; node->bucket && i <= node->mask; i++) {
		for (struct node *child = node->bucket[i], *next; child; child = next) {
			next = child->sibling;
			struct node **head = &bucket[level_hash(child->text, child->size) & (n - 1)];
			child->sibling = *head;
			*head = child;
		}
	}
	free(node->bucket);
	node->bucket = bucket;
	node->mask = (uint32_t)n - 1;
	return 0;
}

static struct node *child_add(struct node *node, const char *s, size_t n)
{
	if ((!node->bucket || node->children > node->mask) && buckets_grow(node) != 0)
		return NULL;
	struct node *child = node_new(s, n);
	if (!child)
		return NULL;
	struct node **head = &node->bucket[level_hash(s, n) & node->mask];
	child->sibling = *head;
	*head = child;
	node->children++;
	unsigned char c = (unsigned char)s[0];
	node->first[c >> 6] |= UINT64_C(1) << (c & 63);
	return child;
}

/* -- patterns -- */

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i] | 0x20;
		if (!(c >= 'a' && c <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '_')
			return false;
	}
	return n > 0;
}

/* {name+}: the rest of the topic. */
static bool is_tail(struct level l)
{
	return l.size > 3 && l.at[0] == '{' && !strncmp(l.at + l.size - 2, "+}", 2) && is_name(l.at + 1, l.size - 3);
}

static bool is_capture(struct level l)
{
	return is_tail(l) || (l.size > 2 && l.at[0] == '{' && l.at[l.size - 1] == '}' && is_name(l.at + 1, l.size - 2));
}

static size_t name_size(struct level l)
{
	return l.size - (is_tail(l) ? 3 : 2);
}

static bool has_any(struct level l, const char *bytes)
{
	for (size_t i = 0; i < l.size; i++)
		if (strchr(bytes, l.at[i]))
			return true;
	return false;
}

static bool named_before(const char *pattern, size_t captures, struct level l)
{
	for (size_t i = 0, n; i < captures; i++) {
		const char *name = sk_topic_capture_name(pattern, i, &n);
		if (name && n == name_size(l) && memcmp(name, l.at + 1, n) == 0)
			return true;
	}
	return false;
}

/* What is wrong with the level, in words that follow the pattern; NULL: nothing. */
static const char *level_fault(const char *pattern, struct level l, size_t *captures)
{
	if (l.size == 0)
		return "has an empty level";
	if (is_tail(l) && l.at[l.size])
		return "goes on behind a {capture+}";
	if (!is_tail(l) && has_any(l, "+#"))
		return "holds an MQTT wildcard";
	if (!is_capture(l))
		return has_any(l, "{}") ? "has a malformed {capture}" : NULL;
	if (*captures == SK_TOPIC_CAPTURES)
		return "has too many captures";
	return named_before(pattern, (*captures)++, l) ? "names a capture twice" : NULL;
}

static const char *pattern_fault(const char *pattern)
{
	size_t captures = 0, levels = 0;
	if (strnlen(pattern, MAX_PATTERN + 1) > MAX_PATTERN)
		return "is too long";
	for (const char *s = pattern;; s++) {
		struct level l = level_at(s);
		const char *fault = level_fault(pattern, l, &captures);
		if (fault)
			return fault;
		if (++levels > MAX_LEVELS)
			return "has too many levels";
		s += l.size;
		if (!*s)
			return NULL;
	}
}

static struct node *step_or_add(struct node *node, struct level l)
{
	if (is_capture(l)) {
		if (!node->capture)
			node->capture = node_new("", 0);
		return node->capture;
	}
	struct node *child = child_find(node, l.at, l.size);
	return child ? child : child_add(node, l.at, l.size);
}

/* -- public -- */

struct sk_trie *sk_trie_new(void)
{
	struct sk_trie *t = calloc(1, sizeof *t);
	if (t)
		t->root = node_new("", 0);
	if (t && !t->root) {
		free(t);
		t = NULL;
	}
	return t;
}

void sk_trie_free(struct sk_trie **t)
{
	if (!*t)
		return;
	node_free((*t)->root);
	free(*t);
	*t = NULL;
}

int sk_trie_add(struct sk_trie *t, const char *pattern, void *row, char *why, size_t why_size)
{
	const char *fault = row ? pattern_fault(pattern) : "has no row";
	if (fault)
		return sk_why(why, why_size, "topic %s %s", pattern, fault);
	struct node *node = t->root;
	void **at = NULL;
	for (const char *s = pattern;; s++) {
		struct level l = level_at(s);
		at = is_tail(l) ? &node->tail : NULL;
		node = at ? node : step_or_add(node, l);
		if (!node)
			return sk_why(why, why_size, "topic %s: out of memory", pattern);
		s += l.size;
		if (!*s)
			break;
	}
	at = at ? at : &node->row;
	if (*at)
		return sk_why(why, why_size, "topic %s has the same shape as another row's", pattern);
	*at = row;
	return 0;
}

static bool capture_rest(const struct node *node, const char *s, struct sk_topic_match *m)
{
	if (!node->tail)
		return false;
	m->row = node->tail;
	m->capture[m->captures++] = (struct sk_topic_capture){ s, strlen(s) };
	return true;
}

static bool find_below(const struct node *node, const char *s, struct sk_topic_match *m);

/* Matches the levels from s on below node. Literals first; a capture is tried when the literal led nowhere. */
static bool find_levels(const struct node *node, const char *s, struct sk_topic_match *m)
{
	unsigned char c = (unsigned char)*s;
	bool literal = node->first[c >> 6] >> (c & 63) & 1;
	if (!literal && !node->capture)
		return false;
	struct level l = level_at(s);
	if (l.size == 0)
		return false;
	const char *rest = s + l.size;
	const struct node *child = literal ? child_find(node, l.at, l.size) : NULL;
	if (child && (*rest ? find_below(child, rest + 1, m) : (m->row = child->row) != NULL))
		return true;
	child = node->capture;
	if (!child)
		return false;
	size_t mark = m->captures;
	m->capture[m->captures++] = (struct sk_topic_capture){ l.at, l.size };
	if (*rest ? find_below(child, rest + 1, m) : (m->row = child->row) != NULL)
		return true;
	m->captures = mark;
	return false;
}

static bool find_below(const struct node *node, const char *s, struct sk_topic_match *m)
{
	return find_levels(node, s, m) || (*s && capture_rest(node, s, m));
}

bool sk_trie_find(const struct sk_trie *t, const char *topic, struct sk_topic_match *m)
{
	m->row = NULL;
	m->captures = 0;
	return find_below(t->root, topic, m);
}

const char *sk_topic_capture_name(const char *pattern, size_t index, size_t *n)
{
	for (const char *s = pattern;; s++) {
		struct level l = level_at(s);
		if (is_capture(l) && index-- == 0) {
			*n = name_size(l);
			return l.at + 1;
		}
		s += l.size;
		if (!*s)
			return NULL;
	}
}

/* Section 4.7.1: + and # occupy an entire level, # only the last. */
static bool filter_valid(const char *filter)
{
	for (const char *s = filter;; s++) {
		struct level l = level_at(s);
		if (has_any(l, "+#") && l.size > 1)
			return false;
		s += l.size;
		if (*l.at == '#' && *s)
			return false;
		if (!*s)
			return true;
	}
}

bool sk_topic_filter_matches(const char *filter, const char *topic)
{
	if (!*filter || !*topic || strncmp(filter, "$share/", 7) == 0 || !filter_valid(filter))
		return false;
	if (*topic == '$' && (*filter == '+' || *filter == '#'))
		return false;
	for (const char *f = filter, *t = topic;; f++, t++) {
		if (*f == '#')
			return true;
		struct level fl = level_at(f), tl = level_at(t);
		if (*f != '+' && (fl.size != tl.size || memcmp(f, t, fl.size) != 0))
			return false;
		f += fl.size;
		t += tl.size;
		if (!*t)
			return !*f || strcmp(f, "/#") == 0; /* "a/#" includes "a": section 4.7.1.2 */
		if (!*f)
			return false;
	}
}
