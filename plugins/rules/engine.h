/* engine.h -- from a message on the broker's thread to what its rules do.
 *
 *   broker's thread   message() ── filters ──► ring of thread k        what it copies: topic, payload, who sent it, and which rules
 *   thread k          batch ──► SQL or Lua ──► outbox (republish), or a call of partition rule/NAME when a rule keeps something
 *
 * SQL rules are spread by topic, so what comes under one topic stays in order; the rules of one Lua file belong to one thread. A message stays in
 * its ring until all that it caused is done. The rings are files (rules/journal.h): what kill -9 finds in them is fed again. */
#ifndef RULES_ENGINE_H
#define RULES_ENGINE_H

#include <semaphore.h>

#include "core/client.h"
#include "core/runtime.h"
#include "plugins/rules/engine_live.h"
#include "plugins/rules/rules.h"
#include "rules/journal.h"

#define RULES_MAX_THREADS 16

/* A message in a ring. Offsets are from its begin; texts end with NUL; 0: there is none. With QoS 1 or 2 it outlives the process (engine_recover.c), but
 * for `open` and what the pointers point to. */
struct rules_message {
	uint32_t open;             /* its thread's: what is still under way for it */
	uint32_t none;             /* RULES_RING_OPEN ends here: nothing below changes */
	int64_t now_ms;
	uint64_t number;           /* its own: what it causes is known by it (the ids of lane_item) */
	uint8_t qos, depth;
	uint8_t retain, basic;     /* basic: $aws/rules/NAME/..., nobody else sees it */
	uint16_t rules;
	uint8_t recorded;          /* of its copies in rings this is the one that the recorder keeps */
	uint32_t size, properties_size;
	uint32_t topic, payload, client_id, principal, source_ip, properties;
	struct live_rule *rule[];  /* no reference: what is taken out of force is freed behind the messages that may name it. Behind them each name's hash */
};
static inline uint32_t *message_hashes(const struct rules_message *m)
{
	return (uint32_t *)(uintptr_t)(m->rule + m->rules);
}
/* What else travels in a ring: rules == 0 and this. */
struct rules_retired {
	struct rules_message none;
	struct live_rule *retired; /* with a reference */
};

struct rules_thread;
struct rules_engine {
	struct sk_runtime *rt;
	const struct rules_state *options;
	struct rules_settings settings;
	char *arn;                 /* "arn:aws:iot:REGION:ACCOUNT:" */
	struct live_table table;
	struct rules_journal *journal; /* where the rings are */
	atomic_bool going_on;      /* more of what was left in it waits for room: whoever makes some clears this, and says so (engine_recover.h) */
	int threads;
	struct rules_thread *thread[RULES_MAX_THREADS];
	/* the broker's thread's */
	uint64_t number;           /* of the next message; begins by chance */
	atomic_bool taking;        /* messages are taken: from ready() to quiesce(); the thread of rule files reads it */
	bool recovering;           /* something of before is left */
	size_t recovered, abandoned; /* messages of before: fed again; of rules that are gone */
	struct live_rule *retiring, **retiring_tail; /* out of force; a ring had no room to say so */
	uint32_t *ids;             /* what a message's topic matches */
	struct live_rule **matching; /* those of them that run */
	size_t ids_room;           /* of both: at least as many as there are rules */
	struct next_filter *next, **next_tail; /* of rules whose record comes next (engine_watch.c) */
	size_t nexts;
	unsigned round;            /* grows when all records are applied anew */
	uint32_t sweep;            /* at its end: the next id to look at */
	struct folder *folder;     /* NULL: there is no folder of rules */
	struct sk_inputs *_Atomic action_shape; /* engine_actions.h */
	struct destinations *destinations; /* engine_destinations.h */
	struct lanes *lanes;       /* lane.h */
	struct recorder *recorder; /* engine_recorder.h; NULL: nothing is recorded */
};

/* engine.c */
size_t engine_ring_bytes(const struct rules_state *options); /* of one thread's */
struct rules_engine *engine_new(const struct rules_state *options, char *why, size_t why_size);
void engine_ready(struct rules_engine *e);    /* broker's thread: the runtime runs */
void engine_quiesce(struct rules_engine *e);  /* broker's thread: takes no more, and lets the threads finish for a moment */
void engine_free(struct rules_engine **e);
/* Broker's thread: puts a rule in force (takes the reference) or out of force. 0 or -1: memory is out. */
int engine_put(struct rules_engine *e, struct live_rule *r);
int engine_prepare(struct rules_engine *e, struct live_rule *r);       /* as live_prepare() */
void engine_put_prepared(struct rules_engine *e, struct live_rule *r); /* cannot fail */
void engine_drop(struct rules_engine *e, const char *name);

/* engine_feed.c: the hooks, on the broker's thread */
int engine_message(struct rules_engine *e, const struct sk_feed *f);
/* What was in a ring of an earlier process, for those of its rules that are in force now. */
enum engine_fed { ENGINE_FED, ENGINE_NOBODY, ENGINE_NO_ROOM, ENGINE_FULL, ENGINE_TOO_LARGE };
struct engine_waiting { /* rules that were full since this was all zero: they count as full, so that what they get stays in order */
	const struct live_rule *rule[64];
	size_t n;
};
enum engine_fed engine_message_again(struct rules_engine *e, const struct rules_message *m, struct engine_waiting *waiting);
void engine_turn(struct rules_engine *e);
void engine_retire(struct rules_engine *e, struct live_rule *r); /* takes the table's reference; cannot fail */
void engine_retire_free(struct rules_engine *e);

/* engine_watch.c: the records of rules, on the broker's thread */
int engine_watch_filter(void *state, const char *name, const struct sk_bytes *bytes);
int engine_watch_rule(void *state, const char *name, const struct sk_bytes *bytes);
int engine_watch_reset(void *state, enum sk_reset phase);
void engine_watch_free(struct rules_engine *e);

#endif
