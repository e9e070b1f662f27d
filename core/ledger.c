/* ledger.c -- see ledger.h. Two queues by age: of clients that nobody holds, and of the pairs of all clients. */
#include "core/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { AGE_MS = 1000 }; /* pairs used within it may stand in any order: moving one costs the broker's thread three cache misses */

struct sk_ledger {
	struct sk_known **bucket;
	size_t buckets, count;
	size_t idle, idle_most;
	struct sk_known *newest, *oldest;
	struct sk_did *last, *first; /* pairs: used last, used longest ago */
	size_t bytes, bytes_most;
	struct sk_did **pair;        /* by hash of client, deed and topic */
	size_t pairs, room;          /* room: 0 or a power of two */
};

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static size_t size_of(const struct sk_did *d)
{
	return sizeof *d + strlen(d->topic) + 1;
}

/* -- pairs -- */

static void unchain_did(struct sk_ledger *l, struct sk_did *d)
{
	*(d->newer ? &d->newer->older : &l->last) = d->older;
	*(d->older ? &d->older->newer : &l->first) = d->newer;
	d->newer = d->older = NULL;
}

static void chain_did(struct sk_ledger *l, struct sk_did *d)
{
	d->older = l->last;
	d->newer = NULL;
	*(l->last ? &l->last->newer : &l->first) = d;
	l->last = d;
}

static struct sk_did **place_of(const struct sk_ledger *l, uint32_t hash)
{
	return &l->pair[hash & (l->room - 1)];
}

static int grow_pairs(struct sk_ledger *l)
{
	size_t room = l->room ? l->room * 2 : 64;
	struct sk_did **old = l->pair, **fresh = calloc(room, sizeof *fresh);
	size_t places = l->room;
	if (!fresh)
		return l->room ? 0 : -1; /* longer chains */
	l->pair = fresh;
	l->room = room;
	for (size_t i = 0; i < places; i++)
		for (struct sk_did *d = old[i], *next; d; d = next) {
			next = d->chained;
			d->chained = *place_of(l, d->hash);
			*place_of(l, d->hash) = d;
		}
	free(old);
	return 0;
}

static void forget_did(struct sk_ledger *l, struct sk_did *d)
{
	struct sk_did **at = &d->of->did, **place = place_of(l, d->hash);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	while (*place != d)
		place = &(*place)->chained;
	*place = d->chained;
	l->pairs--;
	d->of->deeds--;
	if (d->of->recent == d)
		d->of->recent = NULL;
	l->bytes -= size_of(d);
	unchain_did(l, d);
	free(d);
}

static struct sk_did *find_did(const struct sk_ledger *l, const struct sk_known *k, enum sk_deed deed, const char *topic, uint32_t hash)
{
	struct sk_did *d = l->room ? *place_of(l, hash) : NULL;
	while (d && (d->hash != hash || d->of != k || d->deed != deed || strcmp(d->topic, topic)))
		d = d->chained;
	return d;
}

static struct sk_did *oldest_of(struct sk_known *k)
{
	struct sk_did *oldest = k->did;
	for (struct sk_did *d = k->did; d; d = d->next)
		if (d->last_ms <= oldest->last_ms)
			oldest = d;
	return oldest;
}

static struct sk_did *make_did(struct sk_ledger *l, struct sk_known *k, enum sk_deed deed, const char *topic, uint32_t hash)
{
	size_t n = strlen(topic);
	if (n > SK_LEDGER_TOPIC || sizeof(struct sk_did) + n >= l->bytes_most || (l->pairs >= l->room && grow_pairs(l)))
		return NULL;
	struct sk_did *d = calloc(1, sizeof *d + n + 1);
	if (!d)
		return NULL;
	memcpy(d->topic, topic, n + 1);
	d->deed = (uint8_t)deed;
	d->of = k;
	if (k->deeds == SK_LEDGER_DEEDS)
		forget_did(l, oldest_of(k));
	d->next = k->did;
	k->did = d;
	k->deeds++;
	d->hash = hash;
	d->chained = *place_of(l, hash);
	*place_of(l, hash) = d;
	l->pairs++;
	l->bytes += size_of(d);
	chain_did(l, d);
	while (l->bytes > l->bytes_most)
		forget_did(l, l->first);
	return d;
}

static struct sk_did *find_or_make(struct sk_ledger *l, struct sk_known *k, enum sk_deed deed, const char *topic, int64_t now_ms)
{
	uint32_t hash = (hash_of(topic) ^ k->hash * 0x85ebca6bu) + (uint32_t)deed * 0x9e3779b9u;
	struct sk_did *d = find_did(l, k, deed, topic, hash);
	if (!d && (d = make_did(l, k, deed, topic, hash)))
		d->first_ms = d->last_ms = now_ms;
	return k->recent = d;
}

void sk_ledger_did(struct sk_ledger *l, struct sk_known *k, enum sk_deed deed, const char *topic, bool allowed, int64_t now_ms)
{
	if (!l || !k || !l->bytes_most)
		return;
	struct sk_did *d = k->recent;
	if (!d || d->deed != deed || strcmp(d->topic, topic)) /* most do the same again and again */
		d = find_or_make(l, k, deed, topic, now_ms);
	if (!d)
		return;
	if (d != l->last && now_ms - d->last_ms >= AGE_MS) {
		unchain_did(l, d);
		chain_did(l, d);
	}
	d->last_ms = now_ms;
	d->allowed = allowed;
	d->count++;
}

