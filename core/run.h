/* run.h -- one run: calls of one partition in order over a private overlay, then one commit, then their effects.
 *
 * Only the worker that owns the partition touches a run, except that the store's thread posts it back when its commit is answered. */
#ifndef SK_RUN_H
#define SK_RUN_H

#include "core/request.h"

#define SK_MAX_RERUNS 8       /* then 503; of a store that is this broker's alone: only its own calls collide */
#define SK_MAX_RERUNS_SHARED 64 /* each other broker may change the partition in the time that one try takes */
#define SK_RUN_MAX 128        /* calls of one run */

struct sk_worker;

/* -- one call of a run -- */
struct sk_slot_effect { /* volatile ones wait in the slot until the commit; bytes are the arena's */
	struct sk_slot_effect *next;
	enum sk_outgoing_kind kind;
	int flags;
	const char *topic, *client_id, *payload;
	size_t size;
	const void *properties; /* of a publish (core/properties.h), or NULL */
	size_t properties_size;
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
	struct sk_effect *effect;    /* made before the commit, with its requests */
	struct sk_request *requests;
	int count;
};
struct sk_slot {
	struct sk_call call; /* first: a handler's call is its slot */
	struct sk_request *request;
	struct sk_run *run;
	struct sk_arena arena;
	struct sk_memo *memo;
	struct sk_slot_effect *effects, **effects_tail;
	struct sk_out_list leaving; /* the same as the outbox takes them, made before the commit: what is stored is also said */
	bool packed;                /* `leaving` is made */
	struct sk_pending_timer *timers;
	struct sk_emitted *emitted;
	size_t overlay_mark; /* the run's overlay length before this call */
	size_t timer_mark;   /* the same when the due timer has been consumed, before its handler */
	unsigned random_used, awaits_used;
	int result;
	bool missed, waiting, poisoned;
	struct sk_wanted_slow { sk_slow *fn; sk_asker *ask; const char *in; size_t size; unsigned place; } wanted_slow; /* one of fn and ask, or neither */
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
/* How often a call runs again, for a record that it misses or a change that it did not see, until it is given up. */
static inline int sk_max_reruns(const struct sk_store *store)
{
	return store->exclusive ? SK_MAX_RERUNS : SK_MAX_RERUNS_SHARED;
}

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
	bool heard;               /* its commit changed what a watch looks at */
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

#endif
