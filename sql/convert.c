/* convert.c -- the guide's table of standard conversions, one function for each column.
 *
 * Null becomes no number, boolean or string: the result is undefined, as it is for a value that does not fit. */
#include <string.h>
#include <strings.h>

#include "sql/internal.h"

/* ^-?\d+(\.\d+)?((?i)E-?\d+)?$ is what expr_decimal_read takes, but for a plus. */
bool sql_decimal(const struct expr_value *v, struct expr_decimal *out)
{
	if (expr_is_number(v)) {
		*out = expr_to_decimal(v);
		return true;
	}
	return v->kind == EXPR_STRING && !memchr(v->text, '+', v->size) && expr_decimal_read(v->text, v->size, out);
}

bool sql_int(const struct expr_value *v, enum expr_rounding how, int64_t *out)
{
	struct expr_decimal d;

	if (v->kind == EXPR_INT) {
		*out = v->i;
		return true;
	}
	if (!sql_decimal(v, &d))
		return false;
	d = expr_decimal_round(d, 0, v->kind == EXPR_STRING && how == EXPR_HALF_AWAY ? EXPR_TRUNCATE : how);
	if (!expr_decimal_to_int(d, out))
		*out = d.negative ? INT64_MIN : INT64_MAX;
	return true;
}

char *sql_room(struct expr_run *r, size_t n)
{
	char *text;

	if (n > r->limits.bytes) {
		expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "more than %zu bytes of memory", r->limits.bytes);
		return NULL;
	}
	text = expr_charge(r, n / 16) ? sk_alloc_text(r->arena, n + 1) : NULL;
	if (text)
		text[n] = '\0';
	return text;
}

static struct expr_value text_of_node(struct expr_run *r, const struct expr_value *v)
{
	size_t n;
	const char *text = sk_json_print(r->arena, v->node, &n);

	expr_charge(r, n / 16);
	return expr_string(text, n);
}

static struct expr_value text_of_number(struct expr_run *r, const struct expr_value *v)
{
	char room[EXPR_DECIMAL_ROOM];
	size_t n = (size_t)expr_decimal_print(room, expr_to_decimal(v));

	return expr_string(sk_strndup(r->arena, room, n), n);
}

struct expr_value sql_text(struct expr_run *r, const struct expr_value *v)
{
	switch (v->kind) {
	case EXPR_STRING: return *v;
	case EXPR_BOOL: return v->truth ? expr_string("true", 4) : expr_string("false", 5);
	case EXPR_INT:
	case EXPR_DECIMAL: return text_of_number(r, v);
	case EXPR_ARRAY:
	case EXPR_OBJECT: return text_of_node(r, v);
	default: return expr_undefined();
	}
}

int sql_truth(const struct expr_value *v)
{
	if (v->kind == EXPR_BOOL)
		return v->truth;
	if (v->kind != EXPR_STRING)
		return -1;
	return strcasecmp(v->text, "true") == 0 ? 1 : strcasecmp(v->text, "false") == 0 ? 0 : -1;
}

struct expr_value sql_number(struct expr_run *r, struct expr_decimal d)
{
	return expr_number(r->program->mode, d);
}

/* -- cast(x AS type) -- */

struct expr_value sql_fn_to_string(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return sql_text(r, args);
}

static struct expr_value of_bool(struct expr_run *r, const struct expr_value *v, int places)
{
	struct expr_decimal d = expr_decimal_of_int(v->truth);

	if (places)
		d = (struct expr_decimal){ .c = d.c * 10, .e = -1 };
	return sql_number(r, d);
}

/* "rounded down to the nearest Int" */
struct expr_value sql_fn_to_int(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_decimal d;

	(void)n;
	if (args->kind == EXPR_BOOL)
		return of_bool(r, args, 0);
	return sql_decimal(args, &d) ? sql_number(r, expr_decimal_whole(expr_decimal_round(d, 0, EXPR_FLOOR))) : expr_undefined();
}

struct expr_value sql_fn_to_double(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_decimal d;

	(void)n;
	if (args->kind == EXPR_BOOL)
		return of_bool(r, args, 1);
	return sql_decimal(args, &d) ? expr_double(r->program->mode, expr_decimal_to_double(d)) : expr_undefined();
}

struct expr_value sql_fn_to_decimal(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_decimal d;

	(void)n;
	if (args->kind == EXPR_BOOL)
		return of_bool(r, args, 1);
	return sql_decimal(args, &d) ? sql_number(r, d) : expr_undefined();
}

struct expr_value sql_fn_to_boolean(struct expr_run *r, int n, const struct expr_value *args)
{
	int truth = sql_truth(args);

	(void)r, (void)n;
	if (expr_is_number(args))
		return expr_bool(expr_to_decimal(args).c != 0);
	return truth < 0 ? expr_undefined() : expr_bool(truth);
}
