/* store_tool_test.c -- skeeter-store's verbs on stores made here: whole ones, ones with a full log as after kill -9, and broken ones.
 *
 * The store is driven by hand on a clock that stands still, so nothing is folded unless a test asks. Verbs run in this process with
 * what they print caught, so that sanitizers see them; tests/e2e/store runs the program itself. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/store/dump.h"
#include "cli/store/fill.h"
#include "cli/store/marker.h"
#include "cli/store/store.h"
#include "core/store_migrate.h"

static char folder[64], out[200000], err[20000];

static const char *in_folder(const char *name)
{
	static char room[8][128];
	static unsigned next;
	char *path = room[next++ % 8];

	snprintf(path, sizeof room[0], "%s/%s", folder, name);
	return path;
}

static bool there(const char *name)
{
	return !access(in_folder(name), F_OK);
}

static size_t slurp(const char *path, char *text, size_t room)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, room - 1, f);
	text[n] = '\0';
	fclose(f);
	return n;
}

static void spill(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

/* -- running a verb -- */
static int catch_in(int fd, const char *name)
{
	int saved = dup(fd), file = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(saved >= 0 && file >= 0);
	dup2(file, fd);
	close(file);
	return saved;
}

static int run_with(store_verb *verb, struct store_options o)
{
	int saved_out, saved_err, rc;

	fflush(stdout);
	fflush(stderr);
	saved_out = catch_in(1, "stdout");
	saved_err = catch_in(2, "stderr");
	o.progress.quiet = o.progress.every_ms != 0;
	rc = verb(&o);
	fflush(stdout);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	slurp(in_folder("stdout"), out, sizeof out);
	slurp(in_folder("stderr"), err, sizeof err);
	return rc;
}

static int run(store_verb *verb, const char *store, const char *other)
{
	return run_with(verb, (struct store_options){ .store = in_folder(store), .other = other ? in_folder(other) : NULL, .progress = { .every_ms = 1000 } });
}

static int replace(const char *store, const char *other)
{
	return run_with(store_load, (struct store_options){ .store = in_folder(store), .other = in_folder(other), .replace = true,
		.progress = { .every_ms = 1000 } });
}

/* said "... {folder}/NAME ...": the expectation with F for the folder */
static void assert_said(const char *text, const char *expected)
{
	char whole[2000], *at = whole;

	for (; *expected; expected++)
		if (expected[0] == 'F' && expected[1] == '/')
			at = stpcpy(at, folder);
		else
			*at++ = *expected;
	*at = '\0';
	assert_string_equal(text, whole);
}

/* -- a store -- */
static int64_t standing_still(void)
{
	return 0;
}

static char heard[1000];
static void hear(const char *line)
{
	snprintf(heard, sizeof heard, "%s", line);
}

static struct sk_store *open_store(const char *name)
{
	struct sk_store_options opt = { .path = in_folder(name), .now_us = standing_still, .relaxed = true, .say = hear };
	char why[500] = "";
	struct sk_store *s = sk_store_open_embedded(&opt, why, sizeof why);

	if (!s)
		fprintf(stderr, "%s\n", why);
	assert_non_null(s);
	return s;
}

static void done(struct sk_commit *c)
{
	(void)c;
}

static uint64_t write_bytes(struct sk_store *s, enum sk_space space, const char *key, const void *data, size_t n)
{
	struct sk_store_write w = { .space = space, .key = key, .bytes = data ? sk_bytes_new(data, n) : NULL };
	char *partition = strndup(key, sk_key_partition(key));
	struct sk_commit c = { .partition = partition, .writes = &w, .write_count = 1, .done = done };

	s->ops->submit(s, &c);
	s->ops->step(s, 0);
	free(partition);
	sk_bytes_unref(w.bytes);
	assert_int_equal(c.status, SK_COMMIT_OK);
	return c.version;
}

static uint64_t put(struct sk_store *s, enum sk_space space, const char *key, const char *text)
{
	return write_bytes(s, space, key, text, text ? strlen(text) : 0);
}

static void copy_file(const char *from, const char *to)
{
	static char data[4 << 20];
	FILE *f = fopen(in_folder(from), "r");
	size_t n;

	assert_non_null(f);
	n = fread(data, 1, sizeof data, f);
	assert_true(n < sizeof data);
	fclose(f);
	spill(to, data, n);
}

/* What kill -9 leaves: the file and its WAL as they are now. */
static void crash(const char *from, const char *to)
{
	char name[64], wal[64];

	copy_file(from, to);
	snprintf(name, sizeof name, "%s-wal", from);
	snprintf(wal, sizeof wal, "%s-wal", to);
	copy_file(name, wal);
}

