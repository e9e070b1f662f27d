/* view.c -- opens a store's file for reading and lays its log over its table.
 *
 * Invariant: no byte of the file is changed. Without anything in the WAL the file is opened as immutable, so that nothing is
 * made beside it; with a WAL SQLite needs its -shm, which goes again unless somebody else uses it. All reads are one transaction. */
#include "cli/store/view.h"

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

#include "core/store_migrate.h"

enum { VERSION_AT = 60, HEADER = 100, CACHE = 16384, BUSY_MS = 10000 };

const char *const view_space[SK_SPACES] = { "record", "effect", "timer" };

static int cannot(const struct view *v, const char *what, struct view_why *why)
{
	why->damaged = false;
	snprintf(why->text, sizeof why->text, "cannot read store %s: %s", v->path, what);
	return -1;
}

static int in_use(const struct view *v, struct view_why *why)
{
	why->damaged = false;
	snprintf(why->text, sizeof why->text, "store %s is in use by another process: backup works while it runs", v->path);
	return -1;
}

int view_damaged(const struct view *v, const char *what, struct view_why *why)
{
	why->damaged = true;
	snprintf(why->text, sizeof why->text, "store %s is damaged (%s): nothing was touched", v->path, what);
	return -1;
}

int view_explain(const struct view *v, int rc, struct view_why *why)
{
	const char *said = v->table && sqlite3_errcode(v->table->db) == rc ? sqlite3_errmsg(v->table->db) : sqlite3_errstr(rc);

	switch (rc & 255) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_FORMAT:
		return view_damaged(v, said, why);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return in_use(v, why);
	default:
		return cannot(v, sqlite3_errstr(rc), why);
	}
}

static int other_version(const struct view *v, int64_t version, struct view_why *why)
{
	why->damaged = false;
	if (version > SK_STORE_SCHEMA)
		snprintf(why->text, sizeof why->text, "store %s is version %lld, this build knows %d: nothing was touched", v->path,
			(long long)version, SK_STORE_SCHEMA);
	else
		snprintf(why->text, sizeof why->text, "store %s is version %lld, this build reads %d: skeeter-store migrate brings it up to date",
			v->path, (long long)version, SK_STORE_SCHEMA);
	return -1;
}

int64_t view_size(const char *path, const char *suffix)
{
	char name[PATH_MAX + 8];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) ? -1 : (int64_t)st.st_size;
}

