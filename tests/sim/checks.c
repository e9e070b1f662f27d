/* checks.c -- what must hold at all times, and when all is done. Each check is a sentence of docs/ARCHITECTURE.md's promises. */
#include "tests/sim/memory.h"
#include "tests/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool accepted(const struct model *m, int n)
{
	return m->s->answer[n].done && !m->s->answer[n].error;
}

static bool failed(const struct model *m, int n)
{
	return m->s->answer[n].done && m->s->answer[n].error;
}

/* Nothing had a reason to be lost on its way. */
static bool nothing_lost(const struct model *m)
{
	return !m->dropped && sim_memory_failed() == m->memory_failed;
}

/* -- at all times -- */

static void versions_grow(struct model *m)
{
	for (int t = 0; t < THINGS; t++)
		for (int k = 0; k < KEYS; k++) {
			char key[64];
			snprintf(key, sizeof key, "thing/d%d/k%d", t, k);
			uint64_t v = sim_version(m->s, key);
			MUST(m, v >= m->newest[t][k]);
			MUST(m, v <= m->s->store->store.seq);
			m->newest[t][k] = v;
		}
}

void check_now(struct model *m)
{
	versions_grow(m);
}

/* -- answers: one for each call, in order, lost only in a crash or a stop -- */

static void check_answer(struct model *m, int n)
{
	const struct call *c = &m->call[n];
	const struct sim_answer *a = &m->s->answer[n];
	MUST(m, a->ended == 1 && a->count <= 1);
	MUST(m, a->done || c->epoch < m->epoch);
	if (!a->done)
		return;
	if (c->what == FAILING)
		MUST(m, a->error == SK_E_CONFLICT || (!m->calm && a->error == SK_E_UNAVAILABLE));
	else
		MUST(m, !a->error || (!m->calm && a->error == SK_E_UNAVAILABLE));
}

static void check_answers(struct model *m)
{
	int newest[THINGS];
	memset(newest, -1, sizeof newest);
	for (int n = 0; n < m->calls; n++) {
		const struct call *c = &m->call[n];
		check_answer(m, n);
		if (!m->s->answer[n].done || c->what == LOOK || c->what == LOOK_PAIR || c->what == MARK)
			continue;
		MUST(m, (int)m->s->answer[n].order > newest[c->thing]);
		newest[c->thing] = (int)m->s->answer[n].order;
	}
}

/* -- records: what was accepted is there, what failed is not -- */

static bool adds_one(enum what what)
{
	return what != SCAN && what != FAILING && what != GET && what != LOOK && what != LOOK_PAIR && what != MARK;
}

static void check_thing(struct model *m, int t)
{
	int least = 0, most = 0, shared = 0, last_shared = 0, any_shared = 0, bumped = 0, bumps = 0;
	for (int n = 0; n < m->calls; n++) {
		const struct call *c = &m->call[n];
		if (c->thing != t)
			continue;
		if (c->what == SHARED) {
			shared += !failed(m, n);
			any_shared += accepted(m, n);
			last_shared = accepted(m, n) ? n : last_shared;
		}
		bumped += c->what == BUMP && accepted(m, n);
		bumps += c->what == BUMP && !failed(m, n);
		if (adds_one(c->what)) {
			least += accepted(m, n);
			most += !failed(m, n);
		}
	}
	int c = stored(m, "thing/d%d/c", t), fires = stored(m, "thing/d%d/fires", t), w = stored(m, "thing/d%d/w", t);
	if (w / 1000 != m->foreign[t] || w % 1000 < bumped || w % 1000 > bumps)
		sim_fails(m, "d%d/w is %d after %d foreign thousands and %d to %d ones", t, w, m->foreign[t], bumped, bumps);
	MUST(m, c >= least && c <= most);
	MUST(m, fires <= shared && (fires || !any_shared));
	MUST(m, stored(m, "thing/d%d/g", t) >= last_shared);
	for (int k = 0; k < KEYS; k++)
		MUST(m, stored(m, "thing/d%d/k%d", t, k) >= m->newest_put[t][k]);
}

