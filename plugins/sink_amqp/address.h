/* address.h -- where a RabbitMQ is, who one is there, and which virtual host, from an action's fields. Pure. */
#ifndef SINK_AMQP_ADDRESS_H
#define SINK_AMQP_ADDRESS_H

#include "core/json.h"
#include "dial/link.h"

struct amqp_address {
	struct dial_to to;
	bool tls;
	const char *user, *password, *vhost;
	const char *shown;         /* for messages: "127.0.0.1:5672" */
};
/* NULL, or what is wrong with it. Texts are the arena's or the document's. */
const char *amqp_address(const cJSON *fields, struct sk_arena *a, struct amqp_address *out);

#endif
