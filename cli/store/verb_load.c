/* verb_load.c -- skeeter-store load: a dump becomes a file of its own, which takes the store's name when it is whole.
 *
 * Invariants: the store's file is locked from before it is looked at until the new one has its name, so no broker opens the one
 * that goes; what it had in its WAL is in the file before, so that no WAL of the old is left beside the new. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/store/dump_file.h"
#include "cli/store/store.h"
#include "core/store_copy.h"

enum { CACHE = 65536 };

struct loading {
	struct store_options *o;
	char path[PATH_MAX], partial[PATH_MAX]; /* of the store; of the new file */
	int old_fd, new_fd, folder_fd;          /* locks; old_fd -1: the store is new */
	struct sk_table *table;
	struct dump_file in;
};

static int cannot(const struct loading *l, const char *what)
{
	return store_failed("cannot write store %s: %s", l->path, what);
}

/* -- the store that is there -- */
static int count_any(void *ctx, const struct view_record *r)
{
	(void)ctx, (void)r;
	return 1;
}

/* 1: it holds something, 0: it is empty, else failed and said. */
static int holds_anything(struct loading *l)
{
	struct view_why why;
	struct view *v = view_open(l->path, VIEW_MINE, &why);
	int rc = v && !view_read_log(v, NULL, NULL, &why) ? view_each(v, count_any, NULL, &why) : -1;

	view_close(&v);
	return rc < 0 ? store_failed("%s", why.text) : rc;
}

