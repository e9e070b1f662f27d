/* rules_lanes.c -- `skeeter rules lanes` and `skeeter rules dead-letters`: where actions go, and what has failed for good. */
#include <stdio.h>
#include <string.h>

#include "cli/flags.h"
#include "cli/rules.h"
#include "cli/when.h"

enum { CHUNK = 100, PAGE = 250 }; /* letters of one call */

/* -- lanes -- */

static const char *size_text(struct sk_arena *a, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
	double n = (double)bytes;
	size_t i = 0;
	for (; n >= 1024 && i < 3; i++)
		n /= 1024;
	return sk_printf(a, i ? "%.1f %s" : "%.0f %s", n, units[i]);
}

static void print_lane(struct sk_arena *a, const cJSON *l)
{
	const char *error = sk_json_text(l, "lastError");
	int64_t oldest = sk_json_int_of(l, "oldest", -1);
	const cJSON *rate = sk_json_get(l, "perSecond");
	printf("%-16s %-5s %9lld %10s %8s %10lld %9.1f %8lld %8lld  %s\n", sk_json_text(l, "kind"), sk_json_text(l, "state"),
	       (long long)sk_json_int_of(l, "backlogItems", 0), size_text(a, sk_json_int_of(l, "backlogBytes", 0)),
	       oldest < 0 ? "-" : when_long(a, oldest * 1000), (long long)sk_json_int_of(l, "delivered", 0), rate ? rate->valuedouble : 0.0,
	       (long long)sk_json_int_of(l, "retried", 0), (long long)sk_json_int_of(l, "failed", 0), sk_json_text(l, "lane"));
	if (error)
		printf("  %s: %s\n", when_ago(a, cli_time_of(l, "lastErrorAt"), cli_wall_ms()), error);
}

int rule_lanes(struct cli *cli, int argc, char **argv)
{
	const cJSON *data = NULL;
	int rc = cli_call(cli, "ListRuleLanes", NULL, &data);
	(void)argc, (void)argv;
	if (rc != CLI_OK)
		return rc;
	printf("%-16s %-5s %9s %10s %8s %10s %9s %8s %8s  %s\n", "kind", "state", "waiting", "bytes", "oldest", "delivered", "a second", "retried", "failed", "to");
	SK_JSON_EACH(l, sk_json_get(data, "lanes"))
		print_lane(&cli->arena, l);
	return CLI_OK;
}

/* -- dead letters -- */

struct letters {
	struct cli *cli;
	const char *rule;
	char **id;   /* those that were named; none: all */
	int ids;
};

static bool is_named(const struct letters *l, const char *id)
{
	for (int i = 0; i < l->ids; i++)
		if (strcmp(l->id[i], id) == 0)
			return true;
	return !l->ids;
}

/* fn for each letter that is meant, the oldest first. */
static int each_letter(const struct letters *l, void (*fn)(void *ctx, const cJSON *letter), void *ctx)
{
	struct sk_arena *a = &l->cli->arena;
	const char *next = NULL;
	int rc = CLI_OK;
	do {
		const cJSON *data = NULL;
		cJSON *in = sk_json_object(a);
		sk_json_set_string(a, in, "ruleName", l->rule);
		sk_json_set_int(a, in, "maxResults", PAGE);
		sk_json_set_string(a, in, "nextToken", next);
		rc = cli_call(l->cli, "ListDeadLetters", in, &data);
		SK_JSON_EACH(letter, sk_json_get(data, "deadLetters"))
			if (is_named(l, sk_json_text(letter, "id")))
				fn(ctx, letter);
		next = sk_json_text(data, "nextToken");
	} while (rc == CLI_OK && next);
	return rc;
}

static void print_letter(void *ctx, const cJSON *letter)
{
	struct cli *cli = ctx;
	const char *client = sk_json_text(letter, "clientId");
	printf("%s  %s  %-16s %5lld  %s%s%s\n  %s\n", sk_json_text(letter, "id"), when_printed(&cli->arena, cli_time_of(letter, "time")), sk_json_text(letter, "action"),
	       (long long)sk_json_int_of(letter, "attempts", 0), sk_json_text(letter, "topic"), client ? " from " : "", client ? client : "", sk_json_text(letter, "why"));
}

struct noted {
	struct sk_arena *arena;
	cJSON *ids;
};

static void note_id(void *ctx, const cJSON *letter)
{
	struct noted *n = ctx;
	sk_json_append(n->ids, sk_json_string(n->arena, sk_json_text(letter, "id")));
}

static int list(const struct letters *l)
{
	printf("%-32s  %-23s  %-16s %5s  %s\n", "id", "time", "action", "tries", "topic");
	return each_letter(l, print_letter, l->cli);
}

/* Of a list, some from `from` on. */
static cJSON *some_of(struct sk_arena *a, const cJSON *from)
{
	cJSON *list = sk_json_array(a);
	for (int n = 0; from && n < CHUNK; from = from->next, n++)
		sk_json_append(list, sk_json_copy(a, from));
	return list;
}

/* Behind the last one that was done; behind all that were asked for when there was none of them. */
static const cJSON *rest_of(const cJSON *from, const cJSON *done)
{
	const char *last = done && done->child ? done->child->prev->valuestring : NULL;
	for (int n = 0; from && n < CHUNK; n++) {
		bool is_last = last && strcmp(from->valuestring, last) == 0;
		from = from->next;
		if (is_last)
			break;
	}
	return from;
}

/* Those that there are now, once each: what fails again comes back under its id. */
static int change(const struct letters *l, const char *operation, const char *what)
{
	struct sk_arena *a = &l->cli->arena;
	struct noted n = { a, sk_json_array(a) };
	int rc = each_letter(l, note_id, &n), done = 0;
	const cJSON *at = n.ids ? n.ids->child : NULL;
	while (rc == CLI_OK && at) {
		const cJSON *data = NULL;
		cJSON *in = sk_json_object(a);
		sk_json_set_string(a, in, "ruleName", l->rule);
		sk_json_set(a, in, "ids", some_of(a, at));
		rc = cli_call(l->cli, operation, in, &data);
		done += sk_json_count(sk_json_get(data, "ids"));
		if (rc == CLI_OK)
			at = rest_of(at, sk_json_get(data, "ids"));
	}
	if (rc == CLI_OK || done)
		printf("%d %s\n", done, what);
	return rc;
}

int rule_dead_letters(struct cli *cli, int argc, char **argv)
{
	bool redeliver = false, delete = false;
	const struct flag flags[] = { { "redeliver", NULL, &redeliver, false }, { "delete", NULL, &delete, false }, { 0 } };
	struct letters l = { .cli = cli };
	char why[256];
	int left = 0;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left < 1 || (redeliver && delete))
		return cli_fail(CLI_USAGE, "usage: %s rules dead-letters RULE [--redeliver | --delete] [ID...]", cli->program);
	l.rule = argv[0];
	l.id = argv + 1;
	l.ids = left - 1;
	if (redeliver)
		return change(&l, "RedeliverDeadLetters", "redelivered");
	return delete ? change(&l, "DeleteDeadLetters", "deleted") : list(&l);
}
