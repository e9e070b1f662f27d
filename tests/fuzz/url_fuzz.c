/* url_fuzz.c -- sk_url_parse(): any text; what is accepted has a scheme, a host and a port that is one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/url.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	struct sk_url u;
	const char *text = sk_strndup(&a, (const char *)data, size);

	if (!sk_url_parse(&a, text, &u)) {
		expect(u.scheme && *u.scheme && u.host);
		expect(u.port >= 0 && u.port <= 65535);
		expect(u.user || !u.password);
	}
	sk_arena_free(&a);
	return 0;
}
