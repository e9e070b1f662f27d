/* engine_thread.h -- one thread that evaluates rules, and what its files share. Only the thread itself touches it, but where it says so. */
#ifndef RULES_THREAD_H
#define RULES_THREAD_H

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_zones.h"
#include "rules/look.h"

enum { THREAD_ARENA_KEPT = 1 << 18 }; /* of its arena, from one message to the next */

struct rules_note;
struct rules_thread {
	struct rules_engine *engine;
	int index;
	struct rules_ring *ring;
	int fed;                       /* the broker's thread's: messages since it was last woken */
	sem_t bell;
	atomic_bool rung;              /* and posted */
	atomic_bool stop, started;
	pthread_t id;
	struct sk_arena arena;         /* of one message */
	struct sk_out_list out;        /* of one batch */
	struct sql_patterns patterns;
	struct ask_round *asking;      /* what the rule that runs has asked of functions (engine_ask.h); NULL: nothing */
	struct zones zones;
	struct lane_buffer *buffers;   /* of lanes, that are to be flushed (lanes.h) */
	size_t held;                   /* bytes in them that could not be appended */
	pthread_mutex_t lock;          /* of notes: any thread */
	struct rules_note *notes, **notes_tail;
};

/* What another thread brings: the end of a call, a timer to run. */
struct rules_note {
	struct rules_note *next;
	void (*run)(struct rules_thread *t, struct rules_note *n);  /* on the thread; frees it */
};
void thread_post(struct rules_thread *t, struct rules_note *n); /* any thread */
void thread_ring(struct rules_thread *t);                       /* any thread; resets `fed`, so the broker's thread's alone while it feeds */

struct rules_thread *thread_new(struct rules_engine *e, int index, struct rules_ring *ring); /* NULL: memory is out */
void thread_free(struct rules_thread **t);
int thread_start(struct rules_thread *t);
void thread_stop(struct rules_thread *t);

/* engine_work.c: one message, to the end, or until the calls that it has made are done */
void work_message(struct rules_thread *t, struct rules_message *m);
extern const struct expr_limits work_limits; /* of a statement and its templates, whichever kind of rule they belong to */
/* A message and where its parts are. */
struct work {
	struct rules_message *m;
	struct sql_message sql;
	struct rules_world world;      /* sql.world */
};
void work_done(struct rules_thread *t, struct rules_message *m); /* a part of what was open for it */
void work_open(struct rules_thread *t, struct rules_message *m, struct work *w);
void work_failed(struct live_rule *r, int64_t now_ms, const char *why); /* NULL: memory is out */
void work_overran(struct live_rule *r, int64_t now_ms, const char *why); /* a limit was reached: it counts for more */
void work_went_well(struct live_rule *r);
static inline const char *message_text(const struct rules_message *m, uint32_t offset)
{
	return offset ? (const char *)m + offset : NULL;
}

/* engine_world.c */
void world_open(struct rules_thread *t, struct rules_world *w, int64_t now_ms);
const cJSON *world_record(struct rules_thread *t, const char *key, bool *failed); /* as it is stored now; NULL: there is none, or *failed */
#define WORLD_SILENT "the store does not answer"

/* engine_deliver.c: what actions do. NULL, or why it cannot be done. */
const char *deliver(struct rules_thread *t, const struct work *w, struct live_rule *r, const struct rules_delivery *d, const struct rules_outcome *o);
/* A message of ours after those that the batch has made. NULL or why not. */
const char *deliver_publish(struct rules_thread *t, const char *topic, const struct sk_message *m, int depth);

/* engine_lua.c: a rule of Lua; tries: how often its calls have met a state that had changed meanwhile */
void lua_message(struct rules_thread *t, struct work *w, struct live_rule *r, int tries);

#endif
