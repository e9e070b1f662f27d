/* explain.c -- `skeeter explain`: may this client do this, by which statement of which policy, and what is missing.
 *
 * The answer is the broker's own (ExplainAuthorization), judged by what judges connections. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/flags.h"

enum { DENIED = 1 };

struct question {
	const char *client_id, *certificate, *action, *topic, *source_ip;
	bool retain;
};

/* Of a client that is here or was: its user name is its certificate's id. */
static int find_certificate(struct cli *cli, struct question *q)
{
	const cJSON *data = NULL;
	int rc = cli_call(cli, "ListClients", NULL, &data);
	SK_JSON_EACH(client, sk_json_get(data, "clients")) {
		const char *id = sk_json_text(client, "clientId"), *name = sk_json_text(client, "username");
		if (id && name && strcmp(id, q->client_id) == 0 && strlen(name) == 64)
			q->certificate = name;
	}
	if (rc == CLI_OK && !q->certificate)
		return cli_fail(CLI_USAGE, "no client %s with a certificate was here: name one with --certificate", q->client_id);
	return rc;
}

/* An id, an ARN, or a file. */
static int put_certificate(struct cli *cli, const struct question *q, cJSON *in)
{
	const char *text = q->certificate;
	if (strncmp(text, "arn:", 4) == 0) {
		sk_json_set_string(&cli->arena, in, "principal", text);
		return CLI_OK;
	}
	const char *id = access(text, F_OK) == 0 ? cli_certificate_id(cli, text) : text;
	if (!id)
		return cli_fail(CLI_USAGE, "%s is no certificate in PEM", text);
	sk_json_set_string(&cli->arena, in, "certificateId", id);
	return CLI_OK;
}

static int ask(struct cli *cli, struct question *q, const cJSON **answer)
{
	struct sk_arena *a = &cli->arena;
	cJSON *in = sk_json_object(a);
	int rc = q->certificate ? CLI_OK : find_certificate(cli, q);
	if (rc == CLI_OK)
		rc = put_certificate(cli, q, in);
	sk_json_set_string(a, in, "clientId", q->client_id);
	sk_json_set_string(a, in, "action", q->action);
	sk_json_set_string(a, in, "topic", q->topic);
	sk_json_set_string(a, in, "sourceIp", q->source_ip);
	if (q->retain)
		sk_json_set_bool(a, in, "retain", true);
	return rc == CLI_OK ? cli_call(cli, "ExplainAuthorization", in, answer) : rc;
}

static const char *text(const cJSON *node, const char *key)
{
	const char *value = sk_json_text(node, key);
	return value ? value : "";
}

/* "cert/3f2a..." of an ARN. */
static const char *short_of(const char *arn)
{
	const char *colon = strrchr(arn, ':');
	return colon ? colon + 1 : arn;
}

static void print_policies(const cJSON *answer)
{
	const cJSON *list = sk_json_get(answer, "policies");
	if (!sk_json_count(list))
		puts("policies   none: skeeter attach-policy --policy-name NAME --target CERTIFICATE-ARN");
	SK_JSON_EACH(policy, list)
		printf("policy     %s v%s, attached to %s\n", text(policy, "policyName"), text(policy, "policyVersionId"),
		       short_of(text(policy, "attachedTo")));
}

static void print_missing(struct cli *cli, const cJSON *answer)
{
	SK_JSON_EACH(name, sk_json_get(answer, "missing"))
		printf("missing    ${%s} has no value for this client%s\n", name->valuestring,
		       strncmp(name->valuestring, "iot:Connection.Thing.", 21) == 0 ? ": its id must be the name of a thing that its certificate is attached to" : "");
	if (strcmp(text(answer, "decision"), "IMPLICIT_DENY") != 0)
		return;
	cJSON *statement = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, statement, "Effect", "Allow");
	sk_json_set_string(&cli->arena, statement, "Action", text(answer, "action"));
	sk_json_set_string(&cli->arena, statement, "Resource", text(answer, "resource"));
	printf("to allow   %s\n", sk_json_print(&cli->arena, statement, NULL));
}

static int print_answer(struct cli *cli, const cJSON *answer)
{
	bool allowed = strcmp(text(answer, "decision"), "ALLOWED") == 0;
	const cJSON *statement = sk_json_get(sk_json_get(answer, "statement"), "document");
	printf("%-11s%s %s as %s%s%s\n", allowed ? "allowed" : "denied", text(answer, "action"), short_of(text(answer, "resource")), text(answer, "clientId"),
	       sk_json_text(answer, "thingName") ? ", the thing " : "", text(answer, "thingName"));
	printf("why        %s\n", text(answer, "why"));
	if (statement)
		printf("statement  %s\n", sk_json_print(&cli->arena, statement, NULL));
	print_policies(answer);
	if (!allowed)
		print_missing(cli, answer);
	return allowed ? CLI_OK : DENIED;
}

int cli_explain(struct cli *cli, int argc, char **argv)
{
	struct question q = { 0 };
	const struct flag flags[] = {
		{ "client-id", &q.client_id, NULL, true }, { "action", &q.action, NULL, true }, { "certificate", &q.certificate, NULL, false },
		{ "topic", &q.topic, NULL, false }, { "source-ip", &q.source_ip, NULL, false }, { "retain", NULL, &q.retain, false }, { 0 }
	};
	char why[256];
	const cJSON *answer = NULL;
	int left = 0;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left)
		return cli_fail(CLI_USAGE, "unknown argument %s", argv[0]);
	int rc = ask(cli, &q, &answer);
	return rc == CLI_OK ? print_answer(cli, answer) : rc;
}
