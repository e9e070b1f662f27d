/* commit.c -- from decided calls to one commit, and from its outcome to effects and answers.
 *
 * Nothing leaves before the commit is durable. What leaves keeps this order: the watches of all its writes, then each call's
 * publishes and replies in the order of the calls. */
#include "core/call_internal.h"
#include "core/follower.h"

#include <stdlib.h>
#include <string.h>

/* -- before -- */

static bool superseded(const struct sk_run *run, size_t i)
{
	for (size_t k = i + 1; k < run->writes; k++)
		if (run->write[k].hash == run->write[i].hash && run->write[k].space == run->write[i].space &&
		    !strcmp(run->write[k].key, run->write[i].key))
			return true;
	return false;
}

static size_t list_writes(struct sk_run *run, struct sk_store_write *out)
{
	size_t n = 0;
	for (size_t i = 0; i < run->writes; i++)
		if (!superseded(run, i))
			out[n++] = (struct sk_store_write){ run->write[i].space, run->write[i].key, run->write[i].bytes };
	return n;
}

static size_t scan_expects(const struct sk_run *run, struct sk_store_expect *out)
{
	size_t n = 0, home = strlen(run->partition->name);
	for (size_t i = 0; i < run->scans; i++) {
		const struct sk_run_scan *s = &run->scan[i];
		if (strncmp(s->prefix, run->partition->name, home) || s->prefix[home] != '/')
			continue;
		out[n++] = (struct sk_store_expect){ .key = s->prefix, .as_of = s->as_of, .structure = true };
		for (size_t k = 0; k < s->count; k++)
			out[n++] = (struct sk_store_expect){ .key = s->item[k].key, .version = s->item[k].version, .as_of = s->as_of };
	}
	return n;
}

static size_t list_expects(const struct sk_run *run, struct sk_store_expect *out)
{
	size_t n = 0;
	for (size_t i = 0; i < run->reads; i++) {
		const struct sk_run_read *r = &run->read[i];
		if (r->home && r->state == SK_READ_HAVE)
			out[n++] = (struct sk_store_expect){ .key = r->key, .version = r->version, .as_of = r->as_of };
	}
	return n + scan_expects(run, out + n);
}

static size_t expect_room(const struct sk_run *run)
{
	size_t n = run->reads;
	for (size_t i = 0; i < run->scans; i++)
		n += 1 + run->scan[i].count;
	return n;
}

static void done(struct sk_commit *commit)
{
	sk_worker_post_committed(commit->owner);
}

/* What the broker thread must hear of is made before the commit: a revocation that is stored is never lost for want of memory. */
static int note_for(struct sk_run *run, const struct sk_loaded *l, const struct sk_store_write *w)
{
	for (const struct sk_watch *watch = l->plugin->watches; watch && watch->prefix; watch++) {
		size_t n = strlen(watch->prefix);
		if (strncmp(w->key, watch->prefix, n))
			continue;
		struct sk_outgoing *item = sk_out_add(&run->watched, SK_OUT_APPLY, w->key + n, NULL, NULL, 0);
		if (!item)
			return -1;
		item->watch = watch;
		item->state = l->state;
		item->bytes = sk_bytes_ref(w->bytes);
		item->follower = run->worker->rt->follower;
		item->made = item->follower ? sk_follower_made(item->follower) : 0;
	}
	return 0;
}

static int note_watches(struct sk_run *run)
{
	struct sk_runtime *rt = run->worker->rt;
	for (size_t i = 0; i < run->commit.write_count; i++)
		for (int k = 0; run->commit.writes[i].space == SK_RECORD && k < rt->loaded_count; k++)
			if (note_for(run, &rt->loaded[k], &run->commit.writes[i]))
				return -1;
	return 0;
}

