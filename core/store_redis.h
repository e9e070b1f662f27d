/* store_redis.h -- what the files of the store in a Redis share.
 *
 * Keys are PREFIX{NNN}x, NNN the number of a bucket, which is a hash of the partition; so a bucket is in one slot of a Cluster, and its
 * commits are one script. docs/REDIS.md has the layout. The COMMITTER is the thread inside step(), open or close: it alone commits. The
 * KNOCKER looks whether a bucket that does not answer is back; while a bucket is down the committer leaves it alone. */
#ifndef SK_STORE_REDIS_H
#define SK_STORE_REDIS_H

#include <pthread.h>

#include "core/store.h"
#include "redis/route.h"

#define SK_REDIS_FORMAT 1
#define SK_REDIS_BUCKETS 1024 /* at most */
#define SK_REDIS_CELLS 64 /* of structure, in each bucket */
#define SK_REDIS_POINT(s, name) ((s)->opt.point ? (s)->opt.point(name) : (void)0)

enum sk_redis_script { SK_REDIS_COMMIT, SK_REDIS_SCAN, SK_REDIS_CHANGES, SK_REDIS_BEAT, SK_REDIS_META, SK_REDIS_SCRIPTS };
enum sk_redis_key { /* of a bucket; the spaces' are these plus enum sk_space */
	SK_REDIS_HASH, SK_REDIS_ORDER = SK_REDIS_HASH + SK_SPACES, SK_REDIS_FACTS = SK_REDIS_ORDER + SK_SPACES, SK_REDIS_OUTCOME, SK_REDIS_LOG
};

struct sk_redis_bucket {
	char tag[REDIS_PREFIX + 16]; /* what its keys begin with */
	int slot;
	atomic_bool down, busy;     /* busy: the committer uses it; it looks at down after it has said so */
	bool unknown;               /* what it was sent last may happen yet; the committer's, the knocker's while it is down and not busy */
	uint64_t number;            /* of its last batch; whose as `unknown` */
	struct sk_redis_chain { struct sk_commit **commit; size_t n, room, sent, sending; } chain; /* the committer's: of the running segment */
	struct redis_text text;     /* the committer's */
};

struct sk_redis_route { /* a route in the pool */
	struct sk_redis_route *next;
	struct redis_route *route;
	struct redis_route_count counted;
};

struct sk_redis {
	struct sk_store store; /* first: the handle */
	struct sk_redis_options opt;
	struct redis_url url;
	char shown[512];       /* the URL without the password */
	struct redis_script script[SK_REDIS_SCRIPTS];
	int buckets;
	struct sk_redis_bucket *bucket;
	int64_t open_us;
	bool listed;           /* among the brokers; of the thread that beats, and of close */
	pthread_mutex_t queue_lock, pool_lock;
	struct sk_commit *queue, **queue_end;
	_Atomic size_t queued_bytes, queued; /* of the queue and the running segment */
	struct sk_redis_route *pool;
	unsigned pool_size;
	struct { _Atomic uint64_t commits, batches, conflicts, failures, reads, scans, wait_us, reconnects, redirects, resent, unknown; } count;
	/* store_redis_down.c */
	pthread_t knocker;
	bool knocking;                       /* there is that thread */
	pthread_mutex_t down_lock;
	pthread_cond_t down_changed;
	bool stop, told, fresh;              /* told: the log says that it is away; fresh: nobody has knocked since a bucket went down */
	char why[256];                       /* it went down */
	int64_t give_up_ms;                  /* the committer's: what is queued after it fails; 0: never */
	int64_t refused_ms;                  /* the committer's: when a server refused last */
	int64_t since_ms, back_ms;           /* it went down, all were back */
	_Atomic int down;                    /* buckets that are */
	const char *refusing;                /* the committer's: why commits are refused by a server that answers, as the log says; NULL: they are not */
	const char *_Atomic unusable;        /* it is another store now; NULL: it is ours */
};

