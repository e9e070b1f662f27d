/* run.c -- executing what a partition has waiting: calls in order over one overlay, again where something was missing. */
#include "core/call_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_KEEP 8192          /* bytes of arena that a spare slot keeps */
#define SLOT_SPARES 32
#define CALL_MEMORY (64u << 20) /* most bytes that one call may use */

static const char no_memory[] = "The request needs more memory than there is";

/* -- slots -- */

static struct sk_slot *slot_new(struct sk_worker *w)
{
	struct sk_slot *s = w->spare_slot;
	if (s) {
		w->spare_slot = (struct sk_slot *)s->run;
		w->spare_slots--;
		s->run = NULL;
		return s;
	}
	s = calloc(1, sizeof *s);
	if (s)
		sk_arena_init(&s->arena, CALL_MEMORY);
	return s;
}

static void slot_drop(struct sk_worker *w, struct sk_slot *s)
{
	sk_effects_forget(s);
	sk_out_list_free(&s->leaving);
	s->packed = false;
	if (w->spare_slots >= SLOT_SPARES) {
		sk_arena_free(&s->arena);
		free(s);
		return;
	}
	sk_arena_reset(&s->arena, SLOT_KEEP);
	s->request = NULL;
	s->run = (struct sk_run *)w->spare_slot; /* the list of spares is linked through the field that is not needed now */
	w->spare_slot = s;
	w->spare_slots++;
}

/* -- making and giving back -- */

static struct sk_request *pop(struct sk_partition *p)
{
	struct sk_request *r = p->head;
	p->head = r->next;
	if (!p->head)
		p->tail = &p->head;
	p->length--;
	r->next = NULL;
	return r;
}

struct sk_run *sk_run_new(struct sk_worker *w, struct sk_partition *p)
{
	struct sk_run *run = w->spare_run;
	w->spare_run = NULL;
	if (!run && !(run = calloc(1, sizeof *run)))
		return NULL;
	run->worker = w;
	run->partition = p;
	run->started_us = w->rt->host->mono_us(w->rt->host->ctx);
	int max = p->single > 0 ? 1 : SK_RUN_MAX;
	p->single -= p->single > 0;
	while (p->head && run->slots < max) {
		struct sk_slot *s = slot_new(w);
		if (!s)
			break;
		s->run = run;
		s->request = pop(p);
		run->slot[run->slots++] = s;
	}
	return run;
}

void sk_run_give_back(struct sk_run *run, int from)
{
	struct sk_partition *p = run->partition;
	for (int i = run->slots; i-- > from;) {
		struct sk_request *r = run->slot[i]->request;
		r->next = p->head;
		if (!p->head)
			p->tail = &r->next;
		p->head = r;
		p->length++;
		slot_drop(run->worker, run->slot[i]);
	}
	if (from < run->slots)
		run->slots = from;
}

void sk_run_free(struct sk_run *run)
{
	struct sk_worker *w = run->worker;
	for (int i = 0; i < run->slots; i++) {
		sk_request_free(run->slot[i]->request);
		slot_drop(w, run->slot[i]);
	}
	sk_run_forget(run);
	sk_out_list_free(&run->watched);
	struct sk_arena arena = run->arena;
	sk_arena_reset(&arena, SLOT_KEEP);
	if (w->spare_run) {
		sk_arena_free(&arena);
		free(run);
		return;
	}
	memset(run, 0, sizeof *run);
	run->arena = arena;
	w->spare_run = run;
}

/* -- one call -- */

static void fix_time_and_seed(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	struct sk_worker *w = s->run->worker;
	const struct sk_host *host = w->rt->host;
	if (r->now_ms)
		return;
	int64_t now = host->wall_ms(host->ctx);
	r->now_ms = w->last_now_ms = now > w->last_now_ms ? now : w->last_now_ms;
	host->random(host->ctx, r->seed, sizeof r->seed);
}

