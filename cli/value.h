/* value.h -- the text after a flag becomes the JSON value of an input.
 *
 * A value may be JSON, AWS's shorthand, or file://PATH for either. What text means is decided by a row as
 * ListOperations serves it: its kind, and "members" (struct) or "element" (list, map), rows again. Nothing is validated
 * here beyond what is needed to build the value: the service checks every input and says so in AWS's words. */
#ifndef SKEETER_VALUE_H
#define SKEETER_VALUE_H

#include "core/arena.h"
#include "core/json.h"

struct value_error {
	char text[512]; /* one line without a full stop */
};

/* argv are the n >= 1 arguments after the flag. NULL with *e filled. */
cJSON *value_of(struct sk_arena *a, const cJSON *row, char **argv, int n, struct value_error *e);

/* One text as a value of that row's kind; a NULL row makes a string. NULL with *e filled. */
cJSON *value_scalar(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e);

/* "key=value,key={k=v},key=[a,b]" as an object whose members are the row's (shorthand.c). NULL with *e filled. */
cJSON *value_shorthand(struct sk_arena *a, const cJSON *row, const char *text, struct value_error *e);

/* A JSON document from an argument, possibly file://. NULL with *e filled. */
cJSON *value_json(struct sk_arena *a, const char *text, struct value_error *e);

/* `text` itself, or the content of the file when it begins with file:// or fileb://. NULL with *e filled. */
const char *value_text(struct sk_arena *a, const char *text, struct value_error *e);

/* A file's content with a NUL behind it; *n is its size. n may be NULL: then it is text, which holds no NUL. NULL with *e filled. */
char *value_file(struct sk_arena *a, const char *path, size_t *n, struct value_error *e);

/* A word as people mean it: 1, 2.5, true, null, and quoted or bracketed JSON are JSON; all else is a string. */
cJSON *value_word(struct sk_arena *a, const char *text);

#endif