/* -- store_redis.c -- */
int64_t sk_redis_now_ms(void);
void sk_redis_say(struct sk_redis *s, char level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
uint64_t sk_redis_hash(const char *partition, size_t n);
struct sk_redis_bucket *sk_redis_bucket_of(struct sk_redis *s, uint64_t hash);
unsigned sk_redis_cell_of(uint64_t hash);
void sk_redis_raise_seq(struct sk_redis *s, uint64_t version);
struct sk_redis_route *sk_redis_take(struct sk_redis *s); /* NULL: memory */
void sk_redis_give(struct sk_redis *s, struct sk_redis_route *r);
void sk_redis_free(struct sk_redis *s);
extern const struct sk_store_ops sk_redis_ops;

/* -- store_redis_text.c: commands -- */
int sk_redis_scripts(struct sk_redis *s);
/* A command's name and how many words follow; then the keys and the words. */
void sk_redis_call(struct redis_text *t, const struct redis_script *script, size_t keys, size_t words);
void sk_redis_key(struct redis_text *t, const struct sk_redis_bucket *b, enum sk_redis_key key);
void sk_redis_outcome(struct redis_text *t, const struct sk_redis *s, const struct sk_redis_bucket *b);
/* A key of the whole store: "PREFIX{skeeter}name". */
void sk_redis_own(struct redis_text *t, const struct sk_redis *s, const char *name);
int sk_redis_own_slot(const struct sk_redis *s);
/* Starts a batch of no or more commits; `words` follow. */
void sk_redis_batch(struct redis_text *t, const struct sk_redis *s, const struct sk_redis_bucket *b, size_t words);
/* Asks at once what was written one after the other into one text: at[i] is where the i-th begins. Replies are then to be freed with
 * sk_redis_forget(). 0, or -1: not all have a reply. */
struct sk_redis_asks { struct redis_ask *ask; size_t n, room; struct redis_text text; bool failed; };
struct redis_ask *sk_redis_ask_add(struct sk_redis_asks *a, int slot, const struct redis_script *script); /* before it is written; NULL: memory */
int sk_redis_ask_all(struct sk_redis_asks *a, struct redis_route *r, int64_t until);
void sk_redis_asks_clear(struct sk_redis_asks *a); /* frees replies, keeps the room */
void sk_redis_asks_free(struct sk_redis_asks *a);
/* "1234 data" into its two; NULL bytes with version 0: it is no record. -1: memory. */
int sk_redis_record(const redisReply *r, struct sk_bytes **bytes, uint64_t *version);
uint64_t sk_redis_version(const redisReply *r); /* 0: absent */
bool sk_redis_error(const redisReply *r, const char *code);

/* -- store_redis_commit.c -- */
void sk_redis_commit_list(struct sk_redis *s, struct sk_redis_route *r, struct sk_commit *list);
/* -- store_redis_read.c, _scan.c, _changes.c -- */
int sk_redis_read(struct sk_store *store, struct sk_store_read *reads, size_t n);
int sk_redis_scan_all(struct sk_store *store, struct sk_store_scan *wanted);
int sk_redis_changes(struct sk_store *store, struct sk_changes **at, bool *gap, sk_change_fn *fn, void *ctx);
void sk_redis_changes_end(struct sk_changes *at);
void sk_redis_leave(struct sk_redis *s); /* the brokers' list, at close; waits a second at most */
int sk_redis_beat(struct sk_store *store, void (*fn)(void *ctx, const char *self), void *ctx);
/* -- store_redis_open.c -- */
/* Reads or makes the store's own record; id gets what it says. 0: it is ours. -1: no answer; -2: another one, why[] says. */
int sk_redis_meta(struct sk_redis *s, struct redis_route *r, int64_t until, char id[40], char *why, size_t why_size);

/* -- store_redis_down.c -- */
int sk_redis_knocker_start(struct sk_redis *s);
void sk_redis_knocker_stop(struct sk_redis *s);
/* It did not answer what was asked since began_ms: commits and reads fail at once until it does. */
void sk_redis_away(struct sk_redis *s, const char *why, int64_t began_ms);
/* Is this an answer of a server that cannot serve now, but may yet? */
bool sk_redis_not_now(const redisReply *r);
/* What to tell callers of an error that a server answers with; also said in the log when it begins. NULL: it stores again. */
const char *sk_redis_refused(struct sk_redis *s, const redisReply *r);

#endif
