/* route.c -- rounds: every command that has no answer yet goes to its node, all nodes are sent theirs before one is read, and each answer is judged:
 * it is the caller's, or it says where or when to ask again. See route.h.
 *
 * At the end of a round no connection owes a reply: it has been read, or the connection is closed. */
#include "redis/route.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/why.h"
#include "redis/route_private.h"

enum { FLUSH = 256 << 10, KEEP = 1 << 20, FRESH_MS = 1000, REST_MS = 5, REST_MOST_MS = 100, FREE_REDIRECTS = 5 };

struct try {
	int place;                 /* that it goes to in this round; -1: nobody */
	int target;                /* where ASK sends it next, if `asking` */
	bool asking, load;         /* what goes before it */
	bool over;                 /* nothing more is done for it */
	bool sent, before;         /* in this round, in an earlier one */
	redisReply *error;         /* the latest that asking again may mend */
};
struct batch {
	struct redis_route *r;
	struct redis_ask *asks;
	struct try *tries;
	size_t n;
	int64_t until, limit;      /* of all, of this round's answers */
	bool rest;                 /* somebody needs time */
};

/* -- what an answer means -- */

enum verdict { DONE, MOVED, ASK, LOAD, AGAIN, LEARN, LEAVE, TURN };
static const struct { const char *word; enum verdict verdict; } verdicts[] = {
	{ "MOVED ", MOVED }, { "ASK ", ASK }, { "NOSCRIPT", LOAD }, { "TRYAGAIN", AGAIN }, { "LOADING", AGAIN }, { "BUSY ", AGAIN },
	{ "CLUSTERDOWN", LEARN }, { "MASTERDOWN", LEARN }, { "UNBLOCKED", LEARN }, { "READONLY", LEAVE },
	{ "NOAUTH", TURN }, { "DENIED", TURN }, { "ERR max number of clients", LEAVE },
};

static bool says(const redisReply *reply, const char *word)
{
	return reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, word, strlen(word));
}

static enum verdict judge(struct redis_route *r, const struct redis_ask *a, const redisReply *reply)
{
	enum verdict v = DONE;

	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		if (says(reply, verdicts[i].word))
			v = verdicts[i].verdict;
	if (((v == MOVED || v == ASK) && r->u->kind != REDIS_CLUSTER) || (v == LOAD && !a->script))
		return DONE;
	if (v != TURN && (r->u->kind != REDIS_ONE || !says(reply, "READONLY")))
		return v;
	/* It is so because its operator wants it, or it is over with the next connection, as a name may lead to another server by now: that is looked at
	 * once a second. */
	if (r->turned && r->now() - r->turned < FRESH_MS)
		return DONE;
	r->turned = r->now();
	return LEAVE;
}

/* "MOVED 3999 127.0.0.1:6381" */
static void redirect(struct batch *b, size_t i, const char *words, bool moved)
{
	struct redis_route *r = b->r;
	const char *slot = strchr(words, ' '), *name = slot ? strchr(slot + 1, ' ') : NULL;
	long s = slot ? strtol(slot, NULL, 10) : -1;
	int to = name && s >= 0 && s < REDIS_SLOTS ? redis_route_named(r, name + 1, r->place[b->tries[i].place].link) : -1;

	r->count.redirects++;
	r->moved = true;
	if (to < 0) {
		r->known = false;
		b->rest = true;
	} else if (moved) {
		r->slot[s] = (int16_t)to;
		r->place[to].master = true;
	} else {
		b->tries[i].asking = true;
		b->tries[i].target = to;
	}
}

static void follow(struct batch *b, size_t i, enum verdict v)
{
	struct redis_route *r = b->r;
	struct try *t = &b->tries[i];
	bool asked = t->asking;

	t->asking = false;
	t->load = v == LOAD;
	if (v == MOVED || v == ASK)
		redirect(b, i, t->error->str, v == MOVED);
	if ((v == LOAD || v == AGAIN) && asked)
		t->asking = true;
	if (v == AGAIN || v == LEARN || v == LEAVE)
		b->rest = true;
	if (v == LEARN || v == LEAVE)
		r->known = false;
	if (v == LEAVE)
		r->place[t->place].leave = true;
}

