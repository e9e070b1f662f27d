/* runtime.h -- what the files of the runtime share. Handlers never include this: they see call.h.
 *
 * A request comes in (a topic, an operation, an event, a timer), waits in a worker's inbox and then in its partition.
 * The worker makes a run of what a partition has: calls in order over a private overlay, then one commit, then
 * the effects. A partition has at most one run at a time, on the one worker that its name hashes to: no locks. */
#ifndef SK_RUNTIME_H
#define SK_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/call.h"
#include "core/cache.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/host.h"
#include "core/outbox.h"
#include "core/plugin.h"
#include "core/store.h"
#include "core/topic.h"

#define SK_MAX_PLUGINS 32
#define SK_MAX_WORKERS 16
#define SK_MAX_RERUNS 8       /* then 503 */
#define SK_MAX_DEPTH_OF_PUBLISHES 8
#define SK_RUN_MAX 128        /* calls of one run */

struct sk_runtime;
struct sk_worker;

/* -- rows: topics, operations, events and core's own, in one form -- */
enum sk_row_kind { SK_ROW_TOPIC, SK_ROW_OPERATION, SK_ROW_EVENT };
struct sk_row {
	enum sk_row_kind kind;
	const char *name;       /* pattern, operation or event */
	const char *partition;
	sk_handler *handler, *refuse;
	size_t (*limit)(void *state);
	struct sk_inputs *inputs;     /* operations */
	const struct sk_op *op;
	const char *service;
	const struct sk_loaded *owner;
	_Atomic unsigned turn;        /* "any": the partition that the next request gets */
	struct sk_row_counters count;
};
struct sk_loaded { /* a plugin in this process */
	const struct sk_plugin *plugin;
	void *state;
	struct sk_row *rows;
	size_t row_count;
};

/* -- requests -- */
enum sk_lane { SK_LANE_INTERNAL, SK_LANE_OPERATOR, SK_LANE_DEVICE, SK_LANE_REJECT, SK_LANES };
struct sk_effect;
struct sk_slow_result {
	struct sk_slow_result *next;
	sk_slow *fn;
	struct sk_bytes *answer; /* JSON text; NULL when it failed */
	size_t size;
	char in[];               /* the question as JSON text: an answer is for this one only */
};
struct sk_answer { /* what an operation came to; valid during finish() */
	int error;               /* 0 or SK_E_* */
	const char *message;
	const cJSON *out;        /* output, or the error's further fields (NULL for none) */
	struct sk_arena *arena;      /* NULL when memory was out before there was a call */
	struct sk_out_list *outgoing; /* what is added here leaves after the watches of this commit; NULL: the runtime ends,
	                                 the request was not carried out, and nothing more can be sent */
};
struct sk_request {
	struct sk_request *next;
	struct sk_row *row;
	enum sk_lane lane;
	bool refused;
	bool reentered;              /* a publish of ours: `depth` of them led here */
	int depth;
	struct sk_caller caller;
	void *client;                /* device: for direct replies and the in-flight count */
	uint64_t generation;
	char *partition;
	const char *topic;           /* topic rows */
	struct sk_topic_match match; /* into topic */
	const char *payload;         /* JSON text of the input for others; NULL when over the row's limit */
	size_t payload_size;
	size_t bytes;                /* what it counts for in the inbox */
	int64_t arrived_us;
	int64_t now_ms;              /* fixed by the first run */
	unsigned char seed[16];
	int tries;                   /* reruns of this call */
	int attempts;                /* of the durable effect or timer, over all its requests */
	const char *timer;           /* not NULL: this timer of the partition is due; owned */
	uint64_t timer_generation;
	bool superseded;             /* in this run: the timer has been cleared or replaced */
	struct sk_effect *effect;    /* the durable effect that this request is part of, or NULL */
	struct sk_slow_result *slow; /* sk_await's answers in order */
	/* Operations: called once on the worker's thread when the outcome is final; NULL: nobody waits. */
	void (*finish)(struct sk_request *, const struct sk_answer *);
	void *finish_ctx;
};

/* A durable effect in memory: `left` requests of its event are still to be done, then its record goes. */
struct sk_effect {
	struct sk_runtime *rt;
	atomic_int left;
	atomic_bool lost;  /* a part of it was not done: its record stays */
	size_t partition;  /* bytes of key: of the commit that made it */
	char key[];        /* in the EFFECT space */
};

