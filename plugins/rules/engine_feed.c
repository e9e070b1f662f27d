/* engine_feed.c -- the broker's thread: which rules does a message concern, and a copy of it into the rings of those who evaluate them.
 *
 * Nothing is parsed and nothing waits. A message that finds no room in one of its rings goes into none of them. */
#include "plugins/rules/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_thread.h"

enum { RING_AT = 64 }; /* messages of one turn after which its thread is woken already */

/* -- a copy -- */

struct copied { /* what of a message is copied, measured first */
	const char *topic, *client_id, *principal, *source_ip;
	size_t topic_size, client_size, principal_size, ip_size, properties_size;
	const struct sk_feed *feed;
	const void *properties;    /* NULL: they are the feed's */
	int64_t now_ms;
	uint64_t number;
	bool recorded;
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

static size_t fixed_size(size_t rules)
{
	return sizeof(struct rules_message) + rules * (sizeof(struct live_rule *) + sizeof(uint32_t));
}

static size_t measure(const struct copied *c, size_t rules)
{
	return fixed_size(rules) + c->topic_size + c->client_size + c->principal_size + c->ip_size + c->properties_size + c->feed->size + 1;
}

static void place_properties(struct rules_message *m, size_t *used, const struct copied *c)
{
	char *at = (char *)m;
	if (!c->properties_size)
		return;
	m->properties = (uint32_t)*used;
	if (c->properties)
		place(at, used, c->properties, c->properties_size);
	else
		*used += sk_feed_properties(c->feed, at + *used, c->properties_size);
}

static void fill(struct rules_message *m, const struct copied *c, size_t rules)
{
	const struct sk_feed *f = c->feed;
	char *at = (char *)m;
	size_t used = fixed_size(rules);
	*m = (struct rules_message){ .now_ms = c->now_ms, .number = c->number, .qos = (uint8_t)f->qos, .depth = (uint8_t)f->depth, .retain = f->retain,
		.basic = f->own != NULL, .rules = (uint16_t)rules, .size = (uint32_t)f->size, .properties_size = (uint32_t)c->properties_size };
	m->topic = place(at, &used, c->topic, c->topic_size);
	m->client_id = place(at, &used, c->client_id, c->client_size);
	m->principal = place(at, &used, c->principal, c->principal_size);
	m->source_ip = place(at, &used, c->source_ip, c->ip_size);
	place_properties(m, &used, c);
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

static void write_rules(struct rules_engine *e, const struct copied *c, struct live_rule *const *rule, size_t n, int k, struct rules_message *m)
{
	uint32_t *hash = message_hashes(m);
	for (size_t i = 0, at = 0; i < n; i++)
		if (thread_of(e, rule[i], c->feed->topic) == k) {
			hash[at] = rule[i]->hash;
			m->rule[at++] = rule[i];
		}
}

static void publish(struct rules_engine *e, int k, bool kept)
{
	struct rules_thread *t = e->thread[k];
	rules_ring_publish(t->ring, kept);
	if (++t->fed >= RING_AT)
		thread_ring(t);
}

/* Sorts the rules by thread, reserves in each ring that is wanted, then publishes all. */
static enum engine_fed hand_out(struct rules_engine *e, const struct copied *c, struct live_rule *const *rule, size_t n)
{
	struct rules_message *m[RULES_MAX_THREADS] = { 0 };
	size_t count[RULES_MAX_THREADS] = { 0 };
	bool recorded = c->recorded;
	for (size_t i = 0; i < n; i++)
		count[thread_of(e, rule[i], c->feed->topic)]++;
	for (int k = 0; k < e->threads; k++) {
		size_t bytes = count[k] ? measure(c, count[k]) : 0;
		if (bytes && !(m[k] = rules_ring_reserve(e->thread[k]->ring, bytes)))
			return bytes <= rules_ring_most(e->thread[k]->ring) ? ENGINE_NO_ROOM : ENGINE_TOO_LARGE;
	}
	for (int k = 0; k < e->threads; k++) {
		if (!m[k])
			continue;
		fill(m[k], c, count[k]);
		write_rules(e, c, rule, n, k, m[k]);
		m[k]->recorded = recorded;
		recorded = false;
		publish(e, k, c->feed->qos > 0);
	}
	return ENGINE_FED;
}

/* -- a message that comes -- */

static void drop_all(struct live_rule *const *rule, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_fetch_add_explicit(&rule[i]->count.dropped, 1, memory_order_relaxed);
}

/* Later there may be room. What no ring can ever hold is passed by: refused it would come again for ever. */
static int refuse(const struct copied *c, enum engine_fed fed, struct live_rule *const *rule, size_t n)
{
	char why[160];
	drop_all(rule, n);
	if (fed != ENGINE_TOO_LARGE)
		return SK_DENY;
	snprintf(why, sizeof why, "a message of %u bytes is more than half of a ring (plugin_opt_ring, plugin_opt_threads): no rule sees it", (unsigned)c->feed->size);
	for (size_t i = 0; i < n; i++)
		live_note(rule[i], c->now_ms, why);
	return SK_PASS;
}

static size_t full_rules(struct live_rule *const *rule, size_t n)
{
	size_t full = 0;
	for (size_t i = 0; i < n; i++)
		full += live_full(rule[i]);
	return full;
}

/* With QoS 0 nobody is told to send again: the others get it. What was full a moment ago may not be now; then it is dropped all the same. */
static size_t drop_full(struct live_rule **rule, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (live_full(rule[i]))
			drop_all(&rule[i], 1);
		else
			rule[kept++] = rule[i];
	return kept;
}

static struct copied what_to_copy(struct rules_engine *e, const struct sk_feed *f, const char *topic)
{
	const struct sk_client *client = sk_feed_client(f);
	struct copied c = { .topic = topic, .topic_size = strlen(topic) + 1, .feed = f, .now_ms = sk_wall_ms(), .number = e->number++,
		.properties_size = sk_feed_properties(f, NULL, 0) };
	if (client) {
		c.client_id = client->id;
		c.principal = client->username;
		c.source_ip = client->address && client->address[0] != '/' ? client->address : NULL;
	}
	c.client_size = text_size(c.client_id);
	c.principal_size = text_size(c.principal);
	c.ip_size = text_size(c.source_ip);
	return c;
}

static int take(struct rules_engine *e, const struct sk_feed *f, const char *topic, struct live_rule **rule, size_t n)
{
	struct copied c = what_to_copy(e, f, topic);
	size_t full = full_rules(rule, n);
	if (__builtin_expect(full && f->qos, 0))
		return refuse(&c, ENGINE_FULL, rule, n);
	if (__builtin_expect(full && !(n = drop_full(rule, n)), 0))
		return SK_DENY;
	c.recorded = e->recorder && recorder_wants(e->recorder, f->topic, true);
	enum engine_fed fed = hand_out(e, &c, rule, n);
	return fed != ENGINE_FED ? refuse(&c, fed, rule, n) : full ? SK_DENY : SK_PASS;
}

/* No rule matches it. Where there is no room it is left out, and nobody is refused; nor does it outlive the process. */
static void record_only(struct rules_engine *e, const struct sk_feed *f)
{
	struct live_rule *rule = recorder_rule(e->recorder);
	struct copied c = what_to_copy(e, f, f->topic);
	int k = thread_of(e, rule, f->topic);
	struct rules_message *m = rules_ring_reserve(e->thread[k]->ring, measure(&c, 1));
	if (!m) {
		recorder_missed(e->recorder);
		return;
	}
	fill(m, &c, 1);
	write_rules(e, &c, &rule, 1, k, m);
	m->recorded = true;
	publish(e, k, false);
}

/* -- a message of before -- */

static bool names(const struct rules_message *m, const struct live_rule *r)
{
	const uint32_t *hash = message_hashes(m);
	int i = 0;
	while (i < m->rules && hash[i] != r->hash)
		i++;
	return i < m->rules;
}

/* A rule that is as it was then or was changed since; one that came since did not get the message then, and does not now. */
static size_t rules_again(struct rules_engine *e, const struct rules_message *m)
{
	size_t n = m->basic ? e->table.used : rules_filters_match(e->table.filters, message_text(m, m->topic), e->ids, e->ids_room), runs = 0;
	for (size_t i = 0; i < n && runs < UINT16_MAX; i++) {
		struct live_rule *r = live_at(&e->table, m->basic ? (uint32_t)i : e->ids[i]);
		if (r && !r->disabled && !atomic_load_explicit(&r->broken, memory_order_relaxed) && names(m, r) && runs < e->ids_room)
			e->matching[runs++] = r;
	}
	return runs;
}

static bool is_waiting(struct engine_waiting *w, const struct live_rule *r)
{
	size_t i = 0, most = sizeof w->rule / sizeof *w->rule;
	while (i < w->n && w->rule[i] != r)
		i++;
	if (i == w->n && i < most && live_full(r))
		w->rule[w->n++] = r;
	return i < w->n || live_full(r);
}

/* All of them are asked: each is noted. */
static bool any_waiting(struct engine_waiting *w, struct live_rule *const *rule, size_t n)
{
	size_t waiting = 0;
	for (size_t i = 0; i < n; i++)
		waiting += is_waiting(w, rule[i]);
	return waiting > 0;
}

enum engine_fed engine_message_again(struct rules_engine *e, const struct rules_message *m, struct engine_waiting *waiting)
{
	static const struct sk_topic_match basic;
	const struct sk_feed f = { .topic = message_text(m, m->topic), .payload = (const char *)m + m->payload, .size = m->size, .qos = m->qos, .retain = m->retain != 0,
		.depth = m->depth, .own = m->basic ? &basic : NULL };
	struct copied c = { .topic = f.topic, .client_id = message_text(m, m->client_id), .principal = message_text(m, m->principal),
		.source_ip = message_text(m, m->source_ip), .properties = (const char *)m + m->properties, .properties_size = m->properties_size, .feed = &f, .now_ms = m->now_ms,
		.number = m->number, .recorded = e->recorder && m->recorded };
	size_t n = rules_again(e, m);
	c.topic_size = text_size(c.topic);
	c.client_size = text_size(c.client_id);
	c.principal_size = text_size(c.principal);
	c.ip_size = text_size(c.source_ip);
	return !n ? ENGINE_NOBODY : any_waiting(waiting, e->matching, n) ? ENGINE_FULL : hand_out(e, &c, e->matching, n);
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
	if (!runs && __builtin_expect(e->recorder != NULL, 0) && recorder_wants(e->recorder, f->topic, false))
		record_only(e, f);
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
		rules_ring_publish(e->thread[k]->ring, false);
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
