/* control.c -- $CONTROL/skeeter/v1 in Mosquitto's own envelope: {"commands":[...]} in, {"responses":[...]} out, to the requester only.
 *
 * A worker parses the envelope; its commands run one after the other. Between two of them the job passes through the outbox, so that
 * command i+1 starts after the broker thread has applied what command i changed. */
#include "core/call_internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_CONTROL "skeeter:control"
#define JOB_MEMORY (64u << 20)
#define PORTION 16 /* commands of one turn on the broker thread */

struct job {
	struct sk_runtime *rt;
	struct sk_arena arena;
	struct sk_caller caller;   /* texts in the arena */
	void *client;
	uint64_t generation;
	const cJSON *command;      /* the one under way */
	cJSON *responses;
	struct sk_call call;       /* of an operation on the broker thread */
};

static void advance(void *arg);
static bool go_on(struct job *j, struct sk_out_list *out);

static void job_free(void *arg)
{
	struct job *j = arg;
	sk_arena_free(&j->arena);
	free(j);
}

static const char sorry[] = "{\"responses\":[{\"error\":\"The answer needs more memory than there is\",\"code\":\"ServiceUnavailableException\",\"status\":503}]}";

static void reply(struct sk_out_list *out, void *client, uint64_t generation, const char *text, size_t n)
{
	struct sk_outgoing *item = sk_out_add(out, SK_OUT_REPLY, SK_CONTROL_TOPIC "/response", NULL, text, n);
	if (!item)
		return;
	item->qos = 1;
	item->client = client;
	item->generation = generation;
}

static void respond(struct job *j)
{
	struct sk_out_list out;
	size_t n = 0;
	cJSON *envelope = sk_json_object(&j->arena);
	sk_json_set(&j->arena, envelope, "responses", j->responses);
	const char *text = sk_json_print(&j->arena, envelope, &n);
	if (!text || j->arena.failed) {
		text = sorry;
		n = sizeof sorry - 1;
	}
	sk_out_list_init(&out);
	reply(&out, j->client, j->generation, text, n);
	sk_outbox_push(&j->rt->outbox, &out, j->rt->host);
	job_free(j);
}

static cJSON *response_for(struct job *j)
{
	cJSON *r = sk_json_append(j->responses, sk_json_object(&j->arena));
	const char *name = sk_json_text(j->command, "command");
	sk_json_set_string(&j->arena, r, "command", name ? name : "Unknown command");
	const cJSON *data = sk_json_get(j->command, "correlationData");
	if (data)
		sk_json_set(&j->arena, r, "correlationData", sk_json_copy(&j->arena, data));
	return r;
}

static void answer_error(struct job *j, int error, const char *message, const cJSON *fields)
{
	const struct sk_error_info *info = sk_error_info(error);
	cJSON *r = response_for(j);
	sk_json_set_string(&j->arena, r, "error", message && *message ? message : info->name);
	sk_json_set_string(&j->arena, r, "code", info->name);
	sk_json_set_int(&j->arena, r, "status", info->http);
	SK_JSON_EACH(field, fields)
		if (field->string && !sk_json_get(r, field->string))
			sk_json_set(&j->arena, r, field->string, sk_json_copy(&j->arena, field));
}

static void answer_data(struct job *j, const cJSON *out)
{
	cJSON *r = response_for(j);
	sk_json_set(&j->arena, r, "data", sk_json_copy(&j->arena, out));
}

/* -- one command -- */

static void finished(struct sk_request *r, const struct sk_answer *a)
{
	struct job *j = r->finish_ctx;
	if (!a->outgoing) {
		job_free(j);
		return;
	}
	if (a->error)
		answer_error(j, a->error, a->message, a->out);
	else
		answer_data(j, a->out);
	j->command = j->command->next;
	if (!go_on(j, a->outgoing))
		respond(j); /* no memory for going on in order: end here, with what has been done */
}

static void on_broker_thread(struct job *j, struct sk_row *row)
{
	memset(&j->call, 0, sizeof j->call);
	j->call.arena = &j->arena;
	j->call.caller = &j->caller;
	j->call.state = row->owner->state;
	j->call.operation = row->name;
	j->call.in = j->command;
	j->call.out = sk_json_object(&j->arena);
	SK_COUNT(row->count.calls);
	int rc = row->handler(&j->call);
	if (rc)
		answer_error(j, rc, j->call.message, j->call.error_fields);
	else
		answer_data(j, j->call.out);
}

static int send(struct job *j, struct sk_row *row)
{
	size_t n;
	const char *text = sk_json_print(&j->arena, j->command, &n);
	struct sk_request *r = text ? sk_request_new(row, SK_LANE_OPERATOR, &j->caller, NULL, text, n) : NULL;
	if (!r)
		return SK_E_UNAVAILABLE;
	r->finish = finished;
	r->finish_ctx = j;
	r->arrived_us = j->rt->host->mono_us(j->rt->host->ctx);
	int routed = sk_request_route(r, j->command);
	if (routed) {
		sk_request_free(r);
		return routed == SK_ROUTE_NAME ? SK_E_INVALID_REQUEST : SK_E_UNAVAILABLE;
	}
	return sk_runtime_submit(j->rt, r) ? SK_E_UNAVAILABLE : SK_OK;
}

/* true: under way, finished() goes on. false: answered already. */
static bool start(struct job *j)
{
	const char *name = sk_json_text(j->command, "command"), *message;
	struct sk_row *row = name ? sk_runtime_operation(j->rt, name) : NULL;
	if (!row) {
		answer_error(j, SK_E_UNKNOWN_OPERATION, name ? sk_printf(&j->arena, "Unknown operation %s", name) : "A command has no name", NULL);
		return false;
	}
	if (row->inputs && sk_inputs_check(row->inputs, &j->arena, j->command, &message)) {
		answer_error(j, SK_E_INVALID_REQUEST, message, NULL);
		return false;
	}
	if (!strcmp(row->partition, "broker")) {
		on_broker_thread(j, row);
		return false;
	}
	int rc = send(j, row);
	if (rc)
		answer_error(j, rc, NULL, NULL);
	return rc == SK_OK;
}

/* Goes on from the outbox; false: memory is out. */
static bool go_on(struct job *j, struct sk_out_list *out)
{
	struct sk_outgoing *item = sk_out_add(out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return false;
	item->call = advance;
	item->drop = job_free;
	item->state = j;
	return true;
}

/* Broker thread: the first command, or the one after the command that has just been answered. What is answered at once (mistakes,
 * mostly) is done in portions, so that an envelope full of it does not hold the broker up. */
static void advance(void *arg)
{
	struct job *j = arg;
	struct sk_out_list out;
	for (int n = 0; j->command && n < PORTION; n++) {
		if (start(j))
			return;
		j->command = j->command->next;
	}
	sk_out_list_init(&out);
	if (j->command && go_on(j, &out))
		sk_outbox_push(&j->rt->outbox, &out, j->rt->host);
	else
		respond(j);
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

/* Mosquitto's own plugins answer a broken envelope with a response whose command is unknown. */
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
	const cJSON *envelope = !r->payload ? NULL : sk_json_parse(&j->arena, r->payload, r->payload_size, NULL, NULL);
	const cJSON *commands = sk_json_get(envelope, "commands");
	if (!envelope || !commands || commands->type != cJSON_Array)
		answer_error(j, SK_E_INVALID_REQUEST, envelope ? "Invalid/missing commands" : r->payload ? "Payload is not valid JSON" : "The envelope is too large", NULL);
	else
		j->command = commands->child;
	if (!go_on(j, a->outgoing))
		respond(j);
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
