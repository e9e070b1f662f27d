/* shape_bind.c -- text from a path, a query or a header to the JSON node that the input's type wants.
 *
 * Never refuses: text that is not of its type stays a string, and the check then says so as it does for a body. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/shape_internal.h"
#include "core/utf8.h"

static cJSON *bind(struct sk_arena *a, enum sk_input_place place, const struct sk_type *t, const char *text);

/* A string node; each byte that is no UTF-8 becomes U+FFFD. */
static cJSON *bind_string(struct sk_arena *a, const char *text)
{
	size_t n = strlen(text);
	const unsigned char *s = (const unsigned char *)text, *end = s + n;
	if (sk_utf8_valid(text, n))
		return sk_json_stringn(a, text, n);
	char *copy = sk_alloc_text(a, n * 3 + 1), *to = copy;
	if (!copy)
		return NULL;
	while (s < end) {
		int size = sk_utf8_length(s, end);
		memcpy(to, size ? (const char *)s : "\xef\xbf\xbd", size ? (size_t)size : 3);
		to += size ? size : 3;
		s += size ? size : 1;
	}
	return sk_json_stringn(a, copy, (size_t)(to - copy));
}

static bool looks_like_number(const char *text, const char *bytes)
{
	const char *digits = text + (*text == '-');
	return isdigit((unsigned char)*digits) && strspn(text, bytes) == strlen(text);
}

static cJSON *integer_of(struct sk_arena *a, const char *text)
{
	errno = 0;
	long long v = looks_like_number(text, "-0123456789") ? strtoll(text, NULL, 10) : 0;
	if (errno || !looks_like_number(text, "-0123456789") || strchr(text + 1, '-'))
		return NULL;
	return sk_json_int(a, v);
}

static cJSON *number_of(struct sk_arena *a, const char *text)
{
	char *end;
	if (!looks_like_number(text, "-+0123456789.eE"))
		return NULL;
	double v = strtod(text, &end);
	return *end || !isfinite(v) ? NULL : sk_json_number(a, v);
}

static cJSON *boolean_of(struct sk_arena *a, const char *text)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return NULL;
	return sk_json_bool(a, *text == 't');
}

static bool within(int v, int lo, int hi)
{
	return v >= lo && v <= hi;
}

/* "Z", "+02:00" or "-0530"; nothing is Z. Seconds east of Greenwich in *offset. */
static bool read_zone(const char *s, int *offset)
{
	int hours, minutes, n = 0;
	*offset = 0;
	if (!*s || strcmp(s, "Z") == 0)
		return true;
	if ((*s != '+' && *s != '-') || !isdigit((unsigned char)s[1]))
		return false;
	if (sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 && sscanf(s + 1, "%2d%2d%n", &hours, &minutes, &n) != 2)
		return false;
	*offset = (hours * 3600 + minutes * 60) * (*s == '-' ? -1 : 1);
	return n > 0 && !s[1 + n] && within(hours, 0, 18) && within(minutes, 0, 59);
}

/* ISO 8601 as the SDKs send it: 2023-01-31T10:20:30.5Z. */
static cJSON *iso_time_of(struct sk_arena *a, const char *text)
{
	struct tm tm = { 0 };
	int n = 0, offset;
	double fraction = 0;
	if (strlen(text) < 19 || !looks_like_number(text, "0123456789-:.TZ+") || text[4] != '-')
		return NULL;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
	    n != 19)
		return NULL;
	if (!within(tm.tm_mon, 1, 12) || !within(tm.tm_mday, 1, 31) || !within(tm.tm_hour, 0, 23) || !within(tm.tm_min, 0, 59) ||
	    !within(tm.tm_sec, 0, 60))
		return NULL;
	const char *zone = text + n;
	if (*zone == '.') {
		size_t digits = strspn(zone + 1, "0123456789");
		fraction = strtod(zone, NULL);
		zone += 1 + digits;
	}
	if (!read_zone(zone, &offset))
		return NULL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return sk_json_number(a, (double)(timegm(&tm) - offset) + fraction);
}

static cJSON *time_of(struct sk_arena *a, const char *text)
{
	cJSON *node = number_of(a, text);
	return node ? node : iso_time_of(a, text);
}

static cJSON *bind_list(struct sk_arena *a, enum sk_input_place place, const struct sk_type *t, const char *text)
{
	cJSON *list = sk_json_array(a);
	if (place != SK_IN_HEADER) {
		sk_json_append(list, bind(a, place, t->element, text));
		return list;
	}
	while (*text) {
		text += strspn(text, " \t,");
		size_t n = strcspn(text, ",");
		const char *next = text + n;
		while (n > 0 && strchr(" \t", text[n - 1]))
			n--;
		const char *item = n ? sk_strndup(a, text, n) : NULL;
		if (item)
			sk_json_append(list, bind(a, place, t->element, item));
		text = next;
	}
	return list;
}

static cJSON *(*const readers[])(struct sk_arena *, const char *) = {
	[SK_SHAPE_INTEGER] = integer_of, [SK_SHAPE_LONG] = integer_of,  [SK_SHAPE_NUMBER] = number_of,
	[SK_SHAPE_BOOLEAN] = boolean_of, [SK_SHAPE_TIMESTAMP] = time_of, [SK_SHAPE_ANY] = NULL,
};

static cJSON *bind(struct sk_arena *a, enum sk_input_place place, const struct sk_type *t, const char *text)
{
	if (t->shape.kind == SK_SHAPE_LIST && t->element->shape.kind != SK_SHAPE_LIST)
		return bind_list(a, place, t, text);
	cJSON *node = readers[t->shape.kind] ? readers[t->shape.kind](a, text) : NULL;
	return node ? node : bind_string(a, text);
}

cJSON *sk_inputs_bind(const struct sk_inputs *in, struct sk_arena *a, enum sk_input_place place, const char *wire, const char *text,
                      const struct sk_input **input)
{
	int (*compare)(const char *, const char *) = place == SK_IN_HEADER ? strcasecmp : strcmp;
	for (size_t i = 0; i < in->fields.count; i++) {
		const struct sk_field *f = &in->fields.field[i];
		if (f->input.place != place || compare(f->input.wire, wire) != 0)
			continue;
		if (input)
			*input = &f->input;
		return bind(a, place, f->type, text);
	}
	return NULL;
}
