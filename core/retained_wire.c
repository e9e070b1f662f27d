/* retained_wire.c -- see retained_wire.h; MQTT 5 sections 3.1 to 3.12. */
#include "core/retained_wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/properties.h"

enum { PACKET_MOST_ID = 39, PROTOCOL = 5, CLEAN_START_WITH_PASSWORD = 0xc2, KEEP_ALIVE = 60, ROOM = 256 };

/* -- out -- */

static void put(struct sk_wire_out *o, const void *data, size_t n)
{
	if (o->n + n > o->room) {
		size_t room = (o->n + n) * 2 > ROOM ? (o->n + n) * 2 : ROOM;
		unsigned char *more = o->failed ? NULL : realloc(o->at, room);
		if (!more) {
			o->failed = true;
			return;
		}
		o->at = more;
		o->room = room;
	}
	if (n)
		memcpy(o->at + o->n, data, n);
	o->n += n;
}

static void put_byte(struct sk_wire_out *o, unsigned v)
{
	unsigned char byte = (unsigned char)v;
	put(o, &byte, 1);
}

static void put_16(struct sk_wire_out *o, unsigned v)
{
	put_byte(o, v >> 8);
	put_byte(o, v & 255);
}

static void put_text(struct sk_wire_out *o, const char *text)
{
	size_t n = strlen(text);
	o->failed = o->failed || n > UINT16_MAX;
	put_16(o, (unsigned)n & UINT16_MAX);
	put(o, text, n);
}

/* The fixed header of a packet whose rest has n bytes. */
static void put_header(struct sk_wire_out *o, unsigned first, size_t n)
{
	o->failed = o->failed || n >= 1u << 28;
	put_byte(o, first);
	do {
		put_byte(o, (unsigned)(n & 127) | (n > 127 ? 128u : 0));
		n >>= 7;
	} while (n);
}

void sk_wire_connect(struct sk_wire_out *o, const char *id, const char *username, const char *password)
{
	put_header(o, 0x10, 7 + 3 + 1 + 5 + 2 + strlen(id) + 2 + strlen(username) + 2 + strlen(password));
	put_text(o, "MQTT");
	put_byte(o, PROTOCOL);
	put_byte(o, CLEAN_START_WITH_PASSWORD);
	put_16(o, KEEP_ALIVE);
	put_byte(o, 5);
	put_byte(o, PACKET_MOST_ID);
	put_16(o, SK_WIRE_PACKET_MOST >> 16);
	put_16(o, SK_WIRE_PACKET_MOST & UINT16_MAX);
	put_text(o, id);
	put_text(o, username);
	put_text(o, password);
}

static void put_filters(struct sk_wire_out *o, unsigned first, uint16_t id, const char *const *filter, size_t n)
{
	bool options = first == 0x82;
	size_t size = 2 + 1;
	for (size_t i = 0; i < n; i++)
		size += 2 + strlen(filter[i]) + options;
	put_header(o, first, size);
	put_16(o, id);
	put_byte(o, 0);
	for (size_t i = 0; i < n; i++) {
		put_text(o, filter[i]);
		if (options)
			put_byte(o, 0); /* QoS 0, and what is retained is sent whenever we subscribe */
	}
}

void sk_wire_subscribe(struct sk_wire_out *o, uint16_t id, const char *const *filter, size_t n)
{
	put_filters(o, 0x82, id, filter, n);
}

void sk_wire_unsubscribe(struct sk_wire_out *o, uint16_t id, const char *const *filter, size_t n)
{
	put_filters(o, 0xa2, id, filter, n);
}

void sk_wire_ping(struct sk_wire_out *o)
{
	put_16(o, 0xc000);
}

void sk_wire_out_free(struct sk_wire_out *o)
{
	free(o->at);
	*o = (struct sk_wire_out){ 0 };
}

/* -- in -- */

int sk_wire_packet(const unsigned char *at, size_t n, struct sk_wire_packet *out)
{
	const unsigned char *body = at + 1;
	uint32_t size;
	if (n < 2)
		return 0;
	if (!sk_varint_read(&body, at + n, &size))
		return n < 5 ? 0 : -1;
	if (size > SK_WIRE_PACKET_MOST)
		return -1;
	*out = (struct sk_wire_packet){ .type = at[0] >> 4, .body = body, .size = size, .whole = (size_t)(body - at) + size };
	return out->whole <= n;
}

int sk_wire_connack(const struct sk_wire_packet *p)
{
	return p->size < 2 ? -1 : p->body[1];
}

int sk_wire_ack(const struct sk_wire_packet *p)
{
	return p->size < 2 ? -1 : p->body[0] << 8 | p->body[1];
}

static bool is_qos_0(const struct sk_wire_packet *p)
{
	const unsigned char *first = p->body + p->size - p->whole;
	return !(*first & 6);
}

bool sk_wire_publish(const struct sk_wire_packet *p, struct sk_wire_message *out)
{
	const unsigned char *at = p->body, *end = p->body + p->size;
	uint32_t properties;
	if (!is_qos_0(p) || p->size < 2)
		return false;
	out->topic_size = (size_t)(at[0] << 8 | at[1]);
	out->topic = (const char *)at + 2;
	if ((size_t)(end - at) < 2 + out->topic_size)
		return false;
	at += 2 + out->topic_size;
	if (!sk_varint_read(&at, end, &properties) || (size_t)(end - at) < properties)
		return false;
	out->properties = at;
	out->properties_size = properties;
	out->payload = at + properties;
	out->payload_size = (size_t)(end - out->payload);
	return true;
}
