/* ledger.h -- what the broker's thread remembers of clients beyond their connections: when they were here, what they were denied last,
 * and which topics they used. In memory only, and bounded: clients without a connection by number, topics by bytes; the oldest go first.
 *
 * Pure. One thread. Nothing here may fail a client: when memory is out less is remembered. */
#ifndef SK_LEDGER_H
#define SK_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sk_deed { SK_DID_CONNECT, SK_DID_PUBLISH, SK_DID_RETAIN, SK_DID_SUBSCRIBE, SK_DID_RECEIVE, SK_DEEDS };
enum { SK_LEDGER_TOPIC = 256, SK_LEDGER_DEEDS = 64 }; /* bytes of a topic that is kept; pairs of one client */

struct sk_did { /* one pair of deed and topic */
	struct sk_did *next;            /* of the client */
	struct sk_did *chained;         /* of those in one place of the table */
	struct sk_did *newer, *older;   /* of all */
	struct sk_known *of;
	int64_t first_ms, last_ms;
	uint64_t count;
	uint32_t hash;
	uint8_t deed;
	bool allowed;                   /* the last time */
	char topic[];
};
struct sk_known {
	struct sk_known *bucket_next;
	struct sk_known *newer, *older; /* of those that no connection holds */
	unsigned held;                  /* connections: it is not forgotten meanwhile */
	uint32_t hash;
	int64_t version;                /* of its connections since this was made; -1: none yet */
	int64_t connected_ms, disconnected_ms, seen_ms, denied_ms; /* 0: never */
	char *denial;                   /* the last, as it was logged, or NULL */
	char *principal, *address;      /* of the last connection, or NULL */
	char session[33];               /* "": none yet */
	void *handle;                   /* with generation: its newest connection that got through */
	uint64_t generation;
	bool listed;                    /* ListClients' own mark */
	bool persistent;                /* the last connection's session outlives it */
	bool taken;                     /* and is now that of the one that connects */
	struct sk_did *did, *recent;    /* all pairs; the one used last, NULL when that is forgotten */
	int deeds;
	char id[];
};
struct sk_ledger;

/* At most `clients` without a connection, `bytes` of topics (0: none are kept). NULL: memory is out. */
struct sk_ledger *sk_ledger_new(size_t clients, size_t bytes);
void sk_ledger_free(struct sk_ledger **l);
struct sk_known *sk_ledger_find(struct sk_ledger *l, const char *id);
/* Finds it or makes it. NULL: memory is out, or nothing may be remembered. Good until the next call that makes one, unless held. */
struct sk_known *sk_ledger_open(struct sk_ledger *l, const char *id);
void sk_ledger_hold(struct sk_ledger *l, struct sk_known *k);
void sk_ledger_release(struct sk_ledger *l, struct sk_known *k); /* one that never got through and was not denied is forgotten */
void sk_ledger_each(struct sk_ledger *l, void (*fn)(struct sk_known *k, void *ctx), void *ctx);

void sk_known_denied(struct sk_known *k, const char *text, int64_t now_ms);
/* Who it was and where from; either may be NULL. */
void sk_known_is(struct sk_known *k, const char *principal, const char *address);
void sk_ledger_did(struct sk_ledger *l, struct sk_known *k, enum sk_deed deed, const char *topic, bool allowed, int64_t now_ms);

#endif
