/* follower_reset.c -- after a gap: each plugin forgets on the broker's thread, is told all that there is, and then drops the rest.
 *
 * begin (a call there) -> every record of every watch, page by page, as fast as the broker's thread takes them -> end (calls there until
 * nothing is left to do). A gap in between begins it anew. */
#include "core/follower_internal.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };
#define AGAIN_US 1000000

static int call_all(struct sk_follower *f, enum sk_reset phase)
{
	int answer = 0;
	for (int i = 0; i < f->rt->loaded_count; i++) {
		const struct sk_loaded *l = &f->rt->loaded[i];
		int rc = l->plugin->reset ? l->plugin->reset(l->state, phase) : 0;
		answer = rc < 0 || answer < 0 ? -1 : rc || answer;
	}
	return answer;
}

/* -- on the broker's thread -- */

static void answer(struct sk_follower *f, enum sk_reset phase)
{
	atomic_store(&f->reset.answer, call_all(f, phase));
	atomic_store(&f->reset.under_way, false);
	f->rt->host->wake_thread(f->rt->host->ctx, SK_FOLLOWER);
}

static void begin(void *arg)
{
	struct sk_follower *f = arg;
	sk_applied_clear(&f->applied);
	answer(f, SK_RESET_BEGINS);
}

static void end(void *arg)
{
	answer(arg, SK_RESET_ENDS);
}

/* -- the follower's thread -- */

static int ask(struct sk_follower *f, void (*call)(void *), enum sk_reset_state next)
{
	struct sk_out_list out;
	sk_out_list_init(&out);
	out.home = &f->rt->outbox.others;
	struct sk_outgoing *item = sk_out_add(&out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return -1;
	item->call = call;
	item->state = f;
	f->reset.state = next;
	atomic_store(&f->reset.under_way, true);
	sk_outbox_push(&f->rt->outbox, &out, f->rt->host);
	return 0;
}

struct page {
	struct sk_follower *f;
	const struct sk_loaded *loaded;
	const struct sk_watch *watch;
	struct sk_out_list out;
	uint64_t made;
	size_t n;
	bool failed;
};

static int take(void *ctx, const struct sk_scan_item *item)
{
	struct page *p = ctx;
	const struct sk_apply a = { item->key, item->bytes, item->version, p->made };
	p->failed = sk_follower_add_apply(&p->out, p->f, p->loaded, p->watch, &a);
	if (!p->failed) {
		strcpy(p->f->reset.after, item->key);
		p->n++;
	}
	free(item->key);
	sk_bytes_unref(item->bytes);
	return p->failed;
}

/* What could be read of a page is told even when the rest of it could not. 1: there is more; 0: that was the last of this watch. */
static int read_page(struct page *p)
{
	struct sk_resetting *r = &p->f->reset;
	char after[SK_KEY_MAX + 1];
	struct sk_store *store = p->f->rt->store;
	strcpy(after, r->after);
	struct sk_store_scan scan = { .space = SK_RECORD, .prefix = p->watch->prefix, .after = *after ? after : NULL, .limit = PAGE, .fn = take, .ctx = p };
	sk_out_list_init(&p->out);
	p->out.home = &p->f->rt->outbox.others;
	p->made = sk_follower_made(p->f);
	int rc = store->ops->scan(store, &scan);
	sk_outbox_push(&p->f->rt->outbox, &p->out, p->f->rt->host);
	return rc || p->failed ? -1 : p->n == PAGE;
}

/* The next page of the next watch; 0: there is none. */
static int read_next(struct sk_follower *f)
{
	struct sk_resetting *r = &f->reset;
	for (; r->plugin < f->rt->loaded_count; r->plugin++, r->watch = 0) {
		const struct sk_loaded *l = &f->rt->loaded[r->plugin];
		const struct sk_watch *w = l->plugin->watches ? &l->plugin->watches[r->watch] : NULL;
		if (!w || !w->prefix)
			continue;
		struct page p = { .f = f, .loaded = l, .watch = w };
		int rc = read_page(&p);
		if (!rc) {
			r->watch++;
			r->after[0] = '\0';
		}
		return rc < 0 ? -1 : 1;
	}
	return 0;
}

static int start(struct sk_follower *f, int64_t now_us)
{
	struct sk_resetting *r = &f->reset;
	if (now_us < r->not_before_us)
		return 0;
	r->plugin = r->watch = 0;
	r->after[0] = '\0';
	SK_COUNT(f->rt->count.resets);
	sk_log('w', "core", "what other brokers have changed in the store is not known whole: all that is watched is read anew");
	return ask(f, begin, SK_BEGINNING);
}

static int begun(struct sk_follower *f, int64_t now_us)
{
	int rc = atomic_load(&f->reset.answer);
	if (rc > 0)
		return ask(f, begin, SK_BEGINNING);
	call_all(f, SK_RESET_OVER);
	f->reset.state = rc ? SK_GAP : SK_READING;
	f->reset.not_before_us = rc ? now_us + AGAIN_US : 0;
	return rc ? 0 : 1;
}

static int ended(struct sk_follower *f, int64_t now_us)
{
	int rc = atomic_load(&f->reset.answer);
	if (rc > 0)
		return ask(f, end, SK_ENDING);
	call_all(f, SK_RESET_OVER);
	f->reset.state = rc ? SK_GAP : SK_IN_STEP;
	f->reset.not_before_us = rc ? now_us + AGAIN_US : 0;
	if (!rc)
		sk_log('n', "core", "all that is watched has been read anew");
	return 0;
}

int sk_follower_reset(struct sk_follower *f, int64_t now_us)
{
	if (f->reset.state == SK_IN_STEP || atomic_load(&f->reset.under_way))
		return 0;
	switch (f->reset.state) {
	case SK_GAP: return start(f, now_us);
	case SK_BEGINNING: return begun(f, now_us);
	case SK_ENDING: return ended(f, now_us);
	default: break;
	}
	int rc = read_next(f);
	return rc ? rc : ask(f, end, SK_ENDING);
}
