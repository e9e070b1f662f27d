/* devices.c -- the broker's thread without a broker: clients, and core/broker_admission.c as it is.
 *
 * Beside each client stands the rule in its plain form: tokens in fractions, and what it may have in flight. */
#include "core/broker_internal.h"
#include "tests/sim/memory.h"
#include "tests/sim/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 40, IN_FLIGHT = 4 };

struct sk_broker sk_broker;
static struct sk_core_options options = { .device_rate = RATE };
static struct model *now;

int64_t sim_mono_us(void);
int64_t sim_mono_us(void)
{
	return now->s->mono_us;
}

/* Here a worker is woken at once: it steps when the scheduler says. */
void sk_broker_ring(void)
{
	sk_broker.gathered = 0;
}

struct sk_client *sk_clients_at(void *handle, uint64_t generation)
{
	for (int i = 0; i <= DEVICES; i++) {
		struct sk_client *c = i < DEVICES ? &now->device[i].client : &now->operator.client;
		if (c->handle == handle && c->generation == generation)
			return c;
	}
	return NULL;
}

static void connect_new(struct model *m, struct device *d, const char *id)
{
	*d = (struct device){ .client = { .handle = d, .generation = ++m->generation, .id = id, .username = id, .online = true },
		.tokens = RATE, .tokens_at = m->s->mono_us };
}

void devices_start(struct model *m)
{
	static const char *const id[DEVICES] = { "one", "two", "three" };
	now = m;
	sk_broker.rt = m->s->rt;
	sk_broker.options = &options;
	options.device_in_flight = m->crowded ? 0 : IN_FLIGHT;
	for (int i = 0; i < DEVICES; i++)
		connect_new(m, &m->device[i], id[i]);
	connect_new(m, &m->operator, "boss");
	m->operator.client.is_operator = true;
}

void device_reconnect(struct model *m)
{
	struct device *d = &m->device[chance(m, DEVICES)];
	trace(m, "%s connects anew", d->client.id);
	connect_new(m, d, d->client.id);
}

static bool at_limit(int in_flight)
{
	return options.device_in_flight && in_flight >= options.device_in_flight;
}

static void check_admitted(struct model *m, struct device *d, int in_flight, uint64_t refused_rate)
{
	bool by_rate = m->s->rt->count.refused_rate != refused_rate, by_number = at_limit(in_flight);
	if (by_rate)
		MUST(m, d->tokens < 1.05);
	else if (!by_number)
		d->tokens -= 1;
	MUST(m, d->tokens > -0.05);
}

static void inboxes_are_bounded(struct model *m)
{
	size_t limit = m->s->rt->inbox_limit;
	for (int w = 0; w < m->s->workers; w++) {
		struct sk_inbox *in = &m->s->rt->worker[w]->inbox;
		MUST(m, in->bytes[SK_LANE_DEVICE] <= limit && in->bytes[SK_LANE_REJECT] <= limit / 16);
	}
}

static void admit(struct model *m, struct device *d, const char *topic, const char *payload)
{
	struct sk_runtime *rt = sk_broker.rt = m->s->rt;
	struct sk_topic_match match;
	sk_trie_find(rt->trie, topic, &match);
	const struct sk_row *row = match.row;
	double fresh = (double)(m->s->mono_us - d->tokens_at) * RATE / 1e6;
	uint64_t refused = row->count.refused, by_rate = rt->count.refused_rate, memory = rt->count.memory_failures;
	int in_flight = d->client.in_flight;
	d->tokens = fmin(RATE, d->tokens + fresh);
	d->tokens_at = m->s->mono_us;
	sim_memory_world(false);
	sk_admit(&d->client, &match, topic, payload, strlen(payload));
	sim_memory_world(true);
	inboxes_are_bounded(m);
	trace(m, "  %s", row->count.refused == refused ? "admitted" : "refused");
	if (memory == rt->count.memory_failures)
		check_admitted(m, d, in_flight, by_rate);
	MUST(m, row->count.refused != refused || !at_limit(in_flight) || memory != rt->count.memory_failures);
}

void message_new(struct model *m)
{
	char topic[32], script[3000];
	int n = m->messages, thing = (int)chance(m, THINGS);
	struct device *d = &m->device[chance(m, DEVICES)];
	if (n == MESSAGES)
		return;
	m->message[m->messages++].thing = thing;
	snprintf(topic, sizeof topic, "sim/d%d/do", thing);
	int padding = m->crowded ? (int)chance(m, 2500) : 1;
	snprintf(script, sizeof script, "get z;%*sadd m 1; say m %d", padding, " ", n);
	trace(m, "message %d of %s to %s", n, d->client.id, topic);
	admit(m, d, topic, script);
}

void control_send(struct model *m, const char *envelope, size_t size)
{
	sk_broker.rt = m->s->rt;
	sk_admit_control(&m->operator.client, envelope, size);
}

void devices_finished(void *ctx, const struct sk_outgoing *item)
{
	struct model *m = ctx;
	struct sk_client *c = sk_clients_at(item->client, item->generation);
	MUST(m, !c || c->in_flight > 0);
	sk_admitted_finished(NULL, item);
}

/* Nothing is under way any more. */
void devices_check(struct model *m)
{
	for (int i = 0; i < DEVICES; i++)
		MUST(m, m->device[i].client.in_flight == 0);
	MUST(m, m->operator.client.in_flight == 0);
}
