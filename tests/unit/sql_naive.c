/* sql_naive.c -- a tree, its text with as few brackets as precedence allows, and its value by the book.
 *
 * Numbers are doubles that hold their decimals exactly (quarters below 2^40); what leaves that range is given up. */
#include "tests/unit/sql_naive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_DEPTH = 5, MOST_NODES = 60 };

enum kind { UNDEFINED, NIL, BOOL, NUMBER, STRING, ARRAY, GIVEN_UP };
struct value {
	enum kind kind;
	double number;
	bool truth;
	const char *text;
	const struct value *items;
	int count;
};

enum shape { LITERAL, NAME, UNARY, BINARY, CASE, CALL, LIST, NESTED, SHAPES };
struct node {
	enum shape shape;
	int which;
	const struct node *kid[4];
	int kids;
};

/* -- what there is to choose from -- */

static const char document[] = "{\"i\":7,\"n\":-3,\"d\":2.25,\"w\":4.0,\"t\":true,\"f\":false,\"s\":\"abc\",\"z\":\"12\",\"q\":\"TRUE\",\"e\":null,"
                               "\"l\":[1,2.5,\"x\",null]}";
static const struct value list[] = { { .kind = NUMBER, .number = 1 }, { .kind = NUMBER, .number = 2.5 }, { .kind = STRING, .text = "x" }, { .kind = NIL } };
static const struct {
	const char *text;
	struct value value;
} names[] = {
	{ "i", { .kind = NUMBER, .number = 7 } },     { "n", { .kind = NUMBER, .number = -3 } },   { "d", { .kind = NUMBER, .number = 2.25 } },
	{ "w", { .kind = NUMBER, .number = 4 } },     { "t", { .kind = BOOL, .truth = true } },    { "f", { .kind = BOOL } },
	{ "s", { .kind = STRING, .text = "abc" } },   { "z", { .kind = STRING, .text = "12" } },   { "q", { .kind = STRING, .text = "TRUE" } },
	{ "e", { .kind = NIL } },                     { "nope", { .kind = UNDEFINED } },           { "l", { .kind = ARRAY, .items = list, .count = 4 } },
}, literals[] = {
	{ "0", { .kind = NUMBER } },                  { "1", { .kind = NUMBER, .number = 1 } },    { "25", { .kind = NUMBER, .number = 25 } },
	{ "0.5", { .kind = NUMBER, .number = 0.5 } }, { "8.0", { .kind = NUMBER, .number = 8 } },  { "TRUE", { .kind = BOOL, .truth = true } },
	{ "false", { .kind = BOOL } },                { "'ab'", { .kind = STRING, .text = "ab" } }, { "\"-1.5\"", { .kind = STRING, .text = "-1.5" } },
	{ "'False'", { .kind = STRING, .text = "False" } }, { "null", { .kind = NIL } },           { "Undefined", { .kind = UNDEFINED } },
};
static const struct {
	const char *text;
	int binds;
} binaries[] = { { "OR", 1 }, { "AND", 2 }, { "=", 3 }, { "<>", 3 }, { "<", 3 }, { "<=", 3 }, { ">", 3 }, { ">=", 3 }, { "IN", 3 },
	         { "+", 4 },  { "-", 4 },   { "*", 5 }, { "/", 5 },  { "%", 5 } },
  unaries[] = { { "NOT ", 6 }, { "-", 6 } };
static const struct {
	const char *text;
	int kids;
} calls[] = { { "isNull", 1 }, { "isUndefined", 1 }, { "abs", 1 }, { "sign", 1 }, { "length", 1 }, { "nanvl", 2 }, { "get_or_default", 2 }, { "concat", 2 } };
#define COUNT(a) (sizeof(a) / sizeof *(a))

static unsigned choice(struct naive_choices *from, size_t n)
{
	return from->at < from->end ? *from->at++ % (unsigned)n : 0;
}

