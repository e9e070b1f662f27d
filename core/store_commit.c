/* store_commit.c -- the committer: judges a batch of commits, makes the good ones durable as one log row, publishes them.
 *
 * Invariants: a reader sees a commit only after its row is durable, whole, and before store.seq names it. All memory that
 * publishing needs is had before the row is written, so nothing can fail after that. `written` and `structure` are raised when a
 * commit is judged, before it is durable; when one fails, none of them stays above the newest version that was given out. */
#include "core/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_COMMITS = 4096, BATCH_BYTES = 8 << 20, ROOM_KEPT = 1 << 20, GIVE_UP_AFTER = 16 };

static const char *const no_memory = "out of memory";

static struct sk_slice slice(const char *s)
{
	return (struct sk_slice){ s, strlen(s) };
}

static void fail(struct sk_commit *c, const char *why)
{
	c->status = SK_COMMIT_FAILED;
	c->why = why;
}

/* -- facts: the state that the batch has made so far, laid over the map and the table -- */
static struct sk_fact *fact_slot(const struct sk_facts *f, enum sk_space space, struct sk_slice key, uint64_t hash)
{
	for (size_t i = hash & (f->room - 1);; i = (i + 1) & (f->room - 1)) {
		struct sk_fact *slot = &f->slot[i];

		if (!slot->key.data || slot->batch != f->batch) {
			slot->key.data = NULL;
			return slot;
		}
		if (slot->hash == hash && slot->space == space && !sk_key_compare(slot->key, key))
			return slot;
	}
}

static int grow_facts(struct sk_facts *f)
{
	struct sk_facts larger = { .room = f->room ? 2 * f->room : 256, .count = f->count, .batch = f->batch };

	larger.slot = calloc(larger.room, sizeof *larger.slot);
	if (!larger.slot)
		return -1;
	for (size_t i = 0; i < f->room; i++)
		if (f->slot[i].key.data && f->slot[i].batch == f->batch)
			*fact_slot(&larger, f->slot[i].space, f->slot[i].key, f->slot[i].hash) = f->slot[i];
	free(f->slot);
	*f = larger;
	return 0;
}

/* The fact of a key; a new one has key.data NULL and is filled by the caller. NULL: memory. */
static struct sk_fact *fact_of(struct sk_facts *f, enum sk_space space, struct sk_slice key, uint64_t hash)
{
	if (2 * f->count >= f->room && grow_facts(f))
		return NULL;
	return fact_slot(f, space, key, hash);
}

static void state_fact(struct sk_facts *f, struct sk_fact *slot, struct sk_fact fact)
{
	f->count += !slot->key.data;
	*slot = fact;
	slot->batch = f->batch;
}

static void clear_facts(struct sk_facts *f)
{
	if (f->room > ROOM_KEPT / sizeof *f->slot) {
		free(f->slot);
		*f = (struct sk_facts){ 0 };
	} else if (f->count) {
		if (!++f->batch)
			memset(f->slot, 0, f->room * sizeof *f->slot);
		f->count = 0;
	}
}

/* -- judging -- */
static bool unwritten_since(const struct sk_embedded *s, uint64_t hash, uint64_t as_of)
{
	return as_of >= s->floor && s->written[hash & (SK_FILTER - 1)] <= as_of;
}

/* The current version of a record that an expectation names, or -1 and the commit has failed. */
static int learn(struct sk_embedded *s, struct sk_commit *c, const struct sk_store_expect *x, struct sk_fact *fact)
{
	const struct sk_entry *e = sk_map_find(&s->map, SK_RECORD, fact->key);
	struct sk_store_read read = { .space = SK_RECORD, .key = x->key };
	int rc;

	if (e) {
		fact->version = e->bytes ? e->version : 0;
		fact->in_table = e->in_table;
		return 0;
	}
	read.version = x->version;
	if (!unwritten_since(s, fact->hash, x->as_of)) {
		s->count.table_reads++;
		rc = sk_table_get(s->writer, &read);
		sk_bytes_unref(read.bytes);
		if (rc != SQLITE_OK) {
			fail(c, sqlite3_errstr(rc));
			return -1;
		}
	}
	fact->version = read.version;
	fact->in_table = read.version != 0;
	return 0;
}

