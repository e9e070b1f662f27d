/* address.h -- which servers, who one is there, and the greeting, from an action's fields. Pure. */
#ifndef SINK_NATS_ADDRESS_H
#define SINK_NATS_ADDRESS_H

#include "core/json.h"
#include "dial/link.h"
#include "plugins/sink_nats/credentials.h"

enum { NATS_SERVERS = 16, NATS_PORT = 4222 };
struct nats_address {
	struct dial_to server[NATS_SERVERS];
	const char *shown[NATS_SERVERS]; /* for messages: "127.0.0.1:4222" */
	size_t servers;
	bool tls;                  /* it must be; else the server decides */
	const char *user, *password, *token, *credentials; /* NULL: none; the last is a file */
};
/* NULL, or what is wrong with it. Texts are the arena's or the document's. */
const char *nats_address(const cJSON *fields, struct sk_arena *a, struct nats_address *out);

/* CONNECT, which answers the server's INFO. NULL: memory is out, or the seed is none. */
const char *nats_connect_line(struct sk_arena *a, const struct nats_address *to, const struct nats_credentials *c, const cJSON *info);

#endif
