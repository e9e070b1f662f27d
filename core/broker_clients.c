/* broker_clients.c -- who is connected: open addressing by the broker's client pointer.
 *
 * Mosquitto reuses pointers, so an entry is believed only while the id and the user name agree too. An entry of a session without
 * a connection stays: READ is still asked for it. A second DISCONNECT for it, or a new client at its pointer, ends it. */
#include "core/broker_internal.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AT_MOST 4096       /* entries a second */
#define REAP_US 2000        /* a second's */
#define WILL_US 1000000         /* for the broker to ask about the will of a session that is over */
#define LET_IN_US 60000000      /* for another plugin to decide */
#define V5_SESSION_US 3600000000 /* a session of MQTT 5 that began clean, where nobody tells whether it is over: AWS's default for those that stay */

struct entry {
	struct sk_client client; /* first */
	char *texts;             /* id, user name, address in one block */
	bool dead;               /* its session ended: the broker may still ask about its will */
	bool is_v5;              /* clean_session is how its session began, and says nothing of how it ends */
	int64_t since;           /* monotonic us: let in, or without a connection */
};

/* The pointer stands beside the entry's, so that passing over those of others touches no memory of theirs. */
struct place { const void *handle; struct entry *entry; }; /* handle NULL: empty; entry NULL: a tombstone */

static struct place *table;
static size_t buckets, used, filled; /* filled counts tombstones too */
static size_t looked_at, reaped_at;  /* where the searches for sessions that nobody told of, and for ended ones, go on */
static const char tombstone; /* the handle of nobody */
static uint64_t generations;

static size_t home_of(const void *handle)
{
	return (size_t)(((uintptr_t)handle >> 4) * 0x9E3779B97F4A7C15u >> 20) & (buckets - 1);
}

static struct entry *lookup(const void *handle, size_t *at)
{
	if (!buckets)
		return NULL;
	for (size_t i = home_of(handle); table[i].handle; i = (i + 1) & (buckets - 1))
		if (table[i].handle == handle) {
			if (at)
				*at = i;
			return table[i].entry;
		}
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

struct sk_client *sk_clients_find(struct mosquitto *handle)
{
	struct entry *e = handle ? lookup(handle, NULL) : NULL;
	if (!e || !same(e->client.id, mosquitto_client_id(handle)) || !same(e->client.username, mosquitto_client_username(handle)))
		return NULL;
	return &e->client;
}

struct sk_client *sk_clients_at(void *handle, uint64_t generation)
{
	struct entry *e = lookup(handle, NULL);
	return e && e->client.generation == generation ? &e->client : NULL;
}

int sk_client_subscriptions(void *handle, uint64_t generation)
{
	const struct sk_client *c = sk_clients_at(handle, generation);
	return c ? mosquitto_client_sub_count(c->handle) : -1;
}

static void call_gone(struct sk_client *c)
{
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->gone)
			l->plugin->hooks->gone(l->state, c);
	}
}

static void call_disconnected(struct sk_client *c)
{
	if (!c->online)
		return;
	c->online = false;
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->disconnected)
			l->plugin->hooks->disconnected(l->state, c);
	}
}

static void forget(size_t at)
{
	struct entry *e = table[at].entry;
	if (e->client.online)
		sk_presence_ended(&e->client, SK_REASON_LOST, false);
	call_disconnected(&e->client);
	call_gone(&e->client);
	sk_presence_forget(&e->client);
	table[at] = (struct place){ &tombstone, NULL };
	used--;
	free(e->texts);
	free(e);
}

static bool rehash(size_t n)
{
	struct place *old = table, *fresh = calloc(n, sizeof *fresh);
	size_t old_buckets = buckets;
	if (!fresh)
		return false;
	table = fresh;
	buckets = n;
	filled = used;
	for (size_t i = 0; i < old_buckets; i++) {
		if (!old[i].entry)
			continue;
		size_t k = home_of(old[i].handle);
		while (table[k].handle)
			k = (k + 1) & (buckets - 1);
		table[k] = old[i];
	}
	free(old);
	return true;
}

static char *append(char **at, const char *s)
{
	if (!s)
		return NULL;
	char *here = *at;
	size_t n = strlen(s) + 1;
	memcpy(here, s, n);
	*at += n;
	return here;
}

