/* zone_rule.c -- the rule behind the last transition of a zone's file: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ, RFC 8536 section 3.3).
 *
 * The calendar repeats after 400 years, weekdays included, so any time is first brought into the first of these. */
#include <string.h>

#include "sql/internal.h"

#define AGE     ((int64_t)146097 * 86400) /* 400 years */
#define NEVER   INT64_MIN

struct text {
	const char *s, *end;
};

/* Mm.w.d: day d (0 is Sunday) of week w (5 is the last) of month m; Jn: day n from 1, never 29 February; n: day n from 0. */
struct change {
	char form; /* 'M', 'J', 0 */
	int month, week, day;
	int time;  /* seconds after midnight, by the clock before the change */
};

struct rule {
	struct sql_zone standard, summer;
	bool has_summer;
	struct change begin, end; /* of summer time */
};

static bool accept(struct text *t, char c)
{
	bool found = t->s < t->end && *t->s == c;

	t->s += found;
	return found;
}

static bool number(struct text *t, int least, int most, int *out)
{
	const char *from = t->s;
	int v = 0;

	while (t->s < t->end && (unsigned char)(*t->s - '0') < 10 && t->s - from < 4)
		v = v * 10 + (*t->s++ - '0');
	*out = v;
	return t->s > from && v >= least && v <= most;
}

/* [+-]hours[:minutes[:seconds]] */
static bool clock_time(struct text *t, int most_hours, int *out)
{
	int sign = accept(t, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (sign > 0)
		accept(t, '+');
	if (!number(t, 0, most_hours, &hours))
		return false;
	if (accept(t, ':') && (!number(t, 0, 59, &minutes) || (accept(t, ':') && !number(t, 0, 59, &seconds))))
		return false;
	*out = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool is_of_name(unsigned char c, bool quoted)
{
	bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

	return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
}

/* CET, or <+03>. */
static bool zone_name(struct text *t, struct sql_zone *out)
{
	bool quoted = accept(t, '<');
	size_t n = 0;

	*out = (struct sql_zone){ .offset = 0 };
	while (t->s < t->end && is_of_name((unsigned char)*t->s, quoted)) {
		if (n == sizeof out->name - 1)
			return false;
		out->name[n++] = *t->s++;
	}
	return n >= 3 && (!quoted || accept(t, '>'));
}

static bool change(struct text *t, struct change *out)
{
	bool ok;

	*out = (struct change){ .time = 7200 };
	if (accept(t, 'M')) {
		out->form = 'M';
		ok = number(t, 1, 12, &out->month) && accept(t, '.') && number(t, 1, 5, &out->week) && accept(t, '.') && number(t, 0, 6, &out->day);
	} else if (accept(t, 'J')) {
		out->form = 'J';
		ok = number(t, 1, 365, &out->day);
	} else {
		ok = number(t, 0, 365, &out->day);
	}
	return ok && (!accept(t, '/') || clock_time(t, 167, &out->time));
}

/* POSIX counts offsets to the west. */
static bool offset_west(struct text *t, struct sql_zone *out)
{
	bool ok = clock_time(t, 24, &out->offset);

	out->offset = -out->offset;
	return ok;
}

static bool parse(struct text *t, struct rule *out)
{
	if (!zone_name(t, &out->standard) || !offset_west(t, &out->standard))
		return false;
	out->has_summer = t->s < t->end;
	if (!out->has_summer)
		return true;
	if (!zone_name(t, &out->summer))
		return false;
	out->summer.offset = out->standard.offset + 3600;
	if (t->s < t->end && *t->s != ',' && !offset_west(t, &out->summer))
		return false;
	return accept(t, ',') && change(t, &out->begin) && accept(t, ',') && change(t, &out->end) && t->s == t->end;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970-01-01. */
static int64_t day_of(const struct change *c, int64_t year)
{
	int64_t first, next;
	int day;

	if (c->form == 0)
		return sql_days_of(year, 1, 1) + c->day;
	if (c->form == 'J')
		return sql_days_of(year, 1, 1) + c->day - 1 + (is_leap(year) && c->day > 59);
	first = sql_days_of(year, c->month, 1);
	next = c->month < 12 ? sql_days_of(year, c->month + 1, 1) : sql_days_of(year + 1, 1, 1);
	day = (c->day - (int)((first + 4) % 7) + 7) % 7 + (c->week - 1) * 7; /* 1970-01-01 was a Thursday */
	return first + day < next ? first + day : first + day - 7;
}

/* The last time up to s at which the clocks changed so; before it they showed `offset`. */
static int64_t last_change(const struct change *c, int64_t year, int offset, int64_t s)
{
	for (int64_t y = year + 1; y >= year - 2; y--) {
		int64_t at = day_of(c, y) * 86400 + c->time - offset;
		if (at <= s)
			return at;
	}
	return NEVER;
}

bool sql_zone_rule(const char *rule, size_t n, int64_t utc_s, struct sql_zone *out)
{
	struct text t = { rule, rule + n };
	struct rule r = { .has_summer = false };
	int64_t s = (utc_s % AGE + AGE) % AGE + AGE, year;

	if (!parse(&t, &r))
		return false;
	*out = r.standard;
	if (!r.has_summer)
		return true;
	year = sql_moment_at(s * 1000, 0).year;
	if (last_change(&r.begin, year, r.standard.offset, s) >= last_change(&r.end, year, r.summer.offset, s))
		*out = r.summer;
	return true;
}