static bool record_holds(struct sk_embedded *s, struct sk_commit *c, const struct sk_store_expect *x)
{
	struct sk_fact fact = { .space = SK_RECORD, .key = slice(x->key) }, *slot;

	fact.hash = sk_key_hash(SK_RECORD, fact.key);
	slot = fact_of(&s->batch.facts, SK_RECORD, fact.key, fact.hash);
	if (!slot) {
		fail(c, no_memory);
		return false;
	}
	if (!slot->key.data) {
		if (learn(s, c, x, &fact))
			return false;
		state_fact(&s->batch.facts, slot, fact);
	}
	if (slot->version != x->version)
		c->status = SK_COMMIT_CONFLICT;
	return slot->version == x->version;
}

static uint64_t *structure_slot(struct sk_embedded *s, const char *key, size_t partition)
{
	return &s->structure[sk_key_hash(SK_RECORD, (struct sk_slice){ key, partition }) & (SK_STRUCTURE - 1)];
}

/* A prefix that does not contain a whole partition's name and its slash may reach into several: any change counts. */
static bool structure_holds(struct sk_embedded *s, struct sk_commit *c, const struct sk_store_expect *x)
{
	size_t partition = sk_key_partition(x->key);
	uint64_t changed = x->key[partition] ? *structure_slot(s, x->key, partition) : s->structure_any;

	if (x->as_of >= s->floor && changed <= x->as_of)
		return true;
	c->status = SK_COMMIT_CONFLICT;
	return false;
}

static bool well_formed(struct sk_commit *c)
{
	size_t partition = c->partition ? strlen(c->partition) : 0;

	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		size_t size = w->key ? strnlen(w->key, SK_KEY_MAX + 1) : 0;

		if ((unsigned)w->space >= SK_SPACES || !size || size > SK_KEY_MAX) {
			fail(c, "a key is empty or too long");
			return false;
		}
		if (w->space != SK_RECORD)
			continue;
		if (!c->partition || sk_key_partition(w->key) != partition || memcmp(w->key, c->partition, partition)) {
			fail(c, "a commit writes one partition only");
			return false;
		}
	}
	return true;
}

static bool expectations_hold(struct sk_embedded *s, struct sk_commit *c)
{
	for (size_t i = 0; i < c->expect_count; i++) {
		const struct sk_store_expect *x = &c->expects[i];

		if (!(x->structure ? structure_holds(s, c, x) : record_holds(s, c, x)))
			return false;
	}
	return true;
}

/* -- accepting: everything that publishing will need -- */
static int room_for_entries(struct sk_batch *b, size_t more)
{
	size_t room = b->entry_room ? b->entry_room : 64;
	struct sk_entry **grown;

	while (room - b->entries < more)
		room *= 2;
	if (room == b->entry_room)
		return 0;
	grown = realloc(b->entry, room * sizeof *grown);
	if (!grown)
		return -1;
	b->entry = grown;
	b->entry_room = room;
	return 0;
}

static void guess(const struct sk_embedded *s, struct sk_fact *fact)
{
	const struct sk_entry *e = sk_map_find(&s->map, fact->space, fact->key);

	fact->version = e ? (e->bytes ? e->version : 0) : SK_UNKNOWN;
	fact->in_table = e ? e->in_table : sk_table_may_hold(s, fact->space, fact->key);
}

static void note_change(struct sk_embedded *s, const struct sk_fact *before, bool put, uint64_t version)
{
	size_t partition = sk_key_partition(before->key.data);

	s->written[before->hash & (SK_FILTER - 1)] = version;
	if (before->version != SK_UNKNOWN && (before->version != 0) == put)
		return;
	*structure_slot(s, before->key.data, partition) = version;
	s->structure_any = version;
}

static int accept_write(struct sk_embedded *s, const struct sk_store_write *w, uint64_t version)
{
	struct sk_fact fact = { .space = w->space, .key = slice(w->key) }, *slot;
	struct sk_entry *e;

	fact.hash = sk_key_hash(w->space, fact.key);
	slot = fact_of(&s->batch.facts, w->space, fact.key, fact.hash);
	e = slot ? sk_entry_new(&s->map, w->space, fact.key) : NULL;
	if (!e)
		return -1;
	if (slot->key.data)
		fact = *slot;
	else
		guess(s, &fact);
	if (w->space == SK_RECORD)
		note_change(s, &fact, w->bytes != NULL, version);
	e->version = version;
	e->bytes = sk_bytes_ref(w->bytes);
	e->in_table = fact.in_table;
	s->batch.entry[s->batch.entries++] = e;
	fact.version = w->bytes ? version : 0;
	state_fact(&s->batch.facts, slot, fact);
	return 0;
}

