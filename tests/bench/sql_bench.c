/* sql_bench.c -- what an SQL rule costs for each message, against parsing that message once.
 *
 * Usage: sql_bench [seconds per measurement]. One line per statement: bytes of its program, ns of a run, ns of a parse of the
 * same payload, their ratio, and ns of run and printing the result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql/sql.h"

static const char small[] = "{\"device\":\"press-17\",\"temp\":31.5,\"humidity\":48,\"on\":true,\"ts\":1720000000123,\"site\":{\"hall\":3,\"row\":\"b\"},\"x\":1}";

static const struct {
	const char *sql;
} cases[] = {
	{ "SELECT * FROM 'factory/+/press/#' WHERE temp > 30" },
	{ "SELECT * FROM 'factory/+/press/#' WHERE temp > 40" },
	{ "SELECT * FROM 'factory/+/press/#' WHERE humidity > 50" },
	{ "SELECT temp, humidity FROM 'factory/+/press/#' WHERE temp > 30 AND humidity < 50" },
	{ "SELECT *, topic(2) AS hall, timestamp() AS at FROM 'factory/+/press/#' WHERE on = true" },
	{ "SELECT temp * 1.8 + 32 AS fahrenheit, site.hall AS hall FROM 'factory/+/press/#'" },
	{ "SELECT device FROM 'factory/+/press/#' WHERE regexp_matches(device, '^press-[0-9]+$')" },
	{ "SELECT CASE site.row WHEN 'a' THEN 1 WHEN 'b' THEN 2 END AS n FROM 'factory/+/press/#' WHERE startswith(device, 'press')" },
	{ "SELECT sha256(device) AS id, parse_time('yyyy-MM-dd', ts) AS day FROM 'factory/+/press/#'" },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct work {
	struct sk_arena *arena;
	const struct expr_program *program;
	struct sql_message message;
};

static void parse(struct work *w)
{
	sk_json_parse(w->arena, small, sizeof small - 1, NULL, NULL);
	sk_arena_reset(w->arena, 65536);
}

static void run(struct work *w)
{
	struct sql_result r;

	sql_run(w->program, &w->message, w->arena, NULL, &r);
	sk_arena_reset(w->arena, 65536);
}

static void run_and_print(struct work *w)
{
	struct sql_result r;

	sql_run(w->program, &w->message, w->arena, NULL, &r);
	sk_json_print(w->arena, r.document, NULL);
	sk_arena_reset(w->arena, 65536);
}

/* The best of many rounds: what else the machine does only makes it slower. */
static double measure(void (*f)(struct work *), struct work *w, double seconds)
{
	double best = 1e18;

	for (double end = now() + seconds * 1e9; now() < end;) {
		double start = now(), took;
		for (int i = 0; i < 1000; i++)
			f(w);
		took = (now() - start) / 1000;
		best = took < best ? took : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.2, parsing;
	const struct sql_options options = { .version = SQL_2016_03_23 };
	struct sk_arena kept = { 0 }, arena = { 0 };
	struct sql_patterns patterns = { 0 };
	struct work w = { .arena = &arena };

	w.message = (struct sql_message){ .topic = "factory/3/press/17", .payload = small, .size = sizeof small - 1, .now_ms = 1720000000123 };
	w.message.document = sk_json_parse(&kept, small, sizeof small - 1, NULL, NULL);
	w.message.patterns = &patterns;
	parsing = measure(parse, &w, seconds);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct expr_error e;
		double running;
		w.program = sql_compile(&kept, cases[i].sql, strlen(cases[i].sql), &options, &e);
		if (!w.program) {
			fprintf(stderr, "sql_bench: %s\n", e.message);
			return 1;
		}
		running = measure(run, &w, seconds);
		printf("%s: %u B, run %.0f ns, parse %.0f ns, ratio %.2f, run and print %.0f ns\n", cases[i].sql, (unsigned)w.program->size, running,
		       parsing, running / parsing, measure(run_and_print, &w, seconds));
	}
	sql_patterns_free(&patterns);
	sk_arena_free(&arena);
	sk_arena_free(&kept);
	return 0;
}
