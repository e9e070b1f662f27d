/* time_parse.c -- java.time's patterns, read: text to milliseconds since 1970. What a pattern does not name is the first:
 * January, the first day, midnight, UTC. */
#include <string.h>
#include <strings.h>

#include "sql/internal.h"

enum { LAST_YEAR = 9999 };

struct input {
	const char *s;
	bool adjacent; /* the next field is a number too: this one takes exactly its digits */
	int64_t year;
	int month, day, yearday, hour, minute, second, ms;
	int half; /* 0 AM, 1 PM, -1 not given */
	bool before_christ;
	char zone[64];
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One to `most` digits; with a count of two and more, at least as many. */
static bool number(struct input *in, int count, int most, int64_t *out)
{
	int least = count > 1 ? count : 1, n = 0;

	if (in->adjacent || most < least)
		most = least;
	if (most > 18)
		return false;
	*out = 0;
	for (; n < most && is_digit(*in->s); n++)
		*out = *out * 10 + (*in->s++ - '0');
	return n >= least;
}

static bool within(struct input *in, int count, int least, int greatest, int *out)
{
	int64_t v;

	if (!number(in, count, greatest > 99 ? 3 : 2, &v) || v < least || v > greatest)
		return false;
	*out = (int)v;
	return true;
}

/* One of the names, whole or its first three letters; answers which, -1 for none. */
static int name_at(struct input *in, const char *const *names, int n, bool whole)
{
	for (int i = 0; i < n; i++) {
		size_t size = whole ? strlen(names[i]) : 3;
		if (strncasecmp(in->s, names[i], size) != 0)
			continue;
		in->s += size;
		return i;
	}
	return -1;
}

typedef bool field(struct input *in, int count);

static bool year(struct input *in, int count)
{
	bool negative = *in->s == '-';

	in->s += negative;
	if (!number(in, count, count == 2 ? 2 : 9, &in->year))
		return false;
	if (count == 2)
		in->year += 2000;
	if (negative)
		in->year = -in->year;
	return true;
}

static bool month(struct input *in, int count)
{
	if (count < 3)
		return within(in, count, 1, 12, &in->month);
	in->month = name_at(in, sql_months, 12, count > 3) + 1;
	return in->month > 0;
}

static bool day(struct input *in, int count)
{
	return within(in, count, 1, 31, &in->day);
}

static bool yearday(struct input *in, int count)
{
	return within(in, count, 1, 366, &in->yearday);
}

static bool weekday_name(struct input *in, int count)
{
	return name_at(in, sql_weekdays, 7, count > 3) >= 0;
}

static bool era(struct input *in, int count)
{
	static const char *const eras[] = { "BC ", "AD " };
	int found = strncasecmp(in->s, eras[0], 2) == 0 ? 0 : strncasecmp(in->s, eras[1], 2) == 0 ? 1 : -1;

	(void)count;
	in->before_christ = found == 0;
	in->s += found >= 0 ? 2 : 0;
	return found >= 0;
}

static bool half(struct input *in, int count)
{
	(void)count;
	in->half = strncasecmp(in->s, "AM", 2) == 0 ? 0 : strncasecmp(in->s, "PM", 2) == 0 ? 1 : -1;
	in->s += in->half >= 0 ? 2 : 0;
	return in->half >= 0;
}

static bool hour_23(struct input *in, int count)
{
	return within(in, count, 0, 23, &in->hour);
}

static bool hour_24(struct input *in, int count)
{
	bool ok = within(in, count, 1, 24, &in->hour);

	in->hour %= 24;
	return ok;
}

static bool hour_11(struct input *in, int count)
{
	return within(in, count, 0, 11, &in->hour);
}

static bool hour_12(struct input *in, int count)
{
	bool ok = within(in, count, 1, 12, &in->hour);

	in->hour %= 12;
	return ok;
}

static bool minute(struct input *in, int count)
{
	return within(in, count, 0, 59, &in->minute);
}

static bool second(struct input *in, int count)
{
	return within(in, count, 0, 59, &in->second);
}

/* Exactly as many digits as letters; what is finer than a millisecond is cut. */
static bool fraction(struct input *in, int count)
{
	int unit = 100;

	in->ms = 0;
	for (; count > 0; count--, unit /= 10) {
		if (!is_digit(*in->s))
			return false;
		in->ms += (*in->s++ - '0') * unit;
	}
	return true;
}

/* A zone's name or offset. */
static bool zone(struct input *in, int count)
{
	size_t n = strspn(in->s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-:");

	(void)count;
	if (n == 0 || n >= sizeof in->zone)
		return false;
	memcpy(in->zone, in->s, n);
	in->zone[n] = '\0';
	in->s += n;
	return true;
}

static field *const fields[128] = {
	['y'] = year,    ['u'] = year,    ['M'] = month,    ['L'] = month,  ['d'] = day,    ['D'] = yearday,  ['E'] = weekday_name,
	['G'] = era,     ['a'] = half,    ['H'] = hour_23,  ['k'] = hour_24, ['K'] = hour_11, ['h'] = hour_12, ['m'] = minute,
	['s'] = second,  ['S'] = fraction, ['V'] = zone,    ['z'] = zone,   ['O'] = zone,   ['X'] = zone,     ['x'] = zone,
	['Z'] = zone,
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool same(struct input *in, char c)
{
	return *in->s == c && (in->s++, true);
}

/* p stands behind the quote. */
static const char *quoted(struct input *in, const char *p)
{
	if (*p == '\'')
		return same(in, '\'') ? p + 1 : NULL;
	for (; *p; p++) {
		if (*p == '\'' && p[1] != '\'')
			return p + 1;
		p += *p == '\'';
		if (!same(in, *p))
			return NULL;
	}
	return NULL;
}

static bool takes_digits(const char *p, int count)
{
	return *p && strchr("yuDdHkKhmsS", *p) ? true : (*p == 'M' || *p == 'L') && count < 3;
}

static int count_at(const char *p)
{
	int count = 1;

	while (*p && p[count] == *p)
		count++;
	return count;
}

static bool parse(struct input *in, const char *p)
{
	while (p && *p) {
		int count = count_at(p);
		if (*p == '\'') {
			p = quoted(in, p + 1);
		} else if (!is_letter(*p)) {
			p = same(in, *p) ? p + 1 : NULL;
		} else {
			in->adjacent = takes_digits(p + count, count_at(p + count));
			if (!fields[(int)*p] || !fields[(int)*p](in, count))
				return false;
			p += count;
		}
	}
	return p && !*in->s;
}

static bool is_date(const struct input *in)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (in->year % 4 == 0 && in->year % 100 != 0) || in->year % 400 == 0;

	if (in->year > LAST_YEAR || in->year < -LAST_YEAR)
		return false;
	if (in->yearday)
		return in->yearday <= 365 + leap;
	return in->day <= days[in->month - 1] && (in->month != 2 || in->day <= 28 + leap);
}

static int64_t local_ms(const struct input *in)
{
	int64_t days = in->yearday ? sql_days_of(in->year, 1, 1) + in->yearday - 1 : sql_days_of(in->year, in->month, in->day);
	int hour = in->half >= 0 ? in->hour % 12 + 12 * in->half : in->hour;

	return ((days * 24 + hour) * 60 + in->minute) * 60000 + in->second * 1000 + in->ms;
}

bool sql_parse_time(struct expr_run *r, const char *text, const char *pattern, int64_t *ms)
{
	struct input in = { .s = text, .year = 1970, .month = 1, .day = 1, .half = -1, .zone = "UTC" };
	struct sql_zone at;
	int64_t local;

	if (!parse(&in, pattern))
		return false;
	if (in.before_christ)
		in.year = 1 - in.year;
	if (!is_date(&in))
		return false;
	local = local_ms(&in);
	if (!sql_zone_of(r, in.zone, local, &at) || !sql_zone_of(r, in.zone, local - (int64_t)at.offset * 1000, &at))
		return false;
	*ms = local - (int64_t)at.offset * 1000;
	return true;
}