static void drop_entries(struct sk_batch *b, size_t down_to)
{
	while (b->entries > down_to)
		sk_entry_free(b->entry[--b->entries]);
}

/* Out of memory in the middle of a commit: what the batch knew of its keys is lost. */
static void unlearn(struct sk_facts *f, const struct sk_commit *c)
{
	for (size_t i = 0; f->room && i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		struct sk_slice key = slice(w->key);
		struct sk_fact *slot = fact_slot(f, w->space, key, sk_key_hash(w->space, key));

		if (slot->key.data)
			slot->version = SK_UNKNOWN;
	}
}

static bool accept(struct sk_embedded *s, struct sk_commit *c)
{
	struct sk_batch *b = &s->batch;
	size_t before = b->entries;
	bool ok = !room_for_entries(b, c->write_count);

	for (size_t i = 0; ok && i < c->write_count; i++)
		ok = !accept_write(s, &c->writes[i], s->version + 1);
	if (ok)
		ok = !sk_row_add(&b->row, c);
	if (!ok) {
		drop_entries(b, before);
		unlearn(&b->facts, c);
		fail(c, no_memory);
		return false;
	}
	c->version = ++s->version;
	return true;
}

static void judge(struct sk_embedded *s, struct sk_commit *c)
{
	c->status = SK_COMMIT_OK;
	c->why = NULL;
	c->version = s->version;
	if (well_formed(c) && expectations_hold(s, c) && c->write_count)
		accept(s, c);
}

/* -- making durable, publishing -- */
static int append_row(struct sk_embedded *s, uint64_t first)
{
	struct sk_row *row = &s->batch.row;
	sqlite3_stmt *stmt = sk_table_stmt(s->writer, SK_SQL_APPEND);
	int64_t start = s->now_us();
	int rc = stmt ? sk_table_sync(s->writer, !s->opt.relaxed) : sqlite3_errcode(s->writer->db);

	if (rc == SQLITE_OK && !sqlite3_get_autocommit(s->writer->db)) { /* a fold that could not even be undone */
		sk_table_run(s->writer, SK_SQL_ROLLBACK);
		rc = sqlite3_get_autocommit(s->writer->db) ? SQLITE_OK : SQLITE_NOMEM;
	}
	if (rc != SQLITE_OK)
		return rc;
	sk_row_seal(row, first);
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)first);
	rc = sqlite3_bind_blob64(stmt, 2, row->data, row->size, SQLITE_STATIC);
	rc = rc == SQLITE_OK ? sk_table_finish(stmt) : rc;
	if (!sqlite3_get_autocommit(s->writer->db))
		sk_table_run(s->writer, SK_SQL_ROLLBACK);
	s->refused |= rc != SQLITE_OK;
	if (rc == SQLITE_OK) {
		sk_log_grew(s, s->version, row->size);
		s->count.batches++;
		s->count.fsync_us += (uint64_t)(s->now_us() - start);
	}
	return rc;
}

static void empty(struct sk_entry *trash)
{
	struct sk_entry *e;

	while ((e = trash)) {
		trash = e->older;
		sk_entry_free(e);
	}
}

static void publish(struct sk_embedded *s, struct sk_commit *c, struct sk_entry **entry)
{
	struct sk_entry *trash = NULL;

	pthread_rwlock_wrlock(&s->map.lock);
	for (size_t i = 0; i < c->write_count; i++)
		sk_map_put(&s->map, entry[i], &trash);
	pthread_rwlock_unlock(&s->map.lock);
	empty(trash);
	atomic_store(&s->store.seq, c->version);
}

static void finish(struct sk_embedded *s, struct sk_commit **commit, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->count.commits += commit[i]->status == SK_COMMIT_OK;
		s->count.conflicts += commit[i]->status == SK_COMMIT_CONFLICT;
		s->count.failures += commit[i]->status == SK_COMMIT_FAILED;
		commit[i]->done(commit[i]);
	}
	if (s->store.answered)
		s->store.answered(s->store.wake_ctx);
}