/* What the WAL holds goes into the file, and the WAL goes when the last connection does. */
static int end_wal(struct loading *l)
{
	int rc;
	struct sk_table *t = sk_table_open(l->path, 64, &rc);

	if (!t)
		return cannot(l, sqlite3_errstr(rc));
	rc = sqlite3_wal_checkpoint_v2(t->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_db_config(t->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sk_table_close(t);
	if (rc == SQLITE_OK && (view_size(l->path, "-wal") >= 0 || view_size(l->path, "-shm") >= 0))
		rc = SQLITE_BUSY; /* somebody still has it open, and would share these with the new file */
	return rc == SQLITE_OK ? 0 : cannot(l, sqlite3_errstr(rc));
}

static int lock_folder(struct loading *l)
{
	l->folder_fd = view_lock_folder(l->path, true);
	if (l->folder_fd >= 0)
		return 0;
	return cannot(l, errno == EWOULDBLOCK ? "a backup or another load is at it" : strerror(errno));
}

static int lock_old(struct loading *l)
{
	struct stat st, named;

	l->old_fd = open(l->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (l->old_fd < 0)
		return errno == ENOENT ? 0 : cannot(l, strerror(errno));
	if (fstat(l->old_fd, &st) || !S_ISREG(st.st_mode))
		return cannot(l, "not a regular file");
	if (flock(l->old_fd, LOCK_EX | LOCK_NB) || stat(l->path, &named) || st.st_ino != named.st_ino || st.st_dev != named.st_dev)
		return store_failed("store %s is in use by another process: backup works while it runs", l->path);
	return 0;
}

/* Empty it is, or may be replaced; and all of it is in the one file. */
static int empty_old(struct loading *l)
{
	int held;

	if (!view_size(l->path, "") && view_size(l->path, "-wal") <= 0)
		return 0;
	held = holds_anything(l);
	if (held > 1)
		return held;
	if (held && !l->o->replace)
		return store_failed("store %s is not empty: --replace puts the dump in place of all that it holds", l->path);
	return end_wal(l);
}

/* -- the new file -- */
static void remove_partial(const struct loading *l)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	char name[PATH_MAX + 8];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", l->partial, suffix[i]);
		unlink(name);
	}
}

/* What an interrupted load has left goes; another load that is still at it is left alone. */
static int clear_partial(struct loading *l)
{
	int fd = open(l->partial, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool free_to_go;

	if (fd < 0)
		return errno == ENOENT ? 0 : cannot(l, strerror(errno));
	free_to_go = !flock(fd, LOCK_EX | LOCK_NB);
	if (free_to_go)
		remove_partial(l);
	close(fd);
	return free_to_go ? 0 : cannot(l, "another load is at it");
}

/* The new file belongs to whom the old one or the folder belonged to: root may load for a broker that is not root. */
static int own_partial(const struct loading *l)
{
	char copy[PATH_MAX];
	struct stat st;

	snprintf(copy, sizeof copy, "%s", l->path);
	if (l->old_fd >= 0 ? fstat(l->old_fd, &st) : stat(dirname(copy), &st))
		return -1;
	if (geteuid() == 0 && fchown(l->new_fd, st.st_uid, st.st_gid))
		return -1;
	return fchmod(l->new_fd, l->old_fd >= 0 ? st.st_mode & 0777 : 0600);
}

static int make_partial(struct loading *l)
{
	struct sk_store_options opt = { .path = l->partial };
	char why[PATH_MAX + 200];
	struct sk_store *s;
	int rc;

	if (snprintf(l->partial, sizeof l->partial, "%s.loading", l->path) >= (int)sizeof l->partial)
		return cannot(l, strerror(ENAMETOOLONG));
	if ((rc = clear_partial(l)))
		return rc;
	s = sk_store_open_embedded(&opt, why, sizeof why);
	if (!s)
		return store_failed("%s", why);
	s->ops->close(s);
	l->new_fd = open(l->partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (l->new_fd < 0 || flock(l->new_fd, LOCK_EX | LOCK_NB) || own_partial(l))
		return cannot(l, strerror(errno));
	l->table = sk_table_open(l->partial, CACHE, &rc);
	if (l->table)
		rc = sqlite3_exec(l->table->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : cannot(l, sqlite3_errstr(rc));
}

/* -- filling it -- */
static int put_record(void *ctx, const struct view_record *r)
{
	struct loading *l = ctx;
	sqlite3_stmt *stmt = sk_table_stmt(l->table, SK_SQL_UPSERT);
	int rc = stmt ? SQLITE_OK : sqlite3_errcode(l->table->db);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int(stmt, 1, r->space);
		sqlite3_bind_blob(stmt, 2, r->key.data, (int)r->key.size, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)r->version);
		sqlite3_bind_blob64(stmt, 4, r->data.data, r->data.size, SQLITE_STATIC);
		rc = sk_table_finish(stmt);
	}
	return rc == SQLITE_OK ? 0 : cannot(l, sqlite3_errstr(rc));
}

static int finish(struct loading *l)
{
	sqlite3_stmt *stmt = sk_table_stmt(l->table, SK_SQL_MARK);
	int rc = stmt ? sqlite3_bind_int64(stmt, 1, (sqlite3_int64)l->in.reader.sequence) : SQLITE_ERROR;

	if (rc == SQLITE_OK)
		rc = sk_table_finish(stmt);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(l->table->db, "COMMIT", NULL, NULL, NULL);
	sk_table_close(l->table);
	l->table = NULL;
	if (rc != SQLITE_OK)
		return cannot(l, sqlite3_errstr(rc));
	if (fsync(l->new_fd) || sk_store_rename(l->partial, l->path, l->old_fd >= 0))
		return cannot(l, strerror(errno));
	return STORE_OK;
}

static void release(struct loading *l, int rc)
{
	sk_table_close(l->table);
	if (rc && l->new_fd >= 0)
		remove_partial(l);
	if (l->new_fd >= 0)
		close(l->new_fd);
	if (l->old_fd >= 0)
		close(l->old_fd);
	if (l->folder_fd >= 0)
		close(l->folder_fd);
	dump_file_close(&l->in);
}

static int load_file(struct store_options *o)
{
	struct loading *l = calloc(1, sizeof *l);
	int rc;

	if (!l)
		return store_failed("cannot write store %s: out of memory", o->store);
	*l = (struct loading){ .o = o, .old_fd = -1, .new_fd = -1, .folder_fd = -1 };
	if (!realpath(o->store, l->path))
		snprintf(l->path, sizeof l->path, "%s", o->store);
	rc = dump_file_open(&l->in, o->other);
	if (!rc)
		rc = lock_old(l);
	if (!rc)
		rc = lock_folder(l);
	if (!rc && l->old_fd >= 0)
		rc = empty_old(l);
	if (!rc)
		rc = make_partial(l);
	progress_begin(&o->progress, "load: records");
	if (!rc)
		rc = dump_file_each(&l->in, put_record, l, &o->progress);
	if (!rc)
		rc = finish(l);
	release(l, rc);
	free(l);
	return rc;
}

int store_load(struct store_options *o)
{
	return sk_store_is_url(o->store) ? load_redis(o) : load_file(o);
}