static void check_index(struct model *m)
{
	for (int k = 0; k < KEYS; k++) {
		char name[16];
		snprintf(name, sizeof name, "x%d={", k);
		const char *at = NULL, *next = m->s->index;
		while (next && (next = strstr(next, name)))
			at = next++;
		MUST(m, (at ? atoi(at + 8) : 0) == stored(m, "registry/w/x%d", k));
	}
}

/* -- effects -- */

/* Durable: done at least once when accepted, never when refused; `once` is how often when nothing went wrong. */
static void check_made(struct model *m, int n, int made, int once)
{
	MUST(m, !accepted(m, n) || made > 0);
	MUST(m, !failed(m, n) || !made);
	MUST(m, !m->calm || made == once);
}

static void check_volatile(struct model *m, int n)
{
	const struct call *c = &m->call[n];
	bool sends = c->what == VOLATILE || c->what == ECHO || c->what == REPLY;
	MUST(m, !c->said || (sends && !failed(m, n)));
	if (sends && nothing_lost(m))
		MUST(m, c->said == accepted(m, n));
}

static void check_effects(struct model *m, int n)
{
	const struct call *c = &m->call[n];
	int e = stored(m, "thing/d%d/e%d", c->target, n), f = stored(m, "thing/d%d/f%d", c->thing, n), h = stored(m, "thing/d%d/h%d", c->further, n);
	check_volatile(m, n);
	MUST(m, (e > 0) == (stored(m, "registry/e%d", n) > 0) && (h > 0) == (stored(m, "registry/h%d", n) > 0));
	MUST(m, f <= 1 && c->fired <= f);
	switch (c->what) {
	case DURABLE: check_made(m, n, c->published, 1); break;
	case EMIT: check_made(m, n, e, 1); break;
	case CHAIN: check_made(m, n, h, 2); break;
	case TIMER: check_made(m, n, f, 1); break;
	default: MUST(m, !e && !f && !h && !c->published); break;
	}
}

/* -- messages and envelopes -- */

static void check_messages(struct model *m)
{
	int answered = 0, by_thing[THINGS] = { 0 }, stored_of[THINGS] = { 0 };
	uint64_t dropped = m->s->rt->count.reject_dropped;
	for (int n = 0; n < m->messages; n++) {
		answered += m->message[n].answered;
		by_thing[m->message[n].thing] += 1;
		stored_of[m->message[n].thing] += m->message[n].answered;
	}
	for (int t = 0; t < THINGS; t++) {
		int there = stored(m, "thing/d%d/m", t);
		if (there < stored_of[t] || there > by_thing[t])
			sim_fails(m, "d%d has stored %d messages of %d, %d were answered", t, there, by_thing[t], stored_of[t]);
	}
	MUST(m, answered + m->refused <= m->messages);
	if (nothing_lost(m))
		MUST(m, answered + m->refused + (int)dropped == m->messages);
	for (int n = 0; n < m->envelopes && nothing_lost(m); n++)
		MUST(m, m->replies[n] == 1);
}

/* -- nothing is left -- */

static int count_timer_record(void *ctx, const struct sk_scan_item *item)
{
	*(int *)ctx += strstr(item->key, "/~timer/") != NULL;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static void check_nothing_left(struct model *m)
{
	struct sk_store *store = &m->s->store->store;
	int timers = 0;
	store->ops->scan(store, &(struct sk_store_scan){ .space = SK_RECORD, .prefix = "", .fn = count_timer_record, .ctx = &timers });
	MUST(m, timers == 0);
	MUST(m, sim_count(m->s, SK_EFFECT) == 0);
	MUST(m, sim_count(m->s, SK_TIMER) == 0);
	for (int w = 0; w < m->s->workers; w++) {
		MUST(m, m->s->rt->worker[w]->partition_count == 0);
		MUST(m, m->s->rt->worker[w]->inbox.calls == 0);
		for (int lane = 0; lane < SK_LANES; lane++)
			MUST(m, m->s->rt->worker[w]->inbox.bytes[lane] == 0);
	}
	MUST(m, m->s->rt->outbox.depth_now == 0);
	devices_check(m);
}

void check_end(struct model *m)
{
	check_now(m);
	check_answers(m);
	for (int t = 0; t < THINGS; t++)
		check_thing(m, t);
	for (int n = 0; n < m->calls; n++)
		check_effects(m, n);
	check_messages(m);
	check_index(m);
	check_nothing_left(m);
}
