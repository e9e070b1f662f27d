/* api.c -- what can be called here: operations, and docs/API.md, both printed from the broker's tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"

static const char *text(const cJSON *row, const char *key)
{
	const char *value = sk_json_text(row, key);
	return value ? value : "";
}

int cli_operations(struct cli *cli, int argc, char **argv)
{
	const cJSON *operations = NULL;
	int rc = cli_table(cli, &operations);
	(void)argc, (void)argv;
	SK_JSON_EACH(operation, operations)
		printf("%-40s %-10s %-12s %s\n", words_kebab(&cli->arena, text(operation, "name")), text(operation, "service"),
		       text(operation, "plugin"), text(operation, "prose"));
	return rc;
}

static void print_input(struct cli *cli, const cJSON *input)
{
	const char *wire = text(input, "wire");
	printf("| `%s` | `--%s` | %s%s%s%s | %s %s%s | %s |\n", text(input, "name"), words_kebab(&cli->arena, text(input, "name")), text(input, "in"),
	       *wire ? " `" : "", wire, *wire ? "`" : "", text(input, "kind"), text(input, "type"), cli_choices(cli, input),
	       sk_json_true(input, "required") ? "yes" : "");
}

static const char *tier_words(struct cli *cli, const char *tier)
{
	return strcmp(tier, "own") == 0 ? "Our own" : sk_printf(&cli->arena, "Tier %s", tier);
}

static void print_operation(struct cli *cli, const cJSON *operation)
{
	const cJSON *inputs = sk_json_get(operation, "inputs");
	printf("\n### %s\n\n", text(operation, "name"));
	if (*text(operation, "prose"))
		printf("%s\n\n", text(operation, "prose"));
	printf("%s; `%s %s` of `%s`; `skeeter %s`\n", tier_words(cli, text(operation, "tier")), text(operation, "method"), text(operation, "route"), text(operation, "service"),
	       words_kebab(&cli->arena, text(operation, "name")));
	if (sk_json_true(operation, "newer"))
		printf("\nNewer than Debian 12's `aws` and boto3.\n");
	if (sk_json_count(inputs) == 0)
		return;
	printf("\n| input | flag | over HTTP in | type | required |\n|---|---|---|---|---|\n");
	SK_JSON_EACH(input, inputs)
		print_input(cli, input);
}

int cli_api(struct cli *cli, int argc, char **argv)
{
	const cJSON *operations = NULL;
	const char *plugin = "";
	(void)argc;
	if (strcmp(argv[0], "--markdown") != 0)
		return cli_fail(CLI_USAGE, "usage: %s api --markdown", cli->program);
	int rc = cli_table(cli, &operations);
	if (rc != CLI_OK)
		return rc;
	printf("# Operations\n\nPrinted by `skeeter api --markdown` from the tables of a running broker; do not edit.\n"
	       "Every operation answers over HTTP at its verb and path, on `$CONTROL/skeeter/v1` and as a verb of the `skeeter` command.\n"
	       "Tier 1 is what nearly everybody needs of AWS's operations, tier 2 who runs a fleet, tier 3 few.\n");
	SK_JSON_EACH(operation, operations) {
		if (strcmp(plugin, text(operation, "plugin")) != 0)
			printf("\n## skeeter_%s\n", plugin = text(operation, "plugin"));
		print_operation(cli, operation);
	}
	return CLI_OK;
}

int cli_stats(struct cli *cli, int argc, char **argv)
{
	const cJSON *data = NULL;
	int rc = cli_call(cli, "DescribeCounters", NULL, &data);
	(void)argc, (void)argv;
	return rc == CLI_OK ? cli_print(cli, data) : rc;
}