static void capture_args(struct sk_slot *s)
{
	const struct sk_request *r = s->request;
	for (size_t i = 0; i < r->match.captures && i < SK_MAX_CAPTURES; i++)
		s->call.arg[i] = sk_strndup(&s->arena, r->match.capture[i].at, r->match.capture[i].size);
}

static void reset(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	sk_effects_forget(s);
	sk_arena_reset(&s->arena, SLOT_KEEP);
	memset(&s->call, 0, sizeof s->call);
	s->memo = NULL;
	sk_out_list_free(&s->leaving);
	s->packed = false;
	s->effects = NULL;
	s->effects_tail = &s->effects;
	s->timers = NULL;
	s->emitted = NULL;
	s->overlay_mark = s->timer_mark = s->run->writes;
	s->random_used = s->awaits_used = 0;
	s->result = SK_OK;
	s->missed = s->waiting = s->poisoned = false;
	s->wanted_slow = (struct sk_wanted_slow){ 0 };
	fix_time_and_seed(s);
	s->call.arena = &s->arena;
	s->call.caller = &r->caller;
	s->call.state = r->row->owner->state;
	s->call.operation = r->row->name;
	s->call.now_ms = r->now_ms;
	s->call.home = s->run->partition->name;
	s->call.refused = r->refused;
	s->call.out = sk_json_object(&s->arena);
}

/* The input of an operation or an event; topic rows look at the payload themselves. */
static int prepare_input(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	struct sk_call *c = &s->call;
	const char *message;
	if (r->topic) {
		c->topic = r->topic;
		c->payload = r->payload;
		c->payload_size = r->payload_size;
		capture_args(s);
		return SK_OK;
	}
	c->payload = r->body;
	c->payload_size = r->body_size;
	c->in = sk_json_parse(&s->arena, r->payload, r->payload_size, NULL, NULL);
	if (!c->in)
		return s->arena.failed ? SK_OK : sk_fail(c, SK_E_INVALID_REQUEST, "The request is not valid JSON");
	if (r->row->inputs && sk_inputs_check(r->row->inputs, &s->arena, c->in, &message))
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s", message);
	return SK_OK;
}

/* A timer fires once: the record that holds its truth goes in the same commit as what the handler does. It goes, too, when the
 * handler refuses for good. */
static bool timer_is_due(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	struct sk_call *c = &s->call;
	const cJSON *record = sk_get(c, "%s/~timer/%s", c->home, r->timer);
	if (sk_void(c))
		return true;
	r->superseded = !record || (uint64_t)sk_json_int_of(record, "generation", -1) != r->timer_generation;
	if (r->superseded)
		return false;
	cJSON *in = sk_json_copy(c->arena, sk_json_get(record, "input"));
	sk_json_set_string(c->arena, in, "timer", r->timer);
	c->in = in;
	c->operation = sk_json_text(record, "event");
	sk_call_clear_hint(c, r->timer, record);
	sk_remove(c, "%s/~timer/%s", c->home, r->timer);
	s->timer_mark = s->run->writes;
	return true;
}

static int fire_timer(struct sk_slot *s)
{
	if (!timer_is_due(s) || sk_void(&s->call))
		return SK_OK;
	struct sk_row *row = sk_runtime_event(s->run->worker->rt, s->call.operation);
	if (!row)
		return sk_fail(&s->call, SK_E_INTERNAL, "no plugin handles the timer event %s", s->call.operation);
	s->call.state = row->owner->state;
	return row->handler(&s->call);
}

static int refuse(struct sk_slot *s, int code)
{
	s->call.refused = true;
	s->call.error = code;
	return s->request->row->refuse ? s->request->row->refuse(&s->call) : code;
}

static int call_handler(struct sk_slot *s)
{
	struct sk_request *r = s->request;
	int rc = prepare_input(s);
	if (rc || s->arena.failed)
		return rc;
	if (r->timer)
		return fire_timer(s);
	if (r->refused)
		return refuse(s, SK_E_THROTTLING);
	return r->row->handler(&s->call);
}

