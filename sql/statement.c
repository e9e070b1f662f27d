/* statement.c -- SELECT items FROM 'filter' WHERE expr, SELECT within expressions, CASE, cast, and the templates of actions.
 *
 * A statement's program has four entries: variables, the condition, the items, and the text of the topic filter. Items are a block
 * that leaves the value to send; `SELECT *` alone is the single instruction ROOT. */
#include <string.h>

#include "expr/code.h"
#include "expr/parse.h"
#include "sql/internal.h"

enum { MOST_ALIAS = 8, MOST_CASES = 256 };

/* -- items -- */

/* The key of an item without an alias: the last name of a path, else the text of the expression. */
static const char *natural_key(struct expr_parser *p, const char *from)
{
	struct expr_token t = { .kind = EXPR_T_SIGN, .at = from, .n = (size_t)(p->behind - from) };
	bool path = (p->last == EXPR_OP_NAME || p->last == EXPR_OP_MEMBER) &&
	            (p->before == EXPR_T_NAME || p->before == EXPR_T_QUOTED_NAME);
	const char *s = p->behind;
	size_t n;

	if (path) {
		t.kind = p->before;
		if (t.kind == EXPR_T_QUOTED_NAME)
			s--;
		while (s > from && (t.kind == EXPR_T_QUOTED_NAME ? s[-1] != '`' : !strchr(". \t\n\v\f\r", s[-1])))
			s--;
		t.at = t.kind == EXPR_T_QUOTED_NAME ? s - 1 : s;
		t.n = (size_t)(p->behind - t.at);
	}
	return expr_token_text(p, &t, &n);
}

static bool alias(struct expr_parser *p)
{
	const char *names[MOST_ALIAS];
	int count = 0;
	size_t n;

	do {
		bool odd = p->token.kind == EXPR_T_STRING || p->token.kind == EXPR_T_QUOTED_NAME;
		if (!odd && p->token.kind != EXPR_T_NAME)
			return expr_expected(p, "a name");
		if (count == MOST_ALIAS)
			return expr_refuse_at(p, p->token.at, "an alias of more than %d names", MOST_ALIAS);
		names[count] = expr_token_text(p, &p->token, &n);
		if (!names[count++] || !expr_next(p))
			return false;
	} while (expr_accept(p, "."));
	return expr_emit_path(p, names, count);
}

static bool item(struct expr_parser *p)
{
	const char *from = p->token.at, *key;

	if (expr_accept(p, "*"))
		return !p->failed && expr_emit(p, EXPR_OP_MERGE);
	if (!expr_expression(p))
		return false;
	key = natural_key(p, from);
	if (expr_accept(p, "AS"))
		return !p->failed && alias(p);
	return key && expr_emit_path(p, &key, 1);
}

static bool ends_items(const struct expr_parser *p, const struct expr_token *t)
{
	return t->kind == EXPR_T_END || expr_token_is(p, t, "FROM") || expr_token_is(p, t, "WHERE") || expr_token_is(p, t, ")");
}

/* VALUE is a keyword if a value can follow, else the name of a member. */
static bool is_value_keyword(const struct expr_parser *p)
{
	const struct expr_token next = expr_peek(p);

	if (!expr_at(p, "VALUE") || ends_items(p, &next) || expr_token_is(p, &next, "AS"))
		return false;
	if (next.kind != EXPR_T_SIGN)
		return !expr_operator_at(p, &next, false);
	return expr_token_is(p, &next, "(") || expr_token_is(p, &next, "[") || expr_token_is(p, &next, "{") ||
	       expr_token_is(p, &next, "*") || expr_token_is(p, &next, "-") || expr_token_is(p, &next, "@");
}

static bool whole(struct expr_parser *p)
{
	return expr_next(p) && expr_emit(p, EXPR_OP_ROOT);
}

/* 2015-10-08 sends one value, no array or object. */
static bool single_value(struct expr_parser *p)
{
	if (!expr_expression(p))
		return false;
	return !(p->mode & SQL_IS_2015) || expr_emit_call(p, sql_function("one value"), 1);
}

static bool items(struct expr_parser *p)
{
	struct expr_token next;

	if (is_value_keyword(p)) {
		if (!expr_next(p))
			return false;
		return expr_at(p, "*") ? whole(p) : single_value(p);
	}
	next = expr_peek(p);
	if (expr_at(p, "*") && ends_items(p, &next))
		return whole(p);
	if (!expr_emit(p, EXPR_OP_OBJECT))
		return false;
	do {
		if (!item(p))
			return false;
	} while (expr_accept(p, ","));
	return !p->failed;
}

