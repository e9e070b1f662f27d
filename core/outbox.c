/* outbox.c -- the way back to the broker thread; see outbox.h for the order that it promises. */
#include "core/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/follower.h"
#include "core/plugin.h"

void sk_outbox_init(struct sk_outbox *o)
{
	memset(o, 0, sizeof *o);
	pthread_mutex_init(&o->lock, NULL);
	o->tail = &o->head;
}

void sk_outgoing_free(struct sk_outgoing *item)
{
	sk_bytes_unref(item->bytes);
	free(item->properties);
	free(item);
}

static void drop_list(struct sk_outgoing *item)
{
	while (item) {
		struct sk_outgoing *next = item->next;
		if (item->drop)
			item->drop(item->state);
		sk_outgoing_free(item);
		item = next;
	}
}

void sk_outbox_free(struct sk_outbox *o)
{
	drop_list(o->drain);
	drop_list(o->head);
	sk_out_home_empty(&o->others);
	o->head = o->drain = NULL;
	o->tail = &o->head;
	pthread_mutex_destroy(&o->lock);
}

void sk_out_home_empty(struct sk_out_home *h)
{
	struct sk_outgoing *item = atomic_load_explicit(&h->back, memory_order_relaxed);
	if (item)
		item = atomic_exchange_explicit(&h->back, NULL, memory_order_acquire);
	while (item) {
		struct sk_outgoing *next = item->next;
		sk_outgoing_free(item);
		item = next;
	}
}

static void give_back(struct sk_outgoing *item)
{
	struct sk_out_home *h = item->home;
	if (!h) {
		sk_outgoing_free(item);
		return;
	}
	item->next = atomic_load_explicit(&h->back, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&h->back, &item->next, item, memory_order_release, memory_order_relaxed))
		;
}

static void empty(struct sk_out_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

void sk_out_list_init(struct sk_out_list *l)
{
	empty(l);
	l->home = NULL;
}

void sk_out_list_free(struct sk_out_list *l)
{
	drop_list(l->head);
	sk_out_list_init(l);
}

void sk_out_list_move(struct sk_out_list *to, struct sk_out_list *from)
{
	if (from->head) {
		*to->tail = from->head;
		to->tail = from->tail;
	}
	empty(from);
}

static char *place(char **at, const void *data, size_t n)
{
	char *here = *at;
	if (n)
		memcpy(here, data, n);
	here[n] = '\0';
	*at += n + 1;
	return here;
}

struct sk_outgoing *sk_out_add(struct sk_out_list *l, enum sk_outgoing_kind kind, const char *topic, const char *client_id,
                               const void *payload, size_t payload_size)
{
	size_t topic_size = topic ? strlen(topic) : 0, id_size = client_id ? strlen(client_id) : 0;
	struct sk_outgoing *item = malloc(sizeof *item + topic_size + id_size + payload_size + 3);
	if (!item)
		return NULL;
	memset(item, 0, sizeof *item);
	char *at = (char *)(item + 1);
	item->kind = kind;
	item->topic = topic ? place(&at, topic, topic_size) : NULL;
	item->client_id = client_id ? place(&at, client_id, id_size) : NULL;
	item->payload = payload ? place(&at, payload, payload_size) : NULL;
	item->payload_size = payload_size;
	item->home = l->home;
	*l->tail = item;
	l->tail = &item->next;
	return item;
}

void sk_outbox_push(struct sk_outbox *o, struct sk_out_list *l, const struct sk_host *host)
{
	if (!l->head)
		return;
	uint64_t n = 0;
	for (struct sk_outgoing *item = l->head; item; item = item->next)
		n++;
	pthread_mutex_lock(&o->lock);
	*o->tail = l->head;
	o->tail = l->tail;
	pthread_mutex_unlock(&o->lock);
	empty(l);
	atomic_fetch_add_explicit(&o->depth_now, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&o->pushed, n, memory_order_relaxed);
	atomic_store(&o->filled, true);
	if (!atomic_exchange(&o->awake, true))
		host->wake_broker(host->ctx);
}

static void take(struct sk_outbox *o)
{
	pthread_mutex_lock(&o->lock);
	o->drain = o->head;
	o->head = NULL;
	o->tail = &o->head;
	pthread_mutex_unlock(&o->lock);
}

static void handle(const struct sk_host *host, struct sk_outgoing *item, const struct sk_drain *d)
{
	switch (item->kind) {
	case SK_OUT_PUBLISH:
	case SK_OUT_REPLY:
		host->publish(host->ctx, item);
		break;
	case SK_OUT_KICK:
		host->kick(host->ctx, item);
		break;
	case SK_OUT_APPLY:
		if (item->follower && !sk_follower_judge(item->follower, item))
			break;
		if (item->watch->apply(item->state, item->topic, item->bytes))
			host->log(host->ctx, 'e', "a change could not be applied to the broker's index: restart the broker to rebuild it");
		break;
	case SK_OUT_FINISHED:
		d->finished(d->ctx, item);
		if (item->drop)
			item->drop(item->state);
		break;
	case SK_OUT_LOG:
		host->log(host->ctx, item->level, item->topic);
		break;
	case SK_OUT_CALL:
		item->call(item->state);
		break;
	}
}

/* The wake flag is cleared before the queue is read: a push after that wakes again, so none is forgotten. */
bool sk_outbox_drain(struct sk_outbox *o, const struct sk_host *host, struct sk_drain *d)
{
	int64_t stop = host->mono_us(host->ctx) + d->budget_us;
	atomic_store(&o->awake, false);
	atomic_store(&o->filled, false);
	for (int n = 0;; n++) {
		if (!o->drain)
			take(o);
		if (!o->drain)
			return false;
		if (n >= d->max || (n % 16 == 15 && host->mono_us(host->ctx) >= stop))
			break;
		struct sk_outgoing *item = o->drain;
		o->drain = item->next;
		if (item->kind <= SK_OUT_REPLY)
			d->published++;
		handle(host, item, d);
		give_back(item);
		atomic_fetch_sub_explicit(&o->depth_now, 1, memory_order_relaxed);
	}
	atomic_store(&o->filled, true);
	return true;
}
