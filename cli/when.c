/* when.c -- see when.h. */
#include "cli/when.h"

#include <errno.h>
#include <stdlib.h>

const char *when_long(struct sk_arena *a, int64_t ms)
{
	static const struct { int64_t most, unit; const char *name; } steps[] = {
		{ 120000, 1000, "s" }, { 7200000, 60000, "min" }, { 172800000, 3600000, "h" }, { INT64_MAX, 86400000, "d" },
	};
	size_t i = 0;
	while (ms >= steps[i].most && i < sizeof(steps) / sizeof(*steps) - 1)
		i++;
	return sk_printf(a, "%lld %s", (long long)((ms < 0 ? 0 : ms) / steps[i].unit), steps[i].name);
}

const char *when_ago(struct sk_arena *a, int64_t at_ms, int64_t now_ms)
{
	if (!at_ms)
		return "-";
	return now_ms - at_ms < 1000 ? "just now" : sk_printf(a, "%s ago", when_long(a, now_ms - at_ms));
}

bool when_read(const char *text, int64_t *ms)
{
	static const struct { char letter; int64_t unit; } units[] = { { 0, 1000 }, { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || n > 36500 * 86400LL || (*end && end[1]))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].letter == *end) {
			*ms = n * units[i].unit;
			return true;
		}
	return false;
}
