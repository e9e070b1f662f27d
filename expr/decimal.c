/* decimal.c -- 34 digits by Intel's Decimal Floating-Point Math Library (libintelrdfpmath-dev): IEEE 754's decimal128.
 *
 * The library computes and rounds; text and the limits of decimal.h are ours. Rounding and flags are arguments, there is no
 * global state. Its exponents go to 6111 and ours to 999, so nothing of a few steps between two settled values overflows it. */
#include "expr/decimal.h"

#define DECIMAL_CALL_BY_REFERENCE      0
#define DECIMAL_GLOBAL_ROUNDING        0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#include <bid_conf.h>
#include <bid_functions.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json_number.h"

typedef unsigned __int128 u128;

#define E17   ((u128)100000000000000000u)
#define LIMIT (E17 * E17) /* 10^34 */
#define BIAS  6176
#define MOST  6000      /* an exponent that the library still holds, with any coefficient */
#define FAR   100000000 /* beyond any exponent that counts */

/* decimal128 in its binary encoding: sign, 14 bits of exponent, 113 of coefficient. */
static BID_UINT128 packed(struct expr_decimal d)
{
	BID_UINT128 x;

	x.w[BID_LOW_128W] = (uint64_t)d.c;
	x.w[BID_HIGH_128W] = (uint64_t)d.negative << 63 | (uint64_t)(d.e + BIAS) << 49 | (uint64_t)(d.c >> 64);
	return x;
}

/* A zero has no sign. What is beyond even the library's exponents stays beyond ours. */
static struct expr_decimal unpacked(BID_UINT128 x)
{
	uint64_t high = x.w[BID_HIGH_128W];
	struct expr_decimal d = { .e = (int)(high >> 49 & 0x3fff) - BIAS };

	if ((high >> 61 & 3) == 3)
		return (struct expr_decimal){ .c = 1, .e = MOST, .negative = high >> 63 };
	d.c = (u128)(high & 0x1ffffffffffff) << 64 | x.w[BID_LOW_128W];
	d.negative = d.c && high >> 63;
	return d;
}

struct expr_decimal expr_decimal_add(struct expr_decimal x, struct expr_decimal y)
{
	_IDEC_flags ignored = 0;

	return unpacked(bid128_add(packed(x), packed(y), BID_ROUNDING_TO_NEAREST, &ignored));
}

struct expr_decimal expr_decimal_sub(struct expr_decimal x, struct expr_decimal y)
{
	_IDEC_flags ignored = 0;

	return unpacked(bid128_sub(packed(x), packed(y), BID_ROUNDING_TO_NEAREST, &ignored));
}

struct expr_decimal expr_decimal_mul(struct expr_decimal x, struct expr_decimal y)
{
	_IDEC_flags ignored = 0;

	return unpacked(bid128_mul(packed(x), packed(y), BID_ROUNDING_TO_NEAREST, &ignored));
}

struct expr_decimal expr_decimal_div(struct expr_decimal x, struct expr_decimal y)
{
	_IDEC_flags ignored = 0;

	return unpacked(bid128_div(packed(x), packed(y), BID_ROUNDING_TO_NEAREST, &ignored));
}

struct expr_decimal expr_decimal_rem(struct expr_decimal x, struct expr_decimal y)
{
	_IDEC_flags ignored = 0;

	return unpacked(bid128_fmod(packed(x), packed(y), &ignored));
}

int expr_decimal_compare(struct expr_decimal x, struct expr_decimal y)
{
	struct expr_decimal d = expr_decimal_sub(x, y);

	return d.c == 0 ? 0 : d.negative ? -1 : 1;
}

