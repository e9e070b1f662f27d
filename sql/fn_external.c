/* fn_external.c -- functions that ask the world: shadows, registry, secrets, tables, functions of Lambda's kind.
 *
 * "Not yet" makes the value undefined and the run void, but it goes on, so that it names all that it wants. A failure ends
 * the run, unless get_or_default stands around it. */
#include "sql/internal.h"

#define HIDDEN __attribute__((unused))
enum { DYNAMODB, REGISTRY };

static struct expr_value look(struct expr_run *r, const char *function, int n, const struct expr_value *args)
{
	const struct sql_message *m = sql_state(r)->message;
	struct sql_lookup what = { .function = function, .count = n, .for_people = m->for_people };
	const cJSON *answer = NULL;
	const char *why = NULL;
	int rc;

	if (!m->look)
		return expr_fail_run(r, SK_E_UNAVAILABLE, "%s: nothing here can answer it", function);
	for (int i = 0; i < n; i++)
		what.args[i] = expr_to_node(r->arena, &args[i]);
	rc = m->look(m->world, &what, &answer, &why);
	if (rc < 0)
		return expr_fail_run(r, rc, "%s: %s", function, why ? why : sk_error_info(rc)->name);
	if (rc == SQL_LATER)
		r->later = true;
	return rc == SQL_LATER ? expr_undefined() : expr_of_node(r->program->mode, answer);
}

/* "A maximum of one time per SQL statement": AWS's limit, not ours. */
static struct expr_value look_once(struct expr_run *r, const char *function, int which, int n, const struct expr_value *args)
{
	if ((r->program->mode & SQL_STRICT) && sql_state(r)->looks[which]++)
		return expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "%s may be called once in a statement", function);
	return look(r, function, n, args);
}

struct expr_value sql_fn_aws_lambda(struct expr_run *r, int n, const struct expr_value *args)
{
	return look(r, "aws_lambda", n, args);
}

struct expr_value sql_fn_get_thing_shadow(struct expr_run *r, int n, const struct expr_value *args)
{
	return look(r, "get_thing_shadow", n, args);
}

struct expr_value sql_fn_get_secret(struct expr_run *r, int n, const struct expr_value *args)
{
	return look(r, "get_secret", n, args);
}

struct expr_value sql_fn_get_dynamodb(struct expr_run *r, int n, const struct expr_value *args)
{
	return look_once(r, "get_dynamodb", DYNAMODB, n, args);
}

struct expr_value sql_fn_get_registry_data(struct expr_run *r, int n, const struct expr_value *args)
{
	return look_once(r, "get_registry_data", REGISTRY, n, args);
}

struct expr_value sql_fn_machinelearning_predict(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return expr_fail_run(r, SK_E_UNAVAILABLE, "machinelearning_predict: Amazon Machine Learning has ended");
}
