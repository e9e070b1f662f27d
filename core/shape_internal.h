/* shape_internal.h -- shapes as they are when compiled. Shared by shape.c (builds), shape_check.c and shape_bind.c (read).
 *
 * A type that is named before it is defined stands there with kind 0; sk_inputs_new refuses inputs that reach one, so
 * what a check walks is always defined. Types are the shapes' and live as long; they may refer to themselves. */
#ifndef SK_SHAPE_INTERNAL_H
#define SK_SHAPE_INTERNAL_H

#include "core/shape.h"
#include "core/shape_pattern.h"

struct sk_type;

/* A member of a structure, or an input. */
struct sk_field {
	struct sk_input input; /* name, type and wire point into text */
	const struct sk_type *type;
	char *text;
};
struct sk_fields {
	struct sk_field *field;
	size_t count;
};

struct sk_type {
	struct sk_shape shape;  /* all zero but the name: not defined yet */
	size_t number;          /* 0, 1, ... in order of naming */
	struct sk_pattern *pattern;
	struct sk_fields members;
	struct sk_type *element, *key;
	struct sk_type *next;   /* of the same bucket */
};

enum { SK_OUTPUTS = 6 };
struct sk_inputs {
	struct sk_fields fields;
	char *raw_output;       /* NULL: none */
	struct sk_output output[SK_OUTPUTS]; /* ends with a row of zeros; texts are owned */
};

#endif
