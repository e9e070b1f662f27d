/* calendar.c -- days, months and zones: the proleptic Gregorian calendar, UTC and fixed offsets. Named zones are the world's. */
#include <stdlib.h>
#include <string.h>

#include "sql/internal.h"

#define DAY_MS 86400000

const char *const sql_months[12] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
	                             "November", "December" };
const char *const sql_weekdays[7] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* Years begin in March, so that the leap day is the last one (H. Hinnant, "chrono-compatible low-level date algorithms"). */
int64_t sql_days_of(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, struct sql_moment *m)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), month = (5 * of_year + 2) / 153;

	m->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	m->month = (int)(month < 10 ? month + 3 : month - 9);
	m->year = y + era * 400 + (m->month <= 2);
	m->weekday = (int)(((days + 3) % 7 + 7) % 7) + 1;
	m->yearday = (int)(days - sql_days_of(m->year, 1, 1)) + 1;
}

struct sql_moment sql_moment_at(int64_t ms, int offset)
{
	struct sql_moment m = { .offset = offset };
	int64_t local = ms + (int64_t)offset * 1000, days = local / DAY_MS, rest = local % DAY_MS;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	date_of(days, &m);
	m.hour = (int)(rest / 3600000);
	m.minute = (int)(rest / 60000 % 60);
	m.second = (int)(rest / 1000 % 60);
	m.ms = (int)(rest % 1000);
	return m;
}

static int two_digits(const char *s)
{
	return s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' ? (s[0] - '0') * 10 + (s[1] - '0') : -1;
}

/* "+1", "+01", "+0130", "+01:30": all of s. */
static bool offset_of(const char *s, int *out)
{
	int sign = *s == '-' ? -1 : 1, hours, minutes = 0;

	if (*s != '+' && *s != '-')
		return false;
	s++;
	hours = two_digits(s);
	if (hours < 0 && *s >= '0' && *s <= '9' && !s[1]) {
		*out = sign * (*s - '0') * 3600;
		return true;
	}
	if (hours < 0)
		return false;
	s += 2;
	s += *s == ':';
	if (*s) {
		minutes = two_digits(s);
		s += 2;
	}
	if (minutes < 0 || minutes > 59 || hours > 18 || *s)
		return false;
	*out = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool sql_zone_of(struct expr_run *r, const char *name, int64_t utc_ms, struct sql_zone *out)
{
	static const char *const utc[] = { "UTC", "GMT", "UT", "Z", "Etc/UTC" };
	const struct sql_message *m = sql_state(r)->message;
	const char *rest = strncmp(name, "UTC", 3) == 0 || strncmp(name, "GMT", 3) == 0 ? name + 3 : name;

	*out = (struct sql_zone){ .name = "UTC" };
	for (size_t i = 0; i < sizeof utc / sizeof *utc; i++)
		if (strcmp(name, utc[i]) == 0)
			return true;
	if (offset_of(rest, &out->offset)) {
		int minutes = abs(out->offset) / 60;
		char *s = out->name;
		*s++ = out->offset < 0 ? '-' : '+';
		*s++ = (char)('0' + minutes / 600);
		*s++ = (char)('0' + minutes / 60 % 10);
		*s++ = ':';
		*s++ = (char)('0' + minutes % 60 / 10);
		*s++ = (char)('0' + minutes % 10);
		*s = '\0';
		return true;
	}
	return m->zone && m->zone(m->world, name, utc_ms, out);
}
