/* parse.h -- what a dialect needs to parse constructs of its own: tokens, the expression parser, the emitter.
 *
 * Every function that can fail answers false and has noted the error; the first one counts. Code is emitted in one pass, in
 * the order in which it runs. */
#ifndef EXPR_PARSE_H
#define EXPR_PARSE_H

#include "expr/expr.h"

#define EXPR_MOST_NESTING 64

enum expr_op {
#define OP(name, operands, effect) EXPR_OP_##name,
#include "expr/ops.tbl"
#undef OP
	EXPR_OPS
};

enum expr_token_kind { EXPR_T_END, EXPR_T_NAME, EXPR_T_QUOTED_NAME, EXPR_T_NUMBER, EXPR_T_STRING, EXPR_T_SIGN };

struct expr_token {
	enum expr_token_kind kind;
	const char *at; /* into the text; of a string or quoted name the first quote */
	size_t n;
};

struct expr_parser {
	const struct expr_dialect *dialect;
	uint32_t mode;
	struct sk_arena *arena;
	const char *text, *end;
	struct expr_token token;
	const char *behind; /* where the token before ended */
	enum expr_token_kind before; /* its kind */
	enum expr_op last;  /* emitted */
	int nest;
	uint8_t *code;
	uint32_t n, room;
	uint32_t depth, deepest; /* of the stack */
	uint32_t entry[4];
	void *own;          /* the dialect's */
	struct expr_marks *marks; /* NULL: not wanted */
	bool failed;
	struct expr_error *error;
};

/* -- tokens (lex.c) -- */

/* Reads the first token of n bytes. False: not UTF-8, a NUL. */
bool expr_parser_start(struct expr_parser *p, const char *text, size_t n);
bool expr_next(struct expr_parser *p);
struct expr_token expr_peek(const struct expr_parser *p); /* the token behind the token */
bool expr_token_is(const struct expr_parser *p, const struct expr_token *t, const char *word);
bool expr_at(const struct expr_parser *p, const char *word);
bool expr_accept(struct expr_parser *p, const char *word); /* takes the token if it is the word */
bool expr_expect(struct expr_parser *p, const char *word); /* or else an error */
/* The text of a string or name token, quotes resolved; the arena's. */
char *expr_token_text(struct expr_parser *p, const struct expr_token *t, size_t *n);
/* The row of dialect->operators for the token at this place, NULL. */
const struct expr_operator *expr_operator_at(const struct expr_parser *p, const struct expr_token *t, bool prefix);
bool expr_is_reserved(const struct expr_parser *p, const struct expr_token *t);

/* -- errors: answer false -- */

bool expr_expected(struct expr_parser *p, const char *what); /* "an expression", "'FROM'"; found is the token */
bool expr_refuse_at(struct expr_parser *p, const char *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool expr_out_of_memory(struct expr_parser *p);

/* -- expressions (parse.c) -- */

bool expr_expression(struct expr_parser *p);
bool expr_binding(struct expr_parser *p, int least); /* operators that bind at least as tight */
/* A construct that begins one level deeper; leave with p->nest--. */
bool expr_enter(struct expr_parser *p);
/* Arguments up to ')'. */
bool expr_arguments(struct expr_parser *p, int *count);
bool expr_end_of_text(struct expr_parser *p);
/* The program of what was emitted. NULL: an error is noted. */
const struct expr_program *expr_parser_finish(struct expr_parser *p);

/* -- code (emit.c) -- */

bool expr_emit(struct expr_parser *p, enum expr_op op);
bool expr_emit_text(struct expr_parser *p, enum expr_op op, const char *text, size_t n);
bool expr_emit_path(struct expr_parser *p, const char *const *names, int count);
bool expr_emit_number(struct expr_parser *p, const char *text, size_t n);
bool expr_emit_operator(struct expr_parser *p, const struct expr_operator *o);
bool expr_emit_call(struct expr_parser *p, const struct expr_function *f, int count);
/* An instruction with an address to be set by expr_land; *at is where it stands. */
bool expr_emit_jump(struct expr_parser *p, enum expr_op op, uint32_t *at);
void expr_land(struct expr_parser *p, uint32_t at); /* here */
bool expr_emit_each(struct expr_parser *p, uint32_t items, uint32_t *where);

#endif
