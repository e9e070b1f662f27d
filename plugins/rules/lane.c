/* lane.c -- one lane, step by step (lane_step.h): which items may go now, what its sink says of them, and when to try again.
 *
 * When a whole batch is to be retried the sink is taken to be down: all waits, then one item is tried alone, each time another one, until the sink
 * says something else. So neither a dead sink is pelted, nor does one item that it never takes keep the others from it. */
#include "plugins/rules/lane_step.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "core/secrets.h"
#include "plugins/rules/lane_mask.h"

enum { MOST_ITEMS = 256, MOST_BYTES = 1 << 20 };  /* of a batch, when the sink does not say */
enum { KEYS = 8192 };                             /* more than there are entries in a window */
enum { CALLS_MOST = 16 };                         /* failures under way */
enum { SOON_MS = 100, SETTLE_AGAIN_MS = 1000, IDLE_MS = 60000, TRIED_MS = 60000, SAY_MS = 10000 };
enum { DOWN_STRIKES = 3 };                        /* so often in a row: it is told, and the sink is opened anew */
#define RETRY_MOST_MS INT64_C(3600000)            /* whatever the other side says */

struct aim {
	const struct sk_sink *sink;
	void *state;
	char *fields;            /* JSON */
};
struct lane_run {
	struct lane_window window;
	struct lane_limits limits;
	struct lane_host host;
	struct lane_numbers numbers;
	struct aim aim;
	void *open;
	struct lane_mask mask;   /* of what it was opened with */
	struct sk_arena arena;   /* of one step */
	struct sk_place found_end;
	bool counted, down, told;
	unsigned strikes, doubts; /* failed tries of a sink that is down; first tries of different items that were put off one after the other */
	int calls;
	int64_t until_ms, worked_ms, told_ms;
	pthread_mutex_t lock;    /* of what follows: other threads' */
	struct aim next_aim;
	bool aimed;
	struct lane_entry *settled;
	char last_error[LANE_WHY];
	int64_t last_error_ms;
	uint32_t keys[KEYS];     /* of a pick: what waits, and keeps others waiting */
	size_t keys_used;
	size_t picked;
	struct lane_entry *entry[LANE_WINDOW_ITEMS];
	struct sk_sink_item *item[LANE_WINDOW_ITEMS];
};

/* -- life -- */

