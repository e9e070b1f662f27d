/* hear.c -- what came on a channel: messages for our subscribers, and what others take.
 *
 * A message goes to the outbox with the mark `foreign`: to subscribers alone, never to a row, a rule or another broker. What was sent twice is heard once. */
#include <stdlib.h>
#include <string.h>

#include "core/outbox.h"
#include "plugins/cluster/cluster.h"

/* -- messages -- */

static struct sk_outgoing *outgoing(struct cluster *c, struct sk_out_list *list, const struct frame_entry *e)
{
	void *properties = e->properties_size ? malloc(e->properties_size) : NULL;
	struct sk_outgoing *item = e->properties_size && !properties ? NULL : sk_out_add(list, SK_OUT_PUBLISH, e->topic, NULL, e->payload, e->size);

	if (!item) {
		free(properties);
		return NULL;
	}
	if (properties)
		memcpy(properties, e->properties, e->properties_size);
	item->properties = properties;
	item->properties_size = e->properties_size;
	item->qos = e->qos;
	item->retain = e->retain;
	item->foreign = true;
	c->given += sizeof *item + e->size + e->properties_size;
	return item;
}

static void deliver(struct cluster *c, struct frame *f)
{
	struct sk_runtime *rt = sk_process();
	struct sk_out_list list;
	struct frame_entry e;

	sk_out_list_init(&list);
	list.home = &c->home;
	while (frame_next(f, &e))
		SK_COUNT(*(outgoing(c, &list, &e) ? &rt->count.cluster_received : &rt->count.memory_failures));
	sk_outbox_push(&rt->outbox, &list, rt->host);
}

void hear_room(struct cluster *c)
{
	struct sk_outgoing *item = atomic_exchange_explicit(&c->home.back, NULL, memory_order_acquire);

	while (item) {
		struct sk_outgoing *next = item->next;
		c->given -= sizeof *item + item->payload_size + item->properties_size;
		sk_outgoing_free(item);
		item = next;
	}
}

/* Numbers begin anew when the sender does, and grow even then. */
static void take_messages(struct cluster *c, struct frame *f)
{
	struct other *o = interest_add(&c->interest, f->sender);

	if (o && f->number <= o->in)
		return;
	if (o && o->in && f->kind == FRAME_MESSAGES && f->number > o->in + 1)
		SK_COUNT_BY(sk_process()->count.cluster_lost, f->number - o->in - 1);
	if (o)
		o->in = f->number;
	deliver(c, f);
	cluster_audience(c);
}

/* -- what others take -- */

static void take_interest(struct cluster *c, struct frame *f)
{
	struct other *o = interest_find(&c->interest, f->sender);
	struct frame_entry e;

	if (!o || f->number > o->known + 1)
		c->beat_at = 0; /* something is missing: it is read anew */
	if (!o || f->number != o->known + 1)
		return;
	while (frame_next(f, &e))
		interest_change(&c->interest, o, e.kind, e.topic);
	o->known = f->number;
	cluster_audience(c);
}

static void take_bye(struct cluster *c, const struct frame *f)
{
	struct other *o = interest_find(&c->interest, f->sender);

	if (!o)
		return;
	sk_log('n', "cluster", "the broker %016llx has ended", (unsigned long long)f->sender);
	way_close(c, o);
	interest_drop(&c->interest, o);
	cluster_audience(c);
}

void hear_packet(struct cluster *c, const char *bytes, size_t n)
{
	struct frame f;

	if (!frame_open(&f, bytes, n) || f.sender == c->self)
		return;
	switch (f.kind) {
	case FRAME_MESSAGES: case FRAME_FIRST: take_messages(c, &f); break;
	case FRAME_INTEREST: take_interest(c, &f); break;
	case FRAME_BYE: take_bye(c, &f); break;
	case FRAME_FILE: break;
	}
}
