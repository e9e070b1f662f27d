/* verb_check.c -- skeeter-store check: everything that must hold in a store, looked at one after the other. A line for each fault.
 *
 * Pages and indexes are SQLite's to judge, a Redis's keys check_redis.c's; the log, the keys and versions, the documents, timers and effects are
 * the same everywhere. Nothing is repaired: what a fault means is in docs/STORE.md. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/store/check.h"
#include "cli/store/store.h"
#include "core/json.h"

enum { PAGE_FAULTS = 100, SHOWN = VIEW_SHOWN, KEEP = 1 << 16, TELL_EVERY = 1024, OPCODES = 1 << 20 };

#define fault check_fault

void check_fault(struct check *c, const char *fmt, ...)
{
	va_list ap;

	if (c->faults++ >= CHECK_LINES)
		return;
	va_start(ap, fmt);
	vfprintf(c->out, fmt, ap);
	va_end(ap);
	fputc('\n', c->out);
}

void check_seen(struct check *c)
{
	if (!(++c->seen % TELL_EVERY))
		progress_tell(c->progress, c->seen, 0);
}

static const char *shown(const struct view_record *r, char *text)
{
	return view_shown(r->space, r->key, text);
}

/* -- pages, indexes -- */
static int tell_pages(void *ctx)
{
	struct check *c = ctx;

	progress_tell(c->progress, ++c->seen, 0);
	return 0;
}

static void check_pages(struct check *c)
{
	sqlite3 *db = c->p->view->table->db;
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(100)", -1, &stmt, NULL);

	progress_begin(c->progress, "check: pages, in millions of instructions,");
	sqlite3_progress_handler(db, OPCODES, tell_pages, c);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);
		if (text && strcmp(text, "ok"))
			fault(c, "pages: %.*s", (int)strcspn(text, "\n"), text);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		fault(c, "pages: %s", sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	c->seen = 0;
}

/* -- the log -- */
static void bad_row(void *ctx, uint64_t seq)
{
	fault(ctx, "log: row %" PRIu64 " is not whole or not the next", seq);
}

static void check_log(struct check *c)
{
	struct view_why why;

	if (c->p->view->mark < 0)
		fault(c, "table: its version mark is missing");
	if (view_read_log(c->p->view, bad_row, c, &why))
		fault(c, "log: %s", why.text);
}

/* -- the table by itself, before the log is laid over it -- */
static void check_version(struct check *c, const struct view_record *r)
{
	const struct sk_entry *e = sk_map_find(&c->p->view->map, r->space, r->key);
	char text[SHOWN];

	if (r->version < 1 || r->version > c->p->view->sequence)
		fault(c, "table: %s has version %" PRIu64 ", the newest commit is %" PRIu64, shown(r, text), r->version, c->p->view->sequence);
	else if (e && e->version < r->version)
		fault(c, "table: %s has version %" PRIu64 ", its last write in the log is %" PRIu64, shown(r, text), r->version, e->version);
	else if (!e && c->p->view->mark >= 0 && r->version > (uint64_t)c->p->view->mark)
		fault(c, "table: %s has version %" PRIu64 ", which is not in the log", shown(r, text), r->version);
}

static void check_row(struct check *c, sqlite3_stmt *stmt)
{
	const char *key = sqlite3_column_blob(stmt, 1);
	int64_t space = sqlite3_column_int64(stmt, 0);
	struct view_record r = { .version = (uint64_t)sqlite3_column_int64(stmt, 2), .key = { key ? key : "", (size_t)sqlite3_column_bytes(stmt, 1) } };

	if (space < 0 || space >= SK_SPACES) {
		fault(c, "table: row %lld is of no kind there is", (long long)sqlite3_column_int64(stmt, 3));
		return;
	}
	r.space = (enum sk_space)space;
	if (!r.key.size || r.key.size > SK_KEY_MAX || memchr(r.key.data, 0, r.key.size) || sqlite3_column_int(stmt, 4))
		fault(c, "table: row %lld has no usable key", (long long)sqlite3_column_int64(stmt, 3));
	else
		check_version(c, &r);
}