struct expr_decimal expr_decimal_round(struct expr_decimal d, int places, enum expr_rounding how)
{
	static const _IDEC_round modes[] = { [EXPR_FLOOR] = BID_ROUNDING_DOWN,
		                             [EXPR_CEILING] = BID_ROUNDING_UP,
		                             [EXPR_TRUNCATE] = BID_ROUNDING_TO_ZERO,
		                             [EXPR_HALF_AWAY] = BID_ROUNDING_TIES_AWAY,
		                             [EXPR_HALF_EVEN] = BID_ROUNDING_TO_NEAREST };
	struct expr_decimal unit = { .c = 1, .e = places < -MOST ? MOST : -places };
	_IDEC_flags ignored = 0;

	if (places >= -d.e)
		return d;
	return unpacked(bid128_quantize(packed(d), packed(unit), modes[how], &ignored));
}

/* IEEE 754 gives a quotient the exponent that is nearest to the difference of the exponents: divided by 1.00... with 33 zeros, a
 * value has no more of its own than it must. */
struct expr_decimal expr_decimal_strip(struct expr_decimal d)
{
	static const struct expr_decimal one = { .c = LIMIT / 10, .e = 1 - EXPR_DIGITS };

	if (!d.c)
		return (struct expr_decimal){ 0 };
	return d.c % 10 ? d : expr_decimal_div(d, one);
}

struct expr_decimal expr_decimal_whole(struct expr_decimal d)
{
	static const struct expr_decimal one = { .c = 1 };
	_IDEC_flags flags = 0;
	BID_UINT128 x;

	if (d.e == 0)
		return d;
	x = bid128_quantize(packed(d), packed(one), BID_ROUNDING_TO_ZERO, &flags);
	return flags & (BID_INEXACT_EXCEPTION | BID_INVALID_EXCEPTION) ? d : unpacked(x);
}

/* The exponent of the first digit. */
static int exponent_of(struct expr_decimal d)
{
	_IDEC_flags ignored = 0;

	return d.e + bid128_ilogb(packed((struct expr_decimal){ .c = d.c }), &ignored);
}

bool expr_decimal_settle(struct expr_decimal *d)
{
	const int most = EXPR_MOST_EXPONENT;
	int top;

	if (!d->c) {
		*d = (struct expr_decimal){ .e = d->e > most ? most : d->e < -most ? -most : d->e };
		return true;
	}
	if (d->e > -most && d->e < most - EXPR_DIGITS)
		return true;
	top = exponent_of(*d);
	if (top < -most)
		*d = (struct expr_decimal){ 0 };
	return top <= most;
}

/* -- text. The library's own reader takes "Inf" and wants a NUL, and looks behind its room of 100 digits when it rounds a long number -- */

struct reading {
	const char *s, *end;
	struct expr_decimal d;
	size_t cut;    /* how many digits there are behind the 34th */
	unsigned tail; /* the first of them times ten, and one if any other is not 0 */
};

static bool is_digit(const struct reading *r)
{
	return r->s < r->end && (unsigned char)(*r->s - '0') < 10;
}

static void take_digit(struct reading *r, bool fraction)
{
	unsigned digit = (unsigned)(*r->s++ - '0');

	if (r->d.c < LIMIT / 10) {
		r->d.c = r->d.c * 10 + digit;
		r->d.e -= fraction;
		return;
	}
	r->d.e += !fraction && r->d.e < FAR;
	if (r->cut++ == 0)
		r->tail = 10 * digit;
	else if (digit)
		r->tail |= 1;
}

static bool take_digits(struct reading *r, bool fraction)
{
	const char *from = r->s;

	while (is_digit(r))
		take_digit(r, fraction);
	return r->s > from;
}

static bool take_exponent(struct reading *r)
{
	bool negative = r->s < r->end && *r->s == '-';
	int e = 0;

	r->s += r->s < r->end && (*r->s == '-' || *r->s == '+');
	if (!is_digit(r))
		return false;
	for (; is_digit(r); r->s++)
		e = e > FAR ? e : e * 10 + (*r->s - '0');
	r->d.e += negative ? -e : e;
	return true;
}

