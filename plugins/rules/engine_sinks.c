/* engine_sinks.c -- see engine_sinks.h. A lane's thread waits for all events of a batch: the runtime answers each of them, at its end too. */
#include "plugins/rules/engine_sinks.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/invoke.h"
#include "core/threads.h"
#include "plugins/rules/engine_ask.h"

enum { BATCH = 64 };

/* The kind, its event, the field that names a lane (NULL: there is one for all), and what it does. */
#define KINDS \
	ROW(lambda, RULES_INVOKE, "functionArn", "runs a function") \
	ROW(iotEvents, "PutInputMessage", "inputName", "a message for an input of IoT Events") \
	ROW(iotAnalytics, "PutChannelMessage", "channelName", "a message for a channel of IoT Analytics") \
	ROW(iotSiteWise, "PutAssetPropertyValues", NULL, "values of properties of assets")

struct way {
	const char *kind, *event, *resource;
};
#define ROW(name, of, field, text) static const struct way way_##name = { #name, of, field };
KINDS
#undef ROW

/* One event under way. */
struct flying {
	sem_t *landed;
	int error;
	bool ended;         /* the runtime ends: it was not carried out */
	char why[256];
};

static void finished(struct sk_request *request, const struct sk_answer *a)
{
	struct flying *f = request->finish_ctx;

	f->error = a->error;
	f->ended = !a->outgoing;
	if (a->error && a->message)
		snprintf(f->why, sizeof f->why, "%s", a->message);
	sem_post(f->landed);
}

static void set_payload(struct sk_arena *a, cJSON *in, const struct sk_sink_item *item)
{
	cJSON *payload = sk_json_parse(a, item->payload, item->size, NULL, NULL);

	if (payload)
		sk_json_set(a, in, "payload", payload);
	else
		sk_json_set_string(a, in, "payloadBase64", sk_base64_text(a, item->payload, item->size));
}

static cJSON *input_of(struct sk_arena *a, const char *kind, const struct sk_sink_item *item)
{
	cJSON *in = sk_json_object(a), *fields = sk_json_set_object(a, in, "fields");

	sk_json_set_string(a, in, "kind", kind);
	for (size_t i = 0; i < item->fields; i++)
		sk_json_set_string(a, fields, item->field[i].path, item->field[i].text);
	sk_json_set_string(a, in, "id", item->id);
	sk_json_set_string(a, in, "topic", item->topic);
	sk_json_set_string(a, in, "clientId", item->client_id);
	sk_json_set_int(a, in, "timestamp", item->time_ms);
	if (!strcmp(kind, "lambda")) {
		sk_json_set_string(a, in, "functionName", sk_sink_text(item, "functionArn"));
		sk_json_set_string(a, in, "invocationType", "Event");
	}
	set_payload(a, in, item);
	return in;
}

/* 0: finished() will be called, or has been. */
static int submit(struct sk_row *row, const char *kind, const struct sk_sink_item *item, struct flying *f, struct sk_arena *a)
{
	static const struct sk_caller us = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };
	const char *message = NULL;
	const cJSON *in = input_of(a, kind, item);
	size_t size = 0;
	const char *text = sk_json_print(a, in, &size);
	struct sk_invocation v = { .row = row, .internal = true, .caller = &us, .in = in, .text = text, .size = size, .finish = finished, .ctx = f };

	int rc = text ? sk_runtime_invoke(sk_process(), &v, a, &message) : SK_E_UNAVAILABLE;
	if (!rc)
		return 0;
	f->error = rc;
	if (message)
		snprintf(f->why, sizeof f->why, "%s", message);
	return rc;
}

static void judge(struct sk_sink_item *item, const struct flying *f, struct sk_arena *a)
{
	bool again = f->ended || f->error == SK_E_THROTTLING || f->error == SK_E_UNAVAILABLE;

	item->result = again ? SK_SUNK_RETRY : f->error ? SK_SUNK_FAIL : SK_SUNK_OK;
	item->why = f->ended ? "the broker ends" : !f->error ? NULL : *f->why ? sk_strdup(a, f->why) : "it was refused without a reason";
}

static void invoke(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	const struct way *w = sink;
	struct sk_row *row = sk_runtime_event(sk_process(), w->event);
	struct flying flying[BATCH] = { 0 };
	size_t open = 0;
	sem_t landed;

	if (n > BATCH)
		n = BATCH; /* it is the most that a batch has (most_items) */
	sk_sink_all(item, n, SK_SUNK_FAIL, sk_printf(a, "nothing here carries out %s actions", w->kind));
	if (!row)
		return;
	sem_init(&landed, 0, 0);
	for (size_t i = 0; i < n; i++) {
		flying[i].landed = &landed;
		open += !submit(row, w->kind, item[i], &flying[i], a);
	}
	while (open)
		open -= sk_wait_posted(&landed, INT64_MAX);
	for (size_t i = 0; i < n; i++)
		judge(item[i], &flying[i], a);
	sem_destroy(&landed);
}

static void end(void *sink)
{
	(void)sink;
}

static const char *lane_name(const struct way *w, const cJSON *fields, struct sk_arena *a, const char **why)
{
	const char *resource = w->resource ? sk_json_text(fields, w->resource) : NULL;

	if (sk_runtime_event(sk_process(), w->event))
		return sk_strdup(a, resource ? resource : "this broker");
	*why = sk_printf(a, "nothing here carries out %s actions", w->kind);
	return NULL;
}

#define ROW(name, of, field, text) \
	static const char *lane_##name(const cJSON *fields, struct sk_arena *a, const char **why) \
	{ \
		return lane_name(&way_##name, fields, a, why); \
	} \
	static void *open_##name(void *state, const cJSON *fields, char *why, size_t why_size) \
	{ \
		(void)state, (void)fields, (void)why, (void)why_size; \
		return (void *)&way_##name; \
	}
KINDS
#undef ROW

const struct sk_sink engine_sinks[] = {
#define ROW(name, of, field, text) { .kind = #name, .prose = text, .lane = lane_##name, .most_items = BATCH, .open = open_##name, .deliver = invoke, .close = end },
	KINDS
#undef ROW
	{ 0 }
};
