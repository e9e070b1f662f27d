/* topic_bench.c -- what a topic costs on the broker thread, as a ratio to a strcmp of the same topic.
 *
 * One table of rows as the suite has them; several kinds of topics; the best of several rounds. Prints
 * "NAME: X ns, strcmp Y ns, ratio Z" for each kind. A ratio, because an absolute time says nothing about another machine. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/topic.h"

#define ROUNDS 9
#define CALLS 400000

static const char *const patterns[] = {
	"$aws/things/{thing}/shadow/get", "$aws/things/{thing}/shadow/update", "$aws/things/{thing}/shadow/delete",
	"$aws/things/{thing}/shadow/name/{shadow}/get", "$aws/things/{thing}/shadow/name/{shadow}/update",
	"$aws/things/{thing}/shadow/name/{shadow}/delete", "$aws/things/{thing}/jobs/get", "$aws/things/{thing}/jobs/start-next",
	"$aws/things/{thing}/jobs/{job}/get", "$aws/things/{thing}/jobs/{job}/update",
	"$aws/things/{thing}/streams/{stream}/get/json", "$aws/things/{thing}/defender/metrics/json",
	"$aws/certificates/create/json", "$aws/certificates/create-from-csr/json",
	"$aws/provisioning-templates/{template}/provision/json", "$aws/commands/things/{thing}/executions/{id}/response/json",
};

static const struct {
	const char *name, *topic;
} cases[] = {
	{ "plain topic, no row", "factory/hall-3/press/17/temperature" },
	{ "$SYS topic, no row", "$SYS/broker/messages/received" },
	{ "$aws event, no row", "$aws/events/presence/connected/lamp" },
	{ "deep $aws topic, no row", "$aws/things/living-room-lamp/shadow/update/accepted" },
	{ "classic shadow update", "$aws/things/living-room-lamp/shadow/update" },
	{ "named shadow update", "$aws/things/living-room-lamp/shadow/name/settings/update" },
};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double time_find(const struct sk_trie *t, const char *topic)
{
	struct sk_topic_match m;
	int64_t best = INT64_MAX;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		for (int i = 0; i < CALLS; i++) {
			__asm__ volatile("" : "+r"(topic) : : "memory");
			sk_trie_find(t, topic, &m);
		}
		int64_t took = now_ns() - start;
		best = took < best ? took : best;
	}
	return (double)best / CALLS;
}

static double time_strcmp(const char *topic)
{
	char copy[256];
	int (*volatile compare)(const char *, const char *) = strcmp;
	int64_t best = INT64_MAX;
	int sum = 0;
	snprintf(copy, sizeof copy, "%s", topic);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		for (int i = 0; i < CALLS; i++)
			sum += compare(copy, topic);
		int64_t took = now_ns() - start;
		best = took < best ? took : best;
	}
	return sum ? 0 : (double)best / CALLS;
}

int main(void)
{
	static char row;
	char why[128];
	struct sk_trie *t = sk_trie_new();
	for (size_t i = 0; t && i < sizeof patterns / sizeof *patterns; i++) {
		if (sk_trie_add(t, patterns[i], &row, why, sizeof why) != 0) {
			fprintf(stderr, "topic_bench: %s\n", why);
			return 1;
		}
	}
	if (!t)
		return 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double find = time_find(t, cases[i].topic), compare = time_strcmp(cases[i].topic);
		printf("%s: %.1f ns, strcmp %.1f ns, ratio %.1f\n", cases[i].name, find, compare, find / compare);
	}
	sk_trie_free(&t);
	return 0;
}
