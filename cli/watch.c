/* watch.c -- `skeeter watch THING`: every change of its shadows, as the broker publishes it, until Ctrl-C. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/shadow.h"

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

struct watcher {
	struct sk_arena arena; /* of one message */
	const char *thing;
};

static void print_line(const char *who, const char *what)
{
	char now[16];
	time_t t = time(NULL);
	struct tm tm;
	strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&t, &tm));
	printf("%s %s: %s\n", now, who, what && *what ? what : "-");
	fflush(stdout);
}

static void print_state(struct sk_arena *a, const char *who, const cJSON *document)
{
	const cJSON *state = sk_json_get(document, "state");
	const char *line = cli_shadow_line(a, sk_json_get(state, "reported"), sk_json_get(state, "desired"));
	print_line(who, sk_printf(a, "%s (version %lld)", line, (long long)sk_json_int_of(document, "version", 0)));
}

/* "lamp", or "lamp/NAME" of a topic with .../shadow/name/NAME/... */
static const char *who_of(struct watcher *w, const char *topic)
{
	const char *name = strstr(topic, "/shadow/name/");
	if (!name)
		return w->thing;
	name += strlen("/shadow/name/");
	return sk_printf(&w->arena, "%s/%.*s", w->thing, (int)strcspn(name, "/"), name);
}

/* "connected from 127.0.0.1", "disconnected: CONNECTION_LOST", "subscribed: a, b", "updated". */
static const char *told(struct sk_arena *a, const cJSON *event)
{
	const char *type = sk_json_text(event, "eventType"), *operation = sk_json_text(event, "operation");
	const char *reason = sk_json_text(event, "disconnectReason"), *from = sk_json_text(event, "ipAddress"), *list = NULL;
	SK_JSON_EACH(topic, sk_json_get(event, "topics"))
		list = list ? sk_printf(a, "%s, %s", list, topic->valuestring) : topic->valuestring;
	if (reason || list)
		return sk_printf(a, "%s: %s", type, reason ? reason : list);
	if (from)
		return sk_printf(a, "%s from %s", type, from);
	return operation ? sk_printf(a, "the thing: %s", operation) : type;
}

static void print_document(struct watcher *w, const char *topic, const cJSON *document)
{
	const cJSON *current = sk_json_get(document, "current");
	if (current)
		print_state(&w->arena, who_of(w, topic), current);
	else
		print_line(who_of(w, topic), "the shadow was deleted");
}

static void on_message(void *ctx, const char *topic, const char *payload, size_t size)
{
	struct watcher *w = ctx;
	const cJSON *document = sk_json_parse(&w->arena, payload, size, NULL, NULL);
	if (strncmp(topic, "$aws/events/", 12) == 0)
		print_line(w->thing, told(&w->arena, document));
	else
		print_document(w, topic, document);
	sk_arena_reset(&w->arena, 65536);
}

static int subscribe(struct cli *cli, struct watcher *w)
{
	static const struct { const char *before, *after; } filters[] = {
		{ "events/presence/+/", "" }, { "events/subscriptions/+/", "" }, { "events/thing/", "/+" },
		{ "things/", "/shadow/name/+/update/documents" }, { "things/", "/shadow/name/+/delete/accepted" },
		{ "things/", "/shadow/delete/accepted" }, { "things/", "/shadow/update/documents" },
	};
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		const char *filter = sk_printf(&cli->arena, "$aws/%s%s%s", filters[i].before, w->thing, filters[i].after);
		if (control_subscribe(cli->control, filter, on_message, w) != 0)
			return cli_fail(CLI_FAILED, "%s", control_why(cli->control));
	}
	return CLI_OK;
}

/* Subscribes first, so that no change falls between what is there and what comes. */
static int begin(struct cli *cli, struct watcher *w)
{
	const cJSON *document = NULL;
	int rc = subscribe(cli, w);
	if (rc == CLI_OK)
		rc = cli_shadow_get(cli, w->thing, NULL, &document);
	if (document)
		print_state(&cli->arena, w->thing, document);
	return rc;
}

/* The broker may go and come back, as in `demo kill`. CLI_OK when it is back, or when we are to stop. */
static int wait_back(struct cli *cli, struct watcher *w)
{
	const struct timespec pause = { 0, 100 * 1000000 };
	char why[512];
	print_line("broker", "gone");
	control_close(&cli->control);
	while (!stopping && !cli->control) {
		nanosleep(&pause, NULL);
		cli->control = control_open(cli->socket, cli->timeout_ms, why, sizeof(why));
	}
	if (stopping)
		return CLI_OK;
	print_line("broker", "back");
	return begin(cli, w);
}

int cli_watch(struct cli *cli, int argc, char **argv)
{
	struct watcher w = { .thing = argv[0] };
	const cJSON *thing = NULL;
	cJSON *in = sk_json_object(&cli->arena);
	(void)argc;
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	sk_json_set_string(&cli->arena, in, "thingName", w.thing);
	int rc = cli_call(cli, "DescribeThing", in, &thing);
	if (rc == CLI_OK)
		rc = begin(cli, &w);
	while (rc == CLI_OK && !stopping)
		if (control_wait(cli->control, 200) != 0)
			rc = wait_back(cli, &w);
	sk_arena_free(&w.arena);
	return rc;
}
