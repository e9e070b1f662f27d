/* timers.c -- the keeper: fires durable timers, tries effects again, publishes the counters.
 *
 * The truth about a timer is its record; here are only hints of what is due within the next minute, in a heap. Firing is a call
 * on the owner's partition which consumes the record, so a hint too many does no harm. Due times are wall-clock; the keeper looks
 * at the clock again at least once a second, so that a stepped clock is noticed.
 *
 * Brokers that share a store all find the same hints. Who made a timer that is due soon has its hint; of the others each hint is for the one
 * broker whose place is 0 (sk_follower_place). What is overdue nobody has fired: it may be tried by the first after three seconds, by the
 * next after six. The commit that consumes the record makes it once, whoever tries. */
#include "core/call_internal.h"
#include "core/follower.h"
#include "core/marks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HORIZON_MS 60000
#define RESCAN_US 30000000
#define LOOK_AGAIN_US 1000000
#define FIRE_MOST 100        /* of one step: overdue work enters paced */
#define PACE_US 10000
#define LATE_MS 3000
#define LATE_EVERY_US 2000000
#define LATE_MOST 500        /* hints looked at in one go */
#define AGAIN_MS 1000
#define AGAIN_MOST_MS 60000

struct hint {
	int64_t due_ms;
	uint64_t generation;
	char *partition, *name;
	int attempts;        /* that passed by */
};
struct sk_keeper {
	struct sk_runtime *rt;
	pthread_mutex_t lock;
	struct hint *heap;
	size_t count, capacity;
	struct sk_request *retries;
	int64_t horizon_ms;    /* hints due up to this are in the heap or fired; -1: none is known */
	bool rescan;           /* a hint was lost: the next scan is due now and begins at the beginning */
	struct sk_marks known; /* where brokers share the store: hints in the heap or on their way */
	int64_t next_late_us;
	int64_t next_look_us, next_scan_us;
	_Atomic int64_t counters_every_us;
	int64_t next_counters_us;
	void (*each_second)(void *arg);
	int64_t next_second_us;
};

static const struct sk_caller internal = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };

/* -- the heap -- */

static void sift_up(struct sk_keeper *k, size_t i)
{
	while (i && k->heap[(i - 1) / 2].due_ms > k->heap[i].due_ms) {
		struct hint t = k->heap[i];
		k->heap[i] = k->heap[(i - 1) / 2];
		k->heap[(i - 1) / 2] = t;
		i = (i - 1) / 2;
	}
}

static void sift_down(struct sk_keeper *k, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < k->count && k->heap[child].due_ms < k->heap[least].due_ms)
				least = child;
		if (least == i)
			return;
		struct hint t = k->heap[i];
		k->heap[i] = k->heap[least];
		k->heap[least] = t;
		i = least;
	}
}

static void hint_free(struct hint *h)
{
	free(h->partition);
	free(h->name);
}

static struct sk_mark_key key_of(const char *partition, const char *name, uint64_t generation)
{
	char text[2 * SK_KEY_MAX + 32];
	snprintf(text, sizeof text, "%s/%s/%" PRIx64, partition, name, generation);
	return sk_mark_key(NULL, text, "");
}

/* Under the lock. */
static void forget(struct sk_keeper *k, const char *partition, const char *name, uint64_t generation)
{
	if (k->rt->follower)
		sk_marks_drop(&k->known, key_of(partition, name, generation));
}

/* Memory out: the hint is still in the store, but a scan beyond the horizon does not find it. */
static void push(struct sk_keeper *k, struct hint h)
{
	if (k->count == k->capacity) {
		size_t n = k->capacity ? k->capacity * 2 : 64;
		struct hint *larger = realloc(k->heap, n * sizeof *larger);
		if (larger) {
			k->heap = larger;
			k->capacity = n;
		}
	}
	if (k->count == k->capacity || !h.partition || !h.name) {
		if (h.partition && h.name)
			forget(k, h.partition, h.name, h.generation);
		hint_free(&h);
		k->rescan = true;
		return;
	}
	k->heap[k->count] = h;
	sift_up(k, k->count++);
}

/* A hint that is new here; where others find the same ones, not twice. */
static void add(struct sk_keeper *k, struct hint h)
{
	uint64_t *known = k->rt->follower && h.partition && h.name ? sk_marks_put(&k->known, key_of(h.partition, h.name, h.generation)) : NULL;
	if (known && *known) {
		hint_free(&h);
		return;
	}
	if (known)
		*known = 1;
	push(k, h);
}

static struct hint pop(struct sk_keeper *k)
{
	struct hint h = k->heap[0];
	k->heap[0] = k->heap[--k->count];
	sift_down(k, 0);
	return h;
}

/* -- arming and scanning -- */

