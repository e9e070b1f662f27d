/* effects.c -- durable effects: a record in the commit that made them, gone when their work is done.
 *
 * An effect is an event. Every row of that event gets a request in its own partition; when the last of them is through and what
 * it sent has been handed to the broker, one more call removes the record. After a crash the records that are left run again:
 * at least once, so handlers of events are idempotent. */
#include "core/call_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_DONE "skeeter:effect-done"
#define RETRY_FIRST_US 100000
#define RETRY_MOST_US 60000000

static const struct sk_caller internal = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };

static struct sk_effect *effect_new(struct sk_runtime *rt, const char *key)
{
	size_t n = strlen(key) + 1;
	struct sk_effect *e = malloc(sizeof *e + n);
	if (!e)
		return NULL;
	e->rt = rt;
	e->partition = sk_key_partition(key);
	atomic_init(&e->left, 0);
	atomic_init(&e->lost, false);
	memcpy(e->key, key, n);
	return e;
}

bool sk_error_passes_by(int result)
{
	return result == SK_E_UNAVAILABLE || result == SK_E_THROTTLING || result == SK_E_INTERNAL;
}

/* -- dispatch -- */

struct dispatch {
	struct sk_runtime *rt;
	struct sk_effect *effect;
	const cJSON *input;
	const char *text;
	size_t size;
	int depth;
	struct sk_request *list;
	int count;
	bool failed; /* memory was out for one of them */
};

static void request_for(struct sk_row *row, void *ctx)
{
	struct dispatch *d = ctx;
	struct sk_request *r = sk_request_new(row, SK_LANE_INTERNAL, &internal, NULL, d->text, d->size);
	int routed = r ? sk_request_route(r, d->input) : SK_ROUTE_MEMORY;
	if (routed) {
		d->failed = d->failed || routed == SK_ROUTE_MEMORY;
		if (routed != SK_ROUTE_MEMORY)
			sk_log('e', row->owner->plugin->name, "event %s has no usable partition %s", row->name, row->partition);
		sk_request_free(r);
		return;
	}
	r->effect = d->effect;
	r->depth = d->depth;
	r->next = d->list;
	d->list = r;
	d->count++;
}

static void submit_now(struct sk_runtime *rt, struct sk_request *r)
{
	r->arrived_us = rt->host->mono_us(rt->host->ctx);
	if (sk_runtime_submit(rt, r))
		sk_request_free(r);
}

static void try_again(struct sk_runtime *rt, const struct sk_request *r)
{
	struct sk_request *again = sk_request_new(r->row, SK_LANE_INTERNAL, &internal, NULL, r->payload, r->payload_size);
	if (!again || !(again->partition = strdup(r->partition))) {
		SK_COUNT(rt->count.memory_failures);
		sk_request_free(again);
		if (r->effect)
			sk_effect_abandon(r->effect);
		return;
	}
	again->effect = r->effect;
	again->finish = r->finish;
	again->finish_ctx = r->finish_ctx;
	again->depth = r->depth;
	again->attempts = r->attempts + 1;
	int64_t wait = again->attempts > 10 ? RETRY_MOST_US : RETRY_FIRST_US << (again->attempts - 1);
	SK_COUNT(rt->count.effects_retried);
	sk_keeper_retry(rt->keeper, again, rt->host->mono_us(rt->host->ctx) + (wait > RETRY_MOST_US ? RETRY_MOST_US : wait));
}

static void removed(struct sk_request *r, const struct sk_answer *a)
{
	if (a->outgoing && sk_error_passes_by(a->error))
		try_again(r->finish_ctx, r);
}

/* All is done: one more call removes the record. If that cannot be asked for, the effect runs once more after the next start. */
static void submit_done(struct sk_effect *e)
{
	struct sk_runtime *rt = e->rt;
	struct sk_arena a;
	size_t n;
	SK_POINT(rt->host, "effect.through");
	sk_arena_init(&a, 0);
	cJSON *in = sk_json_object(&a);
	sk_json_set_string(&a, in, "key", e->key);
	const char *text = sk_json_print(&a, in, &n);
	struct sk_request *r = text && !a.failed ? sk_request_new(sk_runtime_event(rt, EVENT_DONE), SK_LANE_INTERNAL, &internal, NULL, text, n) : NULL;
	if (r && (r->partition = strndup(e->key, e->partition))) {
		r->finish = removed;
		r->finish_ctx = rt;
		submit_now(rt, r);
	} else {
		SK_COUNT(rt->count.memory_failures);
		sk_request_free(r);
	}
	sk_arena_free(&a);
	free(e);
}

/* One part of the effect is through; with the last one the effect is. */
static void part_is_through(struct sk_effect *e)
{
	if (atomic_fetch_sub(&e->left, 1) != 1)
		return;
	if (atomic_load(&e->lost))
		free(e);
	else
		submit_done(e);
}

void sk_effect_abandon(struct sk_effect *e)
{
	atomic_store(&e->lost, true);
	part_is_through(e);
}

static void send_requests(struct dispatch *d)
{
	if (!d->count) {
		submit_done(d->effect);
		return;
	}
	atomic_store(&d->effect->left, d->count);
	while (d->list) {
		struct sk_request *r = d->list;
		d->list = r->next;
		submit_now(d->rt, r);
	}
	SK_POINT(d->rt->host, "effect.sent");
}

