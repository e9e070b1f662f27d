/* presence.h -- AWS's documents about connections and subscriptions, and the words for why a connection ended. Pure. */
#ifndef SK_PRESENCE_H
#define SK_PRESENCE_H

#include "core/json.h"
#include "core/ledger.h"

enum sk_presence_kind { SK_CONNECTED, SK_DISCONNECTED, SK_CONNECT_FAILED, SK_SUBSCRIBED, SK_UNSUBSCRIBED };
enum sk_reason { /* AWS's disconnectReason, as far as a Mosquitto can tell */
	SK_REASON_LOST, SK_REASON_CLIENT, SK_REASON_KEEPALIVE, SK_REASON_DUPLICATE, SK_REASON_AUTH, SK_REASON_FORBIDDEN,
	SK_REASON_CLIENT_ERROR, SK_REASON_SERVER, SK_REASON_SERVER_ERROR
};
struct sk_presence {
	enum sk_presence_kind kind;
	enum sk_reason reason;                   /* SK_DISCONNECTED */
	int64_t now_ms, version;
	const char *client_id, *session, *principal, *address; /* NULL principal: "" */
	const char *thing;                       /* or NULL */
	cJSON *topics;                           /* SK_SUBSCRIBED, SK_UNSUBSCRIBED; becomes the document's */
};

/* "$aws/events/presence/connected/lamp"; NULL for an id of which AWS tells nothing: with + or #, empty, over 128 bytes. */
const char *sk_presence_topic(struct sk_arena *a, enum sk_presence_kind kind, const char *client_id);
cJSON *sk_presence_document(struct sk_arena *a, const struct sk_presence *p);
const char *sk_reason_name(enum sk_reason r);
/* The reason code that Mosquitto 2.1 gives with the event. */
enum sk_reason sk_reason_of_code(int code);

#endif
