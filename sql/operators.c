/* operators.c -- what the operators of AWS IoT SQL answer for every pair of types.
 *
 * Integers that int64 holds never become decimals on the way; a result that it does not hold is exact to 34 digits. */
#include <string.h>

#include "sql/internal.h"

/* -- logic: three-valued; under strict_aws an operand that is no boolean makes the result undefined -- */

static struct expr_value logic(struct expr_run *r, const struct expr_value *args, int deciding)
{
	int left = sql_truth(&args[0]), right = sql_truth(&args[1]);

	if ((left < 0 || right < 0) && (r->program->mode & SQL_STRICT))
		return expr_undefined();
	if (left == deciding || right == deciding)
		return expr_bool(deciding);
	return left < 0 || right < 0 ? expr_undefined() : expr_bool(!deciding);
}

struct expr_value sql_and(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return logic(r, args, 0);
}

struct expr_value sql_or(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return logic(r, args, 1);
}

struct expr_value sql_not(struct expr_run *r, int n, const struct expr_value *args)
{
	int truth = sql_truth(args);

	(void)r, (void)n;
	return truth < 0 ? expr_undefined() : expr_bool(!truth);
}

/* -- comparison -- */

struct expr_value sql_equals(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	if (args[0].kind == EXPR_UNDEFINED || args[1].kind == EXPR_UNDEFINED)
		return expr_undefined();
	return expr_bool(expr_equal(&args[0], &args[1]));
}

struct expr_value sql_differs(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v = sql_equals(r, n, args);

	return v.kind == EXPR_BOOL ? expr_bool(!v.truth) : v;
}

/* Less, equal, greater as -1, 0, 1; 2: not to be compared. */
static int order(const struct expr_value *args)
{
	struct expr_decimal x, y;
	int c;

	if (args[0].kind == EXPR_INT && args[1].kind == EXPR_INT)
		return args[0].i < args[1].i ? -1 : args[0].i > args[1].i;
	if (!sql_decimal(&args[0], &x) || !sql_decimal(&args[1], &y))
		return 2;
	c = expr_decimal_compare(x, y);
	return c < 0 ? -1 : c > 0;
}

struct expr_value sql_less(struct expr_run *r, int n, const struct expr_value *args)
{
	int c = order(args);

	(void)r, (void)n;
	return c == 2 ? expr_undefined() : expr_bool(c < 0);
}

struct expr_value sql_at_most(struct expr_run *r, int n, const struct expr_value *args)
{
	int c = order(args);

	(void)r, (void)n;
	return c == 2 ? expr_undefined() : expr_bool(c <= 0);
}

struct expr_value sql_greater(struct expr_run *r, int n, const struct expr_value *args)
{
	int c = order(args);

	(void)r, (void)n;
	return c == 2 ? expr_undefined() : expr_bool(c > 0);
}

struct expr_value sql_at_least(struct expr_run *r, int n, const struct expr_value *args)
{
	int c = order(args);

	(void)r, (void)n;
	return c == 2 ? expr_undefined() : expr_bool(c >= 0);
}

/* -- arithmetic -- */

typedef struct expr_decimal on_decimals(struct expr_decimal x, struct expr_decimal y);

static struct expr_value on_numbers(struct expr_run *r, const struct expr_value *args, on_decimals *op)
{
	struct expr_decimal x, y;

	return sql_decimal(&args[0], &x) && sql_decimal(&args[1], &y) ? sql_number(r, op(x, y)) : expr_undefined();
}

static bool are_ints(const struct expr_value *args)
{
	return args[0].kind == EXPR_INT && args[1].kind == EXPR_INT;
}

static struct expr_value joined(struct expr_run *r, const struct expr_value *args)
{
	struct expr_value x = sql_text(r, &args[0]), y = sql_text(r, &args[1]);
	char *text = x.kind && y.kind ? sql_room(r, (size_t)x.size + y.size) : NULL;

	if (!text)
		return expr_undefined();
	memcpy(text, x.text, x.size);
	memcpy(text + x.size, y.text, y.size);
	return expr_string(text, (size_t)x.size + y.size);
}

struct expr_value sql_add(struct expr_run *r, int n, const struct expr_value *args)
{
	int64_t sum;

