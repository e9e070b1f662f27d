/* shadow_golden_test.c -- runs every case of tests/data/shadow/ through the shadow engine, then again short of memory.
 *
 * The format is described in tests/data/shadow/README.md. A case holds if each of its expectations prints byte by byte as
 * expected. Short of memory it must either hold as well or answer an error with the arena marked as failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadow/shadow.h"

enum { MAX_WANTS = 12, LEAST_CASES = 90, LEAST_ROOM = 80, MOST_ROOM = 4080, NOW_MS = 100999 };

struct want {
	const char *path, *text;
};
struct golden {
	const char *title, *stored, *verb, *payload, *name;
	struct shadow_limits limits;
	struct want wants[MAX_WANTS];
	size_t want_count;
};

static size_t cases, broken, failures;
static struct golden the_case;

static cJSON *parse(struct sk_arena *a, const char *text)
{
	cJSON *node = text ? sk_json_parse(a, text, strlen(text), NULL, NULL) : NULL;

	if (text && !node)
		fail_msg("%s: not JSON: %s", the_case.title, text);
	return node;
}

/* The engine works in `a`; one object with all that it answered is made in `reading`. */
static cJSON *run(struct sk_arena *a, struct sk_arena *reading, const struct golden *g, const cJSON *stored, int *rc)
{
	struct shadow_call c = { .arena = a, .limits = g->limits, .now_ms = NOW_MS, .name = g->name };
	struct shadow_result r = { 0 };
	const cJSON *request = NULL;
	cJSON *all;

	*rc = *g->payload || *g->verb == 'u' ? shadow_parse(&c, g->payload, strlen(g->payload), &request, &r) : SK_OK;
	if (!*rc || *g->verb == 'd')
		*rc = *g->verb == 'u' ? shadow_update(&c, stored, request, &r)
		      : *g->verb == 'g' ? shadow_get(&c, stored, request, &r)
		                        : shadow_delete(&c, stored, request, &r);
	sk_arena_fail_after(0);
	c.arena = reading;
	all = sk_json_object(reading);
	sk_json_add(reading, all, "next", shadow_share(reading, r.next));
	sk_json_add(reading, all, "accepted", shadow_share(reading, r.accepted));
	sk_json_add(reading, all, "delta", shadow_share(reading, r.delta));
	sk_json_add(reading, all, "documents", shadow_share(reading, r.documents));
	if (*rc)
		sk_json_add(reading, all, "rejected", shadow_rejected(&c, *rc, &r));
	return all;
}

static const cJSON *at_path(const cJSON *all, const char *path)
{
	char step[32];

	for (int n; sscanf(path, "%31[^.]%n", step, &n) == 1; path += n + (path[n] == '.')) {
		all = sk_json_get(all, step);
		if (!path[n])
			break;
	}
	return all;
}

static bool holds(struct sk_arena *a, const struct golden *g, const cJSON *all)
{
	bool ok = true;

	for (size_t i = 0; i < g->want_count; i++) {
		const struct want *w = &g->wants[i];
		const char *got = sk_json_print(a, at_path(all, w->path), NULL);
		const char *expected = sk_json_print(a, strcmp(w->text, "none") ? parse(a, w->text) : NULL, NULL);
		if (strcmp(got ? got : "none", expected ? expected : "none") == 0)
			continue;
		ok = false;
		print_error("%s\n  %s\n    got      %s\n    expected %s\n", g->title, w->path, got, expected);
	}
	return ok;
}

static bool expects(const struct golden *g, const char *path)
{
	for (size_t i = 0; i < g->want_count; i++)
		if (strncmp(g->wants[i].path, path, strlen(path)) == 0)
			return true;
	return false;
}

/* A delta, a document to store or a rejection that a case does not speak of must not be there. */
static void complete(struct golden *g)
{
	if (expects(g, "accepted") == expects(g, "rejected"))
		fail_msg("%s: expects neither or both of accepted and rejected", g->title);
	if (!expects(g, "delta"))
		g->wants[g->want_count++] = (struct want){ "delta", "none" };
	if (expects(g, "rejected"))
		g->wants[g->want_count++] = (struct want){ "next", "none" };
	else
		g->wants[g->want_count++] = (struct want){ "rejected", "none" };
}