static void answered(struct batch *b, size_t i, redisReply *reply)
{
	struct redis_ask *a = &b->asks[i];
	struct try *t = &b->tries[i];
	enum verdict v = judge(b->r, a, reply);

	if (reply->type == REDIS_REPLY_ERROR)
		sk_why(b->r->why, sizeof b->r->why, "%s: %.200s", b->r->place[t->place].link->name, reply->str);
	else
		a->unknown = false;
	if (t->error)
		freeReplyObject(t->error);
	t->error = NULL;
	t->over = v == DONE;
	if (t->over) {
		a->reply = reply;
		return;
	}
	t->error = reply;
	follow(b, i, v);
}

/* Its answer will not come. */
static void unanswered(struct batch *b, size_t i)
{
	struct try *t = &b->tries[i];

	if (t->error)
		freeReplyObject(t->error);
	t->error = NULL;
	t->asking = t->load = false;
	b->asks[i].unknown = true;
	t->over = b->asks[i].once;
}

/* -- one node -- */

static bool theirs(const struct batch *b, size_t i, int place)
{
	return !b->tries[i].over && b->tries[i].place == place;
}

/* Another one before it in this round brings the script along. */
static bool brought(const struct batch *b, size_t i, int place)
{
	for (size_t k = 0; k < i; k++)
		if (theirs(b, k, place) && b->tries[k].load && b->asks[k].script == b->asks[i].script)
			return true;
	return false;
}

static int send_one(struct batch *b, size_t i, struct redis_node *n)
{
	struct redis_ask *a = &b->asks[i];
	struct try *t = &b->tries[i];

	t->load = t->load && !brought(b, i, t->place);
	if (t->load)
		redis_words(&n->out, (const char *const[]){ "SCRIPT", "LOAD", a->script->body }, 3);
	if (t->asking)
		redis_words(&n->out, (const char *const[]){ "ASKING" }, 1);
	redis_bytes(&n->out, a->bytes, a->size);
	b->r->count.resent += t->before;
	t->sent = t->before = true;
	return n->out.size < FLUSH ? 0 : redis_node_send(n, b->limit);
}

/* The longest that any of a node's commands wants to wait for replicas: one WAIT behind them is about all. */
static const struct redis_ask *waits(const struct batch *b, int place)
{
	const struct redis_ask *most = NULL;

	for (size_t i = 0; i < b->n; i++)
		if (b->tries[i].sent && b->tries[i].place == place && b->asks[i].replicas && (!most || b->asks[i].replicas > most->replicas))
			most = &b->asks[i];
	return most;
}

static void add_wait(struct redis_node *n, const struct redis_ask *w)
{
	redis_begin(&n->out, 3);
	redis_name(&n->out, "WAIT");
	redis_number(&n->out, (uint64_t)w->replicas);
	redis_number(&n->out, (uint64_t)(w->replicas_ms > 0 ? w->replicas_ms : 1));
}

static void gone(struct redis_route *r, int place)
{
	sk_why(r->why, sizeof r->why, "%s", r->place[place].link->why);
	r->known = false;
	r->next = place + 1;
}

/* The end of one answer's time. */
static int64_t limit(const struct batch *b)
{
	int64_t end = b->r->now() + b->r->u->timeout_ms;

	return end < b->until ? end : b->until;
}

static void send_node(struct batch *b, int place)
{
	struct redis_route *r = b->r;
	struct redis_node *n = r->place[place].link;
	const struct redis_ask *w;
	int rc = 0;

	if (redis_route_connect(r, n, &r->u->login, b->until)) {
		gone(r, place);
		b->rest = true;
		return;
	}
	b->limit = limit(b);
	for (size_t i = 0; i < b->n && !rc; i++)
		if (theirs(b, i, place))
			rc = send_one(b, i, n);
	w = rc ? NULL : waits(b, place);
	if (w)
		add_wait(n, w);
	if (!rc)
		redis_node_send(n, b->limit);
}

