/* sim_host.c -- see sim_host.h: clocks, chance, the broker's double, crashes, and who steps when.
 *
 * Invariant: from a crash point on nothing leaves (store and broker are deaf) until sim_crash has thrown the runtime away, so what
 * code does on its way out of a step does not matter. */
#include "tests/unit/sim_host.h"
#include "core/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the host -- */

static uint64_t next_random(struct sim *s)
{
	uint64_t z = s->rng += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *s, uint64_t below)
{
	return next_random(s) % below;
}

static int64_t host_mono(void *ctx)
{
	return ((struct sim *)ctx)->mono_us;
}

static int64_t host_wall(void *ctx)
{
	return ((struct sim *)ctx)->wall_ms;
}

static void host_random(void *ctx, void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)buf)[i] = (unsigned char)next_random(ctx);
}

static void host_wake(void *ctx)
{
	struct sim *s = ctx;
	s->wakes++;
	sim_wake(s, s->workers + SIM_BROKER);
}

static void host_wake_thread(void *ctx, int index)
{
	static const int other[] = { [-SK_KEEPER] = SIM_KEEPER, [-SK_COMMITTER] = SIM_COMMITTER, [-SK_SLOW_POOL] = SIM_SLOW, [-SK_FOLLOWER] = SIM_FOLLOWER };
	struct sim *s = ctx;
	sim_wake(s, index >= 0 ? index : s->workers + other[-index]);
}

static void add_text(char **text, const char *more)
{
	size_t have = *text ? strlen(*text) : 0, n = strlen(more);
	*text = realloc(*text, have + n + 1);
	memcpy(*text + have, more, n + 1);
}

static void note(struct sim *s, const char *line)
{
	size_t n = strlen(line);
	if (s->sent_size + n + 1 > s->sent_room) {
		s->sent_room = (s->sent_size + n + 1) * 2;
		s->sent = realloc(s->sent, s->sent_room);
	}
	memcpy(s->sent + s->sent_size, line, n + 1);
	s->sent_size += n;
}

static void host_publish(void *ctx, const struct sk_outgoing *item)
{
	struct sim *s = ctx;
	char line[512];
	if (s->crashed)
		return;
	if (s->heard) {
		s->heard(s->ctx, item);
		SK_POINT(&s->host, "broker.item");
		return;
	}
	snprintf(line, sizeof line, "%s %s=%.*s%s; ", item->kind == SK_OUT_REPLY ? "reply" : item->retain ? "retain" : "publish", item->topic,
	         (int)(item->payload_size < 400 ? item->payload_size : 400), item->payload,
	         item->kind == SK_OUT_REPLY && item->client != (void *)SIM_CLIENT ? " to nobody" : "");
	note(s, line);
	SK_POINT(&s->host, "broker.item");
}

static void host_kick(void *ctx, const struct sk_outgoing *item)
{
	struct sim *s = ctx;
	char line[256];
	snprintf(line, sizeof line, "kick %s; ", item->topic ? item->topic : item->client_id);
	if (!s->crashed)
		note(s, line);
}

static void host_log(void *ctx, char level, const char *text)
{
	struct sim *s = ctx;
	char line[1100];
	snprintf(line, sizeof line, "%c %s\n", level, text);
	add_text(&s->log, line);
}

static void crash_point(void *ctx, const char *name)
{
	struct sim *s = ctx;
	bool now = !s->crashed && s->crash_at && !strcmp(s->crash_at, name) && s->crash_after-- == 0;
	if (s->passed && !s->crashed)
		s->passed(s->ctx, name, now);
	s->crashed = s->crashed || now;
}

/* -- life -- */

void sim_start(struct sim *s)
{
	char why[256] = "the runtime cannot be made";
	s->starts++;
	sk_arena_fail_after(0);
	if (s->on_file)
		sim_file_open(s->store);
	s->store->fail_reads = s->store->fail_scans = 0; /* the broker does not start on a store that cannot be read */
	s->store->silent = false;
	sim_store_name(s->store);
	s->rt = sk_runtime_new(&s->host, &s->store->store, s->workers);
	if (s->rt) {
		sk_process_set(s->rt);
		s->rt->inbox_limit = s->inbox ? s->inbox : s->rt->inbox_limit;
		if (s->cache)
			sk_runtime_set_cache(s->rt, s->cache);
	}
	free(s->index);
	free(s->aside);
	s->index = s->aside = NULL;
	if (!s->rt || sk_runtime_load(s->rt, &sim_plugin, s, why, sizeof why) || sk_runtime_load(s->rt, &sim_other_plugin, s, why, sizeof why) ||
	    (s->extra && sk_runtime_load(s->rt, s->extra, s, why, sizeof why))) {
		fprintf(stderr, "the simulated runtime does not start: %s\n", why);
		abort();
	}
	sim_wake(s, -1);
	sk_runtime_start(s->rt);
}