/* -- one call of a run -- */
struct sk_slot_effect { /* volatile ones wait in the slot until the commit; bytes are the arena's */
	struct sk_slot_effect *next;
	enum sk_outgoing_kind kind;
	int flags;
	const char *topic, *client_id, *payload;
	size_t size;
};
struct sk_memo { /* a document parsed in this run of the call */
	struct sk_memo *next;
	const char *key;
	const struct sk_bytes *from;
	const cJSON *document;
};
struct sk_pending_timer {
	struct sk_pending_timer *next;
	int64_t due_ms;
	uint64_t generation;
	const char *name;
};
struct sk_emitted {
	struct sk_emitted *next;
	const char *key, *event, *input;
};
struct sk_slot {
	struct sk_call call; /* first: a handler's call is its slot */
	struct sk_request *request;
	struct sk_run *run;
	struct sk_arena arena;
	struct sk_memo *memo;
	struct sk_slot_effect *effects, **effects_tail;
	struct sk_pending_timer *timers;
	struct sk_emitted *emitted;
	size_t overlay_mark; /* the run's overlay length before this call */
	size_t timer_mark;   /* the same when the due timer has been consumed, before its handler */
	unsigned random_used, awaits_used;
	int result;
	bool missed, waiting, poisoned;
	struct { sk_slow *fn; const char *in; size_t size; unsigned place; } wanted_slow;
};

/* -- a run -- */
enum sk_read_state { SK_READ_WANTED, SK_READ_HAVE };
struct sk_run_read {
	uint32_t hash;
	enum sk_read_state state;
	bool home;
	const char *key;
	struct sk_bytes *bytes;
	uint64_t version, as_of;
};
struct sk_run_write {
	uint32_t hash;
	enum sk_space space;
	const char *key;
	struct sk_bytes *bytes;
};
struct sk_run_scan {
	const char *prefix, *after;
	size_t limit;             /* fetched at most; SIZE_MAX for all */
	enum sk_read_state state;
	uint64_t as_of;
	size_t count, capacity;
	struct sk_scan_item *item;
	bool failed;
};
struct sk_partition;
struct sk_run {
	struct sk_run *next;
	struct sk_worker *worker;
	struct sk_partition *partition;
	struct sk_arena arena;    /* keys and tables of the run */
	struct sk_slot *slot[SK_RUN_MAX];
	int slots;
	struct sk_run_read *read;
	size_t reads, read_capacity;
	struct sk_run_write *write;
	size_t writes, write_capacity;
	struct sk_run_scan *scan;
	size_t scans, scan_capacity;
	int decided;              /* slots before this one have their result */
	bool void_from_here;      /* an earlier slot of this pass missed: later ones only name keys */
	bool store_failed;        /* a read could not be answered */
	uint64_t seq;             /* the store's when this attempt began: what the cache holds was true then */
	struct sk_commit commit;
	struct sk_out_list watched; /* what the watches are told when the commit has happened */
	int64_t started_us;
};
struct sk_partition {
	struct sk_partition *next, *ready_next;
	uint32_t hash;
	bool running;             /* a run has its calls, perhaps in a commit */
	int waiting;              /* calls that wait for slow work: 1, or more after a conflict */
	bool ready;               /* in the worker's list */
	struct sk_request *head, **tail;
	size_t length;
	int single;               /* that many runs take one call only: after a failed commit */
	char name[];
};

/* -- a worker -- */
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
	struct sk_cache cache;
	struct sk_out_list out;
	struct sk_commit *submit, **submit_tail; /* commits of this step */
	struct sk_run *spare_run;
	struct sk_slot *spare_slot;
	int spare_slots;
	int64_t last_now_ms;      /* no call's time is less than an earlier one's */
};

struct sk_keeper;  /* timers.c: what is due soon, retries */
struct sk_slow_pool;

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
	const char *account, *region, *data_dir;
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
struct sk_row *sk_runtime_operation(struct sk_runtime *rt, const char *name);
struct sk_row *sk_runtime_event(struct sk_runtime *rt, const char *name); /* the first of that name */
/* Calls fn for each event row named so; the number of them. */
int sk_runtime_each_event(struct sk_runtime *rt, const char *event, void (*fn)(struct sk_row *, void *), void *ctx);
/* Replays durable effects and arms timers: after all plugins are loaded. */
int sk_runtime_start(struct sk_runtime *rt);

