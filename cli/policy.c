/* policy.c -- `skeeter policy suggest` and `skeeter explain`: what a thing needs, and why it may or may not. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/suggest.h"
#include "cli/when.h"

enum { POLICY_MOST = 2048 }; /* AWS's limit, white space apart */

static cJSON *input(struct cli *cli, const char *key, const char *value)
{
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, key, value);
	return in;
}

/* -- policy suggest -- */

struct request {
	const char *thing, *since;
	int64_t since_ms;          /* wall clock; 0: all */
	const cJSON *principals;   /* of the thing, ARNs */
	struct suggest suggest;
};

static bool is_principal(const struct request *r, const char *name)
{
	SK_JSON_EACH(arn, r->principals) {
		const char *slash = strrchr(arn->valuestring, '/');
		if (name && slash && strcmp(slash + 1, name) == 0)
			return true;
	}
	return false;
}

static int add_client(struct cli *cli, struct request *r, const char *id, bool attached)
{
	const cJSON *data = NULL;
	cJSON *in = input(cli, "clientId", id);
	if (r->since_ms)
		sk_json_set_number(&cli->arena, in, "since", (double)r->since_ms / 1000);
	int rc = cli_call(cli, "ListActivity", in, &data);
	bool is_thing = attached && strcmp(id, r->thing) == 0;
	if (rc == CLI_OK)
		suggest_add(&r->suggest, sk_json_get(data, "activity"), id, is_thing ? "${iot:Connection.Thing.ThingName}" : "${iot:ClientId}");
	return rc;
}

/* The thing's clients: those with one of its certificates, and the one that is called like it. */
static int add_clients(struct cli *cli, struct request *r)
{
	const cJSON *data = NULL;
	int rc = cli_call(cli, "ListClients", NULL, &data);
	SK_JSON_EACH(client, sk_json_get(data, "clients")) {
		const char *id = sk_json_text(client, "clientId");
		bool attached = is_principal(r, sk_json_text(client, "username"));
		if (rc == CLI_OK && id && !sk_json_true(client, "operator") && (attached || strcmp(id, r->thing) == 0))
			rc = add_client(cli, r, id, attached);
	}
	return rc;
}

static int find_thing(struct cli *cli, struct request *r)
{
	const cJSON *thing = NULL, *data = NULL;
	int rc = cli_call(cli, "DescribeThing", input(cli, "thingName", r->thing), &thing);
	if (rc == CLI_OK)
		rc = cli_call(cli, "ListThingPrincipals", input(cli, "thingName", r->thing), &data);
	r->principals = sk_json_get(data, "principals");
	const char *arn = sk_json_text(thing, "thingArn"), *end = arn ? strstr(arn, ":thing/") : NULL;
	r->suggest.arn = end ? sk_strndup(&cli->arena, arn, (size_t)(end - arn)) : "arn:aws:iot:*:*";
	return rc;
}

static int print_policy(struct cli *cli, struct request *r)
{
	cJSON *document = suggest_document(&r->suggest);
	size_t n = 0;
	SK_JSON_EACH(line, r->suggest.remarks)
		fprintf(stderr, "%s\n", line->valuestring);
	if (cli->arena.failed)
		return cli_fail(CLI_REFUSED, "out of memory");
	if (!document)
		return cli_fail(CLI_REFUSED, "nothing is remembered of what %s did%s%s", r->thing, r->since ? " in the last " : "", r->since ? r->since : "");
	sk_json_print(&cli->arena, document, &n);
	if (n > POLICY_MOST)
		fprintf(stderr, "the document has %zu characters, %d are allowed: shorten lists of topics with *\n", n, POLICY_MOST);
	return cli_print(cli, document);
}

static int suggest(struct cli *cli, int argc, char **argv)
{
	struct request r = { .suggest = { .arena = &cli->arena } };
	const struct flag flags[] = {
		{ "thing", &r.thing, NULL, true }, { "since", &r.since, NULL, false }, { "without-refused", NULL, &r.suggest.without_refused, false }, { 0 }
	};
	char why[256];
	int64_t ago;
	int left = 0;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left)
		return cli_fail(CLI_USAGE, "unknown argument %s", argv[0]);
	if (r.since && !when_read(r.since, &ago))
		return cli_fail(CLI_USAGE, "--since: expected a time like 90s, 15m, 1h or 7d, got '%s'", r.since);
	r.since_ms = r.since ? cli_wall_ms() - ago : 0;
	int rc = find_thing(cli, &r);
	if (rc == CLI_OK)
		rc = add_clients(cli, &r);
	return rc == CLI_OK ? print_policy(cli, &r) : rc;
}

int cli_policy(struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "suggest") != 0)
		return cli_fail(CLI_USAGE, "'policy %s' is no command: did you mean policy suggest?", argv[0]);
	return suggest(cli, argc - 1, argv + 1);
}
