/* runtime.c -- the tables of the loaded plugins become rows; workers, keeper and pool are made here and end here. */
#include "core/runtime.h"
#include "core/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- rows -- */

static size_t count_rows(const struct sk_plugin *p)
{
	size_t n = 0;
	for (const struct sk_topic *t = p->topics; t && t->pattern; t++)
		n++;
	for (const struct sk_on *o = p->on; o && o->event; o++)
		n++;
	for (const struct sk_op_group *const *g = p->operations; g && *g; g++)
		for (const struct sk_op *op = (*g)->op; op->name; op++)
			n++;
	return n;
}

static int add_topics(struct sk_runtime *rt, struct sk_loaded *l, char *why, size_t why_size)
{
	for (const struct sk_topic *t = l->plugin->topics; t && t->pattern; t++) {
		struct sk_row *row = &l->rows[l->row_count++];
		row->kind = SK_ROW_TOPIC;
		row->name = t->pattern;
		row->partition = t->partition;
		row->handler = t->handler;
		row->refuse = t->refuse;
		row->limit = t->limit;
		row->owner = l;
		if (sk_trie_add(rt->trie, t->pattern, row, why, why_size))
			return -1;
	}
	return 0;
}

static struct sk_row *operation_of(struct sk_runtime *rt, const char *service, size_t n, const char *name)
{
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++) {
			struct sk_row *row = &rt->loaded[i].rows[k];
			if (row->kind == SK_ROW_OPERATION && !strcmp(row->name, name) && (!service || (strlen(row->service) == n && !memcmp(row->service, service, n))))
				return row;
		}
	return NULL;
}

static int add_operation(struct sk_runtime *rt, struct sk_loaded *l, const struct sk_op_group *g, const struct sk_op *op, char *why, size_t why_size)
{
	struct sk_row *row = &l->rows[l->row_count];
	if (operation_of(rt, g->service, strlen(g->service), op->name)) {
		snprintf(why, why_size, "operation %s:%s is there twice", g->service, op->name);
		return -1;
	}
	row->kind = SK_ROW_OPERATION;
	row->name = op->name;
	row->partition = op->partition;
	row->handler = op->handler;
	row->op = op;
	row->service = g->service;
	row->owner = l;
	row->inputs = sk_inputs_new(rt->shapes, op->route, op->inputs, op->verb != SK_GET && op->verb != SK_DELETE, why, why_size);
	if (!row->inputs)
		return -1;
	l->row_count++;
	return 0;
}

static int add_operations(struct sk_runtime *rt, struct sk_loaded *l, char *why, size_t why_size)
{
	for (const struct sk_op_group *const *g = l->plugin->operations; g && *g; g++)
		for (const struct sk_op *op = (*g)->op; op->name; op++)
			if (add_operation(rt, l, *g, op, why, why_size))
				return -1;
	return 0;
}

static void add_events(struct sk_loaded *l)
{
	for (const struct sk_on *o = l->plugin->on; o && o->event; o++) {
		struct sk_row *row = &l->rows[l->row_count++];
		row->kind = SK_ROW_EVENT;
		row->name = o->event;
		row->partition = o->partition;
		row->handler = o->handler;
		row->owner = l;
	}
}

/* -- watches: what is stored already -- */

struct applying { const struct sk_watch *watch; void *state; bool failed; };

static int apply_one(void *ctx, const struct sk_scan_item *item)
{
	struct applying *a = ctx;
	a->failed = a->watch->apply(a->state, item->key + strlen(a->watch->prefix), item->bytes) != 0;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return a->failed;
}

static int apply_watches(struct sk_runtime *rt, const struct sk_loaded *l, char *why, size_t why_size)
{
	for (const struct sk_watch *w = l->plugin->watches; w && w->prefix; w++) {
		struct applying a = { w, l->state, false };
		struct sk_store_scan scan = { .space = SK_RECORD, .prefix = w->prefix, .fn = apply_one, .ctx = &a };
		if (rt->store->ops->scan(rt->store, &scan) || a.failed) {
			snprintf(why, why_size, "%s", a.failed ? "the index of stored records cannot be built" : "the store does not answer");
			return -1;
		}
	}
	return 0;
}

static void unload(struct sk_loaded *l)
{
	for (size_t i = 0; i < l->row_count; i++)
		sk_inputs_free(&l->rows[i].inputs);
	free(l->rows);
	memset(l, 0, sizeof *l);
}

