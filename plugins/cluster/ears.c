/* ears.c -- the connections that hear what others publish: one, or in a Cluster with sharded channels one for each of our two channels.
 *
 * Nothing is announced of us before all channels are subscribed to. What breaks is opened again, with pauses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"
#include "plugins/cluster/cluster.h"

enum { PAUSE_LEAST = 20, PAUSE_MOST = 1000, OPEN_MS = 1000, PING_MS = 2000, DEAF_MS = 8000, AT_ONCE = 64, CHUNK = 64 << 10, REDIRECTS = 5 };

static void close_one(struct ear *e)
{
	redis_node_free(e->node);
	e->node = NULL;
	e->open = false;
}

static void lost(struct cluster *c, struct ear *e, const char *why)
{
	cluster_away(c, why);
	e->pause = e->pause ? e->pause * 2 : PAUSE_LEAST;
	e->pause = e->pause > PAUSE_MOST ? PAUSE_MOST : e->pause;
	e->retry_at = cluster_now() + e->pause;
	e->host[0] = '\0';
	close_one(e);
}

void ears_close(struct cluster *c)
{
	for (int i = 0; i < EARS; i++)
		close_one(&c->ear[i]);
}

/* Sharded channels have a node each; all others are heard at any. */
static void arrange(struct cluster *c)
{
	ears_close(c);
	memset(c->ear, 0, sizeof c->ear);
	c->ears = c->sharded ? 2 : 1;
	c->ear[0].channels = c->sharded ? 1 : 2;
	c->ear[0].channel[0] = c->control;
	c->ear[0].channel[1] = c->inbox;
	c->ear[1].channels = c->sharded;
	c->ear[1].channel[0] = c->inbox;
}

/* -- opening -- */

static struct redis_node *dial_one(struct cluster *c, struct ear *e, int64_t until)
{
	int masters;
	const struct redis_node *master = NULL;

	if (e->host[0])
		return redis_node_new(e->host, e->port, NULL, cluster_now);
	masters = redis_route_masters(c->route, until);
	if (masters > 0)
		master = redis_route_master(c->route, e->tries++ % masters);
	if (!master)
		return NULL;
	return redis_node_new(master->to.host, master->to.port, master->to.path, cluster_now);
}

/* "MOVED 3999 127.0.0.1:6381"; without a host it is the one that says so. */
static bool go_where(struct ear *e, const char *error)
{
	const char *name = strncmp(error, "MOVED ", 6) ? NULL : strchr(error + 6, ' ');
	const char *port = name ? strrchr(name, ':') : NULL;

	if (!port)
		return false;
	if (port == name + 1)
		snprintf(e->host, sizeof e->host, "%s", e->node->to.host);
	else
		snprintf(e->host, sizeof e->host, "%.*s", (int)(port - name - 1), name + 1);
	e->port = atoi(port + 1);
	return e->port > 0;
}

enum { SUBSCRIBED = 1, ELSEWHERE = 0, REFUSED = -1, TOO_OLD = -2 };

/* One channel's answer. */
static int judge(struct cluster *c, struct ear *e, const redisReply *r, char why[REDIS_WHY])
{
	if (r && r->type != REDIS_REPLY_ERROR)
		return SUBSCRIBED;
	sk_why(why, REDIS_WHY, "%s", r ? r->str : e->node->why);
	if (r && go_where(e, r->str))
		return ELSEWHERE;
	return r && c->sharded && strstr(r->str, "unknown command") ? TOO_OLD : REFUSED;
}

static int subscribe(struct cluster *c, struct ear *e, int64_t until, char why[REDIS_WHY])
{
	int rc = SUBSCRIBED;

	redis_begin(&e->node->out, 1 + (size_t)e->channels);
	redis_name(&e->node->out, c->sharded ? "SSUBSCRIBE" : "SUBSCRIBE");
	for (int i = 0; i < e->channels; i++)
		redis_name(&e->node->out, e->channel[i]);
	if (redis_node_send(e->node, until))
		return judge(c, e, NULL, why);
	for (int i = 0; i < e->channels && rc == SUBSCRIBED; i++) {
		redisReply *r = redis_node_receive(e->node, until);
		rc = judge(c, e, r, why);
		if (r)
			freeReplyObject(r);
	}
	return rc;
}

