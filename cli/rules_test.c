/* rules_test.c -- `skeeter rules test DIR|FILE...`: the tests that files of rules carry, run here and without a broker.
 *
 * Each test is a line; what failed says what was expected and what came. The last line counts them. Exit code 0: all passed, 1: something failed. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/rules.h"
#include "cli/value.h"
#include "lua-rules/host.h"

enum { FAILED = 1 };

struct counts {
	int passed, failed;
};

static int64_t clock_us(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The lines of a reason, below its test. */
static void print_reason(const char *why)
{
	for (const char *end; *why; why = *end ? end + 1 : end) {
		end = strchrnul(why, '\n');
		printf("          %.*s\n", (int)(end - why), why);
	}
}

static void tell(void *ctx, const char *test, const char *why)
{
	(void)ctx;
	printf("  %s  %s\n", why ? "FAILED" : "ok    ", test);
	if (why)
		print_reason(why);
}

static void test_text(const char *path, const char *text, size_t n, struct counts *all)
{
	const struct lua_limits limits = { .time_us = 10000000, .now_us = clock_us };
	const char *slash = strrchr(path, '/');
	struct lua_test_report report = { .tell = tell };
	struct sk_arena a = { 0 };
	char why[1024];
	struct lua_file *f = lua_file_load(slash ? slash + 1 : path, text, n, lua_shipped, &limits, why, sizeof(why));
	printf("%s\n", path);
	if (!f) {
		tell(NULL, "loads", why);
		report.failed++;
	} else {
		lua_file_test(f, &a, &report);
		if (report.passed + report.failed == 0)
			puts("  no tests");
	}
	all->passed += report.passed;
	all->failed += report.failed;
	lua_file_free(&f);
	sk_arena_free(&a);
}

static int test_file(struct cli *cli, const char *path, struct counts *all)
{
	struct value_error e;
	size_t n = 0;
	const char *text = value_file(&cli->arena, path, &n, &e);
	if (!text)
		return cli_fail(CLI_USAGE, "%s", e.text);
	test_text(path, text, n, all);
	return CLI_OK;
}

static int is_lua(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return d->d_name[0] != '.' && n > 4 && strcmp(d->d_name + n - 4, ".lua") == 0;
}

static int test_folder(struct cli *cli, const char *path, struct counts *all)
{
	struct dirent **list;
	int n = scandir(path, &list, is_lua, alphasort), rc = CLI_OK;
	if (n < 0)
		return cli_fail(CLI_USAGE, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *file = sk_printf(&cli->arena, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", list[i]->d_name);
		if (rc == CLI_OK)
			rc = file ? test_file(cli, file, all) : cli_fail(CLI_FAILED, "memory is out");
		free(list[i]);
	}
	free(list);
	return n ? rc : cli_fail(CLI_USAGE, "%s: no .lua file in this folder", path);
}

int rule_test(struct cli *cli, int argc, char **argv)
{
	struct counts all = { 0 };
	for (int i = 0; i < argc; i++) {
		struct stat st;
		int rc;
		if (stat(argv[i], &st) != 0)
			return cli_fail(CLI_USAGE, "%s: %s", argv[i], strerror(errno));
		rc = S_ISDIR(st.st_mode) ? test_folder(cli, argv[i], &all) : test_file(cli, argv[i], &all);
		if (rc != CLI_OK)
			return rc;
	}
	printf("rules: %d passed, %d failed\n", all.passed, all.failed);
	return all.failed ? FAILED : CLI_OK;
}