int view_lock_folder(const char *path, bool exclusive)
{
	char copy[PATH_MAX];
	int fd, error;

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* -- opening -- */
static int open_descriptor(struct view *v, struct view_why *why)
{
	struct stat st;

	v->fd = open(v->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (v->fd < 0 || fstat(v->fd, &st))
		return cannot(v, strerror(errno), why);
	if (!S_ISREG(st.st_mode))
		return cannot(v, "not a regular file", why);
	if (v->mode == VIEW_ALONE && flock(v->fd, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK ? in_use(v, why) : cannot(v, strerror(errno), why);
	if (v->mode == VIEW_BESIDE && (v->folder_fd = view_lock_folder(v->path, false)) < 0)
		return cannot(v, errno == EWOULDBLOCK ? "a load is at it" : strerror(errno), why);
	v->had_shm = view_size(v->path, "-shm") >= 0;
	return 0;
}

/* Without SQLite, which would refuse some of these files with less to say, and make files beside others. */
static int check_header(struct view *v, struct view_why *why)
{
	unsigned char head[HEADER];
	ssize_t n = pread(v->fd, head, sizeof head, 0);
	uint32_t version;

	if (n < 0)
		return cannot(v, strerror(errno), why);
	if (!n)
		return cannot(v, "it is empty", why);
	if (n < HEADER || memcmp(head, "SQLite format 3", 16))
		return view_damaged(v, sqlite3_errstr(SQLITE_NOTADB), why);
	version = (uint32_t)head[VERSION_AT] << 24 | (uint32_t)head[VERSION_AT + 1] << 16 | (uint32_t)head[VERSION_AT + 2] << 8 |
		head[VERSION_AT + 3];
	return version > SK_STORE_SCHEMA ? other_version(v, version, why) : 0;
}

/* "file:" and the path with what a URI would read otherwise in hexadecimal. */
static void make_uri(char *uri, const char *path, bool immutable)
{
	static const char digit[] = "0123456789ABCDEF";
	char *out = stpcpy(uri, "file:");

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (strchr("%?#", c)) {
			*out++ = '%';
			*out++ = digit[c >> 4];
			*out++ = digit[c & 15];
		} else {
			*out++ = (char)c;
		}
	}
	strcpy(out, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
}

static int open_database(struct view *v, struct view_why *why)
{
	bool immutable = v->mode != VIEW_BESIDE && view_size(v->path, "-wal") <= 0;
	char uri[3 * PATH_MAX + 32], text[64];
	int rc;

	make_uri(uri, v->path, immutable);
	rc = sqlite3_open_v2(uri, &v->table->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	if (rc != SQLITE_OK)
		return view_explain(v, rc, why);
	sqlite3_extended_result_codes(v->table->db, 1);
	sqlite3_busy_timeout(v->table->db, BUSY_MS);
	snprintf(text, sizeof text, "PRAGMA cache_size=-%d; BEGIN; SELECT 1 FROM sqlite_master", CACHE);
	rc = sqlite3_exec(v->table->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : view_explain(v, rc, why);
}

/* The first column of the first row; *out stays when there is none. */
static int ask(struct view *v, const char *sql, int64_t *out, struct view_why *why)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(v->table->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			*out = sqlite3_column_int64(stmt, 0);
		rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
		if (rc != SQLITE_OK)
			view_explain(v, rc, why);
		sqlite3_finalize(stmt);
		return rc == SQLITE_OK ? 0 : -1;
	}
	return view_explain(v, rc, why);
}

static int check_schema(struct view *v, struct view_why *why)
{
	int64_t version = 0, application = 0, unused;

	if (ask(v, "PRAGMA user_version", &version, why) || ask(v, "PRAGMA application_id", &application, why))
		return -1;
	if (application != SK_STORE_APPLICATION || version < 0)
		return view_damaged(v, "it is another program's database", why);
	if (version != SK_STORE_SCHEMA)
		return other_version(v, version, why);
	if (ask(v, "SELECT seq, data FROM log WHERE 0", &unused, why) || ask(v, "SELECT space, key, version, data FROM record WHERE 0", &unused, why))
		return -1;
	v->mark = -1;
	if (ask(v, "SELECT value FROM meta WHERE name = 'version'", &v->mark, why))
		return -1;
	v->sequence = v->mark > 0 ? (uint64_t)v->mark : 0;
	return 0;
}

struct view *view_open(const char *path, enum view_mode mode, struct view_why *why)
{
	struct view *v = calloc(1, sizeof *v);
	char real[PATH_MAX];

	why->damaged = false;
	if (!v || !realpath(path, real)) {
		snprintf(why->text, sizeof why->text, "cannot read store %s: %s", path, strerror(errno));
		free(v);
		return NULL;
	}
	v->fd = v->folder_fd = -1;
	v->mode = mode;
	sk_map_init(&v->map);
	v->path = strdup(real);
	v->table = calloc(1, sizeof *v->table);
	if (!v->path || !v->table)
		snprintf(why->text, sizeof why->text, "cannot read store %s: %s", path, strerror(ENOMEM));
	else if (!open_descriptor(v, why) && !check_header(v, why) && !open_database(v, why) && !check_schema(v, why))
		return v;
	view_close(&v);
	return NULL;
}

/* The -shm was made for us, and nobody else has the file: it goes. */
static void tidy(struct view *v)
{
	char name[PATH_MAX + 8];

	if (v->mode != VIEW_ALONE || v->had_shm || v->fd < 0 || view_size(v->path, "-shm") < 0 || flock(v->fd, LOCK_EX | LOCK_NB))
		return;
	snprintf(name, sizeof name, "%s-shm", v->path);
	unlink(name);
}

void view_close(struct view **at)
{
	struct view *v = *at;

	*at = NULL;
	if (!v)
		return;
	sk_table_close(v->table);
	if (v->path)
		tidy(v);
	if (v->fd >= 0)
		close(v->fd);
	if (v->folder_fd >= 0)
		close(v->folder_fd);
	sk_map_free(&v->map);
	free(v->path);
	free(v);
}

/* -- the log -- */
static int keep_write(void *ctx, uint64_t version, const struct sk_log_write *w)
{
	struct view *v = ctx;
	struct sk_entry *e = sk_entry_new(&v->map, w->space, w->key), *trash = NULL;

	if (!e)
		return -1;
	e->version = version;
	e->in_table = true; /* so that deletions stay and hide what the table holds */
	if (w->data && !(e->bytes = sk_bytes_new(w->data, w->size))) {
		sk_entry_free(e);
		return -1;
	}
	sk_map_put(&v->map, e, &trash);
	while ((e = trash)) {
		trash = e->older;
		sk_entry_free(e);
	}
	return 0;
}

/* The number of commits, 0 when the row is bad, -1 when memory is out. */
static int64_t take_row(struct view *v, uint64_t seq, struct sk_slice row)
{
	int64_t commits = sk_log_decode(seq, row, keep_write, v);

	if (commits == -2)
		return -1;
	v->log_rows++;
	v->log_bytes += row.size;
	return commits > 0 ? commits : 0;
}

int view_read_log(struct view *v, view_bad_fn *bad, void *ctx, struct view_why *why)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(v->table->db, "SELECT seq, data FROM log ORDER BY seq", -1, &stmt, NULL);
	uint64_t next = v->mark < 0 ? 0 : (uint64_t)v->mark + 1;
	char text[80];

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *data = sqlite3_column_blob(stmt, 1);
		uint64_t seq = (uint64_t)sqlite3_column_int64(stmt, 0);
		int64_t commits = take_row(v, seq, (struct sk_slice){ data ? data : "", (size_t)sqlite3_column_bytes(stmt, 1) });
		bool whole = commits > 0 && (!next || seq == next);

		rc = commits < 0 ? SQLITE_NOMEM : whole || bad ? SQLITE_OK : SQLITE_ABORT;
		if (!whole && bad && commits >= 0)
			bad(ctx, seq);
		snprintf(text, sizeof text, "log row %llu is not whole or not the next", (unsigned long long)seq);
		next = commits > 0 ? seq + (uint64_t)commits : 0;
		v->sequence = commits > 0 ? next - 1 : seq > v->sequence ? seq : v->sequence;
	}
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ABORT)
		return view_damaged(v, text, why);
	return rc == SQLITE_DONE ? 0 : view_explain(v, rc, why);
}

/* -- both as one -- */
struct merge {
	struct view *v;
	enum sk_space space;
	sqlite3_stmt *stmt;
	struct view_record row; /* of the table; key.data NULL: none is left */
	struct sk_entry *e;     /* of the log */
	int rc;                 /* SQLite's */
};

static void next_row(struct merge *m)
{
	const char *key, *data;

	m->row.key.data = NULL;
	m->rc = sqlite3_step(m->stmt);
	if (m->rc != SQLITE_ROW)
		return;
	key = sqlite3_column_blob(m->stmt, 0);
	data = sqlite3_column_blob(m->stmt, 2);
	m->row = (struct view_record){
		.space = m->space,
		.key = { key ? key : "", (size_t)sqlite3_column_bytes(m->stmt, 0) },
		.version = (uint64_t)sqlite3_column_int64(m->stmt, 1),
		.data = { data ? data : "", (size_t)sqlite3_column_bytes(m->stmt, 2) },
	};
}

static int emit_entry(const struct sk_entry *e, view_fn *fn, void *ctx)
{
	struct view_record r = { .space = (enum sk_space)e->space, .key = sk_entry_key(e), .version = e->version };

	if (!e->bytes)
		return 0;
	r.data = (struct sk_slice){ e->bytes->data, e->bytes->size };
	return fn(ctx, &r);
}

static int merge_step(struct merge *m, view_fn *fn, void *ctx)
{
	int order = !m->row.key.data ? 1 : !m->e ? -1 : sk_key_compare(m->row.key, sk_entry_key(m->e));
	int stop = order < 0 ? fn(ctx, &m->row) : emit_entry(m->e, fn, ctx);

	if (order >= 0)
		m->e = m->e->next[0];
	if (order <= 0)
		next_row(m);
	return stop;
}

int view_each_of(struct view *v, enum sk_space space, const char *after, view_fn *fn, void *ctx, struct view_why *why)
{
	static const char *const sql[2] = { "SELECT key, version, data FROM record WHERE space = ?1 ORDER BY key",
		"SELECT key, version, data FROM record WHERE space = ?1 AND key >= ?2 ORDER BY key" };
	struct sk_slice from = { after ? after : "", after ? strlen(after) + 1 : 0 }; /* with its NUL, which no key holds: the keys behind it */
	struct merge m = { .v = v, .space = space, .e = sk_map_seek(&v->map, space, from) };
	int stop = 0;

	m.rc = sqlite3_prepare_v2(v->table->db, sql[after != NULL], -1, &m.stmt, NULL);
	if (m.rc != SQLITE_OK)
		return view_explain(v, m.rc, why);
	sqlite3_bind_int(m.stmt, 1, space);
	if (after)
		sqlite3_bind_blob(m.stmt, 2, from.data, (int)from.size, SQLITE_STATIC);
	next_row(&m);
	while (!stop && (m.rc == SQLITE_ROW || m.rc == SQLITE_DONE) && (m.row.key.data || m.e))
		stop = merge_step(&m, fn, ctx);
	if (m.rc != SQLITE_ROW && m.rc != SQLITE_DONE)
		stop = view_explain(v, m.rc, why);
	sqlite3_finalize(m.stmt);
	return stop;
}

int view_each(struct view *v, view_fn *fn, void *ctx, struct view_why *why)
{
	int rc = 0;

	for (int space = 0; !rc && space < SK_SPACES; space++)
		rc = view_each_of(v, (enum sk_space)space, NULL, fn, ctx, why);
	return rc;
}

const char *view_shown(enum sk_space space, struct sk_slice key, char *text)
{
	int n = snprintf(text, VIEW_SHOWN, "%s ", view_space[space]);

	for (size_t i = 0; i < key.size && n < VIEW_SHOWN - 5; i++) {
		unsigned char byte = (unsigned char)key.data[i];
		n += snprintf(text + n, (size_t)(VIEW_SHOWN - n), byte < 0x20 || byte == 0x7f ? "\\x%02x" : "%c", byte);
	}
	return text;
}

int view_get(struct view *v, struct sk_store_read *r, struct view_why *why)
{
	const struct sk_entry *e = sk_map_find(&v->map, r->space, (struct sk_slice){ r->key, strlen(r->key) });
	int rc;

	if (e) {
		r->bytes = sk_bytes_ref(e->bytes);
		r->version = e->bytes ? e->version : 0;
		return 0;
	}
	rc = sk_table_get(v->table, r);
	return rc == SQLITE_OK ? 0 : view_explain(v, rc, why);
}
