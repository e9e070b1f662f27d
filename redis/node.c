/* node.c -- see node.h. */
#include "redis/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"

enum { CHUNK = 64 << 10, KEEP = 1 << 20 };

struct redis_node *redis_node_new(const char *host, int port, const char *path, int64_t (*now)(void))
{
	struct redis_node *n = calloc(1, sizeof *n);
	char *copy = strdup(path ? path : host);

	if (!n || !copy) {
		free(n);
		free(copy);
		return NULL;
	}
	n->link = (struct dial){ .now = now, .fd = -1, .greedy = true };
	n->to = path ? (struct dial_to){ .path = copy } : (struct dial_to){ .host = copy, .port = port };
	if (path)
		snprintf(n->name, sizeof n->name, "%s", path);
	else
		snprintf(n->name, sizeof n->name, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
	return n;
}

void redis_node_close(struct redis_node *n)
{
	if (n->reader)
		redisReaderFree(n->reader);
	n->reader = NULL;
	dial_close(&n->link);
}

void redis_node_free(struct redis_node *n)
{
	if (!n)
		return;
	redis_node_close(n);
	redis_text_free(&n->out);
	free((char *)(n->to.path ? n->to.path : n->to.host));
	free(n);
}

static int lost(struct redis_node *n, const char *why)
{
	snprintf(n->why, sizeof n->why, "%s: %s", n->name, why);
	redis_text_clear(&n->out);
	redis_node_close(n);
	return -1;
}

int redis_node_send(struct redis_node *n, int64_t until)
{
	n->link.until = until;
	if (n->out.failed)
		return lost(n, "memory is out");
	if (dial_send(&n->link, n->out.bytes, n->out.size))
		return lost(n, n->link.why);
	redis_text_clear(&n->out);
	return 0;
}

redisReply *redis_node_receive(struct redis_node *n, int64_t until)
{
	char bytes[CHUNK];
	void *reply = NULL;

	n->link.until = until;
	for (;;) {
		if (redisReaderGetReply(n->reader, &reply) != REDIS_OK) {
			lost(n, n->reader->err == REDIS_ERR_OOM ? "memory is out" : "what it says is no RESP");
			return NULL;
		}
		if (reply)
			return reply;
		long got = dial_receive(&n->link, bytes, sizeof bytes);
		if (got < 0 || redisReaderFeed(n->reader, bytes, (size_t)got) != REDIS_OK) {
			lost(n, got < 0 ? n->link.why : "memory is out");
			return NULL;
		}
	}
}

/* What the server says of itself or of its clients passes; the rest is about who we are and what we want. */
static bool passes(const char *error)
{
	static const char *const passing[] = { "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "ERR max number of clients" };

	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
		if (!strncmp(error, passing[i], strlen(passing[i])))
			return true;
	return false;
}

redisReply *redis_node_ask(struct redis_node *n, const char *const *word, size_t words, bool strict, int64_t until)
{
	char why[REDIS_WHY];
	redisReply *r;

	redis_text_clear(&n->out);
	redis_words(&n->out, word, words);
	r = redis_node_send(n, until) ? NULL : redis_node_receive(n, until);
	if (!r || r->type != REDIS_REPLY_ERROR || !strict)
		return r;
	snprintf(why, sizeof why, "%s: %s", word[0], r->str);
	n->refused = !passes(r->str);
	freeReplyObject(r);
	lost(n, why);
	return NULL;
}

static int greet(struct redis_node *n, const struct redis_login *l, int64_t until)
{
	const char *const named[] = { "AUTH", l->user, l->password }, *const plain[] = { "AUTH", l->password };
	redisReply *r;
	char number[24];

	if (l->password) {
		r = l->user ? redis_node_ask(n, named, 3, true, until) : redis_node_ask(n, plain, 2, true, until);
		if (!r)
			return -1;
		freeReplyObject(r);
	}
	if (!l->database)
		return 0;
	snprintf(number, sizeof number, "%ld", l->database);
	r = redis_node_ask(n, (const char *const[]){ "SELECT", number }, 2, true, until);
	if (r)
		freeReplyObject(r);
	return r ? 0 : -1;
}

int redis_node_ready(struct redis_node *n, const struct redis_login *l, int64_t until)
{
	if (n->reader && !dial_stale(&n->link))
		return 0;
	redis_node_close(n);
	redis_text_clear(&n->out);
	n->refused = false;
	n->to.ca = l->ca;
	n->to.certificate = l->certificate;
	n->to.key = l->key;
	n->link.until = until;
	if ((l->tls && dial_prepare(&n->link, &n->to)) || dial_open(&n->link, &n->to) || (l->tls && dial_secure(&n->link, &n->to)))
		return lost(n, n->link.why);
	n->opened++;
	n->reader = redisReaderCreate();
	if (!n->reader)
		return lost(n, "memory is out");
	n->reader->maxbuf = KEEP;
	return greet(n, l, until);
}
