/* token.h -- where a list goes on, as a text that says nothing and passes through any URL. */
#ifndef SK_TOKEN_H
#define SK_TOKEN_H

#include "core/arena.h"

/* NULL: memory is out. */
char *sk_token_of(struct sk_arena *a, const char *name);
/* The name; NULL: it is no token of ours, or memory is out. */
const char *sk_token_read(struct sk_arena *a, const char *token);

#endif
