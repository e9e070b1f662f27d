/* rules_filters_bench.c -- what the index of rules' filters costs: bytes for each filter, and the time of a look-up.
 *
 * 1 to 10,000 distinct filters; topics that match one and topics that match none, many of them in turn. Beside it stands what asking every
 * filter costs (sk_topic_filter_matches). The best of several rounds. Prints "N filters: B bytes each; match X ns, none Y ns, ...". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/topic.h"
#include "rules/filters.h"

enum { ROUNDS = 7, TOPICS = 1024, CALLS = 200000, MOST = 10000 };

struct shape {
	const char *name, *filter, *topic, *none; /* formats for a number from 0 and its place in rows of 100 */
};
static const struct shape shapes[] = {
	{ "one branch each", "factory/%1$d/press/3/temp", "factory/%1$d/press/3/temp", "factory/%1$d/press/3/rpm" },
	{ "a grid", "factory/%2$d/press/%3$d/temp", "factory/%2$d/press/%3$d/temp", "factory/%2$d/press/%3$d/rpm" },
	{ "one level open", "factory/%1$d/+/3/temp", "factory/%1$d/press/3/temp", "office/%1$d/press/3/temp" },
};

static char filters[MOST][48], topics[TOPICS][48], others[TOPICS][48];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void fill(const struct shape *s, int n)
{
	for (int i = 0; i < n; i++)
		snprintf(filters[i], sizeof *filters, s->filter, i, i / 100, i % 100);
	for (int i = 0; i < TOPICS; i++) {
		int k = (int)((int64_t)i * 7919 % n);
		snprintf(topics[i], sizeof *topics, s->topic, k, k / 100, k % 100);
		snprintf(others[i], sizeof *others, s->none, k, k / 100, k % 100);
	}
}
#pragma GCC diagnostic pop

static size_t index_finds(const struct rules_filters *f, const char *topic)
{
	uint32_t id[8];

	return rules_filters_match(f, topic, id, 8);
}

/* ns for each look-up; ends the program when one finds another number of ids. */
static double time_index(const struct rules_filters *f, char (*topic)[48], size_t want)
{
	int64_t best = INT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		size_t found = 0;
		int64_t start = now_ns();
		for (int i = 0; i < CALLS; i++)
			found += index_finds(f, topic[i % TOPICS]);
		int64_t took = now_ns() - start;
		best = took < best ? took : best;
		if (found != want * CALLS) {
			fprintf(stderr, "rules_filters_bench: %zu found\n", found);
			exit(1);
		}
	}
	return (double)best / CALLS;
}

static double time_linear(int n)
{
	int calls = 2000000 / n / 4 + 10, found = 0;
	int64_t start = now_ns();

	for (int i = 0; i < calls; i++)
		for (int k = 0; k < n; k++)
			found += sk_topic_filter_matches(filters[k], topics[i % TOPICS]);
	return found < calls ? 0 : (double)(now_ns() - start) / calls;
}

static int measure(const struct shape *s, int n)
{
	struct rules_filters *f = rules_filters_new();

	fill(s, n);
	size_t empty = f ? rules_filters_bytes(f) : 0;
	int64_t start = now_ns();
	for (int i = 0; f && i < n; i++)
		if (rules_filters_add(f, filters[i], (uint32_t)i))
			rules_filters_free(&f);
	if (!f)
		return 1;
	double add = (double)(now_ns() - start) / n, match = time_index(f, topics, 1), none = time_index(f, others, 0);
	printf("%s, %d filters: %.0f bytes each, %.0f ns to add; a topic that matches one %.1f ns, none %.1f ns; one filter after the other %.0f ns\n", s->name, n,
	       (double)(rules_filters_bytes(f) - empty) / n, add, match, none, time_linear(n));
	rules_filters_free(&f);
	return 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (int n = 1; n <= MOST; n *= 100)
			if (measure(&shapes[i], n))
				return 1;
	return 0;
}