static bool take_number(struct reading *r)
{
	if (!take_digits(r, false))
		return false;
	if (r->s < r->end && *r->s == '.') {
		r->s++;
		if (!take_digits(r, true))
			return false;
	}
	if (r->s < r->end && (*r->s | 0x20) == 'e') {
		r->s++;
		if (!take_exponent(r))
			return false;
	}
	return r->s == r->end;
}

bool expr_decimal_read(const char *s, size_t n, struct expr_decimal *out)
{
	struct reading r = { .s = s, .end = s + n };
	bool negative = n > 0 && *s == '-';

	r.s += negative;
	if (!take_number(&r))
		return false;
	if (r.tail && r.d.e > -MOST && r.d.e < MOST) /* the library's rounding; farther away it makes no difference */
		r.d = expr_decimal_add(r.d, (struct expr_decimal){ .c = r.tail, .e = r.d.e - 2 });
	r.d.negative = negative;
	*out = r.d;
	return expr_decimal_settle(out);
}

/* Digits end at `end`; answers where they begin. */
static char *put_digits(char *end, uint64_t v, int least)
{
	for (; v || least > 0; v /= 10, least--)
		*--end = (char)('0' + v % 10);
	return end;
}

static int digits_text(char out[EXPR_DIGITS + 2], u128 c)
{
	char room[EXPR_DIGITS + 2], *end = room + sizeof room, *s;
	int n;

	if (c >> 64 == 0)
		s = put_digits(end, (uint64_t)c, 1);
	else
		s = put_digits(put_digits(end, (uint64_t)(c % E17), 17), (uint64_t)(c / E17), 1);
	n = (int)(end - s);
	memcpy(out, s, (size_t)n);
	out[n] = '\0';
	return n;
}

static int print_scientific(char *out, const char *digits, int n, int e)
{
	if (n == 1)
		return sprintf(out, "%sE%+d", digits, e);
	return sprintf(out, "%c.%sE%+d", digits[0], digits + 1, e);
}

int expr_decimal_print(char out[EXPR_DECIMAL_ROOM], struct expr_decimal d)
{
	char digits[EXPR_DIGITS + 2], *s = out;
	int n = digits_text(digits, d.c), point = n + d.e; /* digits before the point */

	if (d.negative)
		*s++ = '-';
	if (d.e > 0 || point < -5)
		return (int)(s - out) + print_scientific(s, digits, n, point - 1);
	if (point <= 0) {
		s = mempcpy(s, "0.000000", (size_t)(2 - point));
		point = 0;
	} else {
		s = mempcpy(s, digits, (size_t)point);
		if (d.e)
			*s++ = '.';
	}
	s = mempcpy(s, digits + point, (size_t)(n - point));
	*s = '\0';
	return (int)(s - out);
}

/* -- other numbers -- */

struct expr_decimal expr_decimal_of_int(int64_t v)
{
	return (struct expr_decimal){ .c = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, .negative = v < 0 };
}

bool expr_decimal_of_double(double v, struct expr_decimal *out)
{
	char text[SK_JSON_NUMBER_ROOM];

	return isfinite(v) && expr_decimal_read(text, (size_t)sk_json_number_format(text, v), out);
}

double expr_decimal_to_double(struct expr_decimal d)
{
	char text[EXPR_DECIMAL_ROOM];
	struct sk_json_literal literal = { .digits = (uint64_t)d.c, .exponent = d.e, .negative = d.negative, .integer = d.e == 0 };

	if (d.c >> 64 == 0 && literal.digits <= (uint64_t)SK_JSON_EXACT && d.e >= -22 && d.e <= 22)
		return sk_json_number_value(&literal, NULL);
	sk_json_number_scan(text, text + expr_decimal_print(text, d), &literal);
	return sk_json_number_value(&literal, text);
}

bool expr_decimal_to_int(struct expr_decimal d, int64_t *out)
{
	d = expr_decimal_whole(d);
	if (d.e != 0 || d.c > (u128)INT64_MAX + d.negative)
		return false;
	*out = d.negative ? (int64_t)(0 - (uint64_t)d.c) : (int64_t)d.c;
	return true;
}
