/* address.h -- where a Redis is and who one is there, from an action's fields. Pure. */
#ifndef SINK_REDIS_ADDRESS_H
#define SINK_REDIS_ADDRESS_H

#include "core/json.h"

struct redis_address {
	const char *path;            /* of a unix socket; NULL: host and port */
	const char *host;
	int port;
	long database;               /* 0: it is not selected */
	const char *user, *password; /* NULL: none */
	bool tls;
	const char *ca, *certificate, *key; /* files in PEM; NULL: the system's authorities, no certificate */
	const char *shown;           /* for messages: "127.0.0.1:6379" */
};
/* NULL, or what is wrong with it. Texts are the arena's or the document's. */
const char *redis_address(const cJSON *fields, struct sk_arena *a, struct redis_address *out);

#endif
