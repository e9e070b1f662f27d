/* engine_live.h -- the rules that are in force: found by topic and by name on the broker's thread, used by the threads that evaluate.
 *
 * A live rule never changes but for its counters: a change is a new one. The table holds a reference, and so does whoever may still meet the
 * rule in a ring; the last one frees it. */
#ifndef RULES_LIVE_H
#define RULES_LIVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/store.h"
#include "rules/filters.h"
#include "rules/rule.h"

struct lua_unit; /* engine_unit.h */
struct lane_uses; /* lanes.h */
struct trace_log; /* engine_trace.h */
struct flight; /* engine_lua.c */

struct live_counts { /* messages that came to it, those that WHERE let through, ... that failed, that found no room */
	_Atomic uint64_t matched, passed, failed, dropped, ns;
};
struct live_rule {
	atomic_uint refs;
	uint32_t id;               /* in the table */
	uint32_t hash;             /* of its name */
	bool disabled;
	unsigned round;            /* in which its record was applied (engine_watch.c) */
	uint64_t record_is[2];     /* a digest of it, where brokers share the store; 0: not known */
	atomic_bool broken;        /* it failed too often: until it is made anew */
	_Atomic uint32_t failures; /* one after the other */
	atomic_uint full_lanes;    /* of its actions: they have no room now (lane.h) */
	struct lane_uses *_Atomic lanes; /* of its actions, as far as they have been found; NULL: none */
	atomic_bool compiled_tried;
	const struct rules_rule *_Atomic compiled; /* NULL: not yet, or it cannot be */
	struct sk_arena arena;     /* of compiled */
	struct sk_bytes *record;   /* {payload: topicRulePayload, ...} as JSON; NULL: it is all Lua. Given back when it is compiled */
	struct live_counts count;
	struct lua_unit *unit;     /* the file that it comes from; NULL: an operation made it */
	int index;                 /* in that file */
	bool runs_lua;             /* where or run are Lua's: it belongs to the unit's thread */
	struct lua_overlay *overlay; /* its thread's: state that is on its way to the store (engine_state.c) */
	int flights;               /* its thread's: calls on their way */
	bool stale;                /* its thread's: one of them has failed, so what came after it saw what never was (engine_lua.c) */
	struct flight *again, *again_last; /* its thread's: landed, to be repeated; all of them came before those that wait */
	struct flight *later, *later_last; /* its thread's: not run yet; both in order, none when there are no flights */
	char *last_error;          /* under one lock for all rules */
	int64_t last_error_ms;
	struct trace_log *_Atomic trace; /* NULL: nobody watches */
	struct live_rule *next_retiring; /* the broker's thread's: in its engine's list */
	bool retiring;             /* it is in that list */
	char *filter;              /* behind the name; NULL: Basic Ingest only */
	char name[];
};
/* Any thread: what it sends finds no room. A message that matches it is refused before it is taken. */
static inline bool live_full(const struct live_rule *r)
{
	return atomic_load_explicit(&r->full_lanes, memory_order_relaxed) != 0;
}
/* NULL: memory is out. Takes its own reference of the record. */
struct live_rule *live_new(const char *name, const char *filter, struct sk_bytes *record);
struct live_rule *live_ref(struct live_rule *r);
void live_unref(struct live_rule *r);
/* Any thread: its program, compiled at the first call; NULL: it has none, it does not compile, or memory is out and the next call tries again (both are noted). */
const struct rules_rule *live_program(struct live_rule *r, const struct rules_settings *s);
void live_failed(struct live_rule *r, int64_t now_ms, const char *why); /* counts it and keeps why; NULL: what is known already */
void live_note(struct live_rule *r, int64_t now_ms, const char *why);   /* keeps why alone: there is more to say about a failure that counts already */
char *live_last_error(struct live_rule *r, struct sk_arena *a, int64_t *at_ms);

/* -- the table: written by the broker's thread alone -- */
struct live_table {
	struct rules_filters *filters;
	pthread_mutex_t lock;    /* for readers on other threads */
	struct live_rule **rule; /* by id; NULL: the id is free */
	uint32_t room, used, count; /* ids below `used` have been given out; count: rules, also those that are only prepared */
	uint32_t *free_id, frees; /* room for all of them */
	uint32_t *bucket;        /* by name: id + 1, 0 free, open addressing */
	uint32_t buckets;
};
int live_table_init(struct live_table *t); /* 0 or -1 */
void live_table_free(struct live_table *t);
struct live_rule *live_find(const struct live_table *t, const char *name);
struct live_rule *live_at(const struct live_table *t, uint32_t id);
/* Makes room for r, under its name and its filter, beside what is in force: several rules of different names may be prepared before they are put. Until
 * then nothing may be matched, and what r replaces stays. 0; -1: memory is out, nothing has changed. */
int live_prepare(struct live_table *t, struct live_rule *r);
void live_give_up(struct live_table *t, struct live_rule *r); /* it was prepared and is not put */
/* Puts r, which was prepared, in force and takes over its reference. What it replaces, with the table's reference, or NULL. Cannot fail. */
struct live_rule *live_put(struct live_table *t, struct live_rule *r);
/* Takes it out: the table's reference is the caller's. NULL: there is none. */
struct live_rule *live_take(struct live_table *t, const char *name);
/* Any thread: fn for each rule, in no order, with a reference that ends when it returns. */
void live_each(struct live_table *t, void (*fn)(void *ctx, struct live_rule *r), void *ctx);
/* Any thread: a reference, or NULL. */
struct live_rule *live_get(struct live_table *t, const char *name);

#endif
