/* interest.c -- see interest.h. A filter is in the index as often as brokers have it; each broker's set says which to take out again. */
#include "plugins/cluster/interest.h"

#include <string.h>

#include "rules/filters.h"

int interest_init(struct interest *i)
{
	*i = (struct interest){ .index = rules_filters_new() };
	return i->index ? 0 : -1;
}

void interest_free(struct interest *i)
{
	for (int k = 0; k < BROKERS; k++)
		strings_free(&i->other[k].filters);
	rules_filters_free(&i->index);
}

struct other *interest_find(struct interest *i, uint64_t self)
{
	for (int k = 0; self && k < BROKERS; k++)
		if (i->other[k].self == self)
			return &i->other[k];
	return NULL;
}

struct other *interest_add(struct interest *i, uint64_t self)
{
	struct other *o = interest_find(i, self);

	for (int k = 0; self && !o && k < BROKERS; k++)
		if (!i->other[k].self) {
			o = &i->other[k];
			*o = (struct other){ .self = self };
			i->others++;
		}
	return o;
}

static uint32_t number_of(const struct interest *i, const struct other *o)
{
	return (uint32_t)(o - i->other);
}

static bool takes_all(const struct other *o)
{
	return o->overfull || strings_find(&o->filters, "");
}

static void out_of_memory(struct interest *i, struct other *o)
{
	i->all += !takes_all(o);
	o->overfull = true;
}

static void add(struct interest *i, struct other *o, const char *filter)
{
	struct string *one = strings_find(&o->filters, filter);
	bool all = takes_all(o);

	if (!one) {
		one = strings_add(&o->filters, filter);
		if (!one || (*filter && rules_filters_add(i->index, filter, number_of(i, o)))) {
			if (one)
				strings_remove(&o->filters, one);
			out_of_memory(i, o);
			return;
		}
		i->filters++;
		i->all += !*filter && !all;
	}
	one->mark = true;
}

static void forget(struct interest *i, struct other *o, const char *filter)
{
	if (*filter)
		rules_filters_remove(i->index, filter, number_of(i, o));
	else
		i->all -= !o->overfull;
	i->filters--;
}

static void discard(struct interest *i, struct other *o, const char *filter)
{
	struct string *one = strings_find(&o->filters, filter);

	if (!one)
		return;
	forget(i, o, filter);
	strings_remove(&o->filters, one);
}

void interest_change(struct interest *i, struct other *o, enum entry_kind kind, const char *filter)
{
	if (*filter && !rules_filter_valid(filter))
		return;
	if (kind == ENTRY_ADD)
		add(i, o, filter);
	else
		discard(i, o, filter);
}

struct sweep { struct interest *i; struct other *o; };

static void sweep_one(void *ctx, const char *filter)
{
	const struct sweep *s = ctx;

	forget(s->i, s->o, filter);
}

void interest_begin(struct interest *i, struct other *o)
{
	for (struct string *one = strings_next(&o->filters, NULL); one; one = strings_next(&o->filters, one))
		one->mark = false;
	if (o->overfull)
		i->all -= !strings_find(&o->filters, "");
	o->overfull = false;
}

void interest_end(struct interest *i, struct other *o)
{
	strings_sweep(&o->filters, sweep_one, &(struct sweep){ i, o });
}

void interest_drop(struct interest *i, struct other *o)
{
	interest_begin(i, o);
	interest_end(i, o);
	strings_free(&o->filters);
	*o = (struct other){ 0 };
	i->others--;
}

size_t interest_match(struct interest *i, const char *topic, uint32_t out[BROKERS])
{
	size_t n = 0, found = 0;
	uint32_t at[BROKERS];

	if (!i->all)
		return rules_filters_match(i->index, topic, out, BROKERS);
	found = rules_filters_match(i->index, topic, at, BROKERS);
	for (uint32_t k = 0, next = 0; k < BROKERS; k++) {
		bool named = next < found && at[next] == k;
		next += named;
		if (i->other[k].self && (named || takes_all(&i->other[k])))
			out[n++] = k;
	}
	return n;
}
