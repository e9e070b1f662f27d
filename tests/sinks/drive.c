/* drive.c -- a sink without a broker and without a lane: items from stdin to a real service, for its tests and for measuring it.
 *
 *   drive SINK.so KIND FIELDS [OPTION=VALUE...]      FIELDS: the action's fields as JSON
 *
 * A line of stdin is an item: {"fields": {...}, "payload": "text", "topic": "a/b"}; `fields` are laid over FIELDS, templates are not filled in. An
 * empty line delivers what has come, as stdin's end does; so does a batch that is full. {"wait": MS} waits. For each item a line is printed:
 * {"id", "result": "ok"|"retry"|"fail", "why", "retryMs"}. {"repeat": N, ...} is N items whose payloads are the same; of those only sums are printed:
 * {"ok": N, "retry": N, "fail": N, "seconds": S}, with all of them delivered in full batches. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/options.h"
#include "core/plugin.h"
#include "core/secrets.h"
#include "core/sink.h"

enum { MOST = 65536 };
static const struct sk_plugin *plugin;

SK_EXPORT int sk_plugin_load(const struct sk_plugin *p, void *identifier, void *options, int option_count)
{
	(void)identifier, (void)options, (void)option_count;
	plugin = p;
	return 0;
}

SK_EXPORT int sk_plugin_unload(const struct sk_plugin *p)
{
	(void)p;
	return 0;
}

SK_EXPORT void sk_log(char level, const char *name, const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "%c %s: ", level, name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

struct drive {
	const struct sk_sink *sink;
	void *state, *open;
	const cJSON *fields;
	struct sk_arena fixed, items, batch;
	struct sk_sink_item *item[MOST];
	size_t n, bytes, serial;
	size_t sum[3];
	bool quiet;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct sk_arena *a, const struct sk_sink_item *i)
{
	static const char *const words[] = { [SK_SUNK_RETRY] = "retry", [SK_SUNK_OK] = "ok", [SK_SUNK_FAIL] = "fail" };
	cJSON *o = sk_json_object(a);
	sk_json_set_string(a, o, "id", i->id);
	sk_json_set_string(a, o, "result", words[i->result]);
	sk_json_set_string(a, o, "why", i->why);
	if (i->retry_ms)
		sk_json_set_int(a, o, "retryMs", i->retry_ms);
	puts(sk_json_print(a, o, NULL));
	fflush(stdout);
}

static void deliver(struct drive *d)
{
	char why[512] = "";
	const char *fault = NULL;
	if (!d->n)
		return;
	cJSON *filled = sk_secrets_fill_all(&d->batch, d->fields, &fault);
	if (!d->open && !(d->open = filled ? d->sink->open(d->state, filled, why, sizeof why) : NULL))
		sk_sink_all(d->item, d->n, SK_SUNK_RETRY, filled ? why : fault);
	else
		d->sink->deliver(d->open, d->item, d->n, &d->batch);
	for (size_t i = 0; i < d->n; i++) {
		d->sum[d->item[i]->result]++;
		if (!d->quiet)
			say(&d->batch, d->item[i]);
	}
	d->n = d->bytes = 0;
	sk_arena_reset(&d->batch, 1 << 20);
}

static void add(struct drive *d, struct sk_sink_item *i)
{
	size_t most = d->sink->most_items ? d->sink->most_items : 256, bytes = d->sink->most_bytes ? d->sink->most_bytes : 1 << 20;
	if (d->n && (d->n >= most || d->n >= MOST || d->bytes + i->size > bytes))
		deliver(d);
	d->item[d->n++] = i;
	d->bytes += i->size;
}

static struct sk_sink_item *item_of(struct drive *d, const cJSON *line)
{
	struct sk_arena *a = &d->items;
	struct sk_sink_item *i = sk_alloc(a, sizeof *i);
	cJSON *fields = sk_json_copy(a, d->fields);
	const char *topic = sk_json_text(line, "topic"), *payload = sk_json_text(line, "payload");
	SK_JSON_EACH(one, sk_json_get(line, "fields"))
		sk_json_set(a, fields, one->string, sk_json_copy(a, one));
	i->field = sk_sink_flatten(fields, d->sink->connection, a, &i->fields);
	i->payload = payload ? payload : "";
	i->size = strlen(i->payload);
	i->payload = sk_strndup(a, i->payload, i->size);
	i->topic = topic ? sk_strdup(a, topic) : "a/b";
	i->rule = "driven";
	i->client_id = "drive";
	i->id = sk_printf(a, "%032zx", ++d->serial);
	i->time_ms = 1700000000000 + (int64_t)d->serial;
	return i;
}

static void repeat(struct drive *d, const cJSON *line, int64_t times)
{
	struct sk_sink_item *first = item_of(d, line);
	double began = now();
	d->quiet = true;
	memset(d->sum, 0, sizeof d->sum);
	for (int64_t n = 0; n < times; n++) {
		struct sk_sink_item *i = sk_alloc(&d->items, sizeof *i);
		*i = *first;
		i->id = sk_printf(&d->items, "%032zx", ++d->serial);
		add(d, i);
	}
	deliver(d);
	printf("{\"ok\": %zu, \"retry\": %zu, \"fail\": %zu, \"seconds\": %.6f}\n", d->sum[SK_SUNK_OK], d->sum[SK_SUNK_RETRY], d->sum[SK_SUNK_FAIL], now() - began);
	fflush(stdout);
	d->quiet = false;
	sk_arena_reset(&d->items, 1 << 20);
}

static void line(struct drive *d, char *text, size_t size)
{
	struct sk_arena a = { 0 };
	const cJSON *in = sk_json_parse(&a, text, size, NULL, NULL);
	if (!size) {
		deliver(d);
		sk_arena_reset(&d->items, 1 << 20); /* not in deliver(): the item that made a batch full is behind it */
	} else if (!cJSON_IsObject(in))
		fprintf(stderr, "drive: no JSON object: %s\n", text);
	else if (sk_json_get(in, "wait"))
		usleep((useconds_t)(1000 * sk_json_int_of(in, "wait", 0)));
	else if (sk_json_get(in, "repeat"))
		repeat(d, in, sk_json_int_of(in, "repeat", 1));
	else
		add(d, item_of(d, in));
	sk_arena_free(&a);
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "drive: %s: %s\n", what, why);
	return 1;
}

