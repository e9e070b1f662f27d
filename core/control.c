/* control.c -- $CONTROL/skeeter/v1 in Mosquitto's own envelope: {"commands":[...]} in, {"responses":[...]} out, to the requester only.
 *
 * A worker parses the envelope, checks every command and makes its request; the broker thread only submits them, one after the other:
 * between two commands the job passes through the outbox, so that command i+1 starts after the broker thread has applied what
 * command i changed. Answers are put together where the commands end, on workers. */
#include "core/call_internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_CONTROL "skeeter:control"
#define JOB_MEMORY (64u << 20)

struct step { /* a command: refused, or a request, or (neither) an operation on the broker thread */
	const cJSON *command;
	struct sk_row *row;
	struct sk_request *request;
	int error;
	const char *message;
};
struct job {
	struct sk_runtime *rt;
	struct sk_arena arena;
	struct sk_caller caller;   /* texts in the arena */
	void *client;
	uint64_t generation;
	struct step *step;
	size_t at, count;
	cJSON *responses;
	struct sk_call call;       /* of an operation on the broker thread */
};

static void go_on(struct job *j, struct sk_out_list *out);

static void job_free(void *arg)
{
	struct job *j = arg;
	for (size_t i = 0; i < j->count; i++)
		sk_request_free(j->step[i].request);
	sk_arena_free(&j->arena);
	free(j);
}

static const char sorry[] = "{\"responses\":[{\"error\":\"The answer needs more memory than there is\",\"code\":\"ServiceUnavailableException\",\"status\":503}]}";

static void reply(struct sk_out_list *out, void *client, uint64_t generation, const char *text, size_t n)
{
	struct sk_outgoing *item = sk_out_add(out, SK_OUT_REPLY, SK_CONTROL_TOPIC "/response", NULL, text, n);
	if (!item) /* perhaps there is memory for less */
		item = sk_out_add(out, SK_OUT_REPLY, SK_CONTROL_TOPIC "/response", NULL, sorry, sizeof sorry - 1);
	if (!item)
		return;
	item->qos = 1;
	item->client = client;
	item->generation = generation;
}

static void respond(struct job *j, struct sk_out_list *out)
{
	size_t n = 0;
	cJSON *envelope = sk_json_object(&j->arena);
	sk_json_set(&j->arena, envelope, "responses", j->responses);
	const char *text = sk_json_print(&j->arena, envelope, &n);
	if (!text || j->arena.failed) {
		text = sorry;
		n = sizeof sorry - 1;
	}
	reply(out, j->client, j->generation, text, n);
	job_free(j);
}

static void respond_now(struct job *j)
{
	struct sk_out_list out;
	struct sk_runtime *rt = j->rt;
	sk_out_list_init(&out);
	respond(j, &out);
	sk_outbox_push(&rt->outbox, &out, rt->host);
}

static cJSON *response_for(struct job *j, const cJSON *command)
{
	cJSON *r = sk_json_append(j->responses, sk_json_object(&j->arena));
	const char *name = sk_json_text(command, "command");
	sk_json_set_string(&j->arena, r, "command", name ? name : "Unknown command");
	const cJSON *data = sk_json_get(command, "correlationData");
	if (data)
		sk_json_set(&j->arena, r, "correlationData", sk_json_copy(&j->arena, data));
	return r;
}

static void answer_error(struct job *j, const struct step *s, const cJSON *fields)
{
	const struct sk_error_info *info = sk_error_of(s->row ? s->row->service : NULL, s->error);
	cJSON *r = response_for(j, s->command);
	sk_json_set_string(&j->arena, r, "error", s->message && *s->message ? s->message : info->name);
	sk_json_set_string(&j->arena, r, "code", info->name);
	sk_json_set_int(&j->arena, r, "status", info->http);
	SK_JSON_EACH(field, fields)
		if (field->string && !sk_json_get(r, field->string))
			sk_json_set(&j->arena, r, field->string, sk_json_copy(&j->arena, field));
}

