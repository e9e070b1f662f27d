/* check_config.c -- `skeeter check-config FILE`: a line for each finding, and how bad it is in the exit code. */
#include <stdio.h>
#include <string.h>

#include "cli/check.h"
#include "cli/cli.h"

static void print_finding(const struct check *c, const char *path, const struct check_finding *f)
{
	static const char *const levels[] = { [CHECK_NOTE] = "note", [CHECK_WARNING] = "warning", [CHECK_ERROR] = "error" };
	const char *place = f->line ? sk_printf(c->arena, "%s:%d", f->line->file, f->line->number) : path;
	printf("%-8s%s: %s: %s; write: %s\n", levels[f->level], place, f->what, f->why, f->instead);
}

int cli_check_config(struct cli *cli, int argc, char **argv)
{
	struct config config = { .arena = &cli->arena };
	struct check c = { .arena = &cli->arena, .config = &config };
	char why[512];
	(void)argc;
	if (config_read(&config, argv[0], why, sizeof(why)) != 0)
		return cli_fail(CLI_FAILED, "%s", why);
	check_settings(&c);
	check_plugins(&c);
	check_listeners(&c);
	check_files(&c);
	for (int level = CHECK_LEVELS; level-- > 0;)
		for (const struct check_finding *f = c.first; f; f = f->next)
			if ((int)f->level == level)
				print_finding(&c, argv[0], f);
	printf("%s: %d errors, %d warnings, %d notes in %zu lines\n", argv[0], c.count[CHECK_ERROR], c.count[CHECK_WARNING], c.count[CHECK_NOTE], config.lines);
	return c.count[CHECK_ERROR] ? 2 : c.count[CHECK_WARNING] ? 1 : CLI_OK;
}