	(void)n;
	if (are_ints(args) && !__builtin_add_overflow(args[0].i, args[1].i, &sum))
		return expr_int(sum);
	if (args[0].kind == EXPR_STRING || args[1].kind == EXPR_STRING)
		return joined(r, args);
	return on_numbers(r, args, expr_decimal_add);
}

struct expr_value sql_subtract(struct expr_run *r, int n, const struct expr_value *args)
{
	int64_t difference;

	(void)n;
	if (are_ints(args) && !__builtin_sub_overflow(args[0].i, args[1].i, &difference))
		return expr_int(difference);
	return on_numbers(r, args, expr_decimal_sub);
}

struct expr_value sql_multiply(struct expr_run *r, int n, const struct expr_value *args)
{
	int64_t product;

	(void)n;
	if (are_ints(args) && !__builtin_mul_overflow(args[0].i, args[1].i, &product))
		return expr_int(product);
	return on_numbers(r, args, expr_decimal_mul);
}

static bool is_zero(const struct expr_value *v)
{
	struct expr_decimal d;

	return sql_decimal(v, &d) && d.c == 0;
}

/* Int by Int is Int, toward zero; the digits of both are whole here. */
static struct expr_decimal whole_quotient(struct expr_decimal x, struct expr_decimal y)
{
	return (struct expr_decimal){ .c = x.c / y.c, .negative = x.c >= y.c && x.negative != y.negative };
}

struct expr_value sql_divide(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	if (is_zero(&args[1]))
		return expr_undefined();
	if (are_ints(args) && args[1].i != -1)
		return expr_int(args[0].i / args[1].i);
	return on_numbers(r, args, expr_is_whole(&args[0]) && expr_is_whole(&args[1]) ? whole_quotient : expr_decimal_div);
}

struct expr_value sql_fn_modulo(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	if (is_zero(&args[1]))
		return expr_undefined();
	if (are_ints(args))
		return expr_int(args[1].i == -1 ? 0 : args[0].i % args[1].i);
	expr_charge(r, 64);
	return on_numbers(r, args, expr_decimal_rem);
}

struct expr_value sql_negate(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_decimal d;

	(void)n;
	if (args->kind == EXPR_INT && args->i != INT64_MIN)
		return expr_int(-args->i);
	if (!sql_decimal(args, &d))
		return expr_undefined();
	d.negative = !d.negative;
	if (args->kind == EXPR_STRING)
		return sql_number(r, d);
	/* Nothing is computed: the places stay as they are written. */
	return d.c ? expr_number(r->program->mode & ~(uint32_t)EXPR_FOLD_WHOLE, d) : *args;
}

/* -- sets and patterns -- */

struct expr_value sql_in(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	if (args[0].kind == EXPR_UNDEFINED || args[1].kind != EXPR_ARRAY)
		return expr_undefined();
	SK_JSON_EACH(child, args[1].node) {
		struct expr_value v = expr_of_node(r->program->mode, child);
		if (!expr_charge(r, 1))
			return expr_undefined();
		if (expr_equal(&args[0], &v))
			return expr_bool(true);
	}
	return expr_bool(false);
}

static size_t step(const char *s, const char *end)
{
	size_t n = 1;

	while (s + n < end && (s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* % is any text, _ one character. After a mismatch only the last % is tried further on: that is enough. */
static bool like(const char *s, const char *end, const char *p, const char *stop)
{
	const char *retry_s = NULL, *retry_p = NULL;

	while (s < end) {
		if (p < stop && *p == '%') {
			retry_p = ++p;
			retry_s = s;
		} else if (p < stop && *p == '_') {
			s += step(s, end);
			p++;
		} else if (p < stop && *p == *s) {
			s++;
			p++;
		} else if (retry_p) {
			retry_s += step(retry_s, end);
			s = retry_s;
			p = retry_p;
		} else {
			return false;
		}
	}
	while (p < stop && *p == '%')
		p++;
	return p == stop;
}

struct expr_value sql_like(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value s = sql_text(r, &args[0]), p = sql_text(r, &args[1]);

	(void)n;
	if (!s.kind || !p.kind || !expr_charge(r, (uint64_t)s.size * (p.size + 1) / 64))
		return expr_undefined();
	return expr_bool(like(s.text, s.text + s.size, p.text, p.text + p.size));
}

struct expr_value sql_exists(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return expr_bool(args->kind != EXPR_UNDEFINED && (args->kind != EXPR_ARRAY || args->node->child));
}