/* -- clients -- */

static void unchain(struct sk_ledger *l, struct sk_known *k)
{
	*(k->newer ? &k->newer->older : &l->newest) = k->older;
	*(k->older ? &k->older->newer : &l->oldest) = k->newer;
	k->newer = k->older = NULL;
	l->idle--;
}

static void chain(struct sk_ledger *l, struct sk_known *k)
{
	k->older = l->newest;
	k->newer = NULL;
	*(l->newest ? &l->newest->newer : &l->oldest) = k;
	l->newest = k;
	l->idle++;
}

static void known_free(struct sk_known *k)
{
	free(k->denial);
	free(k->principal);
	free(k->address);
	free(k);
}

static void forget(struct sk_ledger *l, struct sk_known *k)
{
	struct sk_known **at = &l->bucket[k->hash & (l->buckets - 1)];
	while (*at != k)
		at = &(*at)->bucket_next;
	*at = k->bucket_next;
	while (k->did)
		forget_did(l, k->did);
	unchain(l, k);
	l->count--;
	known_free(k);
}

static void trim(struct sk_ledger *l, size_t most)
{
	while (l->idle > most)
		forget(l, l->oldest);
}

static void grow(struct sk_ledger *l)
{
	size_t n = l->buckets * 2;
	struct sk_known **fresh = calloc(n, sizeof *fresh);
	if (!fresh)
		return; /* longer chains */
	for (size_t i = 0; i < l->buckets; i++)
		for (struct sk_known *k = l->bucket[i], *next; k; k = next) {
			next = k->bucket_next;
			k->bucket_next = fresh[k->hash & (n - 1)];
			fresh[k->hash & (n - 1)] = k;
		}
	free(l->bucket);
	l->bucket = fresh;
	l->buckets = n;
}

struct sk_known *sk_ledger_find(struct sk_ledger *l, const char *id)
{
	uint32_t h = hash_of(id);
	for (struct sk_known *k = l ? l->bucket[h & (l->buckets - 1)] : NULL; k; k = k->bucket_next)
		if (k->hash == h && !strcmp(k->id, id))
			return k;
	return NULL;
}

struct sk_known *sk_ledger_open(struct sk_ledger *l, const char *id)
{
	struct sk_known *k = sk_ledger_find(l, id);
	size_t n = strlen(id);
	if (k || !l || !(k = calloc(1, sizeof *k + n + 1)))
		return k;
	memcpy(k->id, id, n + 1);
	k->hash = hash_of(id);
	k->version = -1;
	if (l->count > l->buckets)
		grow(l);
	k->bucket_next = l->bucket[k->hash & (l->buckets - 1)];
	l->bucket[k->hash & (l->buckets - 1)] = k;
	l->count++;
	chain(l, k);
	trim(l, l->idle_most + 1); /* the new one may be about to be held */
	return k;
}

void sk_ledger_hold(struct sk_ledger *l, struct sk_known *k)
{
	if (!k->held++)
		unchain(l, k);
}

void sk_ledger_release(struct sk_ledger *l, struct sk_known *k)
{
	if (--k->held)
		return;
	chain(l, k);
	if (k->version < 0 && !k->denied_ms)
		forget(l, k);
	trim(l, l->idle_most);
}

void sk_ledger_each(struct sk_ledger *l, void (*fn)(struct sk_known *k, void *ctx), void *ctx)
{
	for (size_t i = 0; l && i < l->buckets; i++)
		for (struct sk_known *k = l->bucket[i]; k; k = k->bucket_next)
			fn(k, ctx);
}

static void replace(char **at, const char *text)
{
	if (*at && text && !strcmp(*at, text))
		return;
	free(*at);
	*at = text ? strdup(text) : NULL;
}

void sk_known_is(struct sk_known *k, const char *principal, const char *address)
{
	replace(&k->principal, principal);
	replace(&k->address, address);
}

void sk_known_denied(struct sk_known *k, const char *text, int64_t now_ms)
{
	replace(&k->denial, text);
	k->denied_ms = now_ms;
}

/* -- life -- */

struct sk_ledger *sk_ledger_new(size_t clients, size_t bytes)
{
	struct sk_ledger *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->buckets = 64;
	l->idle_most = clients;
	l->bytes_most = bytes;
	l->bucket = calloc(l->buckets, sizeof *l->bucket);
	if (!l->bucket) {
		free(l);
		return NULL;
	}
	return l;
}

void sk_ledger_free(struct sk_ledger **at)
{
	struct sk_ledger *l = *at;
	*at = NULL;
	if (!l)
		return;
	while (l->first)
		forget_did(l, l->first);
	for (size_t i = 0; i < l->buckets; i++)
		for (struct sk_known *k = l->bucket[i], *next; k; k = next) {
			next = k->bucket_next;
			known_free(k);
		}
	free(l->bucket);
	free(l->pair);
	free(l);
}
