/* carry.c -- the broker's thread: a copy of what others may want, and what our sessions take, into the queue. Nothing waits, and nothing is sent from here. */
#include <stdio.h>
#include <string.h>

#include "core/client.h"
#include "core/threads.h"
#include "core/why.h"
#include "plugins/cluster/cluster.h"
#include "rules/filters.h"

enum { SAY_US = 60000000, FADE = 2000 };
#define ALWAYS UINT64_MAX /* the session of plugin_opt_always */

/* -- what our sessions take -- */

static void changed(void *ctx, enum entry_kind what, const char *filter)
{
	struct cluster *c = ctx;
	const struct frame_entry e = { .kind = what, .topic = filter, .topic_size = strlen(filter) };
	char *to = e.topic_size <= UINT16_MAX ? queue_room(&c->q, entry_size(&e), true) : NULL;

	if (!to) {
		atomic_store(&c->blind, true);
		return;
	}
	entry_put(to, &e, NULL);
	queue_added(&c->q);
}

static void sure(struct cluster *c, int rc)
{
	if (rc)
		atomic_store(&c->blind, true);
	queue_ring(&c->q);
}

void carry_came(struct cluster *c, const struct sk_client *client)
{
	if (c->taking)
		sure(c, sessions_came(&c->sessions, &(struct session_is){ .generation = client->generation, .handle = client->handle, .id = client->id,
			.lasting = client->lasting, .fresh = client->clean_session }));
}

void carry_subscribed(struct cluster *c, const struct sk_client *client, const char *filter, bool on)
{
	if (c->taking)
		sure(c, sessions_subscribed(&c->sessions, client->generation, filter, on));
}

/* -- messages -- */

static bool wanted(const struct cluster *c, const struct sk_feed *f)
{
	uint32_t one;
	enum audience audience = atomic_load_explicit(&c->audience, memory_order_relaxed);

	if (audience == NOBODY || (audience == NO_FILTERS && !f->retain))
		return false;
	if (f->topic[0] == '$' && (!strncmp(f->topic, "$SYS/", 5) || !strncmp(f->topic, "$CONTROL/", 9)))
		return false;
	return f->ours || (c->selected && rules_filters_match(c->selected, f->topic, &one, 1));
}

void carry_message(struct cluster *c, const struct sk_feed *f)
{
	if (!c->taking || !wanted(c, f))
		return;
	const struct frame_entry e = { .kind = ENTRY_MESSAGE, .qos = f->qos, .retain = f->retain, .topic = f->topic, .topic_size = strlen(f->topic),
		.properties_size = sk_feed_properties(f, NULL, 0), .size = f->size };
	char *properties, *to = queue_room(&c->q, entry_size(&e), false);
	if (!to) {
		c->dropped++;
		SK_COUNT(sk_process()->count.cluster_dropped);
		return;
	}
	to = entry_put(to, &e, &properties);
	if (e.properties_size)
		sk_feed_properties(f, properties, e.properties_size);
	if (f->size)
		memcpy(to, f->payload, f->size);
	queue_added(&c->q);
}

/* -- now and then -- */

void carry_tick(struct cluster *c)
{
	int64_t now = sk_mono_us();
	uint64_t dropped = c->dropped + atomic_load(&c->left_out);

	if (!c->taking)
		return;
	sure(c, sessions_doubt(&c->sessions, sk_client_subscriptions));
	if (c->remembering && now >= c->forget_at)
		c->remembering = !sessions_fade(&c->sessions, 0, FADE);
	if (dropped > c->dropped_said && now - c->said_at >= SAY_US) {
		sk_log('w', "cluster", "%llu messages for other brokers were dropped: no room (plugin_opt_queue)", (unsigned long long)(dropped - c->dropped_said));
		c->said_at = now;
		c->dropped_said = dropped;
	}
}

/* -- options -- */

/* Calls fn with each word of a list. 0, or what fn answered if not 0. */
static int each_word(const char *list, int (*fn)(struct cluster *c, const char *word), struct cluster *c)
{
	char word[1024];
	int rc = 0;

	for (const char *at = list ? list : ""; !rc && *(at += strspn(at, " \t"));) {
		size_t n = strcspn(at, " \t");
		snprintf(word, sizeof word, "%.*s", (int)n, at);
		rc = n < sizeof word ? fn(c, word) : -1;
		at += n;
	}
	return rc;
}

static int select_topic(struct cluster *c, const char *filter)
{
	if (!c->selected && !(c->selected = rules_filters_new()))
		return -1;
	return !strncmp(filter, "$SYS", 4) || !strncmp(filter, "$CONTROL", 8) ? -1 : rules_filters_add(c->selected, filter, 0);
}

static int take_always(struct cluster *c, const char *filter)
{
	return rules_filter_valid(filter) ? sessions_subscribed(&c->sessions, ALWAYS, filter, true) : -1;
}

int carry_start(struct cluster *c, char *why, size_t why_size)
{
	c->sessions.changed = changed;
	c->sessions.ctx = c;
	if (queue_init(&c->q, (size_t)c->queue))
		return sk_why(why, why_size, "memory or files are out");
	if (each_word(c->topics, select_topic, c))
		return sk_why(why, why_size, "plugin_opt_topics wants topic filters with blanks between them, none of them in $SYS or $CONTROL");
	if (sessions_came(&c->sessions, &(struct session_is){ .generation = ALWAYS, .id = "", .fresh = true }) || each_word(c->always, take_always, c))
		return sk_why(why, why_size, "plugin_opt_always wants topic filters with blanks between them");
	c->said_at = -SAY_US;
	c->forget_at = sk_mono_us() + c->remember * 1000;
	return c->remember ? remembered_read(c, why, why_size) : 0;
}

void carry_stop(struct cluster *c)
{
	sessions_free(&c->sessions);
	rules_filters_free(&c->selected);
	queue_free(&c->q);
}