static void check_table(struct check *c)
{
	sqlite3 *db = c->p->view->table->db;
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, "SELECT space, key, version, id, typeof(key) <> 'blob' OR typeof(data) <> 'blob' FROM record", -1, &stmt, NULL);

	progress_begin(c->progress, "check: rows");
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		check_row(c, stmt);
		check_seen(c);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		fault(c, "table: %s", sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	c->seen = 0;
}

/* -- what a record says -- */

/* The newest document under a key, or NULL: it is not there, or is none (which is a fault of its own). */
static const cJSON *document(struct check *c, enum sk_space space, const char *key, bool *there)
{
	struct sk_store_read r = { .space = space, .key = key };
	struct view_why why;
	const cJSON *tree = NULL;

	if (!key || place_get(c->p, &r, &why))
		return NULL;
	*there = r.bytes != NULL;
	if (r.bytes)
		tree = sk_json_parse(&c->arena, r.bytes->data, r.bytes->size, NULL, NULL);
	sk_bytes_unref(r.bytes);
	return tree;
}

/* "partition/~timer/name" -> the hint "due as 16 hex digits/partition/name/generation in hex" must be there. */
static void check_timer(struct check *c, const struct view_record *r, const char *key, const cJSON *doc)
{
	size_t partition = sk_key_partition(key);
	const cJSON *due = sk_json_get(doc, "due"), *generation = sk_json_get(doc, "generation");
	int64_t due_ms, number;
	bool there = false;
	char text[SHOWN];

	if (strncmp(key + partition, "/~timer/", strlen("/~timer/")))
		return;
	if (!cJSON_IsNumber(due) || !sk_json_to_int(due, &due_ms) || !cJSON_IsNumber(generation) || !sk_json_to_int(generation, &number) ||
	    !sk_json_text(doc, "event")) {
		fault(c, "%s: a timer has due, generation and event", shown(r, text));
		return;
	}
	document(c, SK_TIMER, sk_printf(&c->arena, "%016" PRIx64 "/%.*s/%s/%" PRIx64, (uint64_t)(due_ms < 0 ? 0 : due_ms), (int)partition, key,
		key + partition + strlen("/~timer/"), (uint64_t)number), &there);
	if (!there)
		fault(c, "%s: nothing says when it is due: it will not fire", shown(r, text));
}

static void check_record(struct check *c, const struct view_record *r, const char *key, const cJSON *doc)
{
	size_t partition = sk_key_partition(key);
	char text[SHOWN];

	if (place_is_marker(r->space, key, strlen(key)))
		fault(c, "%s: the store is not whole: what fills it has not ended", shown(r, text));
	else if (!partition || key[0] == '/' || key[partition] != '/' || !key[partition + 1])
		fault(c, "%s: the key is not a partition, a slash and a name", shown(r, text));
	else
		check_timer(c, r, key, doc);
}

static void check_effect(struct check *c, const struct view_record *r, const char *key, const cJSON *doc)
{
	char text[SHOWN];
	size_t partition = sk_key_partition(key);
	const cJSON *depth = sk_json_get(doc, "depth");

	if (!partition || key[partition] != '/' || !key[partition + 1])
		fault(c, "%s: the key is not a partition, a slash and a name", shown(r, text));
	if (!sk_json_text(doc, "event") || !sk_json_get(doc, "input") || (depth && !cJSON_IsNumber(depth)))
		fault(c, "%s: an effect has event, input and depth: it cannot be run", shown(r, text));
}

