/* engine_folder.c -- see engine_folder.h. A set of rules is made beside those in force, then the broker's thread exchanges them in one step.
 *
 * The folder's thread alone reads files; what it hands to the broker's thread it does not touch until that is through with it. */
#include "core/threads.h"
#include "plugins/rules/engine_folder.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/rules/engine_files.h"

enum { SETTLE_MS = 200 };   /* an editor writes a file in several steps */

struct folder {
	struct rules_engine *engine;
	char *path;
	struct folder_set *now;  /* in force */
	int notify, bell;
	atomic_bool stop, again;
	pthread_t id;
	bool started;
	sem_t swapped;
};

/* -- exchanging: the thread waits for the broker's, but not when that waits for it, at the end -- */

enum { PENDING, DONE, ABANDONED };
struct exchange {
	struct folder *folder;
	struct folder_set *next;
	char why[256];
	int rc;
	atomic_int state;  /* abandoned: whoever finds it so frees it and the set */
};

/* When it is done it is the folder's thread's, which does not wait for the bell. */
static void end(struct exchange *x)
{
	struct folder *f = x->folder;
	int pending = PENDING;
	if (atomic_compare_exchange_strong(&x->state, &pending, DONE)) {
		sem_post(&f->swapped);
		return;
	}
	folder_set_free(&x->next);
	free(x);
}

static void exchange(void *arg)
{
	struct exchange *x = arg;
	if (atomic_load(&x->state) == PENDING)
		x->rc = folder_set_swap(x->folder->engine, x->folder->now, x->next, x->why, sizeof x->why);
	end(x);
}

static void never(void *arg)
{
	struct exchange *x = arg;
	x->rc = sk_why(x->why, sizeof x->why, "the broker ends");
	end(x);
}

static int push(struct folder *f, struct exchange *x)
{
	struct sk_runtime *rt = f->engine->rt;
	struct sk_out_list out;
	sk_out_list_init(&out);
	struct sk_outgoing *item = sk_out_add(&out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return -1;
	item->call = exchange;
	item->drop = never;
	item->state = x;
	sk_outbox_push(&rt->outbox, &out, rt->host);
	return 0;
}

/* 0: `next` is in force. Else it is freed. */
static int hand_over(struct folder *f, struct folder_set *next, char *why, size_t why_size)
{
	struct exchange *x = calloc(1, sizeof *x);
	int pending = PENDING;
	if (x)
		*x = (struct exchange){ .folder = f, .next = next };
	if (!x || push(f, x)) {
		free(x);
		folder_set_free(&next);
		return sk_why(why, why_size, "memory is out");
	}
	while (atomic_load(&x->state) == PENDING && !atomic_load(&f->stop))
		sk_wait_posted(&f->swapped, sk_mono_us() + 1000000);
	if (atomic_compare_exchange_strong(&x->state, &pending, ABANDONED))
		return sk_why(why, why_size, "the broker ends");
	int rc = x->rc ? sk_why(why, why_size, "%s", x->why) : 0;
	if (rc)
		folder_set_free(&next);
	free(x);
	return rc;
}

/* told: SIGHUP. Then the set is put in force even if it is what it was: a rule may have had to wait until its name was free. */
static void look_again(struct folder *f, bool told)
{
	char why[512];
	struct folder_set *next = folder_set_read(f->engine, f->path, f->now, why, sizeof why);
	if (next && !told && folder_set_same(f->now, next)) {
		folder_set_free(&next);
		return;
	}
	if (!next || hand_over(f, next, why, sizeof why)) {
		if (!atomic_load(&f->stop))
			sk_log('e', "rules", "%s: the rules of before stay in force", why);
		return;
	}
	folder_set_free(&f->now);
	f->now = next;
	sk_log('n', "rules", "%zu rules of %zu files in %s are in force", folder_set_rules(next), folder_set_files(next), f->path);
}

/* -- the thread -- */

static void empty(int fd)
{
	char events[4096];
	while (read(fd, events, sizeof events) > 0)
		continue;
}

/* Until nothing has changed for a while. */
static void settle(struct folder *f)
{
	struct pollfd p = { .fd = f->notify, .events = POLLIN };
	empty(f->notify);
	while (!atomic_load(&f->stop) && p.fd >= 0 && poll(&p, 1, SETTLE_MS) > 0)
		empty(f->notify);
}

static void *loop(void *arg)
{
	struct folder *f = arg;
	folder_set_check(f->engine, f->now);
	while (!atomic_load(&f->stop)) {
		struct pollfd p[2] = { { .fd = f->bell, .events = POLLIN }, { .fd = f->notify, .events = POLLIN } };
		poll(p, f->notify < 0 ? 1 : 2, -1);
		empty(f->bell);
		bool told = atomic_exchange(&f->again, false);
		if (!told)
			settle(f);
		if (!atomic_load(&f->stop))
			look_again(f, told);
	}
	return NULL;
}

void folder_reload(struct folder *f)
{
	uint64_t one = 1;
	atomic_store(&f->again, true);
	if (write(f->bell, &one, sizeof one) < 0)
		return; /* it is full: it rings already */
}

static void watch(struct folder *f)
{
	f->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = f->notify < 0 ? -1 : inotify_add_watch(f->notify, f->path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
	if (rc < 0)
		sk_log('w', "rules", "changes in %s cannot be watched: send SIGHUP after a change", f->path);
}

void folder_start(struct folder *f)
{
	sigset_t all, before;
	watch(f);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	f->started = !pthread_create(&f->id, NULL, loop, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (f->started)
		pthread_setname_np(f->id, "sk-rule-files");
	else
		sk_log('e', "rules", "a thread cannot be started: changes in %s are not seen", f->path);
}

void folder_stop(struct folder *f)
{
	if (!f->started)
		return;
	atomic_store(&f->stop, true);
	folder_reload(f);
	pthread_join(f->id, NULL);
	f->started = false;
}

/* -- life -- */

struct folder *folder_open(struct rules_engine *e, const char *path, char *why, size_t why_size)
{
	struct folder *f = calloc(1, sizeof *f);
	if (!f) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	f->engine = e;
	f->notify = -1;
	f->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sem_init(&f->swapped, 0, 0);
	f->path = strdup(path);
	f->now = f->path ? folder_set_read(e, path, NULL, why, why_size) : NULL;
	if (!f->path)
		sk_why(why, why_size, "memory is out");
	if (!f->now || folder_set_swap(e, NULL, f->now, why, why_size))
		folder_free(&f);
	return f;
}

void folder_free(struct folder **at)
{
	struct folder *f = *at;
	*at = NULL;
	if (!f)
		return;
	folder_set_free(&f->now);
	if (f->notify >= 0)
		close(f->notify);
	if (f->bell >= 0)
		close(f->bell);
	sem_destroy(&f->swapped);
	free(f->path);
	free(f);
}
