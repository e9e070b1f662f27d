/* outbox.h -- one first-in-first-out queue from all threads to the broker thread.
 *
 * Order is the guarantee: the watches of a commit are applied before the reply of that commit leaves, and a kick
 * comes after the messages released before it. Pushing takes a short lock; draining swaps the whole list out. */
#ifndef SK_OUTBOX_H
#define SK_OUTBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/host.h"
#include "core/store.h"

struct sk_watch;
struct sk_follower;

enum sk_outgoing_kind { SK_OUT_PUBLISH, SK_OUT_REPLY, SK_OUT_KICK, SK_OUT_APPLY, SK_OUT_FINISHED, SK_OUT_LOG, SK_OUT_CALL };

/* Where the items of one thread come back to when they have been done, so that it frees what it has made. If the broker thread did that, it would
 * wait for the lock of the other thread's part of malloc, which is held for milliseconds when much is freed at once. */
struct sk_out_home { _Atomic(struct sk_outgoing *) back; };

struct sk_outgoing {
	struct sk_outgoing *next;
	struct sk_out_home *home; /* or NULL: whoever has done it frees it */
	enum sk_outgoing_kind kind;
	int qos;
	bool retain;
	bool foreign;            /* PUBLISH: another broker's message: for subscribers alone, no row and no plugin gets it */
	int depth;               /* of a publish of ours: how many publishes of ours led to it */
	union {
		void *client;         /* REPLY, FINISHED: the requester, believed only with the same generation */
		struct sk_follower *follower; /* APPLY: judges whether it is not older than what was told; NULL: nobody must */
	};
	union {
		uint64_t generation;
		uint64_t version; /* APPLY with a follower: of the record, or of the commit that deleted it */
	};
	const char *topic;       /* PUBLISH, REPLY; KICK: user name or NULL; APPLY: the record's name; LOG: text */
	const char *client_id;   /* KICK: or NULL */
	const char *payload;     /* payload_size bytes and a NUL; KICK: why */
	size_t payload_size;
	void *properties;        /* PUBLISH: properties_size bytes of core/properties.h, owned; NULL: none */
	union {
		size_t properties_size;
		uint64_t made;    /* APPLY with a follower: sk_follower_made() from before it was read or committed */
	};
	const struct sk_watch *watch; /* APPLY */
	void *state;             /* APPLY: the plugin's state; CALL: argument; FINISHED: what drop frees */
	struct sk_bytes *bytes;  /* APPLY: our reference, NULL for deleted */
	void (*call)(void *arg); /* CALL: runs on the broker thread */
	void (*drop)(void *arg); /* CALL: runs instead when the runtime ends first; FINISHED: runs in any case; may be NULL */
	char level;              /* LOG */
};

struct sk_outbox {
	pthread_mutex_t lock;
	struct sk_outgoing *head, **tail;
	struct sk_outgoing *drain; /* broker thread's: taken, not done yet */
	atomic_bool filled;       /* head or drain hold something: the broker thread's one load when idle */
	atomic_bool awake;        /* a wake-up is on its way */
	_Atomic uint64_t depth_now, pushed;
	struct sk_out_home others; /* of threads that are no workers; the keeper empties it once a second, who makes many does at each step */
};

struct sk_out_list { /* items gathered by one thread, pushed at once */
	struct sk_outgoing *head, **tail;
	struct sk_out_home *home; /* of what is added from now on; NULL after sk_out_list_init() */
};

void sk_outbox_init(struct sk_outbox *o);
void sk_outbox_free(struct sk_outbox *o);
void sk_out_list_init(struct sk_out_list *l);
void sk_out_list_free(struct sk_out_list *l); /* of its items; it is as after init. All zero may be freed too. */
void sk_out_list_move(struct sk_out_list *to, struct sk_out_list *from); /* from is empty afterwards */
/* A new item with room for copies of its texts; appended to l. NULL when memory is out (counted by the caller). */
struct sk_outgoing *sk_out_add(struct sk_out_list *l, enum sk_outgoing_kind kind, const char *topic, const char *client_id,
                               const void *payload, size_t payload_size);
/* Any thread. Moves all of l; wakes the broker thread if nobody has. */
void sk_outbox_push(struct sk_outbox *o, struct sk_out_list *l, const struct sk_host *host);
struct sk_drain { /* how much to take out, who hears of finished calls, how many messages were sent */
	int max;             /* items */
	int64_t budget_us;   /* about so long */
	void (*finished)(void *ctx, const struct sk_outgoing *);
	void *ctx;
	int published;       /* grows */
};
/* Broker thread. true if something is left. */
bool sk_outbox_drain(struct sk_outbox *o, const struct sk_host *host, struct sk_drain *d);
void sk_outgoing_free(struct sk_outgoing *item);
/* Frees what has come back. Any thread but the broker's. */
void sk_out_home_empty(struct sk_out_home *h);

#endif
