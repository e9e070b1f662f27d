/* cluster_frame_fuzz.c -- what another broker, or a stranger, sends through the Redis: each entry lies within what came, and is what may be published. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/cluster/frame.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct frame_entry *e, const char *bytes, size_t size)
{
	expect(e->bytes >= bytes && e->bytes + e->bytes_size <= bytes + size);
	expect(e->bytes_size == entry_size(e) && e->payload + e->size == e->bytes + e->bytes_size);
	expect(strlen(e->topic) == e->topic_size);
	expect(e->kind != ENTRY_MESSAGE || (e->qos <= 2 && e->topic_size && !strpbrk(e->topic, "+#")));
}

static void write_again(const struct frame_entry *e)
{
	char *bytes = malloc(e->bytes_size), *payload = entry_put(bytes, e, NULL);

	memcpy(payload, e->payload, e->size);
	expect(payload + e->size == bytes + e->bytes_size);
	bytes[1] = e->bytes[1]; /* flags that mean nothing */
	expect(!memcmp(bytes, e->bytes, e->bytes_size));
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	struct frame_entry e;
	char *copy = malloc(size ? size : 1); /* so that a byte too far is seen */

	if (size)
		memcpy(copy, data, size);
	if (frame_open(&f, copy, size))
		while (frame_next(&f, &e)) {
			look(&e, copy, size);
			write_again(&e);
		}
	free(copy);
	return 0;
}
