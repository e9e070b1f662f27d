/* store_read.c -- point reads and scans, by any thread.
 *
 * Invariant: the map is asked first and the table's snapshot is opened after that. A record leaves the map only after the
 * transaction that put it into the table, so what the map no longer had is in every later snapshot. A scan must moreover
 * see one moment: it holds the gate, which a fold needs to commit, from pinning the map until its snapshot is open. */
#include "core/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { READER_CACHE = 256, POOL_MAX = 8, CHUNK = 64 };

struct sk_table *sk_pool_take(struct sk_embedded *s)
{
	struct sk_table *t;
	int rc;

	pthread_mutex_lock(&s->pool_lock);
	t = s->pool;
	if (t) {
		s->pool = t->next;
		s->pool_size--;
	}
	pthread_mutex_unlock(&s->pool_lock);
	return t ? t : sk_table_open(s->path, READER_CACHE, &rc);
}

void sk_pool_give(struct sk_embedded *s, struct sk_table *t)
{
	bool kept;

	pthread_mutex_lock(&s->pool_lock);
	kept = s->pool_size < POOL_MAX && sqlite3_get_autocommit(t->db); /* else its snapshot would grow old */
	if (kept) {
		t->next = s->pool;
		s->pool = t;
		s->pool_size++;
	}
	pthread_mutex_unlock(&s->pool_lock);
	if (!kept)
		sk_table_close(t);
}

static struct sk_slice slice(const char *s)
{
	return (struct sk_slice){ s, strlen(s) };
}

/* -- point reads -- */
static bool find_in_map(struct sk_embedded *s, struct sk_store_read *r)
{
	const struct sk_entry *e = sk_map_find(&s->map, r->space, slice(r->key));

	if (!e)
		return false;
	r->bytes = sk_bytes_ref(e->bytes);
	r->version = e->bytes ? e->version : 0;
	return true;
}

static int read_table(struct sk_embedded *s, struct sk_store_read *const *missing, size_t n)
{
	struct sk_table *t = sk_pool_take(s);
	bool together = n > 1;
	int rc = SQLITE_OK;

	if (!t)
		return -1;
	s->count.table_reads += n;
	if (together)
		rc = sk_table_run(t, SK_SQL_BEGIN);
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sk_table_get(t, missing[i]);
	if (together && !sqlite3_get_autocommit(t->db))
		sk_table_run(t, SK_SQL_COMMIT);
	sk_pool_give(s, t);
	return rc == SQLITE_OK ? 0 : -1;
}

static int read_chunk(struct sk_embedded *s, struct sk_store_read *reads, size_t n)
{
	struct sk_store_read *missing[CHUNK];
	size_t count = 0;

	pthread_rwlock_rdlock(&s->map.lock);
	for (size_t i = 0; i < n; i++)
		if (!find_in_map(s, &reads[i]))
			missing[count++] = &reads[i];
	pthread_rwlock_unlock(&s->map.lock);
	return count ? read_table(s, missing, count) : 0;
}

static void forget(struct sk_store_read *reads, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sk_bytes_unref(reads[i].bytes);
		reads[i].bytes = NULL;
		reads[i].version = 0;
	}
}

int sk_embedded_read(struct sk_store *store, struct sk_store_read *reads, size_t n)
{
	struct sk_embedded *s = (struct sk_embedded *)store;

	s->count.reads += n;
	for (size_t i = 0; i < n; i++) {
		reads[i].bytes = NULL;
		reads[i].version = 0;
	}
	for (size_t i = 0; i < n; i += CHUNK) {
		if (read_chunk(s, reads + i, n - i < CHUNK ? n - i : CHUNK)) {
			forget(reads, n);
			return -1;
		}
	}
	return 0;
}

/* -- scans -- */
struct pin { /* what the map held */
	struct sk_bytes *bytes;
	uint64_t version;
	uint16_t key_size;
	char key[];
};

struct scan {
	struct sk_embedded *s;
	struct sk_table *table;
	sqlite3_stmt *stmt;
	enum sk_space space;
	size_t limit, given;
	struct sk_slice from, until; /* keys k with from <= k < until */
	struct pin **pin;
	size_t pins, room, at;
	int row;                     /* SQLITE_ROW while stmt stands on one */
	sk_scan_fn *fn;
	void *ctx;
};

/* The least text above all keys that begin with prefix: its last byte that can be raised is raised. Without one, a text
 * above every key. */
static void end_of_prefix(char *end, size_t *size, const char *prefix)
{
	size_t n = strlen(prefix);

	memcpy(end, prefix, n);
	while (n && (unsigned char)end[n - 1] == 0xff)
		n--;
	if (n) {
		end[n - 1]++;
		*size = n;
		return;
	}
	*size = SK_KEY_MAX + 1;
	memset(end, 0xff, *size);
}

static int add_pin(struct scan *scan, const struct sk_entry *e)
{
	struct sk_slice key = sk_entry_key(e);
	struct pin *pin;

	if (scan->pins == scan->room) {
		size_t room = scan->room ? 2 * scan->room : 64;
		struct pin **grown = realloc(scan->pin, room * sizeof *grown);

		if (!grown)
			return -1;
		scan->pin = grown;
		scan->room = room;
	}
	pin = malloc(sizeof *pin + key.size + 1);
	if (!pin)
		return -1;
	pin->bytes = sk_bytes_ref(e->bytes);
	pin->version = e->version;
	pin->key_size = e->key_size;
	memcpy(pin->key, key.data, key.size);
	pin->key[key.size] = '\0';
	scan->pin[scan->pins++] = pin;
	return 0;
}

