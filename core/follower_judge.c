/* follower_judge.c -- what the broker's thread asks of the follower, and what it asks the follower for. It needs nothing of the runtime. */
#include "core/follower_internal.h"

#include <stdlib.h>
#include <string.h>

void sk_changed_init(struct sk_changed_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

int sk_changed_add(struct sk_changed_list *l, const char *prefix, const char *rest, uint64_t version)
{
	size_t n = strlen(prefix), m = strlen(rest) + 1;
	struct sk_changed *c = malloc(sizeof *c + n + m);
	if (!c)
		return -1;
	c->next = NULL;
	c->version = version;
	memcpy(c->key, prefix, n);
	memcpy(c->key + n, rest, m);
	*l->tail = c;
	l->tail = &c->next;
	return 0;
}

uint64_t sk_follower_made(struct sk_follower *f)
{
	return atomic_load(&f->applied.number);
}

static void read_anew(struct sk_follower *f, const struct sk_outgoing *item)
{
	pthread_mutex_lock(&f->lock);
	int failed = sk_changed_add(&f->again, item->watch->prefix, item->topic, item->version);
	pthread_mutex_unlock(&f->lock);
	if (failed)
		f->rt->host->log(f->rt->host->ctx, 'e', "a change could not be applied to the broker's index: restart the broker to rebuild it");
	f->rt->host->wake_thread(f->rt->host->ctx, SK_FOLLOWER);
}

bool sk_follower_judge(struct sk_follower *f, const struct sk_outgoing *item)
{
	struct sk_mark_key key = sk_mark_key(item->watch, item->watch->prefix, item->topic);
	enum sk_applied_verdict v = sk_applied_judge(&f->applied, key, item->version, item->made);
	if (v == SK_APPLY_UNKNOWN)
		read_anew(f, item);
	return v == SK_APPLY;
}

int64_t sk_follower_lost_ms(struct sk_follower *f)
{
	int64_t since = (f->rt->host->mono_us(f->rt->host->ctx) - atomic_load(&f->heard_us)) / 1000;
	return atomic_load(&f->silent) || since > 4 * SK_LOOK_US / 1000 ? since : 0;
}

