/* demo_kill.c -- `skeeter demo kill`: a burst of shadow updates, kill -9 of the broker in its middle, and the reckoning.
 *
 * Each update sets a key of its own to a number that only this run knows, in one of several named shadows of a thing made for it. So every
 * update whose `accepted` was seen can be looked up by itself afterwards: its key must be there with its number, and the
 * shadow's version must not be older than the newest that was accepted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/process.h"
#include "cli/shadow.h"

#define THING "demo-burst"
#define SHADOWS 16
#define UPDATES_MOST 16000
#define WINDOW 64
#define BURST_MS 1000
#define FIRST_MS 30000
#define BACK_MS 30000

struct burst {
	struct cli *cli;
	struct sk_arena arena; /* of one message */
	int base;              /* update i carries the number base + i */
	int sent, accepted, rejected;
	bool seen[UPDATES_MOST];
	int64_t version[SHADOWS]; /* newest accepted */
	char rejection[256];
};

static const char *shadow_name(struct cli *cli, int i)
{
	return sk_printf(&cli->arena, "burst-%d", i % SHADOWS);
}

static void on_answer(void *ctx, const char *topic, const char *payload, size_t size)
{
	struct burst *b = ctx;
	const cJSON *document = sk_json_parse(&b->arena, payload, size, NULL, NULL);
	const char *token = sk_json_text(document, "clientToken"), *message = sk_json_text(document, "message");
	int i = token ? atoi(token) : -1;
	if (i >= 0 && i < b->sent && !b->seen[i] && strstr(topic, "/rejected")) {
		b->rejected++;
		snprintf(b->rejection, sizeof(b->rejection), "%s", message ? message : "no reason given");
	} else if (i >= 0 && i < b->sent && !b->seen[i]) {
		b->seen[i] = true;
		b->accepted++;
		int64_t version = sk_json_int_of(document, "version", 0);
		if (version > b->version[i % SHADOWS])
			b->version[i % SHADOWS] = version;
	}
	sk_arena_reset(&b->arena, 65536);
}

static int send_update(struct burst *b)
{
	char topic[128], payload[160];
	int i = b->sent;
	snprintf(topic, sizeof(topic), "$aws/things/" THING "/shadow/name/burst-%d/update", i % SHADOWS);
	int n = snprintf(payload, sizeof(payload), "{\"state\":{\"reported\":{\"u%d\":%d}},\"clientToken\":\"%d\"}", i, b->base + i, i);
	b->sent++;
	return control_publish(b->cli->control, topic, payload, (size_t)n);
}

/* Shadows of an earlier burst go; that there is none is fine. */
static void clear_shadows(struct cli *cli)
{
	for (int i = 0; i < SHADOWS; i++) {
		cJSON *in = sk_json_object(&cli->arena);
		sk_json_set_string(&cli->arena, in, "thingName", THING);
		sk_json_set_string(&cli->arena, in, "shadowName", shadow_name(cli, i));
		control_call(cli->control, &cli->arena, "DeleteThingShadow", in);
	}
}

static cJSON *thing(struct cli *cli)
{
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "thingName", THING);
	return in;
}

static int subscribe(struct burst *b)
{
	static const char *const filters[] = { "accepted", "rejected" };
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		const char *filter = sk_printf(&b->cli->arena, "$aws/things/" THING "/shadow/name/+/update/%s", filters[i]);
		if (control_subscribe(b->cli->control, filter, on_answer, b) != 0)
			return cli_fail(CLI_FAILED, "%s", control_why(b->cli->control));
	}
	return CLI_OK;
}

/* Keeps WINDOW updates under way for BURST_MS, or until one was accepted, so that the kill finds work at every stage. */
static int run_burst(struct burst *b)
{
	int64_t since = control_clock_ms();
	while (control_clock_ms() - since < (b->accepted ? BURST_MS : FIRST_MS) && b->sent < UPDATES_MOST) {
		while (b->sent - b->accepted - b->rejected < WINDOW && b->sent < UPDATES_MOST)
			if (send_update(b) != 0)
				return cli_fail(CLI_FAILED, "%s", control_why(b->cli->control));
		if (control_wait(b->cli->control, 50) != 0)
			return cli_fail(CLI_FAILED, "%s", control_why(b->cli->control));
	}
	if (b->accepted > 0)
		return CLI_OK;
	return cli_fail(CLI_FAILED, "no update was accepted: %s", *b->rejection ? b->rejection : "no answer came");
}