static void sql(const char *name, const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(in_folder(name), &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

static int64_t ask(const char *name, const char *text)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_open(in_folder(name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

#define HINT "0000000000000bb8/thing/lamp/off/2a"
#define TIMER "{\"due\":3000,\"generation\":42,\"event\":\"off\",\"input\":{}}"

static void fill(struct sk_store *s)
{
	put(s, SK_RECORD, "registry/thing/lamp", "{\"n\":1}");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"big\":9223372036854775807,\"odd\":1.0}");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":2}");
	put(s, SK_EFFECT, "thing/lamp/00ff", "{\"event\":\"e\",\"depth\":1,\"input\":{}}");
	put(s, SK_RECORD, "thing/lamp/~timer/off", TIMER);
	put(s, SK_TIMER, HINT, "{}");
}

static void make(const char *name)
{
	struct sk_store *s = open_store(name);

	fill(s);
	s->ops->close(s);
}

/* -- fixture -- */
static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/skeeter-tool-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char text[100];

	(void)state;
	snprintf(text, sizeof text, "rm -rf %s", folder);
	return system(text);
}

/* -- dump and load -- */
static const char lines[] =
	"{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":1,\"sequence\":6}\n"
	"{\"space\":\"record\",\"key\":\"registry/thing/lamp\",\"version\":1,\"document\":{\"n\":1}}\n"
	"{\"space\":\"record\",\"key\":\"thing/lamp/shadow\",\"version\":3,\"document\":{\"n\":2}}\n"
	"{\"space\":\"record\",\"key\":\"thing/lamp/~timer/off\",\"version\":5,\"document\":" TIMER "}\n"
	"{\"space\":\"effect\",\"key\":\"thing/lamp/00ff\",\"version\":4,\"document\":{\"event\":\"e\",\"depth\":1,\"input\":{}}}\n"
	"{\"space\":\"timer\",\"key\":\"" HINT "\",\"version\":6,\"document\":{}}\n"
	"{\"records\":5,\"sha256\":\"";

static void a_dump_is_lines_of_json(void **state)
{
	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	assert_true(strlen(out) == strlen(lines) + 64 + strlen("\"}\n"));
	assert_memory_equal(out, lines, strlen(lines));
	assert_string_equal(err, "");
}

static void a_log_is_dumped_as_a_broker_would_read_it(void **state)
{
	struct sk_store *s = open_store("s.db");
	char folded[sizeof out];

	(void)state;
	put(s, SK_RECORD, "thing/a/shadow", "{\"n\":1}");
	put(s, SK_RECORD, "thing/b/shadow", "{\"n\":2}");
	s->ops->close(s); /* in the table now */
	s = open_store("s.db");
	put(s, SK_RECORD, "thing/a/shadow", NULL);
	put(s, SK_RECORD, "thing/b/shadow", "{\"n\":3}");
	put(s, SK_RECORD, "thing/c/shadow", "{\"n\":4}");
	put(s, SK_RECORD, "thing/d/shadow", "{}");
	put(s, SK_RECORD, "thing/d/shadow", NULL);
	crash("s.db", "killed.db");
	s->ops->close(s);
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	strcpy(folded, out);
	assert_null(strstr(folded, "thing/a/"));
	assert_null(strstr(folded, "thing/d/"));
	assert_non_null(strstr(folded, "\"key\":\"thing/b/shadow\",\"version\":4,\"document\":{\"n\":3}"));
	assert_int_equal(run(store_dump, "killed.db", NULL), STORE_OK);
	assert_string_equal(out, folded);
	assert_int_equal(run(store_check, "killed.db", NULL), STORE_OK);
	assert_false(there("killed.db-shm"));
	assert_true(there("killed.db-wal"));
}

static void what_is_loaded_is_bit_for_bit_what_was_dumped(void **state)
{
	static const char bytes[] = { 0, 1, '"', '\n', (char)0xff, '{' };
	struct sk_store *s = open_store("s.db");
	char deep[300], before[sizeof out];

	(void)state;
	fill(s);
	memset(deep, '[', 128);
	memset(deep + 128, ']', 128);
	write_bytes(s, SK_RECORD, "thing/odd/bytes", bytes, sizeof bytes);
	write_bytes(s, SK_RECORD, "thing/odd/deep", deep, 256);
	write_bytes(s, SK_RECORD, "thing/odd/empty", "", 0);
	put(s, SK_RECORD, "thing/odd/\xff\xfe", "{}");
	put(s, SK_RECORD, "thing/odd/\n\x7f\"\\", "{}");
	put(s, SK_RECORD, "thing/odd/space", "{ \"a\" : 1,\n \"a\":2}");
	put(s, SK_RECORD, "thing/odd/numbers", "[1.0,1e3,9223372036854775808,0.10,-0,\"\u00e9\\u0001\"]");
	s->ops->close(s);
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	strcpy(before, out);
	assert_non_null(strstr(before, "\"bytes\":\"AAEiCv97\""));
	assert_non_null(strstr(before, "\"keyBytes\":\"dGhpbmcvb2RkL//+\""));
	assert_non_null(strstr(before, "\"document\":[1.0,1e3,9223372036854775808,0.10,"));
	spill("dump", before, strlen(before));
	assert_int_equal(run(store_load, "new.db", "dump"), STORE_OK);
	assert_int_equal(run(store_dump, "new.db", NULL), STORE_OK);
	assert_string_equal(out, before);
	assert_int_equal(ask("new.db", "SELECT count(*) FROM record WHERE data = x'0001220aff7b' OR (key = CAST('thing/odd/empty' AS BLOB)"
		" AND length(data) = 0)"), 2);
}

static void versions_go_on_where_the_dump_ended(void **state)
{
	struct sk_store *s;
	struct sk_store_read r = { .space = SK_RECORD, .key = "thing/lamp/shadow" };

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	assert_int_equal(run(store_load, "new.db", "dump"), STORE_OK);
	assert_false(there("new.db.loading"));
	s = open_store("new.db");
	assert_int_equal(s->seq, 6);
	assert_int_equal(s->ops->read(s, &r, 1), 0);
	assert_string_equal(r.bytes->data, "{\"n\":2}");
	assert_int_equal(r.version, 3);
	sk_bytes_unref(r.bytes);
	assert_int_equal(put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":3}"), 7);
	s->ops->close(s);
}

static void a_store_in_use_is_left_to_its_broker(void **state)
{
	static store_verb *const verbs[] = { store_dump, store_check, store_stats, store_load };
	struct sk_store *s = open_store("s.db");

	(void)state;
	fill(s);
	spill("dump", lines, strlen(lines));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(run(verbs[i], "s.db", i == 3 ? "dump" : NULL), STORE_FAILED);
		assert_said(err, "skeeter-store: store F/s.db is in use by another process: backup works while it runs\n");
		assert_string_equal(out, "");
	}
	assert_int_equal(run(store_backup, "s.db", "copy.db"), STORE_OK);
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":9}");
	s->ops->close(s);
	assert_int_equal(run(store_dump, "copy.db", NULL), STORE_OK);
	assert_memory_equal(out, lines, strlen(lines));
}

