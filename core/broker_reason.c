/* broker_reason.c -- why a connection ended. Where the broker does not say it with the event it is what we did ourselves, what
 * a checked look into the broker's client object shows (core/peek.h), or else that the connection was lost. */
#include "core/broker_internal.h"

#include <string.h>
#include <time.h>

static int64_t seconds(clockid_t clock)
{
	struct timespec t = { 0 };
	clock_gettime(clock, &t);
	return t.tv_sec;
}

static struct sk_peek_at look(const struct sk_client *c)
{
	return (struct sk_peek_at){ .object = c->handle, .id = mosquitto_client_id(c->handle), .username = mosquitto_client_username(c->handle),
		.keepalive = mosquitto_client_keepalive(c->handle), .now_s = { seconds(CLOCK_MONOTONIC), seconds(CLOCK_BOOTTIME), seconds(CLOCK_REALTIME) } };
}

void sk_reason_learn(struct sk_client *c)
{
	struct sk_peek_at at;
	if (sk_broker.version->tells_ends || !c->username || sk_broker.peek.offset || sk_broker.peek.tries >= SK_PEEK_TRIES)
		return;
	at = look(c);
	sk_peek_learn(&sk_broker.peek, &at);
}

bool sk_reason_taken_over(const struct sk_client *c)
{
	return sk_broker.connecting_id && sk_broker.connecting != c->handle && !strcmp(sk_broker.connecting_id, c->id);
}

static enum sk_reason by_peek(struct sk_client *c, bool *was_there)
{
	static const enum sk_reason reasons[] = {
		[SK_PEEK_UNKNOWN] = SK_REASON_LOST, [SK_PEEK_CONNECTING] = SK_REASON_LOST, [SK_PEEK_CLIENT] = SK_REASON_CLIENT,
		[SK_PEEK_LOST] = SK_REASON_LOST, [SK_PEEK_KEEPALIVE] = SK_REASON_KEEPALIVE, [SK_PEEK_TAKEN] = SK_REASON_DUPLICATE,
	};
	struct sk_peek_at at = look(c);
	enum sk_peeked seen = sk_peek_why(&sk_broker.peek, &at);
	*was_there = seen > SK_PEEK_CONNECTING;
	return reasons[seen];
}

enum sk_reason sk_reason_why(struct sk_client *c, int code, bool *was_there)
{
	enum sk_reason reason = SK_REASON_LOST;
	*was_there = false;
	if (!sk_broker.version->tells_ends)
		reason = by_peek(c, was_there);
	else
		reason = sk_reason_of_code(code);
	if (c->violated)
		return SK_REASON_AUTH;
	if (sk_broker.kicking)
		return *sk_broker.kicking;
	return sk_reason_taken_over(c) ? SK_REASON_DUPLICATE : reason;
}
