/* store_fold.c -- moves the oldest dirty records from the map into the record table and trims the log behind them.
 *
 * The map keeps its entries by age, and a superseded value is no longer in it, so a fold never reads the log: it takes the
 * oldest entries, and a log row may go when the oldest entry left is younger than the row's last commit. Invariant: table
 * writes, log trimming and the version mark are one transaction; only after it do entries leave the map.
 * A fold waits for no disk: losing its transaction in a power cut loses nothing, since the rows of the log come back with it. */
#include "core/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_BYTES = 64 * 1024, SEGMENTS_A_FOLD = 64, RECORDS_A_FOLD = 1024, CLOCK_EVERY = 8, REMOVE_CHUNK = 32, ROW_COST = 64 };

/* -- segments -- */
static struct sk_segment *segment(struct sk_segments *q, size_t i)
{
	return &q->ring[(q->first + i) % q->room];
}

static bool grow_segments(struct sk_segments *q)
{
	size_t room = q->room ? 2 * q->room : 16;
	struct sk_segment *ring = malloc(room * sizeof *ring);

	if (!ring)
		return false;
	for (size_t i = 0; i < q->count; i++)
		ring[i] = *segment(q, i);
	free(q->ring);
	*q = (struct sk_segments){ .ring = ring, .room = room, .count = q->count };
	return true;
}

/* Without memory the newest segment simply becomes larger; there is always one since open reserved it. */
void sk_log_grew(struct sk_embedded *s, uint64_t last, size_t bytes)
{
	struct sk_segments *q = &s->segments;
	struct sk_segment *tail = q->count ? segment(q, q->count - 1) : NULL;

	if (!tail || (tail->bytes >= SEGMENT_BYTES && (q->count < q->room || grow_segments(q)))) {
		tail = segment(q, q->count++);
		*tail = (struct sk_segment){ 0 };
	}
	bytes += ROW_COST;
	tail->last = last;
	tail->bytes += bytes;
	tail->rows++;
	s->log_bytes += bytes;
	s->log_rows++;
}

static void drop_segments(struct sk_embedded *s, size_t n)
{
	struct sk_segments *q = &s->segments;

	while (n--) {
		s->log_bytes -= segment(q, 0)->bytes;
		s->log_rows -= segment(q, 0)->rows;
		q->first = (q->first + 1) % q->room;
		q->count--;
	}
}

/* -- what the table may hold -- */
static uint64_t tabled_bit(enum sk_space space, struct sk_slice key)
{
	return sk_key_hash(space, key) & (SK_FILTER - 1);
}

bool sk_table_may_hold(const struct sk_embedded *s, enum sk_space space, struct sk_slice key)
{
	uint64_t bit = tabled_bit(space, key);

	return space == SK_RECORD || s->tabled[bit / 8] & 1 << bit % 8;
}

void sk_table_will_hold(struct sk_embedded *s, enum sk_space space, struct sk_slice key)
{
	uint64_t bit = tabled_bit(space, key);

	if (space != SK_RECORD)
		s->tabled[bit / 8] |= (uint8_t)(1 << bit % 8);
}

/* -- one fold -- */
static int bind_key(sqlite3_stmt *stmt, const struct sk_entry *e)
{
	struct sk_slice key = sk_entry_key(e);

	sqlite3_bind_int(stmt, 1, e->space);
	return sqlite3_bind_blob(stmt, 2, key.data, (int)key.size, SQLITE_STATIC);
}

static int fold_entry(struct sk_embedded *s, struct sk_entry *e)
{
	sqlite3_stmt *stmt = sk_table_stmt(s->writer, e->bytes ? SK_SQL_UPSERT : SK_SQL_DELETE);
	int rc;

	if (!stmt)
		return sqlite3_errcode(s->writer->db);
	rc = bind_key(stmt, e);
	if (e->bytes && rc == SQLITE_OK) {
		sk_table_will_hold(s, e->space, sk_entry_key(e));
		e->in_table = true;
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)e->version);
		rc = sqlite3_bind_blob64(stmt, 4, e->bytes->data, e->bytes->size, SQLITE_STATIC);
	}
	return rc == SQLITE_OK ? sk_table_finish(stmt) : rc;
}