static bool block(struct expr_parser *p, bool (*parse)(struct expr_parser *), uint32_t *at)
{
	uint32_t depth = p->depth;

	*at = p->n;
	if (!parse(p) || !expr_emit(p, EXPR_OP_END))
		return false;
	p->depth = depth;
	return true;
}

/* -- SELECT within an expression: the items stand before what they are of, so they are jumped over -- */

static bool nested_where(struct expr_parser *p, uint32_t at)
{
	uint32_t over, where;

	if (!expr_accept(p, "WHERE"))
		return !p->failed;
	if (!expr_emit_jump(p, EXPR_OP_JUMP, &over))
		return false;
	expr_land(p, at);
	if (!block(p, expr_expression, &where))
		return false;
	expr_land(p, over);
	return true;
}

static int brackets(const struct expr_parser *p)
{
	if (p->token.kind != EXPR_T_SIGN || p->token.n != 1)
		return 0;
	return strchr("([{", *p->token.at) ? 1 : strchr(")]}", *p->token.at) ? -1 : 0;
}

/* The name behind AS behind FROM, which the items may use before it is read: a look at the tokens up to the bracket that closes. */
static struct expr_token element_ahead(const struct expr_parser *p)
{
	struct expr_error ignored;
	struct expr_parser ahead = *p;
	bool from = false, named = true; /* behind FROM; the token before is '.' or AS, so this one is a name */
	int depth = 0;

	ahead.error = &ignored;
	while (depth >= 0 && ahead.token.kind != EXPR_T_END) {
		bool as = depth == 0 && !named && expr_at(&ahead, "AS");
		if (depth == 0 && !named && expr_at(&ahead, "WHERE"))
			break;
		from |= depth == 0 && !named && expr_at(&ahead, "FROM");
		named = as || expr_at(&ahead, ".");
		depth += brackets(&ahead);
		if (!expr_next(&ahead))
			break;
		if (as && from && ahead.token.kind == EXPR_T_NAME)
			return ahead.token;
	}
	return (struct expr_token){ .n = 0 };
}

/* FROM expression [AS name] */
static bool nested_from(struct expr_parser *p)
{
	if (!expr_expect(p, "FROM") || !expr_expression(p))
		return false;
	if (!expr_accept(p, "AS"))
		return !p->failed;
	return p->token.kind == EXPR_T_NAME ? expr_next(p) : expr_expected(p, "a name");
}

/* The token behind SELECT. Blocks run above what stands on the stack when they run. */
static bool nested_parts(struct expr_parser *p, struct sql_names *names)
{
	const struct expr_token outer = names->element, own = element_ahead(p);
	uint32_t over, first, where;

	if (!expr_emit_jump(p, EXPR_OP_JUMP, &over))
		return false;
	p->depth += 2;
	names->element = own;
	if (!block(p, items, &first))
		return false;
	p->depth -= 2;
	expr_land(p, over);
	names->element = outer;
	if (!nested_from(p) || !expr_emit_each(p, first, &where))
		return false;
	p->depth += 2;
	names->element = own;
	if (!nested_where(p, where))
		return false;
	p->depth -= 2;
	names->element = outer;
	return true;
}

/* The token is SELECT. */
static bool nested(struct expr_parser *p)
{
	if (p->mode & SQL_IS_2015)
		return expr_refuse_at(p, p->token.at, "SELECT within an expression needs SQL version 2016-03-23");
	if (!expr_enter(p) || !expr_next(p) || !nested_parts(p, p->own))
		return false;
	p->last = EXPR_OP_EACH;
	p->nest--;
	return true;
}

static bool bracketed(struct expr_parser *p)
{
	return expr_next(p) && nested(p) && expr_expect(p, ")");
}

/* -- CASE v WHEN t THEN r ... ELSE e END: v stays on the stack until a branch is taken -- */

struct cases {
	uint32_t ends[MOST_CASES];
	int count;
	bool searched; /* CASE WHEN condition: no v */
};

