/* protocol.h -- NATS as text: what a client writes, and what a server has written. Pure. */
#ifndef SINK_NATS_PROTOCOL_H
#define SINK_NATS_PROTOCOL_H

#include "core/sink.h"

/* Where bytes go; `to` NULL: they are only counted. */
struct nats_out {
	char *to;
	size_t n;
};
void nats_put(struct nats_out *o, const char *text);

struct nats_header {
	const char *name, *value;
};
struct nats_message {
	const char *subject, *reply; /* reply NULL: none is wanted */
	const struct nats_header *header;
	size_t headers;
	const void *payload;
	size_t size;
};
/* PUB or HPUB. The size that counts against the server's max_payload is the answer. */
size_t nats_publish(struct nats_out *o, const struct nats_message *m);

/* NULL, or why nothing can be published there: no subject, or one of the server's own API, whose messages would be commands. */
const char *nats_subject_fault(const char *subject);
/* NULL, or why it cannot be sent as a header. */
const char *nats_header_fault(const struct nats_header *h);

enum nats_kind { NATS_INFO, NATS_MESSAGE, NATS_PING, NATS_PONG, NATS_FINE, NATS_ERROR };
struct nats_text {
	const char *at;
	size_t size;
};
/* Parts lie in the bytes that were read. */
struct nats_event {
	enum nats_kind kind;
	struct nats_text text;     /* of INFO its JSON, of an error its words without quotes */
	struct nats_text subject, header, payload; /* of a message */
};
enum { NATS_LINE = 32768, NATS_MOST = 65536 }; /* bytes of a line, of a message with it: more is refused */
/* The event at the beginning of the n bytes: how many of them it takes; 0: more are wanted; -1: that is no NATS. */
long nats_next(const char *bytes, size_t n, struct nats_event *out);

/* What JetStream answered. A header "NATS/1.0 503": nobody was there to answer. *why is the arena's or a constant. */
enum sk_sunk nats_ack(struct sk_arena *a, const struct nats_event *e, const char **why);

#endif
