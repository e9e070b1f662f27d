/* decimal.h -- decimal numbers of 34 digits, rounded half to even, as IEEE 754's decimal128 and Java's DECIMAL128 context.
 *
 * A value is c * 10^e with c < 10^34; zeros at the end of c are kept (1.50 is 150 * 10^-2) until expr_decimal_strip.
 * Neither memory nor the locale is touched, and nothing is global. Results of a step may be beyond the range below: settle them. */
#ifndef EXPR_DECIMAL_H
#define EXPR_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPR_DIGITS       34
#define EXPR_MOST_EXPONENT 999 /* of the first digit: 9.99E999 is the greatest value, 1E-999 the least */
#define EXPR_DECIMAL_ROOM 64   /* bytes of any printed value, with the NUL */

struct expr_decimal {
	unsigned __int128 c;
	int e;
	bool negative;
};

enum expr_rounding { EXPR_FLOOR, EXPR_CEILING, EXPR_TRUNCATE, EXPR_HALF_AWAY, EXPR_HALF_EVEN };

/* All n bytes must be one number: -?digits[.digits][E[+-]digits]. False if they are not, or if it is out of range. */
bool expr_decimal_read(const char *s, size_t n, struct expr_decimal *out);
/* Plain from 1E-7 up to 34 digits, else with an exponent: 1.5E+40. Answers the length. */
int expr_decimal_print(char out[EXPR_DECIMAL_ROOM], struct expr_decimal d);

struct expr_decimal expr_decimal_of_int(int64_t v);
/* The shortest decimal that reads back as v. False if v is not finite. */
bool expr_decimal_of_double(double v, struct expr_decimal *out);
double expr_decimal_to_double(struct expr_decimal d);
/* False if it has a fraction or is beyond int64. */
bool expr_decimal_to_int(struct expr_decimal d, int64_t *out);

struct expr_decimal expr_decimal_add(struct expr_decimal x, struct expr_decimal y);
struct expr_decimal expr_decimal_sub(struct expr_decimal x, struct expr_decimal y);
struct expr_decimal expr_decimal_mul(struct expr_decimal x, struct expr_decimal y);
/* y is not zero. The remainder is exact and has the sign of x; its cost grows with the distance of the exponents. */
struct expr_decimal expr_decimal_div(struct expr_decimal x, struct expr_decimal y);
struct expr_decimal expr_decimal_rem(struct expr_decimal x, struct expr_decimal y);
int expr_decimal_compare(struct expr_decimal x, struct expr_decimal y); /* < 0, 0, > 0 */

/* To `places` digits behind the point; a value that has no more stays as it is. */
struct expr_decimal expr_decimal_round(struct expr_decimal d, int places, enum expr_rounding how);
/* Without zeros at the end. Of zero, 0 * 10^0. */
struct expr_decimal expr_decimal_strip(struct expr_decimal d);
/* A whole number of at most 34 digits gets the exponent 0; anything else is answered as it is. */
struct expr_decimal expr_decimal_whole(struct expr_decimal d);
/* Too small becomes 0; false: too great. */
bool expr_decimal_settle(struct expr_decimal *d);

#endif
