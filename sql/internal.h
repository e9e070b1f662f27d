/* internal.h -- what the files of this folder share: the dialect, conversions, and the state of one run. */
#ifndef SQL_INTERNAL_H
#define SQL_INTERNAL_H

#include "expr/parse.h"
#include "expr/value.h"
#include "sql/sql.h"

/* Bits of a program's mode. */
enum { SQL_STRICT = EXPR_OWN_MODE, SQL_IS_2015 = EXPR_OWN_MODE * 2, SQL_IS_BETA = EXPR_OWN_MODE * 4, SQL_IS_ALONE = EXPR_OWN_MODE * 8 };

extern const struct expr_dialect sql_dialect;
uint32_t sql_mode_of(const struct sql_options *opt);
/* The row with that name, which need not be one that can be written. */
const struct expr_function *sql_function(const char *name);

/* What names mean while a statement is parsed: parser->own. Tokens point into texts. */
#define SQL_MOST_VARIABLES 10
struct sql_names {
	struct expr_token element; /* a of SELECT ... FROM array AS a; n is 0: none */
	int variables;
	struct expr_token variable[SQL_MOST_VARIABLES]; /* "@name" */
};

/* Entries of a program. */
enum { SQL_CONDITION, SQL_ITEMS, SQL_FILTER, SQL_VARIABLES };

/* One run: run->context. */
struct sql_run {
	const struct sql_message *message;
	uint32_t chances;  /* numbers drawn */
	uint32_t looks[2]; /* calls of functions that may be called once */
	struct expr_value *variables; /* SQL_MOST_VARIABLES, or NULL where the program has none */
	size_t variable_bytes;
	struct sql_patterns *patterns; /* the message's, or one of this run; NULL before the first regular expression */
};
static inline struct sql_run *sql_state(struct expr_run *r)
{
	return r->context;
}

/* -- convert.c: the standard conversions. "False" is what the guide calls Undefined -- */

bool sql_decimal(const struct expr_value *v, struct expr_decimal *out);
/* Saturated to int64; a string is truncated whatever `how` says for decimals. */
bool sql_int(const struct expr_value *v, enum expr_rounding how, int64_t *out);
struct expr_value sql_text(struct expr_run *r, const struct expr_value *v);
int sql_truth(const struct expr_value *v);
struct expr_value sql_number(struct expr_run *r, struct expr_decimal d);
/* Room for n bytes and a NUL of a new string; NULL if that is too much. */
char *sql_room(struct expr_run *r, size_t n);

/* -- parsing constructs of SQL: statement.c -- */

int sql_primary(struct expr_parser *p);
/* set.c: the token is '@'; the token is behind SET. */
bool sql_variable(struct expr_parser *p);
bool sql_set_clause(struct expr_parser *p);
bool sql_parse_cast(struct expr_parser *p, const struct expr_function *f);
bool sql_parse_default(struct expr_parser *p, const struct expr_function *f);
bool sql_parse_coding(struct expr_parser *p, const struct expr_function *f);

/* -- operators and functions: one row of functions.tbl each -- */

expr_apply sql_or, sql_and, sql_not, sql_equals, sql_differs, sql_less, sql_at_most, sql_greater, sql_at_least, sql_add, sql_subtract,
        sql_multiply, sql_divide, sql_negate, sql_in, sql_like, sql_exists;
#define FN(name, least, most, since, apply, parse) expr_apply sql_fn_##apply;
#include "sql/functions.tbl"
#undef FN

/* -- calendar.c, zone_rule.c, time_format.c, time_parse.c, md2.c -- */

struct sql_moment {
	int64_t year; /* 0 is 1 BC */
	int month, day, hour, minute, second, ms;
	int weekday; /* 1 is Monday */
	int yearday; /* from 1 */
	int offset;  /* seconds east of UTC */
	const char *zone; /* short name */
	const char *zone_id;
};
int64_t sql_days_of(int64_t year, int month, int day); /* since 1970-01-01 */
struct sql_moment sql_moment_at(int64_t ms, int offset);
/* A zone's name or offset at that time; "Z", "UTC+01:00" and "+0100" need nobody. */
bool sql_zone_of(struct expr_run *r, const char *name, int64_t utc_ms, struct sql_zone *out);
/* The n bytes of a rule of POSIX's TZ, with the form of its changes. False: not such a rule. */
bool sql_zone_rule(const char *rule, size_t n, int64_t utc_s, struct sql_zone *out);
/* Joda-Time's pattern. NULL: not a pattern. */
char *sql_format_time(struct expr_run *r, const char *pattern, const struct sql_moment *m, size_t *n);
/* java.time's pattern. False: the text does not fit, or it is no pattern. */
bool sql_parse_time(struct expr_run *r, const char *text, const char *pattern, int64_t *ms);
extern const char *const sql_months[12], *const sql_weekdays[7];

void sql_md2_of(const void *bytes, size_t n, unsigned char out[16]);
/* fn_text.c: the character at place i of a string. */
struct expr_value sql_character(struct expr_run *r, const struct expr_value *v, int64_t i);

#endif