/* About `room` bytes are left in the only chunk there may be; without a room, chunk number `chunk` cannot be had. */
static bool survives(const struct golden *g, const cJSON *stored, long room, long chunk)
{
	struct sk_arena a = { 0 }, reading = { 0 };
	bool done, ok;
	int rc;

	if (room) {
		sk_alloc_text(&a, 1);
		a.limit = a.total;
		sk_alloc_text(&a, a.total - (size_t)room);
	}
	sk_arena_fail_after(chunk);
	cJSON *all = run(&a, &reading, g, stored, &rc);
	done = !a.failed;
	ok = done ? holds(&reading, g, all) : rc != SK_OK;
	if (!ok) {
		print_error("%s\n  short of memory, %ld bytes left or chunk %ld\n", g->title, room, chunk);
		failures++;
	}
	sk_arena_free(&a);
	sk_arena_free(&reading);
	return done;
}

static void run_case(struct golden *g)
{
	struct sk_arena a = { 0 };
	size_t before = failures;
	int rc;

	complete(g);
	cJSON *stored = parse(&a, g->stored);
	if (!holds(&a, g, run(&a, &a, g, stored, &rc)))
		failures++;
	for (long room = LEAST_ROOM; room <= MOST_ROOM && !survives(g, stored, room, 0);)
		room += 16;
	for (long chunk = 1; !survives(g, stored, 0, chunk);)
		chunk++;
	sk_arena_free(&a);
	cases++;
	broken += failures != before;
}

/* Words whose text is kept; every other word but `limits` is an expectation. */
static const struct {
	const char *word;
	size_t text, also; /* offsets of what the text and the word itself go to */
} words[] = {
	{ "=", offsetof(struct golden, title), 0 },
	{ "stored", offsetof(struct golden, stored), 0 },
	{ "name", offsetof(struct golden, name), 0 },
	{ "update", offsetof(struct golden, payload), offsetof(struct golden, verb) },
	{ "get", offsetof(struct golden, payload), offsetof(struct golden, verb) },
	{ "delete", offsetof(struct golden, payload), offsetof(struct golden, verb) },
};

static bool keep(struct golden *g, const char *word, const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		*(const char **)((char *)g + words[i].text) = text;
		if (words[i].also)
			*(const char **)((char *)g + words[i].also) = word;
		return true;
	}
	return false;
}

static void take_line(struct golden *g, char *line)
{
	size_t n = strcspn(line, " ");
	char *rest = line + n + (line[n] == ' ');

	line[n] = 0;
	if (strcmp(line, "limits") == 0)
		assert_int_equal(sscanf(rest, "%zu %d", &g->limits.size, &g->limits.depth), 2);
	else if (keep(g, line, rest))
		return;
	else if (g->want_count < MAX_WANTS - 2)
		g->wants[g->want_count++] = (struct want){ line, rest };
	else
		fail_msg("%s: too many lines", g->title);
}

static void run_file(const char *path)
{
	char *text = NULL, *end = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	fclose(f);
	for (char *line = strtok_r(text, "\n", &end); line || the_case.verb; line = strtok_r(NULL, "\n", &end)) {
		if (the_case.verb && (!line || *line == '=')) {
			run_case(&the_case);
			the_case = (struct golden){ 0 };
		}
		if (!line)
			break;
		if (*line == '=')
			the_case = (struct golden){ .name = "lamp", .limits = shadow_limits_default };
		if (*line != '#')
			take_line(&the_case, line);
	}
	free(text);
}

static void every_golden_case_holds(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/data/shadow/*.t", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		run_file(files.gl_pathv[i]);
	globfree(&files);
	print_message("golden cases: %zu passed, %zu failed\n", cases - broken, broken);
	assert_true(cases >= LEAST_CASES);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_golden_case_holds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
