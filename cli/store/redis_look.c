/* redis_look.c -- commands that only read, one round trip each. Invariant: nothing is written, not even by looking at what is not there. */
#include "cli/store/redis_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/store_redis.h"

enum { ALIVE_S = 10, PATIENCE_MS = 13000, REST_MS = 250, NAMES = 64 };

static int fails(const struct look *l, const char *what, char *why, size_t why_size)
{
	char name[1024];

	look_name(l, name, sizeof name);
	snprintf(why, why_size, "cannot use store %s: %s", name, what);
	return -1;
}

struct look *look_open(const char *url, char *why, size_t why_size)
{
	struct look *l = calloc(1, sizeof *l);

	if (!l || !(l->text = strdup(url))) {
		free(l);
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	if (!redis_url_parse(&l->url, url, why, why_size) && !redis_url_secrets(&l->url, ".", why, why_size)) {
		l->route = redis_route_new(&l->url, sk_redis_now_ms);
		if (l->route)
			return l;
		snprintf(why, why_size, "out of memory");
	}
	look_close(&l);
	return NULL;
}

void look_close(struct look **at)
{
	struct look *l = *at;

	*at = NULL;
	if (!l)
		return;
	redis_route_free(l->route);
	redis_url_free(&l->url);
	free(l->text);
	free(l);
}

void look_name(const struct look *l, char *text, size_t size)
{
	size_t n;

	redis_url_show(&l->url, text, size);
	n = strlen(text);
	if (strcmp(l->url.prefix, "skeeter:"))
		snprintf(text + n, size - n, "%cprefix=%s", strchr(text, '?') ? '&' : '?', l->url.prefix);
}

/* -- asking -- */
redisReply *look_ask(struct look *l, const struct redis_text *command, const char *key, char *why, size_t why_size)
{
	struct redis_ask a = { .slot = (int)redis_slot(key, strlen(key)), .node = -1, .bytes = command->bytes, .size = command->size };

	if (command->failed)
		fails(l, "out of memory", why, why_size);
	else if (redis_route_ask(l->route, &a, 1, sk_redis_now_ms() + l->url.timeout_ms))
		fails(l, redis_route_why(l->route), why, why_size);
	else if (a.reply->type == REDIS_REPLY_ERROR)
		fails(l, a.reply->str, why, why_size);
	if (!a.reply || a.reply->type != REDIS_REPLY_ERROR)
		return a.reply;
	freeReplyObject(a.reply);
	return NULL;
}

static redisReply *ask(struct look *l, const char *const *word, size_t words, const char *key, char *why, size_t why_size)
{
	struct redis_text text = { 0 };
	redisReply *r;

	redis_words(&text, word, words);
	r = look_ask(l, &text, key, why, why_size);
	redis_text_free(&text);
	return r;
}

static const char *text_of(const redisReply *r, size_t i)
{
	return r->type == REDIS_REPLY_ARRAY && i < r->elements && r->element[i]->type == REDIS_REPLY_STRING ? r->element[i]->str : NULL;
}

static int take_meta(struct look *l, const redisReply *r, char *why, size_t why_size)
{
	const char *format = text_of(r, 0), *buckets = text_of(r, 1), *id = text_of(r, 2);
	char what[120];

	l->there = format || buckets || id;
	if (!l->there)
		return 0;
	l->buckets = buckets ? atoi(buckets) : 0;
	if (!format || !id || l->buckets < 1 || l->buckets > 1024 || atoi(format) < 1)
		return fails(l, "its own record is damaged: nothing was touched", why, why_size);
	snprintf(what, sizeof what, "its format is version %d, this build knows %d: nothing was touched", atoi(format), SK_REDIS_FORMAT);
	if (atoi(format) > SK_REDIS_FORMAT)
		return fails(l, what, why, why_size);
	snprintf(l->id, sizeof l->id, "%s", id);
	return 0;
}

static int read_meta(struct look *l, char *why, size_t why_size)
{
	char key[REDIS_PREFIX + 32];
	const char *const word[] = { "HMGET", key, "format", "buckets", "id" };
	redisReply *r;
	int rc;

	snprintf(key, sizeof key, "%s{skeeter}meta", l->url.prefix);
	r = ask(l, word, 5, key, why, why_size);
	rc = r ? take_meta(l, r, why, why_size) : -1;
	if (r)
		freeReplyObject(r);
	return rc;
}

static int read_buckets(struct look *l, char *why, size_t why_size)
{
	char key[REDIS_PREFIX + 32];
	const char *const word[] = { "HGET", key, "v" };

	l->newest = l->versions = 0;
	for (int i = 0; i < l->buckets; i++) {
		uint64_t version;
		redisReply *r;

		snprintf(key, sizeof key, "%s{%03d}m", l->url.prefix, i);
		r = ask(l, word, 3, key, why, why_size);
		if (!r)
			return -1;
		version = sk_redis_version(r);
		freeReplyObject(r);
		l->versions += version;
		l->newest = version > l->newest ? version : l->newest;
	}
	return 0;
}

int look_again(struct look *l, char *why, size_t why_size)
{
	l->there = false;
	if (read_meta(l, why, why_size))
		return -1;
	return l->there ? read_buckets(l, why, why_size) : 0;
}

/* -- who uses it -- */
struct users {
	int n;
	char who[NAMES][40];
	char when[NAMES][32]; /* of its last word, by the server's clock in seconds */
};

static int server_seconds(struct look *l, const char *key, char *why, size_t why_size)
{
	static const char *const word[] = { "TIME" };
	redisReply *r = ask(l, word, 1, key, why, why_size);
	int rc = r && text_of(r, 0) ? atoi(text_of(r, 0)) : -1;

	if (r)
		freeReplyObject(r);
	return rc;
}

static int read_users(struct look *l, struct users *u, char *why, size_t why_size)
{
	char key[REDIS_PREFIX + 32], since[32];
	const char *const word[] = { "ZRANGE", key, since, "+inf", "BYSCORE", "WITHSCORES" };
	redisReply *r;
	int now;

	snprintf(key, sizeof key, "%s{skeeter}brokers", l->url.prefix);
	now = server_seconds(l, key, why, why_size);
	if (now < 0)
		return -1;
	snprintf(since, sizeof since, "%d", now - ALIVE_S);
	r = ask(l, word, 6, key, why, why_size);
	if (!r)
		return -1;
	u->n = 0;
	for (size_t i = 0; text_of(r, i) && text_of(r, i + 1) && u->n < NAMES; i += 2, u->n++) {
		snprintf(u->who[u->n], sizeof u->who[0], "%s", text_of(r, i));
		snprintf(u->when[u->n], sizeof u->when[0], "%s", text_of(r, i + 1));
	}
	freeReplyObject(r);
	return 0;
}

int look_brokers(struct look *l, char *why, size_t why_size)
{
	struct users u;

	return l->there && read_users(l, &u, why, why_size) ? -1 : l->there ? u.n : 0;
}

/* Those that have said something since `before`, or were not there then. */
static int living(const struct users *before, const struct users *now)
{
	int n = 0;

	for (int i = 0; i < now->n; i++) {
		bool silent = false;
		for (int k = 0; k < before->n; k++)
			silent = silent || (!strcmp(now->who[i], before->who[k]) && !strcmp(now->when[i], before->when[k]));
		n += !silent;
	}
	return n;
}

int look_unused(struct look *l, char *why, size_t why_size)
{
	struct users first, now;
	int64_t until = sk_redis_now_ms() + PATIENCE_MS;
	char what[160];
	int alive = 0;

	if (!l->there)
		return 0;
	if (read_users(l, &first, why, why_size))
		return -1;
	for (now = first; now.n && !alive && sk_redis_now_ms() < until; alive = living(&first, &now)) {
		nanosleep(&(struct timespec){ 0, REST_MS * 1000000L }, NULL);
		if (read_users(l, &now, why, why_size))
			return -1;
	}
	if (!now.n)
		return 0;
	snprintf(what, sizeof what, "%d broker%s use%s it: stop %s first, they may start again when this is done", now.n, now.n > 1 ? "s" : "", now.n > 1 ? "" : "s",
		now.n > 1 ? "them" : "it");
	return fails(l, what, why, why_size);
}
