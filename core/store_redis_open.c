/* store_redis_open.c -- finds out whether the Redis is one that a store can be in, and waits for one that is still starting.
 *
 * Nothing is written before version and record are known to be ours. Buckets are what the record says: the URL only says of a new store. */
#include "core/store_redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/why.h"

enum { BUCKETS_ONE = 16, BUCKETS_CLUSTER = 64, TRY_MS = 1000, VERSION = 7 };

bool sk_store_is_url(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz+");

	return n && !strncmp(text + n, "://", 3);
}

static uint64_t draw(void)
{
	uint64_t n = 0;

	while (getrandom(&n, sizeof n, 0) != sizeof n)
		;
	return n;
}

/* -- waiting -- */
static bool hopeless(const char *why)
{
	static const char *const words[] = { "WRONGPASS", "NOAUTH", "NOPERM", "invalid password", "invalid username" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(why, words[i]))
			return true;
	return false;
}

/* Until it answers, or the time is over; says once that it waits. */
static int wait_for(struct sk_redis *s, struct redis_route *r, char *why, size_t why_size)
{
	int64_t end = sk_redis_now_ms() + s->opt.wait_ms, now;
	bool told = false;

	for (;;) {
		now = sk_redis_now_ms();
		if (redis_route_masters(r, now + s->url.timeout_ms) > 0) {
			struct sk_redis_asks a = { 0 };
			bool good = sk_redis_ask_add(&a, REDIS_ANY_SLOT, NULL);

			redis_words(&a.text, (const char *const[]){ "PING" }, 1);
			good = good && !sk_redis_ask_all(&a, r, now + s->url.timeout_ms) && !sk_redis_not_now(a.ask->reply);
			sk_redis_asks_free(&a);
			if (good)
				return 0;
		}
		if (hopeless(redis_route_why(r)) || sk_redis_now_ms() >= end)
			return sk_why(why, why_size, "the store %s does not answer: %s", s->shown, redis_route_why(r));
		if (!told)
			sk_redis_say(s, 'w', "waiting up to %.0f s for the store %s: %s", (double)s->opt.wait_ms / 1000, s->shown, redis_route_why(r));
		told = true;
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
}

/* -- what servers say of themselves -- */
static bool info_field(const char *info, const char *name, char *value, size_t size)
{
	const char *at = info;
	size_t n = strlen(name);

	for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, name, n) && at[n] == ':') {
			snprintf(value, size, "%.*s", (int)strcspn(at + n + 1, "\r\n"), at + n + 1);
			return true;
		}
	return false;
}

static int judge_info(struct sk_redis *s, const char *info, bool warn, char *why, size_t why_size)
{
	char value[64];

	if (!info_field(info, "redis_version", value, sizeof value) || atoi(value) < VERSION)
		return sk_why(why, why_size, "the store %s is Redis %.20s, at least %d.0 is needed", s->shown, *value ? value : "?", VERSION);
	if (warn && info_field(info, "maxmemory_policy", value, sizeof value) && strcmp(value, "noeviction"))
		sk_redis_say(s, 'w', "the store's Redis has maxmemory-policy %s: when it is full it will drop records; set maxmemory-policy noeviction (%s)", value, s->shown);
	if (warn && info_field(info, "aof_enabled", value, sizeof value) && strcmp(value, "1"))
		sk_redis_say(s, 'w', "the store's Redis has appendonly no: what was accepted is lost when it ends; set appendonly yes (%s)", s->shown);
	return 0;
}

static int check_servers(struct sk_redis *s, struct redis_route *r, char *why, size_t why_size)
{
	struct sk_redis_asks a = { 0 };
	int masters = redis_route_masters(r, sk_redis_now_ms() + s->url.timeout_ms), rc = 0;

	for (int i = 0; i < masters; i++) {
		struct redis_ask *ask = sk_redis_ask_add(&a, REDIS_ANY_SLOT, NULL);
		if (!ask)
			break;
		ask->node = i;
		redis_words(&a.text, (const char *const[]){ "INFO" }, 1);
	}
	if (masters <= 0 || sk_redis_ask_all(&a, r, sk_redis_now_ms() + s->url.timeout_ms))
		rc = sk_why(why, why_size, "the store %s does not answer: %s", s->shown, redis_route_why(r));
	for (int i = 0; !rc && i < masters; i++) {
		const redisReply *reply = a.ask[i].reply;

		if (reply->type == REDIS_REPLY_STRING)
			rc = judge_info(s, reply->str, !i, why, why_size);
		else
			rc = sk_why(why, why_size, "the store %s: INFO: %s", s->shown, reply->type == REDIS_REPLY_ERROR ? reply->str : "something else");
	}
	sk_redis_asks_free(&a);
	return rc;
}

