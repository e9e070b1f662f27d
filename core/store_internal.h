/* store_internal.h -- what the files of the embedded store share; besides them cli/store/ reads files with it.
 *
 * Who may touch what: the COMMITTER is the thread inside step(), open or close. It alone changes the map, the log and the
 * tables. Readers take map.lock for reading, then a connection of the pool. Locks are taken in the order gate, map.lock.
 * A record that is not in the map is in the table as it stands: a fold commits the table first and leaves the map later, so
 * a reader that looks in the map first and opens the table's snapshot afterwards misses nothing. */
#ifndef SK_STORE_INTERNAL_H
#define SK_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "core/store.h"
#include "core/store_checkpoint.h"

#define SK_STORE_SCHEMA 1
#define SK_MAP_HEIGHT 16
#define SK_FILTER 65536   /* slots of `written`; a power of two */
#define SK_STRUCTURE 4096 /* slots of `structure`; a power of two */
#define SK_STORE_POINT(s, name) ((s)->opt.point ? (s)->opt.point(name) : (void)0)
struct sk_slice {
	const char *data;
	size_t size;
};

/* -- store_map.c: the newest value of each record that is not folded yet, ordered by key and by age -- */
struct sk_entry {
	struct sk_entry *older, *newer; /* by version: the fold takes the oldest */
	struct sk_bytes *bytes;         /* NULL: a tombstone */
	uint64_t version;
	uint16_t key_size;
	uint8_t space, height;
	bool in_table;                  /* the record table may hold a row of this key */
	struct sk_entry *next[];        /* `height` of them, then the key and a NUL */
};

struct sk_map {
	pthread_rwlock_t lock;          /* the functions below do not take it; the committer needs it only to change */
	struct sk_entry *head[SK_SPACES][SK_MAP_HEIGHT];
	struct sk_entry *oldest, *newest;
	uint64_t random;
	_Atomic size_t bytes, count;
};

int sk_map_init(struct sk_map *m);
void sk_map_free(struct sk_map *m);
/* A loose entry with bytes NULL and version 0, or NULL. */
struct sk_entry *sk_entry_new(struct sk_map *m, enum sk_space space, struct sk_slice key);
void sk_entry_free(struct sk_entry *e); /* NULL is allowed */
struct sk_slice sk_entry_key(const struct sk_entry *e);
struct sk_entry *sk_map_find(const struct sk_map *m, enum sk_space space, struct sk_slice key);
/* The first entry whose key is not less than key, or NULL; its successors are next[0]. */
struct sk_entry *sk_map_seek(const struct sk_map *m, enum sk_space space, struct sk_slice key);
/* Makes e the newest value of its key; cannot fail. What is left over is pushed on *trash, linked by `older`, to be freed when
 * the lock is released. A tombstone of what the table does not hold leaves no entry. */
void sk_map_put(struct sk_map *m, struct sk_entry *e, struct sk_entry **trash);
void sk_map_remove(struct sk_map *m, struct sk_entry *e);
int sk_key_compare(struct sk_slice a, struct sk_slice b);
uint64_t sk_key_hash(enum sk_space space, struct sk_slice key);

/* -- store_log.c: a log row is "SKL1", crc32c, number of commits, then each commit's writes; docs in the file -- */
struct sk_row {
	char *data;
	size_t size, room;
	uint32_t commits;
};
struct sk_log_write {
	enum sk_space space;
	struct sk_slice key;
	const char *data; /* NULL: delete */
	size_t size;
};
typedef int sk_log_fn(void *ctx, uint64_t version, const struct sk_log_write *w);

size_t sk_row_size_of(const struct sk_commit *c); /* at most so many bytes of a row */
int sk_row_start(struct sk_row *row);             /* 0, or -1: memory */
int sk_row_add(struct sk_row *row, const struct sk_commit *c); /* 0, or -1: memory, the row is as before */
void sk_row_seal(struct sk_row *row, uint64_t seq);
/* Calls fn for each write of a row whose first commit is version seq; stops when fn answers nonzero. The number of commits,
 * -1 when the row is not whole (fn was not called then), -2 when fn stopped it. */
int64_t sk_log_decode(uint64_t seq, struct sk_slice row, sk_log_fn *fn, void *ctx);
uint32_t sk_crc32c(uint32_t crc, const void *data, size_t size);

/* -- store_table.c: one SQLite connection and its statements -- */
enum sk_stmt {
	SK_SQL_BEGIN, SK_SQL_COMMIT, SK_SQL_ROLLBACK, SK_SQL_GET, SK_SQL_SCAN, SK_SQL_APPEND, SK_SQL_UPSERT, SK_SQL_DELETE,
	SK_SQL_TRIM, SK_SQL_MARK, SK_SQL_STATEMENTS
};
struct sk_table {
	struct sk_table *next; /* in the pool */
	sqlite3 *db;
	sqlite3_stmt *stmt[SK_SQL_STATEMENTS];
	bool full;             /* synchronous is FULL at this moment */
};

