/* parse.c -- expressions by precedence climbing, emitted as they are read.
 *
 * Invariant: each function that parses a value leaves exactly one more on the stack; nesting is bounded by expr_enter. */
#include "expr/parse.h"

#include <string.h>

#include "core/closest.h"

bool expr_enter(struct expr_parser *p)
{
	return ++p->nest <= EXPR_MOST_NESTING || expr_refuse_at(p, p->token.at, "nested too deeply");
}

static bool refuse_literal(struct expr_parser *p)
{
	return (p->mode & EXPR_NO_LITERALS) && !expr_refuse_at(p, p->token.at, "literal arrays and objects need a newer version of the language");
}

/* -- literals -- */

static bool array(struct expr_parser *p)
{
	if (refuse_literal(p) || !expr_next(p) || !expr_emit(p, EXPR_OP_ARRAY))
		return false;
	if (expr_accept(p, "]"))
		return !p->failed;
	do {
		if (!expr_expression(p) || !expr_emit(p, EXPR_OP_ADD))
			return false;
	} while (expr_accept(p, ","));
	return expr_expect(p, "]");
}

static bool member(struct expr_parser *p)
{
	const char *key;
	size_t n;

	if (p->token.kind != EXPR_T_STRING && p->token.kind != EXPR_T_NAME && p->token.kind != EXPR_T_QUOTED_NAME)
		return expr_expected(p, "a key");
	key = expr_token_text(p, &p->token, &n);
	return key && expr_next(p) && expr_expect(p, ":") && expr_expression(p) && expr_emit_path(p, &key, 1);
}

static bool object(struct expr_parser *p)
{
	if (refuse_literal(p) || !expr_next(p) || !expr_emit(p, EXPR_OP_OBJECT))
		return false;
	if (expr_accept(p, "}"))
		return !p->failed;
	do {
		if (!member(p))
			return false;
	} while (expr_accept(p, ","));
	return expr_expect(p, "}");
}

static bool string(struct expr_parser *p)
{
	size_t n;
	const char *text = expr_token_text(p, &p->token, &n);

	return text && expr_emit_text(p, EXPR_OP_STRING, text, n) && expr_next(p);
}

static bool group(struct expr_parser *p)
{
	return expr_next(p) && expr_expression(p) && expr_expect(p, ")");
}

/* -- names -- */

static const struct expr_word *word_at(const struct expr_parser *p)
{
	for (const struct expr_word *w = p->dialect->words; w && w->name; w++)
		if (expr_at(p, w->name))
			return w;
	return NULL;
}

static bool word(struct expr_parser *p, const struct expr_word *w)
{
	enum expr_op op = w->kind == EXPR_NULL ? EXPR_OP_NULL : w->kind == EXPR_UNDEFINED ? EXPR_OP_UNDEFINED
	                : w->truth ? EXPR_OP_TRUE : EXPR_OP_FALSE;

	return expr_emit(p, op) && expr_next(p);
}

static const struct expr_function *function_at(struct expr_parser *p, const struct expr_token *t)
{
	const struct expr_function *table = p->dialect->functions;
	const char *name, *near;
	size_t count = 0, n;

	for (; table[count].name; count++)
		if (expr_token_is(p, t, table[count].name))
			return &table[count];
	name = expr_token_text(p, t, &n);
	near = name ? sk_closest(name, &table->name, count, sizeof *table) : NULL;
	if (near)
		expr_refuse_at(p, t->at, "there is no function %.40s: did you mean %s?", name, near);
	else
		expr_refuse_at(p, t->at, "there is no function %.40s", name ? name : "");
	return NULL;
}

bool expr_arguments(struct expr_parser *p, int *count)
{
	*count = 0;
	if (expr_accept(p, ")"))
		return !p->failed;
	do {
		if (++*count == 255)
			return expr_refuse_at(p, p->token.at, "more than 254 arguments");
		if (!expr_expression(p))
			return false;
	} while (expr_accept(p, ","));
	return expr_expect(p, ")");
}

static bool refuse_count(struct expr_parser *p, const char *at, const struct expr_function *f, int count)
{
	if (f->least == f->most)
		return expr_refuse_at(p, at, "%s takes %d argument%s, not %d", f->name, f->least, f->least == 1 ? "" : "s", count);
	if (f->most == 255)
		return expr_refuse_at(p, at, "%s takes at least %d arguments, not %d", f->name, f->least, count);
	return expr_refuse_at(p, at, "%s takes %d to %d arguments, not %d", f->name, f->least, f->most, count);
}

static bool call(struct expr_parser *p)
{
	struct expr_token name = p->token;
	const struct expr_function *f = function_at(p, &name);
	const char *why = f && p->dialect->refuse ? p->dialect->refuse(p, f) : NULL;
	int count;

	if (why)
		return expr_refuse_at(p, name.at, "%s %s", f->name, why);
	if (!f || !expr_next(p) || !expr_next(p)) /* the name, the bracket */
		return false;
	if (f->parse)
		return f->parse(p, f);
	if (!expr_arguments(p, &count))
		return false;
	if ((count < f->least || count > f->most) && !(p->mode & EXPR_LOOSE_CALLS))
		return refuse_count(p, name.at, f, count);
	return expr_emit_call(p, f, count);
}

static bool name(struct expr_parser *p)
{
	const struct expr_token next = expr_peek(p);
	const struct expr_word *w;
	const char *text;
	size_t n;

	if (p->token.kind == EXPR_T_NAME && expr_token_is(p, &next, "("))
		return call(p);
	w = p->token.kind == EXPR_T_NAME ? word_at(p) : NULL;
	if (w)
		return word(p, w);
	if (expr_is_reserved(p, &p->token))
		return expr_expected(p, "an expression");
	text = expr_token_text(p, &p->token, &n);
	return text && expr_emit_text(p, EXPR_OP_NAME, text, n) && expr_next(p);
}

