/* runtime.h -- what the files of the runtime share. Handlers never include this: they see call.h.
 *
 * A request comes in (a topic, an operation, an event, a timer), waits in a worker's inbox and then in its partition.
 * The worker makes a run of what a partition has: calls in order over a private overlay, then one commit, then
 * the effects. A partition has at most one run at a time, on the one worker that its name hashes to: no locks. */
#ifndef SK_RUNTIME_H
#define SK_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/cache.h"
#include "core/client.h"
#include "core/host.h"
#include "core/run.h"

#define SK_MAX_PLUGINS 32
#define SK_MAX_WORKERS 16
#define SK_MAX_DEPTH_OF_PUBLISHES 8

/* -- a worker -- */
struct sk_woken { /* slow work has been done for this partition */
	struct sk_woken *next;
	const char *partition;
};
struct sk_inbox {
	pthread_mutex_t lock;
	struct sk_request *head[SK_LANES], **tail[SK_LANES];
	_Atomic size_t bytes[SK_LANES];              /* of requests not finished, here and in partitions */
	_Atomic size_t calls;                        /* the number of them */
	struct sk_run *committed, **committed_tail;  /* runs whose commit has been answered, linked by next */
	struct sk_woken *woken;                      /* partitions whose slow work has been done */
	atomic_bool asleep;
};
struct sk_worker {
	struct sk_runtime *rt;
	int index;
	struct sk_inbox inbox;
	struct sk_partition **partition;
	size_t partition_buckets, partition_count;
	struct sk_partition *ready, **ready_tail;
	struct sk_request *entering, **entering_tail; /* out of the inbox; wait for memory for their partition, in order */
	struct sk_request *untold;               /* carried out; there was no memory to tell the broker's thread */
	struct sk_cache cache;
	struct sk_out_list out;
	struct sk_out_home home;                 /* of all that this worker sends */
	struct sk_commit *submit, **submit_tail; /* commits of this step */
	struct sk_run *spare_run;
	struct sk_slot *spare_slot;
	int spare_slots;
	int64_t last_now_ms;      /* no call's time is less than an earlier one's */
	int64_t lately_at;        /* monotonic us: when the time that calls are counted in began */
	uint64_t calls_lately, calls_since_tidy;
};

struct sk_keeper;  /* timers.c: what is due soon, retries */
struct sk_slow_pool;
struct sk_follower; /* follower.h: where brokers share the store */

struct sk_runtime {
	const struct sk_host *host;
	struct sk_store *store;
	struct sk_worker *worker[SK_MAX_WORKERS];
	int workers;
	struct sk_outbox outbox;
	struct sk_loaded loaded[SK_MAX_PLUGINS];
	int loaded_count;
	struct sk_trie *trie;
	struct sk_shapes *shapes;
	struct sk_counters count;
	struct sk_keeper *keeper;
	struct sk_slow_pool *slow;
	struct sk_follower *follower; /* NULL: the store is this process's own */
	const char *account, *region, *data_dir;
	const char *store_url;    /* NULL: the store is a file */
	size_t inbox_limit;       /* bytes of the device lane of one worker */
	size_t cache_limit;       /* bytes of one worker's cache */
	atomic_bool stopping;
};

/* run-time set-up (runtime.c) */
struct sk_runtime *sk_runtime_new(const struct sk_host *host, struct sk_store *store, int workers);
void sk_runtime_free(struct sk_runtime **rt);
/* Adds a plugin's rows, shapes and watches (existing records are applied). -1 with why[]. */
int sk_runtime_load(struct sk_runtime *rt, const struct sk_plugin *p, void *state, char *why, size_t why_size);
void sk_runtime_set_cache(struct sk_runtime *rt, size_t bytes_per_worker); /* before the threads start */
/* "lambda:TagResource" is that service's (AWS's signing name); a name alone the first one's that was loaded. */
struct sk_row *sk_runtime_operation(struct sk_runtime *rt, const char *name);
struct sk_row *sk_runtime_event(struct sk_runtime *rt, const char *name); /* the first of that name */
/* Calls fn for each event row named so; the number of them. */
int sk_runtime_each_event(struct sk_runtime *rt, const char *event, void (*fn)(struct sk_row *, void *), void *ctx);
/* Replays durable effects and arms timers: after all plugins are loaded. */
int sk_runtime_start(struct sk_runtime *rt);

/* counters_document.c: {"counters","queues","store","rows"}; latency bucket i counts what took less than 2^i microseconds */
cJSON *sk_counters_document(struct sk_arena *a, struct sk_runtime *rt);

