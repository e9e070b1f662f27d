/* decimal.c -- arithmetic on 34 digits.
 *
 * What is exact needs up to 68 digits: struct wide, two halves in base 10^34. Every operation makes its exact result, or one
 * that rounds alike, and rounds once. The power of ten is found by a table, and most numbers never leave 128 bits. */
#include "expr/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json_number.h"

typedef unsigned __int128 u128;

#define E17       ((u128)100000000000000000u)
#define LIMIT     (E17 * E17) /* 10^34 */
#define FAR       100000000  /* beyond any exponent that counts */

struct wide {
	u128 high, low; /* high * 10^34 + low, each below 10^34 */
};

/* n from 0 to 34. */
static u128 ten(int n)
{
	static const uint64_t powers[] = { 1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
		                           10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
		                           1000000000000000u, 10000000000000000u, 100000000000000000u };

	return n <= 17 ? powers[n] : E17 * powers[n - 17];
}

/* Most numbers: one machine word, where all is quick. */
static bool is_small(u128 c)
{
	return c >> 64 == 0;
}

static int digits_of(u128 c)
{
	int n = c >= E17 ? 17 : 0;

	while (n < EXPR_DIGITS && c >= ten(n))
		n++;
	return n + (n == EXPR_DIGITS && c >= LIMIT);
}

/* Half to even: is `rest`, of which `unit` would be one more, to be rounded up behind `c`? */
static bool rounds_up(u128 rest, u128 unit, bool odd, bool sticky)
{
	u128 half = unit / 2;

	if (rest != half)
		return rest > half;
	return sticky || odd;
}

static struct expr_decimal rounded(u128 c, u128 rest, u128 unit, int e, bool sticky)
{
	struct expr_decimal d = { .c = c, .e = e };

	if (unit > 1 && rounds_up(rest, unit, c & 1, sticky))
		d.c++;
	if (d.c == LIMIT) {
		d.c /= 10;
		d.e++;
	}
	return d;
}

/* w * 10^e to 34 digits. */
static struct expr_decimal narrow(struct wide w, int e)
{
	int h = digits_of(w.high);

	if (h == 0)
		return (struct expr_decimal){ .c = w.low, .e = e };
	return rounded(w.high * ten(EXPR_DIGITS - h) + w.low / ten(h), w.low % ten(h), ten(h), e + h, false);
}

static struct wide multiply(u128 x, u128 y)
{
	u128 x1 = x / E17, x0 = x % E17, y1 = y / E17, y0 = y % E17;
	u128 middle = x1 * y0 + x0 * y1, low = x0 * y0;
	struct wide w = { .high = x1 * y1 + middle / E17 };

	low += middle % E17 * E17;
	w.high += low / LIMIT;
	w.low = low % LIMIT;
	return w;
}

static int compare_wide(struct wide x, struct wide y)
{
	if (x.high != y.high)
		return x.high < y.high ? -1 : 1;
	return x.low < y.low ? -1 : x.low > y.low;
}

/* x >= y */
static struct wide subtract_wide(struct wide x, struct wide y)
{
	bool borrow = x.low < y.low;

	return (struct wide){ x.high - y.high - borrow, x.low + (borrow ? LIMIT : 0) - y.low };
}

static struct wide add_wide(struct wide x, struct wide y)
{
	u128 low = x.low + y.low;

	return (struct wide){ x.high + y.high + low / LIMIT, low % LIMIT };
}

/* Brings y, whose exponent is `away` below that of x, to 34 digits below x: what is cut off leaves a trace in the last
 * digit, so that no sum looks exact or half-way that is not. */
static void approach(struct expr_decimal *y, int away)
{
	int cut = away - EXPR_DIGITS;
	u128 unit, rest;

	if (cut > EXPR_DIGITS) {
		y->c = y->c ? 1 : 0;
	} else {
		unit = ten(cut);
		rest = y->c % unit;
		y->c /= unit;
		if (rest && y->c % 5 == 0)
			y->c++;
	}
	y->e += cut;
}

/* Both with the same exponent; x.e >= y.e before. */
static struct wide align(struct expr_decimal *x, struct expr_decimal *y)
{
	int away = x->e - y->e, room = EXPR_DIGITS - digits_of(x->c);

	if (away > EXPR_DIGITS) {
		x->c *= ten(room);
		x->e -= room;
		away -= room;
	}
	if (away > EXPR_DIGITS) {
		approach(y, away);
		away = EXPR_DIGITS;
	}
	return away == 0 ? (struct wide){ 0, x->c } : multiply(x->c, ten(away));
}

