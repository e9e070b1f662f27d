/* demo.c -- `skeeter demo ...`: pull plugs and break rules on the three devices of make run, and see what happens. */
#include "cli/demo.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/process.h"
#include "cli/shadow.h"
#include "core/closest.h"

#define ONLINE_MS 30000
#define OBEY_MS 30000

const char *const demo_devices[] = { "lamp", "thermometer", "valve", NULL };

void demo_pause(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	nanosleep(&t, NULL);
}

/* The clients of ListClients, or NULL. */
static const cJSON *clients(struct cli *cli)
{
	const cJSON *response = control_call(cli->control, &cli->arena, "ListClients", NULL);
	return sk_json_get(sk_json_get(response, "data"), "clients");
}

static bool is_online(const cJSON *list, const char *device)
{
	SK_JSON_EACH(client, list) {
		const char *id = sk_json_text(client, "clientId");
		if (id && strcmp(id, device) == 0)
			return sk_json_true(client, "connected");
	}
	return false;
}

int demo_online(struct cli *cli, bool loud)
{
	int n = 0;
	const cJSON *list = clients(cli);
	if (!list && loud)
		cli_fail(CLI_FAILED, "%s", control_why(cli->control));
	for (size_t i = 0; list && demo_devices[i]; i++)
		n += is_online(list, demo_devices[i]);
	return list ? n : -1;
}

bool demo_wait(struct cli *cli, const char *device, bool connected, int ms)
{
	int64_t end = control_clock_ms() + ms;
	for (;;) {
		const cJSON *list = clients(cli);
		if (list && is_online(list, device) == connected)
			return true;
		if (!list || control_clock_ms() >= end)
			return false;
		demo_pause(30);
	}
}

int demo_create(struct cli *cli, const char *operation, const cJSON *in, const cJSON **data)
{
	const cJSON *response = control_call(cli->control, &cli->arena, operation, in);
	const char *code = sk_json_text(response, "code");
	*data = sk_json_get(response, "data");
	if (code && strcmp(code, "ResourceAlreadyExistsException") == 0)
		return CLI_OK;
	return cli_report(cli, operation, response);
}

/* The classic shadow as one line; *waits is set while it has a delta. */
static const char *look(struct cli *cli, const char *device, bool *waits)
{
	const cJSON *document = NULL;
	cli_shadow_get(cli, device, NULL, &document);
	const cJSON *state = sk_json_get(document, "state");
	*waits = sk_json_get(state, "delta") != NULL;
	return cli_shadow_line(&cli->arena, sk_json_get(state, "reported"), sk_json_get(state, "desired"));
}

static int unplug(struct cli *cli, const char *device)
{
	const char *folder = cli_run_folder(cli);
	bool waits;
	pid_t pid = process_find(folder, device);
	if (!pid)
		return cli_fail(CLI_FAILED, "%s is not plugged in", device);
	if (!process_end(pid, SIGTERM, ONLINE_MS))
		return cli_fail(CLI_FAILED, "%s does not stop (pid %d): see %s/%s.log", device, (int)pid, folder, device);
	if (!demo_wait(cli, device, false, ONLINE_MS))
		return cli_fail(CLI_FAILED, "%s has stopped, but the broker still has it as connected", device);
	printf("%s is unplugged; its shadow stays: %s\n", device, look(cli, device, &waits));
	return CLI_OK;
}

/* skeeter-device stands beside this very program. */
static int start_device(struct cli *cli, const char *device)
{
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - sizeof("-device"));
	if (n < 0)
		return cli_fail(CLI_FAILED, "cannot find skeeter-device: %s", strerror(errno));
	memcpy(program + n, "-device", sizeof("-device"));
	if (access(program, X_OK) != 0)
		return cli_fail(CLI_FAILED, "cannot run %s: %s", program, strerror(errno));
	char *const argv[] = { program, (char *)device, (char *)cli_run_folder(cli), NULL };
	if (process_start(argv[2], device, argv) < 0)
		return cli_fail(CLI_FAILED, "cannot start %s: %s", program, strerror(errno));
	return CLI_OK;
}

static int plug(struct cli *cli, const char *device)
{
	bool waits;
	int64_t since = control_clock_ms();
	const char *folder = cli_run_folder(cli), *before = look(cli, device, &waits);
	if (process_find(folder, device))
		return cli_fail(CLI_FAILED, "%s is plugged in already", device);
	int rc = start_device(cli, device);
	if (rc != CLI_OK)
		return rc;
	if (!demo_wait(cli, device, true, ONLINE_MS))
		return cli_fail(CLI_FAILED, "%s is plugged in but not online: see %s/%s.log", device, folder, device);
	printf("%s is online after %.1f s; its shadow kept: %s\n", device, (double)(control_clock_ms() - since) / 1000, before);
	for (since = control_clock_ms(); look(cli, device, &waits) && waits && control_clock_ms() - since < OBEY_MS;)
		demo_pause(30);
	printf("%s reports: %s\n", device, look(cli, device, &waits));
	return CLI_OK;
}

/* The certificate that the device connects with; NULL is printed. */
static const char *principal(struct cli *cli, const char *device)
{
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "thingName", device);
	if (cli_call(cli, "ListThingPrincipals", in, &data) != CLI_OK)
		return NULL;
	const cJSON *list = sk_json_get(data, "principals");
	if (!list || !cJSON_IsString(list->child)) {
		cli_fail(CLI_FAILED, "%s has no certificate: skeeter demo register", device);
		return NULL;
	}
	return list->child->valuestring;
}

