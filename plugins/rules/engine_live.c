/* engine_live.c -- see engine_live.h. Ids are small numbers that are used again; the index by name is rebuilt when it is more than half full. */
#include "plugins/rules/engine_live.h"

#include <stdlib.h>
#include <string.h>

#include "core/cache.h"
#include "plugins/rules/engine_state.h"
#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_trace.h"
#include "plugins/rules/lane.h"

/* -- a rule -- */

struct live_rule *live_new(const char *name, const char *filter, struct sk_bytes *record)
{
	size_t n = strlen(name) + 1, m = filter ? strlen(filter) + 1 : 0;
	struct live_rule *r = calloc(1, sizeof *r + n + m);
	if (!r)
		return NULL;
	atomic_init(&r->refs, 1);
	memcpy(r->name, name, n);
	r->hash = sk_hash(name, n - 1);
	r->filter = m ? memcpy(r->name + n, filter, m) : NULL;
	r->record = sk_bytes_ref(record);
	return r;
}

struct live_rule *live_ref(struct live_rule *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void live_unref(struct live_rule *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	lanes_leave(r);
	sk_arena_free(&r->arena);
	sk_bytes_unref(r->record);
	lua_state_free(&r->overlay);
	lua_unit_unref(r->unit);
	trace_log_free(atomic_load(&r->trace));
	free(r->last_error);
	free(r);
}

/* One lock for all rules: taken when one is compiled, and when one fails. */
static pthread_mutex_t errors = PTHREAD_MUTEX_INITIALIZER;

static void note(struct live_rule *r, int64_t now_ms, const char *why)
{
	char *copy = why ? strdup(why) : NULL;
	if (!copy)
		return;
	free(r->last_error);
	r->last_error = copy;
	r->last_error_ms = now_ms;
}

void live_note(struct live_rule *r, int64_t now_ms, const char *why)
{
	pthread_mutex_lock(&errors);
	note(r, now_ms, why);
	pthread_mutex_unlock(&errors);
}

/* Whoever sees the count finds the reason. */
void live_failed(struct live_rule *r, int64_t now_ms, const char *why)
{
	live_note(r, now_ms, why);
	atomic_fetch_add_explicit(&r->failures, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&r->count.failed, 1, memory_order_release);
}

char *live_last_error(struct live_rule *r, struct sk_arena *a, int64_t *at_ms)
{
	pthread_mutex_lock(&errors);
	char *copy = sk_strdup(a, r->last_error);
	*at_ms = r->last_error_ms;
	pthread_mutex_unlock(&errors);
	return copy;
}

/* *out: memory is out, so that nothing is known of it yet. */
static const struct rules_rule *compile(struct live_rule *r, const struct rules_settings *s, bool *out)
{
	struct sk_arena parsed = { 0 };
	struct rules_error e = { 0 };
	cJSON *record = sk_json_parse(&parsed, r->record->data, r->record->size, NULL, NULL);
	const struct rules_rule *made = record ? rules_compile(&r->arena, r->name, sk_json_get(record, "payload"), s, &e) : NULL;
	*out = !made && (parsed.failed || e.error == SK_E_INTERNAL);
	if (!made) {
		note(r, 0, *out ? "memory is out" : record ? e.message : "its record is not JSON");
		sk_arena_free(&r->arena);
	}
	sk_arena_free(&parsed);
	return made;
}

const struct rules_rule *live_program(struct live_rule *r, const struct rules_settings *s)
{
	const struct rules_rule *made = atomic_load_explicit(&r->compiled, memory_order_acquire);
	bool out = false;
	if (made || atomic_load_explicit(&r->compiled_tried, memory_order_acquire))
		return made;
	pthread_mutex_lock(&errors);
	if (r->record && !atomic_load(&r->compiled_tried)) {
		atomic_store_explicit(&r->compiled, compile(r, s, &out), memory_order_release);
		if (!out) {
			sk_bytes_unref(r->record);
			r->record = NULL;
		}
	}
	atomic_store_explicit(&r->compiled_tried, !out, memory_order_release);
	made = atomic_load(&r->compiled);
	pthread_mutex_unlock(&errors);
	return made;
}

/* -- the index by name -- */

static uint32_t *bucket_of(const struct live_table *t, const char *name)
{
	uint32_t i = sk_hash(name, strlen(name)) & (t->buckets - 1);
	while (t->bucket[i] && strcmp(t->rule[t->bucket[i] - 1]->name, name))
		i = (i + 1) & (t->buckets - 1);
	return &t->bucket[i];
}

static int grow_buckets(struct live_table *t)
{
	uint32_t n = t->buckets ? t->buckets * 2 : 64, *old = t->bucket, olds = t->buckets;
	uint32_t *bucket = calloc(n, sizeof *bucket);
	if (!bucket)
		return -1;
	t->bucket = bucket;
	t->buckets = n;
	for (uint32_t i = 0; i < olds; i++)
		if (old[i])
			*bucket_of(t, t->rule[old[i] - 1]->name) = old[i];
	free(old);
	return 0;
}

/* What follows in the same cluster moves up, so that it is found. */
static void empty_bucket(struct live_table *t, uint32_t *at)
{
	*at = 0;
	for (uint32_t i = (uint32_t)(at - t->bucket + 1) & (t->buckets - 1); t->bucket[i]; i = (i + 1) & (t->buckets - 1)) {
		uint32_t id = t->bucket[i];
		t->bucket[i] = 0;
		*bucket_of(t, t->rule[id - 1]->name) = id;
	}
}

/* -- ids -- */

static int grow_ids(struct live_table *t)
{
	uint32_t room = t->room ? t->room * 2 : 64;
	uint32_t *free_id = realloc(t->free_id, room * sizeof *free_id);
	if (free_id)
		t->free_id = free_id;
	pthread_mutex_lock(&t->lock);
	struct live_rule **rule = free_id ? realloc(t->rule, room * sizeof *rule) : NULL;
	if (rule) {
		t->rule = rule;
		t->room = room;
	}
	pthread_mutex_unlock(&t->lock);
	return rule ? 0 : -1;
}

static int room_for_one(struct live_table *t)
{
	if (t->used == t->room && !t->frees && grow_ids(t))
		return -1;
	return (t->count + 1) * 2 > t->buckets && grow_buckets(t) ? -1 : 0;
}

/* -- the table -- */

int live_table_init(struct live_table *t)
{
	memset(t, 0, sizeof *t);
	pthread_mutex_init(&t->lock, NULL);
	t->filters = rules_filters_new();
	return t->filters && !grow_buckets(t) ? 0 : -1;
}

void live_table_free(struct live_table *t)
{
	for (uint32_t i = 0; i < t->used; i++)
		live_unref(t->rule[i]);
	rules_filters_free(&t->filters);
	free(t->rule);
	free(t->free_id);
	free(t->bucket);
	pthread_mutex_destroy(&t->lock);
}

struct live_rule *live_find(const struct live_table *t, const char *name)
{
	uint32_t id = *bucket_of(t, name);
	return id ? t->rule[id - 1] : NULL;
}

struct live_rule *live_at(const struct live_table *t, uint32_t id)
{
	return t->rule[id];
}

static void set(struct live_table *t, uint32_t id, struct live_rule *r)
{
	pthread_mutex_lock(&t->lock);
	t->rule[id] = r;
	t->used = id >= t->used ? id + 1 : t->used;
	pthread_mutex_unlock(&t->lock);
}

static bool same_filter(const struct live_rule *r, const struct live_rule *old)
{
	return old && old->filter && r->filter && !strcmp(old->filter, r->filter);
}

static void give_back(struct live_table *t, uint32_t id)
{
	t->free_id[t->frees++] = id;
	t->count--;
}

/* Under the id of the one that it replaces, or under a new one. */
int live_prepare(struct live_table *t, struct live_rule *r)
{
	const struct live_rule *old = live_find(t, r->name);
	if (!old && room_for_one(t))
		return -1;
	r->id = old ? old->id : t->frees ? t->free_id[--t->frees] : t->used;
	if (!old) {
		set(t, r->id, NULL);
		t->count++;
	}
	if (!r->filter || same_filter(r, old) || !rules_filters_add(t->filters, r->filter, r->id))
		return 0;
	if (!old)
		give_back(t, r->id);
	return -1;
}

void live_give_up(struct live_table *t, struct live_rule *r)
{
	const struct live_rule *old = t->rule[r->id];
	if (r->filter && !same_filter(r, old))
		rules_filters_remove(t->filters, r->filter, r->id);
	if (!old)
		give_back(t, r->id);
}

struct live_rule *live_put(struct live_table *t, struct live_rule *r)
{
	struct live_rule *old = t->rule[r->id];
	if (old && old->filter && !same_filter(r, old))
		rules_filters_remove(t->filters, old->filter, r->id);
	set(t, r->id, r);
	if (!old)
		*bucket_of(t, r->name) = r->id + 1;
	return old;
}

struct live_rule *live_take(struct live_table *t, const char *name)
{
	struct live_rule *r = live_find(t, name);
	if (!r)
		return NULL;
	empty_bucket(t, bucket_of(t, name));
	if (r->filter)
		rules_filters_remove(t->filters, r->filter, r->id);
	set(t, r->id, NULL);
	give_back(t, r->id);
	return r;
}

/* -- from other threads -- */

enum { AT_ONCE = 64 };

void live_each(struct live_table *t, void (*fn)(void *ctx, struct live_rule *r), void *ctx)
{
	uint32_t at = 0, n;
	do {
		struct live_rule *some[AT_ONCE];
		n = 0;
		pthread_mutex_lock(&t->lock);
		for (; at < t->used && n < AT_ONCE; at++)
			if (t->rule[at])
				some[n++] = live_ref(t->rule[at]);
		pthread_mutex_unlock(&t->lock);
		for (uint32_t i = 0; i < n; i++) {
			fn(ctx, some[i]);
			live_unref(some[i]);
		}
	} while (n);
}

struct live_rule *live_get(struct live_table *t, const char *name)
{
	struct live_rule *found = NULL;
	pthread_mutex_lock(&t->lock);
	for (uint32_t i = 0; i < t->used && !found; i++)
		if (t->rule[i] && !strcmp(t->rule[i]->name, name))
			found = live_ref(t->rule[i]);
	pthread_mutex_unlock(&t->lock);
	return found;
}