static struct expr_decimal add_signed(struct expr_decimal x, struct expr_decimal y)
{
	struct wide a, b, sum;
	struct expr_decimal d;
	bool same = x.negative == y.negative;
	int order;

	a = align(&x, &y);
	b = (struct wide){ 0, y.c };
	order = same ? 1 : compare_wide(a, b);
	sum = same ? add_wide(a, b) : order >= 0 ? subtract_wide(a, b) : subtract_wide(b, a);
	d = narrow(sum, y.e);
	d.negative = d.c && (order >= 0 ? x.negative : y.negative);
	return d;
}

static struct expr_decimal zero_at(int e)
{
	return (struct expr_decimal){ .e = e };
}

/* x.e >= y.e, by at most 15: what fits into 128 bits needs no halves. */
static struct expr_decimal add_small(struct expr_decimal x, struct expr_decimal y)
{
	u128 a = x.c * ten(x.e - y.e), b = y.c;
	struct expr_decimal d = { .e = y.e };

	if (x.negative == y.negative) {
		d.c = a + b;
		d.negative = x.negative;
	} else {
		d.c = a >= b ? a - b : b - a;
		d.negative = d.c && (a >= b ? x.negative : y.negative);
	}
	return d;
}

struct expr_decimal expr_decimal_add(struct expr_decimal x, struct expr_decimal y)
{
	int least = x.e < y.e ? x.e : y.e, away = x.e - y.e;

	if (is_small(x.c) && is_small(y.c) && away <= 14 && away >= -14) /* below 2^64 * 10^14 < 10^34 */
		return away >= 0 ? add_small(x, y) : add_small(y, x);
	if (!x.c && !y.c)
		return zero_at(least);
	if (!x.c || !y.c) { /* keeps the places of both as far as they go */
		struct expr_decimal d = x.c ? x : y;
		int room = EXPR_DIGITS - digits_of(d.c), up = d.e - least < room ? d.e - least : room;
		d.c *= ten(up);
		d.e -= up;
		return d;
	}
	return x.e >= y.e ? add_signed(x, y) : add_signed(y, x);
}

struct expr_decimal expr_decimal_sub(struct expr_decimal x, struct expr_decimal y)
{
	y.negative = !y.negative;
	return expr_decimal_add(x, y);
}

struct expr_decimal expr_decimal_mul(struct expr_decimal x, struct expr_decimal y)
{
	struct expr_decimal d = { .e = x.e + y.e };

	if (x.c < E17 && y.c < E17)
		d.c = x.c * y.c;
	else
		d = narrow(multiply(x.c, y.c), d.e);
	d.negative = d.c && x.negative != y.negative;
	return d;
}

struct expr_decimal expr_decimal_div(struct expr_decimal x, struct expr_decimal y)
{
	u128 q = x.c / y.c, rest = x.c % y.c;
	struct expr_decimal d;
	int e = x.e - y.e;

	while (rest && q < LIMIT / 10) {
		rest *= 10;
		q = q * 10 + rest / y.c;
		rest %= y.c;
		e--;
	}
	/* A rest of exactly half is seen even if the divisor is odd: then there is none. */
	d = rounded(q, rest, y.c, e, false);
	if (y.c & 1 && rest && rest == y.c / 2)
		d = (struct expr_decimal){ .c = q, .e = e };
	d.negative = d.c && x.negative != y.negative;
	return d;
}

struct expr_decimal expr_decimal_rem(struct expr_decimal x, struct expr_decimal y)
{
	int away = x.e - y.e;
	u128 rest = x.c;

	if (away >= 0) {
		for (rest %= y.c; away > 0 && rest; away--)
			rest = rest * 10 % y.c;
		return (struct expr_decimal){ .c = rest, .e = y.e, .negative = rest && x.negative };
	}
	if (-away >= EXPR_DIGITS || y.c >= LIMIT / ten(-away)) /* then y is greater than x */
		return x;
	rest = x.c % (y.c * ten(-away));
	return (struct expr_decimal){ .c = rest, .e = x.e, .negative = rest && x.negative };
}

int expr_decimal_compare(struct expr_decimal x, struct expr_decimal y)
{
	struct expr_decimal d = expr_decimal_sub(x, y);

	return d.c == 0 ? 0 : d.negative ? -1 : 1;
}

