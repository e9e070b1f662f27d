/* status.c -- `skeeter status`: is all well? The broker, its plugins, the store, what was refused, who is there. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/when.h"

enum { SHOWN = 20 };

struct status {
	struct cli *cli;
	const cJSON *broker, *counters, *store, *clients;
	char version[64]; /* of Mosquitto, from $SYS; "" when it does not tell */
};

static void on_version(void *ctx, const char *topic, const char *payload, size_t size)
{
	struct status *s = ctx;
	(void)topic;
	snprintf(s->version, sizeof(s->version), "%.*s", (int)size, payload);
}

/* What the broker retains comes before the answer to what is asked after it. A broker with sys_interval 0 retains no version. */
static int ask(struct status *s)
{
	const cJSON *data = NULL;
	int rc = cli_call(s->cli, "DescribeBroker", NULL, &s->broker);
	if (rc == CLI_OK)
		control_subscribe(s->cli->control, "$SYS/broker/version", on_version, s);
	if (rc == CLI_OK)
		rc = cli_call(s->cli, "DescribeCounters", NULL, &data);
	s->counters = sk_json_get(data, "counters");
	s->store = sk_json_get(data, "store");
	if (rc == CLI_OK)
		rc = cli_call(s->cli, "ListClients", NULL, &data);
	s->clients = sk_json_get(data, "clients");
	return rc;
}

static long long counted(const struct status *s, const char *name)
{
	return (long long)sk_json_int_of(s->counters, name, 0);
}
static long long stored(const struct status *s, const char *name)
{
	return (long long)sk_json_int_of(s->store, name, 0);
}
static const char *text(const cJSON *node, const char *key)
{
	const char *value = sk_json_text(node, key);
	return value ? value : "";
}

static void print_broker(struct status *s)
{
	struct sk_arena *a = &s->cli->arena;
	const char *names = "";
	SK_JSON_EACH(plugin, sk_json_get(s->broker, "plugins"))
		names = sk_printf(a, "%s%s%s", names, *names ? ", " : "", text(plugin, "name"));
	printf("broker    %s, pid %lld, up %s\n", s->version[0] ? s->version : "mosquitto", (long long)sk_json_int_of(s->broker, "pid", 0),
	       when_long(a, cli_wall_ms() - cli_time_of(s->broker, "startedAt")));
	printf("skeeter   %s: %s; woken by %s\n", text(s->broker, "version"), names, text(s->broker, "wake"));
	printf("account   %s, %s\n", text(s->broker, "account"), text(s->broker, "region"));
}

static void print_store(struct status *s)
{
	printf("store     %s (%s): %lld commits, %lld KiB of log, %lld records not yet in the table\n", text(s->broker, "dataDir"),
	       text(s->store, "kind"), stored(s, "commits"), stored(s, "log_bytes") / 1024, stored(s, "dirty_records"));
	printf("calls     %lld, %lld of them answered with an error; %lld publishes; %lld denials, %lld connections closed\n",
	       counted(s, "calls"), counted(s, "errors"), counted(s, "publishes"), counted(s, "denials"), counted(s, "kicks"));
}

/* Counters that are 0 when all is well. */
static void print_trouble(struct status *s)
{
	static const struct { const char *name, *prose; } bad[] = {
		{ "store_failures", "reads that the store could not answer" },
		{ "commit_failures", "commits that failed" },
		{ "memory_failures", "times memory was out" },
		{ "publish_failures", "messages that the broker did not take" },
		{ "refused_inbox", "device calls refused: a worker's inbox was full (plugin_opt_inbox), or the disk is behind" },
		{ "refused_rate", "device calls refused by plugin_opt_device_rate" },
		{ "refused_in_flight", "device calls refused by plugin_opt_device_in_flight" },
		{ "reject_dropped", "refused calls that were not even answered" },
		{ "rerun_limit", "calls given up after too many conflicts" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (counted(s, bad[i].name))
			printf("!         %lld %s\n", counted(s, bad[i].name), bad[i].prose);
}

static void print_client(struct status *s, const cJSON *client)
{
	struct sk_arena *a = &s->cli->arena;
	int64_t now = cli_wall_ms();
	bool connected = sk_json_true(client, "connected");
	const cJSON *denial = sk_json_get(client, "lastDenial");
	printf("  %-24s %-10s %-14s %s\n", text(client, "clientId"), connected ? "connected" : "away",
	       when_ago(a, cli_time_of(client, connected ? "connectedAt" : "lastSeen"), now), text(client, "address"));
	if (denial)
		printf("    %s: %s\n", when_ago(a, cli_time_of(denial, "at"), now), text(denial, "text"));
}

static void print_clients(struct status *s)
{
	int connected = 0, others = 0, operators = 0, shown = 0;
	SK_JSON_EACH(client, s->clients) {
		bool operator = sk_json_true(client, "operator");
		operators += operator;
		connected += !operator && sk_json_true(client, "connected");
		others += !operator && !sk_json_true(client, "connected");
	}
	printf("clients   %d connected, %d away, %d operators\n", connected, others, operators);
	SK_JSON_EACH(client, s->clients)
		if (!sk_json_true(client, "operator") && shown++ < SHOWN)
			print_client(s, client);
	if (shown > SHOWN)
		printf("  and %d more: %s list-clients\n", shown - SHOWN, s->cli->program);
}

int cli_status(struct cli *cli, int argc, char **argv)
{
	struct status s = { .cli = cli };
	int rc = ask(&s);
	(void)argc, (void)argv;
	if (rc != CLI_OK)
		return rc;
	print_broker(&s);
	print_store(&s);
	print_trouble(&s);
	print_clients(&s);
	return CLI_OK;
}
