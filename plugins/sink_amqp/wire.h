/* wire.h -- AMQP 0-9-1's types and frames, written and read. Pure.
 *
 * Reading never leaves the bytes it was given: past their end everything is 0 or empty, and `bad` stays set. */
#ifndef SINK_AMQP_WIRE_H
#define SINK_AMQP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where bytes go; `to` NULL: they are only counted. */
struct amqp_out {
	char *to;
	size_t n;
};
void amqp_put(struct amqp_out *o, const void *bytes, size_t n);
void amqp_put8(struct amqp_out *o, unsigned value);
void amqp_put16(struct amqp_out *o, unsigned value);
void amqp_put32(struct amqp_out *o, uint32_t value);
void amqp_put64(struct amqp_out *o, uint64_t value);
void amqp_put_short(struct amqp_out *o, const char *text); /* of at most 255 bytes; what is beyond is cut */
void amqp_put_long(struct amqp_out *o, const void *bytes, size_t n);

enum amqp_type { AMQP_METHOD = 1, AMQP_HEADER, AMQP_BODY, AMQP_HEARTBEAT = 8 };
enum { AMQP_OVERHEAD = 8 }; /* of a frame */
/* A frame of that channel: begin, put what is in it, end with what begin answered. */
size_t amqp_begin(struct amqp_out *o, enum amqp_type type, unsigned channel);
void amqp_end(struct amqp_out *o, size_t begun);
/* The same for a method: its frame has begun with CLASS and METHOD in it. */
#define AMQP_ID(class, method) ((uint32_t)(class) << 16 | (method))
size_t amqp_begin_method(struct amqp_out *o, unsigned channel, uint32_t id);

struct amqp_frame {
	enum amqp_type type;
	unsigned channel;
	const unsigned char *at;
	size_t size;
};
/* The frame at the beginning of the n bytes: how many of them it takes; 0: more are wanted; -1: that is no AMQP, or larger than `most`. */
long amqp_next(const char *bytes, size_t n, size_t most, struct amqp_frame *out);

struct amqp_in {
	const unsigned char *at, *end;
	bool bad;
};
struct amqp_text {
	const char *at;
	size_t size;
};
struct amqp_in amqp_reading(const struct amqp_frame *f);
uint64_t amqp_get(struct amqp_in *in, int bytes); /* 1, 2, 4 or 8 */
struct amqp_text amqp_get_short(struct amqp_in *in);
struct amqp_text amqp_get_long(struct amqp_in *in); /* tables too */

#endif