/* Attaches or detaches the denying policy. */
static int turn(struct cli *cli, const char *operation, const char *device)
{
	const cJSON *data = NULL;
	const char *target = principal(cli, device);
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "policyName", DEMO_FORBID);
	sk_json_set_string(&cli->arena, in, "target", target);
	return target ? cli_call(cli, operation, in, &data) : CLI_FAILED;
}

static int create_forbid(struct cli *cli)
{
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "policyName", DEMO_FORBID);
	sk_json_set_string(&cli->arena, in, "policyDocument",
	                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"iot:Publish\",\"iot:Connect\"],"
	                   "\"Resource\":\"*\"}]}");
	return demo_create(cli, "CreatePolicy", in, &data);
}

/* The first line after *offset that says why the device was denied, from "deny" on; NULL when there is none yet. */
static const char *find_denial(struct cli *cli, const char *device, long offset)
{
	char line[2048];
	const char *found = NULL, *needle = sk_printf(&cli->arena, " %s ", device);
	FILE *f = fopen(sk_printf(&cli->arena, "%s/mosquitto.log", cli_run_folder(cli)), "r");
	if (!f)
		return NULL;
	fseek(f, offset, SEEK_SET);
	while (!found && fgets(line, sizeof(line), f)) {
		const char *deny = strstr(line, "deny ");
		if (deny && strstr(deny, needle) && strchr(deny, '\n'))
			found = sk_strndup(&cli->arena, deny, strcspn(deny, "\n"));
	}
	fclose(f);
	return found;
}

static long log_size(struct cli *cli)
{
	long size = 0;
	FILE *f = fopen(sk_printf(&cli->arena, "%s/mosquitto.log", cli_run_folder(cli)), "r");
	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (f)
		fclose(f);
	return size > 0 ? size : 0;
}

static int forbid(struct cli *cli, const char *device)
{
	const char *why = NULL;
	long offset = log_size(cli);
	if (!process_find(cli_run_folder(cli), device))
		return cli_fail(CLI_FAILED, "%s is unplugged: %s demo plug %s", device, cli->program, device);
	int rc = create_forbid(cli);
	if (rc == CLI_OK)
		rc = turn(cli, "AttachPolicy", device);
	for (int64_t end = control_clock_ms() + ONLINE_MS; rc == CLI_OK && !why && control_clock_ms() < end; demo_pause(50))
		why = find_denial(cli, device, offset);
	if (rc != CLI_OK)
		return rc;
	if (!why)
		return cli_fail(CLI_FAILED, "%s is forbidden to publish, but no denial is in %s/mosquitto.log yet", device, cli_run_folder(cli));
	printf("%s was disconnected: %s\n", device, why);
	return CLI_OK;
}

static int allow(struct cli *cli, const char *device)
{
	int64_t since = control_clock_ms();
	bool waits;
	int rc = turn(cli, "DetachPolicy", device);
	if (rc != CLI_OK)
		return rc;
	if (!process_find(cli_run_folder(cli), device)) {
		printf("%s is allowed again; it is unplugged\n", device);
		return CLI_OK;
	}
	if (!demo_wait(cli, device, true, ONLINE_MS))
		return cli_fail(CLI_FAILED, "%s is allowed again but not online: see %s/%s.log", device, cli_run_folder(cli), device);
	printf("%s is allowed again, online after %.1f s: %s\n", device, (double)(control_clock_ms() - since) / 1000, look(cli, device, &waits));
	return CLI_OK;
}

static int await(struct cli *cli, const char *device)
{
	int n = 0, all = (int)(sizeof(demo_devices) / sizeof(*demo_devices)) - 1;
	(void)device;
	for (int64_t end = control_clock_ms() + ONLINE_MS; control_clock_ms() < end; demo_pause(20)) {
		n = demo_online(cli, true);
		if (n == all || n < 0)
			break;
	}
	printf("%d\n", n < 0 ? 0 : n);
	return n == all ? CLI_OK : CLI_FAILED;
}

static const struct {
	const char *name;
	bool takes_device;
	demo_run *run;
} verbs[] = {
	{ "unplug", true, unplug }, { "plug", true, plug },      { "forbid", true, forbid },          { "allow", true, allow },
	{ "kill", false, demo_kill }, { "await", false, await }, { "register", false, demo_register },
};
#define VERBS (sizeof(verbs) / sizeof(*verbs))

static int check_device(const char *device)
{
	size_t n = sizeof(demo_devices) / sizeof(*demo_devices) - 1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(device, demo_devices[i]) == 0)
			return CLI_OK;
	const char *near = sk_closest(device, demo_devices, n, sizeof(*demo_devices));
	if (near)
		return cli_fail(CLI_USAGE, "'%s' is no device of the demo: did you mean %s?", device, near);
	return cli_fail(CLI_USAGE, "'%s' is no device of the demo: there are lamp, thermometer and valve", device);
}

int cli_demo(struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if ((argc == 2) != verbs[i].takes_device)
			return cli_fail(CLI_USAGE, "usage: %s demo %s%s", cli->program, argv[0], verbs[i].takes_device ? " DEVICE" : "");
		int rc = argc == 2 ? check_device(argv[1]) : CLI_OK;
		if (rc == CLI_OK)
			rc = cli_connect(cli);
		return rc == CLI_OK ? verbs[i].run(cli, argc == 2 ? argv[1] : NULL) : rc;
	}
	const char *near = sk_closest(argv[0], &verbs[0].name, VERBS, sizeof(*verbs));
	if (near)
		return cli_fail(CLI_USAGE, "'demo %s' is no command: did you mean demo %s?", argv[0], near);
	return cli_fail(CLI_USAGE, "'demo %s' is no command: %s demo --help lists all", argv[0], cli->program);
}