/* Folds from the oldest on; *stop is the first entry left. */
static int fold_entries(struct sk_embedded *s, int64_t until, struct sk_entry **stop)
{
	struct sk_entry *e = s->map.oldest;
	int rc = SQLITE_OK;

	for (int n = 0; e && rc == SQLITE_OK && n < RECORDS_A_FOLD; n++) {
		if (n && !(n % CLOCK_EVERY) && s->now_us() >= until)
			break;
		rc = fold_entry(s, e);
		e = e->newer;
	}
	*stop = e;
	return rc;
}

static int run_with_version(struct sk_embedded *s, enum sk_stmt which, uint64_t version)
{
	sqlite3_stmt *stmt = sk_table_stmt(s->writer, which);

	if (!stmt)
		return sqlite3_errcode(s->writer->db);
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)version);
	return sk_table_finish(stmt);
}

/* Deletes the rows that nothing needs any more; *n is how many segments they were. */
static int trim_log(struct sk_embedded *s, const struct sk_entry *oldest, int64_t until, size_t *n)
{
	uint64_t needed = oldest ? oldest->version : UINT64_MAX;
	int rc = SQLITE_OK;

	for (*n = 0; rc == SQLITE_OK && *n < s->segments.count && *n < SEGMENTS_A_FOLD; (*n)++) {
		if (segment(&s->segments, *n)->last >= needed || (*n && s->now_us() >= until))
			break;
		rc = run_with_version(s, SK_SQL_TRIM, segment(&s->segments, *n)->last);
	}
	if (rc == SQLITE_OK && *n)
		rc = run_with_version(s, SK_SQL_MARK, segment(&s->segments, *n - 1)->last);
	return rc;
}

static int commit_fold(struct sk_embedded *s)
{
	int rc;

	pthread_rwlock_wrlock(&s->gate);
	rc = sk_table_run(s->writer, SK_SQL_COMMIT);
	pthread_rwlock_unlock(&s->gate);
	return rc;
}

static void leave_map(struct sk_embedded *s, const struct sk_entry *stop)
{
	struct sk_entry *trash = NULL, *e;

	while (s->map.oldest != stop) {
		pthread_rwlock_wrlock(&s->map.lock);
		for (int n = 0; n < REMOVE_CHUNK && s->map.oldest != stop; n++) {
			e = s->map.oldest;
			sk_map_remove(&s->map, e);
			e->older = trash;
			trash = e;
			s->count.folded++;
		}
		pthread_rwlock_unlock(&s->map.lock);
		while ((e = trash)) {
			trash = e->older;
			sk_entry_free(e);
		}
	}
}

int sk_fold(struct sk_embedded *s, int64_t budget_us)
{
	int64_t start = s->now_us();
	struct sk_entry *stop = NULL;
	size_t segments = 0;
	int rc;

	if (!s->map.oldest && !s->segments.count)
		return 0;
	rc = sk_table_sync(s->writer, false);
	if (rc == SQLITE_OK)
		rc = sk_table_run(s->writer, SK_SQL_BEGIN);
	if (rc == SQLITE_OK)
		rc = fold_entries(s, start + budget_us, &stop);
	if (rc == SQLITE_OK)
		rc = trim_log(s, stop, start + budget_us, &segments);
	SK_STORE_POINT(s, "fold.before");
	if (rc == SQLITE_OK)
		rc = commit_fold(s);
	SK_STORE_POINT(s, "fold.durable");
	if (!sqlite3_get_autocommit(s->writer->db))
		sk_table_run(s->writer, SK_SQL_ROLLBACK);
	if (rc == SQLITE_OK) {
		leave_map(s, stop);
		drop_segments(s, segments);
	}
	s->count.fold_us += (uint64_t)(s->now_us() - start);
	s->refused |= rc != SQLITE_OK;
	if (rc != SQLITE_OK)
		return -1;
	return s->map.oldest || s->segments.count;
}
