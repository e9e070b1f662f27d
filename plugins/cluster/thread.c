/* thread.c -- the thread that has the connections: what is queued goes out, what comes goes to the outbox, and every two seconds a sign of life.
 *
 * It waits in poll() or for the Redis, at most as long as the URL's timeout, and never for the broker's thread. */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/threads.h"
#include "plugins/cluster/cluster.h"

enum { END_MS = 1000, IDLE_MS = 500, SAY_MS = 10000, FULL_MS = 2, LINGER_NS = 200000 };

int64_t cluster_now(void)
{
	return sk_mono_us() / 1000;
}

void cluster_away(struct cluster *c, const char *why)
{
	int64_t now = cluster_now();

	if (!c->away && !c->end_at && now >= c->say_at) {
		sk_log('w', "cluster", "the Redis is away: %s: messages for other brokers wait", why);
		c->say_at = now + SAY_MS;
		c->said = true;
	}
	c->away = true;
}

void cluster_audience(struct cluster *c)
{
	const struct interest *i = &c->interest;

	atomic_store_explicit(&c->audience, !c->learned || i->filters || i->all ? SOMEBODY : i->others ? NO_FILTERS : NOBODY, memory_order_relaxed);
}

/* -- the queue -- */

static void take_chunk(struct cluster *c, struct chunk *k)
{
	struct frame_entry e;

	for (const char *at = k->bytes; entry_next(&at, k->bytes + k->used, &e);)
		if (e.kind == ENTRY_MESSAGE)
			way_message(c, &e);
		else
			talk_change(c, &e);
	atomic_fetch_sub_explicit(&c->q.bytes, k->used, memory_order_relaxed);
	queue_give_back(&c->q, k);
}

static void take_queue(struct cluster *c)
{
	struct chunk *next;

	for (struct chunk *k = c->learned ? queue_take(&c->q) : NULL; k; k = next) {
		next = k->next;
		c->took = true;
		take_chunk(c, k);
	}
}

/* -- waiting -- */

static bool queue_empty(struct cluster *c)
{
	pthread_mutex_lock(&c->q.lock);
	bool empty = !c->q.head;
	pthread_mutex_unlock(&c->q.lock);
	return empty || !c->learned;
}

static int64_t until_when(const struct cluster *c, int64_t send_at)
{
	int64_t now = cluster_now(), at = now + IDLE_MS;

	at = send_at < at ? send_at : at;
	at = c->beat_at < at ? c->beat_at : at;
	for (int i = 0; i < c->ears; i++)
		at = !c->ear[i].open && c->ear[i].retry_at < at ? c->ear[i].retry_at : at;
	at = c->given && now + FULL_MS * 50 < at ? now + FULL_MS * 50 : at;
	return at > now ? at - now : 0;
}

/* While messages come one after the other nobody has to ring for each: the thread looks again by itself. That spares the broker's thread a system call. */
static bool linger(struct cluster *c, struct pollfd *ears, nfds_t n)
{
	const struct timespec moment = { .tv_nsec = LINGER_NS };

	if (!c->took)
		return false;
	c->took = false;
	ppoll(ears, n, &moment, NULL);
	return !queue_empty(c);
}

static void rest(struct cluster *c, int64_t send_at)
{
	struct pollfd fds[1 + EARS] = { { .fd = c->q.event_fd, .events = POLLIN } };
	uint64_t rung;
	nfds_t n = 1;
	bool full = c->given > c->q.limit;

	if (!full && ears_pending(c))
		return;
	for (int i = 0; i < c->ears && !full; i++)
		if (c->ear[i].open)
			fds[n++] = (struct pollfd){ .fd = c->ear[i].node->link.fd, .events = POLLIN };
	if (linger(c, fds + 1, n - 1))
		return;
	atomic_store(&c->q.asleep, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (queue_empty(c) && !atomic_load(&c->stopping))
		poll(fds, n, full ? FULL_MS : (int)until_when(c, send_at));
	atomic_store(&c->q.asleep, false);
	if (fds[0].revents && read(c->q.event_fd, &rung, sizeof rung) < 0)
		return;
}

/* -- the loop -- */

static int64_t step(struct cluster *c)
{
	hear_room(c);
	if (!ears_open(c))
		talk_beat(c);
	take_queue(c);
	if (!ears_open(c))
		talk_filters(c);
	remembered_save(c);
	int64_t send_at = ways_send(c);
	ears_read(c);
	return send_at;
}

/* What waits has a moment. */
static void finish(struct cluster *c)
{
	c->end_at = cluster_now() + END_MS;
	take_queue(c);
	remembered_save(c);
	while (!c->away && ways_send(c) != INT64_MAX && cluster_now() < c->end_at)
		usleep(1000);
	if (!c->away)
		talk_bye(c);
	ears_close(c);
}

static void *run(void *arg)
{
	struct cluster *c = arg;

	pthread_setname_np(pthread_self(), "sk-cluster");
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	while (!atomic_load(&c->stopping))
		rest(c, step(c));
	finish(c);
	return NULL;
}

static void clear(struct cluster *c)
{
	for (int k = 0; k < BROKERS; k++)
		way_close(c, &c->interest.other[k]);
	interest_free(&c->interest);
	strings_free(&c->own);
	strings_free(&c->pending);
	redis_route_free(c->route);
	c->route = NULL;
}

int thread_start(struct cluster *c)
{
	sigset_t all, before;
	int rc;

	c->sharded = c->url.kind == REDIS_CLUSTER;
	c->route = redis_route_new(&c->url, cluster_now);
	if (!c->route || interest_init(&c->interest)) {
		clear(c);
		return -1;
	}
	cluster_audience(c);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		clear(c);
	c->started = !rc;
	return rc ? -1 : 0;
}

void thread_stop(struct cluster *c)
{
	uint64_t one = 1;

	if (!c->started)
		return;
	atomic_store(&c->stopping, true);
	if (write(c->q.event_fd, &one, sizeof one) == sizeof one)
		pthread_join(c->thread, NULL);
	c->started = false;
	clear(c);
}