/* "due/partition/name/generation" -> partition/~timer/name with the same due and generation. */
static void check_hint(struct check *c, const struct view_record *r, const char *key, const cJSON *doc)
{
	char *end, *last = strrchr(key, '/'), text[SHOWN];
	int64_t due = (int64_t)strtoull(key, &end, 16), generation = last ? (int64_t)strtoull(last + 1, NULL, 16) : 0, noted;
	size_t partition = *end == '/' ? sk_key_partition(end + 1) : 0;
	const char *name = partition ? end + 1 + partition : NULL;
	const cJSON *timer;
	bool there = false;

	(void)doc;
	if (end != key + 16 || !name || name >= last) {
		fault(c, "%s: the key is not due, partition, name and generation", shown(r, text));
		return;
	}
	timer = document(c, SK_RECORD, sk_printf(&c->arena, "%.*s/~timer%.*s", (int)partition, end + 1, (int)(last - name), name), &there);
	noted = sk_json_int_of(timer, "due", -1);
	if (!there)
		fault(c, "%s: there is no such timer", shown(r, text));
	else if (timer && ((noted < 0 ? 0 : noted) != due || sk_json_int_of(timer, "generation", -1) != generation))
		fault(c, "%s: the timer is due at another time or was set again", shown(r, text));
}

static int check_one(void *ctx, const struct view_record *r)
{
	static void (*const by_space[SK_SPACES])(struct check *, const struct view_record *, const char *, const cJSON *) = {
		[SK_RECORD] = check_record, [SK_EFFECT] = check_effect, [SK_TIMER] = check_hint,
	};
	struct check *c = ctx;
	struct sk_json_error e = { 0 };
	const cJSON *doc;
	const char *key;
	char text[SHOWN];

	sk_arena_reset(&c->arena, KEEP);
	key = sk_strndup(&c->arena, r->key.data, r->key.size);
	doc = sk_json_parse(&c->arena, r->data.data, r->data.size, NULL, &e);
	if (!doc)
		fault(c, "%s: the document is not JSON: %s at byte %zu", shown(r, text), e.why ? e.why : "memory is out", e.at);
	if (doc && key && strlen(key) == r->key.size && r->key.size <= SK_KEY_MAX)
		by_space[r->space](c, r, key, doc);
	if (c->arena.failed)
		fault(c, "%s: could not be checked: memory is out", shown(r, text));
	check_seen(c);
	return 0;
}

static uint64_t check_records(struct check *c)
{
	struct view_why why;

	progress_begin(c->progress, "check: records");
	c->seen = 0;
	if (place_all(c->p, check_one, c, &why))
		fault(c, "records: %s", why.text);
	sk_arena_free(&c->arena);
	if (c->faults > CHECK_LINES)
		fprintf(c->out, "and %" PRIu64 " more\n", c->faults - CHECK_LINES);
	return c->faults;
}

uint64_t check_view(struct view *v, FILE *out, struct progress *progress)
{
	struct place p = { .view = v };
	struct check c = { .p = &p, .out = out, .progress = progress };

	check_pages(&c);
	check_log(&c);
	check_table(&c);
	return check_records(&c);
}

static int verdict(const char *name, uint64_t faults)
{
	if (!faults)
		printf("store %s is whole\n", name);
	else
		printf("%" PRIu64 " fault%s\n", faults, faults > 1 ? "s" : "");
	return faults ? STORE_FAULTS : STORE_OK;
}

uint64_t check_redis(struct place *p, FILE *out, struct progress *progress)
{
	struct check c = { .p = p, .out = out, .progress = progress };

	check_buckets(&c);
	return check_records(&c);
}

static int check_url(struct store_options *o)
{
	struct view_why why;
	struct place p;
	uint64_t faults = 0;
	int rc = place_open(&p, o->store, PLACE_READ, &why);

	if (!rc) {
		faults = check_redis(&p, stdout, &o->progress);
		rc = place_still(&p, &why);
	}
	rc = rc ? store_failed("%s", why.text) : verdict(p.name, faults);
	place_close(&p);
	return rc;
}

static int check_file(struct store_options *o)
{
	struct view_why why;
	struct view *v = view_open(o->store, VIEW_ALONE, &why);
	uint64_t faults;

	if (!v && !why.damaged)
		return store_failed("%s", why.text);
	if (!v)
		printf("%s\n", why.text);
	faults = v ? check_view(v, stdout, &o->progress) : 1;
	view_close(&v);
	return verdict(o->store, faults);
}

int store_check(struct store_options *o)
{
	return sk_store_is_url(o->store) ? check_url(o) : check_file(o);
}
