/* sink_amqp_fuzz.c -- what an AMQP server sends: frames never leave what came, nor do the texts and the message-id in them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_amqp/message.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

static void read_all(const struct amqp_frame *f)
{
	struct amqp_in in = amqp_reading(f);
	struct amqp_text id = amqp_message_id(f);
	const char *begin = (const char *)f->at, *end = begin + f->size;
	expect(!id.size || (id.at >= begin && id.at + id.size <= end));
	amqp_get(&in, 4);
	while (!in.bad) {
		struct amqp_text t = amqp_get(&in, 1) & 1 ? amqp_get_short(&in) : amqp_get_long(&in);
		expect(!t.size || (t.at >= begin && t.at + t.size <= end));
		expect(in.at <= in.end);
		amqp_get(&in, 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	struct amqp_frame f;
	long n = 1;

	for (size_t left = size; left && n > 0; at += n, left -= (size_t)n) {
		char *copy = malloc(left); /* so that a byte too far is seen */
		memcpy(copy, at, left);
		n = amqp_next(copy, left, MOST, &f);
		expect(n >= -1 && n <= (long)left && n <= MOST);
		if (n > 0)
			read_all(&f);
		free(copy);
		if (n <= 0)
			break;
	}
	return 0;
}
