/* engine_watch.c -- the records of rules as they change: registry/rule-filter/NAME says which topics, registry/rule/NAME is the rule. Both come from one
 * commit, the filter first; the rule is put in force when its record is here. Broker's thread: the record itself is not parsed. */
#include <stdlib.h>
#include <string.h>

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_unit.h"

enum { FILTER_RECORD_MOST = 8192 };

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
	struct live_rule *r = live_new(name, (*at)->filter, (struct sk_bytes *)bytes);
	if (r)
		r->disabled = (*at)->disabled;
	forget(e, at);
	say_hidden(e, name);
	if (r && !engine_put(e, r))
		return 0;
	live_unref(r);
	sk_log('e', "rules", "rule %s is not in force as it is now: memory is out", name);
	return 0;
}

void engine_watch_free(struct rules_engine *e)
{
	while (e->next)
		forget(e, &e->next);
}
