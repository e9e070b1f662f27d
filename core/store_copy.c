/* store_copy.c -- copies a database with SQLite's backup interface out of one read transaction.
 *
 * Why one transaction: without it a copy starts over whenever somebody commits, and under load never ends. Writers do not wait
 * for it; only the WAL cannot start over while it lasts. Invariant: what stands under the final name is whole and on disk; until
 * then the file is called TO.partial, locked by the one who writes it. */
#include "core/store_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PAGES_A_STEP = 256 };

struct copying {
	const struct sk_store_copy *c;
	char partial[PATH_MAX];
	int fd;             /* of the partial file, with our flock; closed after SQLite's: see store_open.c */
	sqlite3 *to;
	char *why;
	size_t why_size;
};

static int cannot(struct copying *k, int error)
{
	snprintf(k->why, k->why_size, "cannot write %s: %s", k->c->to, strerror(error));
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? SK_COPY_NO_ROOM : -1;
}

static int refused(struct copying *k, sqlite3 *by, int rc)
{
	int error = by == k->to ? sqlite3_system_errno(by) : 0;

	if (rc == SQLITE_FULL)
		return cannot(k, ENOSPC);
	if (error == EDQUOT || error == EFBIG)
		return cannot(k, error);
	snprintf(k->why, k->why_size, "cannot write %s: %s", k->c->to, sqlite3_errstr(rc));
	return -1;
}

static int sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Not every file system knows RENAME_NOREPLACE; a second name tells as well that the first one is taken. */
static int rename_to_new(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) ? -1 : unlink(from);
}

int sk_store_rename(const char *from, const char *to, bool replace)
{
	if (replace ? rename(from, to) : rename_to_new(from, to))
		return -1;
	return sync_folder_of(to);
}

static int open_partial(struct copying *k)
{
	int n = snprintf(k->partial, sizeof k->partial, "%s.partial", k->c->to);

	if (n >= (int)sizeof k->partial)
		return cannot(k, ENAMETOOLONG);
	if (!k->c->replace && !access(k->c->to, F_OK))
		return cannot(k, EEXIST);
	k->fd = open(k->partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (k->fd < 0)
		return cannot(k, errno);
	if (!flock(k->fd, LOCK_EX | LOCK_NB))
		return ftruncate(k->fd, 0) ? cannot(k, errno) : 0;
	snprintf(k->why, k->why_size, "cannot write %s: another process is writing %s", k->c->to, k->partial);
	k->partial[0] = '\0';
	return -1;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* Asked before the first byte, so that a copy that does not fit does not fill the disk for everybody else. */
static int check_room(struct copying *k)
{
	int64_t pages = number(k->c->from, "PRAGMA page_count"), size = number(k->c->from, "PRAGMA page_size");
	struct statvfs fs;

	if (pages < 0 || size < 0)
		return refused(k, k->c->from, sqlite3_errcode(k->c->from));
	if (!fstatvfs(k->fd, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)pages * (uint64_t)size)
		return cannot(k, ENOSPC);
	return 0;
}

static int copy_pages(struct copying *k)
{
	sqlite3_backup *b = sqlite3_backup_init(k->to, "main", k->c->from, "main");
	int rc;

	if (!b)
		return refused(k, k->to, sqlite3_errcode(k->to));
	do {
		rc = sqlite3_backup_step(b, PAGES_A_STEP);
		if (k->c->progress)
			k->c->progress(k->c->ctx, (uint64_t)(sqlite3_backup_pagecount(b) - sqlite3_backup_remaining(b)), (uint64_t)sqlite3_backup_pagecount(b));
	} while (rc == SQLITE_OK);
	sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? 0 : refused(k, k->to, rc);
}

static int copy_moment(struct copying *k)
{
	bool own = sqlite3_get_autocommit(k->c->from);
	int rc = sqlite3_open_v2(k->partial, &k->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(k->to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return refused(k, k->to, rc);
	if (own && (rc = sqlite3_exec(k->c->from, "BEGIN; SELECT 1 FROM sqlite_master", NULL, NULL, NULL)) != SQLITE_OK)
		return refused(k, k->c->from, rc);
	rc = check_room(k);
	if (!rc)
		rc = copy_pages(k);
	if (own)
		sqlite3_exec(k->c->from, "COMMIT", NULL, NULL, NULL);
	return rc;
}

static int finish(struct copying *k)
{
	if (fsync(k->fd))
		return cannot(k, errno);
	if (k->c->verify && k->c->verify(k->c->ctx, k->partial, k->why, k->why_size))
		return -1;
	return sk_store_rename(k->partial, k->c->to, k->c->replace) ? cannot(k, errno) : 0;
}

int sk_store_copy(const struct sk_store_copy *c, char *why, size_t why_size)
{
	struct copying k = { .c = c, .fd = -1, .why = why, .why_size = why_size };
	int rc = open_partial(&k);

	if (!rc)
		rc = copy_moment(&k);
	sqlite3_close(k.to);
	if (!rc)
		rc = finish(&k);
	if (rc && k.fd >= 0 && k.partial[0])
		unlink(k.partial);
	if (k.fd >= 0)
		close(k.fd);
	return rc;
}
