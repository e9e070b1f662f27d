/* store.h -- records of JSON under path-like keys, in partitions that commit atomically. One struct of functions, two back ends: a file
 * (store_embedded.c), one process's own, and a Redis (store_redis.c), which any number of brokers share.
 *
 * A key is "partition/rest". The partition is the first path segment for `registry` and the segments up to the second
 * slash for everything else ("thing/lamp/shadow" is in "thing/lamp"; sk_key_partition). Keys hold no NUL, are at most
 * SK_KEY_MAX bytes and sort by bytes.
 *
 * Spaces keep three kinds of keys apart; each has its own ordered key space:
 *   RECORD   what services store
 *   EFFECT   durable effects that are not done yet; scanned over all partitions when the broker starts
 *   TIMER    hints "due as 16 hex digits of ms/partition/name", scanned over all partitions for what is due soon
 *
 * Versions are the sequence number of the commit that wrote the record: increasing within a partition, never reused for a key, also
 * after a delete. Absent is version 0. In a store of one process they increase store-wide.
 *
 * Bytes are immutable and reference-counted; whoever is handed a struct sk_bytes * owns one reference.
 * Any thread may call read and scan; they may block for a disk read or for the answer of a server, never for an fsync. */
#ifndef SK_STORE_H
#define SK_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_KEY_MAX 1024

struct sk_bytes {
	atomic_uint refs;
	uint32_t size;
	char data[]; /* size bytes and a NUL */
};
struct sk_bytes *sk_bytes_new(const void *data, size_t size); /* NULL when memory is out */
struct sk_bytes *sk_bytes_ref(struct sk_bytes *b);            /* NULL in, NULL out */
void sk_bytes_unref(struct sk_bytes *b);                      /* NULL is allowed */

/* Bytes of `key` that are its partition. */
size_t sk_key_partition(const char *key);

/* The RECORD of a store that skeeter-store is filling and that is not whole yet: no broker starts with one. */
#define SK_STORE_FILLING "skeeter/filling/state"
struct sk_store;
/* 0: it is whole; else -1 and one line in why[]. */
int sk_store_whole(struct sk_store *s, char *why, size_t why_size);

enum sk_space { SK_RECORD, SK_EFFECT, SK_TIMER, SK_SPACES };

struct sk_store_read {  /* one record wanted; key is the caller's, bytes and version are filled */
	enum sk_space space;
	const char *key;
	struct sk_bytes *bytes; /* NULL: absent */
	uint64_t version;       /* 0: absent */
};

struct sk_store_expect { /* what a commit has read and relies on */
	const char *key;     /* a RECORD key, or a prefix scanned if `structure` */
	uint64_t version;    /* of the record when read; ignored if `structure` */
	uint64_t as_of;      /* if `structure`: what the scan said, or sk_store.seq from before it */
	bool structure;      /* true: no key was added to or removed from the key's partition after as_of */
};

struct sk_store_write {
	enum sk_space space;
	const char *key;
	struct sk_bytes *bytes; /* NULL: delete. The store takes its own reference. */
};

enum sk_commit_status { SK_COMMIT_OK, SK_COMMIT_CONFLICT, SK_COMMIT_FAILED };

struct sk_commit { /* one atomic change of one partition; owned by the submitter, untouched until done() */
	struct sk_commit *next;  /* the store's while submitted */
	const char *partition;   /* every RECORD key written must be in it, else SK_COMMIT_FAILED */
	struct sk_store_expect *expects;
	size_t expect_count;
	struct sk_store_write *writes;
	size_t write_count;
	/* filled before done(): */
	enum sk_commit_status status;
	uint64_t version;        /* of every record written */
	const char *why;         /* FAILED: static text for the log and the caller */
	bool unknown;            /* FAILED: it may have happened all the same, or happen yet: whoever tries again does it twice */
	/* Called once, on the store's thread, after the change is durable or refused. Must not block. */
	void (*done)(struct sk_commit *);
	void *owner;
};

struct sk_scan_item {
	char *key;              /* the receiver frees it */
	struct sk_bytes *bytes; /* the receiver's reference */
	uint64_t version;
};
/* Called for each record in key order; nonzero stops the scan. Takes ownership of item's key and bytes. */
typedef int sk_scan_fn(void *ctx, const struct sk_scan_item *item);
struct sk_store_scan {
	enum sk_space space;
	const char *prefix;     /* all keys that begin with it */
	const char *after;      /* and sort after this one; NULL: from the start */
	size_t limit;           /* at most so many; 0: all */
	sk_scan_fn *fn;
	void *ctx;
	uint64_t as_of;         /* filled: for a `structure` expect of this prefix */
};

/* What brokers that share a store tell each other of it: the keys of RECORDs below the prefixes of sk_store.watched that somebody has
 * written, in the order of their commits within a partition, this broker's own among them. */
typedef void sk_change_fn(void *ctx, const char *key, uint64_t version); /* of the commit that wrote or deleted it */
struct sk_changes;

struct sk_store_stats {
	uint64_t commits, commit_batches, conflicts, failures; /* since open */
	uint64_t reads, table_reads, scans;
	uint64_t folded_records, fold_us, fsync_us;            /* sums; *_us in microseconds */
	uint64_t dirty_bytes, dirty_records, log_bytes, log_rows;
	uint64_t replayed_rows, open_us;
	uint64_t reconnects, redirects, resent;                /* of a Redis: connections made anew, answers MOVED and ASK, commands sent again */
	uint64_t unknown;                                      /* commits refused although they may have happened: the answer never came */
	uint64_t down;                                         /* 1: it does not answer now */
};

