/* store_table.c -- one SQLite connection with its prepared statements.
 *
 * Connections are opened without SQLite's mutex: a connection is used by one thread at a time, its owner's or the one that
 * took it from the pool. They never checkpoint by themselves. */
#include "core/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 2000 }; /* an operator's sqlite3 may hold the file for a moment */

static const char *const sql[SK_SQL_STATEMENTS] = {
	[SK_SQL_BEGIN] = "BEGIN",
	[SK_SQL_COMMIT] = "COMMIT",
	[SK_SQL_ROLLBACK] = "ROLLBACK",
	[SK_SQL_GET] = "SELECT version, data FROM record WHERE space = ?1 AND key = ?2",
	[SK_SQL_SCAN] = "SELECT version, data, key FROM record WHERE space = ?1 AND key >= ?2 AND key < ?3 ORDER BY key",
	[SK_SQL_APPEND] = "INSERT INTO log(seq, data) VALUES(?1, ?2)",
	[SK_SQL_UPSERT] = "INSERT INTO record(space, key, version, data) VALUES(?1, ?2, ?3, ?4)"
		" ON CONFLICT(space, key) DO UPDATE SET version = excluded.version, data = excluded.data",
	[SK_SQL_DELETE] = "DELETE FROM record WHERE space = ?1 AND key = ?2",
	[SK_SQL_TRIM] = "DELETE FROM log WHERE seq <= ?1",
	[SK_SQL_MARK] = "UPDATE meta SET value = ?1 WHERE name = 'version'",
};

static int configure(struct sk_table *t, int cache)
{
	char text[160];

	sqlite3_extended_result_codes(t->db, 1);
	sqlite3_busy_timeout(t->db, BUSY_MS);
	sqlite3_wal_autocheckpoint(t->db, 0);
	sqlite3_db_config(t->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	snprintf(text, sizeof text, "PRAGMA cache_size=-%d; PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST", cache);
	t->full = true;
	return sqlite3_exec(t->db, text, NULL, NULL, NULL);
}

/* What begins and ends transactions is there from the start: without memory for ROLLBACK one would stay open for ever. */
static int prepare_transactions(struct sk_table *t)
{
	for (enum sk_stmt i = SK_SQL_BEGIN; i <= SK_SQL_ROLLBACK; i++)
		if (!sk_table_stmt(t, i))
			return sqlite3_errcode(t->db);
	return SQLITE_OK;
}

struct sk_table *sk_table_open(const char *path, int cache, int *rc)
{
	struct sk_table *t = calloc(1, sizeof *t);

	if (!t) {
		*rc = SQLITE_NOMEM;
		return NULL;
	}
	*rc = sqlite3_open_v2(path, &t->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (*rc == SQLITE_OK)
		*rc = configure(t, cache);
	if (*rc == SQLITE_OK)
		*rc = prepare_transactions(t);
	if (*rc == SQLITE_OK)
		return t;
	sk_table_close(t);
	return NULL;
}

void sk_table_close(struct sk_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < SK_SQL_STATEMENTS; i++)
		sqlite3_finalize(t->stmt[i]);
	sqlite3_close_v2(t->db);
	free(t);
}

sqlite3_stmt *sk_table_stmt(struct sk_table *t, enum sk_stmt which)
{
	if (!t->stmt[which])
		sqlite3_prepare_v3(t->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &t->stmt[which], NULL);
	return t->stmt[which];
}

int sk_table_finish(sqlite3_stmt *stmt)
{
	int rc;

	do
		rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int sk_table_run(struct sk_table *t, enum sk_stmt which)
{
	sqlite3_stmt *stmt = sk_table_stmt(t, which);

	return stmt ? sk_table_finish(stmt) : sqlite3_errcode(t->db);
}

int sk_table_sync(struct sk_table *t, bool full)
{
	int rc;

	if (t->full == full)
		return SQLITE_OK;
	rc = sqlite3_exec(t->db, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		t->full = full;
	return rc;
}

struct sk_bytes *sk_table_bytes(sqlite3_stmt *stmt, int column)
{
	const void *data = sqlite3_column_blob(stmt, column); /* NULL when empty */

	return sk_bytes_new(data, (size_t)sqlite3_column_bytes(stmt, column));
}

static int take_row(sqlite3_stmt *stmt, struct sk_store_read *r)
{
	int rc = sqlite3_step(stmt);

	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	r->bytes = sk_table_bytes(stmt, 1);
	r->version = (uint64_t)sqlite3_column_int64(stmt, 0);
	return r->bytes ? SQLITE_OK : SQLITE_NOMEM;
}

int sk_table_get(struct sk_table *t, struct sk_store_read *r)
{
	sqlite3_stmt *stmt = sk_table_stmt(t, SK_SQL_GET);
	int rc;

	r->bytes = NULL;
	r->version = 0;
	if (!stmt)
		return sqlite3_errcode(t->db);
	sqlite3_bind_int(stmt, 1, r->space);
	rc = sqlite3_bind_blob(stmt, 2, r->key, (int)strlen(r->key), SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = take_row(stmt, r);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_OK)
		r->version = 0;
	return rc;
}
