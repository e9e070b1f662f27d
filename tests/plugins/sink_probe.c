/* sink_probe.c -- a sink for tests, of the kind openSearch: {endpoint, index, type, id}. It writes what it takes to FOLDER/NAME.got, a line of JSON each, NAME
 * being the endpoint's host; `type` keeps order, `index` says what becomes of an item: "ok", "fail", "retry", "retry-2": twice, then ok, "held": retry as long as
 * there is a file FOLDER/NAME.held. A file FOLDER/NAME.down has all of them tried again, one NAME.closed keeps it from being opened. Opening and closing are lines too. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plugin.h"
#include "core/sink.h"
#include "core/why.h"

struct state {
	const char *folder;
};
struct probe {
	char path[1024];
	int fd;
};

static bool is_there(const struct probe *p, const char *what)
{
	char path[1100];

	snprintf(path, sizeof path, "%s.%s", p->path, what);
	return access(path, F_OK) == 0;
}

static void put(struct probe *p, const char *line)
{
	if (write(p->fd, line, strlen(line)) < 0)
		sk_log('e', "probe", "a line is lost");
}

static void *probe_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	const struct state *s = state;
	const char *endpoint = sk_json_text(fields, "endpoint"), *name = strrchr(endpoint, '/') + 1;
	struct probe *p = calloc(1, sizeof *p);
	char got[1100];

	snprintf(p->path, sizeof p->path, "%s/%.*s", s->folder, (int)strcspn(name, ":"), name);
	if (is_there(p, "closed")) {
		sk_why(why, why_size, "%s is closed", name);
		free(p);
		return NULL;
	}
	snprintf(got, sizeof got, "%s.got", p->path);
	p->fd = open(got, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(got, sizeof got, "{\"open\":\"%s\"}\n", name);
	put(p, got);
	return p;
}

static enum sk_sunk result_of(const struct probe *p, const struct sk_sink_item *i)
{
	const char *wanted = sk_sink_text(i, "index");

	if (!strcmp(wanted, "held"))
		return is_there(p, "held") ? SK_SUNK_RETRY : SK_SUNK_OK;
	if (!strncmp(wanted, "retry-", 6))
		return i->attempt < (unsigned)atoi(wanted + 6) ? SK_SUNK_RETRY : SK_SUNK_OK;
	return !strcmp(wanted, "fail") ? SK_SUNK_FAIL : !strcmp(wanted, "retry") ? SK_SUNK_RETRY : SK_SUNK_OK;
}

static void write_item(struct probe *p, const struct sk_sink_item *i, struct sk_arena *a)
{
	cJSON *line = sk_json_object(a), *fields = sk_json_set_object(a, line, "fields");

	sk_json_set_string(a, line, "id", i->id);
	sk_json_set_string(a, line, "topic", i->topic);
	sk_json_set_string(a, line, "client", i->client_id);
	sk_json_set_string(a, line, "payload", i->payload);
	sk_json_set_int(a, line, "attempt", i->attempt);
	for (size_t k = 0; k < i->fields; k++)
		sk_json_set_string(a, fields, i->field[k].path, i->field[k].text);
	put(p, sk_printf(a, "%s\n", sk_json_print(a, line, NULL)));
}

/* Is one before it under the same key to come again? */
static bool held_back(struct sk_sink_item *const *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (item[i]->result == SK_SUNK_RETRY && !strcmp(sk_sink_text(item[i], "type"), sk_sink_text(item[n], "type")))
			return true;
	return false;
}

static void probe_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct probe *p = sink;

	if (is_there(p, "down")) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "it is down");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		item[i]->result = held_back(item, i) ? SK_SUNK_RETRY : result_of(p, item[i]);
		item[i]->why = item[i]->result == SK_SUNK_FAIL ? "it does not like that" : "not yet";
		if (item[i]->result == SK_SUNK_OK)
			write_item(p, item[i], a);
	}
}

static void probe_close(void *sink)
{
	struct probe *p = sink;

	put(p, "{\"close\":true}\n");
	close(p->fd);
	free(p);
}

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct state, folder, NULL, NULL, "where it writes"),
	{ 0 }
};
static const struct sk_sink sinks[] = {
	{ .kind = "openSearch", .prose = "writes to a file, for tests", .connection = "endpoint roleArn", .order = "type", .most_items = 50,
	  .open = probe_open, .deliver = probe_deliver, .close = probe_close },
	{ 0 }
};

SKEETER_PLUGIN(.name = "probe", .prose = "a sink, for tests", .state_size = sizeof(struct state), .options = options, .sinks = sinks)
