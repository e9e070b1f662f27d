/* rules_watch.c -- `skeeter rules top` and `skeeter rules trace`: what rules are doing, asked of the broker again and again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/flags.h"
#include "cli/rules.h"
#include "cli/when.h"

enum { TOP_MS = 1000, TRACE_MS = 300, LEAST_WIDTH = 80 };

/* False: it is time to end. */
static bool pause_for(struct cli *cli, int64_t ms, int *rc)
{
	int64_t end = control_clock_ms() + ms;
	for (int64_t left = ms; left > 0 && !rule_stopped(); left = end - control_clock_ms())
		if (control_wait(cli->control, left > 100 ? 100 : (int)left) != 0) {
			*rc = cli_fail(CLI_FAILED, "%s", control_why(cli->control));
			return false;
		}
	return !rule_stopped();
}

/* control_call() into an arena of its own: this goes on for days. */
static int ask(struct cli *cli, struct sk_arena *a, const char *operation, const cJSON *in, const cJSON **data)
{
	int rc = cli_connect(cli);
	if (rc != CLI_OK)
		return rc;
	const cJSON *response = control_call(cli->control, a, operation, in);
	*data = sk_json_get(response, "data");
	return cli_report(cli, operation, response);
}

/* -- top -- */

static long long number(const cJSON *row, const char *name)
{
	return (long long)sk_json_int_of(row, name, 0);
}

/* The same rule a moment ago. */
static const cJSON *row_of(const cJSON *list, const char *name)
{
	SK_JSON_EACH(row, list)
		if (strcmp(sk_json_text(row, "ruleName"), name) == 0)
			return row;
	return NULL;
}

static void print_row(struct sk_arena *a, const cJSON *row, const cJSON *before, int64_t ms)
{
	long long matched = number(row, "matched"), us = number(row, "microseconds");
	const char *name = sk_json_text(row, "ruleName"), *error = sk_json_text(row, "lastError"), *file = sk_json_text(row, "file");
	double rate = before && ms > 0 ? (double)(matched - number(before, "matched")) * 1000.0 / (double)ms : 0;
	printf("%-24s %10lld %9.1f %10lld %8lld %8lld %8.1f  %s%s\n", name, matched, rate, number(row, "passed"), number(row, "failed"), number(row, "dropped"),
	       matched ? (double)us / (double)matched : 0.0, sk_json_true(row, "ruleDisabled") ? "disabled " : "", file ? file : "");
	if (error)
		printf("  %s: %s\n", when_ago(a, cli_time_of(row, "lastErrorAt"), cli_wall_ms()), error);
}

static void print_top(struct sk_arena *a, const cJSON *data, const cJSON *before, int64_t ms, bool clear)
{
	const cJSON *list = sk_json_get(data, "statistics");
	if (clear)
		fputs("\033[H\033[J", stdout);
	printf("%-24s %10s %9s %10s %8s %8s %8s\n", "rule", "messages", "a second", "passed", "failed", "dropped", "us each");
	SK_JSON_EACH(row, list)
		print_row(a, row, row_of(sk_json_get(before, "statistics"), sk_json_text(row, "ruleName")), ms);
	if (number(data, "rules") > sk_json_count(list))
		printf("and %lld more\n", number(data, "rules") - sk_json_count(list));
	fflush(stdout);
}

int rule_top(struct cli *cli, int argc, char **argv)
{
	struct sk_arena arenas[2] = { { 0 } };
	const cJSON *data = NULL, *before = NULL;
	int64_t at = 0, last = 0;
	bool once = argc == 1 && strcmp(argv[0], "--once") == 0;
	int rc = CLI_OK;
	if (argc == 1 && !once)
		return cli_fail(CLI_USAGE, "unknown argument %s", argv[0]);
	once = once || !isatty(STDOUT_FILENO);
	rule_until_stopped();
	for (int i = 0; rc == CLI_OK; i = !i, before = data, last = at) {
		sk_arena_reset(&arenas[i], 65536);
		rc = ask(cli, &arenas[i], "ListTopicRuleStatistics", NULL, &data);
		at = control_clock_ms();
		if (rc == CLI_OK)
			print_top(&arenas[i], data, before, at - last, !once);
		if (rc != CLI_OK || once || !pause_for(cli, TOP_MS, &rc))
			break;
	}
	sk_arena_free(&arenas[0]);
	sk_arena_free(&arenas[1]);
	return rc;
}

/* -- trace -- */

static void print_message(struct sk_arena *a, const cJSON *entry)
{
	const char *client = sk_json_text(entry, "clientId"), *topic = sk_json_text(entry, "topic");
	printf("%s %s%s%s\n", rule_clock(a, cli_time_of(entry, "time")), topic ? topic : "", client && *client ? " from " : "", client ? client : "");
	if (sk_json_true(entry, "tooLong"))
		puts("  its trace is too long to be kept: skeeter rules dry-run has it whole");
	else
		rule_print_trace(a, sk_json_get(entry, "trace"), "  ");
	fflush(stdout);
}

/* What is new since *after. */
static int poll_traces(struct cli *cli, struct sk_arena *a, const char *rule, int64_t *after)
{
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(a);
	sk_json_set_string(a, in, "ruleName", rule);
	sk_json_set_int(a, in, "after", *after);
	int rc = ask(cli, a, "TraceTopicRule", in, &data);
	SK_JSON_EACH(entry, sk_json_get(data, "traces")) {
		int64_t sequence = sk_json_int_of(entry, "sequence", 0);
		if (*after && sequence > *after + 1)
			printf("%lld messages in between came too fast\n", (long long)(sequence - *after - 1));
		*after = sequence;
		print_message(a, entry);
	}
	return rc;
}

int rule_trace(struct cli *cli, int argc, char **argv)
{
	const char *length = NULL;
	const struct flag flags[] = { { "for", &length, NULL, false }, { 0 } };
	struct sk_arena a = { 0 };
	char why[256];
	int64_t after = 0, ms = 0, begin = control_clock_ms();
	int left = 0, rc;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left != 1)
		return cli_fail(CLI_USAGE, "usage: %s rules trace RULE [--for TIME]", cli->program);
	if (length && !when_read(length, &ms))
		return cli_fail(CLI_USAGE, "--for: expected a time like 90s, 15m, 1h or 7d, got '%s'", length);
	rule_until_stopped();
	do {
		rc = poll_traces(cli, &a, argv[0], &after);
		sk_arena_reset(&a, 65536);
	} while (rc == CLI_OK && (!length || control_clock_ms() - begin < ms) && pause_for(cli, TRACE_MS, &rc));
	sk_arena_free(&a);
	return rc;
}
