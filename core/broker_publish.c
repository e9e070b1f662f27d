/* broker_publish.c -- the host's side of the outbox: messages, disconnects and log lines, on the broker thread. */
#include "core/broker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KICK_US 1000 /* a turn's */

/* Takes over nothing of ours: the broker wants memory of its own allocator. */
static int give_to_broker(const char *client_id, const struct sk_outgoing *item)
{
	void *payload = NULL;
	if (item->payload_size) {
		payload = mosquitto_malloc(item->payload_size);
		if (!payload)
			return MOSQ_ERR_NOMEM;
		memcpy(payload, item->payload, item->payload_size);
	}
	mosquitto_property *properties = NULL;
	int rc = sk_broker_properties(&properties, item->properties, item->properties_size);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_broker_publish(client_id, item->topic, (int)item->payload_size, payload, item->qos, item->retain, properties);
	if (rc != MOSQ_ERR_SUCCESS) {
		mosquitto_free(payload);
		sk_broker_properties_free(&properties);
	}
	return rc;
}

/* A publish of ours may be input for a row: it enters like a client's, one deeper. */
static void enter(const struct sk_outgoing *item, const struct sk_topic_match *found)
{
	struct sk_runtime *rt = sk_broker.rt;
	static const struct sk_caller us = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };
	struct sk_request *r = sk_request_new(found->row, SK_LANE_INTERNAL, &us, item->topic, item->payload, item->payload_size);
	if (!r)
		return;
	r->depth = item->depth;
	r->arrived_us = sk_mono_us();
	if (!sk_trie_find(rt->trie, r->topic, &r->match) || sk_request_route(r, NULL) || sk_runtime_submit(rt, r))
		sk_request_free(r);
}

/* For rows and listeners alike: nothing goes round for ever. */
static bool too_deep(const struct sk_outgoing *item)
{
	if (item->depth <= SK_MAX_DEPTH_OF_PUBLISHES)
		return false;
	SK_COUNT(sk_broker.rt->count.depth_refused);
	return true;
}

static void go_on(const struct sk_outgoing *item, const struct sk_topic_match *m)
{
	if ((!m->row && !*sk_broker.listeners) || too_deep(item))
		return;
	if (m->row)
		enter(item, m);
	if (*sk_broker.listeners)
		sk_feed_ours(item, NULL);
}

/* What no subscriber may see. */
static bool took_directly(const struct sk_outgoing *item, const struct sk_topic_match *m)
{
	const struct sk_row *row = m->row;
	if (!row || row->handler)
		return false;
	if (!too_deep(item))
		sk_feed_ours(item, m);
	return true;
}

void sk_host_publish(void *ctx, const struct sk_outgoing *item)
{
	struct sk_runtime *rt = sk_broker.rt;
	const struct sk_client *to = NULL;
	struct sk_topic_match m = { 0 };
	(void)ctx;
	if (item->kind == SK_OUT_REPLY) {
		to = sk_clients_at(item->client, item->generation);
		if (!to || !to->online) {
			SK_COUNT(rt->count.replies_stale);
			return;
		}
	}
	if (item->topic[0] == '$' && item->kind == SK_OUT_PUBLISH && !item->foreign && !sk_trie_find(rt->trie, item->topic, &m))
		m.row = NULL;
	if (took_directly(item, &m))
		return;
	if (give_to_broker(to ? to->id : NULL, item) != MOSQ_ERR_SUCCESS) {
		SK_COUNT(rt->count.publish_failures);
		return;
	}
	SK_COUNT(rt->count.publishes);
	sk_broker.published++;
	if (!to && !item->foreign)
		go_on(item, &m);
}

/* -- disconnects: only from TICK, never inside another callback, and after the messages that were released before -- */

static char *dup_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static int queue_kick(struct sk_kick kick)
{
	struct sk_kick *k = malloc(sizeof *k);
	bool first = true;
	if (k) {
		*k = kick;
		k->next = NULL;
		first = !sk_broker.kicks;
		if (first)
			sk_broker.kicks_tail = &sk_broker.kicks;
		*sk_broker.kicks_tail = k;
		sk_broker.kicks_tail = &k->next;
	}
	atomic_store(&sk_broker.rt->outbox.filled, true);
	if (first)
		sk_wake_again();
	return k ? 0 : -1;
}

