/* rules.c -- `skeeter rules VERB`: which rule is meant, and what it is. */
#include "cli/rules.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/flags.h"
#include "cli/value.h"
#include "core/closest.h"
#include "rules/rule.h"

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

void rule_until_stopped(void)
{
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
}

bool rule_stopped(void)
{
	return stopping;
}

const char *rule_clock(struct sk_arena *a, int64_t ms)
{
	char text[16];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&t, &tm));
	return sk_strdup(a, text);
}

/* -- which rule -- */

/* A file that is called lamp.json holds the rule lamp, unless it says another name. */
static const char *name_of_file(struct sk_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = sk_strdup(a, slash ? slash + 1 : path);
	size_t n = name ? strcspn(name, ".") : 0;
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", name[i]))
			name[i] = '_';
	if (name)
		name[n] = 0;
	return n ? name : "rule";
}

static const char *where_and_why(struct cli *cli, const char *text, const struct sk_json_error *bad)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < bad->at && text[i]; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return sk_printf(&cli->arena, "line %zu, column %zu: %s", line, column, bad->why);
}

static int read_rule_file(struct cli *cli, const char *path, struct rule_target *t)
{
	struct value_error e;
	struct sk_json_error bad;
	const char *text = value_file(&cli->arena, path, NULL, &e);
	const cJSON *document = text ? sk_json_parse(&cli->arena, text, strlen(text), NULL, &bad) : NULL;
	const cJSON *inner = sk_json_get(document, "topicRulePayload");
	const char *name = sk_json_text(document, "ruleName");
	if (!text)
		return cli_fail(CLI_USAGE, "%s", e.text);
	if (!cJSON_IsObject(document))
		return cli_fail(CLI_USAGE, "%s: %s", path, document ? "not an object with sql and actions" : where_and_why(cli, text, &bad));
	*t = (struct rule_target){ .name = name ? name : name_of_file(&cli->arena, path), .payload = inner ? inner : document };
	return CLI_OK;
}

static int read_stored(struct cli *cli, struct rule_target *t)
{
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "ruleName", t->name);
	int rc = cli_call(cli, "GetTopicRule", in, &data);
	t->payload = sk_json_get(data, "rule");
	if (rc == CLI_OK && !sk_json_text(t->payload, "sql"))
		return cli_fail(CLI_REFUSED, "%s is no statement: %s is Lua", t->name, sk_json_text(t->payload, "file"));
	return rc;
}

int rule_find(struct cli *cli, const char *text, bool whole, struct rule_target *t)
{
	bool is_file = strpbrk(text, "./") || access(text, F_OK) == 0;
	*t = (struct rule_target){ .name = text, .stored = !is_file };
	if (is_file)
		return read_rule_file(cli, text, t);
	return whole ? read_stored(cli, t) : CLI_OK;
}

static const struct rules_rule *compile(const struct rule_target *t, struct sk_arena *kept)
{
	struct rules_error e;
	const struct rules_rule *r = rules_compile(kept, t->name, t->payload, NULL, &e);
	if (!r)
		cli_fail(CLI_USAGE, "%s: %s", t->name, e.message);
	return r;
}

int rule_filter(struct cli *cli, const struct rule_target *t, const char **filter)
{
	const struct rules_rule *r = compile(t, &cli->arena);
	*filter = r ? r->filter : NULL;
	return r ? CLI_OK : CLI_USAGE;
}

/* -- traces -- */

static const char *printed(struct sk_arena *a, const cJSON *node)
{
	const char *text = node ? sk_json_print(a, node, NULL) : "undefined";
	return text ? text : "";
}

static void print_clauses(struct sk_arena *a, const cJSON *clauses, const char *indent)
{
	SK_JSON_EACH(line, clauses)
		printf("%sclause     %s = %s\n", indent, sk_json_text(line, "clause"), sk_json_true(line, "cut") ? "..." : printed(a, sk_json_get(line, "value")));
}

bool rule_is_well(const cJSON *trace)
{
	bool well = sk_json_true(trace, "matched") && !sk_json_get(trace, "error");
	SK_JSON_EACH(action, sk_json_get(trace, "actions"))
		well = well && !sk_json_get(action, "error");
	return well;
}