static size_t room(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static int copy_texts(struct entry *e, const char *id, const char *username, const char *address)
{
	char *texts = malloc(room(id) + room(username) + room(address) + 1), *at = texts;
	if (!texts)
		return -1;
	const char *new_id = append(&at, id), *new_name = append(&at, username), *new_address = append(&at, address);
	free(e->texts);
	e->texts = texts;
	e->client.id = new_id;
	e->client.username = new_name;
	e->client.address = new_address;
	return 0;
}

struct sk_client *sk_clients_add(struct mosquitto *handle)
{
	size_t at;
	if (lookup(handle, &at))
		forget(at);
	if ((filled + 1) * 4 > buckets * 3 && !rehash(used * 4 > buckets ? buckets * 2 : buckets ? buckets : 64))
		return NULL;
	struct entry *e = calloc(1, sizeof *e);
	if (!e || copy_texts(e, mosquitto_client_id(handle), mosquitto_client_username(handle), mosquitto_client_address(handle))) {
		free(e);
		return NULL;
	}
	e->client.handle = handle;
	e->is_v5 = mosquitto_client_protocol_version(handle) == 5;
	e->client.generation = ++generations;
	e->since = sk_mono_us();
	e->client.clean_session = mosquitto_client_clean_session(handle);
	e->client.lasting = e->is_v5 || !e->client.clean_session;
	e->client.tokens = (int32_t)sk_broker.options->device_rate;
	for (at = home_of(handle); table[at].entry; at = (at + 1) & (buckets - 1))
		;
	filled += !table[at].handle;
	table[at] = (struct place){ handle, e };
	used++;
	return &e->client;
}

int sk_client_set_username(struct sk_client *c, const char *username)
{
	struct entry *e = (struct entry *)c;
	char *id = strdup(c->id), *address = c->address ? strdup(c->address) : NULL;
	int rc = !id || (c->address && !address) || copy_texts(e, id, username, address) ||
	         mosquitto_set_username(c->handle, username) != MOSQ_ERR_SUCCESS ? -1 : 0;
	free(id);
	free(address);
	return rc;
}

const unsigned char *sk_client_certificate_der(struct sk_client *c, size_t *n)
{
	static unsigned char *der;
	X509 *x = mosquitto_client_certificate(c->handle);
	OPENSSL_free(der);
	der = NULL;
	if (!x)
		return NULL;
	int size = i2d_X509(x, &der);
	X509_free(x);
	if (size <= 0)
		return NULL;
	*n = (size_t)size;
	return der;
}

void sk_clients_refused(struct mosquitto *handle)
{
	size_t at;
	struct entry *e = lookup(handle, &at);
	if (e && !e->dead && sk_presence_is_new(&e->client))
		forget(at);
}

void sk_clients_forget(void *handle, uint64_t generation)
{
	size_t at;
	struct entry *e = lookup(handle, &at);
	if (e && e->client.generation == generation && !e->client.online && !e->dead)
		forget(at);
}

/* The one that takes over goes on with the session. */
static void note_session(struct sk_client *c, int code, bool stays)
{
	if (!c->known)
		return;
	if (sk_reason_taken_over(c) || sk_reason_of_code(code) == SK_REASON_DUPLICATE)
		c->known->taken = true;
	else
		c->known->persistent = stays;
}

void sk_clients_ended(struct mosquitto *handle, int code, enum sk_session session)
{
	size_t at;
	struct entry *e = lookup(handle, &at);
	if (!e || !same(e->client.id, mosquitto_client_id(handle)))
		return;
	if (e->client.online) {
		bool was_there;
		enum sk_reason reason = sk_reason_why(&e->client, code, &was_there);
		sk_presence_ended(&e->client, reason, was_there);
	}
	if (!e->client.online && !e->dead) {
		note_session(&e->client, code, false);
		forget(at);
		return;
	}
	call_disconnected(&e->client);
	e->client.in_flight = 0;
	e->dead = session == SK_SESSION_AS_ASKED ? e->client.clean_session && !e->is_v5 : session == SK_SESSION_OVER;
	note_session(&e->client, code, !e->dead);
	e->since = sk_mono_us();
}

/* Where a broker says nothing: of a session that expired, and of a CONNECT that was refused after we had let it in. */
static bool is_forgotten(const struct entry *e, int64_t now)
{
	if (e->client.online)
		return sk_broker.version->tells_connects && sk_client_is_waiting(&e->client) && now - e->since > LET_IN_US;
	if (sk_broker.version->forgets_unsaid)
		return sk_version_forgot(sk_broker.version, e->client.id, e->client.handle);
	return e->is_v5 && e->client.clean_session && now - e->since > V5_SESSION_US;
}

/* The will is asked about in the same turn of the broker's loop, but one with a delay when that has passed. */
static bool is_over(const struct entry *e, int64_t now)
{
	if (!e->dead || now - e->since < WILL_US)
		return false;
	return !sk_broker.version->forgets_unsaid || sk_version_forgot(sk_broker.version, e->client.id, e->client.handle);
}

static void reap_forgotten(int64_t now)
{
	for (size_t n = buckets < LOOK_AT_MOST ? buckets : LOOK_AT_MOST; n; n--) {
		looked_at = (looked_at + 1) & (buckets - 1);
		struct entry *e = table[looked_at].entry;
		if (e && is_forgotten(e, now))
			forget(looked_at);
	}
}

/* What a storm left goes in pieces: 10,000 take up to 8 ms. */
static void reap_over(int64_t now)
{
	for (size_t n = 0; n < buckets && (n % 64 || sk_mono_us() < now + REAP_US); n++) {
		reaped_at = (reaped_at + 1) & (buckets - 1);
		struct entry *e = table[reaped_at].entry;
		if (e && is_over(e, now))
			forget(reaped_at);
	}
}

void sk_clients_reap(void)
{
	int64_t now = sk_mono_us();
	reap_over(now);
	reap_forgotten(now);
	if (buckets > 1024 && used * 16 < buckets)
		rehash(buckets / 4);
}

void sk_client_each(void (*fn)(struct sk_client *c, void *ctx), void *ctx)
{
	for (size_t i = 0; i < buckets; i++)
		if (table[i].entry)
			fn(&table[i].entry->client, ctx);
}

bool sk_clients_kick_doomed(void (*kick)(const struct sk_client *c, const char *why))
{
	for (size_t i = 0; i < buckets; i++) {
		struct entry *e = table[i].entry;
		if (!e || !e->client.doomed)
			continue;
		e->client.doomed = false;
		kick(&e->client, "it lost its right to be here");
		return true;
	}
	return false;
}

size_t sk_clients_count(void)
{
	return used;
}

void sk_clients_free(void)
{
	for (size_t i = 0; i < buckets; i++)
		if (table[i].entry)
			forget(i);
	free(table);
	table = NULL;
	buckets = used = filled = looked_at = reaped_at = 0;
}
