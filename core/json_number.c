/* json_number.c -- numbers of JSON, exact and independent of the locale.
 *
 * A number node without text holds a double that is printed canonically; a node with text is printed by that text. The
 * value that comparison and sk_json_to_int see is the decimal that is printed, so what prints differently but means the
 * same (1, 1.0, 10e-1) is equal, and what a double cannot tell apart (2^53, 2^53+1) is not. */
#include "core/json_number.h"

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define FAR_EXPONENT 100000000000000000ll /* beyond any text's length: two such sums do not overflow */

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static const char *scan_digits(const char *s, const char *end, struct sk_json_literal *out)
{
	for (; s < end && is_digit(*s); s++) {
		if (out->digits >= 1000000000000000000u) {
			out->cut = true;
			continue;
		}
		out->digits = out->digits * 10 + (uint64_t)(*s - '0');
	}
	return s;
}

static const char *scan_fraction(const char *s, const char *end, struct sk_json_literal *out)
{
	const char *from = s;

	s = scan_digits(s, end, out);
	if (s - from > 400)
		out->cut = true;
	out->exponent = out->cut ? 0 : -(int)(s - from);
	return s == from ? NULL : s;
}

static const char *scan_exponent(const char *s, const char *end, struct sk_json_literal *out)
{
	bool negative = s < end && *s == '-';
	const char *from = s += s < end && (*s == '-' || *s == '+');
	int e = 0;

	for (; s < end && is_digit(*s); s++) {
		if (e > 9999)
			out->cut = true;
		else
			e = e * 10 + (*s - '0');
	}
	out->exponent += negative ? -e : e;
	return s == from ? NULL : s;
}

const char *sk_json_number_scan(const char *s, const char *end, struct sk_json_literal *out)
{
	*out = (struct sk_json_literal){ .integer = true };
	if (s < end && *s == '-') {
		out->negative = true;
		s++;
	}
	if (s == end || !is_digit(*s))
		return NULL;
	s = *s == '0' ? s + 1 : scan_digits(s, end, out);
	if (s < end && *s == '.') {
		out->integer = false;
		s = scan_fraction(s + 1, end, out);
	}
	if (s && s < end && (*s == 'e' || *s == 'E')) {
		out->integer = false;
		s = scan_exponent(s + 1, end, out);
	}
	return s;
}

static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* strtod, but '.' is the point whatever LC_NUMERIC says. The C locale is a constant of the C library: not allocated. */
static double read_slow(const char *text)
{
	return strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

double sk_json_number_value(const struct sk_json_literal *l, const char *text)
{
	double v;

	/* Digits and power are exact, so the one rounding of * or / is the right one (Clinger 1990). */
	if (l->cut || l->digits > (uint64_t)SK_JSON_EXACT || l->exponent < -22 || l->exponent > 22)
		return read_slow(text);
	v = (double)l->digits;
	v = l->exponent < 0 ? v / tens[-l->exponent] : v * tens[l->exponent];
	return l->negative ? -v : v;
}

void sk_json_number_fill(cJSON *node, double v)
{
	node->type = cJSON_Number;
	node->valuedouble = v;
	node->valueint = v >= INT_MAX ? INT_MAX : v <= (double)INT_MIN ? INT_MIN : (int)v;
}

int sk_json_int_format(char out[SK_JSON_NUMBER_ROOM], int64_t v)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	int n;

	for (; u >= 100; u /= 100) { /* two digits for each division */
		unsigned pair = (unsigned)(u % 100);
		*--p = (char)('0' + pair % 10);
		*--p = (char)('0' + pair / 10);
	}
	if (u >= 10)
		*--p = (char)('0' + u % 10);
	*--p = (char)('0' + (u >= 10 ? u / 10 : u));
	if (v < 0)
		*--p = '-';
	n = (int)(digits + sizeof digits - p);
	memcpy(out, p, (size_t)n);
	out[n] = '\0';
	return n;
}

/* Decimal digits without zeros at the end; the value is 0.d1d2d3... * 10^scale. */
struct shortest {
	char digits[24];
	int n;
	int scale;
};

/* Up to 15 digits every decimal reads back as itself, so the first power that makes v an integer is the shortest. */
static bool shorten_quickly(double v, struct shortest *out)
{
	char room[SK_JSON_NUMBER_ROOM];

	for (int e = 1; e <= 12; e++) {
		double scaled = rint(v * tens[e]);

		if (scaled >= 1e15)
			return false;
		if (scaled / tens[e] == v && scaled >= 1) {
			out->n = sk_json_int_format(room, (int64_t)scaled);
			memcpy(out->digits, room, (size_t)out->n + 1);
			out->scale = out->n - e;
			return true;
		}
	}
	return false;
}

static double read_shortest(const struct shortest *s)
{
	char text[64];

	snprintf(text, sizeof text, "0.%se%d", s->digits, s->scale);
	return read_slow(text);
}

/* v to n digits, as printf rounds them; whatever stands for the point is skipped. */
static void round_to(double v, int n, struct shortest *out)
{
	char text[48];
	const char *p;

	snprintf(text, sizeof text, "%.*e", n - 1, v);
	out->n = 0;
	for (p = text; *p && *p != 'e'; p++)
		if (is_digit(*p))
			out->digits[out->n++] = *p;
	out->scale = *p ? atoi(p + 1) + 1 : 0;
	out->digits[out->n] = '\0';
}

/* The next decimal of as many digits: below a power of two doubles are denser, so the nearest decimal of n digits may
 * read as the double below, while the one above it still reads as v. */
