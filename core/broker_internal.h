/* broker_internal.h -- shared by core/broker*.c, the only files of core that know Mosquitto. Broker thread only.
 *
 * One process, one broker, one struct sk_broker. Events are registered once, with core's identifier, and dispatched to the
 * plugins' hooks in load order. */
#ifndef SK_BROKER_INTERNAL_H
#define SK_BROKER_INTERNAL_H

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <mosquitto.h>

#include "core/broker_version.h"
#include "core/core_options.h"
#include "core/ledger.h"
#include "core/peek.h"
#include "core/presence.h"
#include "core/runtime.h"
#include "core/threads.h"

enum sk_wake_mode { SK_WAKE_UNTESTED, SK_WAKE_EVENTFD, SK_WAKE_PING, SK_WAKE_TICK };

struct sk_kick { /* waits for the next TICK */
	struct sk_kick *next;
	uint64_t generation;      /* of the connection at handle; 0: every client with that user name or id */
	void *handle;
	char *username, *client_id, *why;
	enum sk_reason reason;
};

struct sk_broker {
	mosquitto_plugin_id_t *id;
	const struct sk_core_options *options;
	struct sk_runtime *rt;
	struct sk_threads *threads;
	const struct sk_loaded *acl[SK_MAX_PLUGINS + 1]; /* those that have the hook, in load order; filled at the first event */
	const struct sk_loaded *listeners[SK_MAX_PLUGINS + 1]; /* those that have the hook `message` or `passed`, likewise */
	int64_t started_ms;       /* wall clock */
	bool started;             /* the first event has come: all plugins are loaded */
	const struct sk_version *version; /* what this Mosquitto does; set when core is loaded */
	bool reloading;           /* between RELOAD and the next TICK: BASIC_AUTH asks about sessions that exist */
	char *connecting_id;      /* the client id of the newest CONNECT since the last TICK: a namesake's will may follow */
	void *connecting;
	void *write_client;       /* whose WRITE we allowed just now: MESSAGE must be for the same */
	struct sk_kick *kicks, **kicks_tail;
	const enum sk_reason *kicking; /* inside a kick: why the connections that end now do */
	struct sk_peek peek;
	struct sk_ledger *ledger;
	char denial[1024];        /* of the hook that has just denied; "" when it gave no reason */
	bool doomed;              /* some client's `doomed` is set */
	struct mosquitto *reader; /* the connection of the client that reads what is retained; NULL: none */
	uint32_t to_wake;         /* workers, a bit each, that this turn of the loop has calls for */
	int gathered;             /* such calls */
	int64_t gathered_at;      /* monotonic us of the first of them */
	int64_t published;        /* messages given to the broker since the last TICK */
	/* wake-ups (broker_wake.c) */
	_Atomic(enum sk_wake_mode) wake_mode; /* any thread reads it; event_fd and ping are set before it */
	int event_fd;
	_Atomic int64_t woken_at; /* monotonic us of the oldest wake-up without a TICK; 0: none */
	int slow_wakes;
	int64_t retry_at, retry_us; /* monotonic: when a fallen-back eventfd is tried again, and how long that was after the fall */
	struct sk_ping *ping;
};
extern struct sk_broker sk_broker;

/* broker.c */
void sk_broker_start(void); /* first event of any kind */
void sk_broker_ring(void);  /* wakes the workers that this thread has made work for */

/* broker_clients.c */
struct sk_client *sk_clients_find(struct mosquitto *handle);   /* pointer, id and user name agree; else NULL */
struct sk_client *sk_clients_add(struct mosquitto *handle);    /* replaces what was there; NULL: memory is out */
/* Its connection has ended; without one its session has: that is forgotten. */
void sk_clients_ended(struct mosquitto *handle, int code, enum sk_session session);
void sk_clients_forget(void *handle, uint64_t generation);    /* if it has no connection: a namesake came, so its session is over */
void sk_clients_refused(struct mosquitto *handle);             /* DISCONNECT without an id: its CONNECT was refused */
struct sk_client *sk_clients_at(void *handle, uint64_t generation);
void sk_clients_reap(void);                                    /* about once a second */
void sk_clients_free(void);
size_t sk_clients_count(void);
/* Kicks one doomed client (kicking changes the table); true: there may be more. */
bool sk_clients_kick_doomed(void (*kick)(const struct sk_client *c, const char *why));

