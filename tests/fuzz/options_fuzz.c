/* options_fuzz.c -- any lines "key value" against a table with every type of option. What was read is what a second reader, written
 * here with the C library's own functions, makes of the same lines, and what was refused must have said why. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/options.h"
#include "core/plugin.h"
#include "tests/fuzz/expect.h"

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

/* -- the second reader -- */

static bool second_number(const char *text, const char *units, int64_t *out)
{
	static const struct { const char *kind, *suffix; int64_t factor; } unit[] = {
		{ "plain", "", 1 }, { "size", "", 1 }, { "size", "k", 1024 }, { "size", "kib", 1024 }, { "size", "m", 1048576 }, { "size", "mib", 1048576 },
		{ "size", "g", 1073741824 }, { "size", "gib", 1073741824 }, { "time", "ms", 1 }, { "time", "s", 1000 }, { "time", "m", 60000 },
		{ "time", "h", 3600000 }, { "time", "d", 86400000 },
	};
	const char *digits = text + (*text == '-'), *suffix = digits + strspn(digits, "0123456789");

	if (suffix == digits || (strcmp(units, "plain") && *text == '-'))
		return false;
	errno = 0;
	*out = strtoll(text, NULL, 10);
	if (errno)
		return false;
	for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
		if (!strcmp(unit[i].kind, units) && !strcasecmp(unit[i].suffix, suffix) && *out <= INT64_MAX / unit[i].factor) {
			*out *= unit[i].factor;
			return true;
		}
	return !*out && !*suffix;
}

static bool second_flag(const char *text, bool *out)
{
	*out = !strcasecmp(text, "true") || !strcasecmp(text, "yes") || !strcasecmp(text, "on") || !strcmp(text, "1");
	return *out || !strcasecmp(text, "false") || !strcasecmp(text, "no") || !strcasecmp(text, "off") || !strcmp(text, "0");
}

static bool second_one(const char *key, const char *value, struct state *s)
{
	if (!strcmp(key, "flag"))
		return second_flag(value, &s->flag);
	if (!strcmp(key, "port"))
		return second_number(value, "plain", &s->port) && s->port >= 1 && s->port <= 65535;
	if (!strcmp(key, "number"))
		return second_number(value, "plain", &s->number);
	if (!strcmp(key, "limit"))
		return second_number(value, "size", &s->limit);
	if (!strcmp(key, "wait"))
		return second_number(value, "time", &s->wait);
	if (!strcmp(key, "path"))
		return s->path = value;
	s->others = !strcmp(value, "defer");
	return !strcmp(key, "others") && (s->others || !strcmp(value, "allow"));
}

static bool second(const char *const *keys, const char *const *values, size_t n, struct state *s)
{
	*s = (struct state){ .flag = true, .port = 8883, .limit = 65536, .wait = 172800000, .path = "data", .others = 1 };
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			if (!strcmp(keys[i], keys[j]))
				return false;
		if (!second_one(keys[i], values[i] ? values[i] : "", s))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *keys[MAX_PAIRS], *values[MAX_PAIRS];
	char *text = calloc(1, size + 1), why[48] = "";
	struct state s = { 0 }, other;
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
	expect((rc == 0) == second(keys, values, n, &other));
	if (rc == 0) {
		expect(s.flag == other.flag && s.port == other.port && s.number == other.number && s.limit == other.limit);
		expect(s.wait == other.wait && s.others == other.others && !strcmp(s.path, other.path));
	}
	sk_options_free(table, &s);
	free(text);
	return 0;
}
