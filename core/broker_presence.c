/* broker_presence.c -- who came, who went, who listens: noted for operators, and published as AWS's events through the outbox.
 *
 * A connection is told of once it has got through: when the broker says so, or else at the next TICK or with its first packet. So
 * the end of a connection that it takes over comes before it, and a CONNECT that the broker or another plugin refuses after us is never
 * told of. Each is told of at most once. */
#include "core/broker_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"

enum stage { STAGE_NONE, STAGE_WAITING, STAGE_TOLD }; /* sk_client.presence */

struct waiting { void *handle; uint64_t generation; };

static struct waiting *waiting;      /* connections to be told of at the next TICK */
static size_t waits, waits_most;
static struct {                      /* the filters of one SUBSCRIBE, asked about one by one */
	struct sk_arena arena;
	cJSON *topics;
	void *handle;
	uint64_t generation;
	enum sk_presence_kind kind;
} gathered;
static struct sk_arena scratch;

/* -- one event -- */

static void push(const char *topic, const cJSON *document)
{
	struct sk_runtime *rt = sk_broker.rt;
	struct sk_out_list list;
	size_t n = 0;
	const char *text = topic ? sk_json_print(&scratch, document, &n) : NULL;
	sk_out_list_init(&list);
	struct sk_outgoing *item = text && !scratch.failed ? sk_out_add(&list, SK_OUT_PUBLISH, topic, NULL, text, n) : NULL;
	if (item)
		item->qos = 1;
	else if (topic)
		SK_COUNT(rt->count.memory_failures);
	sk_outbox_push(&rt->outbox, &list, rt->host);
}

static void publish(struct sk_presence *p)
{
	if (!sk_broker.options->presence || atomic_load(&sk_broker.rt->stopping))
		return;
	p->now_ms = sk_wall_ms();
	push(sk_presence_topic(&scratch, p->kind, p->client_id), sk_presence_document(&scratch, p));
	sk_arena_reset(&scratch, 65536);
}

static const char *thing_of(struct sk_client *c)
{
	const char *thing = NULL;
	for (int i = 0; i < sk_broker.rt->loaded_count && !thing; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->thing)
			thing = l->plugin->hooks->thing(l->state, c);
	}
	return thing;
}

static void tell(struct sk_client *c, enum sk_presence_kind kind, enum sk_reason reason, cJSON *topics)
{
	struct sk_presence p = { .kind = kind, .reason = reason, .version = c->known->version, .client_id = c->id, .session = c->known->session,
		.principal = c->username, .address = c->address, .thing = kind <= SK_DISCONNECTED ? thing_of(c) : NULL, .topics = topics };
	publish(&p);
}

static void flush(void)
{
	struct sk_client *c = gathered.topics ? sk_clients_at(gathered.handle, gathered.generation) : NULL;
	if (c && c->known)
		tell(c, gathered.kind, 0, gathered.topics);
	gathered.topics = NULL;
	sk_arena_reset(&gathered.arena, 4096);
}

static void gather(struct sk_client *c, enum sk_presence_kind kind, const char *filter)
{
	if (gathered.topics && (gathered.generation != c->generation || gathered.kind != kind || sk_json_count(gathered.topics) >= 100))
		flush();
	if (!gathered.topics) {
		gathered.topics = sk_json_array(&gathered.arena);
		gathered.handle = c->handle;
		gathered.generation = c->generation;
		gathered.kind = kind;
	}
	sk_json_append(gathered.topics, sk_json_string(&gathered.arena, filter));
	atomic_store(&sk_broker.rt->outbox.filled, true);
}

/* -- connections -- */

static void new_session(char session[33])
{
	unsigned char id[16];
	sk_broker.rt->host->random(sk_broker.rt->host->ctx, id, sizeof id);
	sk_hex(id, sizeof id, session);
}

bool sk_presence_is_new(const struct sk_client *c)
{
	return c->presence != STAGE_TOLD && !c->restored;
}

bool sk_client_is_waiting(const struct sk_client *c)
{
	return c->presence == STAGE_WAITING;
}

/* The next TICK tells, unless the broker will. Memory that is out here costs the events of one connection. */
static bool wait_for_tick(struct sk_client *c)
{
	if (waits == waits_most) {
		size_t more = waits_most ? waits_most * 2 : 64;
		struct waiting *grown = realloc(waiting, more * sizeof *grown);
		if (!grown)
			return false;
		waiting = grown;
		waits_most = more;
	}
	waiting[waits++] = (struct waiting){ c->handle, c->generation };
	return true;
}

void sk_presence_connecting(struct sk_client *c)
{
	if (!sk_broker.version->tells_connects && !wait_for_tick(c))
		return;
	if (!c->known) {
		c->known = sk_ledger_open(sk_broker.ledger, c->id);
		if (!c->known)
			return;
		sk_ledger_hold(sk_broker.ledger, c->known);
	}
	c->presence = STAGE_WAITING;
}

