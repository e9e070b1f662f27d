/* effects.c -- durable effects: a record in the commit that made them, gone when their work is done.
 *
 * An effect is an event. Every row of that event gets a request in its own partition; when the last of them is through and what
 * it sent has been handed to the broker, one more call removes the record. After a crash the records that are left run again:
 * at least once, so handlers of events are idempotent. */
#include "core/call_internal.h"
#include "core/follower.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_DONE "skeeter:effect-done"
#define RETRY_FIRST_US 100000
#define RETRY_MOST_US 60000000

static const struct sk_caller internal = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };

static void effect_free(struct sk_effect *e)
{
	if (!e)
		return;
	if (e->rt->follower)
		sk_follower_forgets(e->rt->follower, e->key);
	free(e->partition);
	free(e);
}

static struct sk_effect *effect_new(struct sk_runtime *rt, const char *key)
{
	size_t n = strlen(key) + 1;
	struct sk_effect *e = calloc(1, sizeof *e + n);
	if (!e)
		return NULL;
	e->rt = rt;
	memcpy(e->key, key, n);
	if ((e->partition = strndup(key, sk_key_partition(key))) && (!rt->follower || !sk_follower_knows(rt->follower, key)))
		return e;
	free(e->partition);
	free(e);
	return NULL;
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

static void try_again(struct sk_runtime *rt, struct sk_request *r)
{
	int64_t wait = ++r->attempts > 10 ? RETRY_MOST_US : RETRY_FIRST_US << (r->attempts - 1);
	SK_COUNT(rt->count.effects_retried);
	r->again_us = rt->host->mono_us(rt->host->ctx) + (wait > RETRY_MOST_US ? RETRY_MOST_US : wait);
}

static void removed(struct sk_request *r, const struct sk_answer *a)
{
	struct sk_effect *e = r->finish_ctx;
	if (a->outgoing && sk_error_passes_by(a->error))
		try_again(e->rt, r);
	else
		effect_free(e);
}

/* All is done: the last part's request removes the record. */
static void submit_done(struct sk_effect *e, struct sk_request *r)
{
	SK_POINT(e->rt->host, "effect.through");
	sk_request_renew(r);
	if (r->partition != r->rest)
		free(r->partition);
	r->partition = e->partition;
	e->partition = NULL;
	r->row = sk_runtime_event(e->rt, EVENT_DONE);
	r->payload = "{}";
	r->payload_size = 2;
	r->attempts = 0;
	r->effect = NULL;
	r->finish = removed;
	r->finish_ctx = e;
	submit_now(e->rt, r);
}

/* r's part of its effect is through; with the last one the effect is. */
static void part_is_through(struct sk_request *r)
{
	struct sk_effect *e = r->effect;
	bool last = atomic_fetch_sub(&e->left, 1) == 1;
	if (last && !atomic_load(&e->lost)) {
		submit_done(e, r);
		return;
	}
	r->effect = NULL;
	sk_request_free(r);
	if (last)
		effect_free(e);
}

void sk_effect_abandon(struct sk_effect *e)
{
	atomic_store(&e->lost, true);
	if (atomic_fetch_sub(&e->left, 1) == 1)
		effect_free(e);
}

static void send_requests(struct sk_effect *e, uint64_t version, struct sk_request *list, int count)
{
	struct sk_runtime *rt = e->rt;
	e->version = version;
	SK_COUNT(rt->count.effects);
	if (!count) {
		submit_done(e, list);
		return;
	}
	atomic_store(&e->left, count);
	while (list) {
		struct sk_request *r = list;
		list = r->next;
		submit_now(rt, r);
	}
	SK_POINT(rt->host, "effect.sent");
}

static void drop_requests(struct sk_effect *e, struct sk_request *list)
{
	while (list) {
		struct sk_request *r = list;
		list = r->next;
		r->effect = NULL;
		sk_request_free(r);
	}
	effect_free(e);
}

/* An event that no row takes still needs a request that removes its record. */
static void request_for_none(struct dispatch *d)
{
	d->list = sk_request_new(sk_runtime_event(d->rt, EVENT_DONE), SK_LANE_INTERNAL, &internal, NULL, "{}", 2);
	d->failed = d->failed || !d->list;
}

enum { PREPARED, NOT_OURS, NO_MEMORY };

/* record: {"event","input","depth"}. Makes the effect and its requests in d. */
static int prepare(struct dispatch *d, const char *key, const char *record, size_t size)
{
	struct sk_arena a;
	sk_arena_init(&a, 0);
	const cJSON *tree = sk_json_parse(&a, record, size, NULL, NULL);
	const char *event = sk_json_text(tree, "event");
	d->input = sk_json_get(tree, "input");
	d->depth = (int)sk_json_int_of(tree, "depth", 1);
	d->text = event ? sk_json_print(&a, d->input, &d->size) : NULL;
	bool failed = a.failed, ours = d->text != NULL;
	d->effect = ours && !failed ? effect_new(d->rt, key) : NULL;
	if (d->effect)
		sk_runtime_each_event(d->rt, event, request_for, d);
	if (d->effect && !d->count && !d->failed)
		request_for_none(d);
	sk_arena_free(&a);
	if (d->effect && !d->failed)
		return PREPARED;
	drop_requests(d->effect, d->list);
	return failed || ours ? NO_MEMORY : NOT_OURS;
}

int sk_effects_prepare(struct sk_slot *slot)
{
	for (struct sk_emitted *e = slot->emitted; e; e = e->next) {
		struct dispatch d = { .rt = slot->run->worker->rt };
		if (e->effect)
			continue;
		int rc = prepare(&d, e->key, e->input, strlen(e->input));
		if (rc == NO_MEMORY)
			return -1;
		if (rc == NOT_OURS)
			continue;
		e->effect = d.effect;
		e->requests = d.list;
		e->count = d.count;
	}
	return 0;
}

void sk_effects_forget(struct sk_slot *slot)
{
	for (struct sk_emitted *e = slot->emitted; e; e = e->next)
		if (e->effect)
			drop_requests(e->effect, e->requests);
	slot->emitted = NULL;
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
		if (first->effect)
			send_requests(first->effect, run->commit.version, first->requests, first->count);
	for (struct sk_pending_timer *t = slot->timers; t; t = t->next)
		if (t->name)
			sk_keeper_arm(rt->keeper, t->due_ms, run->partition->name, t->name, t->generation);
}

/* -- replay -- */

void sk_effects_replay_one(struct sk_runtime *rt, const struct sk_scan_item *item)
{
	struct dispatch d = { .rt = rt };
	SK_COUNT(rt->count.effects_replayed);
	if (prepare(&d, item->key, item->bytes->data, item->bytes->size) == PREPARED)
		send_requests(d.effect, item->version, d.list, d.count);
	else
		sk_log('e', "core", "the durable effect %s cannot be replayed", item->key);
}

static int replay_one(void *ctx, const struct sk_scan_item *item)
{
	sk_effects_replay_one(ctx, item);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

int sk_effects_replay(struct sk_runtime *rt)
{
	return rt->store->ops->scan(rt->store, &(struct sk_store_scan){ .space = SK_EFFECT, .prefix = "", .fn = replay_one, .ctx = rt });
}

/* -- the end of one request -- */

/* Broker thread: all that the effect's requests sent before has been handed over. */
static void finished(void *arg)
{
	part_is_through(arg);
}

static void dropped(void *arg)
{
	sk_request_abandon(arg);
}

bool sk_effect_tell(struct sk_worker *w, struct sk_request *r)
{
	struct sk_outgoing *item = sk_out_add(&w->out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return false;
	item->call = finished;
	item->drop = dropped;
	item->state = r;
	return true;
}

void sk_effect_done(struct sk_worker *w, struct sk_request *r, int result)
{
	if (sk_error_passes_by(result))
		try_again(w->rt, r);
	else if (result)
		sk_log('w', r->row->owner->plugin->name, "event %s was refused for good", r->row->name);
}

/* -- core's own events -- */

static int effect_done(struct sk_call *c)
{
	const struct sk_effect *e = sk_slot_of(c)->request->finish_ctx;
	SK_COUNT(e->rt->count.effects_done);
	sk_call_write(c, SK_EFFECT, e->key, NULL, 0);
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