/* -- values and what follows them -- */

static bool sign(struct expr_parser *p)
{
	if (expr_at(p, "("))
		return group(p);
	if (expr_at(p, "["))
		return array(p);
	if (expr_at(p, "{"))
		return object(p);
	return expr_expected(p, "an expression");
}

static bool number(struct expr_parser *p)
{
	return expr_emit_number(p, p->token.at, p->token.n) && expr_next(p);
}

static bool quoted_name(struct expr_parser *p)
{
	if (p->mode & EXPR_NO_EXTENSIONS)
		return expr_refuse_at(p, p->token.at, "quoted names are an extension");
	return name(p);
}

static bool primary(struct expr_parser *p)
{
	int own = p->dialect->primary ? p->dialect->primary(p) : 0;

	if (own)
		return own > 0;
	switch (p->token.kind) {
	case EXPR_T_NUMBER: return number(p);
	case EXPR_T_STRING: return string(p);
	case EXPR_T_NAME: return name(p);
	case EXPR_T_QUOTED_NAME: return quoted_name(p);
	case EXPR_T_SIGN: return sign(p);
	default: return expr_expected(p, "an expression");
	}
}

static bool dot(struct expr_parser *p)
{
	const char *text;
	size_t n;

	if (p->token.kind != EXPR_T_NAME && p->token.kind != EXPR_T_QUOTED_NAME)
		return expr_expected(p, "a name");
	text = expr_token_text(p, &p->token, &n);
	return text && expr_emit_text(p, EXPR_OP_MEMBER, text, n) && expr_next(p);
}

static bool index_of(struct expr_parser *p)
{
	return expr_expression(p) && expr_emit(p, EXPR_OP_INDEX) && expr_expect(p, "]");
}

static bool postfix(struct expr_parser *p)
{
	while (!p->failed) {
		if (expr_accept(p, ".")) {
			if (!dot(p))
				return false;
		} else if (!(p->mode & EXPR_NO_EXTENSIONS) && expr_accept(p, "[")) {
			if (!index_of(p))
				return false;
		} else {
			return true;
		}
	}
	return false;
}

/* -- operators -- */

static bool refuse_operator(struct expr_parser *p, const struct expr_operator *o)
{
	return o->extension && (p->mode & EXPR_NO_EXTENSIONS) && !expr_refuse_at(p, p->token.at, "%s is an extension", o->spelling);
}

static bool prefixed(struct expr_parser *p)
{
	const struct expr_operator *o = expr_operator_at(p, &p->token, true);

	if (!o)
		return primary(p) && postfix(p);
	if (refuse_operator(p, o))
		return false;
	return expr_next(p) && expr_binding(p, o->binds) && expr_emit_operator(p, o);
}

static bool infix(struct expr_parser *p, const struct expr_operator *o)
{
	bool logic = o->place != EXPR_INFIX && !(p->mode & EXPR_EAGER_LOGIC);
	uint32_t at = 0;

	if (refuse_operator(p, o) || !expr_next(p))
		return false;
	if (logic && !expr_emit_jump(p, o->place == EXPR_AND ? EXPR_OP_AND : EXPR_OP_OR, &at))
		return false;
	if (!expr_binding(p, o->binds + !o->to_right) || !expr_emit_operator(p, o))
		return false;
	if (logic)
		expr_land(p, at);
	return true;
}

/* Notes that the text from there to here has its value on the stack now; of brackets only what is in them, of literals nothing. */
static bool mark(struct expr_parser *p, const char *from)
{
	struct expr_marks *m = p->marks;
	struct expr_mark *list;

	if (!m || p->last <= EXPR_OP_STRING || (m->count && m->list[m->count - 1].at == p->n))
		return true;
	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 32;
		list = sk_alloc(p->arena, m->room * sizeof *list);
		if (!list)
			return expr_out_of_memory(p);
		if (m->count)
			memcpy(list, m->list, m->count * sizeof *list);
		m->list = list;
	}
	m->list[m->count++] = (struct expr_mark){ p->n, (uint32_t)(from - p->text), (uint32_t)(p->behind - p->text) };
	return true;
}

bool expr_binding(struct expr_parser *p, int least)
{
	const char *from = p->token.at;
	const struct expr_operator *o;

	if (p->failed || !expr_enter(p) || !prefixed(p) || !mark(p, from))
		return false;
	while ((o = expr_operator_at(p, &p->token, false)) && o->binds >= least)
		if (!infix(p, o) || !mark(p, from))
			return false;
	p->nest--;
	return !p->failed;
}

bool expr_expression(struct expr_parser *p)
{
	return expr_binding(p, 1);
}

bool expr_end_of_text(struct expr_parser *p)
{
	return p->token.kind == EXPR_T_END || expr_expected(p, "an operator or the end");
}

const struct expr_program *expr_compile(const struct expr_dialect *d, uint32_t mode, struct sk_arena *a, const char *text, size_t n,
                                        struct expr_error *error)
{
	struct expr_error own;
	struct expr_parser p = { .dialect = d, .mode = mode, .arena = a, .error = error ? error : &own };

	p.entry[0] = 1;
	if (!expr_parser_start(&p, text, n) || !expr_expression(&p) || !expr_end_of_text(&p) || !expr_emit(&p, EXPR_OP_END))
		return NULL;
	return expr_parser_finish(&p);
}