/* The step at hand came to this. */
static void answer(struct job *j, int error, const char *message, const cJSON *out)
{
	struct step *s = &j->step[j->at++];
	if (!error) {
		sk_json_set(&j->arena, response_for(j, s->command), "data", sk_json_copy(&j->arena, out));
		return;
	}
	s->error = error;
	s->message = message;
	answer_error(j, s, out);
}

/* -- one command after the other -- */

static void finished(struct sk_request *r, const struct sk_answer *a)
{
	struct job *j = r->finish_ctx;
	if (!a->outgoing) {
		job_free(j);
		return;
	}
	answer(j, a->error, a->message, a->out);
	go_on(j, a->outgoing);
}

/* Back to a worker, where answers are printed. */
static void resumed(struct sk_request *r, const struct sk_answer *a)
{
	struct job *j = r->finish_ctx;
	if (a->outgoing)
		go_on(j, a->outgoing);
	else
		job_free(j);
}

static void resume_on_worker(struct job *j)
{
	struct sk_request *r = sk_request_new(sk_runtime_event(j->rt, EVENT_CONTROL), SK_LANE_OPERATOR, &j->caller, NULL, "{}", 2);
	if (!r || sk_request_route(r, NULL)) {
		sk_request_free(r);
		respond_now(j);
		return;
	}
	r->finish = resumed;
	r->finish_ctx = j;
	r->arrived_us = j->rt->host->mono_us(j->rt->host->ctx);
	if (sk_runtime_submit(j->rt, r)) {
		sk_request_free(r);
		respond_now(j);
	}
}

static void on_broker_thread(struct job *j, const struct step *s)
{
	memset(&j->call, 0, sizeof j->call);
	j->call.arena = &j->arena;
	j->call.caller = &j->caller;
	j->call.state = s->row->owner->state;
	j->call.operation = s->row->name;
	j->call.in = s->command;
	j->call.out = sk_json_object(&j->arena);
	SK_COUNT(s->row->count.calls);
	int rc = s->row->handler(&j->call);
	answer(j, rc, j->call.message, rc ? j->call.error_fields : j->call.out);
	resume_on_worker(j);
}

/* Broker thread: what the command before this one changed has been applied. */
static void submit(void *arg)
{
	struct job *j = arg;
	struct step *s = &j->step[j->at];
	struct sk_request *r = s->request;
	SK_POINT(j->rt->host, "control.next");
	if (!r) {
		on_broker_thread(j, s);
		return;
	}
	s->request = NULL;
	r->arrived_us = j->rt->host->mono_us(j->rt->host->ctx);
	if (!sk_runtime_submit(j->rt, r))
		return;
	sk_request_free(r);
	answer(j, SK_E_UNAVAILABLE, NULL, NULL);
	resume_on_worker(j);
}

static void go_on(struct job *j, struct sk_out_list *out)
{
	while (j->at < j->count && j->step[j->at].error)
		answer_error(j, &j->step[j->at++], NULL);
	struct sk_outgoing *item = j->at < j->count ? sk_out_add(out, SK_OUT_CALL, NULL, NULL, NULL, 0) : NULL;
	if (!item) {
		while (j->at < j->count) /* no memory for going on in order: these are not carried out */
			answer(j, SK_E_UNAVAILABLE, "The request needs more memory than there is", NULL);
		respond(j, out);
		return;
	}
	item->call = submit;
	item->drop = job_free;
	item->state = j;
}

/* -- the envelope -- */

static struct job *job_new(struct sk_runtime *rt, const struct sk_request *r)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	sk_arena_init(&j->arena, JOB_MEMORY);
	j->rt = rt;
	j->caller.kind = r->caller.kind;
	j->caller.client_id = sk_strdup(&j->arena, r->caller.client_id);
	j->caller.principal = sk_strdup(&j->arena, r->caller.principal);
	j->client = r->client;
	j->generation = r->generation;
	j->responses = sk_json_array(&j->arena);
	if (!j->arena.failed)
		return j;
	job_free(j);
	return NULL;
}