static void open_one(struct cluster *c, struct ear *e)
{
	char why[REDIS_WHY] = "";
	int64_t until = c->end_at ? c->end_at : cluster_now() + OPEN_MS;
	int rc = ELSEWHERE;

	for (int i = 0; i < REDIRECTS && rc == ELSEWHERE; i++) {
		struct redis_node *node = dial_one(c, e, until);
		close_one(e);
		e->node = node;
		if (!node || redis_node_ready(node, &c->url.login, until)) {
			redis_route_forget(c->route); /* it may be another's turn: that is asked anew */
			lost(c, e, node ? node->why : redis_route_why(c->route));
			return;
		}
		rc = subscribe(c, e, until, why);
	}
	if (rc == TOO_OLD) { /* before 7.0: channels are the whole Cluster's */
		c->sharded = false;
		arrange(c);
		return;
	}
	if (rc != SUBSCRIBED) {
		lost(c, e, rc ? why : "the nodes of the Cluster send us in circles");
		return;
	}
	e->open = true;
	e->pause = 0;
	e->heard = cluster_now();
	c->beat_at = 0;
}

int ears_open(struct cluster *c)
{
	int rc = 0;

	if (!c->ears)
		arrange(c);
	for (int i = 0; i < c->ears; i++) {
		struct ear *e = &c->ear[i];
		if (!e->open && cluster_now() >= e->retry_at)
			open_one(c, e);
		rc = c->ear[i].open ? rc : -1;
	}
	return rc;
}

/* -- hearing -- */

static bool is_text(const redisReply *r, const char *word)
{
	return r->type == REDIS_REPLY_STRING && !strcasecmp(r->str, word);
}

/* false: this connection does not hear any more. */
static bool hear(struct cluster *c, struct ear *e, const redisReply *r)
{
	e->heard = cluster_now();
	if (r->type != REDIS_REPLY_ARRAY)
		return r->type != REDIS_REPLY_ERROR;
	if (r->elements == 3 && (is_text(r->element[0], "message") || is_text(r->element[0], "smessage")) && r->element[2]->type == REDIS_REPLY_STRING)
		hear_packet(c, r->element[2]->str, r->element[2]->len);
	return r->elements < 1 || !(is_text(r->element[0], "sunsubscribe") || is_text(r->element[0], "unsubscribe"));
}

/* 1: something was there, 0: nothing, -1: lost. */
static int read_some(struct ear *e)
{
	char bytes[CHUNK];
	long got;

	e->node->link.until = cluster_now() + OPEN_MS;
	got = dial_take(&e->node->link, bytes, sizeof bytes);
	if (got <= 0)
		return (int)got;
	return redisReaderFeed(e->node->reader, bytes, (size_t)got) == REDIS_OK ? 1 : -1;
}

static void read_one(struct cluster *c, struct ear *e)
{
	int more = 1;

	for (int n = 0; n < AT_ONCE && more > 0 && c->given <= c->q.limit;) {
		void *reply = NULL;
		if (redisReaderGetReply(e->node->reader, &reply) != REDIS_OK) {
			lost(c, e, "what Redis says is no RESP");
			return;
		}
		if (!reply) {
			more = read_some(e);
			continue;
		}
		bool good = hear(c, e, reply);
		freeReplyObject(reply);
		n++;
		if (!good) {
			lost(c, e, "the Redis has ended a subscription");
			return;
		}
	}
	if (more < 0)
		lost(c, e, e->node->link.why);
}

/* A connection of which nothing comes may be dead: an answer to PING is a sign of life. */
static void ping(struct cluster *c, struct ear *e, int64_t now)
{
	if (now - e->heard < PING_MS)
		return;
	if (now - e->heard > DEAF_MS) {
		lost(c, e, "the Redis does not answer");
		return;
	}
	redis_text_clear(&e->node->out);
	redis_words(&e->node->out, (const char *const[]){ "PING" }, 1);
	if (redis_node_send(e->node, now + OPEN_MS))
		lost(c, e, e->node->why);
}

void ears_read(struct cluster *c)
{
	int64_t now = cluster_now();
	bool due = now - c->pinged_at >= PING_MS;

	c->pinged_at = due ? now : c->pinged_at;
	for (int i = 0; i < c->ears; i++) {
		if (c->ear[i].open)
			read_one(c, &c->ear[i]);
		if (c->ear[i].open && due)
			ping(c, &c->ear[i], now);
	}
}

bool ears_pending(const struct cluster *c)
{
	bool pending = false;

	for (int i = 0; i < c->ears; i++)
		pending = pending || (c->ear[i].open && (dial_pending(&c->ear[i].node->link) || c->ear[i].node->reader->pos < c->ear[i].node->reader->len));
	return pending;
}
