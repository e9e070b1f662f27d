/* rules_filters_fuzz.c -- the index of filters against a list of them.
 *
 * Input: lines. "=TOPIC" is a look-up, "-ID FILTER" removes, any other line adds: its first byte is the id, the rest the filter. The list is asked one
 * filter after the other (sk_topic_filter_matches); both must agree on which ids match, and on which filters are none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/topic.h"
#include "rules/filters.h"
#include "tests/fuzz/expect.h"

enum { MOST = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const char *filter;
	unsigned char id;
} list[MOST];
static size_t listed;

/* Byte by byte: a wildcard has a slash or nothing on both sides. */
static bool naive_valid(const char *filter)
{
	size_t slashes = 0;

	if (!*filter)
		return false;
	for (const char *s = filter; *s; s++) {
		bool alone = (s == filter || s[-1] == '/') && (!s[1] || s[1] == '/');
		slashes += *s == '/';
		if ((*s == '+' && !alone) || (*s == '#' && (!alone || s[1])))
			return false;
	}
	return slashes <= 200;
}

static bool naive_matches(const char *filter, const char *topic)
{
	return strncmp(filter, "$share/", 7) != 0 && sk_topic_filter_matches(filter, topic);
}

static void look_up(const struct rules_filters *f, const char *topic)
{
	bool wanted[256] = { false };
	uint32_t got[256];
	size_t found, at = 0;

	if (strncmp(topic, "$share/", 7) == 0)
		return;
	for (size_t i = 0; i < listed; i++)
		wanted[list[i].id] |= naive_matches(list[i].filter, topic);
	found = rules_filters_match(f, topic, got, 256);
	for (uint32_t id = 0; id < 256; id++)
		if (wanted[id])
			expect(at < found && got[at++] == id);
	expect(at == found);
	if (found > 1)
		expect(rules_filters_match(f, topic, got, 1) == found);
}

static void drop(const char *filter, unsigned char id)
{
	for (size_t i = 0; i < listed; i++)
		if (list[i].id == id && strcmp(list[i].filter, filter) == 0)
			list[i--] = list[--listed];
}

static void add(struct rules_filters *f, const char *line)
{
	unsigned char id = (unsigned char)*line;

	expect(rules_filter_valid(line + 1) == naive_valid(line + 1));
	if (listed == MOST)
		return;
	expect(rules_filters_add(f, line + 1, id) == (naive_valid(line + 1) ? 0 : -1));
	if (!naive_valid(line + 1))
		return;
	drop(line + 1, id);
	list[listed].filter = line + 1;
	list[listed++].id = id;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 8192)
		return 0;
	char *text = calloc(1, size + 1);
	struct rules_filters *f = rules_filters_new();
	expect(text && f);
	memcpy(text, data, size);
	listed = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (*line == '=') {
			look_up(f, line + 1);
		} else if (*line == '-' && line[1] && line[2]) {
			rules_filters_remove(f, line + 3, (unsigned char)line[1]);
			drop(line + 3, (unsigned char)line[1]);
		} else if (*line) {
			add(f, line);
		}
	}
	while (listed) {
		look_up(f, list[listed - 1].filter);
		rules_filters_remove(f, list[listed - 1].filter, list[listed - 1].id);
		listed--;
	}
	expect(rules_filters_match(f, "a", NULL, 0) == 0);
	rules_filters_free(&f);
	free(text);
	return 0;
}