/* broker_wake.c */
void sk_wake_start(void);            /* first TICK */
void sk_wake_broker(void *ctx);      /* any thread */
void sk_wake_tick(void);             /* every TICK that has something: measures, switches to the fall-back */
void sk_wake_again(void);            /* broker thread: something is left */
void sk_wake_retry(void);            /* about once a second */
void sk_wake_stop(void);
/* broker_ping.c: a client of our own that makes the broker turn its loop */
struct sk_ping *sk_ping_start(const char *socket_path);
void sk_ping(struct sk_ping *p);
void sk_ping_stop(struct sk_ping **p);
bool sk_ping_is(const char *client_id); /* the id that our own client uses */

/* broker_retained.c: the client that reads what is retained, as the broker sees it */
bool sk_retained_connects(struct mosquitto *client, const char *password, int *rc); /* false: another client */
void sk_retained_disconnects(struct mosquitto *client);
int sk_retained_acl(const struct mosquitto_evt_acl_check *ed);

/* broker_properties.c: MQTT 5's properties, encoded as in core/properties.h, as the broker's own list. 0 or an error of the broker. */
int sk_broker_properties(mosquitto_property **list, const void *encoded, size_t n);
void sk_broker_properties_free(mosquitto_property **list);
/* The other way: the first `room` bytes; the answer is how many there are in all. */
size_t sk_broker_properties_encode(const mosquitto_property *list, void *out, size_t room);

/* broker_feed.c: messages to the plugins' hook `message`. own: the row without a handler that takes it, or NULL */
void sk_feed_start(void);
int sk_feed_message(const struct mosquitto_evt_message *ed, const struct sk_topic_match *own); /* the answer to the event */
void sk_feed_will(const struct mosquitto_evt_acl_check *ed);
void sk_feed_ours(const struct sk_outgoing *item, const struct sk_topic_match *own);
void sk_feed_turn(void); /* a turn of the loop has ended */

/* broker_publish.c: the host's side of the outbox */
void sk_host_publish(void *ctx, const struct sk_outgoing *item);
void sk_host_kick(void *ctx, const struct sk_outgoing *item);
void sk_host_log(void *ctx, char level, const char *line);
void sk_kick_due(void);
void sk_kick_free(void);

/* broker_presence.c: a connection is told of at the next TICK or with its first packet, whichever is first: what a CONNECT takes over
 * ends before, and one that another plugin refuses is never told of */
void sk_presence_connecting(struct sk_client *c);              /* its CONNECT was let in */
void sk_presence_refused(struct sk_client *c);                 /* we refused it */
void sk_presence_asked(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m, int verdict);
void sk_presence_connected(struct sk_client *c);               /* it is there for sure */
void sk_presence_ended(struct sk_client *c, enum sk_reason reason, bool was_there);
void sk_presence_tick(void);
void sk_presence_forget(struct sk_client *c);
void sk_presence_subscription(struct sk_client *c, const char *filter, bool begins);
bool sk_presence_is_new(const struct sk_client *c);            /* not told of yet */
void sk_presence_free(void);

/* broker_reason.c */
void sk_reason_learn(struct sk_client *c);
bool sk_reason_taken_over(const struct sk_client *c); /* a namesake's CONNECT came since the last TICK */
/* Why the connection of c has just ended; code: the broker's, if it tells. *was_there: it had got through, as far as can be seen. */
enum sk_reason sk_reason_why(struct sk_client *c, int code, bool *was_there);

/* broker_admission.c */
/* false: there was no room, not even to refuse it. */
bool sk_admit(struct sk_client *client, const struct sk_topic_match *m, const char *topic, const void *payload, size_t size);
void sk_admit_control(struct sk_client *client, const void *payload, size_t size);
void sk_admitted_finished(void *ctx, const struct sk_outgoing *item);

/* broker_events.c */
int sk_events_register(char *why, size_t why_size);
void sk_events_unregister(void);

#endif