static struct sk_request *request_for(struct job *j, const struct step *s)
{
	size_t n;
	const char *text = sk_json_print(&j->arena, s->command, &n);
	struct sk_request *r = text ? sk_request_new(s->row, SK_LANE_OPERATOR, &j->caller, NULL, text, n) : NULL;
	if (r) {
		r->finish = finished;
		r->finish_ctx = j;
	}
	return r;
}

static void refuse(struct step *s, int error, const char *message)
{
	s->error = error;
	s->message = message;
}

static void prepare(struct job *j, struct step *s, const cJSON *command)
{
	const char *name = sk_json_text(command, "command"), *message;
	s->command = command;
	s->row = name ? sk_runtime_operation(j->rt, name) : NULL;
	if (!s->row) {
		refuse(s, SK_E_UNKNOWN_OPERATION, name ? sk_printf(&j->arena, "Unknown operation %s", name) : "A command has no name");
		return;
	}
	if (s->row->inputs && sk_inputs_check(s->row->inputs, &j->arena, command, &message)) {
		refuse(s, SK_E_INVALID_REQUEST, message);
		return;
	}
	if (!strcmp(s->row->partition, "broker"))
		return;
	s->request = request_for(j, s);
	int routed = s->request ? sk_request_route(s->request, command) : SK_ROUTE_MEMORY;
	if (routed)
		refuse(s, routed == SK_ROUTE_NAME ? SK_E_INVALID_REQUEST : SK_E_UNAVAILABLE, NULL);
}

/* Mosquitto's own plugins answer a broken envelope with a response whose command is unknown. */
static const char *fault(const struct sk_request *r, const cJSON *envelope, const cJSON *commands)
{
	if (!envelope)
		return r->payload ? "Payload is not valid JSON" : "The envelope is too large";
	return commands && commands->type == cJSON_Array ? NULL : "Invalid/missing commands";
}

static void prepare_all(struct job *j, const struct sk_request *r)
{
	const cJSON *envelope = r->payload ? sk_json_parse(&j->arena, r->payload, r->payload_size, NULL, NULL) : NULL;
	const cJSON *commands = sk_json_get(envelope, "commands");
	const char *why = fault(r, envelope, commands);
	size_t n = why ? 1 : (size_t)sk_json_count(commands);
	j->step = sk_alloc(&j->arena, (n + 1) * sizeof *j->step);
	if (!j->step)
		return;
	if (why) {
		refuse(&j->step[j->count++], SK_E_INVALID_REQUEST, why);
		return;
	}
	SK_JSON_EACH(command, commands)
		prepare(j, &j->step[j->count++], command);
}

static void begin(struct sk_request *r, const struct sk_answer *a)
{
	struct job *j = a->outgoing ? job_new(r->finish_ctx, r) : NULL;
	if (!a->outgoing)
		return;
	if (!j) {
		SK_COUNT(((struct sk_runtime *)r->finish_ctx)->count.memory_failures);
		reply(a->outgoing, r->client, r->generation, sorry, sizeof sorry - 1);
		return;
	}
	prepare_all(j, r);
	go_on(j, a->outgoing);
}

struct sk_request *sk_control_request(struct sk_runtime *rt, const struct sk_caller *caller, const void *payload, size_t size)
{
	struct sk_request *r = sk_request_new(sk_runtime_event(rt, EVENT_CONTROL), SK_LANE_OPERATOR, caller, NULL, payload, size);
	if (!r)
		return NULL;
	r->finish = begin;
	r->finish_ctx = rt;
	if (!sk_request_route(r, NULL))
		return r;
	sk_request_free(r);
	return NULL;
}

/* The work is in begin(), when the call has ended: a handler may touch nothing but its call. */
static int control(struct sk_call *c)
{
	(void)c;
	return SK_OK;
}

static const struct sk_on on[] = {
	{ EVENT_CONTROL, control, "any" },
	{ 0 },
};
const struct sk_plugin sk_core_control = { .name = "core", .prose = "the $CONTROL topic", .on = on };
