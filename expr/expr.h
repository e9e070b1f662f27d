/* expr.h -- expressions over JSON documents: text to a small program, a program and a document to a value.
 *
 * The core knows literals, names, members, calls, short-circuit logic and how programs run. What operators and functions
 * there are, and what they mean, comes from a dialect: AWS IoT SQL (sql/) is one. Pure: no clock, no chance, no I/O.
 *
 * A program is one block without pointers: it can be copied, moved and shared between threads; nothing changes it.
 * All memory is the arena's that is passed. Values of a run may point into the program, the document and the arena. */
#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/json.h"
#include "expr/decimal.h"

/* -- values -- */

enum expr_kind { EXPR_UNDEFINED, EXPR_NULL, EXPR_BOOL, EXPR_INT, EXPR_DECIMAL, EXPR_STRING, EXPR_ARRAY, EXPR_OBJECT, EXPR_RAW };

/* All zero is undefined. A whole number of at most 34 digits that int64 does not hold is a decimal with exponent 0. */
struct expr_value {
	uint8_t kind;
	bool negative;    /* of a decimal */
	int16_t exponent; /* likewise */
	uint32_t size;    /* bytes of a string, or of the raw payload */
	union {
		bool truth;
		int64_t i;
		struct { uint64_t low, high; } c; /* a decimal's coefficient */
		const char *text;  /* a string: UTF-8 without NUL, and NUL-terminated */
		const cJSON *node; /* an array or object */
	};
};

/* -- dialects -- */

struct expr_run;
struct expr_parser;
struct expr_function;

/* n arguments to a result. Errors are noted with expr_fail_run; the result is undefined then. */
typedef struct expr_value expr_apply(struct expr_run *r, int n, const struct expr_value *args);
/* Parses what stands behind "name(", the closing bracket too, and emits the call. False: an error is noted. */
typedef bool expr_parse_call(struct expr_parser *p, const struct expr_function *f);
/* Looks whether a construct of the dialect's own begins at the token. 1: parsed, 0: it does not, -1: an error is noted. */
typedef int expr_parse_primary(struct expr_parser *p);

enum expr_place { EXPR_PREFIX = 1, EXPR_INFIX, EXPR_AND, EXPR_OR };

struct expr_operator {
	const char *spelling; /* a word or signs; the longest one that fits is taken */
	enum expr_place place;
	uint8_t binds;        /* 1 to 100, tighter is greater; a prefix operator takes what binds as tight */
	expr_apply *apply;    /* NULL: the row only keeps the spelling from being a name */
	bool to_right;        /* a ^ b ^ c is a ^ (b ^ c) */
	bool extension;       /* refused with EXPR_NO_EXTENSIONS */
};

struct expr_function {
	const char *name;
	uint8_t least, most;    /* arguments; 255: any number */
	uint16_t since;         /* the dialect's business: refuse() looks at it */
	expr_apply *apply;
	expr_parse_call *parse; /* NULL: a list of expressions */
};

struct expr_word {
	const char *name;
	enum expr_kind kind;
	bool truth;
};

struct expr_dialect {
	const char *name;
	const struct expr_operator *operators; /* the last one is { 0 } */
	const struct expr_function *functions; /* the last one is { 0 } */
	const struct expr_word *words;         /* constants; the last one is { 0 } */
	const char *const *reserved;           /* words that are no names; the last one is NULL */
	const char *quotes;                    /* what strings stand between; doubled it is itself */
	const char *name_signs;                /* what names may hold besides letters, digits and '_' */
	char name_quote;                       /* what odd names stand between; 0: nothing */
	bool fold_case;                        /* of words and functions; names of members are exact */
	expr_parse_primary *primary;           /* may be NULL */
	/* Why this function may not be used, or NULL. May be NULL itself. */
	const char *(*refuse)(const struct expr_parser *p, const struct expr_function *f);
	int (*truth)(const struct expr_value *v); /* 1 true, 0 false, -1 neither */
};