static int start_batch(struct sk_embedded *s)
{
	clear_facts(&s->batch.facts);
	if (s->batch.row.room > BATCH_BYTES) {
		free(s->batch.row.data);
		s->batch.row = (struct sk_row){ 0 };
	}
	return sk_row_start(&s->batch.row);
}

/* A mark of a version that was not given out after all is younger than whatever can be read: all that relies on it would collide until
 * somebody else has written. */
static void lower_marks(struct sk_embedded *s)
{
	for (size_t i = 0; i < SK_FILTER; i++)
		if (s->written[i] > s->version)
			s->written[i] = s->version;
	for (size_t i = 0; i < SK_STRUCTURE; i++)
		if (s->structure[i] > s->version)
			s->structure[i] = s->version;
	if (s->structure_any > s->version)
		s->structure_any = s->version;
}

static bool any_failed(struct sk_commit **commit, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (commit[i]->status == SK_COMMIT_FAILED)
			return true;
	return false;
}

/* One row for all n. The error of SQLite, after which nothing of it has happened. */
static int attempt(struct sk_embedded *s, struct sk_commit **commit, size_t n)
{
	uint64_t before = s->version;
	size_t at = 0;
	int rc = start_batch(s) ? SQLITE_NOMEM : SQLITE_OK;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		judge(s, commit[i]);
	SK_STORE_POINT(s, "log.before");
	if (rc == SQLITE_OK && s->version != before)
		rc = append_row(s, before + 1);
	SK_STORE_POINT(s, "log.durable");
	if (rc != SQLITE_OK) {
		drop_entries(&s->batch, 0);
		s->version = before;
		lower_marks(s);
		return rc;
	}
	if (any_failed(commit, n))
		lower_marks(s);
	for (size_t i = 0; i < n; i++) {
		if (commit[i]->status != SK_COMMIT_OK || !commit[i]->write_count)
			continue;
		publish(s, commit[i], s->batch.entry + at);
		at += commit[i]->write_count;
	}
	s->batch.entries = 0;
	return SQLITE_OK;
}

/* In halves until the commit that the disk refuses stands alone. When many in a row were refused it is not the commits: the rest
 * of the batch is refused without asking the disk again. */
static void commit_some(struct sk_embedded *s, struct sk_commit **commit, size_t n)
{
	bool given_up = s->batch.failed_in_a_row >= GIVE_UP_AFTER;
	int rc = given_up ? SQLITE_FULL : attempt(s, commit, n);

	if (rc == SQLITE_OK) {
		s->batch.failed_in_a_row = 0;
		finish(s, commit, n);
	} else if (n > 1) {
		commit_some(s, commit, n / 2);
		commit_some(s, commit + n / 2, n - n / 2);
	} else {
		s->batch.failed_in_a_row++;
		fail(commit[0], given_up ? "the store cannot write" : sqlite3_errstr(rc));
		finish(s, commit, 1);
	}
}

static bool room_for_commit(struct sk_batch *b, size_t n)
{
	size_t room = b->room ? 2 * b->room : 256;
	struct sk_commit **grown;

	if (n < b->room)
		return true;
	grown = realloc(b->commit, room * sizeof *grown);
	if (!grown)
		return false;
	b->commit = grown;
	b->room = room;
	return true;
}

void sk_commit_list(struct sk_embedded *s, struct sk_commit *list)
{
	struct sk_batch *b = &s->batch;

	b->failed_in_a_row = 0;
	while (list) {
		struct sk_commit *alone[1] = { list }, **commit = alone;
		size_t n = 0, size = 0;

		for (; list && n < BATCH_COMMITS && (!n || size < BATCH_BYTES) && room_for_commit(b, n); list = list->next) {
			commit = b->commit;
			commit[n++] = list;
			size += well_formed(list) ? sk_row_size_of(list) : 0;
		}
		if (commit == alone) {
			list = list->next;
			n = 1;
		}
		commit_some(s, commit, n);
	}
}

void sk_batch_free(struct sk_batch *b)
{
	drop_entries(b, 0);
	free(b->entry);
	free(b->commit);
	free(b->facts.slot);
	free(b->row.data);
	*b = (struct sk_batch){ 0 };
}
