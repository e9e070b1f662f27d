/* store_bench.c -- the embedded store against plain SQLite that updates rows in place, in one run.
 *
 * For each batch size the two take turns: upserts of random documents of 200 to 2000 bytes among KEYS, each batch durable before
 * the next (synchronous=FULL, WAL). Medians of ROUNDS turns, and ratios: a burst is what an idle store takes before it must fold,
 * held includes the folding that step() does when the backlog is long. Then reads from the map and from the table, and the opening of a store with a full log.
 * The first argument is a folder on the disk to measure, default /tmp. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/store.h"

enum { KEYS = 50000, ROUNDS = 5, TURN_US = 500000, MAX_BATCH = 1024, READ_BATCH = 16, READS = 200000, BURST = 20000 };

struct item {
	struct sk_commit commit;
	struct sk_store_write write;
	char key[40], partition[24];
	size_t size;
};

static struct item items[MAX_BATCH];
static char document[2001], folder[200];
static size_t answered;
static unsigned seed = 1;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "store_bench: %s failed\n", what);
	exit(1);
}

static const char *path(const char *name, const char *suffix)
{
	static char text[300];

	snprintf(text, sizeof text, "%s/%s%s", folder, name, suffix);
	return text;
}

static void remove_store(const char *name)
{
	unlink(path(name, ""));
	unlink(path(name, "-wal"));
	unlink(path(name, "-shm"));
}

static struct sk_store *open_store(const char *name, size_t limit)
{
	char why[300], file[300];
	struct sk_store_options opt = { .path = file, .dirty_limit = limit, .log_limit = limit };
	struct sk_store *s;

	snprintf(file, sizeof file, "%s", path(name, ""));
	s = sk_store_open_embedded(&opt, why, sizeof why);
	if (!s)
		fprintf(stderr, "%s\n", why);
	must(s, "open");
	return s;
}

static void done(struct sk_commit *c)
{
	answered += c->status == SK_COMMIT_OK;
}

static void choose(struct item *item, int number)
{
	item->size = 200 + (size_t)(rand_r(&seed) % 1801);
	snprintf(item->partition, sizeof item->partition, "thing/t%d", number);
	snprintf(item->key, sizeof item->key, "%s/shadow", item->partition);
}

static void choose_batch(int batch)
{
	for (int i = 0; i < batch; i++)
		choose(&items[i], rand_r(&seed) % KEYS);
}

static void store_batch(struct sk_store *s, int batch)
{
	size_t before = answered;

	for (int i = 0; i < batch; i++) {
		struct item *item = &items[i];

		item->write = (struct sk_store_write){ .key = item->key, .bytes = sk_bytes_new(document, item->size) };
		item->commit = (struct sk_commit){
			.next = i + 1 < batch ? &items[i + 1].commit : NULL, .partition = item->partition, .writes = &item->write,
			.write_count = 1, .done = done,
		};
	}
	s->ops->submit(s, &items[0].commit);
	s->ops->step(s, now_us());
	must(answered == before + (size_t)batch, "commit");
	for (int i = 0; i < batch; i++)
		sk_bytes_unref(items[i].write.bytes);
}

/* -- plain SQLite -- */
struct plain {
	sqlite3 *db;
	sqlite3_stmt *upsert;
};

