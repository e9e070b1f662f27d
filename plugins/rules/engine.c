/* engine.c -- the engine's life, and rules into and out of force. Broker's thread. */
#include "plugins/rules/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/rules/engine_folder.h"
#include "plugins/rules/engine_thread.h"
#include "plugins/rules/lane.h"

enum { FINISH_MS = 2000 }; /* at the end: what is under way */

static int threads_of(const struct rules_state *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return s->threads ? (int)s->threads : cores < 3 ? 1 : cores > 5 ? 4 : (int)cores - 1;
}

struct rules_engine *engine_new(const struct rules_state *options, char *why, size_t why_size)
{
	struct rules_engine *e = calloc(1, sizeof *e);
	if (!e || live_table_init(&e->table)) {
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
	e->threads = threads_of(options);
	for (int i = 0; i < e->threads; i++) {
		if ((e->thread[i] = thread_new(e, i, (size_t)options->ring)))
			continue;
		sk_why(why, why_size, "memory is out: plugin_opt_ring is %lld bytes for each of %d threads", (long long)options->ring, e->threads);
		engine_free(&e);
		return NULL;
	}
	return e;
}

void engine_ready(struct rules_engine *e)
{
	if (!e->arn && asprintf(&e->arn, "arn:aws:iot:%s:%s:", e->rt->region, e->rt->account) < 0) {
		e->arn = NULL;
		sk_log('e', "rules", "memory is out: no rule runs");
		return;
	}
	if (e->lanes)
		lanes_ready(e->lanes);
	for (int i = 0; i < e->threads; i++)
		if (thread_start(e->thread[i])) {
			sk_log('e', "rules", "a thread cannot be started: no rule runs");
			return;
		}
	e->taking = true;
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
	for (int ms = 0; ms < FINISH_MS && !idle(e); ms++)
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
	for (int i = 0; i < e->threads; i++)
		thread_free(&e->thread[i]);
	engine_retire_free(e);
	engine_watch_free(e);
	live_table_free(&e->table);
	lanes_close(&e->lanes);
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