struct lane_run *lane_run_new(struct sk_segments *files, const struct lane_limits *limits, const struct lane_host *host)
{
	struct lane_run *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->limits = *limits;
	r->host = *host;
	r->found_end = sk_segments_end(files);
	lane_window_init(&r->window, files);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

int lane_run_aim(struct lane_run *r, const struct sk_sink *sink, void *state, const cJSON *fields)
{
	struct sk_arena a = { 0 };
	const char *text = sk_json_print(&a, fields, NULL);
	char *copy = text ? strdup(text) : NULL;

	sk_arena_free(&a);
	if (!copy)
		return -1;
	pthread_mutex_lock(&r->lock);
	free(r->next_aim.fields);
	r->next_aim = (struct aim){ sink, state, copy };
	r->aimed = true;
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static void shut(struct lane_run *r)
{
	if (r->open)
		r->aim.sink->close(r->open);
	r->open = NULL;
}

static void take_aim(struct lane_run *r)
{
	struct aim old = r->aim;

	pthread_mutex_lock(&r->lock);
	bool aimed = r->aimed;
	struct aim next = r->next_aim;
	r->next_aim.fields = aimed ? NULL : r->next_aim.fields;
	r->aimed = false;
	pthread_mutex_unlock(&r->lock);
	if (!aimed)
		return;
	shut(r);
	r->aim = next;
	free(old.fields);
	if (!old.sink != !next.sink || (old.sink && old.sink->order != next.sink->order))
		lane_window_order(&r->window, next.sink ? next.sink->order : NULL);
}

void lane_run_rest(struct lane_run *r)
{
	shut(r);
}

struct lane_numbers *lane_numbers(struct lane_run *r)
{
	return &r->numbers;
}

const char *lane_last_error(struct lane_run *r, struct sk_arena *a, int64_t *wall_ms)
{
	pthread_mutex_lock(&r->lock);
	const char *why = r->last_error_ms ? sk_strdup(a, r->last_error) : NULL;
	*wall_ms = r->last_error_ms;
	pthread_mutex_unlock(&r->lock);
	return why;
}

static void note_error(struct lane_run *r, const char *why, const struct lane_clock *now)
{
	pthread_mutex_lock(&r->lock);
	snprintf(r->last_error, sizeof r->last_error, "%s", why ? why : "it was refused without a reason");
	r->last_error_ms = now->wall_ms;
	pthread_mutex_unlock(&r->lock);
}

static void say(struct lane_run *r, const char *what, const char *why)
{
	char line[LANE_WHY + 64];

	snprintf(line, sizeof line, "%s%s%s", what, why ? ": " : "", why ? why : "");
	r->host.say(r->host.ctx, line);
}

/* Doubled each time, and by chance up to half of it less: lanes that fail together do not come back together. */
static int64_t backoff(struct lane_run *r, unsigned tries)
{
	int64_t ms = r->limits.retry_least_ms;
	uint32_t chance;

	for (unsigned i = 1; i < tries && ms < r->limits.retry_most_ms; i++)
		ms *= 2;
	if (ms > r->limits.retry_most_ms)
		ms = r->limits.retry_most_ms;
	r->host.random(r->host.ctx, &chance, sizeof chance);
	return ms - (int64_t)(chance % (uint64_t)(ms / 2 + 1));
}

/* -- what has failed for good -- */

static void done(struct lane_run *r, struct lane_entry *e)
{
	lane_window_done(&r->window, e);
	atomic_fetch_add(&r->numbers.done, 1);
}

static void fail(struct lane_run *r, struct lane_entry *e, const char *why)
{
	e->why = sk_strdup(&e->block->arena, why ? why : "it was refused without a reason");
	e->state = ENTRY_FAILED;
	e->not_before_ms = 0;
	atomic_fetch_add(&r->numbers.failed, 1);
}

void lane_settled(struct lane_run *r, void *token, bool well)
{
	struct lane_entry *e = token;

	pthread_mutex_lock(&r->lock);
	e->well = well;
	e->settled = r->settled;
	r->settled = e;
	pthread_mutex_unlock(&r->lock);
}

static void settle(struct lane_run *r, int64_t now_ms)
{
	pthread_mutex_lock(&r->lock);
	struct lane_entry *e = r->settled;
	r->settled = NULL;
	pthread_mutex_unlock(&r->lock);
	while (e) {
		struct lane_entry *next = e->settled;
		r->calls--;
		if (e->well) {
			done(r, e);
		} else {
			e->state = ENTRY_FAILED;
			e->not_before_ms = now_ms + SETTLE_AGAIN_MS;
		}
		e = next;
	}
}

static void send_failures(struct lane_run *r, int64_t now_ms)
{
	for (struct lane_entry *e = lane_window_next(&r->window, NULL); e && r->calls < CALLS_MOST; e = lane_window_next(&r->window, e)) {
		if (e->state != ENTRY_FAILED || e->not_before_ms > now_ms)
			continue;
		const struct lane_failure f = { .item = &e->item, .record = e->record, .size = e->size, .attempts = e->attempts, .token = e, .fields = r->aim.fields,
			.why = e->why ? e->why : "memory is out" };
		e->state = ENTRY_SETTLING;
		r->calls++;
		if (!r->host.failed(r->host.ctx, &f))
			continue;
		r->calls--;
		e->state = ENTRY_FAILED;
		e->not_before_ms = now_ms + SETTLE_AGAIN_MS;
	}
}

static const char *duration(char *at, size_t room, int64_t ms)
{
	static const struct { int64_t ms; const char *unit; } units[] = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	while (ms % units[i].ms)
		i++;
	snprintf(at, room, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
	return at;
}

/* Of what was tried, or could not be while the sink is down. What has just been read has a minute: a broker that was away for long finds old items,
 * and sinks that start with it. */
static void give_up(struct lane_run *r, const struct lane_clock *now)
{
	int64_t most = r->limits.retry_for_ms, least = most < TRIED_MS ? most : TRIED_MS;
	char why[LANE_WHY + 64], text[32];

	if (!most)
		return;
	snprintf(why, sizeof why, "gave up after %s: %s", duration(text, sizeof text, most), r->last_error);
	for (struct lane_entry *e = lane_window_next(&r->window, NULL); e; e = lane_window_next(&r->window, e))
		if (e->state == ENTRY_WAITS && (r->down || e->attempts) && now->wall_ms - e->item.sink.time_ms >= most && now->now_ms - e->seen_ms >= least)
			fail(r, e, why);
}

/* -- which items may go -- */

static uint32_t *slot(struct lane_run *r, uint32_t key)
{
	size_t i = key & (KEYS - 1);

	while (r->keys[i] && r->keys[i] != key)
		i = (i + 1) & (KEYS - 1);
	return &r->keys[i];
}

static void hold(struct lane_run *r, uint32_t key)
{
	uint32_t *at = key ? slot(r, key) : NULL;

	if (at && !*at) {
		*at = key;
		r->keys_used++;
	}
}

static bool held(struct lane_run *r, const struct lane_entry *e)
{
	return r->keys_used > KEYS / 2 || (r->keys_used && e->key && *slot(r, e->key));
}

static void begin_pick(struct lane_run *r)
{
	if (r->keys_used)
		memset(r->keys, 0, sizeof r->keys);
	r->keys_used = r->picked = 0;
}

static bool may_go(struct lane_run *r, struct lane_entry *e, int64_t now_ms)
{
	if (e->state != ENTRY_WAITS)
		return false;
	if (e->not_before_ms <= now_ms && !held(r, e))
		return true;
	hold(r, e->key);
	return false;
}

/* The sink is down: of those that could go the one that was tried least. */
static void pick_one(struct lane_run *r, int64_t now_ms)
{
	for (struct lane_entry *e = lane_window_next(&r->window, NULL); e; e = lane_window_next(&r->window, e)) {
		if (!may_go(r, e, now_ms))
			continue;
		hold(r, e->key);
		if (!r->picked || e->attempts < r->entry[0]->attempts)
			r->entry[0] = e;
		r->picked = 1;
	}
}

static void pick(struct lane_run *r, int64_t now_ms)
{
	const struct sk_sink *s = r->aim.sink;
	size_t most = s && s->most_items ? s->most_items : MOST_ITEMS, most_bytes = s && s->most_bytes ? s->most_bytes : MOST_BYTES, bytes = 0;

	begin_pick(r);
	if (r->down) {
		if (now_ms >= r->until_ms)
			pick_one(r, now_ms);
		return;
	}
	for (struct lane_entry *e = lane_window_next(&r->window, NULL); e && r->picked < most && r->picked < LANE_WINDOW_ITEMS; e = lane_window_next(&r->window, e)) {
		if (!may_go(r, e, now_ms))
			continue;
		if (r->picked && bytes + e->item.sink.size > most_bytes)
			return;
		bytes += e->item.sink.size;
		r->entry[r->picked++] = e;
		if (e->attempts) /* it may be put off again: what follows it does not pass it */
			hold(r, e->key);
	}
}

/* -- to the sink -- */

/* The node of the path "tls.ca", n bytes, and its parent; NULL: there is none. */
static cJSON *node_at(cJSON *fields, const char *path, size_t n, cJSON **parent)
{
	cJSON *node = fields;
	char name[64];

	for (size_t at = 0, part; node && at < n; at += part + 1) {
		part = strcspn(path + at, ". ");
		if (part >= sizeof name)
			return NULL;
		snprintf(name, sizeof name, "%.*s", (int)part, path + at);
		*parent = node;
		node = sk_json_get(node, name);
	}
	return node;
}

/* Secrets are filled in where the sink looks for them, and nowhere else: other fields may have templates of messages. NULL, or why not. */
static const char *fill_connection(struct sk_arena *a, cJSON *fields, const char *paths)
{
	const char *why = NULL;

	for (const char *p = paths; p && *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		cJSON *parent = NULL, *node = node_at(fields, p, strcspn(p, " "), &parent), *filled = NULL;
		if (!node)
			continue;
		filled = sk_secrets_fill_all(a, node, &why);
		if (!filled)
			return why ? why : "memory is out";
		sk_json_set(a, parent, node->string, filled);
	}
	return a->failed ? "memory is out" : NULL;
}

/* NULL, or why not, in `why`. */
static const char *open_sink(struct lane_run *r, char *why, size_t why_size)
{
	const struct sk_sink *s = r->aim.sink;

	if (r->open)
		return NULL;
	if (!s)
		return "nothing here carries out its actions: its plugin is not loaded";
	cJSON *fields = sk_json_parse(&r->arena, r->aim.fields, strlen(r->aim.fields), NULL, NULL);
	const char *fault = fields ? fill_connection(&r->arena, fields, s->connection) : "memory is out";
	fault = fault || !lane_mask_set(&r->mask, r->aim.fields, fields) ? fault : "memory is out";
	snprintf(why, why_size, "%s", fault ? fault : "it cannot be opened");
	r->open = fault ? NULL : s->open(r->aim.state, fields, why, why_size);
	return r->open ? NULL : why;
}

static void deliver(struct lane_run *r)
{
	char text[LANE_WHY];
	const char *why = open_sink(r, text, sizeof text);

	for (size_t i = 0; i < r->picked; i++) {
		struct sk_sink_item *item = r->item[i] = &r->entry[i]->item.sink;
		item->attempt = r->entry[i]->attempts++;
		item->result = SK_SUNK_RETRY;
		item->why = NULL;
		item->retry_ms = 0;
	}
	if (why)
		sk_sink_all(r->item, r->picked, SK_SUNK_RETRY, sk_strdup(&r->arena, why));
	else
		r->aim.sink->deliver(r->open, r->item, r->picked, &r->arena);
	for (size_t i = 0; i < r->picked; i++)
		r->item[i]->why = lane_masked(&r->mask, &r->arena, r->item[i]->why);
}

/* -- what it said -- */

static int64_t asked_ms(const struct sk_sink_item *i)
{
	return i->retry_ms < 0 ? 0 : i->retry_ms > RETRY_MOST_MS ? RETRY_MOST_MS : i->retry_ms;
}

static void put_off(struct lane_run *r, struct lane_entry *e, int64_t now_ms)
{
	int64_t ms = backoff(r, e->attempts), asked = asked_ms(&e->item.sink);

	e->not_before_ms = now_ms + (asked > ms ? asked : ms);
}

static void go_down(struct lane_run *r, const struct lane_clock *now)
{
	int64_t ms = backoff(r, ++r->strikes);

	for (size_t i = 0; i < r->picked; i++)
		if (asked_ms(r->item[i]) > ms)
			ms = asked_ms(r->item[i]);
	r->down = true;
	r->until_ms = now->now_ms + ms;
	if (r->strikes < DOWN_STRIKES)
		return;
	shut(r);
	if (r->told || (r->told_ms && now->now_ms - r->told_ms < SAY_MS))
		return;
	r->told = true;
	r->told_ms = now->now_ms;
	say(r, "is down", r->last_error);
}

/* All of a batch is to be retried. One item alone may be at fault itself: only when another one meets the same is it the sink. */
static void nothing_went(struct lane_run *r, const struct lane_clock *now)
{
	struct lane_entry *e = r->entry[0];

	note_error(r, r->item[0]->why, now);
	r->doubts += r->picked == 1 && e->attempts == 1;
	atomic_store(&r->numbers.state, LANE_DOWN);
	if (r->down || r->picked > 1 || r->doubts > 1)
		go_down(r, now);
	else
		put_off(r, e, now->now_ms);
}

static void something_went(struct lane_run *r)
{
	r->down = false;
	r->strikes = r->doubts = 0;
	atomic_store(&r->numbers.state, LANE_UP);
	if (r->told)
		say(r, "is up again", NULL);
	r->told = false;
}

static void take_results(struct lane_run *r, const struct lane_clock *now)
{
	size_t retry = 0;

	for (size_t i = 0; i < r->picked; i++) {
		struct lane_entry *e = r->entry[i];
		if (r->item[i]->result == SK_SUNK_OK) {
			done(r, e);
			atomic_fetch_add(&r->numbers.delivered, 1);
		} else if (r->item[i]->result == SK_SUNK_FAIL) {
			fail(r, e, r->item[i]->why);
			note_error(r, r->item[i]->why, now);
		} else {
			retry++;
		}
	}
	atomic_fetch_add(&r->numbers.retried, retry);
	if (retry == r->picked)
		nothing_went(r, now);
	else
		something_went(r);
	for (size_t i = 0; i < r->picked && retry < r->picked; i++)
		if (r->entry[i]->state == ENTRY_WAITS) {
			note_error(r, r->item[i]->why, now);
			put_off(r, r->entry[i], now->now_ms);
		}
	if (retry)
		give_up(r, now);
}

/* -- a step -- */

/* Before the first of them goes. */
static bool count_found(struct lane_run *r)
{
	uint64_t n = 0;

	if (!r->counted && !lane_window_count(r->window.files, r->found_end, &n)) {
		atomic_store(&r->numbers.found, n);
		r->counted = true;
	}
	return r->counted;
}

static void note_damaged(struct lane_run *r, const struct lane_clock *now, uint64_t before)
{
	char why[80];

	if (r->window.damaged == before)
		return;
	snprintf(why, sizeof why, "%" PRIu64 " records in its files are no items", r->window.damaged);
	atomic_fetch_add(&r->numbers.done, r->window.damaged - before);
	note_error(r, why, now);
	say(r, "passes over what it cannot read", why);
}

static int64_t wake(struct lane_run *r, int64_t now_ms, bool again)
{
	int64_t next = again ? now_ms + SOON_MS : INT64_MAX;

	for (const struct lane_entry *e = lane_window_next(&r->window, NULL); e; e = lane_window_next(&r->window, e)) {
		int64_t at = INT64_MAX;
		if (e->state == ENTRY_WAITS)
			at = r->down && r->until_ms > e->not_before_ms ? r->until_ms : e->not_before_ms;
		else if (e->state == ENTRY_FAILED && r->calls < CALLS_MOST)
			at = e->not_before_ms;
		if (at > now_ms && at < next)
			next = at;
	}
	if (r->open && r->worked_ms + IDLE_MS < next)
		next = r->worked_ms + IDLE_MS;
	return next;
}

static void close_idle(struct lane_run *r, int64_t now_ms)
{
	if (!r->open || now_ms - r->worked_ms < IDLE_MS)
		return;
	shut(r);
	if (!r->window.items)
		atomic_store(&r->numbers.state, LANE_IDLE);
}

static void note_oldest(struct lane_run *r)
{
	const struct lane_entry *e = lane_window_next(&r->window, NULL);

	while (e && e->state == ENTRY_DONE)
		e = lane_window_next(&r->window, e);
	atomic_store(&r->numbers.oldest_ms, e ? e->item.sink.time_ms : 0);
}

int64_t lane_step(struct lane_run *r)
{
	struct lane_clock now;
	uint64_t damaged = r->window.damaged;

	sk_arena_reset(&r->arena, 256 << 10);
	take_aim(r);
	r->host.clock(r->host.ctx, &now);
	if (!count_found(r))
		return now.now_ms + SOON_MS;
	settle(r, now.now_ms);
	bool again = lane_window_fill(&r->window, r->aim.sink ? r->aim.sink->order : NULL, now.now_ms) != 0;
	note_damaged(r, &now, damaged);
	send_failures(r, now.now_ms);
	pick(r, now.now_ms);
	if (r->picked) {
		deliver(r);
		r->host.clock(r->host.ctx, &now);
		take_results(r, &now);
		send_failures(r, now.now_ms);
		r->worked_ms = now.now_ms;
	}
	again = lane_window_drop(&r->window) || again;
	note_oldest(r);
	close_idle(r, now.now_ms);
	return r->picked && !r->down ? now.now_ms : wake(r, now.now_ms, again);
}

void lane_run_free(struct lane_run **at)
{
	struct lane_run *r = *at;

	*at = NULL;
	if (!r)
		return;
	settle(r, 0);
	lane_window_drop(&r->window);
	shut(r);
	lane_window_free(&r->window);
	sk_arena_free(&r->arena);
	lane_mask_free(&r->mask);
	free(r->aim.fields);
	free(r->next_aim.fields);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