static void plain_sql(struct plain *p, const char *text)
{
	must(sqlite3_exec(p->db, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static void plain_open(struct plain *p)
{
	must(sqlite3_open(path("plain.db", ""), &p->db) == SQLITE_OK, "sqlite3_open");
	plain_sql(p, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384;"
		"CREATE TABLE record(id INTEGER PRIMARY KEY, key TEXT UNIQUE, version INTEGER, data BLOB)");
	must(sqlite3_prepare_v2(p->db, "INSERT INTO record(key, version, data) VALUES(?1, 1, ?2) ON CONFLICT(key) DO UPDATE SET"
		" version = version + 1, data = excluded.data", -1, &p->upsert, NULL) == SQLITE_OK, "prepare");
}

static void plain_batch(struct plain *p, int batch)
{
	plain_sql(p, "BEGIN");
	for (int i = 0; i < batch; i++) {
		sqlite3_bind_text(p->upsert, 1, items[i].key, -1, SQLITE_STATIC);
		sqlite3_bind_blob(p->upsert, 2, document, (int)items[i].size, SQLITE_STATIC);
		must(sqlite3_step(p->upsert) == SQLITE_DONE, "upsert");
		sqlite3_reset(p->upsert);
	}
	plain_sql(p, "COMMIT");
}

/* -- turns -- */
static double turn(struct sk_store *s, struct plain *p, int batch, size_t most)
{
	int64_t start = now_us(), end = start;
	size_t n = 0;

	for (; end - start < TURN_US && n < most; end = now_us()) {
		choose_batch(batch);
		if (s)
			store_batch(s, batch);
		else
			plain_batch(p, batch);
		n += (size_t)batch;
	}
	return (double)n * 1e6 / (double)(end - start);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *x)
{
	qsort(x, ROUNDS, sizeof *x, ascending);
	return x[ROUNDS / 2];
}

static void settle(struct sk_store *s)
{
	while (s->ops->step(s, now_us()) != INT64_MAX)
		;
}

static void commits(struct sk_store *s, struct plain *p)
{
	static const int batches[] = { 1, 16, 128, 1024 };
	double burst[ROUNDS], held[ROUNDS], theirs[ROUNDS];

	for (size_t b = 0; b < 4; b++) {
		for (int i = 0; i < ROUNDS; i++) {
			settle(s);
			theirs[i] = turn(NULL, p, batches[b], SIZE_MAX);
			burst[i] = turn(s, NULL, batches[b], BURST);
			held[i] = turn(s, NULL, batches[b], SIZE_MAX);
		}
		printf("commits, batch %d: burst %.0f/s, held %.0f/s, in place %.0f/s, ratios %.1f and %.1f\n", batches[b], median(burst),
			median(held), median(theirs), median(burst) / median(theirs), median(held) / median(theirs));
	}
}

/* -- reads -- */
struct reader {
	pthread_t thread;
	struct sk_store *s;
	unsigned seed;
};

static void *read_some(void *arg)
{
	struct reader *r = arg;
	struct sk_store_read reads[READ_BATCH];
	char key[READ_BATCH][40];

	for (int n = 0; n < READS; n += READ_BATCH) {
		for (int i = 0; i < READ_BATCH; i++) {
			snprintf(key[i], sizeof key[i], "thing/t%d/shadow", rand_r(&r->seed) % KEYS);
			reads[i] = (struct sk_store_read){ .key = key[i] };
		}
		must(!r->s->ops->read(r->s, reads, READ_BATCH), "read");
		for (int i = 0; i < READ_BATCH; i++)
			sk_bytes_unref(reads[i].bytes);
	}
	return NULL;
}

static void reads(struct sk_store *s, const char *from)
{
	for (int threads = 1; threads <= 2; threads++) {
		struct reader r[2];
		int64_t start = now_us();

		for (int i = 0; i < threads; i++) {
			r[i] = (struct reader){ .s = s, .seed = (unsigned)i };
			must(!pthread_create(&r[i].thread, NULL, read_some, &r[i]), "thread");
		}
		for (int i = 0; i < threads; i++)
			pthread_join(r[i].thread, NULL);
		printf("reads from the %s, %d thread%s: %.0f/s\n", from, threads, threads > 1 ? "s" : "",
			(double)READS * threads * 1e6 / (double)(now_us() - start));
	}
}

static void fill(struct sk_store *s, struct plain *p)
{
	for (int n = 0; n < KEYS; n += MAX_BATCH) {
		for (int i = 0; i < MAX_BATCH; i++)
			choose(&items[i], (n + i) % KEYS);
		store_batch(s, MAX_BATCH);
		if (p)
			plain_batch(p, MAX_BATCH);
	}
}

/* -- opening with a full log: a child leaves 256 MiB of it behind -- */
static void leave_log(void)
{
	struct sk_store *s = open_store("replay.db", (size_t)4 << 30);
	struct sk_store_stats stats;

	do {
		choose_batch(128);
		store_batch(s, 128);
		s->ops->stats(s, &stats);
	} while (stats.log_bytes < (size_t)256 << 20);
	_exit(0);
}

static void replay(void)
{
	struct sk_store_stats stats;
	struct sk_store *s;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		leave_log();
	must(waitpid(pid, &status, 0) == pid && status == 0, "child");
	s = open_store("replay.db", 0);
	s->ops->stats(s, &stats);
	printf("opening: %.2f s for a log of %.0f MiB in %llu rows, %llu records\n", (double)stats.open_us / 1e6,
		(double)stats.log_bytes / (1 << 20), (unsigned long long)stats.replayed_rows, (unsigned long long)stats.dirty_records);
	s->ops->close(s);
	remove_store("replay.db");
}

int main(int argc, char **argv)
{
	struct plain p;
	struct sk_store *s;

	snprintf(folder, sizeof folder, "%s/skeeter-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	must(mkdtemp(folder), "mkdtemp");
	memset(document, 'd', sizeof document - 1);
	plain_open(&p);
	s = open_store("ours.db", 0);
	fill(s, &p);
	commits(s, &p);
	settle(s);
	reads(s, "table");
	s->ops->close(s);
	remove_store("ours.db");
	s = open_store("map.db", (size_t)4 << 30);
	fill(s, NULL);
	reads(s, "map");
	s->ops->close(s);
	remove_store("map.db");
	sqlite3_finalize(p.upsert);
	sqlite3_close(p.db);
	remove_store("plain.db");
	replay();
	rmdir(folder);
	return 0;
}
