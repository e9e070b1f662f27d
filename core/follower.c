/* follower.c -- see follower.h: the log of changes, who else is there, and what the broker's thread is told.
 *
 * A change is applied in the order of the log, as the record is now: whoever reads it later reads what is newer. */
#include "core/follower_internal.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_US 2000000
#define AGAIN_US 20000      /* while the broker's thread has enough to do */

/* -- lists -- */

static void list_pop(struct sk_changed_list *l)
{
	struct sk_changed *c = l->head;
	l->head = c->next;
	if (!l->head)
		l->tail = &l->head;
	free(c);
}

/* -- what is watched -- */

static bool is_watched(void *ctx, const char *key)
{
	const struct sk_runtime *rt = ctx;
	for (int i = 0; i < rt->loaded_count; i++)
		for (const struct sk_watch *w = rt->loaded[i].plugin->watches; w && w->prefix; w++)
			if (!strncmp(key, w->prefix, strlen(w->prefix)))
				return true;
	return false;
}

int sk_follower_add_apply(struct sk_out_list *out, struct sk_follower *f, const struct sk_loaded *l, const struct sk_watch *w, const struct sk_apply *a)
{
	struct sk_outgoing *item = sk_out_add(out, SK_OUT_APPLY, a->key + strlen(w->prefix), NULL, NULL, 0);
	if (!item)
		return -1;
	item->watch = w;
	item->state = l->state;
	item->bytes = sk_bytes_ref(a->bytes);
	item->follower = f;
	item->version = a->version;
	item->made = a->made;
	return 0;
}

static int add_applies(struct sk_follower *f, struct sk_out_list *out, const struct sk_apply *a)
{
	for (int i = 0; i < f->rt->loaded_count; i++) {
		const struct sk_loaded *l = &f->rt->loaded[i];
		for (const struct sk_watch *w = l->plugin->watches; w && w->prefix; w++)
			if (!strncmp(a->key, w->prefix, strlen(w->prefix)) && sk_follower_add_apply(out, f, l, w, a))
				return -1;
	}
	return 0;
}

bool sk_follower_has_room(const struct sk_follower *f)
{
	return atomic_load_explicit(&f->rt->outbox.depth_now, memory_order_relaxed) < SK_OUTBOX_MOST;
}

/* -- the log -- */

static void note(void *ctx, const char *key, uint64_t version)
{
	struct sk_follower *f = ctx;
	if (is_watched(f->rt, key) && sk_changed_add(&f->changed, "", key, version))
		f->lost_one = true;
}

static int look(struct sk_follower *f)
{
	struct sk_store *store = f->rt->store;
	bool gap = false, first = !f->at;
	if (store->ops->changes(store, &f->at, &gap, note, f))
		return -1;
	if (gap || first || f->lost_one)
		f->reset.state = SK_GAP;
	f->lost_one = false;
	return 0;
}

static void hear(struct sk_follower *f, bool answered, int64_t now_us)
{
	if (answered)
		atomic_store(&f->heard_us, now_us);
	atomic_store(&f->silent, !answered);
}

static void take_again(struct sk_follower *f)
{
	pthread_mutex_lock(&f->lock);
	if (f->again.head) {
		*f->changed.tail = f->again.head;
		f->changed.tail = f->again.tail;
		sk_changed_init(&f->again);
	}
	pthread_mutex_unlock(&f->lock);
}

/* The versions of a store that has lost some may be less than the log's: then there was a gap, and what is here does not matter. */
static int tell(struct sk_follower *f, const struct sk_store_read *reads, size_t n, uint64_t made)
{
	struct sk_out_list out;
	const struct sk_changed *c = f->changed.head;
	int rc = 0;
	sk_out_list_init(&out);
	out.home = &f->rt->outbox.others;
	for (size_t i = 0; i < n && !rc; i++, c = c->next)
		rc = add_applies(f, &out, &(struct sk_apply){ reads[i].key, reads[i].bytes, reads[i].bytes ? reads[i].version : c->version, made });
	SK_COUNT_BY(f->rt->count.changes_heard, rc ? 0 : n);
	if (rc)
		sk_out_list_free(&out);
	sk_outbox_push(&f->rt->outbox, &out, f->rt->host);
	return rc;
}

/* Reads the first of them anew, all at once. 0, 1 for more, or -1. */
static int read_some(struct sk_follower *f)
{
	struct sk_store_read reads[SK_AT_ONCE];
	struct sk_store *store = f->rt->store;
	uint64_t made = sk_follower_made(f);
	size_t n = 0;
	for (struct sk_changed *c = f->changed.head; c && n < SK_AT_ONCE; c = c->next)
		reads[n++] = (struct sk_store_read){ .space = SK_RECORD, .key = c->key };
	if (!n)
		return 0;
	int rc = store->ops->read(store, reads, n);
	if (!rc)
		rc = tell(f, reads, n, made);
	for (size_t i = 0; i < n; i++)
		sk_bytes_unref(reads[i].bytes);
	if (rc)
		return -1;
	while (n--)
		list_pop(&f->changed);
	return f->changed.head ? 1 : 0;
}

/* -- who is there -- */

static void note_peer(void *ctx, const char *self)
{
	struct sk_follower *f = ctx;
	if (f->heard_peers == SK_PEERS_MOST || strlen(self) >= sizeof *f->heard_peer)
		return;
	int at = f->heard_peers++;
	for (; at && strcmp(f->heard_peer[at - 1], self) > 0; at--)
		strcpy(f->heard_peer[at], f->heard_peer[at - 1]);
	strcpy(f->heard_peer[at], self);
}

