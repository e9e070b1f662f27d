/* rules_dry_run.c -- `skeeter rules dry-run`: one message, or those that come, through a rule of the broker or of a file, and nothing is done.
 *
 * The broker does it (DryRunTopicRule), with its own shadows and registry. Messages that come while it answers wait in a queue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flags.h"
#include "cli/rules.h"
#include "cli/value.h"
#include "core/base64.h"

enum { NOT_WELL = 1, MOST_WAITING = 1000, MOST_SECONDS = 86400 };

struct message {
	struct message *next;
	int64_t at_ms;
	size_t size;
	const char *payload;
	char topic[]; /* and the payload behind it */
};

struct dry_run {
	struct cli *cli;
	struct rule_target target;
	const char *topic, *payload, *client_id, *live;
	struct message *first, **last;
	int waiting, left_out, matched, failed, messages;
	struct sk_arena arena; /* of one message */
};

/* -- one message -- */

/* Text as it is, other bytes as base64. */
static void put_payload(struct sk_arena *a, cJSON *in, const void *bytes, size_t n)
{
	char *base64;
	if (sk_utf8_valid(bytes, n) && !memchr(bytes, 0, n)) {
		sk_json_set(a, in, "payload", sk_json_stringn(a, bytes, n));
		return;
	}
	base64 = sk_alloc_text(a, sk_base64_size(n));
	if (base64)
		sk_base64_encode(bytes, n, base64);
	sk_json_set(a, in, "payloadBase64", sk_json_stringn(a, base64, sk_base64_size(n)));
}

static cJSON *input(const struct dry_run *d, struct sk_arena *a, const char *topic, const void *bytes, size_t n)
{
	cJSON *in = sk_json_object(a);
	sk_json_set_string(a, in, "ruleName", d->target.name);
	sk_json_set_string(a, in, "topic", topic);
	sk_json_set_string(a, in, "clientId", d->client_id);
	put_payload(a, in, bytes, n);
	if (!d->target.stored)
		sk_json_set(a, in, "topicRulePayload", sk_json_copy(a, d->target.payload));
	return in;
}

static int run_one(struct dry_run *d)
{
	const cJSON *data = NULL;
	struct value_error e;
	const char *bytes = d->payload ? d->payload : "";
	size_t n = strlen(bytes);
	if (*bytes == '@' && !(bytes = value_file(&d->cli->arena, bytes + 1, &n, &e)))
		return cli_fail(CLI_USAGE, "%s", e.text);
	int rc = cli_call(d->cli, "DryRunTopicRule", input(d, &d->cli->arena, d->topic, bytes, n), &data);
	if (rc != CLI_OK)
		return rc;
	return rule_print_trace(&d->cli->arena, data, "") ? CLI_OK : NOT_WELL;
}

/* -- live -- */

/* Called within control_wait(), also while an answer is waited for. */
static void on_message(void *ctx, const char *topic, const char *payload, size_t size)
{
	struct dry_run *d = ctx;
	size_t n = strlen(topic) + 1;
	struct message *m = control_retained(d->cli->control) || d->waiting == MOST_WAITING ? NULL : malloc(sizeof(*m) + n + size);
	if (!m) {
		d->left_out += !control_retained(d->cli->control);
		return;
	}
	*m = (struct message){ .at_ms = cli_wall_ms(), .size = size, .payload = m->topic + n };
	memcpy(m->topic, topic, n);
	if (size)
		memcpy(m->topic + n, payload, size);
	*d->last = m;
	d->last = &m->next;
	d->waiting++;
}

static struct message *take(struct dry_run *d)
{
	struct message *m = d->first;
	if (!m)
		return NULL;
	d->first = m->next;
	if (!d->first)
		d->last = &d->first;
	d->waiting--;
	return m;
}

