/* rule.h -- a topic rule: AWS's topicRulePayload to programs, a message and a rule to what is to be done.
 *
 * Pure. Compiled once, run for each message by any number of threads: nothing changes a rule. What an action does is not known here: an action
 * is a kind (a row of actions.tbl: its name, which of its fields are templates) and its fields; an evaluation fills the templates in. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "core/call.h"
#include "sql/sql.h"

/* -- kinds of actions: AWS's IoT API, Action -- */
struct rules_kind {
	const char *name;      /* "republish" */
	const char *templates; /* paths of the fields that may hold ${...}, separated by blanks: "topic headers.contentType headers.userProperties[].value" */
	const char *resource;  /* the field that AWS's error document calls failedResource; NULL: none */
	const char *plugin;    /* of ours: "sink_redis", whose kind it is; NULL: AWS's */
};
extern const struct rules_kind rules_kinds[]; /* the last one is { 0 } */
const struct rules_kind *rules_kind(const char *name); /* NULL: there is no such kind */

/* -- rules -- */
struct rules_action {
	const struct rules_kind *kind;
	const cJSON *fields;          /* as they were given */
	int templates;                /* fields with ${...} in them */
	const struct rules_template *template;
	bool secret;                  /* its templates mention get_secret(), or rules_holds_secret(): what it sends is not shown, nor kept as it is */
};
struct rules_rule {
	const char *name;
	const char *sql;              /* the text */
	const char *filter;           /* of FROM; NULL: none, Basic Ingest only */
	const struct expr_program *program;
	int actions;
	const struct rules_action *action;
	const struct rules_action *error_action; /* NULL: none */
	enum sql_version version;
	bool disabled;
	bool secret;                  /* the statement mentions get_secret(): what it selects is not shown, nor kept as it is */
	struct sk_arena *arena;       /* of all this */
};
struct rules_settings {
	bool strict_aws;
};
/* Fields that hold a secret as it is: a URL with a password, a field or a header named like one (password, token, Authorization, ...). */
bool rules_holds_secret(const cJSON *fields);
bool rules_is_secret_name(const char *name);
/* A copy with *** in the place of those; get_secret() stays, since it only names one. */
cJSON *rules_without_secrets(struct sk_arena *a, const cJSON *fields);
/* What is wrong with a payload. */
struct rules_error {
	int error;              /* SK_E_SQL_PARSE for the statement and templates, SK_E_INTERNAL: no memory, SK_E_INVALID_REQUEST for the rest */
	char message[512];      /* in one line, with "line 1, column 8: expected ..." for SQL and the field's path for a template */
};
/* `payload` is a topicRulePayload whose shape was checked (plugins/rules/rules.shapes); it is copied. All memory is a's, which
 * takes exactly what the rule needs if it is empty. `s` may be NULL. NULL with *e. */
const struct rules_rule *rules_compile(struct sk_arena *a, const char *name, const cJSON *payload, const struct rules_settings *s, struct rules_error *e);

/* -- evaluating -- */
struct rules_delivery {             /* one action to be done */
	const struct rules_action *action;
	const cJSON *fields;            /* with templates filled in; shares nodes with the action's: read-only */
	const char *error;              /* NULL; else it cannot be done: a template without a value, a payload that may not be republished. Then
	                                 * fields are the action's */
};
struct rules_outcome {
	enum sql_outcome outcome;       /* SQL_NO_MATCH: nothing else is set */
	const void *payload;            /* what is sent: text of the document, or the message's own bytes */
	size_t size;
	int deliveries;
	struct rules_delivery *delivery;
	const char *why;                /* of an error of the statement */
	uint64_t steps;
};
/* SK_OK, SQL_LATER, or a negative SK_E_* with out->why: the statement failed (then no action runs but the error action). */
int rules_evaluate(const struct rules_rule *r, const struct sql_message *m, struct sk_arena *a, const struct expr_limits *limits, struct rules_outcome *out);
/* The error action's delivery for a message: its payload is AWS's error document {ruleName, topic, cloudwatchTraceId, clientId,
 * base64OriginalPayload, failures: [{failedAction, failedResource, errorMessage}]}. `failed` are the deliveries with an error (none: the statement's
 * own, `why`). SK_OK or as above. */
int rules_evaluate_error(const struct rules_rule *r, const struct sql_message *m, const struct rules_delivery *failed, int n, const char *why,
                         struct sk_arena *a, struct rules_outcome *out);
/* For people: {matched, output, clauses: [...sql_trace...], actions: [{action, fields, error?}], error?}; a payload that is no text is
 * outputBase64. What get_secret() answers is *** there: matched and error are of a run without that. Shares nodes with the message: read-only. NULL: SQL_LATER (*later) or memory. */
cJSON *rules_trace(const struct rules_rule *r, const struct sql_message *m, struct sk_arena *a, const struct rules_settings *s, bool *later);
/* What a rule does, for people: its filter, the program, its actions with their templates. */
char *rules_explain(struct sk_arena *a, const struct rules_rule *r);

/* -- republish -- */
struct rules_republish {
	const char *topic;      /* `$$aws/` has become `$aws/` */
	int qos;
	bool retain;            /* never, as in AWS */
	struct sk_message message; /* its properties, from headers; payload and size are the outcome's */
};
/* The fields of a republish to what is published. NULL, or why it may not be (a bad topic, wildcards, a reserved topic, a header out of range): an error line. */
const char *rules_republish(const struct rules_delivery *d, struct sk_arena *a, struct rules_republish *out);

#endif
