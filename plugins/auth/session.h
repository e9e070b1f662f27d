/* session.h -- one connection's policies: bound to its variables, with the last eight verdicts. The broker's thread only.
 *
 * A session belongs to its sk_client (client->auth) and goes with it. It binds lazily: a change of a policy grows auth.epoch, a
 * change of the certificate or its attachments marks its own sessions, and the next question finds out. Verdicts go with the binding. */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "plugins/auth/auth.h"

enum { SESSION_SLOTS = 8, SESSION_TOPIC = 107 };

struct session_slot {
	uint16_t size;
	uint8_t key;     /* 0: empty */
	uint8_t verdict; /* enum sk_verdict */
	char topic[SESSION_TOPIC + 1]; /* and a NUL */
};
struct session {
	struct session *next, **back; /* of its bucket */
	struct session *thing_next, **thing_back; /* of its thing's bucket; back NULL: it has none */
	struct sk_client *client;
	uint8_t id[CERTIFICATE_ID_SIZE];
	bool certificate;      /* false: a plain client under plain_policy */
	bool stale;
	bool active;           /* the certificate is; always true of a plain client */
	bool kicked;           /* the connection is about to be closed, because the certificate is not ACTIVE */
	uint32_t epoch;        /* of the binding */
	struct policy_bound *bound; /* NULL, or not active: nothing is allowed, and why says why */
	struct session_slot *slot;  /* SESSION_SLOTS of them, made with the first verdict that is kept */
	const struct session_slot *latest[4]; /* by access: the one that answered last; NULL until slots are made */
	bool fleeting;             /* the verdict of the question at hand depends on the moment */
	size_t policies;
	struct index_attached *policy; /* what is bound, in its order */
	char *thing;               /* the connection's; NULL: none */
	char *facts;               /* of the certificate, kept when a policy first asks for them; NULL: not known */
	char why[200];
};

/* NULL id: a plain client. Sets client->auth. NULL when memory is out. */
struct session *session_new(struct auth *a, struct sk_client *client, const uint8_t id[CERTIFICATE_ID_SIZE]);
void session_free(struct session **s);
/* Binds anew if anything changed. First thing before a question. */
void session_refresh(struct auth *a, struct session *s);
/* Every session of that certificate binds anew; with `why` its connection is closed too. */
void session_changed(struct auth *a, const uint8_t id[CERTIFICATE_ID_SIZE], const char *why);
/* The index is another one: those of that bucket (below AUTH_BUCKETS) hold nothing of the old one, and whose certificate is not ACTIVE any more
 * loses its connection. */
void session_sweep(struct auth *a, size_t bucket);
/* Every session of that thing binds anew. */
void session_thing_changed(struct auth *a, const char *thing);

bool session_allows(struct session *s, enum policy_action action, const char *name, size_t n);
/* true: a statement denies it in so many words. */
bool session_denies(struct session *s, enum policy_action action, const char *name, size_t n);
/* May it leave a will? Only a condition on iot:ConnectAttributes says no. */
bool session_allows_will(const struct session *s);
/* Why it is not allowed: "no statement of valve-policy v1 (via certificate 3f2a…) allows iot:Publish". */
void session_explain(const struct auth *a, const struct session *s, enum policy_action action, const char *name, char *out, size_t size);

/* The verdict that was kept for the same question, SK_PASS when there is none. Most clients ask about one topic again and again. */
static inline int session_recall(struct session *s, int access, uint8_t key, const char *topic);

/* Where the verdict on this (key, topic) is, or would be; NULL when it cannot be kept (no slots yet, a long topic). */
static inline struct session_slot *session_slot(const struct session *s, uint8_t key, const char *topic, size_t n)
{
	uint64_t tail = n ? (unsigned char)topic[0] : 0;

	if (!s->slot || n > SESSION_TOPIC)
		return NULL;
	if (n >= sizeof(tail))
		__builtin_memcpy(&tail, topic + n - sizeof(tail), sizeof(tail));
	return &s->slot[((tail ^ n ^ (uint64_t)key << 32) * 0x9e3779b97f4a7c15u) >> 61];
}
static inline bool session_hit(const struct session_slot *slot, uint8_t key, const char *topic, size_t n)
{
	return slot && slot->key == key && slot->size == n && !__builtin_memcmp(slot->topic, topic, n);
}
/* Makes the slots with the first verdict. Never fails: a verdict that cannot be kept is found anew. */
void session_keep(struct session *s, uint8_t key, const char *topic, size_t n, int verdict);

static inline int session_recall(struct session *s, int access, uint8_t key, const char *topic)
{
	const struct session_slot *slot = s->latest[access & 3];
	size_t n;

	if (!slot)
		return SK_PASS;
	if (slot->key == key && !__builtin_strcmp(slot->topic, topic))
		return slot->verdict;
	n = __builtin_strlen(topic);
	slot = session_slot(s, key, topic, n);
	if (!session_hit(slot, key, topic, n))
		return SK_PASS;
	s->latest[access & 3] = slot;
	return slot->verdict;
}

/* Is the binding up to date? */
static inline bool session_is_fresh(const struct auth *a, const struct session *s)
{
	return !s->stale && s->epoch == a->epoch;
}

/* "3f2a…" in a static buffer of four. */
const char *auth_short(const uint8_t id[CERTIFICATE_ID_SIZE]);

#endif