/* request.c */
/* Any thread. Takes r unless its lane is full: then -1 and r is the caller's. Internal requests are never refused. */
int sk_runtime_submit(struct sk_runtime *rt, struct sk_request *r);

/* worker.c */
struct sk_worker *sk_worker_new(struct sk_runtime *rt, int index);
void sk_worker_free(struct sk_worker **w);
/* Does what can be done without waiting; the monotonic us of the next thing to do (INT64_MAX: when woken). */
int64_t sk_worker_step(struct sk_worker *w, int64_t now_us);
void sk_worker_submit(struct sk_worker *w, struct sk_commit *c); /* gathered, submitted at the end of the step */
void sk_worker_ready(struct sk_worker *w, struct sk_partition *p); /* its state lets it run again */
void sk_worker_post_committed(struct sk_run *run);                 /* any thread */
void sk_worker_post_woken(struct sk_worker *w, struct sk_woken *note); /* any thread; the worker frees the block that begins with it */
/* r has been carried out: gives back its room in the inbox, tells the broker's thread that its client has one call less in flight or
 * that its part of an effect is done, frees it; or hands it to the keeper. Cannot fail: without memory for telling, a later step tells. */
void sk_worker_through(struct sk_worker *w, struct sk_request *r);

/* effects.c */
extern const struct sk_plugin sk_core_effects; /* core's own events: durable publishes, done effects, timers */
/* Before the commit: makes all that the slot's events will need. 0, or -1: memory is out. */
int sk_effects_prepare(struct sk_slot *slot);
void sk_effects_forget(struct sk_slot *slot); /* the slot's events do not happen */
void sk_effects_after_commit(struct sk_run *run, struct sk_slot *slot);
int sk_effects_replay(struct sk_runtime *rt); /* 0 or -1: the store does not answer */
void sk_effects_replay_one(struct sk_runtime *rt, const struct sk_scan_item *item); /* item stays the caller's */
/* r's part of its effect came to `result`: tried again later, or done once sk_effect_tell was heard by the broker's thread. */
void sk_effect_done(struct sk_worker *w, struct sk_request *r, int result);
/* Behind what it sent: r is the item's then. false: memory is out. */
bool sk_effect_tell(struct sk_worker *w, struct sk_request *r);
/* A part of it will not be done by this process: its record stays for the next start. */
void sk_effect_abandon(struct sk_effect *e);
/* Is an error of the moment, so that the same call may succeed later? */
bool sk_error_passes_by(int result);

/* timers.c */
struct sk_keeper *sk_keeper_new(struct sk_runtime *rt);
void sk_keeper_free(struct sk_keeper **k);
int64_t sk_keeper_step(struct sk_keeper *k, int64_t now_us);
/* Publishes each counter to $SYS/skeeter/<name> and all of them to $SYS/skeeter/counters each interval_us; 0 never. */
void sk_keeper_publish_counters(struct sk_keeper *k, int64_t interval_us);
/* The store is looked through again for what is due: other brokers have come or gone. Any thread. */
void sk_keeper_rescan(struct sk_keeper *k);
/* Runs fn on the broker thread about once a second. */
void sk_keeper_each_second(struct sk_keeper *k, void (*fn)(void *arg));
void sk_keeper_arm(struct sk_keeper *k, int64_t due_ms, const char *partition, const char *name, uint64_t generation);
void sk_keeper_retry(struct sk_keeper *k, struct sk_request *r); /* submits r again at r->again_us */

/* control.c: $CONTROL/skeeter/v1 */
#define SK_CONTROL_TOPIC "$CONTROL/skeeter/v1"
#define SK_CONTROL_MOST (4u << 20) /* bytes of an envelope */
extern const struct sk_plugin sk_core_control;
/* A request that carries out an envelope's commands one after the other and answers the client that it is then given. */
struct sk_request *sk_control_request(struct sk_runtime *rt, const struct sk_caller *caller, const void *payload, size_t size);

/* process.c: the one runtime of this process, for sk_log, sk_account and the like */
void sk_process_set(struct sk_runtime *rt);
struct sk_runtime *sk_process(void);

/* slow.c */
struct sk_slow_pool *sk_slow_new(struct sk_runtime *rt);
void sk_slow_stop(struct sk_slow_pool *p); /* no more work is taken */
void sk_slow_free(struct sk_slow_pool **p);
/* For the slot's await that has no answer; the partition is woken when it is there. -1: memory is out, nobody will be woken. */
int sk_slow_submit(struct sk_slow_pool *p, struct sk_slot *s);
bool sk_slow_step(struct sk_slow_pool *p); /* does one piece of work; false: there was none */

#endif
