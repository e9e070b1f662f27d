/* recorded_fuzz.c -- any bytes as a record of the flight recorder (rules/recorded.h), and what a replay makes of its properties.
 *
 * What is taken must lie within the record, end where it says, and be the same bytes when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "rules/headers.h"
#include "rules/recorded.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_text(const char *text, const char *from, const char *to)
{
	expect(!text || (text >= from && text < to && memchr(text, 0, (size_t)(to - text))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *record = malloc(size + 1);
	struct rules_recorded m;
	struct sk_arena a = { 0 };
	struct sql_message sql = { 0 };
	if (!record)
		return 0;
	if (size)
		memcpy(record, data, size);
	if (!rules_recorded_read(record, size, &m)) {
		const char *text[] = { m.topic, m.client_id, m.principal, m.source_ip }, *end = record + size;
		for (size_t i = 0; i < 4; i++)
			is_text(text[i], record, end);
		expect(m.topic && m.qos <= 2 && (const char *)m.payload >= record && m.size < (size_t)(end - (const char *)m.payload));
		expect(!((const char *)m.payload)[m.size]);
		expect(!m.properties_size || (const char *)m.properties + m.properties_size == end);
		expect(rules_recorded_size(&m) == size);
		char *again = calloc(1, size);
		rules_recorded_write(&m, again);
		expect(again && !memcmp(again, record, size));
		free(again);
		rules_headers(&a, m.properties, m.properties_size, &sql);
	}
	sk_arena_free(&a);
	free(record);
	return 0;
}
