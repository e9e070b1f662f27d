/* json_bench.c -- parse and print of typical documents, ours against libcjson's.
 *
 * Usage: json_bench [seconds per measurement]. One line per document and direction, in ns and as a ratio, then the time
 * per key of objects that grow, which must stay flat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/json.h"

static const struct {
	const char *name, *text;
} documents[] = {
	{ "shadow update, 200 B",
	  "{\"state\":{\"reported\":{\"temperature\":21.5,\"humidity\":48,\"on\":true,\"mode\":\"eco\",\"location\":{\"room\":"
	  "\"kitchen\",\"floor\":2},\"firmware\":\"1.14.2\",\"uptime\":1234567}},\"clientToken\":\"a1b2c3d4-0001\",\"version\":17}" },
	{ "telemetry, 450 B",
	  "{\"device\":\"pump-0042\",\"ts\":1720000000123,\"samples\":[{\"t\":1720000000001,\"p\":3.25,\"v\":0.125,\"ok\":true},"
	  "{\"t\":1720000000002,\"p\":3.27,\"v\":0.131,\"ok\":true},{\"t\":1720000000003,\"p\":3.31,\"v\":0.119,\"ok\":false},"
	  "{\"t\":1720000000004,\"p\":3.29,\"v\":0.122,\"ok\":true},{\"t\":1720000000005,\"p\":3.30,\"v\":0.127,\"ok\":true}],"
	  "\"site\":{\"name\":\"North plant\",\"lat\":52.520008,\"lon\":13.404954},\"tags\":[\"water\",\"primary\",\"24/7\"],"
	  "\"note\":\"inspected by M\\u00fcller, \\\"all fine\\\"\",\"error\":null}" },
	{ "shadow document, 900 B",
	  "{\"previous\":{\"state\":{\"desired\":{\"on\":true,\"color\":\"red\",\"level\":80},\"reported\":{\"on\":false,\"color\":"
	  "\"green\",\"level\":20}},\"metadata\":{\"desired\":{\"on\":{\"timestamp\":1720000001},\"color\":{\"timestamp\":1720000002},"
	  "\"level\":{\"timestamp\":1720000003}},\"reported\":{\"on\":{\"timestamp\":1720000004},\"color\":{\"timestamp\":"
	  "1720000005},\"level\":{\"timestamp\":1720000006}}},\"version\":41},\"current\":{\"state\":{\"desired\":{\"on\":true,"
	  "\"color\":\"blue\",\"level\":90},\"reported\":{\"on\":true,\"color\":\"red\",\"level\":80}},\"metadata\":{\"desired\":{"
	  "\"on\":{\"timestamp\":1720000011},\"color\":{\"timestamp\":1720000012},\"level\":{\"timestamp\":1720000013}},"
	  "\"reported\":{\"on\":{\"timestamp\":1720000014},\"color\":{\"timestamp\":1720000015},\"level\":{\"timestamp\":1720000016"
	  "}}},\"version\":42},\"timestamp\":1720000017,\"clientToken\":\"3e5a8a7e-6d3f-4a52-9a37-6a1f2f0f6c11\"}" },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What is measured: one parse, or one print of a tree that is there. */
struct work {
	struct sk_arena *arena;
	const char *text;
	size_t n;
	const cJSON *ours;
	cJSON *theirs;
};

static void parse_ours(struct work *w)
{
	sk_json_parse(w->arena, w->text, w->n, NULL, NULL);
	sk_arena_reset(w->arena, 65536);
}

static void parse_theirs(struct work *w)
{
	cJSON_Delete(cJSON_ParseWithLength(w->text, w->n));
}

static void print_ours(struct work *w)
{
	sk_json_print(w->arena, w->ours, NULL);
	sk_arena_reset(w->arena, 65536);
}

static void print_theirs(struct work *w)
{
	free(cJSON_PrintUnformatted(w->theirs));
}

static double measure(void (*run)(struct work *), struct work *w, double seconds)
{
	double best = 1e18;

	for (double end = now() + seconds * 1e9; now() < end;) {
		double start = now();

		for (int i = 0; i < 1000; i++)
			run(w);
		if ((now() - start) / 1000 < best)
			best = (now() - start) / 1000;
	}
	return best;
}

static void compare(const char *name, const char *what, double ours, double theirs)
{
	printf("%-24s %-6s %8.0f ns, libcjson %8.0f ns, ratio %.1f\n", name, what, ours, theirs, theirs / ours);
}

static void bench_document(const char *name, const char *text, double seconds)
{
	struct sk_arena arena = { 0 }, kept = { 0 };
	struct work w = { .arena = &arena, .text = text, .n = strlen(text) };

	w.ours = sk_json_parse(&kept, text, w.n, NULL, NULL);
	w.theirs = cJSON_ParseWithLength(text, w.n);
	compare(name, "parse", measure(parse_ours, &w, seconds), measure(parse_theirs, &w, seconds));
	compare(name, "print", measure(print_ours, &w, seconds), measure(print_theirs, &w, seconds));
	cJSON_Delete(w.theirs);
	sk_arena_free(&arena);
	sk_arena_free(&kept);
}

static void bench_keys(int keys)
{
	struct sk_arena arena = { 0 };
	char *text = malloc((size_t)keys * 20 + 2), *p = text;
	double start;

	if (!text)
		return;
	*p++ = '{';
	for (int i = 0; i < keys; i++)
		p += sprintf(p, "%s\"k%08x\":%d", i ? "," : "", (unsigned)i * 2654435761u, i % 10);
	*p++ = '}';
	start = now();
	sk_json_parse(&arena, text, (size_t)(p - text), NULL, NULL);
	printf("%8d keys in one object: %4.0f ns per key\n", keys, (now() - start) / keys);
	sk_arena_free(&arena);
	free(text);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.3;

	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
		bench_document(documents[i].name, documents[i].text, seconds);
	for (int keys = 1000; keys <= 1000000; keys *= 10)
		bench_keys(keys);
	return 0;
}