struct making {
	struct sk_arena *arena;
	struct naive_choices *from;
	int nodes;
};

static const struct node *make(struct making *m, int depth)
{
	static const int kids[SHAPES] = { [UNARY] = 1, [BINARY] = 2, [CASE] = 4, [LIST] = 3, [NESTED] = 2 };
	struct node *n = sk_alloc(m->arena, sizeof *n);
	bool leaf = depth == MOST_DEPTH || ++m->nodes > MOST_NODES;

	if (!n)
		return NULL;
	n->shape = (enum shape)choice(m->from, leaf ? 2 : SHAPES + 3);
	if (n->shape >= SHAPES)
		n->shape = BINARY;
	n->which = (int)choice(m->from, n->shape == LITERAL ? COUNT(literals) : n->shape == NAME ? COUNT(names)
	                                : n->shape == UNARY ? COUNT(unaries) : n->shape == BINARY ? COUNT(binaries) : COUNT(calls));
	n->kids = n->shape == CALL ? calls[n->which].kids : kids[n->shape];
	for (int i = 0; i < n->kids; i++)
		n->kid[i] = make(m, depth + 1);
	return n;
}

/* -- text -- */

static int binds(const struct node *n)
{
	return n->shape == BINARY ? binaries[n->which].binds : n->shape == UNARY ? unaries[n->which].binds : 9;
}

static void write(FILE *f, const struct node *n, int least);

static void write_list(FILE *f, const struct node *n, const char *head, const char *tail)
{
	fputs(head, f);
	for (int i = 0; i < n->kids; i++) {
		fputs(i ? ", " : "", f);
		write(f, n->kid[i], 0);
	}
	fputs(tail, f);
}

static void write_case(FILE *f, const struct node *n)
{
	static const char *const words[] = { "CASE ", " WHEN ", " THEN ", " ELSE " };

	for (int i = 0; i < 4; i++) {
		fputs(words[i], f);
		write(f, n->kid[i], 0);
	}
	fputs(" END", f);
}

static void write_nested(FILE *f, const struct node *n)
{
	fputs("(SELECT VALUE * FROM [", f);
	write(f, n->kid[0], 0);
	fputs(", ", f);
	write(f, n->kid[1], 0);
	fputs("] WHERE isNull(*) = false)", f);
}

static void write_bare(FILE *f, const struct node *n)
{
	switch (n->shape) {
	case LITERAL: fputs(literals[n->which].text, f); break;
	case NAME: fputs(names[n->which].text, f); break;
	case UNARY:
		fputs(unaries[n->which].text, f);
		write(f, n->kid[0], binds(n));
		break;
	case BINARY:
		write(f, n->kid[0], binds(n));
		fprintf(f, " %s ", binaries[n->which].text);
		write(f, n->kid[1], binds(n) + 1);
		break;
	case CASE: write_case(f, n); break;
	case CALL:
		fputs(calls[n->which].text, f);
		write_list(f, n, "(", ")");
		break;
	case NESTED: write_nested(f, n); break;
	default: write_list(f, n, "[", "]");
	}
}

static void write(FILE *f, const struct node *n, int least)
{
	bool bracket = binds(n) < least;

	fputs(bracket ? "(" : "", f);
	write_bare(f, n);
	fputs(bracket ? ")" : "", f);
}

/* -- values -- */

static const struct value undefined, given_up = { .kind = GIVEN_UP };

static struct value of_bool(bool truth)
{
	return (struct value){ .kind = BOOL, .truth = truth };
}

static struct value of_number(double v)
{
	return v * 4 == rint(v * 4) && fabs(v) < 0x1p40 ? (struct value){ .kind = NUMBER, .number = v + 0.0 } : given_up; /* no -0 */
}

static int truth_of(struct value v)
{
	if (v.kind == STRING)
		return strcasecmp(v.text, "true") == 0 ? 1 : strcasecmp(v.text, "false") == 0 ? 0 : -1;
	return v.kind == BOOL ? v.truth : -1;
}

