/* store_open.c -- opens or creates the database file, checks that it is ours and whole, replays its log.
 *
 * Invariant: a file that is refused is left as it was: until everything has been checked nothing is written to it, and a
 * checkpoint at closing is forbidden. Another process is kept out by flock on the database file itself, which a kill -9
 * releases; SQLite's own locks are of the other kind (fcntl), and those are lost when any descriptor of the file is closed: so ours
 * is closed after SQLite's. */
#include "core/store_internal.h"
#include "core/store_migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	VERSION_AT = 60, HEADER = 100,
	WRITER_CACHE = 1024,
	CHECKED_WHOLE = 16 << 20 /* a file up to this size has all its pages checked */
};

static const char magic[16] = "SQLite format 3";

static const char schema[] =
	"PRAGMA auto_vacuum=NONE;"
	"BEGIN;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
	"CREATE TABLE log(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE record(id INTEGER PRIMARY KEY, space INTEGER NOT NULL, key BLOB NOT NULL,"
	" version INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(space, key));"
	"INSERT INTO meta VALUES('version', 0);"
	"PRAGMA application_id=%d;"
	"PRAGMA user_version=%d;"
	"COMMIT";

struct opening {
	struct sk_embedded *s;
	char *why;
	size_t why_size;
	bool created;      /* the file, by us */
	bool had_wal, had_shm;
};

static int refuse(struct opening *o, const char *fmt, const char *what)
{
	snprintf(o->why, o->why_size, fmt, o->s->opt.path, what);
	return -1;
}

static int unwritable(struct opening *o, int error)
{
	return refuse(o, "cannot write store %s: %s", strerror(error));
}

static int damaged(struct opening *o, const char *what)
{
	return refuse(o, "store %s is damaged (%s): nothing was touched", what);
}

static int newer(struct opening *o, int64_t version)
{
	snprintf(o->why, o->why_size, "store %s is version %lld, this build knows %d: nothing was touched", o->s->opt.path,
		(long long)version, SK_STORE_SCHEMA);
	return -1;
}

/* What an error of SQLite means to the operator. */
static int explain(struct opening *o, int rc)
{
	sqlite3 *db = o->s->writer ? o->s->writer->db : NULL;

	switch (rc & 255) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_FORMAT:
		return damaged(o, db && sqlite3_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return refuse(o, "store %s is in use by another process%s", "");
	default:
		return refuse(o, "cannot write store %s: %s", sqlite3_errstr(rc));
	}
}

/* -- the file -- */
static bool beside(const struct sk_embedded *s, const char *suffix, bool remove)
{
	char name[PATH_MAX + 8];

	snprintf(name, sizeof name, "%s%s", s->path, suffix);
	return remove ? !unlink(name) : !access(name, F_OK);
}

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

static int check_folder(struct opening *o)
{
	char *copy = strdup(o->s->path), *folder;
	int rc;

	if (!copy)
		return unwritable(o, ENOMEM);
	folder = dirname(copy);
	rc = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS);
	if (!rc && o->created)
		rc = sync_folder(folder);
	rc = rc ? unwritable(o, errno) : 0;
	free(copy);
	return rc;
}