/* counters_document.c: {"counters","queues","store","rows"}; latency bucket i counts what took less than 2^i microseconds */
cJSON *sk_counters_document(struct sk_arena *a, struct sk_runtime *rt);

/* requests (request.c) */
/* A request with copies of all that is given; partition is worked out by sk_request_route. NULL: memory is out. */
struct sk_request *sk_request_new(struct sk_row *row, enum sk_lane lane, const struct sk_caller *caller, const char *topic,
                                  const void *payload, size_t payload_size);
void sk_request_free(struct sk_request *r);
/* The runtime ends: tells whoever waits for r that it was not carried out, and frees it. */
void sk_request_abandon(struct sk_request *r);
/* Sets the partition from captures or from the members of `in`. 0, SK_ROUTE_NAME: a name that cannot be one (empty, a slash, too
 * long), or SK_ROUTE_MEMORY. */
enum { SK_ROUTE_NAME = -1, SK_ROUTE_MEMORY = -2 };
int sk_request_route(struct sk_request *r, const cJSON *in);
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
void sk_worker_post_woken(struct sk_worker *w, const char *partition); /* any thread */

/* run.c: a run takes requests out of its partition, executes them, and is ready to commit */
struct sk_run *sk_run_new(struct sk_worker *w, struct sk_partition *p);
/* Executes until all slots are decided (false) or something must be fetched (true). A call that waits for slow work, and those
 * behind it, go back to the partition; then the run may have no slot left. */
bool sk_run_execute(struct sk_run *run);
/* One read of the store for all that these runs want, then their scans. */
void sk_runs_fetch(struct sk_run **runs, size_t n);
/* Everything undecided again, with what was read forgotten: after a conflict. */
void sk_run_restart(struct sk_run *run);
void sk_run_give_back(struct sk_run *run, int from); /* requests of slots from.. to the partition's front */
void sk_run_free(struct sk_run *run);

/* commit.c: from decided calls to a commit, and from its outcome to effects and answers */
bool sk_run_prepare_commit(struct sk_run *run); /* false when there is nothing to write */
void sk_run_release(struct sk_run *run);        /* effects and answers leave; frees the run and its requests */
bool sk_run_settle(struct sk_run *run);         /* after the commit's outcome; true: execute the run again */

/* run_state.c: what a run has read and written */
struct sk_run_read *sk_run_find_read(struct sk_run *run, const char *key, uint32_t hash);
struct sk_run_read *sk_run_add_read(struct sk_run *run, const char *key, uint32_t hash);
const struct sk_run_write *sk_run_find_write(const struct sk_run *run, const char *key, uint32_t hash);
int sk_run_add_write(struct sk_run *run, enum sk_space space, const char *key, struct sk_bytes *bytes); /* takes the reference */
void sk_run_cut_writes(struct sk_run *run, size_t mark);
struct sk_run_scan *sk_run_find_scan(struct sk_run *run, const char *prefix, const char *after);
struct sk_run_scan *sk_run_add_scan(struct sk_run *run, const char *prefix, const char *after, size_t limit);
void sk_run_forget(struct sk_run *run);

/* effects.c */
extern const struct sk_plugin sk_core_effects; /* core's own events: durable publishes, done effects, timers */
void sk_effects_after_commit(struct sk_run *run, struct sk_slot *slot);
int sk_effects_replay(struct sk_runtime *rt); /* 0 or -1: the store does not answer */
/* r's part of its effect came to `result`: tried again later, or done once what it sent has reached the broker. */
void sk_effect_done(struct sk_worker *w, struct sk_request *r, int result);
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
/* Runs fn on the broker thread about once a second. */
void sk_keeper_each_second(struct sk_keeper *k, void (*fn)(void *arg));
void sk_keeper_arm(struct sk_keeper *k, int64_t due_ms, const char *partition, const char *name, uint64_t generation);
void sk_keeper_retry(struct sk_keeper *k, struct sk_request *r, int64_t at_us); /* submits r again then */

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
/* For the slot's await that has no answer; the partition is woken when it is there. */
void sk_slow_submit(struct sk_slow_pool *p, struct sk_slot *s);
bool sk_slow_step(struct sk_slow_pool *p); /* does one piece of work; false: there was none */

#endif
