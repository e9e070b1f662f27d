/* dialect.c -- the tables of AWS IoT SQL: operators with their precedence, functions, constants, reserved words.
 *
 * Functions that came with 2016-03-23 are refused in statements of 2015-10-08. */
#include <string.h>

#include "expr/parse.h"
#include "sql/internal.h"

/* spelling, place, how tight it binds */
static const struct expr_operator operators[] = {
	{ .spelling = "OR", .place = EXPR_OR, .binds = 10, .apply = sql_or },
	{ .spelling = "AND", .place = EXPR_AND, .binds = 20, .apply = sql_and },
	{ .spelling = "=", .place = EXPR_INFIX, .binds = 30, .apply = sql_equals },
	{ .spelling = "<>", .place = EXPR_INFIX, .binds = 30, .apply = sql_differs },
	{ .spelling = "!=", .place = EXPR_INFIX, .binds = 30, .apply = sql_differs },
	{ .spelling = "<", .place = EXPR_INFIX, .binds = 30, .apply = sql_less },
	{ .spelling = "<=", .place = EXPR_INFIX, .binds = 30, .apply = sql_at_most },
	{ .spelling = ">", .place = EXPR_INFIX, .binds = 30, .apply = sql_greater },
	{ .spelling = ">=", .place = EXPR_INFIX, .binds = 30, .apply = sql_at_least },
	{ .spelling = "IN", .place = EXPR_INFIX, .binds = 30, .apply = sql_in },
	{ .spelling = "LIKE", .place = EXPR_INFIX, .binds = 30, .apply = sql_like, .extension = true },
	{ .spelling = "+", .place = EXPR_INFIX, .binds = 40, .apply = sql_add },
	{ .spelling = "-", .place = EXPR_INFIX, .binds = 40, .apply = sql_subtract },
	{ .spelling = "*", .place = EXPR_INFIX, .binds = 50, .apply = sql_multiply },
	{ .spelling = "/", .place = EXPR_INFIX, .binds = 50, .apply = sql_divide },
	{ .spelling = "%", .place = EXPR_INFIX, .binds = 50, .apply = sql_fn_modulo },
	{ .spelling = "NOT", .place = EXPR_PREFIX, .binds = 60, .apply = sql_not },
	{ .spelling = "-", .place = EXPR_PREFIX, .binds = 60, .apply = sql_negate },
	{ .spelling = "EXISTS", .place = EXPR_PREFIX, .binds = 60, .apply = sql_exists },
	{ 0 }
};

static const struct expr_function functions[] = {
#define FN(fn, fewest, greatest, version, function, parser) \
	{ .name = fn, .least = fewest, .most = greatest, .since = version, .apply = sql_fn_##function, .parse = parser },
#include "sql/functions.tbl"
#undef FN
	{ 0 }
};

_Static_assert(sizeof functions / sizeof *functions <= 256, "a call names its function with one byte");

static const struct expr_word words[] = {
	{ .name = "TRUE", .kind = EXPR_BOOL, .truth = true },
	{ .name = "FALSE", .kind = EXPR_BOOL },
	{ .name = "NULL", .kind = EXPR_NULL },
	{ .name = "UNDEFINED", .kind = EXPR_UNDEFINED },
	{ 0 }
};

static const char *const reserved[] = { "SELECT", "FROM", "WHERE", "AS", "CASE", "WHEN", "THEN", "ELSE", "END", NULL };

/* fn_external.c */
static expr_apply *const asking[] = { sql_fn_aws_lambda,  sql_fn_get_dynamodb,      sql_fn_get_registry_data,
	                              sql_fn_get_secret, sql_fn_get_thing_shadow, sql_fn_machinelearning_predict };

static bool asks(const struct expr_function *f)
{
	for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
		if (asking[i] == f->apply)
			return true;
	return false;
}

static const char *refuse(const struct expr_parser *p, const struct expr_function *f)
{
	if ((p->mode & SQL_IS_ALONE) && asks(f))
		return "is an external function: error actions may not call these";
	return f->since > 15 && (p->mode & SQL_IS_2015) ? "needs SQL version 2016-03-23" : NULL;
}

const struct expr_dialect sql_dialect = {
	.name = "AWS IoT SQL",
	.operators = operators,
	.functions = functions,
	.words = words,
	.reserved = reserved,
	.quotes = "'\"",
	.name_quote = '`',
	.fold_case = true,
	.primary = sql_primary,
	.refuse = refuse,
	.truth = sql_truth,
};

const struct expr_function *sql_function(const char *name)
{
	const struct expr_function *f = functions;

	while (f->name && strcmp(f->name, name) != 0)
		f++;
	return f;
}

static const char *const versions[] = { [SQL_2015_10_08] = "2015-10-08", [SQL_2016_03_23] = "2016-03-23", [SQL_BETA] = "beta" };
enum { VERSIONS = sizeof versions / sizeof *versions };

bool sql_version_by_name(const char *name, enum sql_version *out)
{
	for (int i = 0; i < VERSIONS; i++) {
		if (strcmp(versions[i], name) != 0)
			continue;
		*out = (enum sql_version)i;
		return true;
	}
	return false;
}

uint32_t sql_mode_of(const struct sql_options *opt)
{
	static const uint32_t of_version[] = { [SQL_2015_10_08] = SQL_IS_2015 | EXPR_NO_LITERALS,
		                               [SQL_2016_03_23] = EXPR_FOLD_WHOLE,
		                               [SQL_BETA] = EXPR_FOLD_WHOLE | SQL_IS_BETA };

	return of_version[opt->version] | (opt->alone ? SQL_IS_ALONE : 0) |
	       (opt->strict_aws ? SQL_STRICT | EXPR_EAGER_LOGIC | EXPR_NO_EXTENSIONS | EXPR_LOOSE_CALLS : 0);
}

struct expr_value sql_fn_version(struct expr_run *r, int n, const struct expr_value *args)
{
	uint32_t mode = r->program->mode;
	const char *name = versions[mode & SQL_IS_2015 ? SQL_2015_10_08 : mode & SQL_IS_BETA ? SQL_BETA : SQL_2016_03_23];

	(void)n, (void)args;
	return expr_string(name, strlen(name));
}