/* -- its record -- */
static int judge_meta(struct sk_redis *s, const redisReply *reply, char *id, char *why, size_t why_size)
{
	int format, buckets;

	if (reply->type == REDIS_REPLY_ERROR)
		return sk_why(why, why_size, "the store %s: %s", s->shown, reply->str);
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || !sk_redis_version(reply->element[0]) || !sk_redis_version(reply->element[1]) ||
	    reply->element[2]->type != REDIS_REPLY_STRING)
		return sk_why(why, why_size, "%s%s in %s is not a store's record: nothing was touched", s->url.prefix, "{skeeter}meta", s->shown);
	format = (int)sk_redis_version(reply->element[0]);
	buckets = (int)sk_redis_version(reply->element[1]);
	if (format != SK_REDIS_FORMAT)
		return sk_why(why, why_size, "the store %s has format %d, this build knows %d: nothing was touched", s->shown, format, SK_REDIS_FORMAT);
	if (buckets > SK_REDIS_BUCKETS || (s->bucket && buckets != s->buckets))
		return sk_why(why, why_size, "the store %s has %d buckets now", s->shown, buckets);
	if (!s->bucket) /* other threads read it from then on */
		s->buckets = buckets;
	snprintf(id, 40, "%.39s", reply->element[2]->str);
	return 0;
}

static void ask_meta(struct sk_redis *s, struct sk_redis_asks *a)
{
	if (!sk_redis_ask_add(a, sk_redis_own_slot(s), NULL))
		return;
	redis_begin(&a->text, 5);
	redis_name(&a->text, "HMGET");
	sk_redis_own(&a->text, s, "meta");
	redis_name(&a->text, "format");
	redis_name(&a->text, "buckets");
	redis_name(&a->text, "id");
}

static void make_meta(struct sk_redis *s, struct sk_redis_asks *a)
{
	char fresh[40];

	if (!sk_redis_ask_add(a, sk_redis_own_slot(s), &s->script[SK_REDIS_META]))
		return;
	sk_redis_call(&a->text, &s->script[SK_REDIS_META], 1, 3);
	sk_redis_own(&a->text, s, "meta");
	redis_number(&a->text, SK_REDIS_FORMAT);
	redis_number(&a->text, (unsigned)s->buckets);
	redis_word(&a->text, fresh, (size_t)snprintf(fresh, sizeof fresh, "%016llx", (unsigned long long)draw()));
}

static bool is_absent(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements == 3 && r->element[0]->type == REDIS_REPLY_NIL &&
		r->element[1]->type == REDIS_REPLY_NIL && r->element[2]->type == REDIS_REPLY_NIL;
}

/* A server that is full or read-only takes no script that might write: what is there is only looked at. */
int sk_redis_meta(struct sk_redis *s, struct redis_route *r, int64_t until, char id[40], char *why, size_t why_size)
{
	struct sk_redis_asks a = { 0 };
	int rc;

	ask_meta(s, &a);
	if (!sk_redis_ask_all(&a, r, until) && is_absent(a.ask->reply)) {
		sk_redis_asks_clear(&a);
		make_meta(s, &a);
		sk_redis_ask_all(&a, r, until);
	}
	if (a.failed || a.text.failed)
		rc = sk_why(why, why_size, "memory is out");
	else if (!a.ask->reply || sk_redis_not_now(a.ask->reply))
		rc = sk_why(why, why_size, "the store %s does not answer: %s", s->shown, redis_route_why(r));
	else
		rc = judge_meta(s, a.ask->reply, id, why, why_size) ? a.ask->reply->type == REDIS_REPLY_ERROR ? -1 : -2 : 0;
	sk_redis_asks_free(&a);
	return rc;
}

