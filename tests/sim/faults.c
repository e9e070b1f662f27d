/* faults.c -- what goes wrong at random. Which kinds may is part of the seed: some seeds are all crashes, some only a slow disk. */
#include "tests/sim/memory.h"
#include "tests/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void crash_soon(struct model *m)
{
	int n = 0;
	while (points[n])
		n++;
	m->s->crash_at = points[chance(m, (unsigned)n)];
	m->s->crash_after = (int)chance(m, 6);
	trace(m, "  will crash at %s after %d", m->s->crash_at, m->s->crash_after);
}

static void crash_now(struct model *m)
{
	sim_crash(m->s);
}

static void poison(struct model *m)
{
	static const char *const keys[] = { "thing/d0/k0", "thing/d1/c", "thing/d2/k1", "registry/e7", "thing/d3/e3" };
	m->s->store->poison = chance(m, 2) ? keys[chance(m, 5)] : NULL;
}

static void fail_reads(struct model *m) { m->s->store->fail_reads = 1; }
static void fail_scans(struct model *m) { m->s->store->fail_scans = 1; }
static void fail_commits(struct model *m) { m->s->store->fail_commits = 1 + (int)chance(m, 3); }
static void conflict(struct model *m) { m->s->store->conflict_commits = 1 + (int)chance(m, 3); }

static void hold(struct model *m)
{
	m->s->store->held = chance(m, 3) == 0;
	sim_wake(m->s, m->s->workers + SIM_COMMITTER);
}

static void press(struct model *m) { m->s->store->pressed = chance(m, 3) == 0; }
static void step_clock(struct model *m) { m->s->wall_ms += (int64_t)chance(m, 100000) - 50000; }

static void memory_out(struct model *m)
{
	sim_memory_fail(1 + chance(m, 60), chance(m, 3) ? 0 : chance(m, 20));
}

/* Hints of timers arrive twice, also of timers that have fired. */
static int arm_again(void *ctx, const struct sk_scan_item *item)
{
	struct model *m = ctx;
	char partition[64], name[64], *end;
	const char *at = item->key + 17;
	size_t n = sk_key_partition(at);
	snprintf(partition, sizeof partition, "%.*s", (int)n, at);
	snprintf(name, sizeof name, "%s", at + n + 1);
	end = strrchr(name, '/');
	*end = '\0';
	for (int i = 0; i < 2; i++)
		sk_keeper_arm(m->s->rt->keeper, (int64_t)strtoull(item->key, NULL, 16), partition, name, strtoull(end + 1, NULL, 16));
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static void duplicate_timers(struct model *m)
{
	struct sk_store *store = &m->s->store->store;
	store->ops->scan(store, &(struct sk_store_scan){ .space = SK_TIMER, .prefix = "", .fn = arm_again, .ctx = m });
}

static void stop_and_start(struct model *m)
{
	world_restart(m, (int)chance(m, 2) * (int)chance(m, 300));
}

static const struct { const char *name; void (*make)(struct model *); } all[] = {
	{ "a read fails", fail_reads }, { "a scan fails", fail_scans }, { "commits fail", fail_commits }, { "commits collide", conflict },
	{ "the disk is held or let go", hold }, { "the backlog presses or not", press }, { "a key is poisoned or not", poison },
	{ "the clock is stepped", step_clock }, { "memory runs out", memory_out }, { "timers are armed again", duplicate_timers },
	{ "a crash at a point", crash_soon }, { "a crash at a point", crash_soon }, { "a crash at a point", crash_soon },
	{ "a crash", crash_now }, { "a stop and a start", stop_and_start },
};
enum { FAULTS = sizeof all / sizeof *all };

void fault_new(struct model *m)
{
	unsigned n = chance(m, FAULTS);
	if (m->calm || !(m->faults & 1u << n))
		return;
	trace(m, "fault: %s", all[n].name);
	all[n].make(m);
}

void faults_end(struct model *m)
{
	struct sim_store *s = m->s->store;
	s->fail_reads = s->fail_scans = s->fail_commits = s->conflict_commits = 0;
	s->held = s->pressed = false;
	s->poison = NULL;
	m->s->crash_at = NULL;
	sim_memory_fail(0, 0);
	sim_wake(m->s, m->s->workers + SIM_COMMITTER);
}

/* In an orderly way; `steps` for what is under way. */
void world_restart(struct model *m, int steps)
{
	struct sim_store *s = m->s->store;
	s->held = false;
	s->fail_commits = s->conflict_commits = 0;
	s->poison = NULL;
	sim_shut_down(m->s, steps);
	sim_start(m->s);
}