static struct sim *begin(uint64_t seed, int workers, const struct sk_plugin *extra, bool on_file)
{
	struct sim *s = calloc(1, sizeof *s);
	s->on_file = on_file;
	s->host = (struct sk_host){ .mono_us = host_mono, .wall_ms = host_wall, .random = host_random, .wake_broker = host_wake,
		.wake_thread = host_wake_thread, .publish = host_publish, .kick = host_kick, .log = host_log, .crash_point = crash_point, .ctx = s };
	s->rng = seed;
	s->workers = workers;
	s->mono_us = 1000000;
	s->wall_ms = 1700000000000;
	s->extra = extra;
	s->store = sim_store_new(s);
	note(s, "");
	add_text(&s->log, "");
	return s;
}

static struct sim *make(uint64_t seed, int workers, const struct sk_plugin *extra, bool on_file)
{
	struct sim *s = begin(seed, workers, extra, on_file);
	sim_start(s);
	return s;
}

struct sim *sim_new_beside(struct sim *first, uint64_t seed, int workers)
{
	struct sim *s = begin(seed, workers, NULL, false);
	s->store->shares = true;
	s->store->store.exclusive = false;
	if (first) {
		s->store->base = first->store;
		s->mono_us = first->mono_us;
		s->wall_ms = first->wall_ms;
	}
	sim_start(s);
	return s;
}

struct sim *sim_new_shared(uint64_t seed, int workers)
{
	return sim_new_beside(NULL, seed, workers);
}

struct sim *sim_new_with(uint64_t seed, int workers, const struct sk_plugin *extra)
{
	return make(seed, workers, extra, false);
}

struct sim *sim_new_on_file(uint64_t seed, int workers)
{
	return make(seed, workers, NULL, true);
}

struct sim *sim_new(uint64_t seed, int workers)
{
	return make(seed, workers, NULL, false);
}

void sim_stop(struct sim *s)
{
	sim_store_lose(s->store);
	if (sk_process() == s->rt)
		sk_process_set(NULL);
	sk_runtime_free(&s->rt);
}

void sim_free(struct sim **at)
{
	struct sim *s = *at;
	if (s->rt)
		sim_stop(s);
	sim_store_free(&s->store);
	for (int i = 0; i < s->answers; i++) {
		free(s->answer[i].message);
		free(s->answer[i].text);
	}
	free(s->sent);
	free(s->log);
	free(s->index);
	free(s->aside);
	free(s);
	*at = NULL;
}

void sim_crash(struct sim *s)
{
	s->crashed = true;
	if (s->crashing)
		s->crashing(s->ctx);
	if (s->rt)
		sim_stop(s);
	if (s->on_file)
		sim_file_crash(s->store);
	s->crashed = false;
	s->crash_at = NULL;
	sim_start(s);
}

/* -- requests -- */

static void answered(struct sk_request *r, const struct sk_answer *a)
{
	struct sim_answer *mine = r->finish_ctx;
	struct sim *s = r->row->owner->state;
	mine->ended++;
	if (!a->outgoing || s->crashed)
		return;
	mine->done = true;
	mine->count++;
	mine->error = a->error;
	mine->order = s->answered++;
	free(mine->message);
	free(mine->text);
	mine->message = strdup(a->message ? a->message : "");
	char *text = a->arena ? sk_json_print(a->arena, a->out, NULL) : NULL;
	mine->text = strdup(text ? text : "");
	if (s->was_answered)
		s->was_answered(s->ctx, (int)(mine - s->answer));
}

static int submit(struct sim *s, const char *operation, const char *json)
{
	static const struct sk_caller operator = { .kind = SK_OPERATOR, .client_id = "op", .principal = "" };
	struct sk_arena a = { 0 };
	struct sk_row *row = sk_runtime_operation(s->rt, operation);
	struct sk_request *r = sk_request_new(row, SK_LANE_OPERATOR, &operator, NULL, json, strlen(json));
	const cJSON *in = sk_json_parse(&a, json, strlen(json), NULL, NULL);
	int place = s->answers;
	r->finish = answered;
	r->finish_ctx = &s->answer[place];
	r->client = (void *)SIM_CLIENT;
	r->arrived_us = s->mono_us;
	if (place == SIM_ANSWERS || sk_request_route(r, in) || sk_runtime_submit(s->rt, r)) {
		sk_request_free(r);
		place = -1;
	}
	s->answers += place >= 0;
	sk_arena_free(&a);
	return place;
}

int sim_json(struct sim *s, const char *operation, const char *json)
{
	char *text = strdup(json);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	int place = submit(s, operation, text);
	free(text);
	return place;
}

int sim_operation(struct sim *s, const char *operation, const char *thing, const char *script)
{
	struct sk_arena a = { 0 };
	cJSON *in = sk_json_object(&a);
	sk_json_set_string(&a, in, "thingName", thing);
	sk_json_set_string(&a, in, "script", script);
	int place = submit(s, operation, sk_json_print(&a, in, NULL));
	sk_arena_free(&a);
	return place;
}

int sim_do(struct sim *s, const char *thing, const char *script)
{
	return sim_operation(s, "Do", thing, script);
}

