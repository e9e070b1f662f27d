/* functions_name_fuzz.c -- functions_name_parse(): any text; what is taken is made of letters that may stand in keys. */
#include <stdint.h>
#include <string.h>

#include "plugins/functions/functions.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	struct functions_name n;
	const char *text = sk_strndup(&a, (const char *)data, size);

	if (text && !functions_name_parse(&a, text, &n)) {
		expect(strlen(n.name) >= 1 && strlen(n.name) <= 64 && !strpbrk(n.name, "/:$+# "));
		expect(!n.qualifier || (*n.qualifier && !strpbrk(n.qualifier, "/:+# ")));
		expect(!n.account || strlen(n.account) == 12);
		expect(strstr(text, n.name) != NULL);
	}
	sk_arena_free(&a);
	return 0;
}
