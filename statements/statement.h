/* statement.h -- what an action writes into a database of SQL: the text of one statement, and its parameters.
 *
 * Fields of such an action, the same for every database: `sql` with `parameters`, or `table` with `columns`; `payloadParameter` or
 * `payloadColumn` (the message), `idParameter` or `idColumn` (the item's id), `nullWhenEmpty`. Nothing that came in a message is ever part of the text: it is a parameter. Pure. */
#ifndef STATEMENTS_STATEMENT_H
#define STATEMENTS_STATEMENT_H

#include "core/sink.h"

struct statement_dialect {
	char quote;              /* of names: '"' or '`'; in a name it is doubled */
	bool numbered;           /* $1, $2; false: ? */
	size_t most;             /* parameters of one statement */
};
struct statement_value {
	const char *text;        /* NULL: it is NULL */
	size_t size;
	bool payload;
};
struct statement {
	const char *sql;
	size_t n;
	struct statement_value *value;
};

/* An item's. NULL, or why there is none. Texts are the item's or the arena's. */
const char *statement_of(const struct sk_sink_item *item, const struct statement_dialect *d, struct sk_arena *a, struct statement *out);
/* What is wrong with an action's fields, when a rule is made; NULL: nothing. */
const char *statement_check(const cJSON *fields, const struct statement_dialect *d, struct sk_arena *a);
/* Somebody else's words as one line of at most some 400 bytes. */
const char *statement_words(struct sk_arena *a, const char *text);

#endif
