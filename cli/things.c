/* things.c -- the verbs that look at things and wish: things, get, set. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/shadow.h"
#include "cli/when.h"

/* As AWS's fleet index has it: a thing is connected when a client whose id is the thing's name is. NULL: nothing is known of one. */
static const cJSON *client_of(const cJSON *clients, const char *thing)
{
	SK_JSON_EACH(client, clients) {
		const char *id = sk_json_text(client, "clientId");
		if (id && strcmp(id, thing) == 0)
			return client;
	}
	return NULL;
}

static int print_thing(struct cli *cli, const cJSON *clients, const char *thing)
{
	struct sk_arena *a = &cli->arena;
	const cJSON *document = NULL, *client = client_of(clients, thing), *denial = sk_json_get(client, "lastDenial");
	int rc = cli_shadow_get(cli, thing, NULL, &document);
	const cJSON *state = sk_json_get(document, "state");
	const char *line = cli_shadow_line(a, sk_json_get(state, "reported"), sk_json_get(state, "desired"));
	int64_t now = cli_wall_ms();
	if (rc != CLI_OK)
		return rc;
	printf("%-24s %-10s %-11s %s\n", thing, sk_json_true(client, "connected") ? "yes" : "no",
	       when_ago(a, cli_time_of(client, "lastSeen"), now), line && *line ? line : "-");
	if (denial)
		printf("  denied %s: %s\n", when_ago(a, cli_time_of(denial, "at"), now), sk_json_text(denial, "text"));
	return rc;
}

int cli_things(struct cli *cli, int argc, char **argv)
{
	struct sk_arena *a = &cli->arena;
	const cJSON *clients = NULL, *page = NULL;
	const char *next = NULL;
	int rc = cli_call(cli, "ListClients", NULL, &clients);
	(void)argc, (void)argv;
	if (rc == CLI_OK)
		printf("%-24s %-10s %-11s %s\n", "thing", "connected", "last seen", "shadow");
	do {
		cJSON *in = sk_json_object(a);
		sk_json_set_string(a, in, "nextToken", next);
		if (rc == CLI_OK)
			rc = cli_call(cli, "ListThings", in, &page);
		if (rc != CLI_OK)
			return rc;
		SK_JSON_EACH(thing, sk_json_get(page, "things"))
			if (rc == CLI_OK)
				rc = print_thing(cli, sk_json_get(clients, "clients"), sk_json_text(thing, "thingName"));
		next = sk_json_text(page, "nextToken");
	} while (rc == CLI_OK && next);
	return rc;
}

int cli_get(struct cli *cli, int argc, char **argv)
{
	const cJSON *document = NULL;
	int rc = cli_shadow_get(cli, argv[0], argc > 1 ? argv[1] : NULL, &document);
	if (rc != CLI_OK)
		return rc;
	if (!document)
		return cli_fail(CLI_REFUSED, "%s has no such shadow", argv[0]);
	return cli_print(cli, document);
}

/* key=value as a member of desired; a JSON word keeps its type. */
static int add_wish(struct cli *cli, cJSON *desired, const char *wish)
{
	const char *equals = strchr(wish, '=');
	if (!equals || equals == wish)
		return cli_fail(CLI_USAGE, "'%s': expected KEY=VALUE", wish);
	const char *key = sk_strndup(&cli->arena, wish, (size_t)(equals - wish)), *text = equals + 1;
	if (!sk_utf8_valid(wish, strlen(wish)))
		return cli_fail(CLI_USAGE, "the wish for '%s' is not UTF-8", key);
	cJSON *value = sk_json_parse(&cli->arena, text, strlen(text), NULL, NULL);
	sk_json_set(&cli->arena, desired, key, value ? value : sk_json_string(&cli->arena, text));
	return CLI_OK;
}

int cli_set(struct cli *cli, int argc, char **argv)
{
	struct sk_arena *a = &cli->arena;
	cJSON *state = sk_json_object(a), *desired = sk_json_set_object(a, state, "desired");
	const cJSON *accepted = NULL, *data = NULL;
	cJSON *in = sk_json_object(a);
	for (int i = 1; i < argc; i++) {
		int rc = add_wish(cli, desired, argv[i]);
		if (rc != CLI_OK)
			return rc;
	}
	sk_json_set_string(a, in, "thingName", argv[0]);
	int rc = cli_call(cli, "DescribeThing", in, &data);
	if (rc == CLI_OK)
		rc = cli_shadow_update(cli, argv[0], state, &accepted);
	if (rc != CLI_OK)
		return rc;
	const char *wishes = cli_shadow_line(a, sk_json_get(sk_json_get(accepted, "state"), "desired"), NULL);
	printf("%s: wished for %s, version %lld\n", argv[0], wishes, (long long)sk_json_int_of(accepted, "version", 0));
	return CLI_OK;
}
