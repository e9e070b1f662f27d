/* broker_admission.c -- which publishes become calls: rate, calls in flight, room in the inbox.
 *
 * AWS's defaults for service topics are 100 requests a second and 10 in flight per connection. A refused call still goes to the small
 * reject lane, where a worker reads its clientToken and answers AWS's 429. Operators are not limited. When that lane is full too, nobody
 * will answer, and the PUBACK is all that can say so. */
#include "core/broker_internal.h"

#include <string.h>

#define GATHER_MOST 16
#define GATHER_US 200

/* The workers are woken once for what one turn of the loop brings, so that they find it together: a call that wakes its worker alone
 * is run, committed and answered alone, at several times the price. A long turn does not keep them waiting. */
static int submit(struct sk_request *r)
{
	int64_t now = r->arrived_us;
	if (sk_runtime_submit(sk_broker.rt, r))
		return -1;
	if (!sk_broker.gathered++)
		sk_broker.gathered_at = now;
	else if (sk_broker.gathered >= GATHER_MOST || now - sk_broker.gathered_at >= GATHER_US)
		sk_broker_ring();
	return 0;
}

/* One token per request; the bucket holds a second's worth. */
static bool take_token(struct sk_client *c, int64_t now_us)
{
	int64_t rate = sk_broker.options->device_rate;
	if (!rate)
		return true;
	int64_t fresh = (now_us - c->tokens_at) * rate / 1000000;
	if (fresh > 0) {
		bool full = c->tokens + fresh >= rate;
		c->tokens = (int32_t)(full ? rate : c->tokens + fresh);
		c->tokens_at = full ? now_us : c->tokens_at + (fresh * 1000000 + rate - 1) / rate; /* a part of a token is not lost */
	}
	if (c->tokens <= 0)
		return false;
	c->tokens--;
	return true;
}

static bool admissible(struct sk_client *c, int64_t now_us)
{
	struct sk_runtime *rt = sk_broker.rt;
	if (sk_broker.options->device_in_flight && c->in_flight >= sk_broker.options->device_in_flight) {
		SK_COUNT(rt->count.refused_in_flight);
		return false;
	}
	if (!take_token(c, now_us)) {
		SK_COUNT(rt->count.refused_rate);
		return false;
	}
	return true;
}

/* A name that cannot be a partition still gets its answer: the handler checks names before it writes. */
static int route(struct sk_request *r)
{
	int rc = sk_request_route(r, NULL);
	if (rc == SK_ROUTE_NAME)
		rc = (r->partition = strdup("any/aa")) ? 0 : -1;
	return rc;
}

static struct sk_request *make(struct sk_client *c, const struct sk_topic_match *m, const char *topic, const void *payload, size_t size)
{
	struct sk_row *row = m->row;
	enum sk_lane lane = c->is_operator ? SK_LANE_OPERATOR : SK_LANE_DEVICE;
	struct sk_caller caller = { .kind = SK_DEVICE, .client_id = c->id, .principal = c->username ? c->username : "" };
	bool too_large = row->limit && size > row->limit(row->owner->state);
	struct sk_request *r = sk_request_new(row, lane, &caller, topic, too_large ? NULL : size ? payload : "", size);
	if (!r)
		return NULL;
	r->client = c->handle;
	r->generation = c->generation;
	r->arrived_us = sk_mono_us();
	r->match = *m;
	for (size_t i = 0; i < m->captures; i++)
		r->match.capture[i].at = r->topic + (m->capture[i].at - topic);
	if (route(r)) {
		sk_request_free(r);
		return NULL;
	}
	return r;
}

static bool refuse(struct sk_client *c, struct sk_request *r)
{
	struct sk_runtime *rt = sk_broker.rt;
	SK_COUNT(r->row->count.refused);
	r->lane = SK_LANE_REJECT;
	r->refused = true;
	if (submit(r)) {
		SK_COUNT(rt->count.reject_dropped);
		sk_request_free(r);
		return false;
	}
	c->in_flight++;
	return true;
}

bool sk_admit(struct sk_client *c, const struct sk_topic_match *m, const char *topic, const void *payload, size_t size)
{
	struct sk_runtime *rt = sk_broker.rt;
	struct sk_request *r = make(c, m, topic, payload, size);
	if (!r) {
		SK_COUNT(rt->count.memory_failures);
		return false;
	}
	if (!c->is_operator && (rt->stopping || !admissible(c, r->arrived_us)))
		return refuse(c, r);
	if ((r->lane == SK_LANE_DEVICE && rt->store->ops->pressed(rt->store)) || submit(r)) {
		SK_COUNT(rt->count.refused_inbox);
		return refuse(c, r);
	}
	c->in_flight++;
	return true;
}

void sk_admitted_finished(void *ctx, const struct sk_outgoing *item)
{
	struct sk_client *c = sk_clients_at(item->client, item->generation);
	(void)ctx;
	if (c && c->in_flight > 0)
		c->in_flight--;
}

void sk_admit_control(struct sk_client *c, const void *payload, size_t size)
{
	struct sk_runtime *rt = sk_broker.rt;
	struct sk_caller caller = { .kind = SK_OPERATOR, .client_id = c->id, .principal = c->username ? c->username : "" };
	struct sk_request *r = sk_control_request(rt, &caller, payload, size);
	if (!r) {
		SK_COUNT(rt->count.memory_failures);
		return;
	}
	r->client = c->handle;
	r->generation = c->generation;
	r->arrived_us = sk_mono_us();
	if (submit(r))
		sk_request_free(r);
	else
		c->in_flight++;
}
