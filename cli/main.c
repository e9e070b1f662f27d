/* main.c -- the skeeter command: a table of verbs; what is not in it is an operation of the broker's table.
 *
 * The options below may stand anywhere before or after the verb and are taken out before it sees its arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/words.h"
#include "core/version.h"

#define SOCKET "run/operator.sock"
#define INSTALLED "/run/mosquitto/skeeter.sock"

static cli_run help, version;

static const char demo_details[] =
	"  demo unplug DEVICE   stops the simulated device; its shadow keeps what is wished meanwhile\n"
	"  demo plug DEVICE     starts it again and waits until it has obeyed\n"
	"  demo forbid DEVICE   denies it to publish and to connect, and prints why it was disconnected\n"
	"  demo allow DEVICE    undoes that\n"
	"  demo kill            kill -9 of the broker in a burst of updates, then compares all that was accepted\n"
	"  demo register        what make run does: things, certificates and policies of the three devices\n"
	"  demo await           waits until the three devices are online, prints how many are\n";

static const char policy_details[] =
	"  --thing THING        its clients: those with one of its certificates, and the one that has its name\n"
	"  --since TIME         90s, 15m, 1h, 7d; else all that the broker remembers (plugin_opt_activity)\n"
	"  --without-refused    leave out what was refused\n\n"
	"The document goes to standard output, remarks to standard error.\n";

static const char rules_details[] =
	"  rules explain RULE         its filter, its program, its actions; a RULE is a name or a file with a topicRulePayload,\n"
	"                             or --sql 'SELECT ...' [--sql-version 2016-03-23]\n"
	"  rules dry-run RULE         a message through it, and nothing is done: --topic TOPIC --payload JSON|@FILE\n"
	"                             [--client-id ID]; --live SECONDS takes the messages that come under its filter instead\n"
	"  rules top [--once]         each second, the rules that took the most time: messages, failures, the last error\n"
	"  rules trace RULE           each message under it, clause by clause, until Ctrl-C [--for TIME]\n"
	"  rules lanes                where actions go: what waits there, what is delivered a second, the last error\n"
	"  rules dead-letters RULE    its actions that have failed for good; --redeliver sends them again, --delete forgets them,\n"
	"                             all or those whose ids are named\n"
	"  rules test DIR|FILE...     the tests that files of rules carry, here and without a broker\n"
	"  rules replay --with DIR    what plugin_opt_recorder has kept through the rules of DIR (*.lua, *.json), and nothing is done;\n"
	"                             [--diff [--base DIR]] what differs from the broker's rules, or from those of another folder;\n"
	"                             [--from TIME] [--to TIME] 15m (ago) or 2026-11-23T16:05, [--topic FILTER], [--limit N] messages printed,\n"
	"                             [--recorder FOLDER], [--state FILE] to go on after Ctrl-C, [--strict-aws]\n\n"
	"Exit code of dry-run 1: it does not match, or something fails; of test 1: a test failed; of replay --diff 1: something differs.\n";

static const char new_device_details[] =
	"  --csr FILE           sign this request: the key stays with its owner\n"
	"  --out DIR            where NAME.crt, NAME.key and ca.crt go (the demo's devices, else here)\n"
	"  --policy NAME        attach this one (skeeter-device, made if it is not there)\n"
	"  --ca FILE            the CA of the broker's listener (ca.crt beside the socket)\n"
	"  --endpoint HOST, --port N   for what is printed\n\n"
	"skeeter_auth must have a CA to sign with: plugin_opt_ca_cert and plugin_opt_ca_key.\n";

static const char check_details[] =
	"Follows include_dir, and asks no broker. Each line: how bad, where, what, why, what to write. Exit code 2: errors, 1: warnings.\n";

static const char explain_details[] =
	"  --certificate WHICH  its id, its ARN or its file; else the one that the client last came with\n"
	"  --action ACTION      connect, publish, subscribe or receive\n"
	"  --topic TOPIC        a topic, or the filter of a subscription\n"
	"  --retain             a publish that is to be retained\n"
	"  --source-ip ADDRESS  for policies that ask where a client comes from\n\n"
	"Exit code 0: allowed, 1: denied.\n";

const struct cli_verb cli_verbs[] = {
	{ "status", "", "is all well: the broker, its store, who is there, what was refused", NULL, cli_status, 0, 0 },
	{ "things", "", "every thing: is it connected, when was it seen, what does its shadow say, what was it denied", NULL, cli_things, 0, 0 },
	{ "get", "THING [SHADOW]", "the shadow as JSON", NULL, cli_get, 1, 2 },
	{ "set", "THING KEY=VALUE...", "wish for it: writes the desired state of the shadow",
	  "A value is JSON (true, 21.5, null, [1,2]) or else text. null takes the wish back.\n", cli_set, 2, -1 },
	{ "watch", "THING", "its shadows' changes, its comings and goings, as they happen, until Ctrl-C", NULL, cli_watch, 1, 1 },
	{ "new-device", "NAME [--csr FILE] [--out DIR]", "a thing with certificate, key, policy and files, and how to use them", new_device_details, cli_new_device, 1, -1 },
	{ "check-config", "FILE", "what in a mosquitto.conf would hurt, and what to write instead", check_details, cli_check_config, 1, 1 },
	{ "explain", "--client-id ID --action ACTION [--topic TOPIC]", "may it, by which statement of which policy, and what is missing", explain_details, cli_explain, 0, -1 },
	{ "policy", "suggest --thing THING [--since 1h]", "a least-privilege policy from what the thing did and was refused", policy_details, cli_policy, 1, -1 },
	{ "rules", "VERB ...", "what rules do: explain, dry-run, top, trace, test, replay", rules_details, cli_rules, 1, -1 },
	{ "demo", "VERB [DEVICE]", "play with the three devices of make run", demo_details, cli_demo, 1, 2 },
	{ "operations", "", "every operation of every loaded plugin", NULL, cli_operations, 0, 0 },
	{ "api", "--markdown", "the same as a page: docs/API.md", NULL, cli_api, 1, 1 },
	{ "stats", "", "the broker's counters", NULL, cli_stats, 0, 0 },
	{ "version", "", "what this program is", NULL, version, 0, 0 },
	{ "help", "[VERB]", "this list, or help on a verb or an operation", NULL, help, 0, 1 },
	{ 0 }
};

static const char options_help[] =
	"Options, anywhere on the line:\n"
	"  --socket PATH             the operators' socket (else $SKEETER_SOCKET, else " SOCKET ",\n"
	"                            else " INSTALLED ")\n"
	"  --cli-read-timeout SECS   how long to wait for an answer (10)\n"
	"  --help                    help on the verb before it\n\n"
	"Exit codes: 0 done; 252 the command line is wrong, nothing was sent; 254 the service answered with an error;\n"
	"255 no connection, no answer, or anything else.\n";

static const struct cli_verb *find_verb(const char *name)
{
	for (const struct cli_verb *v = cli_verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static int version(struct cli *cli, int argc, char **argv)
{
	(void)cli, (void)argc, (void)argv;
	printf("skeeter %s\n", sk_version_text());
	return CLI_OK;
}

static int help_on(struct cli *cli, const char *name)
{
	const struct cli_verb *v = find_verb(name);
	if (!v)
		return cli_operation_help(cli, name);
	printf("usage: %s %s %s\n\n%s\n", cli->program, v->name, v->arguments, v->prose);
	if (v->details)
		printf("\n%s", v->details);
	printf("\n%s", options_help);
	return CLI_OK;
}

static void list_operations(struct cli *cli)
{
	char why[512];
	cli->control = control_open(cli->socket, cli->timeout_ms, why, sizeof(why));
	const cJSON *operations = NULL;
	if (!cli->control) {
		printf("Operations: %s\n\n", why);
		return;
	}
	printf("Operations (%s OPERATION --help has its flags):\n", cli->program);
	if (cli_table(cli, &operations) != CLI_OK)
		return;
	SK_JSON_EACH(operation, operations)
		printf("  %s\n", words_kebab(&cli->arena, sk_json_text(operation, "name")));
	putchar('\n');
}

static int help(struct cli *cli, int argc, char **argv)
{
	if (argc == 1)
		return help_on(cli, argv[0]);
	printf("usage: %s VERB [ARGUMENTS]\n\nVerbs:\n", cli->program);
	for (const struct cli_verb *v = cli_verbs; v->name; v++)
		printf("  %-26s%s\n", (char *)sk_printf(&cli->arena, "%s %s", v->name, v->arguments), v->prose);
	putchar('\n');
	list_operations(cli);
	fputs(options_help, stdout);
	return CLI_OK;
}

static int run_verb(struct cli *cli, const char *name, int argc, char **argv)
{
	const struct cli_verb *v = find_verb(name);
	if (cli->help)
		return help_on(cli, name);
	if (!v)
		return cli_operation(cli, name, argc, argv);
	if (argc < v->least || (v->most >= 0 && argc > v->most))
		return cli_fail(CLI_USAGE, "usage: %s %s %s", cli->program, v->name, v->arguments);
	return v->run(cli, argc, argv);
}

/* The option's value, from "--name VALUE" or "--name=VALUE"; NULL when argv[*i] is something else. */
static const char *option(const char *name, int argc, char **argv, int *i)
{
	size_t n = strlen(name);
	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	return argv[*i][n] == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

/* Takes our options out of argv; the number of arguments left, or -1. */
static int take_options(struct cli *cli, int argc, char **argv)
{
	int left = 0;
	for (int i = 0; i < argc; i++) {
		const char *value;
		char *end;
		if ((value = option("--socket", argc, argv, &i))) {
			cli->socket = value;
		} else if ((value = option("--cli-read-timeout", argc, argv, &i))) {
			long seconds = strtol(value, &end, 10);
			if (*end || end == value || seconds < 1 || seconds > 86400)
				return cli_fail(-1, "--cli-read-timeout: expected 1 to 86400 seconds, got '%s'", value);
			cli->timeout_ms = (int)seconds * 1000;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			cli->help = true;
		} else {
			argv[left++] = argv[i];
		}
	}
	return left;
}

static const char *default_socket(void)
{
	const char *socket = getenv("SKEETER_SOCKET");
	if (!socket || !*socket)
		return access(SOCKET, F_OK) != 0 && access(INSTALLED, F_OK) == 0 ? INSTALLED : SOCKET;
	return strncmp(socket, "./", 2) == 0 ? socket + 2 : socket;
}

int main(int argc, char **argv)
{
	struct cli cli = { .program = argc ? argv[0] : "skeeter", .socket = default_socket(), .timeout_ms = 10000 };
	int rc = CLI_USAGE, n = take_options(&cli, argc - 1, argv + 1);
	if (n == 0) {
		help(&cli, 0, argv);
		rc = cli.help ? CLI_OK : CLI_USAGE;
	} else if (n > 0 && strcmp(argv[1], "--version") == 0) {
		rc = version(&cli, 0, argv);
	} else if (n > 0) {
		rc = run_verb(&cli, argv[1], n - 1, argv + 2);
	}
	control_close(&cli.control);
	sk_arena_free(&cli.arena);
	return rc;
}
