/* expr_dialect_test.c -- the expression core without SQL: two small dialects of their own, limits, places in errors, programs that move.
 *
 * One is like the conditions of detector models ($input.x, &&, ||, !, ==), one like formulas of assets (a ^ b ^ c, min, if). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/parse.h"
#include "expr/value.h"

static int truth(const struct expr_value *v)
{
	return v->kind == EXPR_BOOL ? v->truth : -1;
}

static double number(const struct expr_value *v)
{
	return expr_is_number(v) ? expr_decimal_to_double(expr_to_decimal(v)) : NAN;
}

/* -- a dialect of conditions -- */

static struct expr_value both(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return expr_bool(truth(&args[0]) == 1 && truth(&args[1]) == 1);
}

static struct expr_value either(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return expr_bool(truth(&args[0]) == 1 || truth(&args[1]) == 1);
}

static struct expr_value inverse(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	if (args->kind != EXPR_BOOL)
		return expr_fail_run(r, SK_E_INVALID_REQUEST, "! wants a boolean, not %s", expr_kind_name(args));
	return expr_bool(!args->truth);
}

static struct expr_value same(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return expr_bool(expr_equal(&args[0], &args[1]));
}

static struct expr_value above(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return expr_bool(number(&args[0]) > number(&args[1]));
}

static struct expr_value busy(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n, (void)args;
	while (expr_charge(r, 100))
		;
	return expr_bool(true);
}

static struct expr_value hungry(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n, (void)args;
	while (expr_charge(r, 1) && sk_alloc_text(r->arena, 4096))
		;
	return expr_bool(true);
}

static const struct expr_operator condition_operators[] = {
	{ .spelling = "||", .place = EXPR_OR, .binds = 1, .apply = either },
	{ .spelling = "&&", .place = EXPR_AND, .binds = 2, .apply = both },
	{ .spelling = "==", .place = EXPR_INFIX, .binds = 3, .apply = same },
	{ .spelling = ">", .place = EXPR_INFIX, .binds = 4, .apply = above },
	{ .spelling = "!", .place = EXPR_PREFIX, .binds = 9, .apply = inverse },
	{ 0 }
};
static const struct expr_function condition_functions[] = {
	{ .name = "busy", .apply = busy }, { .name = "hungry", .apply = hungry }, { 0 }
};
static const struct expr_word condition_words[] = { { "true", EXPR_BOOL, true }, { "false", EXPR_BOOL, false }, { 0 } };
static const struct expr_dialect conditions = {
	.name = "conditions",
	.operators = condition_operators,
	.functions = condition_functions,
	.words = condition_words,
	.quotes = "\"",
	.name_signs = "$",
	.truth = truth,
};

/* -- a dialect of formulas: numbers are doubles, no strings that matter -- */

static struct expr_value plus(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return expr_double(r->program->mode, number(&args[0]) + number(&args[1]));
}

static struct expr_value times(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return expr_double(r->program->mode, number(&args[0]) * number(&args[1]));
}

static struct expr_value raised(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return expr_double(r->program->mode, pow(number(&args[0]), number(&args[1])));
}

static struct expr_value least(struct expr_run *r, int n, const struct expr_value *args)
{
	double v = number(&args[0]);

	for (int i = 1; i < n; i++)
		v = fmin(v, number(&args[i]));
	return expr_double(r->program->mode, v);
}

/* if(condition, x, y): one of the two is evaluated. */
static bool parse_if(struct expr_parser *p, const struct expr_function *f)
{
	uint32_t other, end;

	(void)f;
	if (!expr_expression(p) || !expr_expect(p, ",") || !expr_emit_jump(p, EXPR_OP_UNLESS, &other) || !expr_expression(p))
		return false;
	if (!expr_expect(p, ",") || !expr_emit_jump(p, EXPR_OP_JUMP, &end))
		return false;
	p->depth--;
	expr_land(p, other);
	if (!expr_expression(p) || !expr_expect(p, ")"))
		return false;
	expr_land(p, end);
	return true;
}

static int nonzero(const struct expr_value *v)
{
	return expr_is_number(v) ? number(v) != 0 : -1;
}

