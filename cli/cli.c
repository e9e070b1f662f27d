/* cli.c -- see cli.h: errors, the connection, one call. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int cli_fail(int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("skeeter: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return code;
}

int cli_connect(struct cli *cli)
{
	char why[512];
	if (!cli->control)
		cli->control = control_open(cli->socket, cli->timeout_ms, why, sizeof(why));
	if (cli->control)
		return CLI_OK;
	fprintf(stderr, "%s\n", why);
	return CLI_FAILED;
}

int cli_report(struct cli *cli, const char *operation, const cJSON *response)
{
	const char *code = sk_json_text(response, "code"), *error = sk_json_text(response, "error"), *colon = strchr(operation, ':');
	if (!response)
		return cli_fail(CLI_FAILED, "%s", control_why(cli->control));
	if (!error)
		return CLI_OK;
	fprintf(stderr, "An error occurred (%s) when calling the %s operation: %s\n", code ? code : "Unknown", colon ? colon + 1 : operation, error);
	return CLI_REFUSED;
}

int cli_call(struct cli *cli, const char *operation, const cJSON *in, const cJSON **data)
{
	int rc = cli_connect(cli);
	if (rc != CLI_OK)
		return rc;
	const cJSON *response = control_call(cli->control, &cli->arena, operation, in);
	*data = sk_json_get(response, "data");
	return cli_report(cli, operation, response);
}

int cli_table(struct cli *cli, const cJSON **operations)
{
	const cJSON *data = NULL;
	int rc = CLI_OK;
	if (!cli->operations) {
		rc = cli_call(cli, "ListOperations", NULL, &data);
		cli->operations = sk_json_get(data, "operations");
	}
	*operations = cli->operations;
	return rc;
}

const char *cli_choices(struct cli *cli, const cJSON *input)
{
	const char *values = sk_json_text(input, "values"), *text = values && *values ? sk_printf(&cli->arena, ": %s", values) : "";
	SK_JSON_EACH(member, sk_json_get(input, "members"))
		text = sk_printf(&cli->arena, "%s%s%s", text, *text ? ", " : ": ", sk_json_text(member, "name"));
	return text ? text : "";
}

int cli_print(struct cli *cli, const cJSON *node)
{
	char *text = sk_json_print_pretty(&cli->arena, node, NULL);
	if (!text)
		return cli_fail(CLI_FAILED, "out of memory");
	if (puts(text) < 0 || fflush(stdout) != 0)
		return cli_fail(CLI_FAILED, "cannot write the answer");
	return CLI_OK;
}

const char *cli_run_folder(struct cli *cli)
{
	const char *slash = strrchr(cli->socket, '/');
	if (!slash)
		return ".";
	return slash == cli->socket ? "/" : sk_strndup(&cli->arena, cli->socket, (size_t)(slash - cli->socket));
}

int64_t cli_wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t cli_time_of(const cJSON *node, const char *key)
{
	const cJSON *time = sk_json_get(node, key);
	return cJSON_IsNumber(time) ? (int64_t)(time->valuedouble * 1000 + 0.5) : 0;
}
