/* heard.c -- what must hold at the moment at which the world hears something: an answer, a publish, a reply. What is heard is stored,
 * once (volatile) or more often (durable), in the order of the calls, and never of a call that failed. */
#include "tests/sim/memory.h"
#include "tests/sim/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int stored(struct model *m, const char *fmt, ...)
{
	char key[96];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(key, sizeof key, fmt, ap);
	va_end(ap);
	const char *text = sim_record(m->s, key);
	return text ? atoi(text + 5) : 0;
}

/* -- answers -- */

enum { ABSENT = -1, NEVER = -2 };
/* The i-th text of {"saw":[...]} as a number, or one of those. false: memory was out for the text. */
static bool saw(const char *text, int i, int64_t *out)
{
	const char *at = strchr(text, '[');
	while (at && i-- > 0)
		at = strchr(at + 1, ',');
	if (!at || at[1] != '"')
		return false;
	*out = at[2] != '-' ? atoll(at + 2) : at[3] == '"' ? ABSENT : NEVER;
	return true;
}

static bool may_be(struct model *m, int64_t value, int thing, int key)
{
	if (value < 0 || value >= m->calls)
		return value == ABSENT;
	const struct call *c = &m->call[value];
	const struct sim_answer *a = &m->s->answer[value];
	return (c->what == PUT || c->what == AWAIT) && c->thing == thing && c->key == key && !(a->done && a->error);
}

static void got(struct model *m, int n, int thing, int floor)
{
	int64_t value;
	struct call *c = &m->call[n];
	if (!saw(m->s->answer[n].text, 0, &value))
		return;
	MUST(m, may_be(m, value, thing, c->key));
	MUST(m, value >= floor);
}

static void counted(struct model *m, int n)
{
	int64_t sum;
	if (!saw(m->s->answer[n].text, 0, &sum))
		return;
	MUST(m, sum > 0 && sum <= n + 1);
	MUST(m, stored(m, "thing/d%d/c", m->call[n].thing) >= sum);
}

/* Both halves of a pair are always of the same call. */
static void paired(struct model *m, int n)
{
	int a = 0, b = 0;
	const char *at = strstr(m->s->answer[n].text, "a=");
	if (at)
		MUST(m, sscanf(at, "a=%d,b=%d", &a, &b) == 2 && a == b);
}

/* Slow work was asked about the value that stands there when the call is stored: "N5","N5","5", or "N0","-". */
static void echoed(struct model *m, int n)
{
	int first, asked, had;
	const char *at = strstr(m->s->answer[n].text, "\"N");
	if (!at || !strncmp(at, "\"N0\",\"-\"", 8))
		return;
	if (sscanf(at, "\"N%d\",\"N%d\",\"%d\"", &first, &asked, &had) == 3)
		MUST(m, first == asked);
	else
		MUST(m, sscanf(at, "\"N%d\",\"%d\"", &asked, &had) == 2);
	MUST(m, asked == had);
}

static void timed(struct model *m, int n)
{
	int64_t at;
	if (saw(m->s->answer[n].text, 0, &at))
		m->call[n].due_ms = at;
}

static void put(struct model *m, int n)
{
	struct call *c = &m->call[n];
	MUST(m, stored(m, "thing/d%d/k%d", c->thing, c->key) >= n);
	if (n > m->newest_put[c->thing][c->key])
		m->newest_put[c->thing][c->key] = n;
}

static void judge_answer(struct model *m, int n)
{
	const struct sim_answer *a = &m->s->answer[n];
	struct call *c = &m->call[n];
	trace(m, "  answer %d: %d %s%s", n, a->error, a->text, a->error ? a->message : "");
	if (a->error)
		return;
	switch (c->what) {
	case PUT: case AWAIT: put(m, n); break;
	case ADD: counted(m, n); break;
	case GET: got(m, n, c->thing, m->newest_put[c->thing][c->key] < n ? m->newest_put[c->thing][c->key] : -1); break;
	case LOOK: got(m, n, c->target, c->floor); break;
	case LOOK_PAIR: paired(m, n); break;
	case TIMER: timed(m, n); break;
	case ECHO: echoed(m, n); break;
	case MARK: MUST(m, stored(m, "registry/w/x%d", c->key) >= 0); break;
	default: break;
	}
}

/* What it looks up is not the runtime's. */
void was_answered(void *ctx, int n)
{
	bool world = sim_memory_world(true);
	judge_answer(ctx, n);
	sim_memory_world(world);
}

/* -- what the broker is given -- */

static void said(struct model *m, struct call *c, int n)
{
	MUST(m, c->what == VOLATILE || c->what == ECHO);
	MUST(m, ++c->said == 1);
	MUST(m, stored(m, "thing/d%d/v%d", c->thing, n) == 1);
	MUST(m, n >= m->said_last[c->thing]);
	m->said_last[c->thing] = n;
}

static void fired(struct model *m, struct call *c, int n)
{
	MUST(m, c->what == TIMER);
	MUST(m, ++c->fired == 1);
	MUST(m, stored(m, "thing/d%d/f%d", c->thing, n) == 1);
	MUST(m, m->wall_most >= c->due_ms || m->s->wall_ms >= c->due_ms);
}

static void replied(struct model *m, struct call *c, const struct sk_outgoing *item)
{
	MUST(m, c->what == REPLY && item->client == (void *)SIM_CLIENT);
	MUST(m, ++c->said == 1);
}

static void message_answered(struct model *m, int n)
{
	MUST(m, n < m->messages && !m->message[n].answered++);
	MUST(m, n >= m->heard_last[m->message[n].thing]);
	m->heard_last[m->message[n].thing] = n;
}

/* {"responses":[...,"correlationData":n...]}, or one line that memory was out. */
static void responded(struct model *m, const struct sk_outgoing *item)
{
	const char *at = strstr(item->payload, "\"correlationData\":");
	MUST(m, item->client == m->operator.client.handle && !strncmp(item->payload, "{\"responses\":[{", 15));
	if (at)
		MUST(m, ++m->replies[atoi(at + 18)] == 1);
}

static void judge_message(struct model *m, const struct sk_outgoing *item)
{
	const char *text = item->payload ? item->payload : "";
	int n = atoi(text + (*text == '"')); /* a reply is JSON */
	trace(m, "  heard %s=%s", item->topic, text);
	if (item->topic[0] == '$') {
		responded(m, item);
	} else if (!strncmp(item->topic, "sim/", 4)) {
		m->refused++;
	} else if (item->topic[0] == 'm') {
		message_answered(m, n);
	} else {
		MUST(m, n >= 0 && n < m->calls);
		struct call *c = &m->call[n];
		switch (item->topic[0]) {
		case 'v': said(m, c, n); break;
		case 'd': MUST(m, c->what == DURABLE); c->published++; break;
		case 'f': fired(m, c, n); break;
		default: replied(m, c, item); break;
		}
	}
}

void heard(void *ctx, const struct sk_outgoing *item)
{
	bool world = sim_memory_world(true);
	judge_message(ctx, item);
	sim_memory_world(world);
}
