/* value.h -- values to and from documents and decimals. */
#ifndef EXPR_VALUE_H
#define EXPR_VALUE_H

#include "expr/expr.h"

/* Of a node of a document; NULL is undefined. Whole decimals become integers with EXPR_FOLD_WHOLE. */
struct expr_value expr_of_node(uint32_t mode, const cJSON *node);
/* A free node of the arena; arrays and objects share their children with the value. NULL: undefined, raw, or out of memory. */
cJSON *expr_to_node(struct sk_arena *a, const struct expr_value *v);

/* Text of the arena, the program or the document, of n bytes and NUL-terminated. */
struct expr_value expr_string(const char *text, size_t n);
/* A computed decimal: out of range is undefined, whole ones of int64 are integers if they have no places or are folded. */
struct expr_value expr_number(uint32_t mode, struct expr_decimal d);
struct expr_value expr_double(uint32_t mode, double v);
/* Of an integer or decimal. */
struct expr_decimal expr_to_decimal(const struct expr_value *v);
bool expr_is_number(const struct expr_value *v);
bool expr_is_whole(const struct expr_value *v); /* a number without decimal places, as it is written */

/* By value: 1 is 1.0, members in any order. Neither is undefined; different kinds are not equal. */
bool expr_equal(const struct expr_value *x, const struct expr_value *y);

/* Puts a node that stands nowhere, or a second node of one that does, at the end. The key is not copied, and is new. */
void expr_link(struct sk_arena *a, cJSON *parent, const char *key, const cJSON *node);

/* "undefined", "a string", "an integer", ... for messages. */
const char *expr_kind_name(const struct expr_value *v);

#endif
