/* store_migrate.c -- the steps from each earlier version of the store to the next one, and what runs them.
 *
 * Invariants: a step and its version number are one transaction, followed by a checkpoint, so that the header of the file shows
 * the version that its tables have, unless somebody reads the file just then. Nothing is written before every row of the log has proved itself whole. */
#include "core/store_migrate.h"
#include "core/store_copy.h"
#include "core/store_internal.h"

#include <limits.h>
#include <stdio.h>

/* -- the steps -- */

/* A store that does not say its version: the tables of version 1. The mark is what the log or, if that is empty, the newest
 * record tells; a mark that is there stays. */
static int mark_version(sqlite3 *db)
{
	return sqlite3_exec(db, "INSERT OR IGNORE INTO meta(name, value) SELECT 'version',"
		" coalesce((SELECT min(seq) - 1 FROM log), (SELECT max(version) FROM record), 0)", NULL, NULL, NULL);
}

const struct sk_store_step sk_store_steps[SK_STORE_SCHEMA] = {
	[0] = { "the version mark", mark_version },
};

/* -- running them -- */
static int refuse(const struct sk_migration *m, const char *what, char *why, size_t why_size)
{
	snprintf(why, why_size, "store %s is version %d and could not become version %d: %s: nothing was touched", m->path, m->from, m->to, what);
	return -1;
}

static int check_log(const struct sk_migration *m, char *why, size_t why_size)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(m->db, "SELECT seq, data FROM log ORDER BY seq", -1, &stmt, NULL);
	char text[80];

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *data = sqlite3_column_blob(stmt, 1);
		struct sk_slice row = { data ? data : "", (size_t)sqlite3_column_bytes(stmt, 1) };
		int64_t seq = sqlite3_column_int64(stmt, 0);

		rc = SQLITE_OK;
		if (sk_log_decode((uint64_t)seq, row, NULL, NULL) > 0)
			continue;
		snprintf(text, sizeof text, "log row %lld is not whole", (long long)seq);
		sqlite3_finalize(stmt);
		return refuse(m, text, why, why_size);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : refuse(m, sqlite3_errstr(rc), why, why_size);
}

/* 0, SK_COPY_NO_ROOM, or -1 and why[]. */
static int keep_copy(const struct sk_migration *m, char *name, char *why, size_t why_size)
{
	struct sk_store_copy copy = { .from = m->db, .to = name, .replace = true };
	char reason[PATH_MAX + 200];
	int rc;

	snprintf(name, PATH_MAX, "%s.v%d", m->path, m->from);
	rc = sk_store_copy(&copy, reason, sizeof reason);
	return rc < 0 ? refuse(m, reason, why, why_size) : rc;
}

static int run_step(const struct sk_migration *m, int from)
{
	char text[64];
	int rc = sqlite3_exec(m->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = m->steps[from].run(m->db);
	snprintf(text, sizeof text, "PRAGMA user_version=%d; COMMIT", from + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(m->db, text, NULL, NULL, NULL);
	if (!sqlite3_get_autocommit(m->db))
		sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_wal_checkpoint_v2(m->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return rc == SQLITE_BUSY ? SQLITE_OK : rc; /* a backup is reading: the step is in the WAL, which a later checkpoint copies */
}

static void say(const struct sk_migration *m, const char *copy)
{
	char line[2 * PATH_MAX + 200];
	int n;

	if (!m->say)
		return;
	n = snprintf(line, sizeof line, "store %s was version %d and is version %d now: ", m->path, m->from, m->to);
	if (copy)
		snprintf(line + n, sizeof line - (size_t)n, "as it was it is kept as %s", copy);
	else
		snprintf(line + n, sizeof line - (size_t)n, "there was no room to keep it as it was");
	m->say(line);
}

int sk_store_migrate(const struct sk_migration *m, char *why, size_t why_size)
{
	char copy[PATH_MAX];
	int kept, rc;

	if (check_log(m, why, why_size))
		return -1;
	kept = keep_copy(m, copy, why, why_size);
	if (kept < 0)
		return -1;
	for (int from = m->from; from < m->to; from++) {
		rc = run_step(m, from);
		if (rc != SQLITE_OK) {
			snprintf(why, why_size, "store %s is version %d and could not become version %d: %s: %s", m->path, from, from + 1,
				m->steps[from].what, sqlite3_errstr(rc));
			return -1;
		}
	}
	say(m, kept ? NULL : copy);
	return 0;
}