static void drop_requests(struct dispatch *d)
{
	while (d->list) {
		struct sk_request *r = d->list;
		d->list = r->next;
		sk_request_free(r);
	}
	free(d->effect);
	d->effect = NULL;
}

/* record: {"event","input","depth"}. -1: memory is out or the record is not one of ours. */
static int dispatch(struct sk_runtime *rt, const char *key, const char *record, size_t size)
{
	struct sk_arena a;
	sk_arena_init(&a, 0);
	const cJSON *tree = sk_json_parse(&a, record, size, NULL, NULL);
	const char *event = sk_json_text(tree, "event");
	struct dispatch d = { .rt = rt, .input = sk_json_get(tree, "input"), .depth = (int)sk_json_int_of(tree, "depth", 1) };
	d.text = sk_json_print(&a, d.input, &d.size);
	d.effect = event && d.text && !a.failed ? effect_new(rt, key) : NULL;
	if (d.effect)
		sk_runtime_each_event(rt, event, request_for, &d);
	if (d.effect && !d.failed) {
		SK_COUNT(rt->count.effects);
		send_requests(&d);
	} else {
		drop_requests(&d);
	}
	sk_arena_free(&a);
	return d.effect ? 0 : -1;
}

void sk_effects_after_commit(struct sk_run *run, struct sk_slot *slot)
{
	struct sk_runtime *rt = run->worker->rt;
	struct sk_emitted *first = NULL;
	while (slot->emitted) { /* the list is newest first: events leave in the order they were made */
		struct sk_emitted *e = slot->emitted;
		slot->emitted = e->next;
		e->next = first;
		first = e;
	}
	for (; first; first = first->next)
		if (dispatch(rt, first->key, first->input, strlen(first->input)))
			SK_COUNT(rt->count.memory_failures);
	for (struct sk_pending_timer *t = slot->timers; t; t = t->next)
		if (t->name)
			sk_keeper_arm(rt->keeper, t->due_ms, run->partition->name, t->name, t->generation);
}

/* -- replay -- */

static int replay_one(void *ctx, const struct sk_scan_item *item)
{
	struct sk_runtime *rt = ctx;
	SK_COUNT(rt->count.effects_replayed);
	if (dispatch(rt, item->key, item->bytes->data, item->bytes->size))
		sk_log('e', "core", "the durable effect %s cannot be replayed", item->key);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

int sk_effects_replay(struct sk_runtime *rt)
{
	return rt->store->ops->scan(rt->store, SK_EFFECT, "", NULL, 0, replay_one, rt);
}

/* -- the end of one request -- */

/* Broker thread: all that the effect's requests sent before has been handed over. */
static void finished(void *arg)
{
	part_is_through(arg);
}

static void dropped(void *arg)
{
	sk_effect_abandon(arg);
}

void sk_effect_done(struct sk_worker *w, struct sk_request *r, int result)
{
	if (sk_error_passes_by(result)) {
		try_again(w->rt, r);
		return;
	}
	if (result)
		sk_log('w', r->row->owner->plugin->name, "event %s was refused for good", r->row->name);
	struct sk_outgoing *item = sk_out_add(&w->out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item) {
		SK_COUNT(w->rt->count.memory_failures);
		sk_effect_abandon(r->effect);
		return;
	}
	item->call = finished;
	item->drop = dropped;
	item->state = r->effect;
}

/* -- core's own events -- */

static int effect_done(struct sk_call *c)
{
	SK_COUNT(sk_slot_of(c)->run->worker->rt->count.effects_done);
	sk_call_write(c, SK_EFFECT, sk_json_text(c->in, "key"), NULL, 0);
	return SK_OK;
}

static int durable_publish(struct sk_call *c)
{
	const char *topic = sk_json_text(c->in, "topic"), *base64 = sk_json_text(c->in, "payload");
	size_t n = base64 ? strlen(base64) : 0;
	unsigned char *payload = sk_alloc(c->arena, n + 1);
	if (!topic || !payload || n % 4)
		return sk_fail(c, SK_E_INVALID_REQUEST, "not a durable publish");
	int size = EVP_DecodeBlock(payload, (const unsigned char *)base64, (int)n);
	for (size_t i = n; i > 0 && base64[i - 1] == '=' && size > 0; i--)
		size--;
	if (size < 0)
		return sk_fail(c, SK_E_INVALID_REQUEST, "not a durable publish");
	sk_call_publish(c, (int)sk_json_int_of(c->in, "flags", SK_QOS1), payload, (size_t)size, topic);
	return SK_OK;
}

/* A due timer's request has this row; the runtime finds the real one in the timer's record (run.c). */
static int timer_row(struct sk_call *c)
{
	return sk_fail(c, SK_E_INTERNAL, "not a timer");
}

static const struct sk_on on[] = {
	{ EVENT_DONE, effect_done, "any" },
	{ SK_EVENT_PUBLISH, durable_publish, "any" },
	{ SK_EVENT_TIMER, timer_row, "any" },
	{ 0 },
};
const struct sk_plugin sk_core_effects = { .name = "core", .prose = "store, workers, timers, $CONTROL", .on = on };
