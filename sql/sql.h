/* sql.h -- AWS IoT SQL: [SET @a = ...] SELECT ... FROM 'filter' WHERE ..., and ${...} in the fields of actions.
 *
 * Compiled once into one block (expr/expr.h), run for each message. A run reads the program and the message, and writes only
 * the arena and what it answers, so one program serves any number of threads. What a statement asks of the world (shadows,
 * registry, functions) goes through one callback, which may answer "not yet". README.md lists the rules of the language. */
#ifndef SQL_H
#define SQL_H

#include "expr/expr.h"

enum sql_version { SQL_2015_10_08, SQL_2016_03_23, SQL_BETA };

struct sql_options {
	enum sql_version version;
	struct expr_marks *marks; /* NULL: nobody will watch runs */
	bool alone; /* no functions that ask the world: the templates of error actions */
	const char *statement; /* for a template: the statement whose variables (SET) it may use, with all that they are made of. NULL: none */
	bool strict_aws; /* what AWS's guide says even where it contradicts itself, and no extensions: README.md lists the cases */
};

/* "2016-03-23" and so on. False: there is no such version. */
bool sql_version_by_name(const char *name, enum sql_version *out);

/* -- compiling: NULL with *error -- */

const struct expr_program *sql_compile(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt,
                                       struct expr_error *error);
/* Text with ${expression} in it. */
const struct expr_program *sql_compile_template(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt,
                                                struct expr_error *error);
/* The topic filter of FROM, within the program; NULL if there is none (Basic Ingest). */
const char *sql_filter(const struct expr_program *p);
/* What the program does, for people. */
char *sql_explain(struct sk_arena *a, const struct expr_program *p);

/* -- the message -- */

struct sql_property {
	const char *name, *value;
};

/* What a function asks of the world. */
struct sql_lookup {
	const char *function; /* "get_thing_shadow" */
	int count;
	const cJSON *args[8]; /* NULL: undefined */
	bool for_people;      /* what is answered will be shown: no secrets */
};
enum { SQL_ANSWERED = 0, SQL_LATER = 1 };
/* SQL_ANSWERED with *answer (NULL: undefined), SQL_LATER, or a negative SK_E_* with *why in one line. */
typedef int sql_look(void *world, const struct sql_lookup *what, const cJSON **answer, const char **why);

/* Compiled regular expressions that are kept from message to message: all zero at first, one for each thread that runs. */
#define SQL_KEPT_PATTERNS 16
struct sql_patterns {
	struct sk_arena arena;
	struct {
		const char *text;
		size_t n;
		void *code; /* NULL: not a regular expression */
	} kept[SQL_KEPT_PATTERNS];
	unsigned next;
	void *matching; /* what PCRE2 needs once */
};
void sql_patterns_free(struct sql_patterns *p); /* leaves it all zero */

struct sql_zone {
	int offset;     /* seconds east of UTC */
	char name[8];   /* "CST" */
};
/* The zone "America/Belize" at that time. False: there is no such zone. */
typedef bool sql_zone_at(void *world, const char *zone, int64_t utc_ms, struct sql_zone *out);

/* For such a callback: the same from the n bytes of the zone's file (/usr/share/zoneinfo/...). False: not such a file. */
bool sql_zone_file(const void *file, size_t n, int64_t utc_ms, struct sql_zone *out);

/* Texts are UTF-8; NULL is what is not known. */
struct sql_message {
	const char *topic;
	const void *payload;
	size_t size;
	const cJSON *document; /* the payload parsed; NULL: not JSON */
	const char *client_id, *principal, *account, *source_ip;
	const char *trace_id;  /* NULL: one that is made of the seed when it is asked for */
	/* MQTT 5 */
	const struct sql_property *user; /* the last one has no name; may be NULL */
	const char *content_type, *response_topic;
	const void *correlation;
	size_t correlation_size;
	int format; /* payload format indicator: 0, 1; -1: not given */
	/* of the call: the same again when it runs again */
	int64_t now_ms;
	uint8_t seed[16];
	/* the world */
	void *world;
	sql_look *look;        /* NULL: no function finds an answer */
	sql_zone_at *zone;     /* NULL: only UTC and offsets */
	struct sql_patterns *patterns; /* NULL: none are kept */
	expr_trace *trace;     /* NULL: nobody watches the run */
	void *watcher;
	bool for_people;       /* what the run makes is shown, not sent: get_secret() answers *** */
};
/* What traceid() answers for it: the same as often as a message with that seed is run. NULL: memory is out. */
const char *sql_trace_id(const struct sql_message *m, struct sk_arena *a);

/* -- running: SK_OK, SQL_LATER (void: run again when the answer is there), or a negative SK_E_* with why -- */

enum sql_outcome {
	SQL_NO_MATCH, /* WHERE is not true */
	SQL_NOTHING,  /* it matched, but SELECT VALUE is undefined: there is nothing to send */
	SQL_DOCUMENT,
	SQL_RAW,      /* SELECT * of a payload that is not JSON: the payload as it came */
};
struct sql_result {
	enum sql_outcome outcome;
	const cJSON *document; /* shares nodes with the message's: read-only from then on */
	const char *text;      /* of a template; NULL: an error */
	const char *why;       /* of an error */
	uint64_t steps;        /* that it took */
};

/* `limits` may be NULL. */
int sql_run(const struct expr_program *p, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
            struct sql_result *out);
/* A run that is watched, for people: [{"clause":"temp > 30","value":true}, ...] in the order in which values were found, without
 * "value" where it is undefined, at most 1,000; with "cut" instead once they have taken 4 MiB; `out` as of sql_run. NULL: it does not compile, or no memory. */
cJSON *sql_trace(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt, const struct sql_message *m,
                 struct sql_result *out);
/* out->text, why and steps. Undefined in a template is an error. */
int sql_run_template(const struct expr_program *p, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits,
                     struct sql_result *out);

#endif