/* NAN: no number. The strings here are abc, ab, x, words and numbers, and what concatenation makes of them. */
static double number_of(struct value v)
{
	char *end;
	double d;

	if (v.kind == NUMBER)
		return v.number;
	if (v.kind != STRING || !*v.text || strspn(v.text, "-.0123456789") != strlen(v.text))
		return NAN;
	if (strspn(v.text, "0123456789") == 0 && !(v.text[0] == '-' && v.text[1] >= '0' && v.text[1] <= '9'))
		return NAN;
	d = strtod(v.text, &end);
	return *end || end[-1] == '.' ? NAN : d;
}

static bool same(struct value x, struct value y)
{
	if (x.kind != y.kind)
		return false;
	if (x.kind == ARRAY) {
		for (int i = 0; x.count == y.count && i < x.count; i++)
			if (!same(x.items[i], y.items[i]))
				return false;
		return x.count == y.count;
	}
	return x.kind == BOOL ? x.truth == y.truth : x.kind == NUMBER ? x.number == y.number : x.kind == STRING ? strcmp(x.text, y.text) == 0 : true;
}

static const char *text_of(struct sk_arena *a, struct value v)
{
	const char *s = v.count ? NULL : "[]";

	switch (v.kind) {
	case STRING: return v.text;
	case BOOL: return v.truth ? "true" : "false";
	case NUMBER: return sk_printf(a, "%.15g", v.number);
	case ARRAY: break;
	default: return NULL;
	}
	for (int i = 0; i < v.count; i++) {
		const char *one = v.items[i].kind == NIL ? "null" : text_of(a, v.items[i]);
		const char *quote = v.items[i].kind == STRING ? "\"" : "";
		const char *escaped = one;
		if (v.items[i].kind == STRING) /* quotes within would need escapes */
			escaped = strpbrk(one, "\"\\") ? NULL : one;
		if (!escaped)
			return "?";
		s = sk_printf(a, "%s%s%s%s%s", s ? s : "[", i ? "," : "", quote, escaped, quote);
	}
	return v.count ? sk_printf(a, "%s]", s) : s;
}

static struct value join(struct sk_arena *a, struct value x, struct value y)
{
	const char *s = text_of(a, x), *t = text_of(a, y);

	if (!s || !t)
		return undefined;
	if (strchr(s, '?') || strchr(t, '?') || strlen(s) + strlen(t) > 200)
		return given_up;
	return (struct value){ .kind = STRING, .text = sk_printf(a, "%s%s", s, t) };
}

static struct value logic(struct value x, struct value y, int deciding)
{
	int l = truth_of(x), r = truth_of(y);

	if (l == deciding || r == deciding)
		return of_bool(deciding);
	return l < 0 || r < 0 ? undefined : of_bool(!deciding);
}

static struct value divide(struct value x, struct value y)
{
	double l = number_of(x), r = number_of(y);
	bool ints = x.kind == NUMBER && y.kind == NUMBER && l == rint(l) && r == rint(r);

	return of_number(ints ? trunc(l / r) : l / r);
}

static struct value arithmetic(struct sk_arena *a, char op, struct value x, struct value y)
{
	double l = number_of(x), r = number_of(y);

	if (op == '+' && (x.kind == STRING || y.kind == STRING))
		return join(a, x, y);
	if (isnan(l) || isnan(r) || ((op == '/' || op == '%') && r == 0))
		return undefined;
	if (fabs(l) >= 0x1p40 || fabs(r) >= 0x1p40)
		return given_up;
	switch (op) {
	case '+': return of_number(l + r);
	case '-': return of_number(l - r);
	case '*': return of_number(l * r);
	case '/': return divide(x, y);
	default: return of_number(fmod(l, r));
	}
}

