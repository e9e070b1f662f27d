/* time_format.c -- Joda-Time's patterns: a letter is a field, how often it stands says how it looks.
 *
 * Letters that are no field make the pattern invalid; text stands between quotes, '' is a quote. English names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/internal.h"

enum { ROOM = 512, MOST_REPEATED = 32 };

struct output {
	char text[ROOM];
	size_t n;
	bool failed;
};

static void put(struct output *o, const char *s, size_t n)
{
	if (n >= ROOM - o->n) {
		o->failed = true;
		return;
	}
	memcpy(o->text + o->n, s, n);
	o->n += n;
}

static void put_number(struct output *o, int64_t v, int least)
{
	char room[MOST_REPEATED + 24];

	put(o, room, (size_t)snprintf(room, sizeof room, "%0*lld", least + (v < 0), (long long)v));
}

/* -- fields: the moment, how often the letter stands -- */

typedef void field(struct output *o, const struct sql_moment *m, int count);

static void put_name(struct output *o, const char *name, bool whole)
{
	put(o, name, whole || strlen(name) < 3 ? strlen(name) : 3);
}

static void put_year(struct output *o, int64_t year, int count)
{
	put_number(o, count == 2 ? (year % 100 + 100) % 100 : year, count);
}

static void era(struct output *o, const struct sql_moment *m, int count)
{
	(void)count;
	put(o, m->year > 0 ? "AD" : "BC", 2);
}

static void century(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, (m->year > 0 ? m->year : 1 - m->year) / 100, count);
}

static void year_of_era(struct output *o, const struct sql_moment *m, int count)
{
	put_year(o, m->year > 0 ? m->year : 1 - m->year, count);
}

static void year(struct output *o, const struct sql_moment *m, int count)
{
	put_year(o, m->year, count);
}

/* ISO 8601: a week belongs to the year of its Thursday. */
static int64_t week(const struct sql_moment *m, int64_t *of_year)
{
	int64_t thursday = sql_days_of(m->year, m->month, m->day) + 4 - m->weekday;
	struct sql_moment at = sql_moment_at(thursday * 86400000, 0);

	*of_year = at.year;
	return (at.yearday - 1) / 7 + 1;
}

static void week_year(struct output *o, const struct sql_moment *m, int count)
{
	int64_t y;

	week(m, &y);
	put_year(o, y, count);
}

static void week_number(struct output *o, const struct sql_moment *m, int count)
{
	int64_t y;

	put_number(o, week(m, &y), count);
}

static void weekday(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->weekday, count);
}

static void weekday_name(struct output *o, const struct sql_moment *m, int count)
{
	put_name(o, sql_weekdays[m->weekday - 1], count > 3);
}

static void yearday(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->yearday, count);
}

static void month(struct output *o, const struct sql_moment *m, int count)
{
	if (count < 3)
		put_number(o, m->month, count);
	else
		put_name(o, sql_months[m->month - 1], count > 3);
}

static void day(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->day, count);
}

static void half(struct output *o, const struct sql_moment *m, int count)
{
	(void)count;
	put(o, m->hour < 12 ? "AM" : "PM", 2);
}

static void hour_11(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->hour % 12, count);
}

static void hour_12(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, (m->hour + 11) % 12 + 1, count);
}

static void hour_23(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->hour, count);
}

static void hour_24(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, (m->hour + 23) % 24 + 1, count);
}

static void minute(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->minute, count);
}

static void second(struct output *o, const struct sql_moment *m, int count)
{
	put_number(o, m->second, count);
}

static void fraction(struct output *o, const struct sql_moment *m, int count)
{
	char room[4 + MOST_REPEATED];

	snprintf(room, sizeof room, "%03d%0*d", m->ms, MOST_REPEATED, 0);
	put(o, room, (size_t)count);
}

static void zone(struct output *o, const struct sql_moment *m, int count)
{
	(void)count;
	put(o, m->zone, strlen(m->zone));
}

static void offset(struct output *o, const struct sql_moment *m, int count)
{
	char room[32];
	int minutes = abs(m->offset) / 60;

	if (count > 2)
		put(o, m->zone_id, strlen(m->zone_id));
	else
		put(o, room, (size_t)snprintf(room, sizeof room, "%c%02d%s%02d", m->offset < 0 ? '-' : '+', minutes / 60, count == 2 ? ":" : "",
		                              minutes % 60));
}

static field *const fields[128] = {
	['G'] = era,     ['C'] = century,      ['Y'] = year_of_era, ['x'] = week_year, ['w'] = week_number, ['e'] = weekday,
	['E'] = weekday_name, ['y'] = year,    ['D'] = yearday,     ['M'] = month,     ['d'] = day,         ['a'] = half,
	['K'] = hour_11, ['h'] = hour_12,      ['H'] = hour_23,     ['k'] = hour_24,   ['m'] = minute,      ['s'] = second,
	['S'] = fraction, ['z'] = zone,        ['Z'] = offset,
};

/* -- patterns -- */

/* p stands behind the quote. NULL: it is not closed. */
static const char *quoted(struct output *o, const char *p)
{
	if (*p == '\'') {
		put(o, p, 1);
		return p + 1;
	}
	for (; *p; p++) {
		if (*p == '\'' && p[1] != '\'')
			return p + 1;
		p += *p == '\'';
		put(o, p, 1);
	}
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool format(struct output *o, const char *p, const struct sql_moment *m)
{
	while (p && *p && !o->failed) {
		int count = 1;
		if (*p == '\'') {
			p = quoted(o, p + 1);
			continue;
		}
		if (!is_letter(*p)) {
			put(o, p++, 1);
			continue;
		}
		while (p[count] == *p)
			count++;
		if (!fields[(int)*p] || count > MOST_REPEATED)
			return false;
		fields[(int)*p](o, m, count);
		p += count;
	}
	return p && !o->failed;
}

char *sql_format_time(struct expr_run *r, const char *pattern, const struct sql_moment *m, size_t *n)
{
	struct output o = { .n = 0 };

	if (!format(&o, pattern, m))
		return NULL;
	*n = o.n;
	return sk_strndup(r->arena, o.text, o.n);
}