static bool branch(struct expr_parser *p, struct cases *c)
{
	const struct expr_token equal = { .kind = EXPR_T_SIGN, .at = "=", .n = 1 };
	uint32_t next;

	if (c->count == MOST_CASES - 1)
		return expr_refuse_at(p, p->token.at, "more than %d cases", MOST_CASES - 2);
	if (!c->searched && !expr_emit(p, EXPR_OP_COPY))
		return false;
	if (!expr_expression(p) || !expr_expect(p, "THEN"))
		return false;
	if (!c->searched && !expr_emit_operator(p, expr_operator_at(p, &equal, false)))
		return false;
	if (!expr_emit_jump(p, EXPR_OP_UNLESS, &next) || (!c->searched && !expr_emit(p, EXPR_OP_DROP)))
		return false;
	if (!expr_expression(p) || !expr_emit_jump(p, EXPR_OP_JUMP, &c->ends[c->count++]))
		return false;
	p->depth -= c->searched; /* the other branch begins without the result, with v */
	expr_land(p, next);
	return true;
}

static bool otherwise(struct expr_parser *p, const struct cases *c)
{
	if (!c->searched && !expr_emit(p, EXPR_OP_DROP))
		return false;
	return expr_accept(p, "ELSE") ? expr_expression(p) : expr_emit(p, EXPR_OP_UNDEFINED);
}

static bool subject(struct expr_parser *p, struct cases *c)
{
	c->searched = expr_at(p, "WHEN");
	if (c->searched)
		return !(p->mode & EXPR_NO_EXTENSIONS) || expr_refuse_at(p, p->token.at, "CASE without a value is an extension");
	return expr_expression(p) && expr_emit_jump(p, EXPR_OP_IF_UNSET, &c->ends[c->count++]);
}

/* The token is CASE. */
static bool case_of(struct expr_parser *p)
{
	struct cases c = { .count = 0 };

	if (!expr_enter(p) || !expr_next(p) || !subject(p, &c) || !expr_expect(p, "WHEN"))
		return false;
	do {
		if (!branch(p, &c))
			return false;
	} while (expr_accept(p, "WHEN"));
	if (!otherwise(p, &c) || !expr_expect(p, "END"))
		return false;
	for (int i = 0; i < c.count; i++)
		expr_land(p, c.ends[i]);
	p->last = EXPR_OP_JUMP;
	p->nest--;
	return true;
}

/* -- what begins like no other value -- */

static bool star(struct expr_parser *p)
{
	const struct expr_token next = expr_peek(p);

	if (!expr_token_is(p, &next, ",") && !expr_token_is(p, &next, ")"))
		return expr_expected(p, "an expression");
	return whole(p);
}

static bool is_element(const struct expr_parser *p)
{
	const struct sql_names *names = p->own;
	const struct expr_token next = expr_peek(p);

	return names->element.n && p->token.kind == EXPR_T_NAME && p->token.n == names->element.n &&
	       memcmp(p->token.at, names->element.at, p->token.n) == 0 && !expr_token_is(p, &next, "(");
}

int sql_primary(struct expr_parser *p)
{
	const struct expr_token next = expr_at(p, "(") ? expr_peek(p) : p->token;

	if (expr_at(p, "(") && expr_token_is(p, &next, "SELECT"))
		return bracketed(p) ? 1 : -1;
	if (expr_at(p, "CASE"))
		return case_of(p) ? 1 : -1;
	if (expr_at(p, "*"))
		return star(p) ? 1 : -1;
	if (expr_at(p, "@"))
		return sql_variable(p) ? 1 : -1;
	if (is_element(p))
		return whole(p) ? 1 : -1;
	return 0;
}

/* -- functions with a syntax of their own -- */

/* What cast knows, what it becomes. */
static const struct {
	const char *type, *function;
} casts[] = {
	{ "String", "as string" },   { "Nvarchar", "as string" }, { "Text", "as string" },     { "Ntext", "as string" },
	{ "varchar", "as string" },  { "Int", "as int" },         { "Integer", "as int" },     { "Double", "as double" },
	{ "Decimal", "as decimal" }, { "Bool", "as boolean" },    { "Boolean", "as boolean" },
};

bool sql_parse_cast(struct expr_parser *p, const struct expr_function *f)
{
	const struct expr_function *to = NULL;
	const char *why;

	(void)f;
	if (!expr_expression(p) || !expr_expect(p, "AS"))
		return false;
	for (size_t i = 0; i < sizeof casts / sizeof *casts; i++)
		if (expr_at(p, casts[i].type))
			to = sql_function(casts[i].function);
	if (!to)
		return expr_expected(p, "a type: String, Int, Double, Decimal or Boolean");
	why = p->dialect->refuse(p, to);
	if (why)
		return expr_refuse_at(p, p->token.at, "this type %s", why);
	return expr_next(p) && expr_emit_call(p, to, 1) && expr_expect(p, ")");
}

