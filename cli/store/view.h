/* view.h -- a store's file read as it is at one moment, without being its broker: nothing in it is changed.
 *
 * The record table and the log behind it are read as one: view_each and view_get answer what a broker would after opening. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "core/store_internal.h"

enum view_mode {
	VIEW_ALONE,  /* holds the lock, shared with other readers: refused while a broker or a load has the file */
	VIEW_BESIDE, /* no lock that a broker takes: one may run, start and stop meanwhile. Only a load is kept away, by a lock on the folder */
	VIEW_MINE,   /* the caller holds the lock or is the only one who knows the file */
};

struct view_why {
	bool damaged;     /* the file is at fault; else it could not be read, or is another version's */
	char text[5000];
};

struct view {
	char *path;
	int fd, folder_fd;
	enum view_mode mode;
	bool had_shm;
	struct sk_table *table;
	struct sk_map map;         /* what the log holds, when it has been read */
	int64_t mark;              /* the version that the table has reached; -1: it is missing */
	uint64_t sequence;         /* of the newest commit, when the log has been read */
	size_t log_rows, log_bytes;
};

struct view_record {
	enum sk_space space;
	struct sk_slice key, data;
	uint64_t version;
};

extern const char *const view_space[SK_SPACES]; /* "record", "effect", "timer" */

typedef int view_fn(void *ctx, const struct view_record *r); /* nonzero stops */
typedef void view_bad_fn(void *ctx, uint64_t seq);

/* NULL and *why: not there, in use, damaged, another version. */
struct view *view_open(const char *path, enum view_mode mode, struct view_why *why);
void view_close(struct view **v);
/* Reads the log into the map. bad NULL: a row that is not whole or not the next is an error; else bad hears of each. 0, or -1 and *why. */
int view_read_log(struct view *v, view_bad_fn *bad, void *ctx, struct view_why *why);
/* Every record, effect and timer, each kind in order of its keys. 0, what fn stopped it with, or -1 and *why. */
int view_each(struct view *v, view_fn *fn, void *ctx, struct view_why *why);
/* Those of one kind that come after a key; NULL: from the first. As view_each. */
int view_each_of(struct view *v, enum sk_space space, const char *after, view_fn *fn, void *ctx, struct view_why *why);
/* The newest value of r->key in r->space, as sk_store_ops.read: 0, or -1 and *why. */
int view_get(struct view *v, struct sk_store_read *r, struct view_why *why);
/* A key as a message shows it: its space before it, printable, of bounded length. text has VIEW_SHOWN bytes and is the answer. */
enum { VIEW_SHOWN = 200 };
const char *view_shown(enum sk_space space, struct sk_slice key, char *text);
/* Says what an error of SQLite's means; -1. */
int view_explain(const struct view *v, int rc, struct view_why *why);
int view_damaged(const struct view *v, const char *what, struct view_why *why);
/* Locks the folder that path is in: shared by backups, exclusive for a load that gives the name to another file. A descriptor, or -1 and
 * errno; EWOULDBLOCK: the other one is at it. */
int view_lock_folder(const char *path, bool exclusive);
/* The size of a file called path + suffix, or -1. */
int64_t view_size(const char *path, const char *suffix);

#endif
