/* invoke.c -- see invoke.h. A row of the partition `broker` runs on the broker's thread, as in control.c; all others are submitted. */
#include "core/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "core/runtime.h"
#include "core/threads.h"

#define CALL_MEMORY (64u << 20)
#define TOGETHER 8

struct on_broker { /* a call that waits for the broker's thread */
	struct sk_runtime *rt;
	struct sk_request *request;
};

static int run_there(struct sk_call *c, struct sk_request *r)
{
	const char *message;
	c->caller = &r->caller;
	c->state = r->row->owner->state;
	c->operation = r->row->name;
	c->in = sk_json_parse(c->arena, r->payload, r->payload_size, NULL, NULL);
	c->out = sk_json_object(c->arena);
	if (c->in && r->row->inputs && sk_inputs_check(r->row->inputs, c->arena, c->in, &message))
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s", message ? message : "");
	int rc = c->in ? r->row->handler(c) : SK_E_UNAVAILABLE;
	return c->arena->failed ? SK_E_UNAVAILABLE : rc;
}

static void on_broker_thread(void *arg)
{
	struct on_broker *b = arg;
	struct sk_request *r = b->request;
	struct sk_arena arena;
	struct sk_call c = { .arena = &arena };
	struct sk_out_list out;
	sk_arena_init(&arena, CALL_MEMORY);
	sk_out_list_init(&out);
	SK_COUNT(r->row->count.calls);
	int rc = run_there(&c, r);
	struct sk_answer a = { .error = rc, .message = c.message, .out = rc ? c.error_fields : c.out, .quiet = true, .arena = &arena, .outgoing = &out };
	if (rc)
		SK_COUNT(r->row->count.errors);
	r->finish(r, &a);
	sk_outbox_push(&b->rt->outbox, &out, b->rt->host);
	sk_arena_free(&arena);
	sk_request_free(r);
	free(b);
}

static void never_ran(void *arg)
{
	struct on_broker *b = arg;
	sk_request_abandon(b->request);
	free(b);
}

static int hand_to_broker(struct sk_runtime *rt, struct sk_request *r)
{
	struct sk_out_list out;
	struct on_broker *b = malloc(sizeof *b);
	sk_out_list_init(&out);
	out.home = &rt->outbox.others;
	struct sk_outgoing *item = b ? sk_out_add(&out, SK_OUT_CALL, NULL, NULL, NULL, 0) : NULL;
	if (!item) {
		free(b);
		return SK_E_UNAVAILABLE;
	}
	*b = (struct on_broker){ rt, r };
	item->call = on_broker_thread;
	item->drop = never_ran;
	item->state = b;
	sk_outbox_push(&rt->outbox, &out, rt->host);
	return 0;
}

static int submit(struct sk_runtime *rt, struct sk_request *r, bool internal)
{
	if ((atomic_load(&rt->stopping) && !internal) || (r->lane == SK_LANE_DEVICE && rt->store->ops->pressed(rt->store)))
		return SK_E_UNAVAILABLE;
	if (!strcmp(r->row->partition, "broker"))
		return hand_to_broker(rt, r);
	if (!sk_runtime_submit(rt, r))
		return 0;
	SK_COUNT(rt->count.refused_inbox);
	SK_COUNT(r->row->count.refused);
	return SK_E_THROTTLING;
}

/* A name that cannot be a partition is in most cases one that the row refuses in AWS's words. */
static int why_no_partition(const struct sk_invocation *v, struct sk_arena *a, const char **message)
{
	if (!v->row->inputs || !sk_inputs_check(v->row->inputs, a, v->in, message))
		*message = "A name in the request is empty, too long or holds a slash";
	return SK_E_INVALID_REQUEST;
}

static int route(const struct sk_invocation *v, struct sk_request *r, struct sk_arena *a, const char **message)
{
	if (!strcmp(r->row->partition, "broker"))
		return 0;
	int routed = sk_request_route(r, v->in);
	return !routed ? 0 : routed == SK_ROUTE_NAME ? why_no_partition(v, a, message) : SK_E_UNAVAILABLE;
}

/* 0, or -1: memory is out. */
static int copy_body(struct sk_request *r, const struct sk_invocation *v)
{
	if (!v->body)
		return 0;
	r->body = malloc(v->body_size + 1);
	if (!r->body)
		return -1;
	memcpy(r->body, v->body, v->body_size);
	r->body[v->body_size] = '\0';
	r->body_size = v->body_size;
	r->bytes += v->body_size;
	return 0;
}

/* -- calls that come together -- */

static __thread struct { uint32_t workers; int calls; } together;

void sk_invoke_begin(void)
{
	sk_threads_gather(&together.workers);
}

void sk_invoke_end(struct sk_runtime *rt)
{
	uint32_t left = together.workers;
	together.workers = 0;
	together.calls = 0;
	sk_threads_gather(NULL);
	for (; left; left &= left - 1)
		rt->host->wake_thread(rt->host->ctx, __builtin_ctz(left));
}

static void count_together(struct sk_runtime *rt)
{
	if (!together.workers || ++together.calls < TOGETHER)
		return;
	sk_invoke_end(rt);
	sk_invoke_begin();
}

int sk_runtime_invoke(struct sk_runtime *rt, const struct sk_invocation *v, struct sk_arena *a, const char **message)
{
	struct sk_request *r = sk_request_new(v->row, v->internal ? SK_LANE_INTERNAL : SK_LANE_DEVICE, v->caller, NULL, v->text, v->size);
	*message = NULL;
	if (!r)
		return SK_E_UNAVAILABLE;
	r->finish = v->finish;
	r->finish_ctx = v->ctx;
	r->depth = v->depth;
	r->arrived_us = rt->host->mono_us(rt->host->ctx);
	int rc = copy_body(r, v) ? SK_E_UNAVAILABLE : route(v, r, a, message);
	if (!rc)
		rc = submit(rt, r, v->internal);
	if (rc)
		sk_request_free(r);
	else
		count_together(rt);
	return rc;
}
