/* connection.h -- one connection to a NATS server: greeting, and the events that it sends. */
#ifndef SINK_NATS_CONNECTION_H
#define SINK_NATS_CONNECTION_H

#include "plugins/sink_nats/address.h"
#include "plugins/sink_nats/protocol.h"

enum { NATS_INBOX = 40 };
struct nats_connection {
	struct dial link;          /* its why[] says why a call failed */
	struct nats_address address;
	size_t server;             /* the one of address that is asked first */
	bool open;
	bool headers;              /* the server knows them */
	int64_t max_payload;
	char inbox[NATS_INBOX];    /* answers come to INBOX.NUMBER */
	struct dial_input in;      /* NATS_MOST of room */
};
/* Within timeout ms, over all servers. 0, or -1 with link.why; then it is closed. */
int nats_dial(struct nats_connection *c, int64_t timeout, struct sk_arena *a);
/* The next event, which lives until the next call; pings are answered. 0, or -1 with link.why; then it is closed. */
int nats_event(struct nats_connection *c, struct nats_event *e);
/* Whether an event can be asked for without waiting long. */
bool nats_something(const struct nats_connection *c);
void nats_hang_up(struct nats_connection *c);

#endif