/* Opens an existing file; *rc says why NULL. cache in KiB. */
struct sk_table *sk_table_open(const char *path, int cache, int *rc);
void sk_table_close(struct sk_table *t); /* NULL is allowed */
/* The statement, prepared, reset and with no bindings, or NULL. */
sqlite3_stmt *sk_table_stmt(struct sk_table *t, enum sk_stmt which);
int sk_table_finish(sqlite3_stmt *stmt); /* steps to the end and resets; SQLITE_OK or the error */
int sk_table_run(struct sk_table *t, enum sk_stmt which);
int sk_table_sync(struct sk_table *t, bool full);
int sk_table_get(struct sk_table *t, struct sk_store_read *r); /* SQLITE_OK or the error; bytes NULL, version 0: absent */
struct sk_bytes *sk_table_bytes(sqlite3_stmt *stmt, int column); /* of the row that stmt stands on */

/* -- store_commit.c -- */
struct sk_fact { /* what the running batch knows about a key */
	enum sk_space space;
	uint32_t batch; /* another than its table's: the slot is empty */
	struct sk_slice key;
	uint64_t hash, version; /* version 0: absent, SK_UNKNOWN: may be there or not */
	bool in_table;
};
#define SK_UNKNOWN UINT64_MAX
struct sk_facts {
	struct sk_fact *slot;
	size_t room, count; /* room is 0 or a power of two */
	uint32_t batch;     /* a new number empties all slots: one large batch must not make all later ones dear */
};
struct sk_batch {
	struct sk_commit **commit;
	size_t room;
	struct sk_entry **entry; /* one for each write of an accepted commit, in order */
	size_t entries, entry_room;
	struct sk_facts facts;
	struct sk_row row;
	unsigned failed_in_a_row;
};

/* -- store_fold.c: neighbouring log rows are one segment, trimmed together -- */
struct sk_segment {
	uint64_t last; /* version of its last commit */
	size_t bytes, rows;
};
struct sk_segments {
	struct sk_segment *ring;
	size_t room, first, count;
};

struct sk_embedded {
	struct sk_store store; /* first: the handle */
	struct sk_store_options opt;
	int64_t (*now_us)(void);
	char *path;            /* absolute */
	int fd;                /* of the database file, holds the flock; closed last: see store_open.c */
	struct sk_map map;
	pthread_rwlock_t gate; /* a scan holds it from pinning the map to opening the snapshot, a fold while it commits */
	pthread_mutex_t pool_lock, queue_lock;
	struct sk_table *pool;
	unsigned pool_size;
	struct sk_commit *queue, **queue_end;
	atomic_bool gathering; /* the committer lets commits come together until gathered_us: they need not wake it */
	struct sk_checkpointer checkpointer;
	_Atomic int wal_frames;
	_Atomic size_t log_bytes, log_rows;
	struct { _Atomic uint64_t commits, batches, conflicts, failures, reads, table_reads, scans, folded, fold_us, fsync_us; } count;
	uint64_t replayed_rows, open_us;
	/* the committer's */
	struct sk_table *writer;
	struct sk_batch batch;
	struct sk_segments segments;
	uint64_t version;      /* newest given out */
	uint64_t floor;        /* `written` and `structure` know nothing older */
	uint64_t *written;     /* by hash of a RECORD key: version of the last write */
	uint64_t *structure;   /* by hash of a partition: version of the last key added or removed */
	uint64_t structure_any;
	uint8_t *tabled;       /* bits by hash: EFFECT and TIMER keys that the table may hold */
	int64_t busy_us, fold_again_us, gathered_us;
	bool refused;          /* the disk refused a write: a checkpoint may make room in the WAL */
	size_t peak;
};

struct sk_table *sk_pool_take(struct sk_embedded *s);
void sk_pool_give(struct sk_embedded *s, struct sk_table *t);
int sk_embedded_read(struct sk_store *store, struct sk_store_read *reads, size_t n);
int sk_embedded_scan(struct sk_store *store, struct sk_store_scan *wanted);
void sk_commit_list(struct sk_embedded *s, struct sk_commit *list); /* commits all of it and calls each done() */
void sk_batch_free(struct sk_batch *b); /* it is empty and usable afterwards */
void sk_log_grew(struct sk_embedded *s, uint64_t last, size_t bytes);
bool sk_table_may_hold(const struct sk_embedded *s, enum sk_space space, struct sk_slice key);
void sk_table_will_hold(struct sk_embedded *s, enum sk_space space, struct sk_slice key);
/* One transaction of folding, at most budget microseconds. 1: more is left, 0: all is folded, -1: the disk refused. */
int sk_fold(struct sk_embedded *s, int64_t budget_us);
/* 0, or -1 and why: opens or creates the file, checks it, replays its log. */
int sk_open_file(struct sk_embedded *s, char *why, size_t why_size);

#endif
