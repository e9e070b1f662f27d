/* broker_version.h -- all that differs between Mosquitto 2.0 and 2.1. Broker thread only.
 *
 * One binary serves both. It is built against 2.0's headers: of 2.1 the events are asked for by number, their structs stand in
 * broker_version.c, functions are looked up by name. No other file asks which version it is, only what it does. */
#ifndef SK_BROKER_VERSION_H
#define SK_BROKER_VERSION_H

#include <mosquitto_broker.h>
#include <stdbool.h>

struct sk_version {
	const char *interface;    /* "2.0", "2.1" */
	int reloaded;             /* the answer to RELOAD with which later plugins are asked too and the broker goes on */
	int over_quota;           /* the answer to MESSAGE with which an MQTT 5 client hears that there was no room; nobody is disconnected */
	bool tick_first;          /* TICK comes before the loop waits: what is published in it leaves one turn later */
	bool tells_connects;      /* sk_event_connected() comes when the CONNACK has been sent; a CONNECT that is refused after us ends unsaid */
	bool tells_subscriptions; /* sk_event_subscription() comes for what every plugin has allowed */
	bool tells_ends;          /* the reason with it, and whether the session stays */
	bool forgets_unsaid;      /* a session that expires without a connection: sk_version_forgot() knows */
};
/* What the broker that has loaded us is. Never NULL. */
const struct sk_version *sk_version_of(mosquitto_plugin_id_t *id);
/* Registers what this version calls sk_event_*() for. 0, or an error of the broker with *event set. */
int sk_version_register(const struct sk_version *v, mosquitto_plugin_id_t *id, int *event);
void sk_version_unregister(const struct sk_version *v, mosquitto_plugin_id_t *id);
/* A client object that the broker had under this id is not its any more. Without forgets_unsaid never true. */
bool sk_version_forgot(const struct sk_version *v, const char *client_id, const void *handle);

/* broker_events.c: what is told, in one form */
enum sk_session { SK_SESSION_AS_ASKED, SK_SESSION_STAYS, SK_SESSION_OVER };
void sk_event_connected(struct mosquitto *client);
void sk_event_subscription(struct mosquitto *client, const char *filter, bool begins);
/* code: the broker's reason, where it tells one. A second one for the same session forgets it. */
void sk_event_ended(struct mosquitto *client, int code, enum sk_session session);

#endif