static bool tried(struct expr_parser *p)
{
	uint32_t behind;

	if (!expr_emit_jump(p, EXPR_OP_TRY, &behind))
		return false;
	p->depth++;
	if (!expr_expression(p) || !expr_emit(p, EXPR_OP_END))
		return false;
	p->depth -= 2;
	expr_land(p, behind);
	return true;
}

/* get_or_default(x, y): x may fail; y is looked at only when x is undefined, null or has failed. */
bool sql_parse_default(struct expr_parser *p, const struct expr_function *f)
{
	uint32_t behind;

	(void)f;
	if (!tried(p) || !expr_expect(p, ",") || !expr_emit_jump(p, EXPR_OP_IF_SET, &behind) || !expr_emit(p, EXPR_OP_DROP))
		return false;
	if (!expr_expression(p) || !expr_expect(p, ")"))
		return false;
	expr_land(p, behind);
	p->last = EXPR_OP_TRY;
	return true;
}

/* encode(*, ...) and decode(*, ...) take the payload as it came. */
bool sql_parse_coding(struct expr_parser *p, const struct expr_function *f)
{
	const struct expr_token next = expr_peek(p);
	const char *at = p->token.at;
	int count = 1;

	if (expr_at(p, "*") && expr_token_is(p, &next, ",")) {
		if (!expr_emit(p, EXPR_OP_RAW) || !expr_next(p))
			return false;
	} else if (!expr_expression(p)) {
		return false;
	}
	for (; expr_accept(p, ","); count++)
		if (!expr_expression(p))
			return false;
	if (count > 2)
		return expr_refuse_at(p, at, "%s takes a value and 'base64': protocol buffers are not supported", f->name);
	if (count < 2)
		return expr_expected(p, "','");
	return expr_expect(p, ")") && expr_emit_call(p, f, 2);
}

/* -- statements -- */

/* MQTT 3.1.1 section 4.7: # is the whole last level, + a whole level. Mosquitto takes no topic with more than 200 slashes. */
static bool is_filter(const char *s, size_t n)
{
	int slashes = 0;
	for (size_t i = 0; i < n; i++) {
		bool begins = i == 0 || s[i - 1] == '/', ends = i + 1 == n || s[i + 1] == '/';
		if (!s[i] || (s[i] == '#' && !(begins && i + 1 == n)) || (s[i] == '+' && !(begins && ends)))
			return false;
		slashes += s[i] == '/';
	}
	return n > 0 && n <= 65535 && slashes <= 200;
}

static bool filter(struct expr_parser *p)
{
	const char *text;
	size_t n;

	if (p->token.kind != EXPR_T_STRING || *p->token.at != '\'')
		return expr_expected(p, "a topic filter in single quotes");
	text = expr_token_text(p, &p->token, &n);
	if (!text)
		return false;
	if (!is_filter(text, n))
		return expr_refuse_at(p, p->token.at, "not a topic filter: %.60s", text);
	p->entry[SQL_FILTER] = p->n;
	if (!expr_emit_text(p, EXPR_OP_STRING, text, n))
		return false;
	p->depth--;
	return expr_next(p);
}

static bool variables(struct expr_parser *p)
{
	const struct expr_token next = expr_peek(p);

	if (!expr_at(p, "SET") || !expr_token_is(p, &next, "@"))
		return true;
	return expr_next(p) && block(p, sql_set_clause, &p->entry[SQL_VARIABLES]);
}

static bool statement(struct expr_parser *p)
{
	if (!variables(p) || !expr_expect(p, "SELECT") || !block(p, items, &p->entry[SQL_ITEMS]))
		return false;
	if (expr_accept(p, "FROM")) {
		if (!filter(p))
			return false;
	} else if (p->token.kind != EXPR_T_END && !expr_at(p, "WHERE")) {
		return expr_expected(p, "',' or 'FROM'");
	}
	if (expr_accept(p, "WHERE") && !block(p, expr_expression, &p->entry[SQL_CONDITION]))
		return false;
	return p->token.kind == EXPR_T_END || expr_expected(p, p->entry[SQL_CONDITION] ? "an operator or the end" : "'WHERE' or the end");
}

