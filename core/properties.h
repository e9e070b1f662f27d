/* properties.h -- what MQTT 5 says beside a message, in MQTT's own encoding: made by a handler, read by whoever gives it to the broker.
 *
 * Encoded, it is the properties of a PUBLISH without their length (MQTT 5, 2.2.2). Only those that a message keeps on its way are known here; what
 * is not well-formed ends the reading. */
#ifndef SK_PROPERTIES_H
#define SK_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/call.h"

/* MQTT 5, 2.2.2.2. PROPERTY(name, identifier, how it is written) */
#define SK_PROPERTIES(PROPERTY) \
	PROPERTY(PAYLOAD_FORMAT, 1, BYTE) \
	PROPERTY(MESSAGE_EXPIRY, 2, INT32) \
	PROPERTY(CONTENT_TYPE, 3, TEXT) \
	PROPERTY(RESPONSE_TOPIC, 8, TEXT) \
	PROPERTY(CORRELATION_DATA, 9, BINARY) \
	PROPERTY(SUBSCRIPTION_ID, 11, VARINT) \
	PROPERTY(TOPIC_ALIAS, 35, INT16) \
	PROPERTY(USER_PROPERTY, 38, PAIR)

enum sk_property_id {
#define PROPERTY(name, id, kind) SK_PROPERTY_##name = id,
	SK_PROPERTIES(PROPERTY)
#undef PROPERTY
};

struct sk_property { /* texts point into what is read and are not terminated */
	enum sk_property_id id;
	uint32_t number;
	const char *text;  /* BINARY and TEXT; the name of a PAIR */
	size_t size;
	const char *value; /* of a PAIR */
	size_t value_size;
};

/* The encoded properties of m in the arena; NULL with *n 0 when there are none, and when a->failed. */
const void *sk_properties_write(struct sk_arena *a, const struct sk_message *m, size_t *n);

struct sk_properties {
	const unsigned char *at, *end;
	bool bad; /* something was not well-formed */
};
/* The next one; false: there is no more, or the rest is bad. */
bool sk_properties_next(struct sk_properties *p, struct sk_property *out);
/* MQTT's variable byte integer at *at, before end. false: not one; else *at stands behind it. */
bool sk_varint_read(const unsigned char **at, const unsigned char *end, uint32_t *out);

#endif