static struct sk_outgoing *outgoing(struct sk_out_list *l, const struct sk_slot_effect *e)
{
	void *properties = e->properties ? malloc(e->properties_size) : NULL;
	struct sk_outgoing *item = NULL;
	if (properties)
		memcpy(properties, e->properties, e->properties_size);
	if (properties || !e->properties)
		item = sk_out_add(l, e->kind, e->topic, e->client_id, e->payload, e->size);
	if (!item) {
		free(properties);
		return NULL;
	}
	item->properties = properties;
	item->properties_size = e->properties_size;
	return item;
}

/* What the call sends, as the outbox takes it. */
static bool pack(struct sk_slot *s)
{
	if (s->packed)
		return true;
	sk_out_list_init(&s->leaving);
	s->leaving.home = &s->run->worker->home;
	for (struct sk_slot_effect *e = s->effects; e; e = e->next) {
		struct sk_outgoing *item = outgoing(&s->leaving, e);
		if (!item) {
			SK_COUNT(s->run->worker->rt->count.memory_failures);
			sk_out_list_free(&s->leaving);
			return false;
		}
		item->qos = (e->flags & SK_QOS1) ? 1 : 0;
		item->retain = (e->flags & SK_RETAIN) != 0;
		item->depth = s->request->depth + 1;
		item->client = s->request->client;
		item->generation = s->request->generation;
	}
	s->packed = true;
	return true;
}

static int pack_all(struct sk_run *run)
{
	for (int i = 0; i < run->slots; i++)
		if (!pack(run->slot[i]) || sk_effects_prepare(run->slot[i]))
			return -1;
	return 0;
}

static void refuse_commit(struct sk_run *run)
{
	run->commit.status = SK_COMMIT_FAILED;
	run->commit.why = "memory is out";
	SK_COUNT(run->worker->rt->count.memory_failures);
	sk_worker_post_committed(run);
}

bool sk_run_prepare_commit(struct sk_run *run)
{
	struct sk_commit *c = &run->commit;
	memset(c, 0, sizeof *c); /* a first try may have left its writes */
	sk_out_list_free(&run->watched);
	run->watched.home = &run->worker->home;
	if (!run->writes)
		return false;
	c->partition = run->partition->name;
	c->done = done;
	c->owner = run;
	c->writes = sk_alloc(&run->arena, run->writes * sizeof *c->writes);
	c->expects = sk_alloc(&run->arena, (expect_room(run) + 1) * sizeof *c->expects);
	if (!c->writes || !c->expects) {
		refuse_commit(run);
		return true;
	}
	c->write_count = list_writes(run, c->writes);
	c->expect_count = list_expects(run, c->expects);
	if (note_watches(run) || pack_all(run)) {
		refuse_commit(run);
		return true;
	}
	SK_POINT(run->worker->rt->host, "commit.before");
	sk_worker_submit(run->worker, c);
	return true;
}

/* -- after -- */

static void drop_from_cache(struct sk_run *run)
{
	for (size_t i = 0; i < run->reads; i++)
		sk_cache_drop(&run->worker->cache, run->read[i].key, run->read[i].hash);
}

static void update_cache(struct sk_run *run)
{
	if (!run->worker->rt->store->exclusive)
		return;
	for (size_t i = 0; i < run->commit.write_count; i++) {
		const struct sk_store_write *w = &run->commit.writes[i];
		if (w->space == SK_RECORD)
			sk_cache_put(&run->worker->cache, w->key, sk_hash(w->key, strlen(w->key)), w->bytes, w->bytes ? run->commit.version : 0);
	}
}

static void give_up_all(struct sk_run *run, const char *why)
{
	sk_run_cut_writes(run, 0);
	for (int i = 0; i < run->slots; i++) {
		run->slot[i]->overlay_mark = 0;
		sk_slot_give_up(run->slot[i], SK_E_UNAVAILABLE, why);
	}
	run->commit.write_count = 0;
}

static void one_by_one(struct sk_run *run)
{
	run->partition->single = run->slots;
	sk_run_cut_writes(run, 0);
	run->commit.write_count = 0;
	sk_run_give_back(run, 0);
}