bool rule_print_trace(struct sk_arena *a, const cJSON *trace, const char *indent)
{
	const cJSON *output = sk_json_get(trace, "output"), *bytes = sk_json_get(trace, "outputBase64");
	const char *error = sk_json_text(trace, "error");
	print_clauses(a, sk_json_get(trace, "clauses"), indent);
	printf("%smatched    %s\n", indent, sk_json_true(trace, "matched") ? "yes" : "no");
	if (output || bytes)
		printf("%soutput     %s%s\n", indent, printed(a, output ? output : bytes), bytes ? " (base64)" : "");
	SK_JSON_EACH(action, sk_json_get(trace, "actions")) {
		const char *failed = sk_json_text(action, "error");
		printf("%saction     %s %s\n", indent, sk_json_text(action, "action"), printed(a, sk_json_get(action, "fields")));
		if (failed)
			printf("%sfails      %s\n", indent, failed);
	}
	if (error)
		printf("%serror      %s\n", indent, error);
	return rule_is_well(trace);
}

/* -- explain -- */

static void target_of_sql(struct cli *cli, const char *sql, const char *version, struct rule_target *t)
{
	cJSON *payload = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, payload, "sql", sql);
	sk_json_set_string(&cli->arena, payload, "awsIotSqlVersion", version ? version : "2016-03-23");
	sk_json_set_array(&cli->arena, payload, "actions");
	*t = (struct rule_target){ .name = "sql", .payload = payload };
}

static int explain(struct cli *cli, int argc, char **argv)
{
	const char *sql = NULL, *version = NULL;
	const struct flag flags[] = { { "sql", &sql, NULL, false }, { "sql-version", &version, NULL, false }, { 0 } };
	struct rule_target t;
	struct sk_arena kept = { 0 };
	char why[256];
	int left = 0, rc = CLI_OK;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left + (sql != NULL) != 1 || (version && !sql))
		return cli_fail(CLI_USAGE, "usage: %s rules explain RULE | FILE | --sql 'SELECT ...' [--sql-version VERSION]", cli->program);
	if (sql)
		target_of_sql(cli, sql, version, &t);
	else
		rc = rule_find(cli, argv[0], true, &t);
	const struct rules_rule *r = rc == CLI_OK ? compile(&t, &kept) : NULL;
	const char *text = r ? rules_explain(&cli->arena, r) : NULL;
	if (text)
		printf("%s\nin memory: %zu bytes\n", text, kept.total);
	sk_arena_free(&kept);
	return rc != CLI_OK ? rc : r ? CLI_OK : CLI_USAGE;
}

/* -- verbs -- */

static const struct cli_verb verbs[] = {
	{ "explain", "RULE | FILE | --sql 'SELECT ...'", "its filter, its program, its actions", NULL, explain, 1, -1 },
	{ "dry-run", "RULE | FILE [--topic TOPIC] [--payload JSON|@FILE] [--live SECONDS]", "a message through it", NULL, rule_dry_run, 1, -1 },
	{ "top", "[--once]", "the rules that take the most time", NULL, rule_top, 0, 1 },
	{ "trace", "RULE [--for TIME]", "each message under it", NULL, rule_trace, 1, 3 },
	{ "lanes", "", "where actions go: what waits, what fails", NULL, rule_lanes, 0, 0 },
	{ "dead-letters", "RULE [--redeliver | --delete] [ID...]", "what has failed for good", NULL, rule_dead_letters, 1, -1 },
	{ "test", "DIR|FILE...", "the tests that files of rules carry", NULL, rule_test, 1, -1 },
	{ "replay", "--with DIR [--diff] [--from TIME] [--to TIME]", "what was recorded, through other rules", NULL, rule_replay, 1, -1 },
};

int cli_rules(struct cli *cli, int argc, char **argv)
{
	enum { VERBS = sizeof(verbs) / sizeof(*verbs) };
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if (argc - 1 < verbs[i].least || (verbs[i].most >= 0 && argc - 1 > verbs[i].most))
			return cli_fail(CLI_USAGE, "usage: %s rules %s %s", cli->program, verbs[i].name, verbs[i].arguments);
		return verbs[i].run(cli, argc - 1, argv + 1);
	}
	const char *near = sk_closest(argv[0], &verbs[0].name, VERBS, sizeof(*verbs));
	if (near)
		return cli_fail(CLI_USAGE, "'rules %s' is no command: did you mean rules %s?", argv[0], near);
	return cli_fail(CLI_USAGE, "'rules %s' is no command: %s rules --help lists all", argv[0], cli->program);
}
