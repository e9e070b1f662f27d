/* retained_wire.h -- the little of MQTT 5 that our own client on the broker speaks: CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ out; anything in,
 * of which only PUBLISH at QoS 0 is looked into. Pure: bytes to bytes. */
#ifndef SK_RETAINED_WIRE_H
#define SK_RETAINED_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SK_WIRE_PACKET_MOST = 2 << 20 }; /* bytes of a packet that the client takes, and says so */

/* Types of packets, as in their first byte. */
enum sk_wire_type { SK_WIRE_CONNACK = 2, SK_WIRE_PUBLISH = 3, SK_WIRE_SUBACK = 9, SK_WIRE_UNSUBACK = 11, SK_WIRE_PINGRESP = 13, SK_WIRE_DISCONNECT = 14 };

/* Bytes on their way out; at is malloc's. */
struct sk_wire_out {
	unsigned char *at;
	size_t n, room;
	bool failed; /* memory is out, or something is too long for MQTT: what is there must not be sent */
};
void sk_wire_connect(struct sk_wire_out *o, const char *id, const char *username, const char *password);
void sk_wire_subscribe(struct sk_wire_out *o, uint16_t id, const char *const *filter, size_t n);
void sk_wire_unsubscribe(struct sk_wire_out *o, uint16_t id, const char *const *filter, size_t n);
void sk_wire_ping(struct sk_wire_out *o);
void sk_wire_out_free(struct sk_wire_out *o);

struct sk_wire_packet {
	enum sk_wire_type type;
	const unsigned char *body;
	size_t size;  /* of body */
	size_t whole; /* of the packet */
};
/* The first packet in n bytes. 1; 0: not all of it is there; -1: these bytes are no MQTT, or a packet over SK_WIRE_PACKET_MOST. */
int sk_wire_packet(const unsigned char *at, size_t n, struct sk_wire_packet *out);
/* The reason of a CONNACK, the packet id of a SUBACK or UNSUBACK; -1: malformed. */
int sk_wire_connack(const struct sk_wire_packet *p);
int sk_wire_ack(const struct sk_wire_packet *p);

struct sk_wire_message { /* points into the packet */
	const char *topic;
	size_t topic_size;
	const unsigned char *properties;
	size_t properties_size;
	const unsigned char *payload;
	size_t payload_size;
};
/* false: malformed, or not of QoS 0. */
bool sk_wire_publish(const struct sk_wire_packet *p, struct sk_wire_message *out);

#endif