static const struct expr_operator formula_operators[] = {
	{ .spelling = "+", .place = EXPR_INFIX, .binds = 1, .apply = plus },
	{ .spelling = "*", .place = EXPR_INFIX, .binds = 2, .apply = times },
	{ .spelling = "^", .place = EXPR_INFIX, .binds = 3, .apply = raised, .to_right = true },
	{ 0 }
};
static const struct expr_function formula_functions[] = {
	{ .name = "MIN", .least = 1, .most = 255, .apply = least }, { .name = "IF", .least = 3, .most = 3, .apply = least, .parse = parse_if }, { 0 }
};
static const struct expr_dialect formulas = {
	.name = "formulas",
	.operators = formula_operators,
	.functions = formula_functions,
	.quotes = "'",
	.fold_case = true,
	.truth = nonzero,
};

/* -- */

#define DOCUMENT "{\"$input\":{\"p\":{\"value\":71}},\"$variable\":{\"alarm\":false},\"x\":3,\"y\":0,\"true\":5}"

static const char *evaluated(struct sk_arena *a, const struct expr_dialect *d, const char *text, const struct expr_limits *limits)
{
	struct expr_error e;
	const struct expr_program *p = expr_compile(d, EXPR_FOLD_WHOLE, a, text, strlen(text), &e);
	struct expr_run r = { .dialect = d, .arena = a, .root = sk_json_parse(a, DOCUMENT, strlen(DOCUMENT), NULL, NULL) };
	struct expr_value v;
	const char *out;

	if (!p)
		return sk_strdup(a, e.message);
	r.program = p;
	if (limits)
		r.limits = *limits;
	expr_run_start(&r);
	v = expr_run_at(&r, p->entry[0]);
	if (r.error)
		return r.message;
	out = sk_json_print(a, expr_to_node(a, &v), NULL);
	return out ? out : "undefined";
}

static void expect(const struct expr_dialect *d, const char *text, const char *want)
{
	struct sk_arena a = { 0 };

	assert_string_equal(evaluated(&a, d, text, NULL), want);
	sk_arena_free(&a);
}

static void conditions_have_their_own_operators_and_names(void **state)
{
	(void)state;
	expect(&conditions, "$input.p.value > 70 && !$variable.alarm", "true");
	expect(&conditions, "$input.p.value > 71 || $variable.alarm", "false");
	expect(&conditions, "$input.p.value == 71.0", "true");
	expect(&conditions, "\"a\" == \"a\"", "true");
	expect(&conditions, "false && !5", "false");
	expect(&conditions, "true && !5", "! wants a boolean, not an integer");
	expect(&conditions, "TRUE", "undefined");
	expect(&conditions, "x AND y", "line 1, column 3: expected an operator or the end, found AND");
	expect(&conditions, "'a'", "line 1, column 1: expected an expression, found '");
	expect(&conditions, "!", "line 1, column 2: expected an expression, found the end");
}

static void formulas_have_theirs(void **state)
{
	(void)state;
	expect(&formulas, "x ^ 2 ^ 0.5 * 1 + y", "4.728804387837416");
	expect(&formulas, "2 ^ 3 ^ 2", "512");
	expect(&formulas, "min(x, 2, 7) + 1", "3");
	expect(&formulas, "if(y, 1, if(x, 2, 3))", "2");
	expect(&formulas, "x && y", "line 1, column 3: expected an operator or the end, found &");
	expect(&formulas, "nope + 1", "undefined");
	expect(&formulas, "SUM(1)", "line 1, column 1: there is no function SUM");
}

static void errors_name_line_and_column(void **state)
{
	struct sk_arena a = { 0 };
	struct expr_error e;
	const char *text = "1 +\n  2 *\n   * 3";

	(void)state;
	assert_null(expr_compile(&formulas, 0, &a, text, strlen(text), &e));
	assert_int_equal(e.line, 3);
	assert_int_equal(e.column, 4);
	assert_string_equal(e.expected, "an expression");
	assert_string_equal(e.message, "line 3, column 4: expected an expression, found *");
	assert_null(expr_compile(&formulas, 0, &a, "1\0", 2, &e));
	assert_string_equal(e.message, "line 1, column 2: a NUL byte");
	assert_null(expr_compile(&formulas, 0, &a, "\xff", 1, &e));
	assert_string_equal(e.message, "line 1, column 1: not UTF-8");
	assert_null(expr_compile(&formulas, 0, &a, "'abc", 4, &e));
	assert_string_equal(e.message, "line 1, column 1: the quote is not closed");
	sk_arena_free(&a);
}