int sim_message(struct sim *s, const char *topic, const char *payload)
{
	static const struct sk_caller device = { .kind = SK_DEVICE, .client_id = "dev", .principal = "" };
	struct sk_topic_match m;
	if (!sk_trie_find(s->rt->trie, topic, &m))
		return -3;
	const struct sk_row *row = m.row;
	size_t n = strlen(payload);
	bool too_large = row->limit && n > row->limit(s);
	struct sk_request *r = sk_request_new(m.row, SK_LANE_DEVICE, &device, topic, too_large ? NULL : payload, n);
	sk_trie_find(s->rt->trie, r->topic, &r->match);
	r->client = (void *)SIM_CLIENT;
	r->arrived_us = s->mono_us;
	if (sk_request_route(r, NULL)) {
		sk_request_free(r);
		return -3;
	}
	if (!sk_runtime_submit(s->rt, r))
		return 0;
	r->lane = SK_LANE_REJECT;
	r->refused = true;
	if (!sk_runtime_submit(s->rt, r))
		return -1;
	sk_request_free(r);
	return -2;
}

int sim_control(struct sim *s, const void *envelope, size_t size)
{
	static const struct sk_caller operator = { .kind = SK_OPERATOR, .client_id = "op", .principal = "boss" };
	struct sk_request *r = sk_control_request(s->rt, &operator, envelope, size);
	if (!r)
		return -1;
	r->client = (void *)SIM_CLIENT;
	r->arrived_us = s->mono_us;
	return sk_runtime_submit(s->rt, r);
}

/* -- steps -- */

static bool worker_busy(struct sk_worker *w)
{
	bool busy = w->ready || w->inbox.committed || w->inbox.woken;
	for (int i = 0; i < SK_LANES; i++)
		busy = busy || w->inbox.head[i];
	return busy;
}

static void finished(void *ctx, const struct sk_outgoing *item)
{
	struct sim *s = ctx;
	if (s->finished && !s->crashed)
		s->finished(s->ctx, item);
}

void sim_drain(struct sim *s, int most)
{
	struct sk_drain d = { .max = 1, .budget_us = 1000, .finished = finished, .ctx = s };
	while (!s->crashed && most-- > 0 && sk_outbox_drain(&s->rt->outbox, &s->host, &d))
		;
}

static bool broker_busy(const struct sim *s)
{
	return s->rt->outbox.filled && !s->hold_broker;
}

bool sim_busy(struct sim *s)
{
	bool busy = sim_store_busy(s->store) || broker_busy(s);
	for (int i = 0; i < s->workers; i++)
		busy = busy || worker_busy(s->rt->worker[i]);
	return busy;
}

static void after_step(struct sim *s)
{
	if (s->crashed)
		sim_crash(s);
}

bool sim_step_any(struct sim *s)
{
	uint64_t who = sim_random(s, (uint64_t)s->workers + 4);
	sk_process_set(s->rt);
	if (who < (uint64_t)s->workers)
		sk_worker_step(s->rt->worker[who], s->mono_us);
	else if (who == (uint64_t)s->workers)
		sim_store_step(s->store, 1 + (int)sim_random(s, 4));
	else if (who == (uint64_t)s->workers + 1)
		sim_drain(s, 1 + (int)sim_random(s, 8));
	else if (who == (uint64_t)s->workers + 2)
		sk_slow_step(s->rt->slow);
	else
		sk_keeper_step(s->rt->keeper, s->mono_us);
	after_step(s);
	return sim_busy(s);
}

static void round_of_all(struct sim *s)
{
	sk_process_set(s->rt);
	for (int i = 0; i < s->workers && !s->crashed; i++)
		sk_worker_step(s->rt->worker[i], s->mono_us);
	if (!s->crashed)
		sim_store_step(s->store, 1000);
	if (!s->hold_broker)
		sim_drain(s, 1000);
	if (!s->crashed)
		sk_keeper_step(s->rt->keeper, s->mono_us);
	if (!s->crashed && s->rt->follower)
		sk_follower_step(s->rt->follower, s->mono_us);
	after_step(s);
}

void sim_settle(struct sim *s)
{
	for (int rounds = 0; rounds < 100000; rounds++) {
		round_of_all(s);
		bool slow = !s->hold_slow && sk_slow_step(s->rt->slow);
		if (!slow && !sim_busy(s))
			return;
	}
	fprintf(stderr, "the simulated runtime never comes to rest\n");
	abort();
}

void sim_advance(struct sim *s, int64_t ms)
{
	while (ms > 0) {
		int64_t part = ms > 200 ? 200 : ms;
		ms -= part;
		s->mono_us += part * 1000;
		s->wall_ms += part;
		sim_settle(s);
	}
}

/* -- looking -- */

const char *sim_sent(struct sim *s)
{
	s->sent_size = 0;
	return s->sent;
}

bool sim_was_sent(const struct sim *s, const char *part)
{
	return s->sent_size && strstr(s->sent, part);
}

int sim_times_sent(const struct sim *s, const char *part)
{
	int n = 0;
	for (const char *at = s->sent_size ? s->sent : ""; (at = strstr(at, part)); at++)
		n++;
	return n;
}
