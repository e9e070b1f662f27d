/* follower_effects.c -- durable effects that nobody works on are replayed.
 *
 * An effect's key is "partition/SELF-chance": of the broker that works on it. One whose broker is gone is taken over by one of those that
 * live; one of our own that this process does not know is of a commit whose answer never came. Both must be so in two passes, so that what is
 * made or ends just now is not meant. At least once: a broker that was only cut off for long may do what another did for it. */
#include "core/follower_internal.h"

#include <stdlib.h>
#include <string.h>

#define PASS_US 3000000
enum { PAGE = 500, SELF = 16 };

static bool is_known(struct sk_follower *f, const char *key)
{
	pthread_mutex_lock(&f->lock);
	bool known = sk_marks_find(&f->known, sk_mark_key(NULL, key, "")) != NULL;
	pthread_mutex_unlock(&f->lock);
	return known;
}

static bool is_alive(struct sk_follower *f, const char *owner)
{
	bool alive = false;
	pthread_mutex_lock(&f->lock);
	for (int i = 0; i < f->peers && !alive; i++)
		alive = !strncmp(f->peer[i], owner, SELF);
	alive = alive || !f->peers;
	pthread_mutex_unlock(&f->lock);
	return alive;
}

/* Nobody works on it, and it is for this broker to begin. One without a broker's name is of a store that one process had. */
static bool is_for_us(struct sk_follower *f, const char *key)
{
	const char *owner = key + sk_key_partition(key) + 1;
	bool named = strlen(owner) > SELF && owner[SELF] == '-';
	if (is_known(f, key))
		return false;
	if (named && !strncmp(owner, f->rt->store->self, SELF))
		return true;
	return !(named && is_alive(f, owner)) && !sk_follower_place(f, key);
}

struct page { struct sk_follower *f; size_t n; };

static int take(void *ctx, const struct sk_scan_item *item)
{
	struct page *p = ctx;
	struct sk_follower *f = p->f;
	struct sk_mark_key key = sk_mark_key(NULL, item->key, "");
	p->n++;
	strcpy(f->pass_after, item->key);
	if (is_for_us(f, item->key)) {
		if (sk_marks_find(&f->doubted, key)) {
			SK_COUNT(f->rt->count.effects_taken_over);
			sk_effects_replay_one(f->rt, item);
		} else {
			sk_marks_put(&f->doubting, key); /* without memory it is another pass later */
		}
	}
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static void end_pass(struct sk_follower *f, int64_t now_us)
{
	sk_marks_free(&f->doubted);
	f->doubted = f->doubting;
	f->doubting = (struct sk_marks){ 0 };
	f->in_pass = false;
	f->next_pass_us = now_us + PASS_US;
}

int sk_follower_take_over(struct sk_follower *f, int64_t now_us)
{
	char after[SK_KEY_MAX + 1];
	struct sk_store *store = f->rt->store;
	struct page p = { .f = f };
	if (now_us < f->next_pass_us || !f->peers)
		return 0;
	if (!f->in_pass)
		f->pass_after[0] = '\0';
	f->in_pass = true;
	strcpy(after, f->pass_after);
	struct sk_store_scan scan = { .space = SK_EFFECT, .prefix = "", .after = *after ? after : NULL, .limit = PAGE, .fn = take, .ctx = &p };
	if (store->ops->scan(store, &scan))
		return -1;
	if (p.n == PAGE)
		return 1;
	end_pass(f, now_us);
	return 0;
}