/* More digits than a double surely tells apart. */
static bool is_long(struct value v)
{
	return (v.kind == STRING && strlen(v.text) > 15) || fabs(number_of(v)) >= 0x1p40;
}

static struct value compare(const char *op, struct value x, struct value y)
{
	double l = number_of(x), r = number_of(y);

	if (isnan(l) || isnan(r))
		return undefined;
	if (is_long(x) || is_long(y))
		return given_up;
	if (*op == '<')
		return of_bool(op[1] ? l <= r : l < r);
	return of_bool(op[1] ? l >= r : l > r);
}

static struct value equal(struct value x, struct value y, bool wanted)
{
	return x.kind == UNDEFINED || y.kind == UNDEFINED ? undefined : of_bool(same(x, y) == wanted);
}

static struct value in(struct value x, struct value y)
{
	if (x.kind == UNDEFINED || y.kind != ARRAY)
		return undefined;
	for (int i = 0; i < y.count; i++)
		if (same(x, y.items[i]))
			return of_bool(true);
	return of_bool(false);
}

static struct value binary(struct sk_arena *a, const char *op, struct value x, struct value y)
{
	if (x.kind == GIVEN_UP || y.kind == GIVEN_UP)
		return given_up;
	switch (*op) {
	case 'O': return logic(x, y, 1);
	case 'A': return logic(x, y, 0);
	case 'I': return in(x, y);
	case '=': return equal(x, y, true);
	case '<': return op[1] == '>' ? equal(x, y, false) : compare(op, x, y);
	case '>': return compare(op, x, y);
	default: return arithmetic(a, *op, x, y);
	}
}

static struct value eval(struct sk_arena *a, const struct node *n);

static struct value unary(struct sk_arena *a, const struct node *n)
{
	struct value v = eval(a, n->kid[0]);

	if (v.kind == GIVEN_UP)
		return v;
	if (n->which == 0)
		return truth_of(v) < 0 ? undefined : of_bool(!truth_of(v));
	return isnan(number_of(v)) ? undefined : of_number(0 - number_of(v));
}

static struct value items(struct sk_arena *a, const struct node *n, bool nulls)
{
	struct value *kept = sk_alloc(a, 4 * sizeof *kept), out = { .kind = ARRAY, .items = kept };

	for (int i = 0; kept && i < n->kids; i++) {
		struct value v = eval(a, n->kid[i]);
		if (v.kind == GIVEN_UP)
			return v;
		if (v.kind != UNDEFINED && (nulls || v.kind != NIL))
			kept[out.count++] = v;
	}
	return out;
}

static struct value spliced(struct sk_arena *a, struct value x, struct value y)
{
	int n = (x.kind == ARRAY ? x.count : 1) + (y.kind == ARRAY ? y.count : 1), count = 0;
	struct value *kept = sk_alloc(a, (size_t)(n + 1) * sizeof *kept), both[] = { x, y };

	for (int i = 0; kept && i < 2; i++) {
		if (both[i].kind == ARRAY)
			for (int j = 0; j < both[i].count; j++)
				kept[count++] = both[i].items[j];
		else if (both[i].kind != UNDEFINED)
			kept[count++] = both[i];
	}
	return (struct value){ .kind = ARRAY, .items = kept, .count = count };
}

static struct value length(struct sk_arena *a, struct value v)
{
	const char *s = text_of(a, v);

	return !s ? undefined : strchr(s, '?') ? given_up : of_number((double)strlen(s));
}

static struct value call(struct sk_arena *a, const struct node *n)
{
	struct value x = eval(a, n->kid[0]), y = n->kids > 1 ? eval(a, n->kid[1]) : undefined;
	double v = number_of(x);