void sk_host_kick(void *ctx, const struct sk_outgoing *item)
{
	(void)ctx;
	struct sk_kick kick = { .reason = SK_REASON_SERVER, .username = dup_or_null(item->topic), .client_id = dup_or_null(item->client_id),
	                        .why = dup_or_null(item->payload) };
	if (queue_kick(kick))
		SK_COUNT(sk_broker.rt->count.memory_failures);
}

/* A revoked connection ends also when memory is out. */
void sk_client_kick(struct sk_client *c, const char *why)
{
	if (!queue_kick((struct sk_kick){ .reason = SK_REASON_FORBIDDEN, .generation = c->generation, .handle = c->handle, .why = dup_or_null(why) }))
		return;
	c->doomed = sk_broker.doomed = true;
}

static void kick_by_id(const char *id, const char *why)
{
	if (mosquitto_kick_client_by_clientid(id, true) != MOSQ_ERR_SUCCESS)
		return;
	SK_COUNT(sk_broker.rt->count.kicks);
	mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: disconnected %s: %s", id, why ? why : "");
}

static void kick_by_username(const char *username, const char *why)
{
	if (mosquitto_kick_client_by_username(username, true) != MOSQ_ERR_SUCCESS)
		return;
	SK_COUNT(sk_broker.rt->count.kicks);
	mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: disconnected %s: %s", username, why ? why : "");
}

/* The id is the broker's own text while the client is there, but kicking may free it: a copy is used. */
static void kick_client(const struct sk_client *c, const char *why)
{
	char id[65536];
	if (!c || !c->online)
		return;
	snprintf(id, sizeof id, "%s", c->id);
	kick_by_id(id, why);
}

static void kick(const struct sk_kick *k)
{
	if (k->generation)
		kick_client(sk_clients_at(k->handle, k->generation), k->why);
	else if (k->client_id)
		kick_by_id(k->client_id, k->why);
	else if (k->username)
		kick_by_username(k->username, k->why);
}

static void kick_free(struct sk_kick *k)
{
	free(k->username);
	free(k->client_id);
	free(k->why);
	free(k);
}

/* Puts back those that a turn had no time for, before what was queued meanwhile. */
static void kick_later(struct sk_kick *rest, struct sk_kick **tail)
{
	*tail = sk_broker.kicks;
	if (!sk_broker.kicks)
		sk_broker.kicks_tail = tail;
	sk_broker.kicks = rest;
}

/* A certificate of thousands of connections was revoked: some go in this turn, others in the next. They are denied everything already. */
void sk_kick_due(void)
{
	struct sk_kick *k = sk_broker.kicks, **tail = sk_broker.kicks_tail;
	int64_t stop = k ? sk_mono_us() + KICK_US : 0;
	sk_broker.kicks = NULL;
	while (k && sk_mono_us() < stop) {
		struct sk_kick *next = k->next;
		sk_broker.kicking = &k->reason;
		kick(k);
		sk_broker.kicking = NULL;
		kick_free(k);
		k = next;
	}
	if (k)
		kick_later(k, tail);
	if (!sk_broker.doomed)
		return;
	static const enum sk_reason forbidden = SK_REASON_FORBIDDEN;
	sk_broker.kicking = &forbidden;
	sk_broker.doomed = sk_clients_kick_doomed(kick_client);
	sk_broker.kicking = NULL;
}

void sk_kick_free(void)
{
	while (sk_broker.kicks) {
		struct sk_kick *next = sk_broker.kicks->next;
		kick_free(sk_broker.kicks);
		sk_broker.kicks = next;
	}
}

/* -- log -- */

void sk_host_log(void *ctx, char level, const char *line)
{
	static const struct { char letter; int level; } levels[] = {
		{ 'e', MOSQ_LOG_ERR }, { 'w', MOSQ_LOG_WARNING }, { 'n', MOSQ_LOG_NOTICE }, { 'i', MOSQ_LOG_INFO }, { 'd', MOSQ_LOG_DEBUG },
	};
	(void)ctx;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (levels[i].letter == level)
			mosquitto_log_printf(levels[i].level, "%s", line);
}