static void a_store_that_is_not_empty_is_replaced_only_when_told(void **state)
{
	struct sk_store *s;

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	s = open_store("s.db");
	put(s, SK_RECORD, "thing/other/shadow", "{\"only\":\"in the log\"}");
	crash("s.db", "killed.db");
	s->ops->close(s);
	assert_int_equal(chmod(in_folder("killed.db"), 0640), 0);
	assert_int_equal(run(store_load, "killed.db", "dump"), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/killed.db is not empty: --replace puts the dump in place of all that it holds\n");
	assert_int_equal(replace("killed.db", "dump"), STORE_OK);
	assert_false(there("killed.db-wal"));
	assert_int_equal(ask("killed.db", "SELECT count(*) FROM record"), 5);
	assert_int_equal(run(store_dump, "killed.db", NULL), STORE_OK);
	assert_memory_equal(out, lines, strlen(lines));
	struct stat st;
	assert_int_equal(stat(in_folder("killed.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void an_empty_store_takes_a_dump(void **state)
{
	struct sk_store *s = open_store("s.db");

	(void)state;
	put(s, SK_RECORD, "thing/gone/shadow", "{}");
	put(s, SK_RECORD, "thing/gone/shadow", NULL);
	s->ops->close(s);
	make("full.db");
	assert_int_equal(run(store_dump, "full.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	assert_int_equal(run(store_load, "s.db", "dump"), STORE_OK);
	assert_int_equal(ask("s.db", "SELECT count(*) FROM record"), 5);
	spill("nothing.db", "", 0);
	assert_int_equal(run(store_load, "nothing.db", "dump"), STORE_OK);
	assert_int_equal(ask("nothing.db", "SELECT count(*) FROM record"), 5);
}

static void half_a_dump_loads_nothing(void **state)
{
	char dump[sizeof out], before[100000], after[100000];
	size_t size, n;

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	strcpy(dump, out);
	size = slurp(in_folder("s.db"), before, sizeof before);
	for (n = 0; n < strlen(dump); n += n % 7 + 17) {
		spill("half", dump, n);
		assert_int_equal(run(store_load, "new.db", "half"), STORE_FAILED);
		assert_non_null(strstr(err, "cannot load the dump "));
		assert_false(there("new.db") || there("new.db.loading") || there("new.db.loading-wal"));
		if (n % 5 == 0)
			assert_int_equal(replace("s.db", "half"), STORE_FAILED);
	}
	assert_int_equal(slurp(in_folder("s.db"), after, sizeof after), size);
	assert_memory_equal(before, after, size);
	spill("half", dump, strlen(lines) - strlen("{\"records\":5,\"sha256\":\""));
	assert_int_equal(run(store_load, "new.db", "half"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot load the dump F/half: it ends after line 6 without its footer: the dump is not whole\n");
	strstr(dump, "lamp")[0] = 'd';
	spill("half", dump, strlen(dump));
	assert_int_equal(run(store_load, "new.db", "half"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot load the dump F/half: line 7: the checksum is another one: the dump was changed or damaged\n");
	assert_int_equal(run(store_load, "new.db", "absent"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read the dump F/absent: No such file or directory\n");
}

static void what_an_interrupted_load_left_is_cleared_away(void **state)
{
	int fd;

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	copy_file("s.db", "new.db.loading");
	sql("new.db.loading", "DELETE FROM meta; INSERT INTO record VALUES(99, 0, x'61', 1, x'62')");
	assert_int_equal(run(store_load, "new.db", "dump"), STORE_OK);
	assert_int_equal(ask("new.db", "SELECT count(*) FROM record"), 5);
	spill("other.db.loading", "", 0);
	fd = open(in_folder("other.db.loading"), O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(run(store_load, "other.db", "dump"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot write store F/other.db: another load is at it\n");
	close(fd);
}

/* -- the reader's own words -- */
#define HEADER_LINE "{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":1,\"sequence\":9}\n"
#define A_LINE "{\"space\":\"record\",\"key\":\"a/b/c\",\"version\":1,\"document\":1}\n"

static void every_line_that_is_wrong_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ "", "it is empty" },
		{ "{}\n", "line 1: this is not a dump of skeeter-store" },
		{ "[]\n", "line 1: this is not a dump of skeeter-store" },
		{ "{\"format\":\"skeeter-dump\",\"version\":2,\"schema\":1,\"sequence\":9}\n", "line 1: the dump's format is version 2, this build knows 1" },
		{ "{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":7,\"sequence\":9}\n", "line 1: the dump is of a store of version 7, this build knows 1" },
		{ "{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":1,\"sequence\":-1}\n", "line 1: the header is not format, version, schema and sequence" },
		{ "{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":1,\"sequence\":1,\"x\":1}\n", "line 1: the header is not format, version, schema and sequence" },
		{ HEADER_LINE "{\"space\":\"registry\",\"key\":\"a\",\"version\":1,\"document\":1}\n", "line 2: space must be record, effect or timer" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"\",\"version\":1,\"document\":1}\n", "line 2: key must be 1 to 1024 bytes without NUL, or keyBytes the same in base64" },
		{ HEADER_LINE "{\"space\":\"record\",\"keyBytes\":\"YQBi\",\"version\":1,\"document\":1}\n", "line 2: key must be 1 to 1024 bytes without NUL, or keyBytes the same in base64" },
		{ HEADER_LINE "{\"space\":\"record\",\"keyBytes\":\"Y=Bi\",\"version\":1,\"document\":1}\n", "line 2: key must be 1 to 1024 bytes without NUL, or keyBytes the same in base64" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":10,\"document\":1}\n", "line 2: version must be from 1 to the header's sequence, 9" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":0,\"document\":1}\n", "line 2: version must be from 1 to the header's sequence, 9" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":1.5,\"document\":1}\n", "line 2: version must be from 1 to the header's sequence, 9" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":1}\n", "line 2: there must be a document, or its bytes in base64" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":1,\"document\":1,\"bytes\":\"\"}\n", "line 2: there must be a document, or its bytes in base64" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"version\":1,\"document\":1,\"x\":1}\n", "line 2: a record is space, key, version and document" },
		{ HEADER_LINE "{\"space\":\"record\",\"key\":\"a\",\"key\":\"b\",\"version\":1,\"document\":1}\n", "line 2: " },
		{ HEADER_LINE A_LINE A_LINE, "line 3: the key does not come after the one before it" },
		{ HEADER_LINE "{\"space\":\"effect\",\"key\":\"z\",\"version\":1,\"document\":1}\n" A_LINE, "line 3: the key does not come after the one before it" },
		{ HEADER_LINE HEADER_LINE, "line 2: space must be record, effect or timer" },
		{ HEADER_LINE "{\"records\":1,\"sha256\":\"\"}\n", "line 2: the footer counts 1 records, there are 0" },
		{ HEADER_LINE "{\"records\":0,\"sha256\":\"\"}\n", "line 2: the checksum is another one: the dump was changed or damaged" },
		{ HEADER_LINE "{\"records\":\"0\",\"sha256\":\"\"}\n", "line 2: the footer is not records and sha256" },
		{ HEADER_LINE A_LINE, "it ends after line 2 without its footer: the dump is not whole" },
		{ HEADER_LINE "{\"space\"", "line 2: the line is cut short: the dump is not whole" },
		{ HEADER_LINE "hello\n", "line 2: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dump_reader r = { 0 };
		enum dump_line kind = DUMP_HEADER;

		for (const char *at = cases[i][0]; *at && kind != DUMP_WRONG;) {
			size_t n = strcspn(at, "\n") + (strchr(at, '\n') != NULL);
			kind = dump_read(&r, at, n);
			at += n;
		}
		assert_int_equal(dump_read_end(&r), -1);
		assert_memory_equal(r.why, cases[i][1], strlen(cases[i][1]));
		if (cases[i][1][strlen(cases[i][1]) - 1] != ' ')
			assert_string_equal(r.why, cases[i][1]);
		assert_int_equal(dump_read(&r, HEADER_LINE, strlen(HEADER_LINE)), kind == DUMP_WRONG ? DUMP_WRONG : dump_read(&r, HEADER_LINE, strlen(HEADER_LINE)));
		dump_reader_free(&r);
	}
}

static int put_nowhere(void *ctx, const char *data, size_t n)
{
	(void)ctx, (void)data, (void)n;
	return 0;
}

static void without_memory_a_line_is_refused(void **state)
{
	const struct view_record record = { .key = { "a/b/c", 5 }, .data = { "[1]", 3 }, .version = 1 };
	int refused = 0;

	(void)state;
	for (long n = 1; n < 8; n++) {
		struct dump_reader r = { 0 };
		struct dump_writer w = { .put = put_nowhere };

		sk_arena_fail_after(n);
		if (dump_read(&r, HEADER_LINE, strlen(HEADER_LINE)) == DUMP_WRONG || dump_read(&r, A_LINE, strlen(A_LINE)) == DUMP_WRONG)
			refused++;
		sk_arena_fail_after(n);
		refused += dump_begin(&w, 9) || dump_record(&w, &record) || dump_footer(&w);
		sk_arena_fail_after(0);
		dump_reader_free(&r);
		dump_end(&w);
	}
	assert_true(refused >= 2);
}

/* -- check -- */
struct damage {
	const char *sql, *fault;
};

static void check_names_every_fault(void **state)
{
	static const struct damage cases[] = {
		{ "UPDATE record SET data = x'7b' WHERE version = 3", "record thing/lamp/shadow: the document is not JSON: " },
		{ "UPDATE record SET key = CAST('lamp' AS BLOB) WHERE version = 3", "record lamp: the key is not a partition, a slash and a name\n" },
		{ "UPDATE record SET key = CAST('thing/lamp' AS BLOB) WHERE version = 3", "record thing/lamp: the key is not a partition, a slash and a name\n" },
		{ "DELETE FROM record WHERE space = 2", "record thing/lamp/~timer/off: nothing says when it is due: it will not fire\n" },
		{ "DELETE FROM record WHERE version = 5", "timer " HINT ": there is no such timer\n" },
		{ "UPDATE record SET data = CAST('{\"due\":1,\"generation\":42,\"event\":\"e\"}' AS BLOB) WHERE version = 5",
		  "timer " HINT ": the timer is due at another time or was set again\n" },
		{ "UPDATE record SET data = CAST('{\"due\":1}' AS BLOB) WHERE version = 5", "record thing/lamp/~timer/off: a timer has due, generation and event\n" },
		{ "UPDATE record SET key = CAST('soon/thing/lamp/off/2a' AS BLOB) WHERE space = 2",
		  "timer soon/thing/lamp/off/2a: the key is not due, partition, name and generation\n" },
		{ "UPDATE record SET data = CAST('{\"event\":1}' AS BLOB) WHERE space = 1", "effect thing/lamp/00ff: an effect has event, input and depth: it cannot be run\n" },
		{ "UPDATE record SET key = CAST('lamp' AS BLOB) WHERE space = 1", "effect lamp: the key is not a partition, a slash and a name\n" },
		{ "UPDATE record SET version = 7 WHERE version = 3", "table: record thing/lamp/shadow has version 7, the newest commit is 6\n" },
		{ "UPDATE meta SET value = 4", "table: record thing/lamp/~timer/off has version 5, the newest commit is 4\n" },
		{ "UPDATE record SET version = 0 WHERE version = 3", "table: record thing/lamp/shadow has version 0, the newest commit is 6\n" },
		{ "UPDATE record SET space = 9 WHERE version = 3", "is of no kind there is\n" },
		{ "UPDATE record SET key = x'610062' WHERE version = 3", "has no usable key\n" },
		{ "UPDATE record SET key = 'thing/lamp/shadow' WHERE version = 3", "has no usable key\n" },
		{ "DELETE FROM meta", "table: its version mark is missing\n" },
		{ "INSERT INTO log VALUES(7, x'534b4c31')", "log: row 7 is not whole or not the next\n" },
	};

	(void)state;
	make("s.db");
	assert_int_equal(run(store_check, "s.db", NULL), STORE_OK);
	assert_said(out, "store F/s.db is whole\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		copy_file("s.db", "bad.db");
		sql("bad.db", cases[i].sql);
		assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
		if (!strstr(out, cases[i].fault))
			fail_msg("%s: expected %s, got %s", cases[i].sql, cases[i].fault, out);
		assert_non_null(strstr(out, " fault"));
		assert_int_equal(run(store_backup, "bad.db", "copy.db"), STORE_FAILED);
		assert_false(there("copy.db") || there("copy.db.partial"));
	}
}

static void what_no_load_would_take_is_not_dumped(void **state)
{
	static const char *const damage[] = {
		"UPDATE record SET space = 9 WHERE version = 3", "UPDATE record SET key = x'610062' WHERE version = 3",
		"UPDATE record SET key = 'a/b' WHERE version = 3", "UPDATE record SET version = 7 WHERE version = 3",
		"UPDATE record SET version = 0 WHERE version = 3",
	};

	(void)state;
	make("s.db");
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		copy_file("s.db", "bad.db");
		sql("bad.db", damage[i]);
		assert_int_equal(run(store_dump, "bad.db", NULL), STORE_FAILED);
		assert_said(err, "skeeter-store: store F/bad.db is damaged (a row is not fit for a dump: check says which): nothing was touched\n");
		assert_null(strstr(out, "sha256"));
	}
}

static void a_load_and_a_backup_keep_out_of_each_others_way(void **state)
{
	int fd;

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(replace("s.db", "dump"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot write store F/s.db: a backup or another load is at it\n");
	assert_int_equal(run(store_backup, "s.db", "copy.db"), STORE_OK);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(run(store_backup, "s.db", "other.db"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read store F/s.db: a load is at it\n");
	close(fd);
	assert_int_equal(replace("s.db", "dump"), STORE_OK);
}

static void a_step_is_done_while_a_backup_reads(void **state)
{
	struct view_why why;
	struct view *v;
	struct sk_store *s;

	(void)state;
	make("s.db");
	sql("s.db", "PRAGMA user_version=1");
	v = view_open(in_folder("s.db"), VIEW_BESIDE, &why);
	assert_non_null(v);
	sql("s.db", "DELETE FROM meta; PRAGMA user_version=0");
	s = open_store("s.db");
	assert_int_equal(s->seq, 6);
	view_close(&v);
	s->ops->close(s);
	assert_int_equal(ask("s.db", "PRAGMA user_version"), 1);
}

static void check_sees_a_log_that_contradicts_the_table(void **state)
{
	struct sk_store *s;

	(void)state;
	make("s.db");
	s = open_store("s.db");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":7}");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":8}");
	put(s, SK_RECORD, "thing/other/shadow", "{}");
	crash("s.db", "killed.db");
	s->ops->close(s);
	crash("killed.db", "bad.db");
	sql("bad.db", "UPDATE record SET version = 9 WHERE version = 3");
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	assert_string_equal(out, "table: record thing/lamp/shadow has version 9, its last write in the log is 8\n1 fault\n");
	crash("killed.db", "bad.db");
	sql("bad.db", "UPDATE record SET version = 9 WHERE version = 1");
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	assert_string_equal(out, "table: record registry/thing/lamp has version 9, which is not in the log\n1 fault\n");
	crash("killed.db", "bad.db");
	sql("bad.db", "DELETE FROM log WHERE seq = 8");
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	assert_string_equal(out, "log: row 9 is not whole or not the next\n1 fault\n");
	assert_int_equal(run(store_dump, "bad.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/bad.db is damaged (log row 9 is not whole or not the next): nothing was touched\n");
}

static void check_sees_broken_pages_and_files_that_are_no_store(void **state)
{
	char data[100000];
	size_t n;

	(void)state;
	make("s.db");
	n = slurp(in_folder("s.db"), data, sizeof data);
	memset(data + n - 4096, 0xa5, 4096);
	spill("bad.db", data, n);
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	spill("bad.db", data, n - 4096);
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	spill("bad.db", "this is no database, but long enough to look like one: this is no database, but long enough to look like one", 107);
	assert_int_equal(run(store_check, "bad.db", NULL), STORE_FAULTS);
	assert_said(out, "store F/bad.db is damaged (file is not a database): nothing was touched\n1 fault\n");
	sql("theirs.db", "CREATE TABLE theirs(a)");
	assert_int_equal(run(store_check, "theirs.db", NULL), STORE_FAULTS);
	assert_said(out, "store F/theirs.db is damaged (it is another program's database): nothing was touched\n1 fault\n");
	assert_int_equal(run(store_check, "absent.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read store F/absent.db: No such file or directory\n");
	spill("empty.db", "", 0);
	assert_int_equal(run(store_check, "empty.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read store F/empty.db: it is empty\n");
	copy_file("s.db", "newer.db");
	sql("newer.db", "PRAGMA user_version=2");
	assert_int_equal(run(store_stats, "newer.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/newer.db is version 2, this build knows 1: nothing was touched\n");
}

static void stats_count_by_prefix(void **state)
{
	struct sk_store *s = open_store("s.db");

	(void)state;
	fill(s);
	crash("s.db", "killed.db");
	s->ops->close(s);
	assert_int_equal(run(store_stats, "killed.db", NULL), STORE_OK);
	assert_non_null(strstr(out, "\nsequence   6\n"));
	assert_non_null(strstr(out, "\nlog        6 rows, "));
	assert_non_null(strstr(out, "\ndirty      5 records, "));
	assert_non_null(strstr(out, "\nrecords    3, "));
	assert_non_null(strstr(out, "\neffects    1, "));
	assert_non_null(strstr(out, "\ntimers     1, 2 bytes\n"));
	assert_non_null(strstr(out, "\n         1            7          7  registry/thing\n         1            7          7  thing/+/shadow\n"));
	assert_int_equal(run(store_stats, "s.db", NULL), STORE_OK);
	assert_non_null(strstr(out, "\nlog        0 rows, 0 bytes\ndirty      0 records, 0 bytes"));
}

static void long_work_says_how_far_it_is(void **state)
{
	(void)state;
	make("s.db");
	assert_int_equal(run_with(store_dump, (struct store_options){ .store = in_folder("s.db") }), STORE_OK);
	assert_string_equal(err, "dump: records 0\n");
	assert_int_equal(run_with(store_backup, (struct store_options){ .store = in_folder("s.db"), .other = in_folder("c.db") }), STORE_OK);
	assert_non_null(strstr(err, "backup: pages "));
	assert_int_equal(run_with(store_dump, (struct store_options){ .store = in_folder("s.db"), .progress = { .quiet = true } }), STORE_OK);
	assert_string_equal(err, "dump: records 0\n");
}

/* -- backup -- */
static void a_backup_never_writes_over_a_file(void **state)
{
	(void)state;
	make("s.db");
	spill("copy.db", "precious", 8);
	assert_int_equal(run(store_backup, "s.db", "copy.db"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot write F/copy.db: File exists\n");
	slurp(in_folder("copy.db"), out, sizeof out);
	assert_string_equal(out, "precious");
	assert_int_equal(run(store_backup, "s.db", "nowhere/copy.db"), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot write F/nowhere/copy.db: No such file or directory\n");
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_large(const char *name)
{
	struct sk_store *s = open_store(name);
	char key[64], text[600];

	memset(text, '1', sizeof text - 1);
	text[0] = text[sizeof text - 2] = '"';
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "thing/t%04d/shadow", i);
		put(s, SK_RECORD, key, text);
	}
	s->ops->close(s);
}

static void a_backup_without_room_leaves_nothing(void **state)
{
	int rc;

	(void)state;
	make_large("s.db");
	limit_files(100000);
	rc = run(store_backup, "s.db", "copy.db");
	limit_files(0);
	assert_int_equal(rc, STORE_FAILED);
	assert_said(err, "skeeter-store: cannot write F/copy.db: File too large\n");
	assert_false(there("copy.db") || there("copy.db.partial"));
}

static void a_dump_that_cannot_be_written_says_so(void **state)
{
	int rc;

	(void)state;
	make_large("s.db");
	limit_files(100000);
	rc = run(store_dump, "s.db", NULL);
	limit_files(0);
	assert_int_equal(rc, STORE_FAILED);
	assert_string_equal(err, "skeeter-store: cannot write the dump: File too large\n");
}

struct writer {
	struct sk_store *s;
	pthread_t thread;
	_Atomic int accepted;
	_Atomic bool stop;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	char key[64], text[64];

	for (int i = 1; !w->stop; i++) {
		snprintf(key, sizeof key, "thing/t%d/shadow", i % 50);
		snprintf(text, sizeof text, "{\"n\":%d}", i);
		put(w->s, SK_RECORD, key, text);
		if (i % 40 == 0)
			w->s->ops->step(w->s, (int64_t)i * 1000000); /* idle: it folds */
		w->accepted = i;
	}
	return NULL;
}

static void a_backup_holds_what_was_accepted_before_it_began(void **state)
{
	struct writer w = { .s = open_store("s.db") };
	char name[32];

	(void)state;
	assert_int_equal(pthread_create(&w.thread, NULL, write_on, &w), 0);
	for (int round = 0; round < 12; round++) {
		int before = w.accepted;
		struct sk_store *copy;

		snprintf(name, sizeof name, "copy%d.db", round);
		assert_int_equal(run(store_backup, "s.db", name), STORE_OK);
		copy = open_store(name);
		assert_true(copy->seq >= (uint64_t)before);
		copy->ops->close(copy);
		assert_int_equal(run(store_check, name, NULL), STORE_OK);
		while (w.accepted < before + 100)
			usleep(1000);
	}
	w.stop = true;
	pthread_join(w.thread, NULL);
	w.s->ops->close(w.s);
	assert_int_equal(run(store_check, "s.db", NULL), STORE_OK);
}

/* -- copy -- */
static int copy_with(const char *from, const char *to, bool replaces, bool verifies)
{
	return run_with(store_copy, (struct store_options){ .store = in_folder(from), .other = in_folder(to), .replace = replaces, .verify = verifies,
		.progress = { .every_ms = 1000 } });
}

static int64_t newest(const char *name)
{
	return ask(name, "SELECT max(version) FROM record");
}

static void a_copy_holds_what_the_store_holds(void **state)
{
	struct sk_store *s = open_store("s.db");
	char before[100000], after[100000];
	size_t n;

	(void)state;
	fill(s);
	write_bytes(s, SK_RECORD, "thing/\xff\x01\n/shadow", "{}", 2);
	put(s, SK_RECORD, "thing/gone/shadow", "{}");
	put(s, SK_RECORD, "thing/gone/shadow", NULL);
	crash("s.db", "killed.db");
	s->ops->close(s);
	n = slurp(in_folder("killed.db"), before, sizeof before);
	assert_int_equal(copy_with("killed.db", "c.db", false, false), STORE_OK);
	assert_int_equal(slurp(in_folder("killed.db"), after, sizeof after), n);
	assert_memory_equal(before, after, n);
	assert_non_null(strstr(out, "records    4, "));
	assert_non_null(strstr(out, "\neffects    1, "));
	assert_non_null(strstr(out, "\ntimers     1, 2 bytes\nsha256     "));
	assert_int_equal(run(store_check, "c.db", NULL), STORE_OK);
	assert_int_equal(copy_with("s.db", "c.db", false, true), STORE_OK);
	assert_int_equal(ask("c.db", "SELECT count(*) FROM record WHERE key = CAST('" SK_STORE_FILLING "' AS BLOB)"), 0);
	s = open_store("c.db");
	assert_true(s->seq >= (uint64_t)newest("c.db"));
	s->ops->close(s);
}

static void make_many(const char *name, int n)
{
	struct sk_store_options opt = { .path = in_folder(name), .relaxed = true };
	char key[64], text[400], why[500];
	struct sk_store *s = sk_store_open_embedded(&opt, why, sizeof why);

	assert_non_null(s);
	memset(text, '1', sizeof text - 1);
	text[0] = text[sizeof text - 2] = '"';
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof key, "thing/t%06d/shadow", i);
		put(s, SK_RECORD, key, text);
	}
	s->ops->close(s);
}

static void a_copy_without_room_goes_on_when_there_is_some(void **state)
{
	char expected[300];
	int rc, there_are;

	(void)state;
	make_many("s.db", 30000);
	limit_files(9 << 20);
	rc = copy_with("s.db", "c.db", false, false);
	limit_files(0);
	assert_int_equal(rc, STORE_FAILED);
	assert_non_null(strstr(err, "skeeter-store: cannot write store "));
	assert_int_equal(sscanf(strstr(err, "c.db: ") + 6, "%*[^:]: %d", &there_are), 1);
	snprintf(expected, sizeof expected, " %d records are in %s, the same command goes on from there\n", there_are, in_folder("c.db"));
	assert_non_null(strstr(err, expected));
	assert_int_equal(run(store_check, "c.db", NULL), STORE_FAULTS);
	assert_non_null(strstr(out, "record " SK_STORE_FILLING ": the store is not whole: what fills it has not ended\n"));
	assert_int_equal(copy_with("c.db", "d.db", false, false), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/c.db is not whole: what fills it has not ended\n");
	make("other.db");
	assert_int_equal(copy_with("other.db", "c.db", false, false), STORE_FAILED);
	assert_non_null(strstr(err, "is filled from another one ("));
	assert_int_equal(copy_with("s.db", "c.db", false, false), STORE_OK);
	assert_int_equal(copy_with("s.db", "c.db", false, true), STORE_OK);
	assert_int_equal(run(store_check, "c.db", NULL), STORE_OK);
}

static void mark(const char *name, const struct marker *m)
{
	struct sk_store *s = open_store(name);
	char *text = marker_write(m);

	assert_non_null(text);
	put(s, SK_RECORD, SK_STORE_FILLING, text);
	free(text);
	s->ops->close(s);
}

static void a_copy_goes_on_behind_the_last_key_only_if_the_source_is_as_it_was(void **state)
{
	struct marker m = { .begun = true, .space = SK_RECORD, .after = "thing/lamp/shadow", .records = 2, .state = "6" };

	(void)state;
	make("s.db");
	snprintf(m.from, sizeof m.from, "%s", in_folder("s.db"));
	mark("c.db", &m);
	assert_int_equal(copy_with("s.db", "c.db", false, false), STORE_FAULTS); /* it believed the marker, and compared */
	assert_said(out, "record registry/thing/lamp: not in F/c.db\nrecord thing/lamp/shadow: not in F/c.db\n2 differences\n");
	assert_said(err, "skeeter-store: store F/c.db is not what store F/s.db is: the same command begins anew\n");
	assert_int_equal(copy_with("s.db", "c.db", false, false), STORE_OK);
	strcpy(m.state, "5");
	mark("d.db", &m);
	assert_int_equal(copy_with("s.db", "d.db", false, false), STORE_OK);
	assert_int_equal(copy_with("s.db", "d.db", false, true), STORE_OK);
}

static void a_copy_takes_no_others_place_unless_told(void **state)
{
	char before[100000], after[100000];
	struct sk_store *s;
	size_t n;

	(void)state;
	make("s.db");
	make("c.db");
	make_large("l.db");
	n = slurp(in_folder("c.db"), before, sizeof before);
	assert_int_equal(copy_with("l.db", "c.db", false, false), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/c.db is not empty: --replace puts the copy in place of all that it holds\n");
	assert_int_equal(copy_with("c.db", "c.db", true, false), STORE_FAILED);
	assert_said(err, "skeeter-store: F/c.db and F/c.db are the same store\n");
	assert_int_equal(slurp(in_folder("c.db"), after, sizeof after), n);
	assert_memory_equal(before, after, n);
	assert_int_equal(copy_with("l.db", "c.db", true, false), STORE_OK);
	assert_int_equal(copy_with("l.db", "c.db", false, true), STORE_OK);
	s = open_store("l.db");
	assert_int_equal(copy_with("l.db", "n.db", false, false), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/l.db is in use by another process: backup works while it runs\n");
	s->ops->close(s);
	assert_false(there("n.db"));
}

static void a_store_with_faults_is_not_copied(void **state)
{
	(void)state;
	make("s.db");
	sql("s.db", "UPDATE record SET data = x'7b' WHERE key = CAST('thing/lamp/shadow' AS BLOB)");
	assert_int_equal(copy_with("s.db", "c.db", false, false), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/s.db has faults: nothing was copied\n");
	assert_non_null(strstr(out, "record thing/lamp/shadow: the document is not JSON"));
	assert_false(there("c.db"));
}

static void what_differs_is_named(void **state)
{
	struct sk_store *s;

	(void)state;
	make("s.db");
	make("c.db");
	s = open_store("c.db");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":3}");
	put(s, SK_RECORD, "registry/thing/lamp", NULL);
	put(s, SK_EFFECT, "thing/lamp/ff", "{}");
	s->ops->close(s);
	assert_int_equal(copy_with("s.db", "c.db", false, true), STORE_FAULTS);
	assert_said(out, "record registry/thing/lamp: not in F/c.db\nrecord thing/lamp/shadow: another document in F/c.db\n"
		"effect thing/lamp/ff: not in F/s.db\n3 differences\n");
	assert_int_equal(copy_with("s.db", "absent.db", false, true), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read store F/absent.db: No such file or directory\n");
}

static void a_marker_is_read_as_it_was_written(void **state)
{
	static const char *const wrong[] = { "", "{}", "7", "{\"from\":\"a\",\"state\":\"1\",\"begun\":true,\"space\":\"nowhere\",\"after\":\"\",\"records\":1}",
		"{\"from\":\"a\",\"state\":\"1\",\"begun\":true,\"space\":\"record\",\"after\":\"AA==\",\"records\":1}",
		"{\"from\":\"a\",\"state\":\"1\",\"begun\":true,\"space\":\"record\",\"after\":\"*\",\"records\":1}",
		"{\"from\":\"a\",\"state\":\"1\",\"begun\":true,\"space\":\"record\",\"after\":\"\",\"records\":-1}" };
	struct marker m = { .from = "redis 1", .state = "18446744073709551615", .begun = true, .space = SK_TIMER, .records = 12 }, read;
	struct sk_bytes *bytes;
	char *text;

	(void)state;
	memset(m.after, 0xff, SK_KEY_MAX);
	text = marker_write(&m);
	bytes = sk_bytes_new(text, strlen(text));
	assert_int_equal(marker_read(&read, bytes), 0);
	assert_string_equal(read.from, m.from);
	assert_string_equal(read.state, m.state);
	assert_string_equal(read.after, m.after);
	assert_true(read.begun && read.space == SK_TIMER && read.records == 12);
	sk_bytes_unref(bytes);
	free(text);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		bytes = sk_bytes_new(wrong[i], strlen(wrong[i]));
		assert_int_equal(marker_read(&read, bytes), -1);
		sk_bytes_unref(bytes);
	}
}

static void every_key_is_written_in_its_partitions_commit(void **state)
{
	static const struct { enum sk_space space; const char *key, *home; } keys[] = {
		{ SK_RECORD, "registry/thing/lamp", "registry" },
		{ SK_RECORD, "0000000000000bb8/thing/lamp", "0000000000000bb8/thing" },
		{ SK_EFFECT, "thing/lamp/0123456789abcdef-00", "thing/lamp" },
		{ SK_TIMER, HINT, "thing/lamp" },
		{ SK_TIMER, "0000000000000bb8/registry/far/away/2a", "registry" },
		{ SK_TIMER, "0000000000000bb8/", "0000000000000bb8/" },
		{ SK_TIMER, "0000000000000bbX/thing/lamp", "0000000000000bbX/thing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *key = keys[i].key;
		size_t n = fill_home(keys[i].space, &key);

		assert_int_equal(n, strlen(keys[i].home));
		assert_memory_equal(key, keys[i].home, n);
	}
}

/* -- migrations -- */
static void age(const char *name)
{
	sql(name, "DELETE FROM meta; PRAGMA user_version=0; PRAGMA wal_checkpoint(TRUNCATE)");
}

static void a_store_of_version_0_is_brought_up_to_date(void **state)
{
	struct sk_store *s;

	(void)state;
	make("s.db");
	age("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: store F/s.db is version 0, this build reads 1: skeeter-store migrate brings it up to date\n");
	heard[0] = '\0';
	s = open_store("s.db");
	assert_said(heard, "store F/s.db was version 0 and is version 1 now: as it was it is kept as F/s.db.v0");
	assert_int_equal(put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":3}"), 7);
	s->ops->close(s);
	assert_int_equal(ask("s.db", "PRAGMA user_version"), 1);
	assert_int_equal(ask("s.db.v0", "PRAGMA user_version"), 0);
	assert_int_equal(ask("s.db.v0", "SELECT count(*) FROM record"), 5);
	assert_int_equal(run(store_check, "s.db", NULL), STORE_OK);
	heard[0] = '\0';
	s = open_store("s.db");
	s->ops->close(s);
	assert_string_equal(heard, "");
}

static void a_version_0_with_a_log_keeps_its_log(void **state)
{
	struct sk_store *s;

	(void)state;
	make("s.db");
	s = open_store("s.db");
	put(s, SK_RECORD, "thing/lamp/shadow", "{\"n\":7}");
	crash("s.db", "killed.db");
	s->ops->close(s);
	age("killed.db");
	assert_int_equal(run(store_migrate, "killed.db", NULL), STORE_OK);
	assert_said(out, "store F/killed.db was version 0 and is version 1 now: as it was it is kept as F/killed.db.v0\n");
	s = open_store("killed.db");
	assert_int_equal(s->seq, 7);
	s->ops->close(s);
	assert_int_equal(run(store_migrate, "killed.db", NULL), STORE_OK);
	assert_said(out, "store F/killed.db is version 1 already\n");
	assert_int_equal(run(store_migrate, "absent.db", NULL), STORE_FAILED);
	assert_said(err, "skeeter-store: cannot read store F/absent.db: there is nothing in it\n");
	assert_false(there("absent.db"));
}

static void without_room_a_store_migrates_without_a_copy(void **state)
{
	struct sk_store *s;

	(void)state;
	make_large("s.db");
	age("s.db");
	heard[0] = '\0';
	limit_files(300000);
	s = open_store("s.db");
	limit_files(0);
	s->ops->close(s);
	assert_said(heard, "store F/s.db was version 0 and is version 1 now: there was no room to keep it as it was");
	assert_false(there("s.db.v0") || there("s.db.v0.partial"));
	assert_int_equal(ask("s.db", "PRAGMA user_version"), 1);
}

static void a_version_0_with_a_broken_log_is_not_touched(void **state)
{
	struct sk_store_options opt = { .path = in_folder("s.db"), .say = hear };
	char before[100000], after[100000], why[500];
	size_t n;

	(void)state;
	make("s.db");
	age("s.db");
	sql("s.db", "INSERT INTO log VALUES(7, x'534b4c31'); PRAGMA wal_checkpoint(TRUNCATE)");
	n = slurp(in_folder("s.db"), before, sizeof before);
	assert_null(sk_store_open_embedded(&opt, why, sizeof why));
	assert_said(why, "store F/s.db is version 0 and could not become version 1: log row 7 is not whole: nothing was touched");
	assert_int_equal(slurp(in_folder("s.db"), after, sizeof after), n);
	assert_memory_equal(before, after, n);
	assert_false(there("s.db.v0"));
}

static int add_table(sqlite3 *db)
{
	return sqlite3_exec(db, "CREATE TABLE added(a)", NULL, NULL, NULL);
}

static int fail_half_way(sqlite3 *db)
{
	int rc = sqlite3_exec(db, "DELETE FROM record", NULL, NULL, NULL);

	return rc == SQLITE_OK ? SQLITE_FULL : rc;
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
	static const struct sk_store_step steps[] = { { "a table", add_table }, { "trouble", fail_half_way } };
	struct sk_migration m = { .path = in_folder("s.db"), .steps = steps, .from = 0, .to = 2, .say = hear };
	char why[500];

	(void)state;
	make("s.db");
	age("s.db");
	heard[0] = '\0';
	assert_int_equal(sqlite3_open(in_folder("s.db"), &m.db), SQLITE_OK);
	assert_int_equal(sk_store_migrate(&m, why, sizeof why), -1);
	sqlite3_close(m.db);
	assert_said(why, "store F/s.db is version 1 and could not become version 2: trouble: database or disk is full");
	assert_string_equal(heard, "");
	assert_int_equal(ask("s.db", "PRAGMA user_version"), 1);
	assert_int_equal(ask("s.db", "SELECT count(*) FROM record"), 5);
	assert_int_equal(ask("s.db", "SELECT count(*) FROM added"), 0);
	assert_int_equal(ask("s.db.v0", "SELECT count(*) FROM sqlite_master WHERE name = 'added'"), 0);
}

static int lose_all_and_crash(sqlite3 *db)
{
	int rc = sqlite3_exec(db, "DELETE FROM record; DELETE FROM log", NULL, NULL, NULL);

	crash("s.db", "killed.db");
	return rc;
}

static void a_kill_within_a_step_leaves_the_version_before_it(void **state)
{
	static const struct sk_store_step steps[] = { { "loss", lose_all_and_crash } };
	struct sk_migration m = { .path = in_folder("s.db"), .steps = steps, .from = 0, .to = 1 };
	struct sk_store *s;
	char why[500];

	(void)state;
	make("s.db");
	age("s.db");
	assert_int_equal(sqlite3_open(in_folder("s.db"), &m.db), SQLITE_OK);
	assert_int_equal(sk_store_migrate(&m, why, sizeof why), 0);
	sqlite3_close(m.db);
	assert_int_equal(ask("s.db", "SELECT count(*) FROM record"), 0);
	assert_int_equal(ask("killed.db", "PRAGMA user_version"), 0);
	s = open_store("killed.db");
	assert_int_equal(s->seq, 6);
	s->ops->close(s);
	assert_int_equal(ask("killed.db", "SELECT count(*) FROM record"), 5);
}

static void every_earlier_version_has_its_step(void **state)
{
	(void)state;
	for (int i = 0; i < SK_STORE_SCHEMA; i++)
		assert_true(sk_store_steps[i].run && sk_store_steps[i].what);
}

/* -- owners: as root the store is given to another user first -- */
static void assert_owner(const char *name, uid_t owner)
{
	struct stat st;

	assert_int_equal(stat(in_folder(name), &st), 0);
	assert_int_equal(st.st_uid, owner);
}

static void what_root_makes_belongs_to_the_stores_owner(void **state)
{
	static const char *const suffix[] = { "s.db", "s.db-wal", "s.db-shm" };
	uid_t owner = geteuid() ? geteuid() : 1234;

	(void)state;
	make("s.db");
	assert_int_equal(run(store_dump, "s.db", NULL), STORE_OK);
	spill("dump", out, strlen(out));
	assert_int_equal(chown(folder, owner, (gid_t)-1) || chown(in_folder("s.db"), owner, (gid_t)-1), 0);
	assert_int_equal(run(store_backup, "s.db", "copy.db"), STORE_OK);
	for (int i = 0; i < 3; i++)
		if (there(suffix[i]))
			assert_owner(suffix[i], owner);
	assert_owner("copy.db", geteuid());
	assert_int_equal(run(store_load, "new.db", "dump"), STORE_OK);
	assert_owner("new.db", owner);
	assert_int_equal(copy_with("s.db", "other.db", false, false), STORE_OK);
	assert_owner("other.db", owner);
	assert_int_equal(replace("s.db", "dump"), STORE_OK);
	assert_owner("s.db", owner);
	assert_false(there("s.db-wal") || there("s.db-shm") || there("new.db-wal") || there("new.db-shm"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dump_is_lines_of_json),
		TEST(a_log_is_dumped_as_a_broker_would_read_it),
		TEST(what_is_loaded_is_bit_for_bit_what_was_dumped),
		TEST(versions_go_on_where_the_dump_ended),
		TEST(a_store_in_use_is_left_to_its_broker),
		TEST(a_store_that_is_not_empty_is_replaced_only_when_told),
		TEST(an_empty_store_takes_a_dump),
		TEST(half_a_dump_loads_nothing),
		TEST(what_an_interrupted_load_left_is_cleared_away),
		TEST(every_line_that_is_wrong_is_named),
		TEST(without_memory_a_line_is_refused),
		TEST(check_names_every_fault),
		TEST(what_no_load_would_take_is_not_dumped),
		TEST(a_load_and_a_backup_keep_out_of_each_others_way),
		TEST(a_step_is_done_while_a_backup_reads),
		TEST(check_sees_a_log_that_contradicts_the_table),
		TEST(check_sees_broken_pages_and_files_that_are_no_store),
		TEST(stats_count_by_prefix),
		TEST(long_work_says_how_far_it_is),
		TEST(a_backup_never_writes_over_a_file),
		TEST(a_backup_without_room_leaves_nothing),
		TEST(a_dump_that_cannot_be_written_says_so),
		TEST(a_backup_holds_what_was_accepted_before_it_began),
		TEST(a_copy_holds_what_the_store_holds),
		TEST(a_copy_without_room_goes_on_when_there_is_some),
		TEST(a_copy_goes_on_behind_the_last_key_only_if_the_source_is_as_it_was),
		TEST(a_copy_takes_no_others_place_unless_told),
		TEST(a_store_with_faults_is_not_copied),
		TEST(what_differs_is_named),
		TEST(a_marker_is_read_as_it_was_written),
		TEST(every_key_is_written_in_its_partitions_commit),
		TEST(a_store_of_version_0_is_brought_up_to_date),
		TEST(a_version_0_with_a_log_keeps_its_log),
		TEST(without_room_a_store_migrates_without_a_copy),
		TEST(a_version_0_with_a_broken_log_is_not_touched),
		TEST(a_step_that_fails_leaves_the_version_before_it),
		TEST(a_kill_within_a_step_leaves_the_version_before_it),
		TEST(every_earlier_version_has_its_step),
		TEST(what_root_makes_belongs_to_the_stores_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