	if (x.kind == GIVEN_UP || y.kind == GIVEN_UP)
		return given_up;
	switch (n->which) {
	case 0: return of_bool(x.kind == NIL);
	case 1: return of_bool(x.kind == UNDEFINED);
	case 2: return isnan(v) ? undefined : of_number(fabs(v));
	case 3: return isnan(v) ? undefined : of_number((v > 0) - (v < 0));
	case 4: return length(a, x);
	case 5:
	case 6: return x.kind <= NIL ? y : x;
	default: break;
	}
	if (x.kind == ARRAY || y.kind == ARRAY)
		return spliced(a, x, y);
	return x.kind == STRING || y.kind == STRING ? join(a, x, y) : undefined;
}

static struct value case_of(struct sk_arena *a, const struct node *n)
{
	struct value v = eval(a, n->kid[0]), t = eval(a, n->kid[1]), then = eval(a, n->kid[2]), otherwise = eval(a, n->kid[3]);

	if (v.kind == GIVEN_UP || t.kind == GIVEN_UP || then.kind == GIVEN_UP || otherwise.kind == GIVEN_UP)
		return given_up;
	if (v.kind == UNDEFINED)
		return v;
	return t.kind != UNDEFINED && same(v, t) ? then : otherwise;
}

static struct value eval(struct sk_arena *a, const struct node *n)
{
	switch (n->shape) {
	case LITERAL: return literals[n->which].value;
	case NAME: return names[n->which].value;
	case UNARY: return unary(a, n);
	case BINARY: return binary(a, binaries[n->which].text, eval(a, n->kid[0]), eval(a, n->kid[1]));
	case CASE: return case_of(a, n);
	case CALL: return call(a, n);
	default: return items(a, n, n->shape == LIST);
	}
}

/* Names within a nested SELECT are of its elements, not of the document, but its elements are evaluated outside: FROM [x, y]. */

static cJSON *to_node(struct sk_arena *a, struct value v)
{
	cJSON *out;

	switch (v.kind) {
	case NIL: return sk_json_null(a);
	case BOOL: return sk_json_bool(a, v.truth);
	case NUMBER: return sk_json_number(a, v.number);
	case STRING: return sk_json_string(a, v.text);
	case ARRAY: break;
	default: return NULL;
	}
	out = sk_json_array(a);
	for (int i = 0; i < v.count; i++)
		sk_json_append(out, to_node(a, v.items[i]));
	return out;
}

/* -- both -- */

static const char *compiled(struct sk_arena *a, const char *text, size_t n, const cJSON **out)
{
	const struct sql_options options = { .version = SQL_2016_03_23 };
	const struct sql_message m = { .topic = "t", .document = sk_json_parse(a, document, strlen(document), NULL, NULL) };
	struct expr_error e;
	struct sql_result r;
	const struct expr_program *p = sql_compile(a, text, n, &options, &e);

	if (!p)
		return sk_strdup(a, e.message);
	if (sql_run(p, &m, a, NULL, &r) != SK_OK)
		return r.why;
	*out = sk_json_get(r.document, "v");
	return NULL;
}

const char *naive_disagreement(struct sk_arena *a, struct naive_choices *from, size_t *size)
{
	struct making m = { .arena = a, .from = from };
	const struct node *tree = make(&m, 0);
	struct value expected = eval(a, tree);
	const cJSON *got = NULL, *want = to_node(a, expected);
	const char *why = NULL;
	char *text = NULL;
	FILE *f = open_memstream(&text, size);

	fputs("SELECT ", f);
	write(f, tree, 0);
	fputs(" AS v FROM 't'", f);
	fclose(f);
	if (expected.kind != GIVEN_UP) {
		why = compiled(a, text, *size, &got);
		if (why)
			why = sk_printf(a, "%s\n%s", text, why);
		else if (want || got ? !want || !got || !sk_json_equal(want, got) : false)
			why = sk_printf(a, "%s\nnaive: %s\nprogram: %s", text, want ? sk_json_print(a, want, NULL) : "undefined",
			                got ? sk_json_print(a, got, NULL) : "undefined");
	}
	free(text);
	return why;
}
