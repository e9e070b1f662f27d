/* code_read.h -- a function's code on a thread that is no worker's: read from the store. */
#ifndef FUNCTIONS_CODE_READ_H
#define FUNCTIONS_CODE_READ_H

#include "core/arena.h"

/* The zip of that SHA-256 (hex). NULL with *why: it is not there, the store does not answer, memory is out. The arena's. */
const void *code_read(struct sk_arena *a, const char *sha256, size_t *size, const char **why);
/* A file in it as text. */
const char *code_read_file(struct sk_arena *a, const char *sha256, const char *name, size_t *size, const char **why);

#endif