int sk_runtime_load(struct sk_runtime *rt, const struct sk_plugin *p, void *state, char *why, size_t why_size)
{
	struct sk_loaded *l = &rt->loaded[rt->loaded_count];
	if (rt->loaded_count == SK_MAX_PLUGINS) {
		snprintf(why, why_size, "more than %d plugins", SK_MAX_PLUGINS);
		return -1;
	}
	*l = (struct sk_loaded){ .plugin = p, .state = state, .rows = calloc(count_rows(p) + 1, sizeof *l->rows) };
	if (!l->rows) {
		snprintf(why, why_size, "memory is out");
		return -1;
	}
	rt->loaded_count++;
	if ((p->shapes && sk_shapes_add(rt->shapes, p->shapes, why, why_size)) || add_topics(rt, l, why, why_size) ||
	    add_operations(rt, l, why, why_size))
		return -1;
	add_events(l);
	return apply_watches(rt, l, why, why_size);
}

struct sk_row *sk_runtime_operation(struct sk_runtime *rt, const char *name)
{
	const char *colon = strchr(name, ':');
	return colon ? operation_of(rt, name, (size_t)(colon - name), colon + 1) : operation_of(rt, NULL, 0, name);
}

struct sk_row *sk_runtime_event(struct sk_runtime *rt, const char *name)
{
	for (int i = 0; name && i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++)
			if (rt->loaded[i].rows[k].kind == SK_ROW_EVENT && !strcmp(rt->loaded[i].rows[k].name, name))
				return &rt->loaded[i].rows[k];
	return NULL;
}

int sk_runtime_each_event(struct sk_runtime *rt, const char *event, void (*fn)(struct sk_row *, void *), void *ctx)
{
	int n = 0;
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++) {
			struct sk_row *row = &rt->loaded[i].rows[k];
			if (row->kind != SK_ROW_EVENT || strcmp(row->name, event))
				continue;
			fn(row, ctx);
			n++;
		}
	return n;
}

/* -- life -- */

struct sk_runtime *sk_runtime_new(const struct sk_host *host, struct sk_store *store, int workers)
{
	struct sk_runtime *rt = calloc(1, sizeof *rt);
	char why[200];
	if (!rt)
		return NULL;
	rt->host = host;
	rt->store = store;
	rt->workers = workers < 1 ? 1 : workers > SK_MAX_WORKERS ? SK_MAX_WORKERS : workers;
	rt->inbox_limit = 8u << 20;
	rt->cache_limit = 2u << 20;
	sk_outbox_init(&rt->outbox);
	rt->trie = sk_trie_new();
	rt->shapes = sk_shapes_new();
	rt->keeper = sk_keeper_new(rt);
	rt->slow = sk_slow_new(rt);
	bool shared = !store->exclusive && store->ops->changes;
	rt->follower = shared ? sk_follower_new(rt) : NULL;
	bool made = rt->trie && rt->shapes && rt->keeper && rt->slow && (rt->follower || !shared);
	for (int i = 0; i < rt->workers; i++)
		made = (rt->worker[i] = sk_worker_new(rt, i)) && made;
	if (!made || sk_runtime_load(rt, &sk_core_effects, NULL, why, sizeof why) ||
	    sk_runtime_load(rt, &sk_core_control, NULL, why, sizeof why))
		sk_runtime_free(&rt);
	return rt;
}

void sk_runtime_set_cache(struct sk_runtime *rt, size_t bytes_per_worker)
{
	rt->cache_limit = bytes_per_worker;
	for (int i = 0; i < rt->workers; i++)
		rt->worker[i]->cache.limit = bytes_per_worker;
}

int sk_runtime_start(struct sk_runtime *rt)
{
	rt->host->wake_thread(rt->host->ctx, SK_KEEPER);
	if (!rt->follower)
		return sk_effects_replay(rt);
	rt->host->wake_thread(rt->host->ctx, SK_FOLLOWER); /* which finds those that nobody works on */
	return 0;
}

void sk_runtime_free(struct sk_runtime **at)
{
	struct sk_runtime *rt = *at;
	*at = NULL;
	if (!rt)
		return;
	sk_slow_free(&rt->slow);
	for (int i = 0; i < rt->workers; i++)
		sk_worker_free(&rt->worker[i]);
	sk_keeper_free(&rt->keeper);
	sk_outbox_free(&rt->outbox); /* who is told now that nothing comes of it may still look at rows */
	for (int i = 0; i < rt->loaded_count; i++)
		unload(&rt->loaded[i]);
	sk_follower_free(&rt->follower); /* effects have told it that they end */
	sk_trie_free(&rt->trie);
	sk_shapes_free(&rt->shapes);
	free(rt);
}
