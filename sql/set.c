/* set.c -- SET @name = expression, ... in front of SELECT: values that are found once for a message.
 *
 * A variable is a number to the program. Its values stand beside the run, so they are the same in every SELECT within it. */
#include <ctype.h>
#include <string.h>

#include "expr/parse.h"
#include "sql/internal.h"

enum { MOST_NAME = 64, MOST_BYTES = 128 << 10 };
static const char digits[] = "0123456789";
_Static_assert(sizeof digits - 1 == SQL_MOST_VARIABLES, "a variable is one digit");

/* The token is '@': it is made longer by the name. */
static bool take_name(struct expr_parser *p)
{
	const char *s = p->token.at + 1;

	while (s < p->end && (isalnum((unsigned char)*s) || *s == '_'))
		s++;
	p->token.n = (size_t)(s - p->token.at);
	if (p->token.n == 1)
		return expr_refuse_at(p, p->token.at, "expected a name of letters, digits and '_' behind @");
	return p->token.n <= MOST_NAME + 1 || expr_refuse_at(p, p->token.at, "the name of a variable has at most %d characters", MOST_NAME);
}

/* -1: there is none. */
static int number_of(const struct expr_parser *p)
{
	const struct sql_names *names = p->own;

	for (int i = 0; i < names->variables; i++)
		if (names->variable[i].n == p->token.n && memcmp(names->variable[i].at, p->token.at, p->token.n) == 0)
			return i;
	return -1;
}

static bool emit(struct expr_parser *p, int number, const char *function, int count)
{
	return expr_emit_number(p, digits + number, 1) && expr_emit_call(p, sql_function(function), count);
}

bool sql_variable(struct expr_parser *p)
{
	int number;

	if (!take_name(p))
		return false;
	number = number_of(p);
	if (number < 0)
		return expr_refuse_at(p, p->token.at, "%.*s is not set", (int)p->token.n, p->token.at);
	return emit(p, number, "@", 1) && expr_next(p);
}

static bool assignment(struct expr_parser *p)
{
	struct sql_names *names = p->own;
	struct expr_token name;

	if (!expr_at(p, "@"))
		return expr_expected(p, "a variable such as @name");
	if (!take_name(p))
		return false;
	name = p->token;
	if (number_of(p) >= 0)
		return expr_refuse_at(p, name.at, "%.*s is set twice", (int)name.n, name.at);
	if (names->variables == SQL_MOST_VARIABLES)
		return expr_refuse_at(p, name.at, "more than %d variables", SQL_MOST_VARIABLES);
	if (!expr_next(p) || !expr_expect(p, "=") || !expr_expression(p) || !emit(p, names->variables, "set @", 2))
		return false;
	names->variable[names->variables++] = name;
	return expr_emit(p, EXPR_OP_DROP);
}

bool sql_set_clause(struct expr_parser *p)
{
	do {
		if (!assignment(p))
			return false;
	} while (expr_accept(p, ","));
	return !p->failed;
}

/* -- running -- */

/* As the text that it would be in a document. */
static size_t bytes_of(struct expr_run *r, const struct expr_value *v)
{
	size_t n = 0;
	const cJSON *node = v->kind >= EXPR_STRING && v->kind <= EXPR_OBJECT ? expr_to_node(r->arena, v) : NULL;

	if (!node)
		return EXPR_DECIMAL_ROOM;
	sk_json_print(r->arena, node, &n);
	expr_charge(r, n / 16);
	return n;
}

struct expr_value sql_fn_assign(struct expr_run *r, int n, const struct expr_value *args)
{
	struct sql_run *state = sql_state(r);

	(void)n;
	state->variable_bytes += bytes_of(r, &args[0]);
	if (state->variable_bytes > MOST_BYTES)
		return expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "the values of variables take more than %d bytes", MOST_BYTES);
	state->variables[args[1].i] = args[0];
	return args[0];
}

struct expr_value sql_fn_variable(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)n;
	return sql_state(r)->variables[args[0].i];
}