struct sk_store;
struct sk_store_ops {
	const char *name;
	/* Fills n reads; 0, or -1 when the store cannot answer (each bytes is then NULL). */
	int (*read)(struct sk_store *, struct sk_store_read *reads, size_t n);
	/* A scan within one partition sees one moment: every commit before it whole, none after it; over several partitions that holds for
	 * each of them, in a store of one process for all. One that wants more than a server should answer at once (some thousand records)
	 * comes in pages, each of one moment; as_of is of the first. 0, or -1; fn may have been called then. */
	int (*scan)(struct sk_store *, struct sk_store_scan *);
	/* Takes a list linked by `next`, in order; order within one partition is kept. Any thread. Never blocks on I/O.
	 * Commits of one submission and of other threads' submissions are merged into one fsync. */
	void (*submit)(struct sk_store *, struct sk_commit *list);
	/* The committer's body: commits what is queued, folds within its budget. Returns the monotonic microsecond at which it
	 * wants to run again, INT64_MAX for "when something is submitted". Runs on one thread only. */
	int64_t (*step)(struct sk_store *, int64_t now_us);
	/* Bytes of backlog above which device calls should wait: true while dirty or log limits are exceeded. */
	bool (*pressed)(struct sk_store *);
	void (*stats)(struct sk_store *, struct sk_store_stats *);
	/* -- of a store that is shared (not exclusive); NULL in others. One thread calls these, the follower's; they wait for the server -- */
	/* Calls fn for what was written since the last call. *at is NULL the first time: then it only notes where the log stands; it is the
	 * caller's, for changes_end(). *gap: what happened since is not known whole (the log was cut, the store was emptied, or a server took
	 * over that had not heard all): everything watched must be read anew, and the next call goes on from before that reading. 0, or -1
	 * when the store cannot answer (what was told stays told; the next call goes on). */
	int (*changes)(struct sk_store *, struct sk_changes **at, bool *gap, sk_change_fn *fn, void *ctx);
	void (*changes_end)(struct sk_changes *at);             /* NULL is allowed */
	/* Says that this broker lives, and learns who else does (fn per broker, by sk_store.self; itself among them): those who have said so
	 * within the last 10 s by the server's clock. To be called every two seconds. 0 or -1. */
	int (*beat)(struct sk_store *, void (*fn)(void *ctx, const char *self), void *ctx);
	/* Commits what is queued, folds all, closes. */
	void (*close)(struct sk_store *);
};

struct sk_store {
	const struct sk_store_ops *ops;
	_Atomic uint64_t seq;     /* sequence number of the newest durable commit */
	bool exclusive;           /* nobody else writes this store: an owner's cache needs no check against other brokers */
	char self[17];            /* of this process in a shared store: 16 hex digits, new at each open; "" if exclusive */
	/* RECORD keys whose writes changes() tells: true for a key that a watch looks at. Set by the runtime before the first submit, called by
	 * submit's thread or step()'s; NULL: none is told. */
	bool (*watched)(void *watched_ctx, const char *key);
	void *watched_ctx;
	/* Wakes the thread that runs step(); set by the runtime before the first submit, called by submit from any thread. */
	void (*wake)(void *);
	void *wake_ctx;
	void (*answered)(void *wake_ctx); /* step() has called done() of each commit of a batch; may be NULL */
};

struct sk_store_options {
	const char *path;        /* the database file */
	bool relaxed;            /* synchronous=NORMAL: a power cut may lose the last commits; a kill -9 may not */
	size_t dirty_limit;      /* bytes, 0: 64 MiB */
	size_t log_limit;        /* bytes, 0: 256 MiB */
	int64_t gather_us;       /* at most so long commits wait for others after a row of several; 0: never */
	int64_t (*now_us)(void); /* monotonic clock; NULL: CLOCK_MONOTONIC */
	void (*say)(const char *line); /* hears that a store of an earlier version was brought up to date; may be NULL */
	void (*point)(const char *name); /* as sk_host's crash_point: a named point of the committer; NULL in production */
};

/* Opens or creates. On failure NULL and one line in why[] without a full stop, e.g.
 * "store run/data/skeeter.db is version 3, this build knows 2: nothing was touched". Nothing was changed then. */
struct sk_store *sk_store_open_embedded(const struct sk_store_options *opt, char *why, size_t why_size);

struct sk_redis_options {
	const char *url;         /* redis/url.h */
	const char *data_dir;    /* relative names of files in the URL are below it; NULL: the working directory */
	int64_t wait_ms;         /* how long opening waits for a server that is not there yet */
	int64_t (*now_us)(void); /* monotonic clock; NULL: CLOCK_MONOTONIC */
	/* Hears in one line what an operator should: the store is away, it is back. level as sk_log's. Any thread; may be NULL. */
	void (*say)(char level, const char *line);
	void (*point)(const char *name); /* as above */
};
/* Is this the URL of a Redis (and no file's name)? */
bool sk_store_is_url(const char *text);
/* On failure NULL and one line in why[] without a full stop and without a password. */
struct sk_store *sk_store_open_redis(const struct sk_redis_options *opt, char *why, size_t why_size);

#endif