/* AWS keeps the identifier as long as the session lives. */
void sk_presence_connected(struct sk_client *c)
{
	struct sk_known *k = c->known;
	if (c->presence != STAGE_WAITING)
		return;
	c->presence = STAGE_TOLD;
	k->version++;
	k->connected_ms = k->seen_ms = sk_wall_ms();
	if (!k->session[0] || !k->persistent || !k->taken || c->clean_session)
		new_session(k->session);
	k->persistent = !c->clean_session;
	k->taken = false;
	sk_clients_forget(k->handle, k->generation);
	k->handle = c->handle;
	k->generation = c->generation;
	sk_known_is(k, c->username, c->address);
	sk_ledger_did(sk_broker.ledger, k, SK_DID_CONNECT, c->id, true, k->connected_ms);
	tell(c, SK_CONNECTED, 0, NULL);
}

void sk_presence_ended(struct sk_client *c, enum sk_reason reason, bool was_there)
{
	if (c->presence == STAGE_WAITING && was_there)
		sk_presence_connected(c);
	if (c->presence != STAGE_TOLD)
		return;
	flush();
	c->presence = STAGE_NONE;
	c->known->disconnected_ms = sk_wall_ms();
	if (reason != SK_REASON_LOST && reason != SK_REASON_KEEPALIVE)
		c->known->seen_ms = c->known->disconnected_ms;
	tell(c, SK_DISCONNECTED, reason, NULL);
}

/* The user name of a client that was refused may be anything; its certificate is proved. */
static const char *principal_of(struct sk_client *c, char hex[65])
{
	size_t n = 0;
	uint8_t digest[SK_DIGEST_SIZE];
	const unsigned char *der = sk_client_certificate_der(c, &n);
	if (!der)
		return c->username;
	sk_digest(der, n, digest);
	sk_hex(digest, sizeof digest, hex);
	return hex;
}

void sk_presence_refused(struct sk_client *c)
{
	struct sk_known *k = sk_ledger_open(sk_broker.ledger, c->id);
	char hex[65], session[33];
	int64_t now = sk_wall_ms();
	struct sk_presence p = { .kind = SK_CONNECT_FAILED, .client_id = c->id, .principal = principal_of(c, hex), .address = c->address };
	if (k) {
		sk_known_denied(k, sk_broker.denial, now);
		sk_ledger_did(sk_broker.ledger, k, SK_DID_CONNECT, c->id, false, now);
		if (!k->principal)
			sk_known_is(k, p.principal, c->address);
	}
	new_session(session);
	p.session = session;
	publish(&p);
}

/* -- what they do -- */

static void note(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m, bool allowed)
{
	static const enum sk_deed deeds[] = {
		[SK_ACL_READ] = SK_DID_RECEIVE, [SK_ACL_WRITE] = SK_DID_PUBLISH, [SK_ACL_SUBSCRIBE] = SK_DID_SUBSCRIBE,
	};
	int64_t now = sk_wall_ms();
	if (access != SK_ACL_READ)
		c->known->seen_ms = now;
	if (!allowed)
		sk_known_denied(c->known, sk_broker.denial, now);
	if (access > SK_ACL_SUBSCRIBE)
		return;
	sk_ledger_did(sk_broker.ledger, c->known, deeds[access], topic, allowed, now);
	if (access == SK_ACL_WRITE && m->retain)
		sk_ledger_did(sk_broker.ledger, c->known, SK_DID_RETAIN, topic, allowed, now);
}

void sk_presence_subscription(struct sk_client *c, const char *filter, bool begins)
{
	if (c->known && c->online)
		gather(c, begins ? SK_SUBSCRIBED : SK_UNSUBSCRIBED, filter);
}

/* While the broker closes a connection it asks about the session's subscriptions: those are no news. */
void sk_presence_asked(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m, int verdict)
{
	if (!c->online || sk_broker.kicking || c->violated || m->will)
		return;
	if (access != SK_ACL_READ) {
		sk_presence_connected(c);
		sk_reason_learn(c);
	}
	note(c, access, topic, m, verdict < SK_DENY);
	if (verdict == SK_DISCONNECT && (access == SK_ACL_WRITE || access == SK_ACL_SUBSCRIBE))
		c->violated = true;
	if (verdict == SK_ALLOW && (access == SK_ACL_SUBSCRIBE || access == SK_ACL_UNSUBSCRIBE) && !sk_broker.version->tells_subscriptions)
		sk_presence_subscription(c, topic, access == SK_ACL_SUBSCRIBE);
}

/* -- turns -- */

void sk_presence_tick(void)
{
	for (size_t i = 0; i < waits; i++) {
		struct sk_client *c = sk_clients_at(waiting[i].handle, waiting[i].generation);
		if (c && c->online && c->known)
			sk_presence_connected(c);
	}
	waits = 0;
	flush();
}

void sk_presence_forget(struct sk_client *c)
{
	if (c->known)
		sk_ledger_release(sk_broker.ledger, c->known);
	c->known = NULL;
}

void sk_presence_free(void)
{
	free(waiting);
	waiting = NULL;
	waits = waits_most = 0;
	gathered.topics = NULL;
	sk_arena_free(&gathered.arena);
	sk_arena_free(&scratch);
}