static int try_message(struct dry_run *d, const struct message *m)
{
	const cJSON *response = control_call(d->cli->control, &d->arena, "DryRunTopicRule", input(d, &d->arena, m->topic, m->payload, m->size));
	const cJSON *trace = sk_json_get(response, "data");
	int rc = cli_report(d->cli, "DryRunTopicRule", response);
	if (rc != CLI_OK)
		return rc;
	bool matched = sk_json_true(trace, "matched"), well = rule_is_well(trace);
	printf("%s %s: %s\n", rule_clock(&d->arena, m->at_ms), m->topic, !matched ? sk_json_text(trace, "error") ? "fails" : "does not match" : well ? "matches" : "matches, and fails");
	if (matched || sk_json_text(trace, "error"))
		rule_print_trace(&d->arena, trace, "  ");
	fflush(stdout);
	d->messages++;
	d->matched += matched;
	d->failed += !well && (matched || sk_json_text(trace, "error"));
	return CLI_OK;
}

static int try_all(struct dry_run *d)
{
	int rc = CLI_OK;
	for (struct message *m; rc == CLI_OK && (m = take(d));) {
		rc = try_message(d, m);
		free(m);
		sk_arena_reset(&d->arena, 65536);
	}
	return rc;
}

static int subscribe(struct dry_run *d)
{
	const char *filter = NULL;
	int rc = rule_filter(d->cli, &d->target, &filter);
	if (rc == CLI_OK && !filter)
		return cli_fail(CLI_USAGE, "%s has no FROM: there is nothing to subscribe to", d->target.name);
	if (rc == CLI_OK)
		rc = cli_connect(d->cli);
	if (rc == CLI_OK && control_subscribe(d->cli->control, filter, on_message, d) != 0)
		return cli_fail(CLI_FAILED, "%s", control_why(d->cli->control));
	if (rc == CLI_OK)
		fprintf(stderr, "messages under %s go through %s; nothing is done\n", filter, d->target.name);
	return rc;
}

static int run_live(struct dry_run *d, int64_t seconds)
{
	int64_t end = control_clock_ms() + seconds * 1000;
	int rc = subscribe(d);
	rule_until_stopped();
	while (rc == CLI_OK && !rule_stopped() && control_clock_ms() < end) {
		if (control_wait(d->cli->control, 100) != 0)
			rc = cli_fail(CLI_FAILED, "%s", control_why(d->cli->control));
		else
			rc = try_all(d);
	}
	for (struct message *m; (m = take(d)); free(m))
		d->left_out++;
	sk_arena_free(&d->arena);
	if (rc != CLI_OK)
		return rc;
	printf("%d messages, %d matched, %d failed\n", d->messages, d->matched, d->failed);
	if (d->left_out)
		printf("%d messages came too fast and were left out\n", d->left_out);
	return d->failed || !d->matched ? NOT_WELL : CLI_OK;
}

/* -- the command line -- */

static int usage(const struct cli *cli)
{
	return cli_fail(CLI_USAGE, "usage: %s rules dry-run RULE | FILE --payload JSON|@FILE [--topic TOPIC] [--client-id ID], or --live SECONDS", cli->program);
}

static int read_live(const struct dry_run *d, int64_t *seconds)
{
	char *end;
	*seconds = strtoll(d->live, &end, 10);
	if (end == d->live || *end || *seconds < 1 || *seconds > MOST_SECONDS)
		return cli_fail(CLI_USAGE, "--live: expected 1 to %d seconds, got '%s'", MOST_SECONDS, d->live);
	return CLI_OK;
}

int rule_dry_run(struct cli *cli, int argc, char **argv)
{
	struct dry_run d = { .cli = cli };
	const struct flag flags[] = {
		{ "topic", &d.topic, NULL, false }, { "payload", &d.payload, NULL, false }, { "client-id", &d.client_id, NULL, false },
		{ "live", &d.live, NULL, false }, { 0 }
	};
	char why[256];
	int64_t seconds = 0;
	int left = 0;
	d.last = &d.first;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left != 1 || !d.payload == !d.live || (d.live && d.topic))
		return usage(cli);
	int rc = d.live ? read_live(&d, &seconds) : CLI_OK;
	if (rc == CLI_OK)
		rc = rule_find(cli, argv[0], d.live != NULL, &d.target);
	if (rc != CLI_OK)
		return rc;
	return d.live ? run_live(&d, seconds) : run_one(&d);
}
