/* store_redis_down.c -- a Redis that does not answer, or that refuses: told in one line each way.
 *
 * A bucket that is down fails everything at once, so that callers hear 503 now and not after a time limit each. The knocker asks until
 * it answers; where a batch may still happen it sends an empty one behind it, after which the earlier one is refused. */
#include "core/store_redis.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PAUSE_MS = 100, PAUSE_MOST_MS = 2000, SORT_MS = 250, SORT_PAUSE_MS = 20, CALM_MS = 1000 };

/* What a server says that may serve again in a while. */
bool sk_redis_not_now(const redisReply *r)
{
	static const char *const codes[] = { "CLUSTERDOWN", "LOADING", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "UNBLOCKED" };

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (sk_redis_error(r, codes[i]))
			return true;
	return false;
}

static const struct { const char *code, *why; } refusals[] = { /* for callers; nothing stands in them that is not theirs to know */
	{ "OOM", "the store's Redis is full" },
	{ "READONLY", "the store's Redis is read-only" },
	{ "MISCONF", "the store's Redis cannot write to its disk" },
	{ "NOREPLICAS", "the store's Redis has too few replicas" },
	{ "NOPERM", "the store's Redis does not allow it" },
	{ "NOAUTH", "the store's Redis does not know us" },
};

/* Where it is full to the brim each batch is another answer: the log has two lines a second at most, and so it has where one master of a
 * Cluster refuses and others do not. */
const char *sk_redis_refused(struct sk_redis *s, const redisReply *r)
{
	const char *why = r->type == REDIS_REPLY_ERROR ? "the store's Redis refuses" : NULL;
	int64_t now = sk_redis_now_ms();

	for (size_t i = 0; why && i < sizeof refusals / sizeof *refusals; i++)
		if (sk_redis_error(r, refusals[i].code))
			why = refusals[i].why;
	if (why)
		s->refused_ms = now;
	if (s->refusing == why || (!why && now - s->refused_ms < CALM_MS))
		return why;
	if (why && !s->refusing)
		sk_redis_say(s, 'e', "%s: changes are refused (%s: %s)", why, s->shown, r->str);
	else if (!why)
		sk_redis_say(s, 'n', "the store's Redis takes changes again (%s)", s->shown);
	s->refusing = why;
	return why;
}

static void say_away(struct sk_redis *s, int n, const char *why)
{
	if (n == s->buckets)
		sk_redis_say(s, 'e', "the store's Redis does not answer: everything that needs it is refused until it does (%s: %s)", s->shown, why);
	else
		sk_redis_say(s, 'e', "a part of the store's Redis Cluster does not answer, %d of %d buckets: what needs it is refused until it does (%s: %s)",
			n, s->buckets, s->shown, why);
}

/* Of a Cluster too all buckets are down at first: each one that is on the lost node would cost a time limit before that is known. The
 * knocker asks them all at once, and only those that do not answer it stay. */
void sk_redis_away(struct sk_redis *s, const char *why, int64_t began_ms)
{
	bool tell;

	pthread_mutex_lock(&s->down_lock);
	if (began_ms <= s->back_ms) { /* it was asked on a connection of before */
		pthread_mutex_unlock(&s->down_lock);
		return;
	}
	if (!atomic_load(&s->down))
		s->since_ms = sk_redis_now_ms();
	for (int i = 0; i < s->buckets; i++)
		atomic_store(&s->bucket[i].down, true);
	atomic_store(&s->down, s->buckets);
	s->fresh = true;
	snprintf(s->why, sizeof s->why, "%s", why);
	tell = !s->told && s->url.kind != REDIS_CLUSTER;
	s->told |= tell;
	pthread_cond_signal(&s->down_changed);
	pthread_mutex_unlock(&s->down_lock);
	if (tell)
		say_away(s, s->buckets, why);
}

static void back(struct sk_redis *s, struct sk_redis_bucket *b)
{
	pthread_mutex_lock(&s->down_lock);
	if (atomic_exchange(&b->down, false) && atomic_fetch_sub(&s->down, 1) == 1)
		s->back_ms = sk_redis_now_ms();
	pthread_mutex_unlock(&s->down_lock);
}

/* After each knock, when it is known how much is away. */
static void say_state(struct sk_redis *s)
{
	char why[sizeof s->why];
	double seconds;
	int n;
	bool told;

	pthread_mutex_lock(&s->down_lock);
	n = atomic_load(&s->down);
	told = s->told;
	s->told = n > 0;
	seconds = (double)(sk_redis_now_ms() - s->since_ms) / 1000;
	memcpy(why, s->why, sizeof why);
	pthread_mutex_unlock(&s->down_lock);
	if (n && !told)
		say_away(s, n, why);
	else if (!n)
		sk_redis_say(s, 'n', "the store's Redis answers again after %.1f s (%s%s%s)", seconds, s->shown, told ? "" : ": ", told ? "" : why);
}