/* `limit` live entries of the map are enough: no result can lie behind the last of them. */
static int pin_map(struct scan *scan)
{
	size_t live = 0;
	int rc = 0;

	pthread_rwlock_rdlock(&scan->s->map.lock);
	for (const struct sk_entry *e = sk_map_seek(&scan->s->map, scan->space, scan->from);
	     e && !rc && !(scan->limit && live == scan->limit) && sk_key_compare(sk_entry_key(e), scan->until) < 0; e = e->next[0]) {
		rc = add_pin(scan, e);
		live += e->bytes != NULL;
	}
	pthread_rwlock_unlock(&scan->s->map.lock);
	return rc;
}

static int open_snapshot(struct scan *scan)
{
	sqlite3_stmt *stmt = scan->stmt = sk_table_stmt(scan->table, SK_SQL_SCAN);

	if (!stmt)
		return -1;
	sqlite3_bind_int(stmt, 1, scan->space);
	if (sqlite3_bind_blob(stmt, 2, scan->from.data, (int)scan->from.size, SQLITE_STATIC) ||
	    sqlite3_bind_blob(stmt, 3, scan->until.data, (int)scan->until.size, SQLITE_STATIC))
		return -1;
	scan->row = sqlite3_step(stmt);
	return scan->row == SQLITE_ROW || scan->row == SQLITE_DONE ? 0 : -1;
}

static struct sk_slice row_key(struct scan *scan)
{
	const char *key = sqlite3_column_blob(scan->stmt, 2);

	return (struct sk_slice){ key ? key : "", (size_t)sqlite3_column_bytes(scan->stmt, 2) };
}

/* Hands one record over: 0, 1 when the receiver or the limit stops the scan, -1 when memory is out. */
static int give(struct scan *scan, struct sk_slice key, struct sk_bytes *bytes, uint64_t version)
{
	struct sk_scan_item item = { .key = strndup(key.data, key.size), .bytes = bytes, .version = version };

	if (!item.key || !bytes) {
		free(item.key);
		sk_bytes_unref(bytes);
		return -1;
	}
	scan->given++;
	return scan->fn(scan->ctx, &item) || scan->given == scan->limit;
}

static int give_pin(struct scan *scan)
{
	struct pin *pin = scan->pin[scan->at++];

	return pin->bytes ? give(scan, (struct sk_slice){ pin->key, pin->key_size }, sk_bytes_ref(pin->bytes), pin->version) : 0;
}

static int give_row(struct scan *scan)
{
	return give(scan, row_key(scan), sk_table_bytes(scan->stmt, 1), (uint64_t)sqlite3_column_int64(scan->stmt, 0));
}

/* Below 0: the pin comes first, above: the row; equal keys: the pin hides the row. */
static int compare_heads(struct scan *scan)
{
	struct pin *pin;

	if (scan->at == scan->pins)
		return 1;
	if (scan->row != SQLITE_ROW)
		return -1;
	pin = scan->pin[scan->at];
	return sk_key_compare((struct sk_slice){ pin->key, pin->key_size }, row_key(scan));
}

static int merge(struct scan *scan)
{
	int rc = 0;

	while (!rc && (scan->at < scan->pins || scan->row == SQLITE_ROW)) {
		int order = compare_heads(scan);

		rc = order <= 0 ? give_pin(scan) : give_row(scan);
		if (order >= 0)
			scan->row = sqlite3_step(scan->stmt);
	}
	return rc < 0 || (!rc && scan->row != SQLITE_DONE) ? -1 : 0;
}

static int run(struct scan *scan)
{
	int rc;

	scan->table = sk_pool_take(scan->s);
	if (!scan->table)
		return -1;
	pthread_rwlock_rdlock(&scan->s->gate);
	rc = pin_map(scan);
	if (!rc)
		rc = open_snapshot(scan);
	pthread_rwlock_unlock(&scan->s->gate);
	if (!rc)
		rc = merge(scan);
	if (scan->stmt) {
		sqlite3_reset(scan->stmt);
		sqlite3_clear_bindings(scan->stmt);
	}
	sk_pool_give(scan->s, scan->table);
	for (size_t i = 0; i < scan->pins; i++) {
		sk_bytes_unref(scan->pin[i]->bytes);
		free(scan->pin[i]);
	}
	free(scan->pin);
	return rc;
}

int sk_embedded_scan(struct sk_store *store, struct sk_store_scan *wanted)
{
	const char *prefix = wanted->prefix, *after = wanted->after;
	char until[SK_KEY_MAX + 1];
	struct scan scan = { .s = (struct sk_embedded *)store, .space = wanted->space, .limit = wanted->limit, .fn = wanted->fn, .ctx = wanted->ctx };

	scan.s->count.scans++;
	wanted->as_of = atomic_load(&store->seq);
	if (strlen(prefix) > SK_KEY_MAX)
		return 0;
	end_of_prefix(until, &scan.until.size, prefix);
	scan.until.data = until;
	scan.from = slice(prefix);
	if (after && strcmp(after, prefix) >= 0) {
		scan.from = slice(after);
		scan.from.size++; /* with its NUL, which no key holds: the keys behind `after` */
	}
	return run(&scan);
}