static int open_descriptor(struct opening *o)
{
	struct sk_embedded *s = o->s;
	struct stat st, named;

	s->fd = open(s->opt.path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0 && errno == ENOENT) {
		s->fd = open(s->opt.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		o->created = s->fd >= 0;
	}
	if (s->fd < 0 || fstat(s->fd, &st))
		return unwritable(o, errno);
	if (!S_ISREG(st.st_mode))
		return refuse(o, "cannot write store %s: %s", "not a regular file");
	if (flock(s->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? explain(o, SQLITE_BUSY) : unwritable(o, errno);
	if (stat(s->opt.path, &named) || named.st_dev != st.st_dev || named.st_ino != st.st_ino)
		return explain(o, SQLITE_BUSY); /* skeeter-store has just put another file in its place */
	s->path = realpath(s->opt.path, NULL);
	if (!s->path)
		return unwritable(o, errno);
	o->had_wal = beside(s, "-wal", false);
	o->had_shm = beside(s, "-shm", false);
	return check_folder(o);
}

/* Looks at the header without SQLite, which would make files beside the database: a migration ends with a full checkpoint, so
 * the header of the file itself shows the version. */
static int check_header(struct opening *o)
{
	unsigned char head[HEADER];
	ssize_t n = pread(o->s->fd, head, sizeof head, 0);
	uint32_t version;

	if (n < 0)
		return unwritable(o, errno);
	if (!n)
		return 0;
	if (n < HEADER || memcmp(head, magic, sizeof magic))
		return damaged(o, sqlite3_errstr(SQLITE_NOTADB));
	version = (uint32_t)head[VERSION_AT] << 24 | (uint32_t)head[VERSION_AT + 1] << 16 | (uint32_t)head[VERSION_AT + 2] << 8 |
		head[VERSION_AT + 3];
	return version > SK_STORE_SCHEMA ? newer(o, version) : 0;
}

/* -- the database -- */
static int wal_grew(void *ctx, sqlite3 *db, const char *name, int frames)
{
	struct sk_embedded *s = ctx;

	(void)db, (void)name;
	s->wal_frames = frames;
	return SQLITE_OK;
}

/* The first column of the first row as a number; *out stays when there is no row. */
static int ask(struct opening *o, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(o->s->writer->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			*out = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
		rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	return rc == SQLITE_OK ? 0 : explain(o, rc);
}

static int check_pages(struct opening *o)
{
	struct stat st;
	sqlite3_stmt *stmt;
	int rc;

	if (fstat(o->s->fd, &st) || st.st_size > CHECKED_WHOLE)
		return 0;
	rc = sqlite3_prepare_v2(o->s->writer->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return explain(o, rc);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "ok")) {
		char text[200];
		snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(stmt, 0));
		text[strcspn(text, "\n")] = '\0';
		damaged(o, text);
		rc = -1;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : rc == -1 ? -1 : explain(o, rc);
}

static int create_schema(struct opening *o)
{
	char text[sizeof schema + 32];
	int64_t tables = 0;
	int rc;

	if (ask(o, "SELECT count(*) FROM sqlite_master", &tables))
		return -1;
	if (tables)
		return damaged(o, "it is another program's database");
	snprintf(text, sizeof text, schema, SK_STORE_APPLICATION, SK_STORE_SCHEMA);
	rc = sqlite3_exec(o->s->writer->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(o->s->writer->db, text, NULL, NULL, NULL);
	if (rc == SQLITE_OK) /* the header must show the version */
		rc = sqlite3_wal_checkpoint_v2(o->s->writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return rc == SQLITE_OK ? 0 : explain(o, rc);
}

static int bring_up_to_date(struct opening *o, int version)
{
	struct sk_embedded *s = o->s;
	struct sk_migration m = { .db = s->writer->db, .path = s->path, .steps = sk_store_steps, .from = version, .to = SK_STORE_SCHEMA,
		.say = s->opt.say };

	return sk_store_migrate(&m, o->why, o->why_size);
}

static int check_schema(struct opening *o)
{
	int64_t version = 0, application = 0, unused;

	if (ask(o, "PRAGMA user_version", &version) || ask(o, "PRAGMA application_id", &application))
		return -1;
	if (version > SK_STORE_SCHEMA)
		return newer(o, version);
	if (!version && !application)
		return create_schema(o);
	if (application != SK_STORE_APPLICATION || version < 0)
		return damaged(o, "it is another program's database");
	if (check_pages(o) || (version < SK_STORE_SCHEMA && bring_up_to_date(o, (int)version)))
		return -1;
	return ask(o, "SELECT seq, data FROM log WHERE 0", &unused) || ask(o, "SELECT space, key, version, data FROM record WHERE 0", &unused);
}

/* -- the log -- */
static int replay_write(void *ctx, uint64_t version, const struct sk_log_write *w)
{
	struct sk_embedded *s = ctx;
	struct sk_entry *e = sk_entry_new(&s->map, w->space, w->key), *trash = NULL;

	if (!e)
		return -1;
	e->version = version;
	e->in_table = sk_table_may_hold(s, w->space, w->key);
	if (w->data && !(e->bytes = sk_bytes_new(w->data, w->size))) {
		sk_entry_free(e);
		return -1;
	}
	sk_map_put(&s->map, e, &trash);
	while ((e = trash)) {
		trash = e->older;
		sk_entry_free(e);
	}
	return 0;
}

static int replay_row(struct opening *o, uint64_t seq, struct sk_slice row)
{
	struct sk_embedded *s = o->s;
	int64_t commits = seq == s->version + 1 ? sk_log_decode(seq, row, replay_write, s) : -1; /* versions leave no gap */
	char text[80];

	if (commits == -2)
		return unwritable(o, ENOMEM);
	if (commits < 1) {
		snprintf(text, sizeof text, "log row %llu is not whole or not the next", (unsigned long long)seq);
		return damaged(o, text);
	}
	s->version = seq + (uint64_t)commits - 1;
	sk_log_grew(s, s->version, row.size);
	s->replayed_rows++;
	return 0;
}

static int replay(struct opening *o)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(o->s->writer->db, "SELECT seq, data FROM log ORDER BY seq", -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return explain(o, rc);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *data = sqlite3_column_blob(stmt, 1);
		struct sk_slice row = { data ? data : "", (size_t)sqlite3_column_bytes(stmt, 1) };

		if (replay_row(o, (uint64_t)sqlite3_column_int64(stmt, 0), row)) {
			sqlite3_finalize(stmt);
			return -1;
		}
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : explain(o, rc);
}

/* The effects and timers that the table holds, and the version that its last fold reached. */
static int learn_table(struct opening *o)
{
	sqlite3_stmt *stmt;
	int64_t version = -1;
	int rc;

	if (ask(o, "SELECT value FROM meta WHERE name = 'version'", &version))
		return -1;
	if (version < 0)
		return damaged(o, "its version mark is missing");
	o->s->version = (uint64_t)version;
	rc = sqlite3_prepare_v2(o->s->writer->db, "SELECT space, key FROM record WHERE space > 0", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return explain(o, rc);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *key = sqlite3_column_blob(stmt, 1);

		sk_table_will_hold(o->s, sqlite3_column_int(stmt, 0), (struct sk_slice){ key ? key : "", (size_t)sqlite3_column_bytes(stmt, 1) });
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : explain(o, rc);
}

static int open_database(struct opening *o)
{
	struct sk_embedded *s = o->s;
	int rc;

	s->writer = sk_table_open(s->path, WRITER_CACHE, &rc);
	if (!s->writer)
		return explain(o, rc);
	if (check_schema(o) || learn_table(o) || replay(o))
		return -1;
	rc = sqlite3_exec(s->writer->db, "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return explain(o, rc);
	sqlite3_wal_hook(s->writer->db, wal_grew, s);
	return sk_checkpointer_start(s) ? unwritable(o, ENOMEM) : 0;
}

static void undo(struct opening *o)
{
	struct sk_embedded *s = o->s;

	sk_table_close(s->writer);
	s->writer = NULL;
	if (!s->path)
		return;
	if (!o->had_wal)
		beside(s, "-wal", true);
	if (!o->had_shm)
		beside(s, "-shm", true);
	if (o->created)
		unlink(s->path);
}

int sk_open_file(struct sk_embedded *s, char *why, size_t why_size)
{
	struct opening o = { .s = s, .why = why, .why_size = why_size };

	s->fd = -1;
	if (!open_descriptor(&o) && !check_header(&o) && !open_database(&o)) {
		s->floor = s->version;
		s->store.seq = s->version;
		return 0;
	}
	undo(&o);
	return -1;
}
