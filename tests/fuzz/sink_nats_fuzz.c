/* sink_nats_fuzz.c -- what a NATS server sends: in pieces as whole, parts never outside of what came; and JetStream's answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_nats/protocol.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct nats_text t, const char *bytes, long n)
{
	expect(!t.size || (t.at >= bytes && t.at + t.size <= bytes + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	const char *at = (const char *)data, *why;

	for (size_t left = size; left;) {
		struct nats_event e, again;
		char *copy = malloc(left); /* so that a byte too far is seen */
		memcpy(copy, at, left);
		long n = nats_next(copy, left, &e);
		expect(n >= -1 && n <= (long)left);
		if (n > 0) {
			within(e.text, copy, n), within(e.subject, copy, n), within(e.header, copy, n), within(e.payload, copy, n);
			expect(nats_next(copy, (size_t)n, &again) == n && again.kind == e.kind);
			expect(nats_next(copy, (size_t)n - 1, &again) == 0);
			nats_ack(&a, &e, &why);
		}
		free(copy);
		if (n <= 0)
			break;
		at += n;
		left -= (size_t)n;
	}
	sk_arena_free(&a);
	return 0;
}
