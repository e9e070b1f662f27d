/* engine_feed.c -- the broker's thread: which rules does a message concern, and a copy of it into the rings of those who evaluate them.
 *
 * Nothing is parsed and nothing waits. A message that finds no room in one of its rings goes into none of them. */
#include "plugins/rules/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_thread.h"

enum { RING_AT = 64 }; /* messages of one turn after which its thread is woken already */

/* -- a copy -- */

struct copied { /* what of a message is copied, measured first */
	const char *topic, *client_id, *principal, *source_ip;
	size_t topic_size, client_size, principal_size, ip_size, properties_size;
	int64_t now_ms;
	uint64_t number;
};

static size_t text_size(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static uint32_t place(char *at, size_t *used, const void *bytes, size_t n)
{
	uint32_t here = (uint32_t)*used;
	if (!bytes || !n)
		return 0;
	memcpy(at + here, bytes, n);
	*used += n;
	return here;
}

static size_t measure(const struct sk_feed *f, const struct copied *c, size_t rules)
{
	return sizeof(struct rules_message) + rules * sizeof(struct live_rule *) + c->topic_size + c->client_size + c->principal_size + c->ip_size +
	       c->properties_size + f->size + 1;
}

static void fill(struct rules_message *m, const struct sk_feed *f, const struct copied *c, size_t rules)
{
	char *at = (char *)m;
	size_t used = sizeof *m + rules * sizeof(struct live_rule *);
	*m = (struct rules_message){ .now_ms = c->now_ms, .number = c->number, .qos = (uint8_t)f->qos, .depth = (uint8_t)f->depth, .retain = f->retain,
		.basic = f->own != NULL, .rules = (uint16_t)rules, .size = (uint32_t)f->size, .properties_size = (uint32_t)c->properties_size };
	m->topic = place(at, &used, c->topic, c->topic_size);
	m->client_id = place(at, &used, c->client_id, c->client_size);
	m->principal = place(at, &used, c->principal, c->principal_size);
	m->source_ip = place(at, &used, c->source_ip, c->ip_size);
	if (c->properties_size) {
		m->properties = (uint32_t)used;
		used += sk_feed_properties(f, at + used, c->properties_size);
	}
	m->payload = (uint32_t)used;
	if (f->size)
		memcpy(at + used, f->payload, f->size);
	at[used + f->size] = '\0';
}

/* -- which thread -- */

static int thread_of(const struct rules_engine *e, const struct live_rule *r, const char *topic)
{
	if (r->runs_lua)
		return r->unit->thread;
	return e->threads == 1 ? 0 : (int)(sk_hash(topic, strlen(topic)) % (uint32_t)e->threads);
}

static void drop_all(struct live_rule *const *rule, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_fetch_add_explicit(&rule[i]->count.dropped, 1, memory_order_relaxed);
}

/* SK_DENY: later there will be room. What no ring can ever hold is passed by: refused it would come again for ever. */
static int no_room(struct rules_engine *e, const struct sk_feed *f, size_t bytes, struct live_rule *const *rule, size_t n, int64_t now_ms)
{
	char why[160];
	drop_all(rule, n);
	if (bytes <= rules_ring_most(e->thread[0]->ring))
		return SK_DENY;
	snprintf(why, sizeof why, "a message of %u bytes is more than half of plugin_opt_ring: no rule sees it", (unsigned)f->size);
	for (size_t i = 0; i < n; i++)
		live_note(rule[i], now_ms, why);
	return SK_PASS;
}

/* Sorts the rules by thread, reserves in each ring that is wanted, then publishes all. */
static int hand_out(struct rules_engine *e, const struct sk_feed *f, const struct copied *c, struct live_rule **rule, size_t n)
{
	struct rules_message *m[RULES_MAX_THREADS] = { 0 };
	size_t count[RULES_MAX_THREADS] = { 0 };
	for (size_t i = 0; i < n; i++)
		count[thread_of(e, rule[i], f->topic)]++;
	for (int k = 0; k < e->threads; k++) {
		size_t bytes = count[k] ? measure(f, c, count[k]) : 0;
		if (bytes && !(m[k] = rules_ring_reserve(e->thread[k]->ring, bytes)))
			return no_room(e, f, bytes, rule, n, c->now_ms);
	}
	for (int k = 0; k < e->threads; k++) {
		if (!m[k])
			continue;
		fill(m[k], f, c, count[k]);
		for (size_t i = 0, at = 0; i < n; i++)
			if (thread_of(e, rule[i], f->topic) == k)
				m[k]->rule[at++] = rule[i];
		rules_ring_publish(e->thread[k]->ring);
		if (++e->thread[k]->fed >= RING_AT)
			thread_ring(e->thread[k]);
	}
	return SK_PASS;
}

static int take(struct rules_engine *e, const struct sk_feed *f, const char *topic, struct live_rule **rule, size_t n)
{
	const struct sk_client *client = sk_feed_client(f);
	struct copied c = { .topic = topic, .topic_size = strlen(topic) + 1, .now_ms = sk_wall_ms(), .number = e->number++,
		.properties_size = sk_feed_properties(f, NULL, 0) };
	if (client) {
		c.client_id = client->id;
		c.principal = client->username;
		c.source_ip = client->address && client->address[0] != '/' ? client->address : NULL;
	}
	c.client_size = text_size(c.client_id);
	c.principal_size = text_size(c.principal);
	c.ip_size = text_size(c.source_ip);
	return hand_out(e, f, &c, rule, n);
}

/* -- Basic Ingest: $aws/rules/NAME/rest is for that rule alone, which sees the rest as its topic -- */

static void say_unknown(const char *name, const char *what)
{
	static int64_t last;
	int64_t now = sk_mono_us();
	if (now - last < 1000000)
		return;
	last = now;
	sk_log('n', "rules", "a message to $aws/rules/%.128s: that rule %s", name, what);
}

static int ingest(struct rules_engine *e, const struct sk_feed *f)
{
	char name[129];
	const struct sk_topic_capture *c = f->own->capture;
	snprintf(name, sizeof name, "%.*s", (int)(c->size < sizeof name ? c->size : sizeof name - 1), c->at);
	struct live_rule *r = c->size < sizeof name ? live_find(&e->table, name) : NULL;
	bool runs = r && !r->disabled && !atomic_load_explicit(&r->broken, memory_order_relaxed);
	if (!runs)
		say_unknown(name, r ? "is disabled" : "does not exist");
	return runs ? take(e, f, f->own->captures > 1 ? c[1].at : "", &r, 1) : SK_PASS;
}

/* -- the hooks -- */

int engine_message(struct rules_engine *e, const struct sk_feed *f)
{
	if (__builtin_expect(!e->taking, 0))
		return SK_PASS;
	if (f->own)
		return ingest(e, f);
	size_t n = rules_filters_match(e->table.filters, f->topic, e->ids, e->ids_room), runs = 0;
	for (size_t i = 0; i < n && runs < UINT16_MAX; i++) {
		struct live_rule *r = live_at(&e->table, e->ids[i]);
		if (!r->disabled && !atomic_load_explicit(&r->broken, memory_order_relaxed))
			e->matching[runs++] = r;
	}
	return runs ? take(e, f, f->topic, e->matching, runs) : SK_PASS;
}

/* -- rules out of force: the rings say when nobody can meet them any more -- */

static bool room_to_say(struct rules_engine *e)
{
	for (int k = 0; k < e->threads; k++)
		if (!rules_ring_reserve(e->thread[k]->ring, sizeof(struct rules_retired)))
			return false;
	return true;
}

/* When there is room. From the last ring on r may be gone. */
static void say_retired(struct rules_engine *e, struct live_rule *r)
{
	for (int k = 1; k < e->threads; k++)
		live_ref(r);
	for (int k = 0; k < e->threads; k++) {
		struct rules_retired *m = rules_ring_reserve(e->thread[k]->ring, sizeof *m);
		*m = (struct rules_retired){ .retired = r };
		rules_ring_publish(e->thread[k]->ring);
		thread_ring(e->thread[k]);
	}
}

/* A file's rule may be here already: it was in force again meanwhile, and its mark is still to come. */
static void keep_for_later(struct rules_engine *e, struct live_rule *r)
{
	if (r->retiring) {
		live_unref(r);
		return;
	}
	r->retiring = true;
	r->next_retiring = NULL;
	*e->retiring_tail = r;
	e->retiring_tail = &r->next_retiring;
}

static struct live_rule *take_retiring(struct rules_engine *e)
{
	struct live_rule *r = e->retiring;
	e->retiring = r->next_retiring;
	if (!e->retiring)
		e->retiring_tail = &e->retiring;
	r->retiring = false;
	return r;
}

void engine_retire(struct rules_engine *e, struct live_rule *r)
{
	if (!e->taking)
		live_unref(r);
	else if (!e->retiring && room_to_say(e))
		say_retired(e, r);
	else
		keep_for_later(e, r);
}

static void retire_late(struct rules_engine *e)
{
	while (e->retiring && room_to_say(e))
		say_retired(e, take_retiring(e));
}

void engine_retire_free(struct rules_engine *e)
{
	while (e->retiring)
		live_unref(take_retiring(e));
}

void engine_turn(struct rules_engine *e)
{
	if (__builtin_expect(e->retiring != NULL, 0))
		retire_late(e);
	for (int k = 0; k < e->threads; k++)
		if (e->thread[k]->fed)
			thread_ring(e->thread[k]);
}
