/* engine_watch.c -- the records of rules as they change: registry/rule-filter/NAME says which topics, registry/rule/NAME is the rule. Both come from one
 * commit, the filter first; the rule is put in force when its record is here. Broker's thread: the record itself is not parsed. */
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "plugins/rules/engine.h"
#include "plugins/rules/engine_destinations.h"
#include "plugins/rules/engine_unit.h"

enum { FILTER_RECORD_MOST = 8192, NEXTS_MOST = 2000, SWEEP_AT_ONCE = 200 };

/* What the next version of a rule will listen to. */
struct next_filter {
	struct next_filter *next;
	char *filter; /* behind the name; NULL: no topic, Basic Ingest only */
	bool disabled;
	char name[];
};

static struct next_filter **find(struct rules_engine *e, const char *name)
{
	struct next_filter **at = &e->next;
	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static void forget(struct rules_engine *e, struct next_filter **at)
{
	struct next_filter *n = *at;
	*at = n->next;
	e->nexts--;
	if (!*at)
		e->next_tail = at;
	free(n);
}

/* At the end: when the broker starts all filters come before all rules, in the same order. NULL: memory is out. */
static struct next_filter *add(struct rules_engine *e, const char *name, const char *filter)
{
	size_t n = strlen(name) + 1, m = filter ? strlen(filter) + 1 : 0;
	struct next_filter *f = calloc(1, sizeof *f + n + m);
	if (!f)
		return NULL;
	memcpy(f->name, name, n);
	f->filter = m ? memcpy(f->name + n, filter, m) : NULL;
	e->nexts++;
	*e->next_tail = f;
	e->next_tail = &f->next;
	return f;
}

int engine_watch_filter(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	struct sk_arena a = { 0 };
	if (!bytes)
		return 0;
	struct next_filter **older = e->nexts < NEXTS_MOST ? find(e, name) : &e->next;
	if (e->taking && e->nexts < NEXTS_MOST && *older)
		forget(e, older); /* its rule's record was older than the one that is in force */
	cJSON *record = bytes->size <= FILTER_RECORD_MOST ? sk_json_parse(&a, bytes->data, bytes->size, NULL, NULL) : NULL;
	struct next_filter *n = record ? add(e, name, sk_json_text(record, "filter")) : NULL;
	if (n)
		n->disabled = sk_json_true(record, "disabled");
	else
		sk_log('e', "rules", "rule %s is not in force as it is now: memory is out", name);
	sk_arena_free(&a);
	return 0;
}

/* The file came while the broker was away: CreateTopicRule takes no name of a file's. */
static void say_hidden(const struct rules_engine *e, const char *name)
{
	const struct live_rule *r = live_find(&e->table, name);
	if (r && r->unit)
		sk_log('e', "rules", "rule %s of %s is not in force: there is one made by CreateTopicRule; delete that and send SIGHUP, or rename one", name, r->unit->name);
}

static void digest(const struct sk_bytes *record, uint64_t is[2])
{
	uint8_t all[SK_DIGEST_SIZE];
	sk_digest(record->data, record->size, all);
	memcpy(is, all, 2 * sizeof *is);
}

/* Where brokers share the store a record may be told again although it is the same: then the rule goes on as it is. */
static bool is_in_force(struct rules_engine *e, const struct next_filter *next, const uint64_t is[2])
{
	struct live_rule *r = live_find(&e->table, next->name);
	if (!r || r->unit || r->broken || r->disabled != next->disabled || memcmp(r->record_is, is, sizeof r->record_is))
		return false;
	if (!r->filter != !next->filter || (r->filter && strcmp(r->filter, next->filter)))
		return false;
	r->round = e->round;
	return true;
}

int engine_watch_rule(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	struct next_filter **at = find(e, name);
	if (!bytes) {
		engine_drop(e, name);
		return 0;
	}
	if (!*at)
		return 0; /* its tags have changed, or its filter met no memory */
	uint64_t is[2] = { 0 };
	if (e->rt->follower)
		digest(bytes, is);
	if (e->rt->follower && is_in_force(e, *at, is)) {
		forget(e, at);
		return 0;
	}
	struct live_rule *r = live_new(name, (*at)->filter, (struct sk_bytes *)bytes);
	if (r) {
		r->disabled = (*at)->disabled;
		r->round = e->round;
		memcpy(r->record_is, is, sizeof is);
	}
	forget(e, at);
	say_hidden(e, name);
	if (r && !engine_put(e, r))
		return 0;
	live_unref(r);
	sk_log('e', "rules", "rule %s is not in force as it is now: memory is out", name);
	return 0;
}

/* Those of operations that were not told of are gone; those of files are not in the store. */
static int sweep(struct rules_engine *e)
{
	for (int i = 0; i < SWEEP_AT_ONCE; i++) {
		if (e->sweep >= e->table.used)
			return 0;
		struct live_rule *r = live_at(&e->table, e->sweep++);
		if (r && !r->unit && r->round != e->round)
			engine_drop(e, r->name);
	}
	return 1;
}

int engine_watch_reset(void *state, enum sk_reset phase)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	if (phase == SK_RESET_BEGINS) {
		engine_watch_free(e);
		e->round++;
		e->sweep = 0;
	}
	if (phase != SK_RESET_OVER)
		destinations_reset(e->destinations, phase);
	return phase == SK_RESET_ENDS ? sweep(e) : 0;
}

void engine_watch_free(struct rules_engine *e)
{
	while (e->next)
		forget(e, &e->next);
}