static int beat(struct sk_follower *f)
{
	struct sk_store *store = f->rt->store;
	f->heard_peers = 0;
	if (store->ops->beat(store, note_peer, f))
		return -1;
	bool changed = f->peers != f->heard_peers || memcmp(f->peer, f->heard_peer, (size_t)f->peers * sizeof *f->peer);
	pthread_mutex_lock(&f->lock);
	memcpy(f->peer, f->heard_peer, sizeof f->peer);
	f->peers = f->heard_peers;
	pthread_mutex_unlock(&f->lock);
	if (changed)
		sk_keeper_rescan(f->rt->keeper);
	return 0;
}

/* When one comes or goes, the places of the others for a key stay in their order. */
static uint64_t weight(struct sk_mark_key key, const char *self)
{
	uint64_t z = key.at[0] ^ strtoull(self, NULL, 16);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

int sk_follower_place(struct sk_follower *f, const char *key)
{
	struct sk_mark_key digest = sk_mark_key(NULL, key, "");
	int place = 0;
	pthread_mutex_lock(&f->lock);
	uint64_t ours = weight(digest, f->rt->store->self);
	for (int i = 0; i < f->peers; i++)
		place += weight(digest, f->peer[i]) > ours;
	pthread_mutex_unlock(&f->lock);
	return place;
}

/* -- effects under way here -- */

int sk_follower_knows(struct sk_follower *f, const char *key)
{
	pthread_mutex_lock(&f->lock);
	uint64_t *n = sk_marks_put(&f->known, sk_mark_key(NULL, key, ""));
	if (n)
		++*n;
	pthread_mutex_unlock(&f->lock);
	return n ? 0 : -1;
}

void sk_follower_forgets(struct sk_follower *f, const char *key)
{
	struct sk_mark_key digest = sk_mark_key(NULL, key, "");
	pthread_mutex_lock(&f->lock);
	uint64_t *n = sk_marks_find(&f->known, digest);
	if (n && !--*n)
		sk_marks_drop(&f->known, digest);
	pthread_mutex_unlock(&f->lock);
}

/* -- the follower -- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* 0, 1 for more at once, or -1: the store does not answer, the rest waits for another time. */
static int do_due(struct sk_follower *f, int64_t now_us)
{
	if (now_us >= f->next_beat_us) {
		if (beat(f))
			return -1;
		f->next_beat_us = now_us + BEAT_US;
	}
	if (now_us >= f->next_look_us) {
		int rc = look(f);
		hear(f, !rc, f->rt->host->mono_us(f->rt->host->ctx));
		if (rc)
			return -1;
		f->next_look_us = now_us + SK_LOOK_US;
	}
	take_again(f);
	if (!sk_follower_has_room(f))
		return 0;
	int more = read_some(f);
	int reset = more < 0 ? -1 : sk_follower_reset(f, now_us);
	if (reset < 0)
		return -1;
	int left = sk_follower_take_over(f, now_us);
	return left < 0 ? -1 : more || reset || left;
}

int64_t sk_follower_step(struct sk_follower *f, int64_t now_us)
{
	if (atomic_load(&f->rt->stopping))
		return INT64_MAX;
	sk_out_home_empty(&f->rt->outbox.others);
	int rc = do_due(f, now_us);
	if (rc < 0) {
		SK_COUNT(f->rt->count.store_failures);
		f->next_look_us = f->next_look_us > now_us ? f->next_look_us : now_us + SK_LOOK_US;
		f->next_beat_us = f->next_beat_us > now_us ? f->next_beat_us : now_us + SK_LOOK_US;
		f->next_pass_us = f->next_pass_us > now_us ? f->next_pass_us : now_us + SK_LOOK_US;
		atomic_store(&f->silent, true);
		return f->next_look_us;
	}
	int64_t next = earlier(f->next_look_us, earlier(f->next_beat_us, f->next_pass_us));
	if (!sk_follower_has_room(f))
		return earlier(next, now_us + AGAIN_US);
	return rc ? now_us : next;
}

/* -- life -- */

struct sk_follower *sk_follower_new(struct sk_runtime *rt)
{
	struct sk_follower *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->rt = rt;
	pthread_mutex_init(&f->lock, NULL);
	sk_changed_init(&f->again);
	sk_changed_init(&f->changed);
	if (sk_applied_init(&f->applied)) {
		sk_follower_free(&f);
		return NULL;
	}
	rt->store->watched = is_watched;
	rt->store->watched_ctx = rt;
	bool gap;
	if (!rt->store->ops->changes(rt->store, &f->at, &gap, note, f))
		atomic_store(&f->heard_us, rt->host->mono_us(rt->host->ctx));
	return f;
}

void sk_follower_free(struct sk_follower **at)
{
	struct sk_follower *f = *at;
	*at = NULL;
	if (!f)
		return;
	f->rt->store->watched = NULL;
	if (f->at)
		f->rt->store->ops->changes_end(f->at);
	while (f->again.head)
		list_pop(&f->again);
	while (f->changed.head)
		list_pop(&f->changed);
	sk_applied_free(&f->applied);
	sk_marks_free(&f->known);
	sk_marks_free(&f->doubted);
	sk_marks_free(&f->doubting);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
