/* topic.h -- which row does a topic belong to? A trie over topic levels with captures.
 *
 * Built while plugins load, then read by the broker thread for every PUBLISH: a topic that no row matches must cost
 * about 50 ns and never allocates. Literal levels win over captures, level by level, with backtracking.
 * A capture matches exactly one non-empty level; {rest+} at the end of a pattern matches whatever comes, at least one character of it, when nothing
 * else does. Patterns hold no MQTT wildcards. A topic with an empty level matches nothing that has a one-level capture there. */
#ifndef SK_TOPIC_H
#define SK_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#define SK_TOPIC_CAPTURES 8

struct sk_topic_capture {
	const char *at; /* into the topic */
	size_t size;
};
struct sk_topic_match {
	void *row;
	size_t captures;
	struct sk_topic_capture capture[SK_TOPIC_CAPTURES];
};

struct sk_trie;
struct sk_trie *sk_trie_new(void);
void sk_trie_free(struct sk_trie **t);
/* Pattern "$aws/things/{thing}/shadow/update". -1 with why[]: malformed, too many captures, or the same shape is there already
 * (captures of different names at the same place are the same shape). */
int sk_trie_add(struct sk_trie *t, const char *pattern, void *row, char *why, size_t why_size);
bool sk_trie_find(const struct sk_trie *t, const char *topic, struct sk_topic_match *m);
/* The n-th capture's name in a pattern ("thing"), its length in *n; NULL if there is none. */
const char *sk_topic_capture_name(const char *pattern, size_t index, size_t *n);
/* MQTT 3.1.1 section 4.7: does filter (with + and #, $share prefix not allowed) match topic? `$`-topics are not matched by a
 * filter that begins with a wildcard. */
bool sk_topic_filter_matches(const char *filter, const char *topic);

#endif
