/* code.h -- reading what emit.c wrote. Each answers the value and moves *pc behind it. */
#ifndef EXPR_CODE_H
#define EXPR_CODE_H

#include <string.h>

#include "expr/value.h"

static inline uint64_t code_varint(const uint8_t **pc)
{
	uint64_t v = 0;

	for (int shift = 0;; shift += 7) {
		uint8_t byte = *(*pc)++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
}

static inline int64_t code_int(const uint8_t **pc)
{
	uint64_t v = code_varint(pc);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline const char *code_text(const uint8_t **pc, size_t *n)
{
	const char *text;

	*n = code_varint(pc);
	text = (const char *)*pc;
	*pc += *n + 1;
	return text;
}

static inline uint32_t code_address(const uint8_t **pc)
{
	uint32_t at;

	memcpy(&at, *pc, sizeof at);
	*pc += sizeof at;
	return at;
}

static inline struct expr_value code_decimal(const uint8_t **pc)
{
	struct expr_value v = { .kind = EXPR_DECIMAL };
	int e;

	memcpy(&v.c, *pc, sizeof v.c);
	memcpy(&e, *pc + sizeof v.c, sizeof e);
	v.exponent = (int16_t)e;
	*pc += sizeof v.c + sizeof e;
	return v;
}

#endif
