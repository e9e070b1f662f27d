/* client.h -- a connected MQTT client as the broker thread sees it. Broker thread only.
 *
 * One entry per Mosquitto client object, found by its pointer (open addressing) and believed only while pointer, id and
 * user name agree. `generation` is never reused: a kick or a reply that waits for TICK checks it. */
#ifndef SK_CLIENT_H
#define SK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_client {
	void *handle;           /* struct mosquitto * */
	uint64_t generation;
	const char *id;         /* ours */
	const char *username;   /* ours; NULL for none. As last set with sk_client_set_username. */
	const char *password;   /* during connect only */
	const char *address;    /* peer's IP, or the path of the unix socket that it came through; ours */
	bool online;
	bool doomed;            /* to be disconnected at the next TICK, when there was no memory for a note of it */
	bool clean_session;     /* it began so */
	bool lasting;           /* its session may outlive the connection */
	bool restored;          /* the broker had this session in its file; it was never connected in this process */
	bool from_certificate;  /* auth sets it: identity came from a certificate on this connection */
	bool is_operator;       /* by plugin_opt_operators; set after connect was allowed */
	struct sk_known *known; /* what is remembered of its id (core/ledger.h); NULL: nothing is, as for operators' sockets */
	uint8_t presence;       /* core/broker_presence.c's */
	bool violated;          /* it is being disconnected for what its policy denies */
	void *auth;             /* the deciding plugin's per-connection state; it frees it in gone() */
	/* admission */
	int64_t tokens_at;      /* token bucket */
	int32_t tokens;
	int32_t in_flight;
};

struct sk_message_view {
	const void *payload;
	size_t size;
	int qos;
	bool retain;
	bool will; /* the broker publishes this client's will */
};

/* A message that the broker is about to route, or one of ours that it has got. All of it is valid during the hook only. */
struct sk_feed {
	void *handle;                     /* whose it is, for sk_feed_client; NULL: ours */
	const char *topic;
	const void *payload;
	size_t size;
	int qos;
	bool retain, will, ours;
	int depth;                        /* how many publishes of ours led to it */
	const struct sk_topic_match *own; /* the row without a handler, of this plugin, that takes it: nobody else will see it. NULL: none */
	const void *properties;           /* for sk_feed_properties */
	size_t properties_size;
};
const struct sk_client *sk_feed_client(const struct sk_feed *f); /* NULL: a bridge's, or ours */
/* Its MQTT 5 properties, encoded as in core/properties.h: the first `room` bytes of them (out may be NULL with room 0); the answer is how many there are. */
size_t sk_feed_properties(const struct sk_feed *f, void *out, size_t room);

/* The client's certificate as DER in a buffer that stays valid until the next call; NULL when it sent none. */
const unsigned char *sk_client_certificate_der(struct sk_client *c, size_t *n);
/* 0 or -1. */
int sk_client_set_username(struct sk_client *c, const char *username);
/* Subscriptions that the broker has, or has had at once, for that connection's session, without shared ones; -1: it is not there any more. */
int sk_client_subscriptions(void *handle, uint64_t generation);
/* Queue a disconnect for the next TICK; checked against generation then. */
void sk_client_kick(struct sk_client *c, const char *why);
/* We let it in, and it is not known yet whether the broker and the other plugins did. */
bool sk_client_is_waiting(const struct sk_client *c);
/* Every known client, in no order. */
void sk_client_each(void (*fn)(struct sk_client *c, void *ctx), void *ctx);
/* Topics under $aws/ that rows accept. true if the topic matches a row of any plugin. */
bool sk_topic_is_input(const char *topic);
/* Inside a connect or acl hook that denies: the reason, for ListClients. Copied. */
void sk_client_denied(const char *text);
/* What is remembered of clients, with those that are not there any more. NULL: nothing. */
struct sk_ledger *sk_clients_ledger(void);

#endif