/* -- the knocker -- */
static void ask_bucket(struct sk_redis *s, struct sk_redis_asks *a, struct sk_redis_bucket *b)
{
	if (!sk_redis_ask_add(a, b->slot, b->unknown ? &s->script[SK_REDIS_COMMIT] : NULL))
		return;
	if (b->unknown) {
		b->number++;
		sk_redis_batch(&a->text, s, b, 0);
		return;
	}
	redis_begin(&a->text, 3);
	redis_name(&a->text, "HGET");
	sk_redis_key(&a->text, b, SK_REDIS_FACTS);
	redis_name(&a->text, "v");
}

static bool answers(const struct redis_ask *ask)
{
	return ask->reply && !sk_redis_not_now(ask->reply) && !sk_redis_error(ask->reply, "NOAUTH") && !sk_redis_error(ask->reply, "NOPERM");
}

/* A server that was emptied and set up anew with other buckets is not ours to write to. */
static int is_ours(struct sk_redis *s, struct sk_redis_route *r, int64_t limit)
{
	static const char *const other = "the store's Redis is another store now: restart the broker";
	char id[40], why[256];
	int rc = sk_redis_meta(s, r->route, sk_redis_now_ms() + limit, id, why, sizeof why);

	if (rc == -2 && !atomic_exchange(&s->unusable, other))
		sk_redis_say(s, 'e', "%s (%s)", other, why);
	return rc == -1 && s->url.kind == REDIS_CLUSTER ? 0 : rc; /* its node may be another one than theirs */
}

static void knock(struct sk_redis *s, int64_t limit)
{
	struct sk_redis_asks a = { 0 };
	struct sk_redis_route *r = sk_redis_take(s);
	struct sk_redis_bucket *asked[SK_REDIS_BUCKETS];
	size_t n = 0;

	for (int i = 0; r && i < s->buckets; i++)
		if (atomic_load(&s->bucket[i].down) && !atomic_load(&s->bucket[i].busy)) {
			ask_bucket(s, &a, &s->bucket[i]);
			asked[n++] = &s->bucket[i];
		}
	if (r && n)
		sk_redis_ask_all(&a, r->route, sk_redis_now_ms() + limit);
	if (!a.failed && !a.text.failed && n && is_ours(s, r, limit) != -1)
		for (size_t i = 0; i < n; i++)
			if (answers(&a.ask[i])) {
				asked[i]->unknown &= a.ask[i].reply->type == REDIS_REPLY_ERROR;
				back(s, asked[i]);
			}
	sk_redis_asks_free(&a);
	if (r)
		sk_redis_give(s, r);
	say_state(s);
}

/* true: stop. */
static bool rest(struct sk_redis *s, int64_t ms)
{
	struct timespec t;
	int64_t when = sk_redis_now_ms() + ms;
	bool stop;

	t = (struct timespec){ .tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000 };
	pthread_mutex_lock(&s->down_lock);
	while (!s->stop && pthread_cond_timedwait(&s->down_changed, &s->down_lock, &t) != ETIMEDOUT)
		;
	stop = s->stop;
	pthread_mutex_unlock(&s->down_lock);
	return stop;
}

static bool wait_for_trouble(struct sk_redis *s)
{
	bool stop;

	pthread_mutex_lock(&s->down_lock);
	while (!s->stop && !atomic_load(&s->down))
		pthread_cond_wait(&s->down_changed, &s->down_lock);
	stop = s->stop;
	pthread_mutex_unlock(&s->down_lock);
	return stop;
}

static bool take_fresh(struct sk_redis *s)
{
	bool fresh;

	pthread_mutex_lock(&s->down_lock);
	fresh = s->fresh;
	s->fresh = false;
	pthread_mutex_unlock(&s->down_lock);
	return fresh;
}

static void *knocker(void *arg)
{
	struct sk_redis *s = arg;
	int64_t pause = PAUSE_MS;

	pthread_setname_np(pthread_self(), "sk-knocker");
	while (!wait_for_trouble(s)) {
		bool sort = take_fresh(s) && s->url.kind == REDIS_CLUSTER;

		if (rest(s, sort ? SORT_PAUSE_MS : pause)) /* the committer lets go of its buckets meanwhile */
			break;
		knock(s, sort && s->url.timeout_ms > SORT_MS ? SORT_MS : s->url.timeout_ms);
		pause = !atomic_load(&s->down) || sort ? PAUSE_MS : pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
	}
	return NULL;
}

int sk_redis_knocker_start(struct sk_redis *s)
{
	sigset_t all, before;

	sigfillset(&all); /* signals are the broker thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->knocking = !pthread_create(&s->knocker, NULL, knocker, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return s->knocking ? 0 : -1;
}

void sk_redis_knocker_stop(struct sk_redis *s)
{
	if (!s->knocking)
		return;
	pthread_mutex_lock(&s->down_lock);
	s->stop = true;
	pthread_cond_broadcast(&s->down_changed);
	pthread_mutex_unlock(&s->down_lock);
	pthread_join(s->knocker, NULL);
	s->knocking = false;
}