static void drop_durable(struct sk_slot *s, size_t mark)
{
	sk_run_cut_writes(s->run, mark);
	sk_effects_forget(s);
	s->timers = NULL;
}

/* What a failed call wrote and meant to send is dropped; its answer is the error. */
static void settle(struct sk_slot *s, int rc)
{
	struct sk_counters *count = &s->run->worker->rt->count;
	if (s->run->void_from_here)
		return;
	if (s->arena.failed) {
		SK_COUNT(count->memory_failures);
		sk_slot_give_up(s, SK_E_UNAVAILABLE, no_memory);
		return;
	}
	if (s->missed || s->waiting)
		return;
	if (s->poisoned) {
		sk_slot_give_up(s, SK_E_INTERNAL, "Internal failure");
		return;
	}
	s->result = rc > 0 ? SK_E_INTERNAL : rc;
	if (rc == SK_OK)
		return;
	drop_durable(s, sk_error_passes_by(s->result) ? s->overlay_mark : s->timer_mark);
	if (!s->request->topic)
		s->effects = NULL;
}

static void execute(struct sk_slot *s)
{
	reset(s);
	int rc = call_handler(s);
	settle(s, rc);
}

/* A topic's client hears of it through the row's `refuse` handler, which may only publish; everybody else through the answer. */
void sk_slot_give_up(struct sk_slot *s, int code, const char *why)
{
	sk_run_cut_writes(s->run, s->overlay_mark);
	s->run->void_from_here = false;
	reset(s);
	if (s->request->topic && !prepare_input(s))
		refuse(s, code);
	drop_durable(s, s->overlay_mark);
	s->missed = s->waiting = s->poisoned = false;
	s->arena.failed = false;
	s->call.message = why;
	s->result = s->call.error = code;
}

/* -- the run -- */

/* The call at `i` waits for slow work: it and those behind it go back, the partition with them. Without memory for that it has ended. */
static bool park(struct sk_run *run, int i)
{
	if (sk_slow_submit(run->worker->rt->slow, run->slot[i])) {
		SK_COUNT(run->worker->rt->count.memory_failures);
		sk_slot_give_up(run->slot[i], SK_E_UNAVAILABLE, no_memory);
		return false;
	}
	sk_run_cut_writes(run, run->slot[i]->overlay_mark);
	run->partition->waiting++;
	sk_run_give_back(run, i);
	return true;
}

/* The first miss makes the pass void from there on; the rest of it only names keys, so that all are fetched at once. */
static bool pass(struct sk_run *run)
{
	int first = -1;
	run->void_from_here = false;
	for (int i = run->decided; i < run->slots; i++) {
		struct sk_slot *s = run->slot[i];
		execute(s);
		if (s->waiting && !s->missed && first < 0 && park(run, i))
			break;
		if (s->missed && first < 0) {
			first = i;
			run->void_from_here = true;
		}
		if (first < 0)
			run->decided = i + 1;
	}
	run->void_from_here = false;
	return first >= 0;
}

bool sk_run_execute(struct sk_run *run)
{
	struct sk_runtime *rt = run->worker->rt;
	run->seq = atomic_load(&rt->store->seq);
	while (pass(run)) {
		struct sk_slot *s = run->slot[run->decided];
		sk_run_cut_writes(run, s->overlay_mark);
		SK_COUNT(rt->count.reruns);
		SK_COUNT(s->request->row->count.reruns);
		if (run->store_failed || ++s->request->tries > sk_max_reruns(rt->store)) {
			if (!run->store_failed)
				SK_COUNT(rt->count.rerun_limit);
			sk_slot_give_up(s, SK_E_UNAVAILABLE, run->store_failed ? "The store does not answer" : "The request kept colliding with others");
			run->decided++;
			continue;
		}
		return true;
	}
	return false;
}

