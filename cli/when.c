/* when.c -- see when.h. */
#include "cli/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* ".25" as ms; what is behind it in *end. */
static int fraction(const char *text, const char **end)
{
	int ms = 0, unit = 100;
	if (*text != '.')
		return 0;
	while (*++text >= '0' && *text <= '9') {
		ms += (*text - '0') * unit;
		unit /= 10;
	}
	*end = text;
	return ms;
}

/* mktime() takes the 31st of February for a day of March: then it is none. */
static bool from_calendar(struct tm *tm, bool utc, int64_t *ms)
{
	struct tm same = *tm;
	same.tm_isdst = -1;
	time_t t = utc ? timegm(&same) : mktime(&same);
	*ms = (int64_t)t * 1000;
	return same.tm_mday == tm->tm_mday && same.tm_mon == tm->tm_mon && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

bool when_moment(const char *text, int64_t now_ms, int64_t *ms)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	const char *end = NULL;
	struct tm tm;
	if (!strcmp(text, "now") || when_read(text, ms)) {
		*ms = now_ms - (strcmp(text, "now") ? *ms : 0);
		return true;
	}
	for (size_t i = 0; !end && i < sizeof(forms) / sizeof(*forms); i++) {
		tm = (struct tm){ 0 };
		end = strptime(text, forms[i], &tm);
	}
	int parts = end ? fraction(end, &end) : 0;
	bool utc = end && *end == 'Z';
	if (!end || end[utc] || !from_calendar(&tm, utc, ms))
		return false;
	*ms += parts;
	return true;
}

const char *when_printed(struct sk_arena *a, int64_t ms)
{
	char text[32];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", localtime_r(&t, &tm));
	return sk_printf(a, "%s.%03d", text, (int)(ms % 1000));
}