static int make_buckets(struct sk_redis *s, char *why, size_t why_size)
{
	s->bucket = calloc((size_t)s->buckets, sizeof *s->bucket);
	if (!s->bucket)
		return sk_why(why, why_size, "memory is out");
	for (int i = 0; i < s->buckets; i++) {
		struct sk_redis_bucket *b = &s->bucket[i];
		int n = snprintf(b->tag, sizeof b->tag, "%s{%03d}", s->url.prefix, i);

		b->slot = (int)redis_slot(b->tag, (size_t)n);
	}
	return 0;
}

/* The newest version there is, so that what is written from here on is newer, and who scans may rely on it. */
static int learn_seq(struct sk_redis *s, struct redis_route *r, char *why, size_t why_size)
{
	struct sk_redis_asks a = { 0 };
	int rc = 0;

	for (int i = 0; i < s->buckets && sk_redis_ask_add(&a, s->bucket[i].slot, NULL); i++) {
		redis_begin(&a.text, 3);
		redis_name(&a.text, "HGET");
		sk_redis_key(&a.text, &s->bucket[i], SK_REDIS_FACTS);
		redis_name(&a.text, "v");
	}
	if (sk_redis_ask_all(&a, r, sk_redis_now_ms() + s->url.timeout_ms))
		rc = sk_why(why, why_size, "the store %s does not answer: %s", s->shown, redis_route_why(r));
	for (size_t i = 0; !rc && i < a.n; i++) {
		if (a.ask[i].reply->type == REDIS_REPLY_ERROR)
			rc = sk_why(why, why_size, "the store %s: %s", s->shown, a.ask[i].reply->str);
		else
			sk_redis_raise_seq(s, sk_redis_version(a.ask[i].reply));
	}
	sk_redis_asks_free(&a);
	return rc;
}

static int find_out(struct sk_redis *s, char *why, size_t why_size)
{
	struct sk_redis_route *r = sk_redis_take(s);
	char id[40];
	int rc;

	if (!r)
		return sk_why(why, why_size, "memory is out");
	rc = wait_for(s, r->route, why, why_size) || check_servers(s, r->route, why, why_size) ||
		sk_redis_meta(s, r->route, sk_redis_now_ms() + s->url.timeout_ms, id, why, why_size) || make_buckets(s, why, why_size) ||
		learn_seq(s, r->route, why, why_size);
	sk_redis_give(s, r);
	if (!rc && sk_redis_knocker_start(s))
		rc = sk_why(why, why_size, "cannot start a thread");
	return rc ? -1 : 0;
}

static struct sk_redis *new_store(const struct sk_redis_options *opt)
{
	struct sk_redis *s = calloc(1, sizeof *s);
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->store.ops = &sk_redis_ops;
	s->opt = *opt;
	s->queue_end = &s->queue;
	snprintf(s->store.self, sizeof s->store.self, "%016llx", (unsigned long long)draw());
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->down_changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&s->down_lock, NULL);
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_mutex_init(&s->queue_lock, NULL);
	return s;
}

struct sk_store *sk_store_open_redis(const struct sk_redis_options *opt, char *why, size_t why_size)
{
	struct sk_redis *s = new_store(opt);
	int64_t start = sk_redis_now_ms();

	if (!s) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	if (redis_url_parse(&s->url, opt->url, why, why_size) || redis_url_secrets(&s->url, opt->data_dir, why, why_size)) {
		sk_redis_free(s);
		return NULL;
	}
	s->buckets = s->url.buckets ? s->url.buckets : s->url.kind == REDIS_CLUSTER ? BUCKETS_CLUSTER : BUCKETS_ONE;
	redis_url_show(&s->url, s->shown, sizeof s->shown);
	if (sk_redis_scripts(s) || find_out(s, why, why_size)) {
		sk_redis_free(s);
		return NULL;
	}
	s->open_us = (sk_redis_now_ms() - start) * 1000;
	return &s->store;
}