void sk_run_restart(struct sk_run *run)
{
	sk_run_forget(run);
	sk_arena_reset(&run->arena, SLOT_KEEP);
	run->decided = 0;
	run->store_failed = false;
	for (int i = 0; i < run->slots; i++)
		run->slot[i]->request->tries++;
}

/* -- fetching -- */

struct wanted { struct sk_run_read *read; struct sk_run *run; };

static size_t gather(struct sk_run **runs, size_t n, struct sk_store_read *reads, struct wanted *who)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < runs[i]->reads; k++) {
			struct sk_run_read *r = &runs[i]->read[k];
			if (r->state != SK_READ_WANTED)
				continue;
			if (reads) {
				reads[count] = (struct sk_store_read){ .space = SK_RECORD, .key = r->key };
				who[count] = (struct wanted){ r, runs[i] };
			}
			count++;
		}
	return count;
}

static void got(struct sk_worker *w, const struct wanted *who, const struct sk_store_read *read, uint64_t as_of, bool failed)
{
	struct sk_run_read *r = who->read;
	if (failed) {
		who->run->store_failed = true;
		return;
	}
	r->state = SK_READ_HAVE;
	r->bytes = read->bytes;
	r->version = read->version;
	r->as_of = as_of;
	if (r->home && w->rt->store->exclusive)
		sk_cache_put(&w->cache, r->key, r->hash, r->bytes, r->version);
}

static void fetch_records(struct sk_worker *w, struct sk_run **runs, size_t n)
{
	size_t count = gather(runs, n, NULL, NULL);
	if (!count)
		return;
	struct sk_store_read *reads = calloc(count, sizeof *reads);
	struct wanted *who = calloc(count, sizeof *who);
	uint64_t as_of = atomic_load(&w->rt->store->seq);
	bool failed = !reads || !who;
	if (!failed) {
		gather(runs, n, reads, who);
		failed = w->rt->store->ops->read(w->rt->store, reads, count) != 0;
		for (size_t i = 0; i < count; i++)
			got(w, &who[i], &reads[i], as_of, failed);
	}
	for (size_t i = 0; failed && i < n; i++)
		runs[i]->store_failed = true;
	SK_COUNT_BY(w->rt->count.cache_misses, count);
	if (failed)
		SK_COUNT(w->rt->count.store_failures);
	free(reads);
	free(who);
}

static int take_item(void *ctx, const struct sk_scan_item *item)
{
	struct sk_run_scan *s = ctx;
	if (s->count == s->capacity) {
		size_t n = s->capacity ? s->capacity * 2 : 32;
		struct sk_scan_item *larger = realloc(s->item, n * sizeof *larger);
		if (!larger) {
			free(item->key);
			sk_bytes_unref(item->bytes);
			s->failed = true;
			return 1;
		}
		s->item = larger;
		s->capacity = n;
	}
	s->item[s->count++] = *item;
	return 0;
}

static void fetch_scans(struct sk_run *run)
{
	struct sk_store *store = run->worker->rt->store;
	for (size_t i = 0; i < run->scans; i++) {
		struct sk_run_scan *s = &run->scan[i];
		char after[SK_KEY_MAX * 2 + 1];
		if (s->state != SK_READ_WANTED)
			continue;
		if (s->after)
			snprintf(after, sizeof after, "%s%s", s->prefix, s->after);
		struct sk_store_scan scan = { .space = SK_RECORD, .prefix = s->prefix, .after = s->after ? after : NULL,
			                      .limit = s->limit == SIZE_MAX ? 0 : s->limit, .fn = take_item, .ctx = s };
		if (store->ops->scan(store, &scan) || s->failed) {
			run->store_failed = true;
			SK_COUNT(run->worker->rt->count.store_failures);
		} else {
			s->as_of = scan.as_of;
			s->state = SK_READ_HAVE;
		}
	}
}

void sk_runs_fetch(struct sk_run **runs, size_t n)
{
	if (!n)
		return;
	fetch_records(runs[0]->worker, runs, n);
	for (size_t i = 0; i < n; i++)
		fetch_scans(runs[i]);
}
