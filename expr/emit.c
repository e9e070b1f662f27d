/* emit.c -- instructions into a growing buffer, and how deep the stack becomes.
 *
 * Lengths and integers are varints; addresses are four bytes, so that they can be set later. Code begins with an unused
 * byte: no block has the address 0. */
#include "expr/parse.h"

#include <string.h>

enum { FIRST_ROOM = 256, MOST_STACK = 4096 };

static const int8_t effects[] = {
#define OP(name, operands, effect) effect,
#include "expr/ops.tbl"
#undef OP
};

static bool reserve(struct expr_parser *p, size_t more)
{
	size_t room = p->room ? p->room : FIRST_ROOM;
	uint8_t *code;

	if (p->failed)
		return false;
	if (p->room - p->n >= more)
		return true;
	while (room - p->n < more)
		room *= 2;
	code = (uint8_t *)sk_alloc_text(p->arena, room);
	if (!code)
		return expr_out_of_memory(p);
	if (p->n)
		memcpy(code, p->code, p->n);
	p->code = code;
	p->room = (uint32_t)room;
	if (p->n == 0)
		p->code[p->n++] = EXPR_OP_END;
	return p->room - p->n >= more || reserve(p, more);
}

static bool put_byte(struct expr_parser *p, unsigned byte)
{
	if (!reserve(p, 1))
		return false;
	p->code[p->n++] = (uint8_t)byte;
	return true;
}

static bool put_varint(struct expr_parser *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		if (!put_byte(p, (unsigned)(v & 0x7f) | 0x80))
			return false;
	return put_byte(p, (unsigned)v);
}

static bool put_bytes(struct expr_parser *p, const void *bytes, size_t n)
{
	if (!reserve(p, n))
		return false;
	memcpy(p->code + p->n, bytes, n);
	p->n += (uint32_t)n;
	return true;
}

static bool put_text(struct expr_parser *p, const char *text, size_t n)
{
	return put_varint(p, n) && put_bytes(p, text, n) && put_byte(p, 0);
}

static bool grow(struct expr_parser *p, int effect)
{
	p->depth = (uint32_t)((int)p->depth + effect);
	if (p->depth > p->deepest)
		p->deepest = p->depth;
	return p->deepest <= MOST_STACK || expr_refuse_at(p, p->token.at, "nested too deeply");
}

bool expr_emit(struct expr_parser *p, enum expr_op op)
{
	p->last = op;
	return put_byte(p, op) && grow(p, effects[op]);
}

bool expr_emit_text(struct expr_parser *p, enum expr_op op, const char *text, size_t n)
{
	return expr_emit(p, op) && put_text(p, text, n);
}

bool expr_emit_path(struct expr_parser *p, const char *const *names, int count)
{
	if (!expr_emit(p, EXPR_OP_PUT) || !put_byte(p, (unsigned)count))
		return false;
	for (int i = 0; i < count; i++)
		if (!put_text(p, names[i], strlen(names[i])))
			return false;
	return true;
}

bool expr_emit_number(struct expr_parser *p, const char *text, size_t n)
{
	struct expr_decimal d;
	int64_t i;

	if (!expr_decimal_read(text, n, &d))
		return expr_refuse_at(p, text, "the number is out of range");
	if (p->mode & EXPR_FOLD_WHOLE)
		d = expr_decimal_whole(d);
	if (d.e == 0 && expr_decimal_to_int(d, &i))
		return expr_emit(p, EXPR_OP_INT) && put_varint(p, (uint64_t)i << 1 ^ (uint64_t)(i >> 63));
	return expr_emit(p, EXPR_OP_DECIMAL) && put_bytes(p, &d.c, sizeof d.c) && put_bytes(p, &d.e, sizeof d.e);
}

bool expr_emit_operator(struct expr_parser *p, const struct expr_operator *o)
{
	return expr_emit(p, o->place == EXPR_PREFIX ? EXPR_OP_PREFIX : EXPR_OP_INFIX) && put_byte(p, (unsigned)(o - p->dialect->operators));
}

bool expr_emit_call(struct expr_parser *p, const struct expr_function *f, int count)
{
	p->last = EXPR_OP_CALL;
	return put_byte(p, EXPR_OP_CALL) && grow(p, 1 - count) && put_byte(p, (unsigned)(f - p->dialect->functions)) &&
	       put_byte(p, (unsigned)count);
}

bool expr_emit_jump(struct expr_parser *p, enum expr_op op, uint32_t *at)
{
	const uint32_t unknown = 0;

	if (!expr_emit(p, op))
		return false;
	*at = p->n;
	return put_bytes(p, &unknown, sizeof unknown);
}

void expr_land(struct expr_parser *p, uint32_t at)
{
	if (!p->failed)
		memcpy(p->code + at, &p->n, sizeof p->n);
}

bool expr_emit_each(struct expr_parser *p, uint32_t items, uint32_t *where)
{
	const uint32_t none = 0;

	if (!expr_emit(p, EXPR_OP_EACH) || !put_bytes(p, &items, sizeof items))
		return false;
	*where = p->n;
	return put_bytes(p, &none, sizeof none);
}

const struct expr_program *expr_parser_finish(struct expr_parser *p)
{
	size_t size = sizeof(struct expr_program) + p->n;
	struct expr_program *program = p->failed ? NULL : sk_alloc(p->arena, size);

	if (!program) {
		expr_out_of_memory(p);
		return NULL;
	}
	program->size = (uint32_t)size;
	program->mode = p->mode;
	program->stack = p->deepest + 1;
	memcpy(program->entry, p->entry, sizeof p->entry);
	memcpy(program->code, p->code, p->n);
	return program;
}
