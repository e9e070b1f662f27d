/* peek.c -- see peek.h. Distances are from the id's pointer, the same in Debian's builds of 2.0.11 and 2.0.21. */
#include "core/peek.h"

#include <stddef.h>
#include <string.h>

enum { USERNAME = 8, KEEPALIVE = 24, STATE = 28, LAST_IN = 32 };
enum { FIRST = 8, LAST = 64, CLOSE_S = 3 };
enum { STATE_NEW = 0, STATE_CONNECTED = 1, STATE_DISCONNECTING = 2, STATE_ACTIVE = 3, STATE_TAKEN = 17, STATE_WITH_WILL = 18 };

static const void *pointer_at(const struct sk_peek_at *at, int offset)
{
	const void *p;
	memcpy(&p, (const char *)at->object + offset, sizeof p);
	return p;
}

static int state_at(const struct sk_peek_at *at, int offset)
{
	int state;
	memcpy(&state, (const char *)at->object + offset + STATE, sizeof state);
	return state;
}

static int64_t last_in(const struct sk_peek_at *at, int offset)
{
	int64_t t;
	memcpy(&t, (const char *)at->object + offset + LAST_IN, sizeof t);
	return t;
}

static bool fits(const struct sk_peek_at *at, int offset)
{
	uint16_t keepalive;
	memcpy(&keepalive, (const char *)at->object + offset + KEEPALIVE, sizeof keepalive);
	return pointer_at(at, offset) == at->id && pointer_at(at, offset + USERNAME) == at->username && keepalive == at->keepalive;
}

/* Which clock says "just now": the index, or -1. */
static int clock_of(const struct sk_peek_at *at, int offset)
{
	int64_t t = last_in(at, offset);
	for (int i = 0; i < SK_PEEK_CLOCKS; i++)
		if (t >= at->now_s[i] - CLOSE_S && t <= at->now_s[i] + CLOSE_S)
			return i;
	return -1;
}

void sk_peek_learn(struct sk_peek *p, const struct sk_peek_at *at)
{
	int found = 0, offset = 0;
	if (p->offset || p->tries >= SK_PEEK_TRIES || !at->id || !at->username || at->id == at->username)
		return;
	p->tries++;
	for (int o = FIRST; o <= LAST; o += 8)
		if (fits(at, o)) {
			offset = o;
			found++;
		}
	if (found != 1 || state_at(at, offset) != STATE_ACTIVE || clock_of(at, offset) < 0)
		return;
	p->clock = clock_of(at, offset);
	p->offset = offset;
}

static enum sk_peeked while_active(const struct sk_peek *p, const struct sk_peek_at *at)
{
	int64_t silent = at->now_s[p->clock] - last_in(at, p->offset);
	return at->keepalive && silent * 2 >= at->keepalive * 3 ? SK_PEEK_KEEPALIVE : SK_PEEK_LOST;
}

enum sk_peeked sk_peek_why(const struct sk_peek *p, const struct sk_peek_at *at)
{
	if (!p->offset || !at->id || !fits(at, p->offset))
		return SK_PEEK_UNKNOWN;
	switch (state_at(at, p->offset)) {
	case STATE_NEW:
	case STATE_CONNECTED: return SK_PEEK_CONNECTING;
	case STATE_DISCONNECTING:
	case STATE_WITH_WILL: return SK_PEEK_CLIENT;
	case STATE_ACTIVE: return while_active(p, at);
	case STATE_TAKEN: return SK_PEEK_TAKEN;
	default: return SK_PEEK_UNKNOWN;
	}
}