/* NULL: the connection is closed. */
static redisReply *receive_one(struct batch *b, size_t i, struct redis_node *n)
{
	redisReply *load = NULL, *passed = NULL, *reply = NULL;

	if (b->tries[i].load && !(load = redis_node_receive(n, b->limit)))
		return NULL;
	if (!b->tries[i].asking || (passed = redis_node_receive(n, b->limit)))
		reply = redis_node_receive(n, b->limit);
	if (passed)
		freeReplyObject(passed);
	if (!load)
		return reply;
	/* What forbids to load it says more than that it is not there. */
	if (reply && load->type == REDIS_REPLY_ERROR && says(reply, "NOSCRIPT")) {
		freeReplyObject(reply);
		return load;
	}
	freeReplyObject(load);
	return reply;
}

static void receive_wait(struct batch *b, int place)
{
	struct redis_node *n = b->r->place[place].link;
	redisReply *got = redis_node_receive(n, b->limit);

	if (!got)
		gone(b->r, place);
	for (size_t i = 0; got && i < b->n; i++)
		if (b->tries[i].sent && b->tries[i].place == place && b->asks[i].replicas && b->tries[i].over && got->type == REDIS_REPLY_INTEGER)
			b->asks[i].acknowledged = (int)got->integer;
	if (got && got->type == REDIS_REPLY_ERROR)
		sk_why(b->r->why, sizeof b->r->why, "%s: %.200s", n->name, got->str);
	if (got)
		freeReplyObject(got);
}

static void receive_node(struct batch *b, int place)
{
	struct redis_node *n = b->r->place[place].link;
	const struct redis_ask *w = waits(b, place);
	bool lost = !n->reader;

	if (lost)
		gone(b->r, place);
	for (size_t i = 0; i < b->n; i++) {
		if (!theirs(b, i, place) || !b->tries[i].sent)
			continue;
		redisReply *reply = lost ? NULL : receive_one(b, i, n);
		if (!reply && !lost)
			gone(b->r, place);
		lost = !reply;
		if (reply)
			answered(b, i, reply);
		else
			unanswered(b, i);
	}
	b->rest |= lost;
	if (w && !lost)
		receive_wait(b, place);
}

/* -- rounds -- */

static int nth_master(const struct redis_route *r, int number)
{
	for (int i = 0; i < r->places; i++)
		if (r->place[i].master && !number--)
			return i;
	return -1;
}

static int place_of(const struct redis_route *r, const struct redis_ask *a)
{
	if (a->node >= 0)
		return nth_master(r, a->node);
	if (r->u->kind != REDIS_CLUSTER || a->slot < 0)
		return nth_master(r, 0);
	return a->slot < REDIS_SLOTS ? r->slot[a->slot] : -1;
}

static void choose(struct batch *b)
{
	struct redis_route *r = b->r;

	for (size_t i = 0; i < b->n; i++) {
		struct try *t = &b->tries[i];
		t->sent = false;
		if (t->over)
			continue;
		t->place = t->asking ? t->target : place_of(r, &b->asks[i]);
		if (t->place >= 0)
			continue;
		sk_why(r->why, sizeof r->why, "no node of the Cluster serves slot %d", b->asks[i].slot);
		r->known = false;
		b->rest = true;
	}
}

static bool sent_to(const struct batch *b, int place)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->tries[i].sent && b->tries[i].place == place)
			return true;
	return false;
}

static bool wanted(const struct batch *b, int place)
{
	for (size_t i = 0; i < b->n; i++)
		if (theirs(b, i, place))
			return true;
	return false;
}

static void part(struct redis_route *r, int place)
{
	struct redis_place *p = &r->place[place];

	if (p->leave)
		redis_node_close(p->link);
	if (p->link->out.room > KEEP)
		redis_text_free(&p->link->out);
	p->leave = false;
}

/* Places have other numbers when they are learnt anew: who was on its way to one asks from the start. */
static int learn(struct batch *b)
{
	if (b->r->known)
		return 0;
	for (size_t i = 0; i < b->n; i++)
		b->tries[i].asking = false;
	b->rest = true;
	if (redis_route_learn(b->r, b->until))
		return -1;
	b->rest = false;
	return 0;
}