void sk_keeper_arm(struct sk_keeper *k, int64_t due_ms, const char *partition, const char *name, uint64_t generation)
{
	pthread_mutex_lock(&k->lock);
	bool soon = due_ms <= k->horizon_ms;
	if (soon)
		add(k, (struct hint){ due_ms, generation, strdup(partition), strdup(name), 0 });
	pthread_mutex_unlock(&k->lock);
	if (soon)
		k->rt->host->wake_thread(k->rt->host->ctx, SK_KEEPER);
}

/* The timer's record is still there although it has been fired: it is tried again, wherever the horizon is. */
static void fire_again(struct sk_keeper *k, const struct sk_request *r)
{
	int64_t wait_ms = r->attempts < 6 ? AGAIN_MS << r->attempts : AGAIN_MOST_MS, due_ms = k->rt->host->wall_ms(k->rt->host->ctx) + wait_ms;
	pthread_mutex_lock(&k->lock);
	push(k, (struct hint){ due_ms, r->timer_generation, strdup(r->partition), strdup(r->timer), r->attempts + 1 });
	pthread_mutex_unlock(&k->lock);
	k->rt->host->wake_thread(k->rt->host->ctx, SK_KEEPER);
}

/* "due as 16 hex digits/partition/name/generation in hex" */
static bool parse_hint(const char *key, struct hint *h)
{
	char *end;
	const char *name, *generation = strrchr(key, '/');
	h->due_ms = (int64_t)strtoull(key, &end, 16);
	if (end != key + 16 || *end != '/' || !generation || generation == end)
		return false;
	const char *partition = end + 1;
	name = partition + sk_key_partition(partition) + 1;
	if (name >= generation)
		return false;
	h->generation = strtoull(generation + 1, NULL, 16);
	h->partition = strndup(partition, (size_t)(name - 1 - partition));
	h->name = strndup(name, (size_t)(generation - name));
	return true;
}

/* Is it for this broker, of those that share the store, to try it? late_ms: how long it has been due, or less than LATE_MS. */
static bool is_for_us(const struct sk_keeper *k, const char *key, int64_t late_ms)
{
	return !k->rt->follower || sk_follower_place(k->rt->follower, key) * (int64_t)LATE_MS <= (late_ms < LATE_MS ? 0 : late_ms - LATE_MS);
}

struct scan { struct sk_keeper *k; int64_t from_ms, to_ms, late_ms; };

static int take_hint(void *ctx, const struct sk_scan_item *item)
{
	struct scan *s = ctx;
	struct hint h = { 0 };
	bool known = parse_hint(item->key, &h), beyond = known && h.due_ms > s->to_ms;
	if (known && !beyond && h.due_ms > s->from_ms && is_for_us(s->k, item->key, 0)) {
		pthread_mutex_lock(&s->k->lock);
		add(s->k, h);
		pthread_mutex_unlock(&s->k->lock);
	} else if (known) {
		hint_free(&h);
	}
	free(item->key);
	sk_bytes_unref(item->bytes);
	return beyond;
}

static void scan(struct sk_keeper *k, int64_t wall_ms)
{
	struct sk_store *store = k->rt->store;
	char after[32];
	pthread_mutex_lock(&k->lock);
	if (k->rescan)
		k->horizon_ms = -1;
	k->rescan = false;
	struct scan s = { k, k->horizon_ms, wall_ms + HORIZON_MS, 0 };
	bool forward = s.to_ms > s.from_ms;
	if (forward)
		k->horizon_ms = s.to_ms;
	pthread_mutex_unlock(&k->lock);
	if (!forward)
		return;
	snprintf(after, sizeof after, "%016" PRIx64 "0", (uint64_t)s.from_ms); /* '0' sorts after '/': behind all that were due then */
	struct sk_store_scan wanted = { .space = SK_TIMER, .prefix = "", .after = s.from_ms >= 0 ? after : NULL, .fn = take_hint, .ctx = &s };
	if (!store->ops->scan(store, &wanted))
		return;
	pthread_mutex_lock(&k->lock);
	k->horizon_ms = s.from_ms; /* the store did not answer: look at the same stretch again, soon */
	pthread_mutex_unlock(&k->lock);
	k->next_scan_us = 0;
}

static int take_late(void *ctx, const struct sk_scan_item *item)
{
	struct scan *s = ctx;
	struct hint h = { 0 };
	bool known = parse_hint(item->key, &h), beyond = known && h.due_ms > s->to_ms;
	bool ours = known && !beyond && is_for_us(s->k, item->key, s->late_ms + s->to_ms - h.due_ms);
	pthread_mutex_lock(&s->k->lock);
	if (ours && !sk_marks_find(&s->k->known, key_of(h.partition, h.name, h.generation))) {
		SK_COUNT(s->k->rt->count.timers_late);
		add(s->k, h);
	} else if (known) {
		hint_free(&h);
	}
	pthread_mutex_unlock(&s->k->lock);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return beyond;
}