static void step_up(struct shortest *s)
{
	int i = s->n - 1;

	while (i >= 0 && s->digits[i] == '9')
		s->digits[i--] = '0';
	if (i >= 0) {
		s->digits[i]++;
		return;
	}
	s->digits[0] = '1';
	s->scale++;
}

static void shorten(double v, struct shortest *out)
{
	/* 15 digits survive the way there and back, except where a subnormal has fewer. */
	for (int n = v < DBL_MIN ? 1 : 15; n <= 17; n++) {
		round_to(v, n, out);
		if (read_shortest(out) == v)
			break;
		step_up(out);
		if (read_shortest(out) == v)
			break;
	}
	while (out->n > 1 && out->digits[out->n - 1] == '0')
		out->n--;
	out->digits[out->n] = '\0';
}

/* The layout of ECMAScript's Number::toString: plain from 1e-6 up to 1e21, else with an exponent. */
static int lay_out(char *out, const struct shortest *s)
{
	const char *d = s->digits;
	int whole = s->scale < s->n ? s->scale : s->n;

	if (s->scale > 21 || s->scale <= -6)
		return s->n == 1 ? sprintf(out, "%ce%+d", d[0], s->scale - 1)
		                 : sprintf(out, "%c.%se%+d", d[0], d + 1, s->scale - 1);
	if (s->scale <= 0)
		return sprintf(out, "0.%.*s%s", -s->scale, "000000", d);
	if (whole < s->n)
		return sprintf(out, "%.*s.%s", whole, d, d + whole);
	return sprintf(out, "%s%.*s", d, s->scale - s->n, "00000000000000000000");
}

int sk_json_number_format(char out[SK_JSON_NUMBER_ROOM], double v)
{
	struct shortest s;
	char *p = out;

	if (fabs(v) < 0x1p63 && v == (double)(int64_t)v && (v != 0 || !signbit(v)))
		return sk_json_int_format(out, (int64_t)v);
	if (signbit(v)) {
		*p++ = '-';
		v = -v;
	}
	if (v == 0)
		return (int)(stpcpy(p, "0") - out);
	if (!shorten_quickly(v, &s))
		shorten(v, &s);
	return (int)(p - out) + lay_out(p, &s);
}

const char *sk_json_number_text(const cJSON *node, char room[SK_JSON_NUMBER_ROOM])
{
	if (node->valuestring)
		return node->valuestring;
	sk_json_number_format(room, isfinite(node->valuedouble) ? node->valuedouble : 0);
	return room;
}

/* A literal's exact value: 0.d1d2d3... * 10^scale, where d1 stands at `first` and the last digit at `last`, neither is
 * 0, and a point may stand between them. Zero has no `first`. */
struct decimal {
	const char *first, *last;
	long long scale;
	bool negative;
};

static long long read_exponent(const char *s)
{
	bool negative = *s == '-';
	long long e = 0;

	for (s += *s == '-' || *s == '+'; is_digit(*s); s++)
		if (e < FAR_EXPONENT)
			e = e * 10 + (*s - '0');
	return negative ? -e : e;
}

static struct decimal read_decimal(const char *text)
{
	struct decimal d = { .negative = *text == '-' };
	long long whole = 0, skipped = 0; /* digits before the point, and those of them before `first` */
	bool fraction = false;
	const char *s = text + d.negative;

	for (; is_digit(*s) || *s == '.'; s++) {
		if (*s == '.') {
			fraction = true;
			continue;
		}
		whole += !fraction;
		if (*s != '0')
			d.last = s;
		if (!d.first && *s != '0')
			d.first = s;
		skipped += !d.first;
	}
	d.scale = whole - skipped + (*s == 'e' || *s == 'E' ? read_exponent(s + 1) : 0);
	return d;
}

bool sk_json_number_equal(const cJSON *a, const cJSON *b)
{
	char room_a[SK_JSON_NUMBER_ROOM], room_b[SK_JSON_NUMBER_ROOM];
	struct decimal x, y;

	if (a->valuedouble != b->valuedouble || (!a->valuestring && !b->valuestring))
		return a->valuedouble == b->valuedouble;
	x = read_decimal(sk_json_number_text(a, room_a));
	y = read_decimal(sk_json_number_text(b, room_b));
	if (!x.first || !y.first)
		return x.first == y.first;
	if (x.scale != y.scale)
		return false;
	for (;;) {
		x.first += *x.first == '.';
		y.first += *y.first == '.';
		if (*x.first != *y.first || x.first == x.last || y.first == y.last)
			return *x.first == *y.first && x.first == x.last && y.first == y.last;
		x.first++;
		y.first++;
	}
}

bool sk_json_to_int(const cJSON *number, int64_t *out)
{
	char room[SK_JSON_NUMBER_ROOM];
	struct decimal d;
	int64_t v = 0;
	int places;

	if (!number || (number->type & 0xff) != cJSON_Number)
		return false;
	d = read_decimal(sk_json_number_text(number, room));
	if (d.first && (d.scale < 1 || d.scale > 19))
		return false;
	places = d.first ? (int)d.scale : 0;
	for (const char *s = d.first; places > 0; places--) {
		int digit = s ? *s - '0' : 0;

		/* Downwards: there is one negative number more than positive ones. */
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
			return false;
		if (s)
			s = s == d.last ? NULL : s + 1 + (s[1] == '.');
		if (places == 1 && s)
			return false;
	}
	if (!d.negative && v == INT64_MIN)
		return false;
	*out = d.negative ? v : -v;
	return true;
}
