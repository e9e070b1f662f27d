/* sim_host_file.c -- the embedded store under the simulated world: a file in memory, the world's clock, no thread.
 *
 * A crash is what kill -9 leaves: the database and its WAL are copied as they are, at the point at which it happens, and the copy is
 * opened. Invariant: from the copy on nothing that the old store does is looked at. */
#include "tests/unit/sim_host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRTY = 24000, LOG = 48000, LOOK_US = 200 };

static struct sim_store *now; /* the store's clock and points have no argument */
static int looks;
static const char *const suffix[] = { "", "-wal", "-shm", "-journal" };

/* Each look at the clock takes time, so that a fold ends within its budget. */
static int64_t clock_us(void)
{
	return now->sim->mono_us + LOOK_US * ++looks;
}

static void stop(const char *what)
{
	fprintf(stderr, "the simulated store's file: %s\n", what);
	abort();
}

/* -- files -- */

static void copy_one(const char *from, const char *to)
{
	struct stat st;
	int in = open(from, O_RDONLY), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	off_t at = 0;
	if (in >= 0 && (out < 0 || fstat(in, &st)))
		stop("it cannot be copied");
	while (in >= 0 && at < st.st_size)
		if (sendfile(out, in, &at, (size_t)(st.st_size - at)) <= 0)
			stop("it cannot be copied");
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
}

static void name_next(struct sim_store *s, char *path, size_t size)
{
	snprintf(path, size, "%s/%u.db", s->folder, s->files + 1);
}

static void copy_files(struct sim_store *s)
{
	char to[96], a[120], b[120];
	name_next(s, to, sizeof to);
	for (int i = 0; i < 2; i++) {
		snprintf(a, sizeof a, "%s%s", s->path, suffix[i]);
		snprintf(b, sizeof b, "%s%s", to, suffix[i]);
		copy_one(a, b);
	}
	s->copied = true;
}

static void remove_files(const char *path)
{
	char name[120];
	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static void point(const char *name)
{
	bool crashed = now->sim->crashed;
	SK_POINT(&now->sim->host, name);
	if (!crashed && now->sim->crashed)
		copy_files(now);
}

/* -- life -- */

static void make_folder(struct sim_store *s)
{
	snprintf(s->folder, sizeof s->folder, "%s/skeeter-sim-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(s->folder))
		stop("no folder for it");
	name_next(s, s->path, sizeof s->path);
	s->files = 1;
}

void sim_file_open(struct sim_store *s)
{
	char why[300];
	if (s->file)
		return;
	if (!*s->folder)
		make_folder(s);
	now = s;
	looks = 0;
	s->file = sk_store_open_embedded(&(struct sk_store_options){ .path = s->path, .dirty_limit = DIRTY, .log_limit = LOG, .now_us = clock_us, .point = point },
	                                 why, sizeof why);
	if (!s->file)
		stop(why);
	s->store.seq = s->file->seq;
}

void sim_file_close(struct sim_store *s)
{
	looks = 0;
	s->file->ops->close(s->file);
	s->file = NULL;
	if (s->sim->crashed) /* while it closed */
		sim_file_crash(s);
}

void sim_file_crash(struct sim_store *s)
{
	char next[96];
	if (!s->copied)
		copy_files(s);
	if (s->file)
		s->file->ops->close(s->file);
	s->file = NULL;
	remove_files(s->path);
	name_next(s, next, sizeof next);
	snprintf(s->path, sizeof s->path, "%s", next);
	s->files++;
	s->copied = false;
}

void sim_file_free(struct sim_store *s)
{
	s->sim->crash_at = NULL;
	sk_bytes_unref(s->shown);
	if (s->file)
		s->file->ops->close(s->file);
	remove_files(s->path);
	rmdir(s->folder);
	now = NULL;
}

void sim_file_remove_now(void)
{
	char path[96];
	for (unsigned i = 1; now && i <= now->files + 1; i++) {
		snprintf(path, sizeof path, "%s/%u.db", now->folder, i);
		remove_files(path);
	}
	if (now)
		rmdir(now->folder);
}

/* -- work -- */

static int64_t step(struct sim_store *s)
{
	looks = 0;
	int64_t next = s->file->ops->step(s->file, s->sim->mono_us);
	s->store.seq = s->file->seq;
	return next;
}

int64_t sim_file_step(struct sim_store *s)
{
	return step(s);
}

void sim_file_commit(struct sim_store *s, struct sk_commit *list)
{
	s->file->ops->submit(s->file, list);
	step(s);
	SK_POINT(&s->sim->host, "store.durable");
}

static void stored(struct sk_commit *c)
{
	(void)c;
}

void sim_file_put(struct sim_store *s, const struct sk_store_write *w)
{
	char partition[SK_KEY_MAX];
	snprintf(partition, sizeof partition, "%.*s", (int)sk_key_partition(w->key), w->key);
	struct sk_store_write copy = *w;
	struct sk_commit c = { .partition = partition, .writes = &copy, .write_count = 1, .done = stored };
	const char *crash_at = s->sim->crash_at;
	s->sim->crash_at = NULL;
	s->file->ops->submit(s->file, &c);
	step(s);
	s->sim->crash_at = crash_at;
	if (c.status != SK_COMMIT_OK)
		stop("a foreign write was refused");
}

struct sk_store_read sim_file_read(struct sim_store *s, const char *key)
{
	struct sk_store_read read = { .space = SK_RECORD, .key = key };
	if (s->file->ops->read(s->file, &read, 1))
		stop("it cannot be read");
	sk_bytes_unref(s->shown);
	s->shown = read.bytes;
	return read;
}
