/* calls.c -- random calls in the scripts of sim_host_plugin.c. A call's number is in all that it stores and sends. */
#include "tests/sim/model.h"

#include <stdio.h>
#include <string.h>

/* %n is the call, %k its key, %t the thing that it aims at, %f the one further on, %r something random. */
static const struct { const char *script; bool plain; } kinds[WHATS] = {
	[PUT] = { "put k%k %n; add c 1", false },
	[ADD] = { "add c 1", true },
	[VOLATILE] = { "add c 1; put v%n 1; say v %n", false },
	[DURABLE] = { "add c 1; say! d %n", false },
	[EMIT] = { "add c 1; emit Both d%t add e%n 1", false },
	[CHAIN] = { "add c 1; emit Both d%t emit Both d%f add h%n 1", false },
	[TIMER] = { "now; timer t%n %r E add f%n 1,say f %n; add c 1", true },
	[SHARED] = { "add c 1; timer shared %r E put g %n,add fires 1", false },
	[AWAIT] = { "add c 1; await x%n; put k%k %n", false },
	[ECHO] = { "add c 1; echounless w; echo w; get w; put v%n 1; say v %n", true },
	[SCAN] = { "scan 3 k; scan 100 e; get c", false },
	[PAIR] = { "add c 1; put pair/a %n; put pair/b %n; del z%k", false },
	[GET] = { "get k%k", true },
	[LOOK] = { "get @thing/d%t/k%k", true },
	[LOOK_PAIR] = { "scan 10 @thing/d%t/pair/", true },
	[REPLY] = { "add c 1; put z%k 1; scan 5 z; reply r %n; kick u%n", false },
	[MARK] = { "put w/x%k %n", true },
	[BUMP] = { "add c 1; get @registry/far; add w 1", false },
	[FAILING] = { "add c 1000; put k%k -1; say v %n; say! d %n; emit Both d%t add e%n 1; timer t%n 10 E add f%n 1; fail ConflictException no", false },
};

static void fill(struct model *m, const struct call *c, const char *from, char *out)
{
	for (; *from; from++) {
		if (*from != '%') {
			*out++ = *from;
			continue;
		}
		switch (*++from) {
		case 'n': out += sprintf(out, "%d", (int)(c - m->call)); break;
		case 'k': out += sprintf(out, "%d", c->key); break;
		case 't': out += sprintf(out, "%d", c->target); break;
		case 'f': out += sprintf(out, "%d", c->further); break;
		default: out += sprintf(out, "%u", chance(m, chance(m, 4) ? 3000 : 100000)); break;
		}
	}
	*out = '\0';
}

static const char *operation_of(enum what what)
{
	return what == LOOK || what == LOOK_PAIR ? "Look" : what == MARK ? "Register" : "Do";
}

void call_new(struct model *m)
{
	static const char *const before[] = { "", "get z;", "scan 4 k;", "get @registry/far; version k1;", "uuid; now;" };
	char script[400], thing[16];
	if (m->calls == CALLS)
		return;
	struct call *c = &m->call[m->calls];
	*c = (struct call){ .what = (enum what)chance(m, WHATS), .thing = (int)chance(m, THINGS), .key = (int)chance(m, KEYS),
		.target = (int)chance(m, THINGS), .further = (int)chance(m, THINGS), .epoch = m->epoch };
	c->floor = m->newest_put[c->target][c->key];
	size_t n = kinds[c->what].plain ? 0 : (size_t)sprintf(script, "%s", before[chance(m, 5)]);
	fill(m, c, kinds[c->what].script, script + n);
	snprintf(thing, sizeof thing, "d%d", c->thing);
	trace(m, "call %d %s %s: %s", m->calls, operation_of(c->what), thing, script);
	int place = sim_operation(m->s, operation_of(c->what), thing, script);
	MUST(m, place == m->calls);
	m->calls++;
}

void envelope_new(struct model *m)
{
	char text[400];
	int size = (int)(sizeof m->replies / sizeof *m->replies);
	if (m->envelopes == size)
		return;
	int n = snprintf(text, sizeof text, "{\"commands\":[{\"command\":\"Register\",\"script\":\"add first 1; put w/env %d\"},{\"command\":\"Oops\"},"
		"{\"command\":\"Index\"},{\"command\":\"Register\",\"script\":\"add second 1; scan 5 w/\",\"correlationData\":%d}]}", m->envelopes, m->envelopes);
	trace(m, "envelope %d", m->envelopes++);
	control_send(m, text, (size_t)n);
}

/* Somebody else adds a thousand to what calls add one to, and to what the question of an await is made of: those under way meet a
 * conflict. */
void foreign_write(struct model *m)
{
	char key[32], value[32];
	unsigned thing = chance(m, THINGS);
	snprintf(key, sizeof key, "thing/d%u/w", thing);
	snprintf(value, sizeof value, "{\"v\":%d}", stored(m, "%s", key) + 1000);
	m->foreign[thing]++;
	trace(m, "foreign write %s=%s", key, value);
	sim_put(m->s, key, value);
}
