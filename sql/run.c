/* run.c -- one message through a program: variables, the condition, then the items.
 *
 * A condition that waits for an answer still lets the items run, so that one void run names all that is to be looked up. */
#include <string.h>

#include "expr/parse.h"
#include "sql/internal.h"

static struct expr_run start(const struct expr_program *p, struct sql_run *state, struct sk_arena *a, const struct expr_limits *limits)
{
	struct expr_run r = { .dialect = &sql_dialect, .program = p, .arena = a, .root = state->message->document, .context = state };

	r.trace = state->message->trace;
	r.watcher = state->message->watcher;
	if (limits)
		r.limits = *limits;
	expr_run_start(&r);
	return r;
}

static int finish(const struct expr_run *r, const char **why)
{
	*why = r->message;
	if (r->error)
		return r->error;
	if (r->arena->failed) {
		*why = "out of memory";
		return SK_E_INTERNAL;
	}
	return r->later ? SQL_LATER : SK_OK;
}

/* False: they have failed. */
static bool find_variables(struct expr_run *r)
{
	struct sql_run *state = sql_state(r);
	uint32_t at = r->program->entry[SQL_VARIABLES];

	if (!at)
		return true;
	state->variables = sk_alloc(r->arena, SQL_MOST_VARIABLES * sizeof *state->variables);
	if (state->variables)
		expr_run_at(r, at);
	return state->variables && !r->error;
}

static bool is_everything(const struct expr_program *p)
{
	const uint8_t *code = p->code + p->entry[SQL_ITEMS];

	return code[0] == EXPR_OP_ROOT && code[1] == EXPR_OP_END;
}

static bool matches(struct expr_run *r)
{
	struct expr_value v;

	if (!r->program->entry[SQL_CONDITION])
		return true;
	v = expr_run_at(r, r->program->entry[SQL_CONDITION]);
	return !r->error && (r->later || sql_truth(&v) == 1);
}

static void project(struct expr_run *r, struct sql_result *out)
{
	struct expr_value v;

	if (is_everything(r->program)) {
		out->outcome = r->root ? SQL_DOCUMENT : SQL_RAW;
		out->document = r->root;
		return;
	}
	v = expr_run_at(r, r->program->entry[SQL_ITEMS]);
	out->document = expr_to_node(r->arena, &v);
	out->outcome = out->document ? SQL_DOCUMENT : SQL_NOTHING;
}

int sql_run(const struct expr_program *p, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
            struct sql_result *out)
{
	struct sql_run state = { .message = m };
	struct expr_run r = start(p, &state, a, limits);
	int rc;

	*out = (struct sql_result){ .outcome = SQL_NO_MATCH };
	if (find_variables(&r) && matches(&r))
		project(&r, out);
	rc = finish(&r, &out->why);
	out->steps = r.steps;
	if (rc != SK_OK) {
		out->outcome = SQL_NO_MATCH;
		out->document = NULL;
	}
	return rc;
}

int sql_run_template(const struct expr_program *p, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
                     struct sql_result *out)
{
	struct sql_run state = { .message = m };
	struct expr_run r = start(p, &state, a, limits);
	struct expr_value v = find_variables(&r) ? expr_run_at(&r, p->entry[SQL_ITEMS]) : expr_undefined();
	int rc = finish(&r, &out->why);

	*out = (struct sql_result){ .why = out->why, .steps = r.steps };
	out->text = rc == SK_OK && v.kind == EXPR_STRING ? v.text : NULL;
	return rc;
}

/* -- what only programs call -- */

/* 2015-10-08: SELECT VALUE is one value. */
struct expr_value sql_fn_single(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return args->kind == EXPR_ARRAY || args->kind == EXPR_OBJECT ? expr_undefined() : *args;
}

struct expr_value sql_fn_filled(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v = sql_text(r, args);

	(void)n;
	if (v.kind == EXPR_UNDEFINED && !r->later)
		return expr_fail_run(r, SK_E_INVALID_REQUEST, "an expression of the template is %s", expr_kind_name(args));
	return v.kind ? v : expr_string("", 0);
}

struct expr_value sql_fn_joined(struct expr_run *r, int n, const struct expr_value *args)
{
	return sql_add(r, n, args);
}

/* get_or_default is compiled to jumps; this is what a wrong number of arguments would call. */
struct expr_value sql_fn_or_default(struct expr_run *r, int n, const struct expr_value *args)
{
	(void)r, (void)n;
	return args[args[0].kind <= EXPR_NULL];
}