static struct expr_parser parser_for(struct sk_arena *a, const struct sql_options *opt, struct expr_error *error, struct sql_names *names)
{
	return (struct expr_parser){ .dialect = &sql_dialect, .mode = sql_mode_of(opt), .arena = a, .error = error, .marks = opt->marks, .own = names };
}

const struct expr_program *sql_compile(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt,
                                       struct expr_error *error)
{
	struct expr_error own;
	struct sql_names names = { .variables = 0 };
	struct expr_parser p = parser_for(a, opt, error ? error : &own, &names);

	if (!expr_parser_start(&p, text, n) || !expr_emit(&p, EXPR_OP_END) || !statement(&p))
		return NULL;
	return expr_parser_finish(&p);
}

const char *sql_filter(const struct expr_program *p)
{
	const uint8_t *pc = p->code + p->entry[SQL_FILTER] + 1;
	size_t n;

	return p->entry[SQL_FILTER] ? code_text(&pc, &n) : NULL;
}

/* -- templates: the pieces are joined one by one -- */

static bool join(struct expr_parser *p, bool *first)
{
	bool is_first = *first;

	*first = false;
	return is_first || expr_emit_call(p, sql_function("${}${}"), 2);
}

/* p->token stands in front of the expression. */
static bool filled(struct expr_parser *p, bool *first)
{
	if (!expr_next(p) || !expr_expression(p) || !expr_emit_call(p, sql_function("${}"), 1) || !join(p, first))
		return false;
	return expr_at(p, "}") || expr_expected(p, "'}'");
}

static bool pieces(struct expr_parser *p)
{
	const char *s = p->text;
	bool first = true;

	while (s < p->end) {
		const char *open = memmem(s, (size_t)(p->end - s), "${", 2), *stop = open ? open : p->end;
		if (stop > s && (!expr_emit_text(p, EXPR_OP_STRING, s, (size_t)(stop - s)) || !join(p, &first)))
			return false;
		if (!open)
			return true;
		p->token = (struct expr_token){ .kind = EXPR_T_SIGN, .at = open, .n = 2 };
		if (!filled(p, &first))
			return false;
		s = p->token.at + 1;
	}
	return !first || expr_emit_text(p, EXPR_OP_STRING, "", 0);
}

/* A template that uses variables finds them itself. That it stands in an error action matters to its own text only. */
static bool variables_of(struct expr_parser *p, const char *text)
{
	struct expr_marks *marks = p->marks; /* of the template's text */
	uint32_t mode = p->mode;
	bool ok;

	p->marks = NULL;
	p->mode &= ~(uint32_t)SQL_IS_ALONE;
	ok = expr_parser_start(p, text, strlen(text)) && variables(p);
	p->mode = mode;
	p->marks = marks;
	return ok;
}

const struct expr_program *sql_compile_template(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt,
                                                struct expr_error *error)
{
	struct expr_error own;
	struct sql_names names = { .variables = 0 };
	struct expr_parser p = parser_for(a, opt, error ? error : &own, &names);

	*p.error = (struct expr_error){ 0 };
	if (!expr_emit(&p, EXPR_OP_END) || (opt->statement && memchr(text, '@', n) && !variables_of(&p, opt->statement)))
		return NULL;
	p.text = text;
	p.end = text + n;
	p.token.at = text;
	if (memchr(text, 0, n) || !sk_utf8_valid(text, n)) {
		expr_refuse_at(&p, text, "not UTF-8, or a NUL byte");
		return NULL;
	}
	if (!block(&p, pieces, &p.entry[SQL_ITEMS]))
		return NULL;
	return expr_parser_finish(&p);
}

/* -- for people -- */

char *sql_explain(struct sk_arena *a, const struct expr_program *p)
{
	const char *filter_text = sql_filter(p);
	char *code = expr_explain(&sql_dialect, p, a, 1);
	const char *set = p->entry[SQL_VARIABLES] ? sk_printf(a, "variables at %u, ", (unsigned)p->entry[SQL_VARIABLES]) : "";

	return sk_printf(a, "%u bytes%s%s%s\n%scondition at %u, items at %u\n%s", (unsigned)p->size, filter_text ? ", from '" : "",
	                 filter_text ? filter_text : "", filter_text ? "'" : "", set ? set : "", (unsigned)p->entry[SQL_CONDITION], (unsigned)p->entry[SQL_ITEMS],
	                 code ? code : "");
}
