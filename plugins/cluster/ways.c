/* ways.c -- packets to other brokers: each has a list of them, and the first goes out until somebody has heard it.
 *
 * A packet that was sent is closed: it is sent again as it was, with its number, so that who has heard it before knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "plugins/cluster/cluster.h"

enum { PACKET = 32 << 10, PAUSE_LEAST = 10, PAUSE_MOST = 500 };

struct packet {
	struct packet *next;
	size_t used, room;
	unsigned messages;
	bool sent;
	char bytes[];
};
struct way {
	struct packet *first, *last;
	size_t bytes;
	uint64_t number;        /* of the latest packet */
	bool begun;             /* it is not the first any more */
	int64_t retry_at, pause;
	bool deaf;              /* nobody has heard the first one */
	char inbox[CHANNEL];
	struct redis_text command;
};

static struct way *way_of(struct cluster *c, struct other *o)
{
	struct way *w = o->way ? o->way : calloc(1, sizeof *w);

	if (w && !o->way) {
		w->number = (uint64_t)sk_mono_us();
		snprintf(w->inbox, sizeof w->inbox, "%s{%016llx}in", c->url.prefix, (unsigned long long)o->self);
		o->way = w;
	}
	return w;
}

static void shift(struct cluster *c, struct way *w)
{
	struct packet *p = w->first;

	w->first = p->next;
	if (!w->first)
		w->last = NULL;
	w->bytes -= p->used;
	atomic_fetch_sub_explicit(&c->q.bytes, p->used, memory_order_relaxed);
	free(p);
}

void way_close(struct cluster *c, struct other *o)
{
	struct way *w = o->way;

	while (w && w->first)
		shift(c, w);
	if (w)
		redis_text_free(&w->command);
	free(w);
	o->way = NULL;
}

/* -- into packets -- */

static struct packet *packet_for(struct cluster *c, struct way *w, size_t n)
{
	struct packet *p = w->last;
	size_t room = FRAME_HEAD + n > PACKET ? FRAME_HEAD + n : PACKET;

	if (p && !p->sent && p->room - p->used >= n)
		return p;
	if (w->bytes + n > (w->deaf ? c->q.limit / 4 : c->q.limit) || !(p = malloc(sizeof *p + room)))
		return NULL;
	*p = (struct packet){ .used = FRAME_HEAD, .room = room };
	w->bytes += FRAME_HEAD;
	atomic_fetch_add_explicit(&c->q.bytes, FRAME_HEAD, memory_order_relaxed);
	*(w->last ? &w->last->next : &w->first) = p;
	w->last = p;
	return p;
}

static void add(struct cluster *c, struct other *o, const struct frame_entry *e)
{
	struct way *w = way_of(c, o);
	struct packet *p = w ? packet_for(c, w, e->bytes_size) : NULL;

	if (!p) {
		atomic_fetch_add_explicit(&c->left_out, 1, memory_order_relaxed);
		SK_COUNT(sk_process()->count.cluster_dropped);
		return;
	}
	memcpy(p->bytes + p->used, e->bytes, e->bytes_size);
	p->used += e->bytes_size;
	p->messages++;
	w->bytes += e->bytes_size;
	atomic_fetch_add_explicit(&c->q.bytes, e->bytes_size, memory_order_relaxed);
}

/* What is retained goes to all: each keeps it for those who come. */
void way_message(struct cluster *c, const struct frame_entry *e)
{
	uint32_t to[BROKERS];
	size_t n = e->retain ? 0 : interest_match(&c->interest, e->topic, to);

	for (uint32_t k = 0; e->retain && k < BROKERS; k++)
		if (c->interest.other[k].self)
			to[n++] = k;
	for (size_t i = 0; i < n; i++)
		add(c, &c->interest.other[to[i]], e);
}

/* -- out -- */

static void prepare(struct cluster *c, struct way *w, struct redis_ask *ask)
{
	struct packet *p = w->first;

	if (!p->sent) {
		frame_head(p->bytes, w->begun ? FRAME_MESSAGES : FRAME_FIRST, c->self, ++w->number);
		w->begun = true;
		p->sent = true;
	}
	redis_text_clear(&w->command);
	redis_begin(&w->command, 3);
	redis_name(&w->command, c->sharded ? "SPUBLISH" : "PUBLISH");
	redis_name(&w->command, w->inbox);
	redis_word(&w->command, p->bytes, p->used);
	*ask = (struct redis_ask){ .slot = c->sharded ? (int)redis_slot(w->inbox, strlen(w->inbox)) : REDIS_ANY_SLOT, .node = -1, .bytes = w->command.bytes, .size = w->command.size };
}

/* Nobody has heard it: it is kept until somebody does, or the broker is known to be gone. */
static void later(struct way *w, int64_t now)
{
	w->pause = w->pause ? w->pause * 2 : PAUSE_LEAST;
	w->pause = w->pause > PAUSE_MOST ? PAUSE_MOST : w->pause;
	w->retry_at = now + w->pause;
}

static void answered(struct cluster *c, struct way *w, const redisReply *r, int64_t now)
{
	if (!r || r->type != REDIS_REPLY_INTEGER || !r->integer) {
		if (r && r->type == REDIS_REPLY_ERROR)
			cluster_away(c, r->str);
		w->deaf = r && r->type == REDIS_REPLY_INTEGER;
		later(w, now);
		return;
	}
	SK_COUNT_BY(sk_process()->count.cluster_sent, w->first->messages);
	w->pause = 0;
	w->deaf = false;
	shift(c, w);
}

static int64_t next_time(const struct cluster *c)
{
	int64_t next = INT64_MAX;

	for (int k = 0; k < BROKERS; k++) {
		const struct way *w = c->interest.other[k].self ? c->interest.other[k].way : NULL;
		if (w && w->first && w->retry_at < next)
			next = w->retry_at;
	}
	return next;
}

int64_t ways_send(struct cluster *c)
{
	struct redis_ask ask[BROKERS];
	struct way *to[BROKERS];
	int64_t now = cluster_now();
	size_t n = 0;

	for (int k = 0; k < BROKERS; k++) {
		struct way *w = c->interest.other[k].self ? c->interest.other[k].way : NULL;
		if (!w || !w->first || w->retry_at > now)
			continue;
		prepare(c, w, &ask[n]);
		if (w->command.failed)
			later(w, now);
		else
			to[n++] = w;
	}
	if (n && redis_route_ask(c->route, ask, n, c->end_at ? c->end_at : now + c->url.timeout_ms))
		cluster_away(c, redis_route_why(c->route));
	for (size_t i = 0; i < n; i++) {
		answered(c, to[i], ask[i].reply, cluster_now());
		if (ask[i].reply)
			freeReplyObject(ask[i].reply);
	}
	return next_time(c);
}