static bool conflict(struct sk_run *run)
{
	struct sk_runtime *rt = run->worker->rt;
	int tries = 0;
	SK_COUNT(rt->count.conflicts);
	drop_from_cache(run);
	for (int i = 0; i < run->slots; i++)
		tries = run->slot[i]->request->tries > tries ? run->slot[i]->request->tries : tries;
	if (tries >= SK_MAX_RERUNS / 2 && run->slots > 1) {
		one_by_one(run); /* what collides is then one of them, not all */
		return false;
	}
	if (tries >= sk_max_reruns(rt->store)) {
		SK_COUNT(rt->count.rerun_limit);
		give_up_all(run, "The request kept colliding with others");
		return false;
	}
	SK_COUNT(rt->count.reruns);
	sk_run_restart(run);
	return true;
}

/* A commit of several calls that failed is tried again call by call, so that one that cannot be stored fails alone; but not one that may have
 * happened: its calls would happen twice. */
static void failed(struct sk_run *run)
{
	struct sk_runtime *rt = run->worker->rt;
	SK_COUNT(rt->count.commit_failures);
	if (run->slots > 1 && !run->commit.unknown)
		one_by_one(run);
	else
		give_up_all(run, run->commit.why ? run->commit.why : "The store does not answer");
}

bool sk_run_settle(struct sk_run *run)
{
	struct sk_runtime *rt = run->worker->rt;
	SK_POINT(rt->host, "commit.after");
	switch (run->commit.status) {
	case SK_COMMIT_OK:
		SK_COUNT(rt->count.commits);
		update_cache(run);
		return false;
	case SK_COMMIT_CONFLICT:
		return conflict(run);
	default:
		failed(run);
		return false;
	}
}

/* -- effects and answers -- */

/* Of a call that has stored nothing: one that cannot say what it was to say has failed, and says that, if it can. */
static void release_effects(struct sk_slot *s)
{
	if (!pack(s)) {
		sk_slot_give_up(s, SK_E_UNAVAILABLE, "The answer needs more memory than there is");
		pack(s);
	}
	sk_out_list_move(&s->run->worker->out, &s->leaving);
}

static void answer(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	struct sk_answer a = { .error = s->result, .message = s->call.message, .arena = &s->arena,
		               .out = s->result ? s->call.error_fields : s->call.out, .quiet = !s->run->heard && !s->effects,
		               .outgoing = &s->run->worker->out };
	if (r->finish)
		r->finish(r, &a);
}

static void count(struct sk_slot *s, int64_t now_us)
{
	struct sk_runtime *rt = s->run->worker->rt;
	struct sk_row *row = s->request->row;
	SK_COUNT(rt->count.calls);
	SK_COUNT(row->count.calls);
	if (s->result) {
		SK_COUNT(rt->count.errors);
		SK_COUNT(row->count.errors);
	}
	sk_count_latency(&row->count, now_us - s->request->arrived_us);
}

void sk_run_release(struct sk_run *run)
{
	struct sk_worker *w = run->worker;
	int64_t now = w->rt->host->mono_us(w->rt->host->ctx);
	SK_COUNT(w->rt->count.runs);
	SK_COUNT_BY(w->rt->count.run_calls, (uint64_t)run->slots);
	SK_POINT(w->rt->host, "release.before");
	run->heard = run->commit.write_count && run->watched.head;
	if (run->commit.write_count) {
		for (struct sk_outgoing *item = run->watched.head; item && item->follower; item = item->next)
			item->version = run->commit.version;
		sk_out_list_move(&w->out, &run->watched);
	}
	for (int i = 0; i < run->slots; i++) {
		struct sk_slot *s = run->slot[i];
		release_effects(s);
		sk_effects_after_commit(run, s);
		if (s->request->effect)
			sk_effect_done(w, s->request, s->result);
		count(s, now); /* whoever has read the answer finds it counted */
		answer(s);
		sk_worker_through(w, s->request);
		s->request = NULL;
	}
	SK_POINT(w->rt->host, "release.after");
	sk_run_free(run);
}