/* What the broker sent before it died is still in our socket and counts as accepted. */
static void drain(struct burst *b)
{
	while (control_wait(b->cli->control, 1000) == 0)
		;
	control_close(&b->cli->control);
}

static int wait_back(struct cli *cli, pid_t killed, int devices)
{
	char why[512] = "nothing restarted the broker";
	int64_t end = control_clock_ms() + BACK_MS;
	for (; control_clock_ms() < end; demo_pause(20)) {
		pid_t pid = process_find(cli_run_folder(cli), "mosquitto");
		if (!cli->control && pid && pid != killed)
			cli->control = control_open(cli->socket, cli->timeout_ms, why, sizeof(why));
		if (cli->control && demo_online(cli, false) >= devices)
			return CLI_OK;
	}
	if (!cli->control)
		return cli_fail(CLI_FAILED, "the broker did not come back within %d s: %s", BACK_MS / 1000, why);
	return cli_fail(CLI_FAILED, "the broker is back, but not all devices are online: see %s/*.log", cli_run_folder(cli));
}

/* How many accepted updates shadow k has lost; -1 when it cannot be read. */
static int count_missing(struct burst *b, int k)
{
	const cJSON *document = NULL;
	int missing = 0;
	if (cli_shadow_get(b->cli, THING, shadow_name(b->cli, k), &document) != CLI_OK)
		return -1;
	const cJSON *reported = sk_json_get(sk_json_get(document, "state"), "reported");
	bool *there = sk_alloc(&b->cli->arena, sizeof(b->seen));
	SK_JSON_EACH(key, reported) {
		int i = atoi(key->string + 1);
		if (there && i >= 0 && i < b->sent && sk_json_int_of(reported, key->string, 0) == b->base + i)
			there[i] = true;
	}
	for (int i = k; there && i < b->sent; i += SHADOWS)
		missing += b->seen[i] && !there[i];
	if (sk_json_int_of(document, "version", 0) < b->version[k])
		missing += missing == 0;
	return missing;
}

static int compare(struct burst *b, double seconds)
{
	int missing = 0;
	for (int k = 0; k < SHADOWS; k++) {
		int n = count_missing(b, k);
		if (n < 0)
			return CLI_FAILED;
		missing += n;
	}
	printf("killed after %d accepted updates, back in %.1f s: ", b->accepted, seconds);
	if (missing == 0) {
		printf("all %d are there\n", b->accepted);
		clear_shadows(b->cli);
		control_call(b->cli->control, &b->cli->arena, "DeleteThing", thing(b->cli));
		return CLI_OK;
	}
	printf("%d are missing or older\n", missing);
	return CLI_FAILED;
}

static int kill_in_burst(struct burst *b)
{
	struct cli *cli = b->cli;
	const char *folder = cli_run_folder(cli);
	pid_t broker = process_find(folder, "mosquitto");
	int devices = demo_online(cli, true);
	if (devices < 0)
		return CLI_FAILED;
	if (!broker || !process_find(folder, "demo"))
		return cli_fail(CLI_FAILED, "the broker was not started by make run: nothing would restart it");
	const cJSON *data = NULL;
	int rc = demo_create(cli, "CreateThing", thing(cli), &data);
	clear_shadows(cli);
	if (rc == CLI_OK)
		rc = subscribe(b);
	if (rc == CLI_OK)
		rc = run_burst(b);
	if (rc != CLI_OK)
		return rc;
	int64_t since = control_clock_ms();
	kill(broker, SIGKILL);
	drain(b);
	rc = wait_back(cli, broker, devices);
	return rc == CLI_OK ? compare(b, (double)(control_clock_ms() - since) / 1000) : rc;
}

int demo_kill(struct cli *cli, const char *device)
{
	struct burst *b = calloc(1, sizeof(*b));
	(void)device;
	if (!b)
		return cli_fail(CLI_FAILED, "out of memory");
	b->cli = cli;
	b->base = (int)(control_clock_ms() % 100000000) * 10;
	int rc = kill_in_burst(b);
	sk_arena_free(&b->arena);
	free(b);
	return rc;
}
