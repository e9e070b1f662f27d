/* store_checkpoint.c -- copies the write-ahead log into the database file, on a connection and a thread of its own.
 *
 * Why a thread: a passive checkpoint does not disturb the committer's connection, but it takes as long as the disk takes for
 * up to 64 MiB, and in step() every commit would wait for it. Why step() has the last word: SQLite starts the WAL over only when
 * nothing was appended since it was copied, which never happens under load. So the thread copies the bulk, and step() the small
 * rest between two commits. SQLite syncs the file only with the last frame: the thread does that too for what it copied, or step() would wait for
 * all of it. With a simulated clock (options.now_us) there is no thread and step() does all of it.
 * Invariant: one checkpoint at a time; the state says whose turn it is. */
#include "core/store_internal.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	CACHE = 64,
	BUSY_FRAMES = 16384, IDLE_FRAMES = 256, /* of the WAL, 4 KiB each, that call for a checkpoint */
	MOST_FRAMES = 65536, /* 256 MiB: from here on commits wait for the checkpoint */
	SMALL_REST = 64, ROUNDS = 8,
	NICE = 19, /* at full load some 60 ms a second of a core, which is still twice what it needs */
	STACK = 256 * 1024, RETRY_US = 1000000,
	READER_US = 50000 /* when a reader's snapshot was in the way */
};

/* Frames that are left, or -1. */
static int checkpoint(struct sk_checkpointer *c)
{
	int frames = 0, copied = 0;
	int rc = sqlite3_wal_checkpoint_v2(c->table->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);

	return rc == SQLITE_OK ? frames - copied : -1;
}

static int checkpoint_bulk(struct sk_checkpointer *c)
{
	int rest = SMALL_REST + 1;

	for (int i = 0; i < ROUNDS && rest > SMALL_REST; i++) {
		rest = checkpoint(c);
		if (rest > 0 && fdatasync(c->fd))
			rest = -1;
	}
	return rest;
}

/* It competes with the broker and the committer for the cores, and can wait. Where this is not allowed it goes without. */
static void stand_back(void)
{
	pthread_setname_np(pthread_self(), "sk-checkpointer");
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	setpriority(PRIO_PROCESS, 0, NICE); /* of this thread only: Linux */
}

static void *work(void *arg)
{
	struct sk_checkpointer *c = arg;
	int rest;

	stand_back();
	pthread_mutex_lock(&c->lock);
	while (c->state != SK_CKPT_STOP) {
		if (c->state != SK_CKPT_WANTED) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		rest = checkpoint_bulk(c);
		pthread_mutex_lock(&c->lock);
		c->failed = rest < 0;
		if (c->state == SK_CKPT_WANTED)
			c->state = rest > 0 ? SK_CKPT_FINISH : SK_CKPT_IDLE;
		pthread_cond_broadcast(&c->wake); /* the committer may wait for it */
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool start_thread(struct sk_checkpointer *c)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int rc;

	if (pthread_attr_init(&attr))
		return false;
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, &attr, work, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return !rc;
}

int sk_checkpointer_start(struct sk_embedded *s)
{
	struct sk_checkpointer *c = &s->checkpointer;
	int rc;

	c->table = sk_table_open(s->path, CACHE, &rc);
	if (!c->table)
		return -1;
	c->fd = s->fd;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	c->threaded = !s->opt.now_us && start_thread(c);
	return 0;
}

void sk_checkpointer_stop(struct sk_embedded *s)
{
	struct sk_checkpointer *c = &s->checkpointer;

	if (!c->table)
		return;
	if (c->threaded) {
		pthread_mutex_lock(&c->lock);
		c->state = SK_CKPT_STOP;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	sk_table_close(c->table);
	c->table = NULL;
}

static bool due(struct sk_embedded *s, int64_t now_us, bool idle)
{
	int bound = idle ? IDLE_FRAMES : BUSY_FRAMES;

	if (s->wal_frames <= (s->refused ? 0 : bound) || now_us < s->checkpointer.not_before)
		return false;
	if (s->refused)
		s->checkpointer.not_before = now_us + RETRY_US;
	s->refused = false;
	return true;
}

static void step_alone(struct sk_embedded *s, int64_t now_us, bool idle)
{
	struct sk_checkpointer *c = &s->checkpointer;
	int rest;

	if (!due(s, now_us, idle))
		return;
	rest = checkpoint(c);
	SK_STORE_POINT(s, "checkpoint.done");
	if (rest == 0)
		s->wal_frames = 0;
	else
		c->not_before = now_us + RETRY_US;
}

/* A disk that copies more slowly than commits append would let the WAL grow without end: then commits wait, which the callers notice as
 * a longer queue. Not more often than a reader's snapshot can be in the way. */
void sk_checkpointer_catch_up(struct sk_embedded *s, int64_t now_us)
{
	struct sk_checkpointer *c = &s->checkpointer;

	if (!c->threaded || s->wal_frames <= MOST_FRAMES || now_us < c->not_before)
		return;
	pthread_mutex_lock(&c->lock);
	if (c->state == SK_CKPT_IDLE) {
		c->state = SK_CKPT_WANTED;
		pthread_cond_broadcast(&c->wake);
	}
	while (c->state == SK_CKPT_WANTED)
		pthread_cond_wait(&c->wake, &c->lock);
	pthread_mutex_unlock(&c->lock);
	sk_checkpointer_step(s, now_us, false);
	c->not_before = now_us + READER_US;
}

void sk_checkpointer_step(struct sk_embedded *s, int64_t now_us, bool idle)
{
	struct sk_checkpointer *c = &s->checkpointer;
	int rest;

	if (!c->threaded) {
		step_alone(s, now_us, idle);
		return;
	}
	if (c->failed) {
		c->failed = false;
		c->not_before = now_us + RETRY_US;
	}
	pthread_mutex_lock(&c->lock);
	if (c->state == SK_CKPT_FINISH) {
		rest = checkpoint(c);
		if (rest)
			c->not_before = now_us + (rest < 0 ? RETRY_US : READER_US);
		s->wal_frames = 0;
		c->state = SK_CKPT_IDLE;
	} else if (c->state == SK_CKPT_IDLE && due(s, now_us, idle)) {
		c->state = SK_CKPT_WANTED;
		s->wal_frames = 0;
		pthread_cond_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->lock);
}
