/* keyring.c -- see keyring.h. */
#include "plugins/http/keyring.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, DERIVED = 4, WORD = 65 };

struct derived { /* date "": nothing yet */
	char date[9], region[WORD], service[WORD];
	uint8_t key[SIGV4_HASH];
};
struct access_key { /* one block, with its texts */
	struct access_key *next;
	const char *id, *secret;
	const char **policy;
	size_t policies, size;
	struct derived derived[DERIVED];
	unsigned round; /* in which it was set */
	unsigned turn; /* of derived[], which is made anew next */
};
struct keyring {
	pthread_mutex_t lock;
	unsigned round;
	struct access_key *bucket[BUCKETS];
};

struct keyring *keyring_new(void)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (k)
		pthread_mutex_init(&k->lock, NULL);
	return k;
}

static void free_key(struct access_key *x)
{
	if (!x)
		return;
	OPENSSL_cleanse(x, x->size);
	free(x);
}

void keyring_free(struct keyring **k)
{
	if (!*k)
		return;
	for (int i = 0; i < BUCKETS; i++)
		while ((*k)->bucket[i]) {
			struct access_key *x = (*k)->bucket[i];
			(*k)->bucket[i] = x->next;
			free_key(x);
		}
	pthread_mutex_destroy(&(*k)->lock);
	free(*k);
	*k = NULL;
}

/* Ids are random and nobody but an operator makes them. */
static struct access_key **place(struct keyring *k, const char *id)
{
	unsigned hash = 5381;
	struct access_key **at;

	for (const char *c = id; *c; c++)
		hash = 33 * hash + (unsigned char)*c;
	for (at = &k->bucket[hash % BUCKETS]; *at && strcmp((*at)->id, id); at = &(*at)->next)
		;
	return at;
}

/* -- changes -- */

static const char *copy(char **at, const char *text)
{
	const char *here = *at;

	*at = stpcpy(*at, text) + 1;
	return here;
}

static struct access_key *new_key(const char *id, const char *secret, const cJSON *policies)
{
	size_t count = (size_t)sk_json_count(policies), size = sizeof(struct access_key) + count * sizeof(char *) + strlen(id) + strlen(secret) + 2;
	struct access_key *x;
	char *at;

	SK_JSON_EACH(one, policies)
		size += cJSON_IsString(one) ? strlen(one->valuestring) + 1 : 0;
	x = calloc(1, size);
	if (!x)
		return NULL;
	x->size = size;
	x->policy = (const char **)(x + 1);
	at = (char *)(x->policy + count);
	x->id = copy(&at, id);
	x->secret = copy(&at, secret);
	SK_JSON_EACH(one, policies)
		if (cJSON_IsString(one))
			x->policy[x->policies++] = copy(&at, one->valuestring);
	return x;
}

int keyring_set(struct keyring *k, const char *id, const char *secret, const cJSON *policies)
{
	struct access_key *fresh = secret ? new_key(id, secret, policies) : NULL, *old, **at;

	pthread_mutex_lock(&k->lock);
	at = place(k, id);
	old = *at;
	if (old)
		*at = old->next;
	if (fresh) {
		fresh->round = k->round;
		fresh->next = *at;
		*at = fresh;
	}
	pthread_mutex_unlock(&k->lock);
	free_key(old);
	return secret && !fresh ? -1 : 0;
}

void keyring_begin(struct keyring *k)
{
	pthread_mutex_lock(&k->lock);
	k->round++;
	pthread_mutex_unlock(&k->lock);
}

void keyring_end(struct keyring *k)
{
	struct access_key *gone = NULL;

	pthread_mutex_lock(&k->lock);
	for (int i = 0; i < BUCKETS; i++)
		for (struct access_key **at = &k->bucket[i]; *at;) {
			struct access_key *x = *at;
			if (x->round == k->round) {
				at = &x->next;
				continue;
			}
			*at = x->next;
			x->next = gone;
			gone = x;
		}
	pthread_mutex_unlock(&k->lock);
	while (gone) {
		struct access_key *next = gone->next;
		free_key(gone);
		gone = next;
	}
}

/* -- questions -- */

/* NULL: memory is out. The claim's words are checked to be words of at most 64 characters (sigv4_read). */
static const struct derived *derive(struct access_key *x, const struct sigv4_claim *c)
{
	struct derived *d;

	for (int i = 0; i < DERIVED; i++) {
		d = &x->derived[i];
		if (!strcmp(d->date, c->date) && !strcmp(d->region, c->region) && !strcmp(d->service, c->service))
			return d;
	}
	d = &x->derived[x->turn++ % DERIVED];
	sigv4_signing_key(x->secret, c->date, c->region, c->service, d->key);
	strcpy(d->date, c->date);
	strcpy(d->region, c->region);
	strcpy(d->service, c->service);
	return d;
}

static void copy_grant(struct sk_arena *a, const struct access_key *x, struct keyring_grant *out)
{
	const char **policy = sk_alloc(a, (x->policies + 1) * sizeof(*policy));

	*out = (struct keyring_grant){ .policy = policy };
	for (size_t i = 0; policy && i < x->policies; i++) {
		policy[out->policies++] = sk_strdup(a, x->policy[i]);
		out->all |= !strcmp(x->policy[i], KEYRING_ALL);
	}
}

int keyring_find(struct keyring *k, struct sk_arena *a, const struct sigv4_claim *claim, uint8_t key[SIGV4_HASH], struct keyring_grant *grant)
{
	const struct derived *d = NULL;
	struct access_key *x;

	if (strlen(claim->date) >= sizeof(d->date) || strlen(claim->region) >= WORD || strlen(claim->service) >= WORD)
		return -1;
	pthread_mutex_lock(&k->lock);
	x = *place(k, claim->key_id);
	d = x ? derive(x, claim) : NULL;
	if (d) {
		memcpy(key, d->key, SIGV4_HASH);
		copy_grant(a, x, grant);
	}
	pthread_mutex_unlock(&k->lock);
	return d ? 0 : -1;
}
