/* retained_fuzz.c -- bytes that come to our client from the broker: packets, messages, properties. Whatever they are, nothing outside of them is read, and
 * what is taken for a packet lies within. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/properties.h"
#include "core/retained_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void read_properties(const unsigned char *at, size_t n)
{
	struct sk_properties all = { .at = at, .end = at + n };
	struct sk_property p;

	while (sk_properties_next(&all, &p)) {
		expect(all.at <= all.end);
		expect(!p.text || ((const unsigned char *)p.text >= at && (const unsigned char *)p.text + p.size <= at + n));
		expect(!p.value || ((const unsigned char *)p.value >= at && (const unsigned char *)p.value + p.value_size <= at + n));
	}
}

static void read_message(const struct sk_wire_packet *p)
{
	struct sk_wire_message m;

	(void)sk_wire_connack(p);
	(void)sk_wire_ack(p);
	if (p->type != SK_WIRE_PUBLISH || !sk_wire_publish(p, &m))
		return;
	expect((const unsigned char *)m.topic >= p->body && m.payload + m.payload_size == p->body + p->size);
	read_properties(m.properties, m.properties_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct sk_wire_packet p;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	read_properties(copy, size);
	for (size_t at = 0; at < size && sk_wire_packet(copy + at, size - at, &p) > 0; at += p.whole) {
		expect(p.whole <= size - at && p.size < p.whole);
		read_message(&p);
	}
	free(copy);
	return 0;
}
