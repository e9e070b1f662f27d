/* engine.c -- the engine's life, and rules into and out of force. Broker's thread. */
#include "plugins/rules/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cache.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/why.h"
#include "plugins/rules/engine_actions.h"
#include "plugins/rules/engine_destinations.h"
#include "plugins/rules/engine_folder.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_recover.h"
#include "plugins/rules/engine_thread.h"
#include "plugins/rules/lane.h"

enum { FINISH_MS = 2000 }; /* at the end: what is under way */

static int threads_of(const struct rules_state *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return s->threads ? (int)s->threads : cores < 3 ? 1 : cores > 5 ? 4 : (int)cores - 1;
}

/* What remains of it would be a second ring or none. */
size_t engine_ring_bytes(const struct rules_state *s)
{
	size_t most = (size_t)s->ring / (size_t)threads_of(s), bytes = RULES_RING_LEAST;
	while (bytes * 2 <= most && bytes < RULES_RING_MOST)
		bytes *= 2;
	return bytes;
}

/* In memory, where no disk holds anybody up; one for each data folder. */
static struct rules_journal *open_journal(const struct rules_state *s, char *why, size_t why_size)
{
	char path[64];
	if (s->journal)
		return rules_journal_open(s->journal, false, why, why_size);
	const char *data = sk_data_dir();
	size_t n = strlen(data);
	snprintf(path, sizeof path, "/dev/shm/skeeter-%u-%08x%08x", (unsigned)geteuid(), sk_hash(data, n), sk_check(data, n));
	return rules_journal_open(path, true, why, why_size);
}

static int make_threads(struct rules_engine *e, char *why, size_t why_size)
{
	struct rules_ring *ring[RULES_MAX_THREADS];
	int n = threads_of(e->options);
	e->journal = open_journal(e->options, why, why_size);
	if (!e->journal || rules_journal_rings(e->journal, (size_t)n, engine_ring_bytes(e->options), ring, why, why_size))
		return -1;
	for (; e->threads < n; e->threads++)
		if (!(e->thread[e->threads] = thread_new(e, e->threads, ring[e->threads])))
			return sk_why(why, why_size, "memory is out");
	return 0;
}

struct rules_engine *engine_new(const struct rules_state *options, char *why, size_t why_size)
{
	struct rules_engine *e = calloc(1, sizeof *e);
	if (!e || live_table_init(&e->table) || !(e->destinations = destinations_new())) {
		if (e)
			live_table_free(&e->table);
		free(e);
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	e->rt = sk_process();
	e->options = options;
	e->settings.strict_aws = options->strict_aws;
	e->next_tail = &e->next;
	e->retiring_tail = &e->retiring;
	e->rt->host->random(e->rt->host->ctx, &e->number, sizeof e->number);
	if (make_threads(e, why, why_size))
		engine_free(&e);
	return e;
}

void engine_ready(struct rules_engine *e)
{
	if (!e->arn && asprintf(&e->arn, "arn:aws:iot:%s:%s:", e->rt->region, e->rt->account) < 0) {
		e->arn = NULL;
		sk_log('e', "rules", "memory is out: no rule runs");
		return;
	}
	engine_actions_ready(e);
	if (e->lanes)
		lanes_ready(e->lanes);
	for (int i = 0; i < e->threads; i++)
		if (thread_start(e->thread[i])) {
			sk_log('e', "rules", "a thread cannot be started: no rule runs");
			return;
		}
	e->taking = true;
	if (rules_journal_on_disk(e->journal))
		sk_log('n', "rules", "plugin_opt_journal %s is on a disk: while that stands still it may hold up the broker",
		       e->options->journal ? e->options->journal : "/dev/shm");
	recover_begin(e);
	if (e->folder)
		folder_start(e->folder);
}

static bool idle(const struct rules_engine *e)
{
	for (int i = 0; i < e->threads; i++)
		if (rules_ring_pending(e->thread[i]->ring) || !rules_ring_empty(e->thread[i]->ring))
			return false;
	return true;
}

void engine_quiesce(struct rules_engine *e)
{
	e->taking = false;
	if (e->folder)
		folder_stop(e->folder);
	engine_turn(e);
	for (int64_t until = sk_mono_us() + FINISH_MS * 1000; !idle(e) && sk_mono_us() < until;)
		usleep(1000);
	for (int i = 0; i < e->threads; i++)
		thread_stop(e->thread[i]);
	if (e->lanes)
		lanes_quiesce(e->lanes);
}

void engine_free(struct rules_engine **at)
{
	struct rules_engine *e = *at;
	*at = NULL;
	if (!e)
		return;
	folder_free(&e->folder);
	destinations_free(&e->destinations);
	engine_actions_free(e);
	for (int i = 0; i < e->threads; i++)
		thread_free(&e->thread[i]);
	rules_journal_close(&e->journal);
	engine_retire_free(e);
	engine_watch_free(e);
	live_table_free(&e->table);
	lanes_close(&e->lanes);
	recorder_free(&e->recorder);
	free(e->ids);
	free(e->matching);
	free(e->arn);
	free(e);
}

void engine_put_prepared(struct rules_engine *e, struct live_rule *r)
{
	struct live_rule *old = live_put(&e->table, r);
	if (old)
		engine_retire(e, old);
}

/* However many rules a message concerns, there is room for them. */
static int room_to_match(struct rules_engine *e)
{
	size_t room = e->ids_room ? e->ids_room * 2 : 64;
	if (e->table.count < e->ids_room)
		return 0;
	uint32_t *ids = realloc(e->ids, room * sizeof *ids);
	if (ids)
		e->ids = ids;
	struct live_rule **matching = ids ? realloc(e->matching, room * sizeof *matching) : NULL;
	if (!matching)
		return -1;
	e->matching = matching;
	e->ids_room = room;
	return 0;
}

int engine_prepare(struct rules_engine *e, struct live_rule *r)
{
	return room_to_match(e) || live_prepare(&e->table, r) ? -1 : 0;
}

int engine_put(struct rules_engine *e, struct live_rule *r)
{
	if (engine_prepare(e, r))
		return -1;
	engine_put_prepared(e, r);
	return 0;
}

void engine_drop(struct rules_engine *e, const char *name)
{
	struct live_rule *old = live_take(&e->table, name);
	if (old)
		engine_retire(e, old);
}
