/* engine_recover.c -- see engine_recover.h. Files are gone through in their order, again and again until nothing is left in them.
 *
 * A message for a rule that is full waits, also if it is for others, and so does all that comes later for that rule: nothing else does. */
#include "plugins/rules/engine_recover.h"

#include <string.h>

#include "plugins/rules/engine_thread.h"

enum { MOST = 4096 }; /* messages in one go: some milliseconds */

/* -- is it one? -- */

static bool is_text(const struct rules_message *m, size_t size, uint32_t offset, size_t from)
{
	return !offset || (offset >= from && offset < size && memchr((const char *)m + offset, '\0', size - offset));
}

bool recover_is_message(const struct rules_message *m, size_t size)
{
	if (size < sizeof *m || !m->rules)
		return false;
	size_t from = (size_t)((const char *)(message_hashes(m) + m->rules) - (const char *)m);
	const uint32_t texts[] = { m->topic, m->client_id, m->principal, m->source_ip };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!is_text(m, size, texts[i], from))
			return false;
	bool payload = m->payload >= from && m->payload < size && m->size < size - m->payload && !((const char *)m)[m->payload + m->size];
	bool properties = !m->properties_size || (m->properties >= from && m->properties < size && m->properties_size <= size - m->properties);
	return payload && properties && m->topic && m->qos >= 1 && m->qos <= 2 && m->depth <= SK_MAX_DEPTH_OF_PUBLISHES;
}

/* -- feeding -- */

struct pass {
	struct rules_engine *e;
	struct engine_waiting waiting;
	size_t fed, nobody, later, never;
	bool stopped;            /* a ring has no room, or it was enough for now */
};

static void feed(struct pass *p, struct rules_message *m, size_t size)
{
	if (!recover_is_message(m, size)) {
		p->never++;
		return;
	}
	enum engine_fed fed = engine_message_again(p->e, m, &p->waiting);
	p->fed += fed == ENGINE_FED;
	p->nobody += fed == ENGINE_NOBODY;
	p->later += fed == ENGINE_FULL;
	p->never += fed == ENGINE_TOO_LARGE;
	if (fed == ENGINE_FED || fed == ENGINE_NOBODY)
		rules_left_done(m);
	p->stopped = fed == ENGINE_NO_ROOM || p->fed == MOST;
}

static void feed_file(struct pass *p, struct rules_left *left)
{
	size_t size;
	rules_left_rewind(left);
	for (struct rules_message *m; !p->stopped && (m = rules_left_next(left, &size));)
		feed(p, m, size);
}

/* A file of which all is done goes. */
static void forget(struct rules_journal *j)
{
	size_t size;
	struct rules_left *left;
	for (size_t i = 0; (left = rules_journal_left(j, i)); i++) {
		rules_left_rewind(left);
		if (!rules_left_next(left, &size))
			rules_journal_forget(j, i);
	}
}

static void say_end(struct rules_engine *e, const struct pass *p)
{
	e->recovering = false;
	sk_log('n', "rules", "the messages of before the broker's end have been taken up: %zu for rules, %zu of rules that are not there any more", e->recovered, e->abandoned);
	if (p->never)
		sk_log('w', "rules", "%zu messages of before the broker's end do not fit into a ring as it is now (plugin_opt_ring): they stay in the journal", p->never);
}

void recover_go_on(void *engine)
{
	struct rules_engine *e = engine;
	struct pass p = { .e = e };
	struct rules_left *left;
	if (!e->recovering || !e->taking)
		return;
	for (size_t i = 0; !p.stopped && (left = rules_journal_left(e->journal, i)); i++)
		feed_file(&p, left);
	e->recovered += p.fed;
	e->abandoned += p.nobody;
	engine_turn(e);
	forget(e->journal);
	if (p.stopped)
		atomic_store(&e->going_on, true);
	else if (!p.later)
		say_end(e, &p);
}

/* -- who says that it may go on -- */

void recover_poke(struct rules_thread *t)
{
	struct rules_engine *e = t->engine;
	if (!atomic_load_explicit(&e->going_on, memory_order_relaxed) || !atomic_exchange(&e->going_on, false))
		return;
	struct sk_outgoing *item = sk_out_add(&t->out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return; /* the next second will */
	item->call = recover_go_on;
	item->state = e;
}

static size_t count(struct rules_journal *j)
{
	size_t n = 0, size;
	struct rules_left *left;
	for (size_t i = 0; (left = rules_journal_left(j, i)); i++) {
		rules_left_rewind(left);
		while (rules_left_next(left, &size))
			n++;
	}
	return n;
}

void recover_begin(struct rules_engine *e)
{
	size_t damaged = rules_journal_damaged(e->journal), n = count(e->journal);
	if (damaged)
		sk_log('w', "rules", "%zu files of the journal cannot be read to their end: they are kept as damaged-N", damaged);
	if (!n)
		return;
	sk_log('n', "rules", "%zu messages of before the broker's end are run again", n);
	e->recovering = true;
	recover_go_on(e);
}
