/* packets.h -- the few MQTT 3.1.1 packets that the load programs make and read by hand, to cost less than what they measure. */
#ifndef BENCH_PACKETS_H
#define BENCH_PACKETS_H

#include <stddef.h>
#include <string.h>

/* Fixed header of a packet with `rest` bytes behind it; its length. */
static inline size_t packet_header(unsigned char *out, int type, size_t rest)
{
	size_t n = 0;
	out[n++] = (unsigned char)type;
	do {
		out[n] = (unsigned char)(rest % 128 | (rest >= 128 ? 128 : 0));
		rest /= 128;
	} while (out[n++] & 128);
	return n;
}

/* A string with its length in front; the length of both. */
static inline size_t packet_text(unsigned char *out, const char *s)
{
	size_t n = strlen(s);
	out[0] = (unsigned char)(n >> 8);
	out[1] = (unsigned char)n;
	memcpy(out + 2, s, n);
	return n + 2;
}

/* The length of the first whole packet, 0 when it is not whole yet. */
static inline size_t packet_whole(const unsigned char *p, size_t n, size_t *head)
{
	size_t rest = 0, scale = 1;
	for (*head = 1; *head < n && *head < 5; scale *= 128) {
		rest += (p[*head] & 127) * scale;
		if (!(p[(*head)++] & 128))
			return *head + rest <= n ? *head + rest : 0;
	}
	return 0;
}

#endif