static int load(struct drive *d, char **argv, int options, char **option)
{
	char why[512] = "";
	const char *key[64], *value[64];
	void *userdata, *so = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
	int (*init)(void *, void **, void *, int) = NULL;
	if (so)
		*(void **)&init = dlsym(so, "mosquitto_plugin_init");
	if (!init || init(NULL, &userdata, NULL, 0) || !plugin)
		return fail(argv[1], so ? "no plugin" : dlerror());
	for (int i = 0; i < options && i < 64; i++) {
		char *equals = strchr(option[i], '=');
		if (!equals)
			return fail(option[i], "no OPTION=VALUE");
		*equals = '\0';
		key[i] = option[i];
		value[i] = equals + 1;
	}
	static const struct sk_option none[] = { { 0 } };
	d->state = calloc(1, plugin->state_size + 1);
	if (sk_options_read(plugin->options ? plugin->options : none, d->state, key, value, (size_t)options, why, sizeof why))
		return fail("options", why);
	for (d->sink = plugin->sinks; d->sink && d->sink->kind && strcmp(d->sink->kind, argv[2]); d->sink++)
		continue;
	if (!d->sink || !d->sink->kind)
		return fail(argv[2], "that plugin has no such sink");
	if (plugin->start && plugin->start(d->state, why, sizeof why))
		return fail(argv[1], why);
	d->fields = sk_json_parse(&d->fixed, argv[3], strlen(argv[3]), NULL, NULL);
	if (!cJSON_IsObject(d->fields))
		return fail(argv[3], "no JSON object");
	const char *fault = d->sink->check ? d->sink->check(d->fields, &d->fixed) : NULL;
	return fault ? fail("check", fault) : 0;
}

int main(int argc, char **argv)
{
	static struct drive d;
	char why[256] = "", *text = NULL;
	size_t room = 0;
	ssize_t n;
	if (argc < 4)
		return fail("usage", "drive SINK.so KIND FIELDS [OPTION=VALUE...]");
	if (sk_secrets_open(getenv("SECRETS"), why, sizeof why))
		return fail("SECRETS", why);
	if (load(&d, argv, argc - 4, argv + 4))
		return 1;
	while ((n = getline(&text, &room, stdin)) >= 0) {
		if (n && text[n - 1] == '\n')
			text[--n] = '\0';
		line(&d, text, (size_t)n);
	}
	deliver(&d);
	free(text);
	if (d.open)
		d.sink->close(d.open);
	if (plugin->stop)
		plugin->stop(d.state);
	sk_options_free(plugin->options, d.state);
	free(d.state);
	sk_arena_free(&d.items);
	sk_arena_free(&d.batch);
	sk_arena_free(&d.fixed);
	sk_secrets_close();
	return 0;
}
