/* options_fuzz.c -- any lines "key value" against a table with every type of option. What was read must be within its rule, and what was
 * refused must have said why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/options.h"
#include "core/plugin.h"

#define MAX_PAIRS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
	bool flag;
	int64_t port, number, limit, wait;
	const char *path;
	int others;
};

static const struct sk_option table[] = {
	SK_OPTION(SK_BOOL, struct state, flag, "true", NULL, ""),
	SK_OPTION(SK_INT, struct state, port, "8883", "1 65535", ""),
	SK_OPTION(SK_INT, struct state, number, NULL, NULL, ""),
	SK_OPTION(SK_SIZE, struct state, limit, "64KiB", NULL, ""),
	SK_OPTION(SK_DURATION, struct state, wait, "48h", NULL, ""),
	SK_OPTION(SK_STR, struct state, path, "data", NULL, ""),
	SK_OPTION(SK_CHOICE, struct state, others, "defer", "allow defer", ""),
	{ 0 }
};

static void expect(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *keys[MAX_PAIRS], *values[MAX_PAIRS];
	char *text = calloc(1, size + 1), why[48] = "";
	struct state s = { 0 };
	size_t n = 0;
	memcpy(text, data, size);
	for (char *line = text, *next; line && n < MAX_PAIRS; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		char *value = strchr(line, ' ');
		if (value)
			*value++ = 0;
		keys[n] = line;
		values[n++] = value;
	}
	int rc = sk_options_read(table, &s, keys, values, n, why, sizeof why);
	expect(rc == 0 ? !*why : *why);
	if (rc == 0) {
		expect(s.port >= 1 && s.port <= 65535 && s.limit >= 0 && s.wait >= 0 && s.path);
		expect(s.others == 0 || s.others == 1);
	}
	sk_options_free(table, &s);
	free(text);
	return 0;
}
