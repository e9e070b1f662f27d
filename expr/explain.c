/* explain.c -- programs for people: one instruction a line, with its address and operands. */
#include <stdio.h>

#include "expr/code.h"
#include "expr/parse.h"

static const struct {
	const char *name, *operands;
} ops[] = {
#define OP(name, operands, effect) { #name, operands },
#include "expr/ops.tbl"
#undef OP
};

struct printer {
	const struct expr_dialect *dialect;
	struct sk_arena *arena;
	const uint8_t *pc;
	char *text;
	size_t n, room;
};

static void put(struct printer *p, const char *fmt, const char *s)
{
	size_t more = strlen(fmt) + strlen(s), room = p->room ? p->room : 1024;
	char *text;

	while (room - p->n < more + 1)
		room *= 2;
	if (room != p->room) {
		text = p->room && !p->text ? NULL : sk_alloc_text(p->arena, room);
		if (text && p->n)
			memcpy(text, p->text, p->n);
		p->text = text;
		p->room = room;
	}
	if (p->text)
		p->n += (size_t)snprintf(p->text + p->n, p->room - p->n, fmt, s);
}

static void put_text(struct printer *p)
{
	size_t n;

	put(p, " '%s'", code_text(&p->pc, &n));
}

static void put_int(struct printer *p)
{
	char room[24];

	snprintf(room, sizeof room, "%lld", (long long)code_int(&p->pc));
	put(p, " %s", room);
}

static void put_decimal(struct printer *p)
{
	char room[EXPR_DECIMAL_ROOM];
	struct expr_value v = code_decimal(&p->pc);

	expr_decimal_print(room, expr_to_decimal(&v));
	put(p, " %s", room);
}

static void put_address(struct printer *p)
{
	char room[16];

	snprintf(room, sizeof room, "%u", (unsigned)code_address(&p->pc));
	put(p, " %s", room);
}

static void put_operator(struct printer *p)
{
	put(p, " %s", p->dialect->operators[*p->pc++].spelling);
}

static void put_function(struct printer *p)
{
	char room[16];

	put(p, " %s", p->dialect->functions[*p->pc++].name);
	snprintf(room, sizeof room, "/%u", *p->pc++);
	put(p, "%s", room);
}

static void put_path(struct printer *p)
{
	for (int n = *p->pc++; n > 0; n--)
		put_text(p);
}

static const struct {
	char operand;
	void (*put)(struct printer *p);
} operands[] = { { 't', put_text },    { 'i', put_int },      { 'd', put_decimal }, { 'a', put_address },
	         { 'o', put_operator }, { 'f', put_function }, { 'p', put_path } };

static void put_operands(struct printer *p, const char *kinds)
{
	for (; *kinds; kinds++)
		for (size_t i = 0; i < sizeof operands / sizeof *operands; i++)
			if (operands[i].operand == *kinds)
				operands[i].put(p);
}

char *expr_explain(const struct expr_dialect *d, const struct expr_program *program, struct sk_arena *a, uint32_t at)
{
	struct printer p = { .dialect = d, .arena = a, .pc = program->code + at };
	const uint8_t *end = program->code + (program->size - sizeof *program);

	while (p.pc < end) {
		char room[16];
		unsigned op = *p.pc;
		snprintf(room, sizeof room, "%5u", (unsigned)(p.pc - program->code));
		p.pc++;
		put(&p, "%s  ", room);
		put(&p, "%s", ops[op].name);
		put_operands(&p, ops[op].operands);
		put(&p, "%s", "\n");
	}
	put(&p, "%s", "");
	return p.text;
}
