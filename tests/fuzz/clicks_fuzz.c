/* clicks_fuzz.c -- clicks_read(): the first byte picks a source's topic, the rest is the payload; whatever comes out holds together. */
#include <stdint.h>
#include <string.h>

#include "clicks/clicks.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	struct clicks_click c;
	const char *why = NULL;
	char topic[64];
	size_t sources = 0;

	while (clicks_sources[sources].name)
		sources++;
	if (!size)
		return 0;
	strcpy(topic, clicks_sources[data[0] % sources].filter);
	for (char *at = topic; (at = strchr(at, '+'));)
		*at = 'd';
	enum clicks_found found = clicks_read(&a, topic, data + 1, size - 1, &c, &why);
	expect(found != CLICKS_FOREIGN);
	expect((found == CLICKS_BROKEN) == (why != NULL));
	expect(found == CLICKS_BROKEN || !strcmp(c.device, "d"));
	expect(c.type <= CLICKS_LONG && (c.remaining_life == -1 || (c.remaining_life >= 0 && c.remaining_life <= 100)) && c.count >= -1);
	expect((found == CLICKS_FOUND) == (c.type != CLICKS_NONE || c.remaining_life >= 0));
	sk_arena_free(&a);
	return 0;
}