/* What nobody has fired although it was due: its broker is gone, or the commit that made it seemed to have failed. */
static void look_for_late(struct sk_keeper *k, int64_t now_us, int64_t wall_ms)
{
	struct scan s = { k, -1, wall_ms - LATE_MS, LATE_MS };
	if (!k->rt->follower || now_us < k->next_late_us)
		return;
	k->next_late_us = now_us + LATE_EVERY_US;
	k->rt->store->ops->scan(k->rt->store, &(struct sk_store_scan){ .space = SK_TIMER, .prefix = "", .limit = LATE_MOST, .fn = take_late, .ctx = &s });
}

void sk_keeper_rescan(struct sk_keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->rescan = true;
	pthread_mutex_unlock(&k->lock);
}

/* -- firing -- */

static void settled(struct sk_keeper *k, const struct sk_request *r)
{
	pthread_mutex_lock(&k->lock);
	forget(k, r->partition, r->timer, r->timer_generation);
	pthread_mutex_unlock(&k->lock);
}

static void fired(struct sk_request *r, const struct sk_answer *a)
{
	struct sk_keeper *k = r->finish_ctx;
	if (!a->outgoing)
		return;
	if (sk_error_passes_by(a->error)) {
		fire_again(k, r);
		return;
	}
	settled(k, r);
	if (a->error)
		sk_log('w', "core", "timer %s of %s was refused for good: %s", r->timer, r->partition, a->message ? a->message : "");
	else if (!r->superseded)
		SK_COUNT(k->rt->count.timers_fired);
	else if (k->rt->follower)
		SK_COUNT(k->rt->count.timers_elsewhere);
}

static void fire(struct sk_keeper *k, struct hint *h)
{
	struct sk_row *row = sk_runtime_event(k->rt, SK_EVENT_TIMER);
	struct sk_request *r = sk_request_new(row, SK_LANE_INTERNAL, &internal, NULL, "{}", 2);
	if (!r) {
		pthread_mutex_lock(&k->lock);
		forget(k, h->partition, h->name, h->generation);
		k->rescan = true;
		pthread_mutex_unlock(&k->lock);
		hint_free(h);
		return;
	}
	r->partition = h->partition;
	r->timer = h->name;
	r->timer_generation = h->generation;
	r->attempts = h->attempts;
	r->finish = fired;
	r->finish_ctx = k;
	r->arrived_us = k->rt->host->mono_us(k->rt->host->ctx);
	sk_runtime_submit(k->rt, r);
	SK_POINT(k->rt->host, "timer.fired");
}

static int64_t fire_due(struct sk_keeper *k, int64_t now_us, int64_t wall_ms)
{
	for (int n = 0;; n++) {
		pthread_mutex_lock(&k->lock);
		bool any = k->count > 0, due = any && k->heap[0].due_ms <= wall_ms;
		int64_t next = any ? now_us + (k->heap[0].due_ms - wall_ms) * 1000 : INT64_MAX;
		struct hint h = { 0 };
		if (due && n < FIRE_MOST)
			h = pop(k);
		pthread_mutex_unlock(&k->lock);
		if (!any)
			return INT64_MAX;
		if (!due)
			return next;
		if (n == FIRE_MOST)
			return now_us + PACE_US;
		fire(k, &h);
	}
}

/* -- trying effects again -- */

void sk_keeper_retry(struct sk_keeper *k, struct sk_request *r)
{
	pthread_mutex_lock(&k->lock);
	r->next = k->retries;
	k->retries = r;
	pthread_mutex_unlock(&k->lock);
	k->rt->host->wake_thread(k->rt->host->ctx, SK_KEEPER);
}

static int64_t submit_retries(struct sk_keeper *k, int64_t now_us)
{
	int64_t next = INT64_MAX;
	struct sk_request *due = NULL;
	pthread_mutex_lock(&k->lock);
	for (struct sk_request **at = &k->retries; *at;) {
		struct sk_request *r = *at;
		if (r->again_us <= now_us) {
			*at = r->next;
			r->next = due;
			due = r;
		} else {
			next = r->again_us < next ? r->again_us : next;
			at = &r->next;
		}
	}
	pthread_mutex_unlock(&k->lock);
	while (due) {
		struct sk_request *r = due;
		due = r->next;
		sk_request_renew(r);
		r->arrived_us = now_us;
		sk_runtime_submit(k->rt, r);
	}
	return next;
}

/* -- counters -- */

