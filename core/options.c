/* options.c -- plugin_opt_* text into fields. One row of `kinds` per option type: how it is read, how its rule is worded. */
#include "core/options.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/closest.h"
#include "core/plugin.h"
#include "core/why.h"

struct unit {
	const char *suffix;
	int64_t factor;
};

struct problem {
	char *why;
	size_t size;
};

/* -- reading: each answers whether the text is one -- */

/* Decimal digits with an optional minus; *end is what follows. No white space, no plus, no overflow. */
static bool read_number(const char *text, int64_t *out, const char **end)
{
	bool minus = *text == '-';
	const char *s = text + minus;
	int64_t v = 0;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, *s - '0', &v))
			return false;
	*end = s;
	return minus ? (*out = v, true) : !__builtin_sub_overflow(0, v, out);
}

static bool read_with_unit(const char *text, const struct unit *units, int64_t *out)
{
	const char *suffix;
	if (!read_number(text, out, &suffix) || *text == '-')
		return false;
	for (; units->suffix; units++)
		if (strcasecmp(units->suffix, suffix) == 0)
			return !__builtin_mul_overflow(*out, units->factor, out);
	return *out == 0 && !*suffix;
}

/* "min max"; all numbers where there is none. */
static void range_of(const struct sk_option *o, int64_t *lo, int64_t *hi)
{
	const char *end;
	*lo = INT64_MIN;
	*hi = INT64_MAX;
	if (o->values && read_number(o->values, lo, &end) && *end == ' ')
		read_number(end + 1, hi, &end);
}

static bool read_bool(const struct sk_option *o, const char *text, void *field)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };
	(void)o;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*(bool *)field = i & 1;
			return true;
		}
	}
	return false;
}

static bool read_int(const struct sk_option *o, const char *text, void *field)
{
	int64_t v, lo, hi;
	const char *end;
	range_of(o, &lo, &hi);
	if (!read_number(text, &v, &end) || *end || v < lo || v > hi)
		return false;
	*(int64_t *)field = v;
	return true;
}

static bool read_size(const struct sk_option *o, const char *text, void *field)
{
	static const struct unit units[] = {
		{ "", 1 }, { "k", 1 << 10 }, { "KiB", 1 << 10 }, { "m", 1 << 20 }, { "MiB", 1 << 20 }, { "g", 1 << 30 }, { "GiB", 1 << 30 },
		{ 0 },
	};
	(void)o;
	return read_with_unit(text, units, field);
}

static bool read_duration(const struct sk_option *o, const char *text, void *field)
{
	static const struct unit units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { 0 },
	};
	(void)o;
	return read_with_unit(text, units, field);
}

static bool read_choice(const struct sk_option *o, const char *text, void *field)
{
	int index = 0;
	for (const char *s = o->values; *s; index++) {
		size_t n = strcspn(s, " ");
		if (strlen(text) == n && memcmp(text, s, n) == 0) {
			*(int *)field = index;
			return true;
		}
		s += n + (s[n] == ' ');
	}
	return false;
}

/* -- wording -- */

static void rule_int(const struct sk_option *o, char *to, size_t size)
{
	int64_t lo, hi;
	range_of(o, &lo, &hi);
	if (o->values)
		snprintf(to, size, "a number from %" PRId64 " to %" PRId64, lo, hi);
	else
		snprintf(to, size, "a number");
}

/* "a", "a or b", "a, b or c" */
static void rule_choice(const struct sk_option *o, char *to, size_t size)
{
	size_t used = 0;
	*to = 0;
	for (const char *s = o->values; *s && used < size;) {
		size_t n = strcspn(s, " ");
		bool last = !s[n], first = s == o->values;
		used += (size_t)snprintf(to + used, size - used, "%s%.*s", first ? "" : last ? " or " : ", ", (int)n, s);
		s += n + !last;
	}
}

static const struct {
	bool (*read)(const struct sk_option *, const char *text, void *field);
	void (*rule)(const struct sk_option *, char *to, size_t size); /* NULL: `words` says it */
	const char *words;
} kinds[] = {
	[SK_BOOL] = { read_bool, NULL, "true or false" },
	[SK_INT] = { read_int, rule_int, NULL },
	[SK_SIZE] = { read_size, NULL, "a size such as 512, 64k, 1m or 1g" },
	[SK_DURATION] = { read_duration, NULL, "a duration such as 500ms, 30s, 5m, 1h or 2d" },
	[SK_CHOICE] = { read_choice, rule_choice, NULL },
};

static int set_string(const struct sk_option *o, void *field, const char *text, struct problem *p)
{
	char *copy = strdup(text);
	if (!copy)
		return sk_why(p->why, p->size, "plugin_opt_%s: out of memory", o->name);
	free((void *)*(const char **)field);
	*(const char **)field = copy;
	return 0;
}

static int set(const struct sk_option *o, void *state, const char *text, struct problem *p)
{
	void *field = (char *)state + o->offset;
	char rule[256];
	if (o->type == SK_STR)
		return set_string(o, field, text, p);
	if (kinds[o->type].read(o, text, field))
		return 0;
	if (kinds[o->type].rule)
		kinds[o->type].rule(o, rule, sizeof rule);
	else
		snprintf(rule, sizeof rule, "%s", kinds[o->type].words);
	return sk_why(p->why, p->size, "plugin_opt_%s must be %s, not '%s'", o->name, rule, text);
}

static const struct sk_option *find(const struct sk_option *table, const char *key)
{
	for (; table->name; table++)
		if (strcmp(table->name, key) == 0)
			return table;
	return NULL;
}

static int unknown(const struct sk_option *table, const char *key, struct problem *p)
{
	size_t n = 0;
	while (table[n].name)
		n++;
	const char *near = sk_closest(key, &table[0].name, n, sizeof *table);
	if (!near)
		return sk_why(p->why, p->size, "unknown option plugin_opt_%s", key);
	return sk_why(p->why, p->size, "unknown option plugin_opt_%s: did you mean plugin_opt_%s?", key, near);
}

int sk_options_read(const struct sk_option *table, void *state, const char *const *keys, const char *const *values, size_t n,
                    char *why, size_t why_size)
{
	struct problem p = { why, why_size };
	for (const struct sk_option *o = table; o->name; o++)
		if (o->init && set(o, state, o->init, &p) != 0)
			return -1;
	for (size_t i = 0; i < n; i++) {
		const struct sk_option *o = find(table, keys[i]);
		if (!o)
			return unknown(table, keys[i], &p);
		for (size_t j = 0; j < i; j++)
			if (strcmp(keys[j], keys[i]) == 0)
				return sk_why(p.why, p.size, "plugin_opt_%s is set twice", keys[i]);
		if (set(o, state, values[i] ? values[i] : "", &p) != 0)
			return -1;
	}
	return 0;
}

void sk_options_free(const struct sk_option *table, void *state)
{
	for (; table && table->name; table++) {
		const char **field = (const char **)((char *)state + table->offset);
		if (table->type != SK_STR)
			continue;
		free((void *)*field);
		*field = NULL;
	}
}