static bool always(void *state)
{
	++*(int *)state;
	return true;
}

static void a_run_ends_at_its_limits(void **state)
{
	struct sk_arena a = { 0 };
	int asked = 0;
	const struct expr_limits few = { .steps = 5000 }, small = { .bytes = 100000 }, stopped = { .steps = UINT64_MAX, .stop = always, .state = &asked };

	(void)state;
	assert_string_equal(evaluated(&a, &conditions, "busy()", &few), "more than 5000 steps");
	assert_string_equal(evaluated(&a, &conditions, "busy()", &stopped), "it took too long");
	assert_int_equal(asked, 1);
	assert_string_equal(evaluated(&a, &conditions, "hungry()", &small), "more than 100000 bytes of memory");
	sk_arena_free(&a);
}

static char *repeated(struct sk_arena *a, const char *head, const char *s, size_t n, const char *tail)
{
	size_t size = strlen(s);
	char *text = sk_alloc_text(a, strlen(head) + n * size + strlen(tail) + 1), *out = stpcpy(text, head);

	for (size_t i = 0; i < n; i++)
		out = stpcpy(out, s);
	strcpy(out, tail);
	return text;
}

static void what_is_nested_too_deeply_is_refused(void **state)
{
	static const char *const openings[] = { "(", "[", "!", "-(", "{\"a\":", "busy(", "x[" };
	struct sk_arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
		const char *said = evaluated(&a, &conditions, repeated(&a, "", openings[i], 100000, "1"), NULL);
		assert_true(strstr(said, "nested too deeply") || strstr(said, "expected an expression"));
	}
	assert_string_equal(evaluated(&a, &formulas, repeated(&a, "1", "+1", 100000, ""), NULL), "100001");
	assert_string_equal(evaluated(&a, &formulas, repeated(&a, "", "(", 60, repeated(&a, "7", ")", 60, "")), NULL), "7");
	sk_arena_free(&a);
}

static void huge_literals_are_taken_or_refused(void **state)
{
	struct sk_arena a = { 0 };
	const char *said;

	(void)state;
	said = evaluated(&a, &formulas, repeated(&a, "", "9", 100000, ""), NULL);
	assert_string_equal(said, "line 1, column 1: the number is out of range");
	said = evaluated(&a, &formulas, repeated(&a, "0.", "3", 100000, ""), NULL);
	assert_string_equal(said, "0.3333333333333333333333333333333333");
	said = evaluated(&a, &formulas, repeated(&a, "'", "abcd", 100000, "'"), NULL);
	assert_int_equal(strlen(said), 400002);
	said = evaluated(&a, &formulas, repeated(&a, "[", "1,", 100000, "2]"), NULL);
	assert_int_equal(strlen(said), 200003);
	said = evaluated(&a, &formulas, repeated(&a, "min(", "1,", 300, "2)"), NULL);
	assert_string_equal(said, "line 1, column 513: more than 254 arguments");
	sk_arena_free(&a);
}

static void a_program_can_be_moved_and_explained(void **state)
{
	struct sk_arena a = { 0 };
	const char *text = "if(x, min(1.5, 'a'), y.z ^ 2)";
	const struct expr_program *p = expr_compile(&formulas, 0, &a, text, strlen(text), NULL);
	struct expr_program *moved = malloc(p->size);
	const char *before = expr_explain(&formulas, p, &a, p->entry[0]), *after;

	(void)state;
	memcpy(moved, p, p->size);
	memset((void *)p, 0xaa, p->size);
	after = expr_explain(&formulas, moved, &a, moved->entry[0]);
	assert_string_equal(after, before);
	assert_non_null(strstr(after, "NAME 'x'\n"));
	assert_non_null(strstr(after, "DECIMAL 1.5\n"));
	assert_non_null(strstr(after, "CALL MIN/2\n"));
	assert_non_null(strstr(after, "INFIX ^\n"));
	assert_true(moved->size < 150);
	free(moved);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_have_their_own_operators_and_names),
		cmocka_unit_test(formulas_have_theirs),
		cmocka_unit_test(errors_name_line_and_column),
		cmocka_unit_test(a_run_ends_at_its_limits),
		cmocka_unit_test(what_is_nested_too_deeply_is_refused),
		cmocka_unit_test(huge_literals_are_taken_or_refused),
		cmocka_unit_test(a_program_can_be_moved_and_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