static bool away_from_zero(u128 rest, u128 unit, struct expr_decimal d, enum expr_rounding how)
{
	switch (how) {
	case EXPR_FLOOR: return rest && d.negative;
	case EXPR_CEILING: return rest && !d.negative;
	case EXPR_TRUNCATE: return false;
	case EXPR_HALF_AWAY: return rest >= unit / 2;
	default: return rounds_up(rest, unit, d.c / unit & 1, false);
	}
}

struct expr_decimal expr_decimal_round(struct expr_decimal d, int places, enum expr_rounding how)
{
	int cut = -places - d.e;
	u128 unit, rest;

	if (cut <= 0)
		return d;
	if (cut > EXPR_DIGITS) { /* less than a tenth of what is rounded to */
		bool up = d.c && ((how == EXPR_FLOOR && d.negative) || (how == EXPR_CEILING && !d.negative));
		return (struct expr_decimal){ .c = up, .e = -places, .negative = up && d.negative };
	}
	unit = ten(cut);
	rest = d.c % unit;
	return (struct expr_decimal){ .c = d.c / unit + away_from_zero(rest, unit, d, how), .e = -places, .negative = d.negative };
}

/* Without zeros at the end, while the exponent is below `most`. c is not 0. */
static struct expr_decimal stripped(struct expr_decimal d, int most)
{
	uint64_t small;

	while (!is_small(d.c) && d.e < most && d.c % 10 == 0) {
		d.c /= 10;
		d.e++;
	}
	if (!is_small(d.c))
		return d;
	for (small = (uint64_t)d.c; d.e < most && small % 10 == 0; small /= 10)
		d.e++;
	d.c = small;
	return d;
}

struct expr_decimal expr_decimal_strip(struct expr_decimal d)
{
	return d.c ? stripped(d, FAR) : zero_at(0);
}

struct expr_decimal expr_decimal_whole(struct expr_decimal d)
{
	struct expr_decimal s;

	if (d.e == 0)
		return d;
	if (!d.c)
		return zero_at(0);
	s = stripped(d, 0);
	if (s.e < 0 || s.e > EXPR_DIGITS - digits_of(s.c))
		return d;
	s.c *= ten(s.e);
	s.e = 0;
	return s;
}

bool expr_decimal_settle(struct expr_decimal *d)
{
	int top;

	if (d->c && d->e > -EXPR_MOST_EXPONENT && d->e < EXPR_MOST_EXPONENT - EXPR_DIGITS)
		return true;
	top = d->e + digits_of(d->c) - 1;
	if (!d->c) {
		d->negative = false;
		d->e = d->e > EXPR_MOST_EXPONENT ? EXPR_MOST_EXPONENT : d->e < -EXPR_MOST_EXPONENT ? -EXPR_MOST_EXPONENT : d->e;
		return true;
	}
	if (top < -EXPR_MOST_EXPONENT)
		*d = zero_at(0);
	return top <= EXPR_MOST_EXPONENT;
}

/* -- text -- */

struct reading {
	const char *s, *end;
	struct expr_decimal d;
	u128 unit, rest; /* of the digits behind the 34th */
	bool sticky;
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
	if (r->unit == 1) {
		r->unit = 10;
		r->rest = digit;
	} else if (digit) {
		r->sticky = true;
	}
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

/* Up to 18 digits without exponent, which is most numbers. */
static bool read_short(const char *s, size_t n, struct expr_decimal *out)
{
	const char *end = s + n, *point = NULL;
	uint64_t c = 0;
	bool negative = n > 0 && *s == '-';

	s += negative;
	if (end - s > 19 || s == end)
		return false;
	for (const char *from = s; s < end; s++) {
		if ((unsigned char)(*s - '0') < 10)
			c = c * 10 + (unsigned)(*s - '0');
		else if (*s == '.' && !point && s > from && s + 1 < end)
			point = s + 1;
		else
			return false;
	}
	if (c >= 1000000000000000000u)
		return false;
	*out = (struct expr_decimal){ .c = c, .e = point ? (int)(point - end) : 0, .negative = negative && c };
	return true;
}

bool expr_decimal_read(const char *s, size_t n, struct expr_decimal *out)
{
	struct reading r = { .s = s, .end = s + n, .unit = 1 };
	bool negative = n > 0 && *s == '-';

	if (read_short(s, n, out))
		return true;
	r.s += negative;
	if (!take_number(&r))
		return false;
	*out = rounded(r.d.c, r.rest, r.unit, r.d.e, r.sticky);
	out->negative = negative && out->c;
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

	if (is_small(c))
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

	if (is_small(d.c) && literal.digits <= (uint64_t)SK_JSON_EXACT && d.e >= -22 && d.e <= 22)
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