/* Those that are connected come first: they need not wait for one that cannot be reached. */
static void round_of(struct batch *b)
{
	struct redis_route *r = b->r;
	int places;

	b->rest = false;
	if (learn(b))
		return;
	choose(b);
	places = r->places;
	for (int p = 0; p < places; p++)
		r->place[p].late = !r->place[p].link->reader;
	for (int late = 0; late < 2; late++)
		for (int p = 0; p < places; p++)
			if (r->place[p].late == late && wanted(b, p))
				send_node(b, p);
	b->limit = limit(b);
	for (int p = 0; p < places; p++)
		if (sent_to(b, p))
			receive_node(b, p);
	for (int p = 0; p < r->places; p++)
		part(r, p);
}

static bool open_left(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->tries[i].over)
			return true;
	return false;
}

/* false: there is no time for it. A command is not sent when its answer could only come too late: that would make it unknown. */
static bool rested(const struct redis_route *r, int round, int64_t until)
{
	int ms = round < 5 ? REST_MS << round : REST_MOST_MS;

	if (until - r->now() <= ms)
		return false;
	poll(NULL, 0, ms);
	return true;
}

/* Whoever has no answer has the latest error instead, if there is one. */
static int finish(struct batch *b)
{
	int rc = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (!b->asks[i].reply)
			b->asks[i].reply = b->tries[i].error;
		if (!b->asks[i].reply)
			rc = -1;
	}
	free(b->tries);
	return rc;
}

int redis_route_ask(struct redis_route *r, struct redis_ask *asks, size_t n, int64_t until)
{
	struct batch b = { .r = r, .asks = asks, .tries = calloc(n ? n : 1, sizeof *b.tries), .n = n, .until = until };
	int resting = 0;

	for (size_t i = 0; i < n; i++) {
		asks[i].reply = NULL;
		asks[i].unknown = false;
		asks[i].acknowledged = 0;
	}
	if (!b.tries)
		return sk_why(r->why, sizeof r->why, "memory is out");
	if (r->moved && r->now() - r->learned > FRESH_MS)
		r->known = false;
	for (int round = 0;; round++) {
		round_of(&b);
		if (!open_left(&b) || r->refused || r->now() >= until)
			break;
		if ((b.rest || round >= FREE_REDIRECTS) && !rested(r, resting++, until))
			break;
	}
	return finish(&b);
}

/* -- a route -- */

struct redis_route *redis_route_new(const struct redis_url *u, int64_t (*now)(void))
{
	struct redis_route *r = calloc(1, sizeof *r);

	if (r) {
		r->u = u;
		r->now = now;
		memset(r->slot, -1, sizeof r->slot);
	}
	return r;
}

void redis_route_free(struct redis_route *r)
{
	if (!r)
		return;
	for (int i = 0; i < r->places; i++)
		redis_node_free(r->place[i].link);
	free(r->place);
	free(r);
}

void redis_route_forget(struct redis_route *r)
{
	for (int i = 0; i < r->places; i++)
		redis_node_close(r->place[i].link);
	r->known = false;
}

int redis_route_masters(struct redis_route *r, int64_t until)
{
	int n = 0;

	if (r->moved)
		r->known = false;
	for (int round = 0; redis_route_learn(r, until); round++) {
		if (r->refused || !rested(r, round, until))
			return -1;
	}
	for (int i = 0; i < r->places; i++)
		n += r->place[i].master;
	return n;
}

const struct redis_node *redis_route_master(const struct redis_route *r, int number)
{
	int at = number < 0 ? -1 : nth_master(r, number);

	return at < 0 ? NULL : r->place[at].link;
}

const char *redis_route_why(const struct redis_route *r)
{
	return r->why;
}

struct redis_route_count redis_route_counted(const struct redis_route *r)
{
	return r->count;
}

void redis_script_name(struct redis_script *s)
{
	uint8_t sum[SK_SHA1_SIZE];

	sk_sha1(s->body, strlen(s->body), sum);
	sk_hex(sum, sizeof sum, s->sha);
}
