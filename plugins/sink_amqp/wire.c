/* wire.c -- AMQP 0-9-1's types and frames. See wire.h. */
#include "plugins/sink_amqp/wire.h"

#include <string.h>

enum { FRAME_END = 0xce };

/* -- writing -- */

void amqp_put(struct amqp_out *o, const void *bytes, size_t n)
{
	if (o->to && n)
		memcpy(o->to + o->n, bytes, n);
	o->n += n;
}

static void put_number(struct amqp_out *o, uint64_t value, int bytes)
{
	unsigned char text[8];

	for (int i = bytes; i-- > 0; value >>= 8)
		text[i] = (unsigned char)value;
	amqp_put(o, text, (size_t)bytes);
}

void amqp_put8(struct amqp_out *o, unsigned value)
{
	put_number(o, value, 1);
}

void amqp_put16(struct amqp_out *o, unsigned value)
{
	put_number(o, value, 2);
}

void amqp_put32(struct amqp_out *o, uint32_t value)
{
	put_number(o, value, 4);
}

void amqp_put64(struct amqp_out *o, uint64_t value)
{
	put_number(o, value, 8);
}

void amqp_put_short(struct amqp_out *o, const char *text)
{
	size_t n = strnlen(text, 255);

	amqp_put8(o, (unsigned)n);
	amqp_put(o, text, n);
}

void amqp_put_long(struct amqp_out *o, const void *bytes, size_t n)
{
	amqp_put32(o, (uint32_t)n);
	amqp_put(o, bytes, n);
}

size_t amqp_begin(struct amqp_out *o, enum amqp_type type, unsigned channel)
{
	size_t begun = o->n;

	amqp_put8(o, type);
	amqp_put16(o, channel);
	amqp_put32(o, 0);
	return begun;
}

/* The size is known only here. */
void amqp_end(struct amqp_out *o, size_t begun)
{
	struct amqp_out size = { o->to ? o->to + begun + 3 : NULL, 0 };

	amqp_put32(&size, (uint32_t)(o->n - begun - 7));
	amqp_put8(o, FRAME_END);
}

size_t amqp_begin_method(struct amqp_out *o, unsigned channel, uint32_t id)
{
	size_t begun = amqp_begin(o, AMQP_METHOD, channel);

	amqp_put32(o, id);
	return begun;
}

/* -- reading -- */

static uint64_t number(const unsigned char *at, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

long amqp_next(const char *bytes, size_t n, size_t most, struct amqp_frame *out)
{
	const unsigned char *at = (const unsigned char *)bytes;
	uint64_t size;

	*out = (struct amqp_frame){ 0 };
	if (!n)
		return 0;
	if (*at != AMQP_METHOD && *at != AMQP_HEADER && *at != AMQP_BODY && *at != AMQP_HEARTBEAT)
		return -1;
	if (n < 7)
		return 0;
	size = number(at + 3, 4);
	if (size > most - AMQP_OVERHEAD)
		return -1;
	if (n < size + AMQP_OVERHEAD)
		return 0;
	if (at[7 + size] != FRAME_END)
		return -1;
	*out = (struct amqp_frame){ (enum amqp_type)*at, (unsigned)number(at + 1, 2), at + 7, (size_t)size };
	return (long)size + AMQP_OVERHEAD;
}

struct amqp_in amqp_reading(const struct amqp_frame *f)
{
	return (struct amqp_in){ .at = f->at, .end = f->at + f->size };
}

uint64_t amqp_get(struct amqp_in *in, int bytes)
{
	uint64_t value;

	if (in->bad || in->end - in->at < bytes) {
		in->bad = true;
		return 0;
	}
	value = number(in->at, bytes);
	in->at += bytes;
	return value;
}

static struct amqp_text text(struct amqp_in *in, uint64_t size)
{
	struct amqp_text t = { "", 0 };

	if (in->bad || (uint64_t)(in->end - in->at) < size) {
		in->bad = true;
		return t;
	}
	t = (struct amqp_text){ (const char *)in->at, (size_t)size };
	in->at += size;
	return t;
}

struct amqp_text amqp_get_short(struct amqp_in *in)
{
	return text(in, amqp_get(in, 1));
}

struct amqp_text amqp_get_long(struct amqp_in *in)
{
	return text(in, amqp_get(in, 4));
}
