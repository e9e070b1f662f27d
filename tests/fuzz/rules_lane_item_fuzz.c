/* rules_lane_item_fuzz.c -- any bytes as a record of a lane: nothing is read outside of them, and what is an item is written as the same bytes again. */
#include <stdint.h>
#include <string.h>

#include "plugins/rules/lane.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const uint8_t *data, size_t size, const void *at, size_t n)
{
	const uint8_t *p = at;

	expect(!at || (p >= data && p + n < data + size && p[n] == 0));
}

static void texts_end(const uint8_t *data, size_t size, const char *const *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		within(data, size, text[i], text[i] ? strlen(text[i]) : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { .limit = 16 << 20 };
	struct lane_item i;

	if (lane_item_read(&a, data, size, &i) == 0) {
		const char *const text[] = { i.kind, i.principal, i.source_ip, i.sink.rule, i.sink.topic, i.sink.client_id, i.sink.id };
		size_t n;
		texts_end(data, size, text, sizeof text / sizeof *text);
		within(data, size, i.sink.payload, i.sink.size);
		within(data, size, i.message, i.message_size);
		within(data, size, i.properties, i.properties_size);
		for (size_t k = 0; k < i.sink.fields; k++)
			texts_end(data, size, (const char *const[]){ i.sink.field[k].path, i.sink.field[k].text }, 2);
		const void *again = lane_item_write(&a, &i, &n);
		expect(!again || (n == size && memcmp(again, data, n) == 0));
	}
	sk_arena_free(&a);
	return 0;
}
