/* sql_golden_test.c -- runs every case of tests/data/sql/ through AWS IoT SQL, then again short of memory.
 *
 * The format is described in tests/data/sql/README.md. Each program is moved to another place before it runs. Short of
 * memory a case must either hold as well or answer an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql.h"
#include "tests/unit/sql_world.h"

enum { LEAST_CASES = 1500, LEAST_ROOM = 80, MOST_ROOM = 8000 };

struct golden {
	const char *title, *sql, *text, *want, *payload;
	bool raw, is_template, is_expression;
	struct sql_options options;
	const char *topic;
};

static size_t cases, failures;

static const struct expr_program *compile(struct sk_arena *a, const struct golden *g, struct expr_error *e)
{
	const char *text = g->is_expression ? sk_printf(a, "SELECT %s AS v FROM 'a/b'", g->sql) : g->sql;
	const struct expr_program *p;
	void *moved;

	if (!text)
		return NULL;
	p = g->is_template ? sql_compile_template(a, text, strlen(text), &g->options, e) : sql_compile(a, text, strlen(text), &g->options, e);
	moved = p ? sk_alloc(a, p->size) : NULL;
	return moved ? memcpy(moved, p, p->size) : NULL;
}

static const char *printed(struct sk_arena *a, const cJSON *node)
{
	const char *text = node ? sk_json_print(a, node, NULL) : "undefined";

	return text ? text : "no memory";
}

static const char *outcome(struct sk_arena *a, const struct golden *g, const struct sql_result *r)
{
	switch (r->outcome) {
	case SQL_NO_MATCH: return "none";
	case SQL_NOTHING: return "nothing";
	case SQL_RAW: return "raw";
	default: return printed(a, g->is_expression ? sk_json_get(r->document, "v") : r->document);
	}
}

/* What a case answers, in the words of the file. Chunk number `chunk` of the arena cannot be had, if that is not 0. */
static const char *run(struct sk_arena *a, struct sk_arena *reading, const struct golden *g, long chunk, bool *ok)
{
	struct sql_message m = world_message(g->payload, g->topic);
	struct expr_error e = { .message = "no error" };
	const struct expr_program *p;
	struct sql_result r = { 0 };
	int rc;

	m.document = g->raw || !g->payload ? NULL : sk_json_parse(reading, g->payload, m.size, NULL, NULL);
	sk_arena_fail_after(chunk);
	p = compile(a, g, &e);
	if (!p)
		sk_arena_fail_after(0);
	*ok = p != NULL;
	if (!p)
		return sk_printf(reading, "refused %s", e.message);
	rc = g->is_template ? sql_run_template(p, &m, a, NULL, &r) : sql_run(p, &m, a, NULL, &r);
	sk_arena_fail_after(0);
	*ok = rc >= 0 && !a->failed;
	if (rc == SQL_LATER)
		return "later";
	if (rc)
		return sk_printf(reading, "error %s", r.why);
	return g->is_template ? r.text : outcome(reading, g, &r);
}

static void check(const struct golden *g)
{
	struct sk_arena a = { 0 }, reading = { 0 };
	bool ok;
	const char *got = run(&a, &reading, g, 0, &ok);

	cases++;
	if (strcmp(got, g->want) != 0) {
		failures++;
		print_error("%s\n  %s\n    got      %s\n    expected %s\n", g->title, g->sql, got, g->want);
	}
	sk_arena_free(&a);
	sk_arena_free(&reading);
}

/* About `room` bytes are left in the only chunk there may be; without a room, chunk number `chunk` cannot be had. */
static bool survives(const struct golden *g, long room, long chunk)
{
	struct sk_arena a = { 0 }, reading = { 0 };
	const char *got;
	bool ok;

	if (room) {
		sk_alloc_text(&a, 1);
		a.limit = a.total;
		sk_alloc_text(&a, a.total - (size_t)room);
	}
	got = run(&a, &reading, g, chunk, &ok);
	if ((ok || !a.failed) && strcmp(got, g->want) != 0) {
		failures++;
		print_error("%s\n  %s\n  short of memory, %ld bytes left or chunk %ld: %s\n", g->title, g->sql, room, chunk, got);
	}
	ok = !a.failed;
	sk_arena_free(&a);
	sk_arena_free(&reading);
	return ok;
}

static void run_case(const struct golden *g)
{
	check(g);
	for (long room = LEAST_ROOM; room <= MOST_ROOM && !survives(g, room, 0);)
		room += room < 1000 ? 48 : 400;
	for (long chunk = 1; chunk < 50 && !survives(g, 0, chunk);)
		chunk++;
}

/* -- reading the files -- */

static bool is_word(const char **line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*line, word, n) != 0 || ((*line)[n] != ' ' && (*line)[n]))
		return false;
	*line += n + ((*line)[n] == ' ');
	return true;
}

/* "? EXPRESSION => RESULT"; the options stand behind the question mark: 15, s for strict. */
static bool short_case(const struct golden *about, char *line)
{
	struct golden g = *about;
	char *arrow = strstr(line, " => "), *expression = strchr(line, ' ');

	if (*line != '?' || !arrow || !expression)
		return false;
	*arrow = '\0';
	g.is_expression = true;
	g.sql = expression + 1;
	g.want = arrow + 4;
	if (memmem(line, (size_t)(expression - line), "15", 2))
		g.options.version = SQL_2015_10_08;
	g.options.strict_aws = memchr(line, 's', (size_t)(expression - line)) != NULL;
	run_case(&g);
	return true;
}

static void start_case(struct golden *g, const char *title)
{
	*g = (struct golden){ .title = title, .options.version = SQL_2016_03_23 };
}

static bool take_words(struct golden *g, const char *line)
{
	const char *version = NULL;

	if (is_word(&line, "="))
		start_case(g, line);
	else if (is_word(&line, "sql"))
		g->sql = line;
	else if (is_word(&line, "statement"))
		g->options.statement = line;
	else if (is_word(&line, "template"))
		g->sql = line, g->is_template = true;
	else if (is_word(&line, "payload"))
		g->payload = line, g->raw = false;
	else if (is_word(&line, "raw"))
		g->payload = line, g->raw = true;
	else if (is_word(&line, "topic"))
		g->topic = line;
	else if (is_word(&line, "version"))
		version = line;
	else if (is_word(&line, "alone"))
		g->options.alone = true;
	else if (is_word(&line, "strict"))
		g->options.strict_aws = true;
	else
		return false;
	return !version || sql_version_by_name(version, &g->options.version);
}

static void take_line(struct golden *g, char *line)
{
	const char *want = line;

	if (!*line || *line == '#' || short_case(g, line))
		return;
	if (is_word(&want, "out") && g->sql) {
		g->want = want;
		run_case(g);
		g->is_template = false;
		return;
	}
	if (!take_words(g, line))
		fail_msg("%s: what is this: %s", g->title, line);
}

static void run_file(const char *path)
{
	char *text = NULL, *end = NULL;
	size_t room = 0, before = cases, failed = failures;
	struct golden g;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	fclose(f);
	start_case(&g, path);
	for (char *line = strtok_r(text, "\n", &end); line; line = strtok_r(NULL, "\n", &end))
		take_line(&g, line);
	free(text);
	print_message("%s: %zu cases, %zu failures\n", path, cases - before, failures - failed);
}

static void every_golden_case_holds(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/data/sql/*.t", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		run_file(files.gl_pathv[i]);
	globfree(&files);
	assert_true(cases >= LEAST_CASES);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_golden_case_holds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
