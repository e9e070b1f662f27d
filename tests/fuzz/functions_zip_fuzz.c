/* functions_zip_fuzz.c -- zip_look(), zip_read(): any bytes; what is read is a text with its size, what is refused says why, and both agree. */
#include <stdint.h>
#include <string.h>

#include "plugins/functions/zip.h"
#include "tests/fuzz/expect.h"

enum { MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	struct zip_contents contents;
	const char *why = NULL;
	size_t n = 0;
	int rc = zip_look(data, size, &contents, &why);

	expect(rc == 0 || (rc == -1 && why));
	const char *text = zip_read(&a, data, size, "a", MOST, &n, &why);
	expect(!text || (n <= MOST && text[n] == '\0'));
	expect(!text || rc || contents.size >= n);
	sk_arena_free(&a);
	return 0;
}
