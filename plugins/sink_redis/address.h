/* address.h -- where a Redis is and who one is there, from an action's fields. Pure. */
#ifndef SINK_REDIS_ADDRESS_H
#define SINK_REDIS_ADDRESS_H

#include "core/json.h"
#include "dial/link.h"

struct redis_address {
	struct dial_to to;
	bool tls;
	long database;               /* 0: it is not selected */
	const char *user, *password; /* NULL: none */
	const char *shown;           /* for messages: "127.0.0.1:6379" */
};
/* NULL, or what is wrong with it. Texts are the arena's or the document's. */
const char *redis_address(const cJSON *fields, struct sk_arena *a, struct redis_address *out);

#endif
