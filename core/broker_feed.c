/* broker_feed.c -- messages for the plugins that listen to all of them (sk_hooks.message): clients', wills, bridges' and our own.
 *
 * A client's message is fed when the broker has let it in and before it is routed; a will when we have allowed it, since Mosquitto tells of it
 * in no other way; a publish of ours when the broker has taken it. Nothing is copied here. */
#include "core/broker_internal.h"

#include <string.h>

static bool fed; /* in this turn */

void sk_feed_start(void)
{
	const struct sk_loaded **at = sk_broker.listeners;
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_hooks *h = sk_broker.rt->loaded[i].plugin->hooks;
		if (h && (h->message || h->passed))
			*at++ = &sk_broker.rt->loaded[i];
	}
	*at = NULL;
}

static int tell(const struct sk_feed *f)
{
	int verdict = SK_PASS;
	for (const struct sk_loaded *const *l = sk_broker.listeners; *l; l++)
		if ((*l)->plugin->hooks->message && (*l)->plugin->hooks->message((*l)->state, f) == SK_DENY)
			verdict = SK_DENY;
	for (const struct sk_loaded *const *l = sk_broker.listeners; *l && verdict != SK_DENY; l++)
		if ((*l)->plugin->hooks->passed)
			(*l)->plugin->hooks->passed((*l)->state, f);
	fed = true;
	return verdict;
}

/* A row without a handler: its plugin's hook alone. */
static int tell_owner(struct sk_feed *f, const struct sk_topic_match *m)
{
	const struct sk_row *row = m->row;
	const struct sk_hooks *hooks = row->owner->plugin->hooks;
	f->own = m;
	fed = true;
	SK_COUNT(sk_broker.rt->count.fed_directly);
	return hooks && hooks->message ? hooks->message(row->owner->state, f) : SK_PASS;
}

/* MQTT 3.1.1 has no PUBACK that says no: the connection ends, and the client sends again what was not acknowledged. */
static int refusal(struct mosquitto *client, int qos)
{
	SK_COUNT(sk_broker.rt->count.feed_refused);
	if (!qos)
		return MOSQ_ERR_SUCCESS;
	return mosquitto_client_protocol_version(client) == 5 ? sk_broker.version->over_quota : MOSQ_ERR_NOMEM;
}

int sk_feed_message(const struct mosquitto_evt_message *ed, const struct sk_topic_match *own)
{
	struct sk_feed f = { .handle = ed->client, .topic = ed->topic, .payload = ed->payload, .size = ed->payloadlen, .qos = ed->qos, .retain = ed->retain,
		.properties = ed->properties };
	int verdict = own ? tell_owner(&f, own) : tell(&f);
	return verdict == SK_DENY ? refusal(ed->client, ed->qos) : MOSQ_ERR_SUCCESS;
}

void sk_feed_will(const struct mosquitto_evt_acl_check *ed)
{
	struct sk_feed f = { .handle = ed->client, .topic = ed->topic, .payload = ed->payload, .size = ed->payloadlen, .qos = ed->qos, .retain = ed->retain, .will = true };
	if (tell(&f) == SK_DENY)
		SK_COUNT(sk_broker.rt->count.feed_refused);
}

void sk_feed_ours(const struct sk_outgoing *item, const struct sk_topic_match *own)
{
	struct sk_feed f = { .topic = item->topic, .payload = item->payload, .size = item->payload_size, .qos = item->qos, .retain = item->retain, .ours = true,
		.depth = item->depth, .properties = item->properties, .properties_size = item->properties_size };
	if ((own ? tell_owner(&f, own) : tell(&f)) == SK_DENY)
		SK_COUNT(sk_broker.rt->count.feed_refused);
}

void sk_feed_turn(void)
{
	if (!fed)
		return;
	fed = false;
	for (const struct sk_loaded *const *l = sk_broker.listeners; *l; l++)
		if ((*l)->plugin->hooks->turn)
			(*l)->plugin->hooks->turn((*l)->state);
}

const struct sk_client *sk_feed_client(const struct sk_feed *f)
{
	return f->handle ? sk_clients_find(f->handle) : NULL;
}

size_t sk_feed_properties(const struct sk_feed *f, void *out, size_t room)
{
	if (!f->ours)
		return f->properties ? sk_broker_properties_encode(f->properties, out, room) : 0;
	if (room)
		memcpy(out, f->properties, f->properties_size < room ? f->properties_size : room);
	return f->properties_size;
}
