/* broker_version.c -- see broker_version.h. A version is a row of `versions`, its own events are the rows that name it. */
#include "core/broker_version.h"

#include <dlfcn.h>
#include <mosquitto.h>
#include <mosquitto_plugin.h>
#include <stddef.h>

/* What 2.0's headers lack. The structs begin like this; what follows is not looked at. */
enum { EVENT_CONNECT = 11, EVENT_SUBSCRIBE = 12, EVENT_UNSUBSCRIBE = 13, EVENT_CLIENT_OFFLINE = 28 };
enum { ERROR_QUOTA_EXCEEDED = -6 };
struct connect_event {
	void *future;
	struct mosquitto *client;
};
struct subscription_event {
	void *future;
	struct mosquitto *client;
	char *client_id; /* not filled in */
	char *filter;
};

enum { V20, V21 };
static const struct sk_version versions[] = {
	/* RELOAD: after SUCCESS 2.0 asks no other plugin, after anything else 2.1 ends. */
	[V20] = { .interface = "2.0", .reloaded = MOSQ_ERR_PLUGIN_DEFER, .over_quota = MOSQ_ERR_ACL_DENIED },
	[V21] = { .interface = "2.1", .reloaded = MOSQ_ERR_SUCCESS, .over_quota = ERROR_QUOTA_EXCEEDED, .tick_first = true,
		.tells_connects = true, .tells_subscriptions = true, .tells_ends = true, .forgets_unsaid = true },
};

static int on_connect(int event, void *event_data, void *userdata)
{
	const struct connect_event *ed = event_data;
	(void)event, (void)userdata;
	sk_event_connected(ed->client);
	return MOSQ_ERR_SUCCESS;
}

static int on_subscription(int event, void *event_data, void *userdata)
{
	const struct subscription_event *ed = event_data;
	(void)userdata;
	sk_event_subscription(ed->client, ed->filter, event == EVENT_SUBSCRIBE);
	return MOSQ_ERR_SUCCESS;
}

static int on_disconnect_20(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_disconnect *ed = event_data;
	(void)event, (void)userdata;
	sk_event_ended(ed->client, ed->reason, SK_SESSION_AS_ASKED);
	return MOSQ_ERR_SUCCESS;
}

/* CLIENT_OFFLINE has the struct of DISCONNECT, and comes instead of it when the session stays. */
static int on_end_21(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_disconnect *ed = event_data;
	(void)userdata;
	sk_event_ended(ed->client, ed->reason, event == EVENT_CLIENT_OFFLINE ? SK_SESSION_STAYS : SK_SESSION_OVER);
	return MOSQ_ERR_SUCCESS;
}

static const struct { int version, event; MOSQ_FUNC_generic_callback fn; } events[] = {
	{ V20, MOSQ_EVT_DISCONNECT, on_disconnect_20 },
	{ V21, MOSQ_EVT_DISCONNECT, on_end_21 },
	{ V21, EVENT_CLIENT_OFFLINE, on_end_21 },
	{ V21, EVENT_CONNECT, on_connect },
	{ V21, EVENT_SUBSCRIBE, on_subscription },
	{ V21, EVENT_UNSUBSCRIBE, on_subscription },
};
enum { EVENTS = sizeof events / sizeof *events };

/* 2.1 takes the event, 2.0 answers that it is not supported. */
const struct sk_version *sk_version_of(mosquitto_plugin_id_t *id)
{
	if (mosquitto_callback_register(id, EVENT_UNSUBSCRIBE, on_subscription, NULL, NULL) != MOSQ_ERR_SUCCESS)
		return &versions[V20];
	mosquitto_callback_unregister(id, EVENT_UNSUBSCRIBE, on_subscription, NULL);
	return &versions[V21];
}

int sk_version_register(const struct sk_version *v, mosquitto_plugin_id_t *id, int *event)
{
	for (int i = 0; i < EVENTS; i++) {
		int rc = v == &versions[events[i].version] ? mosquitto_callback_register(id, events[i].event, events[i].fn, NULL, NULL) : MOSQ_ERR_SUCCESS;
		*event = events[i].event;
		if (rc != MOSQ_ERR_SUCCESS)
			return rc;
	}
	return MOSQ_ERR_SUCCESS;
}

void sk_version_unregister(const struct sk_version *v, mosquitto_plugin_id_t *id)
{
	for (int i = 0; i < EVENTS; i++)
		if (v == &versions[events[i].version])
			mosquitto_callback_unregister(id, events[i].event, events[i].fn, NULL);
}

bool sk_version_forgot(const struct sk_version *v, const char *client_id, const void *handle)
{
	static struct mosquitto *(*client_of)(const char *id);
	if (v->forgets_unsaid && !client_of)
		*(void **)&client_of = dlsym(RTLD_DEFAULT, "mosquitto_client");
	return client_of && client_of(client_id) != handle;
}