void sk_keeper_publish_counters(struct sk_keeper *k, int64_t interval_us)
{
	k->counters_every_us = interval_us;
}

static void publish_one(struct sk_out_list *out, const char *name, uint64_t value)
{
	char topic[96], text[24];
	snprintf(topic, sizeof topic, "$SYS/skeeter/%s", name);
	int n = snprintf(text, sizeof text, "%" PRIu64, value);
	struct sk_outgoing *item = sk_out_add(out, SK_OUT_PUBLISH, topic, NULL, text, (size_t)n);
	if (item)
		item->retain = true;
}

static void publish_document(struct sk_keeper *k, struct sk_out_list *out)
{
	struct sk_arena a;
	size_t n;
	sk_arena_init(&a, 0);
	const char *text = sk_json_print(&a, sk_counters_document(&a, k->rt), &n);
	struct sk_outgoing *item = text ? sk_out_add(out, SK_OUT_PUBLISH, "$SYS/skeeter/counters", NULL, text, n) : NULL;
	if (item)
		item->retain = true;
	sk_arena_free(&a);
}

static int64_t publish_counters(struct sk_keeper *k, int64_t now_us)
{
	struct sk_out_list out;
	if (!k->counters_every_us)
		return INT64_MAX;
	if (now_us < k->next_counters_us)
		return k->next_counters_us;
	k->next_counters_us = now_us + k->counters_every_us;
	sk_out_list_init(&out);
	out.home = &k->rt->outbox.others;
#define SK_COUNTER(name, prose) publish_one(&out, #name, atomic_load_explicit(&k->rt->count.name, memory_order_relaxed));
#include "core/counters.tbl"
#undef SK_COUNTER
	publish_document(k, &out);
	sk_outbox_push(&k->rt->outbox, &out, k->rt->host);
	return k->next_counters_us;
}

/* -- the broker thread's second hand -- */

void sk_keeper_each_second(struct sk_keeper *k, void (*fn)(void *arg))
{
	__atomic_store_n(&k->each_second, fn, __ATOMIC_RELEASE);
	k->rt->host->wake_thread(k->rt->host->ctx, SK_KEEPER);
}

static int64_t call_each_second(struct sk_keeper *k, int64_t now_us)
{
	struct sk_out_list out;
	void (*fn)(void *) = __atomic_load_n(&k->each_second, __ATOMIC_ACQUIRE);
	if (!fn)
		return INT64_MAX;
	if (now_us < k->next_second_us)
		return k->next_second_us;
	k->next_second_us = now_us + 1000000;
	sk_out_list_init(&out);
	out.home = &k->rt->outbox.others;
	struct sk_outgoing *item = sk_out_add(&out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (item)
		item->call = fn;
	sk_outbox_push(&k->rt->outbox, &out, k->rt->host);
	return k->next_second_us;
}

/* -- the keeper -- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Once a second: a scan when its time has come, when the clock has been put forward beyond the horizon, or when hints were lost. */
static void look(struct sk_keeper *k, int64_t now_us, int64_t wall_ms)
{
	pthread_mutex_lock(&k->lock);
	bool due = now_us >= k->next_scan_us || wall_ms >= k->horizon_ms || k->rescan;
	pthread_mutex_unlock(&k->lock);
	k->next_look_us = now_us + LOOK_AGAIN_US;
	for (int i = 0; i < k->rt->workers; i++)
		sk_out_home_empty(&k->rt->worker[i]->home); /* of one that sleeps */
	sk_out_home_empty(&k->rt->outbox.others);
	look_for_late(k, now_us, wall_ms);
	if (!due)
		return;
	k->next_scan_us = now_us + RESCAN_US;
	scan(k, wall_ms);
}

int64_t sk_keeper_step(struct sk_keeper *k, int64_t now_us)
{
	int64_t wall_ms = k->rt->host->wall_ms(k->rt->host->ctx);
	if (now_us >= k->next_look_us)
		look(k, now_us, wall_ms);
	int64_t next = earlier(k->next_look_us, fire_due(k, now_us, wall_ms));
	next = earlier(next, submit_retries(k, now_us));
	next = earlier(next, call_each_second(k, now_us));
	return earlier(next, publish_counters(k, now_us));
}

struct sk_keeper *sk_keeper_new(struct sk_runtime *rt)
{
	struct sk_keeper *k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	k->rt = rt;
	k->horizon_ms = -1;
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void sk_keeper_free(struct sk_keeper **at)
{
	struct sk_keeper *k = *at;
	*at = NULL;
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++)
		hint_free(&k->heap[i]);
	while (k->retries) {
		struct sk_request *r = k->retries;
		k->retries = r->next;
		sk_request_abandon(r);
	}
	free(k->heap);
	sk_marks_free(&k->known);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
