/* topic_fuzz.c -- the trie and the MQTT filter against naive matchers.
 *
 * Input: lines. Those before the first empty line are patterns, those after it are topics. A naive matcher splits both into levels and
 * picks the best pattern level by level; trie and matcher must agree on the row and on every capture. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/topic.h"
#include "tests/fuzz/expect.h"

#define MAX_ROWS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *rows[MAX_ROWS];
static size_t row_count;

/* true and *n its length, if there is a level of that number. */
static bool level(const char *s, size_t index, const char **at, size_t *n)
{
	while (index-- > 0) {
		s = strchr(s, '/');
		if (!s)
			return false;
		s++;
	}
	*at = s;
	*n = strcspn(s, "/");
	return true;
}

/* What a level of a pattern takes: itself, any level, or {name+} the rest. The lesser one wins. */
enum kind { LITERAL, CAPTURE, REST };
static enum kind kind_of(const char *p, size_t n)
{
	return *p != '{' ? LITERAL : p[n - 2] == '+' ? REST : CAPTURE;
}

static bool naive_matches(const char *pattern, const char *topic)
{
	const char *p, *t;
	size_t pn, tn, i = 0;
	for (; level(pattern, i, &p, &pn); i++) {
		if (!level(topic, i, &t, &tn))
			return false;
		if (kind_of(p, pn) == REST)
			return *t;
		if (tn == 0)
			return false;
		if (kind_of(p, pn) == LITERAL && (pn != tn || memcmp(p, t, tn) != 0))
			return false;
	}
	return !level(topic, i, &t, &tn);
}

/* Of two patterns that both match: the one that takes less at the first place where they differ in kind. */
static bool naive_better(const char *a, const char *b)
{
	const char *pa, *pb;
	size_t na, nb;
	for (size_t i = 0; level(a, i, &pa, &na) && level(b, i, &pb, &nb); i++)
		if (kind_of(pa, na) != kind_of(pb, nb))
			return kind_of(pa, na) < kind_of(pb, nb);
	return false;
}

static void check_captures(const char *pattern, const char *topic, const struct sk_topic_match *m)
{
	const char *p, *t, *name;
	size_t pn, tn, nn, captures = 0;
	for (size_t i = 0; level(pattern, i, &p, &pn); i++) {
		if (*p != '{')
			continue;
		bool rest = kind_of(p, pn) == REST;
		expect(captures < m->captures && level(topic, i, &t, &tn));
		expect(m->capture[captures].at == t && m->capture[captures].size == (rest ? strlen(t) : tn));
		name = sk_topic_capture_name(pattern, captures++, &nn);
		expect(name == p + 1 && nn == pn - (rest ? 3 : 2));
	}
	expect(captures == m->captures && !sk_topic_capture_name(pattern, captures, &nn));
}

static void check_topic(const struct sk_trie *t, const char *topic)
{
	const char *best = NULL;
	for (size_t i = 0; i < row_count; i++)
		if (naive_matches(rows[i], topic) && (!best || naive_better(rows[i], best)))
			best = rows[i];
	struct sk_topic_match m;
	bool found = sk_trie_find(t, topic, &m);
	expect(found == (best != NULL));
	if (found) {
		expect(m.row == best);
		check_captures(best, topic, &m);
	} else {
		expect(m.row == NULL && m.captures == 0);
	}
}

static bool naive_filter(const char *f, const char *t)
{
	if (strcmp(f, "#") == 0 || (strcmp(f, "/#") == 0 && !*t))
		return true;
	if (*f == '+')
		return naive_filter(f + 1, t + strcspn(t, "/"));
	if (*f != *t)
		return false;
	return !*f || naive_filter(f + 1, t + 1);
}

/* Only filters that section 4.7.1 allows are compared; the others must match nothing. */
static void check_filter(const char *filter, const char *topic)
{
	bool valid = *filter && *topic && strncmp(filter, "$share/", 7) != 0;
	const char *at;
	size_t n;
	for (size_t i = 0; level(filter, i, &at, &n); i++) {
		bool wild = memchr(at, '+', n) || memchr(at, '#', n);
		valid = valid && (!wild || n == 1) && !(wild && *at == '#' && at[1]);
	}
	if (*topic == '$' && (*filter == '+' || *filter == '#'))
		valid = false;
	expect(sk_topic_filter_matches(filter, topic) == (valid && naive_filter(filter, topic)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	char *text = calloc(1, size + 1), why[80];
	memcpy(text, data, size);
	struct sk_trie *t = sk_trie_new();
	bool topics = false;
	const char *before = NULL;
	row_count = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (!*line)
			topics = true;
		else if (!topics && row_count < MAX_ROWS && sk_trie_add(t, line, line, why, sizeof why) == 0)
			rows[row_count++] = line;
		check_topic(t, line);
		if (before)
			check_filter(before, line);
		before = line;
	}
	sk_trie_free(&t);
	free(text);
	return 0;
}
