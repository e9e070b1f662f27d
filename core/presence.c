/* presence.c -- see presence.h. Members stand in the order of AWS's examples. */
#include "core/presence.h"

#include <string.h>

static const struct { const char *family, *name; } kinds[] = {
	[SK_CONNECTED] = { "presence", "connected" },
	[SK_DISCONNECTED] = { "presence", "disconnected" },
	[SK_CONNECT_FAILED] = { "presence", "connect_failed" },
	[SK_SUBSCRIBED] = { "subscriptions", "subscribed" },
	[SK_UNSUBSCRIBED] = { "subscriptions", "unsubscribed" },
};

static const char *const reasons[] = {
	[SK_REASON_LOST] = "CONNECTION_LOST", [SK_REASON_CLIENT] = "CLIENT_INITIATED_DISCONNECT",
	[SK_REASON_KEEPALIVE] = "MQTT_KEEP_ALIVE_TIMEOUT", [SK_REASON_DUPLICATE] = "DUPLICATE_CLIENTID", [SK_REASON_AUTH] = "AUTH_ERROR",
	[SK_REASON_FORBIDDEN] = "FORBIDDEN_ACCESS", [SK_REASON_CLIENT_ERROR] = "CLIENT_ERROR",
	[SK_REASON_SERVER] = "SERVER_INITIATED_DISCONNECT", [SK_REASON_SERVER_ERROR] = "SERVER_ERROR",
};

/* Mosquitto's own errors up to 32, MQTT 5's reason codes from 128 on. */
static const struct { int code; enum sk_reason reason; } codes[] = {
	{ 0, SK_REASON_CLIENT }, { 4, SK_REASON_CLIENT }, { 7, SK_REASON_LOST }, { 19, SK_REASON_KEEPALIVE }, { 11, SK_REASON_AUTH },
	{ 12, SK_REASON_AUTH }, { 135, SK_REASON_AUTH }, { 142, SK_REASON_DUPLICATE }, { 152, SK_REASON_SERVER }, { 139, SK_REASON_SERVER },
	{ 2, SK_REASON_CLIENT_ERROR }, { 13, SK_REASON_CLIENT_ERROR }, { 18, SK_REASON_CLIENT_ERROR }, { 21, SK_REASON_CLIENT_ERROR },
	{ 25, SK_REASON_CLIENT_ERROR }, { 129, SK_REASON_CLIENT_ERROR }, { 130, SK_REASON_CLIENT_ERROR }, { 141, SK_REASON_KEEPALIVE },
	{ 144, SK_REASON_CLIENT_ERROR }, { 149, SK_REASON_CLIENT_ERROR }, { 155, SK_REASON_CLIENT_ERROR }, { 1, SK_REASON_SERVER_ERROR },
};

const char *sk_reason_name(enum sk_reason r)
{
	return reasons[r];
}

enum sk_reason sk_reason_of_code(int code)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == code)
			return codes[i].reason;
	return SK_REASON_LOST;
}

const char *sk_presence_topic(struct sk_arena *a, enum sk_presence_kind kind, const char *client_id)
{
	if (!*client_id || strlen(client_id) > 128 || strpbrk(client_id, "+#"))
		return NULL;
	return sk_printf(a, "$aws/events/%s/%s/%s", kinds[kind].family, kinds[kind].name, client_id);
}

cJSON *sk_presence_document(struct sk_arena *a, const struct sk_presence *p)
{
	cJSON *d = sk_json_object(a);
	sk_json_set_string(a, d, "clientId", p->client_id);
	sk_json_set_int(a, d, "timestamp", p->now_ms);
	sk_json_set_string(a, d, "eventType", kinds[p->kind].name);
	if (p->kind == SK_CONNECT_FAILED)
		sk_json_set_string(a, d, "connectFailureReason", "AUTHORIZATION_FAILED");
	sk_json_set_string(a, d, "sessionIdentifier", p->session);
	sk_json_set_string(a, d, "principalIdentifier", p->principal ? p->principal : "");
	if (p->kind == SK_CONNECTED || p->kind == SK_CONNECT_FAILED)
		sk_json_set_string(a, d, "ipAddress", p->address);
	if (p->kind == SK_DISCONNECTED) {
		sk_json_set_bool(a, d, "clientInitiatedDisconnect", p->reason == SK_REASON_CLIENT);
		sk_json_set_string(a, d, "disconnectReason", reasons[p->reason]);
	}
	if (p->kind == SK_CONNECTED || p->kind == SK_DISCONNECTED) {
		sk_json_set_int(a, d, "versionNumber", p->version);
		sk_json_set_string(a, d, "thingName", p->thing);
	}
	if (p->topics)
		sk_json_set(a, d, "topics", p->topics);
	return d;
}
