/* fn_math.c -- functions of numbers. Those of analysis work in double precision, as the guide says; the rest is exact.
 *
 * What is no number and what has no real result is undefined. */
#include <math.h>

#include "sql/internal.h"

#define HIDDEN __attribute__((unused))

/* -- double precision -- */

static struct expr_value of_double(struct expr_run *r, const struct expr_value *v, double (*f)(double))
{
	struct expr_decimal d;

	return sql_decimal(v, &d) ? expr_double(r->program->mode, f(expr_decimal_to_double(d))) : expr_undefined();
}

static struct expr_value of_doubles(struct expr_run *r, const struct expr_value *args, double (*f)(double, double))
{
	struct expr_decimal x, y;

	if (!sql_decimal(&args[0], &x) || !sql_decimal(&args[1], &y))
		return expr_undefined();
	return expr_double(r->program->mode, f(expr_decimal_to_double(x), expr_decimal_to_double(y)));
}

#define OF_DOUBLE(name, function) \
	struct expr_value sql_fn_##name(struct expr_run *r, int n HIDDEN, const struct expr_value *args) \
	{ \
		return of_double(r, args, function); \
	}
OF_DOUBLE(acos, acos)
OF_DOUBLE(asin, asin)
OF_DOUBLE(atan, atan)
OF_DOUBLE(cos, cos)
OF_DOUBLE(cosh, cosh)
OF_DOUBLE(exp, exp)
OF_DOUBLE(ln, log)
OF_DOUBLE(log, log10)
OF_DOUBLE(sin, sin)
OF_DOUBLE(sinh, sinh)
OF_DOUBLE(sqrt, sqrt)
OF_DOUBLE(tan, tan)
OF_DOUBLE(tanh, tanh)

struct expr_value sql_fn_atan2(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return of_doubles(r, args, atan2);
}

struct expr_value sql_fn_power(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return of_doubles(r, args, pow);
}

/* -- exact -- */

static struct expr_value to_whole(struct expr_run *r, const struct expr_value *v, enum expr_rounding how)
{
	struct expr_decimal d;

	if (v->kind == EXPR_INT)
		return *v;
	return sql_decimal(v, &d) ? sql_number(r, expr_decimal_whole(expr_decimal_round(d, 0, how))) : expr_undefined();
}

struct expr_value sql_fn_ceil(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return to_whole(r, args, EXPR_CEILING);
}

struct expr_value sql_fn_floor(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return to_whole(r, args, EXPR_FLOOR);
}

struct expr_value sql_fn_round(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return to_whole(r, args, EXPR_HALF_AWAY);
}

/* "trunc(Decimal, Int): to the number of decimal places, 0 to 34; trailing zeros are stripped" */
struct expr_value sql_fn_trunc(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	struct expr_decimal d;
	int64_t places;

	if (!sql_decimal(&args[0], &d) || !sql_int(&args[1], EXPR_FLOOR, &places))
		return expr_undefined();
	places = places < 0 ? 0 : places > EXPR_DIGITS ? EXPR_DIGITS : places;
	d = expr_decimal_round(d, (int)places, EXPR_TRUNCATE);
	return sql_number(r, expr_decimal_whole(expr_decimal_strip(d)));
}

struct expr_value sql_fn_abs(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	struct expr_decimal d;

	if (args->kind == EXPR_INT && args->i >= 0)
		return *args;
	if (!sql_decimal(args, &d))
		return expr_undefined();
	d.negative = false;
	return sql_number(r, d);
}

struct expr_value sql_fn_sign(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	struct expr_decimal d;

	if (!sql_decimal(args, &d))
		return expr_undefined();
	return expr_int(d.c == 0 ? 0 : d.negative ? -1 : 1);
}

/* "Returns the first argument if it is a valid Decimal": no value here is NaN. */
struct expr_value sql_fn_nanvl(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	return args[args[0].kind == EXPR_UNDEFINED || args[0].kind == EXPR_NULL];
}

/* -- bits: "rounded down to the nearest Int"; what int64 does not hold has none -- */

static bool bits(const struct expr_value *v, int64_t *out)
{
	struct expr_decimal d;

	return sql_decimal(v, &d) && expr_decimal_to_int(expr_decimal_round(d, 0, EXPR_FLOOR), out);
}

struct expr_value sql_fn_bitand(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	int64_t x, y;

	return bits(&args[0], &x) && bits(&args[1], &y) ? expr_int(x & y) : expr_undefined();
}

struct expr_value sql_fn_bitor(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	int64_t x, y;

	return bits(&args[0], &x) && bits(&args[1], &y) ? expr_int(x | y) : expr_undefined();
}

struct expr_value sql_fn_bitxor(struct expr_run *r HIDDEN, int n HIDDEN, const struct expr_value *args)
{
	int64_t x, y;

	return bits(&args[0], &x) && bits(&args[1], &y) ? expr_int(x ^ y) : expr_undefined();
}

/* The guide's bitnot(13) = 2 turns over the bits up to the highest one that is set; two's complement makes it -14. */
struct expr_value sql_fn_bitnot(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	int64_t x;

	if (!bits(args, &x))
		return expr_undefined();
	if (!(r->program->mode & SQL_STRICT) || x < 0)
		return expr_int(~x);
	return expr_int(x == 0 ? 1 : (int64_t)(~(uint64_t)x & (UINT64_MAX >> __builtin_clzll((uint64_t)x))));
}