/* Bits of a mode; those from EXPR_OWN_MODE on are the dialect's. */
enum expr_mode {
	EXPR_EAGER_LOGIC = 1,   /* and, or always look at both sides */
	EXPR_FOLD_WHOLE = 2,    /* 10.0 is the integer 10, computed decimals lose zeros at their end */
	EXPR_NO_EXTENSIONS = 4, /* operators marked as extension, a[0] and quoted names are refused */
	EXPR_NO_LITERALS = 8,   /* [..] and {..} are refused */
	EXPR_LOOSE_CALLS = 16,  /* a wrong number of arguments is no error: the result is undefined */
	EXPR_OWN_MODE = 256,
};

/* -- programs -- */

struct expr_program {
	uint32_t size;     /* bytes of all, this header included */
	uint32_t mode;
	uint32_t stack;    /* values that a run needs at once */
	uint32_t entry[4]; /* offsets into code, the dialect's to use; 0: none. Code begins with an unused byte */
	uint8_t code[];
};

struct expr_error {
	int line, column;   /* from 1; columns are bytes */
	char expected[64];  /* "an expression", "'FROM'"; empty when nothing else would do */
	char message[192];  /* all of it in one line: "line 1, column 8: expected an expression, found 'FROM'" */
};

/* Which part of the text has its value on top of the stack when a run comes to the address `at`: for those who watch a run. */
struct expr_mark {
	uint32_t at, from, to; /* offsets: of code, of the text */
};
struct expr_marks {
	struct expr_mark *list; /* the arena's */
	uint32_t count, room;
};

/* One expression to a program with entry[0] set. NULL with *error. */
const struct expr_program *expr_compile(const struct expr_dialect *d, uint32_t mode, struct sk_arena *a, const char *text, size_t n,
                                        struct expr_error *error);
/* The program's instructions from `at` to the end of that block, one a line, for people. */
char *expr_explain(const struct expr_dialect *d, const struct expr_program *p, struct sk_arena *a, uint32_t at);

/* -- runs -- */

#define EXPR_STEPS 1000000u
#define EXPR_BYTES ((size_t)16 << 20)
struct expr_limits {
	uint64_t steps; /* instructions, and what functions charge for long work; 0: EXPR_STEPS */
	size_t bytes;   /* that the arena may grow by; 0: EXPR_BYTES */
	bool (*stop)(void *state); /* asked now and then; true ends the run. May be NULL */
	void *state;
};

/* Called when a run has come to an address, with the value on top of its stack. */
typedef void expr_trace(void *state, uint32_t at, const struct expr_value *v);

struct expr_run {
	const struct expr_dialect *dialect;
	const struct expr_program *program;
	struct sk_arena *arena;
	const cJSON *root;   /* what names are members of; NULL: nothing */
	void *context;       /* the dialect's */
	struct expr_limits limits;
	expr_trace *trace;   /* NULL: nobody watches */
	void *watcher;
	/* set by the run */
	uint64_t steps;      /* used */
	uint64_t asked, pause; /* steps when limits.stop was asked last; when to look at the limits again */
	size_t bytes_before; /* of the arena */
	int error;           /* SK_OK or what ended it */
	const char *message; /* of the error, the arena's or static */
	bool later;          /* a look-up has no answer yet: the value is void, run again when it has */
};

/* Prepares the fields that a run sets. */
void expr_run_start(struct expr_run *r);
/* Runs the block at an entry. After an error, or `later`, the value means nothing. */
struct expr_value expr_run_at(struct expr_run *r, uint32_t at);

/* -- for the functions of dialects -- */

/* Notes the first error and answers undefined. The message is formatted into the arena. */
struct expr_value expr_fail_run(struct expr_run *r, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* n steps of work, or bytes to come: false if that is too much, noted as an error. */
bool expr_charge(struct expr_run *r, uint64_t n);
/* Element i of an array, NULL if there is none. The way there is charged. */
const cJSON *expr_element(struct expr_run *r, const cJSON *array, int64_t i);

static inline struct expr_value expr_undefined(void)
{
	return (struct expr_value){ 0 };
}
static inline struct expr_value expr_bool(bool truth)
{
	return (struct expr_value){ .kind = EXPR_BOOL, .truth = truth };
}
static inline struct expr_value expr_int(int64_t i)
{
	return (struct expr_value){ .kind = EXPR_INT, .i = i };
}

#endif
