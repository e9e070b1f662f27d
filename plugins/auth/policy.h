/* policy.h -- AWS IoT policies, compiled: may this connection do that?
 *
 * Two steps. policy_new parses and checks a document once, for all who share it. policy_bind fills one connection's
 * variables into the policies attached to it and lays all patterns out flat, denials first, so that policy_check is a
 * walk over a small array. An explicit Deny wins over every Allow; nothing said is denied.
 *
 * What this engine does not know is refused by policy_new: a deny is never weakened by skipping what was not understood.
 * A statement whose variable has no value for the connection does not match. Resources match as whole ARN strings:
 * `*` is any run of characters, `?` one character, in every place; MQTT's + and # are ordinary characters.
 *
 * struct policy is immutable once made and may be read by any thread; it must outlive what is bound to it. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ACTION(name, kind of its resource) */
#define POLICY_ACTIONS(ACTION) \
	ACTION(Connect, CLIENT) \
	ACTION(Publish, TOPIC) \
	ACTION(RetainPublish, TOPIC) \
	ACTION(Subscribe, TOPICFILTER) \
	ACTION(Receive, TOPIC) \
	ACTION(GetRetainedMessage, TOPIC) \
	ACTION(ListRetainedMessages, ANY) \
	ACTION(GetThingShadow, THING) \
	ACTION(UpdateThingShadow, THING) \
	ACTION(DeleteThingShadow, THING) \
	ACTION(ListNamedShadowsForThing, THING) \
	ACTION(DescribeJobExecution, THING) \
	ACTION(GetPendingJobExecutions, THING) \
	ACTION(StartNextPendingJobExecution, THING) \
	ACTION(UpdateJobExecution, THING) \
	ACTION(AssumeRoleWithCertificate, ROLEALIAS) \
	ACTION(GetConnection, CLIENT) \
	ACTION(DeleteConnection, CLIENT) \
	ACTION(ListSubscriptions, CLIENT) \
	ACTION(SendDirectMessage, CLIENT)

enum policy_action {
#define ACTION(name, kind) POLICY_##name,
	POLICY_ACTIONS(ACTION)
#undef ACTION
	POLICY_ACTION_COUNT
};

enum policy_kind { POLICY_ANY, POLICY_CLIENT, POLICY_TOPIC, POLICY_TOPICFILTER, POLICY_THING, POLICY_ROLEALIAS, POLICY_KINDS };

struct policy_action_info {
	const char *name; /* "iot:Publish" */
	enum policy_kind kind;
};
extern const struct policy_action_info policy_actions[POLICY_ACTION_COUNT];
/* What stands before a resource's own name in its ARN: "topic/". */
extern const char *const policy_kinds[POLICY_KINDS];

enum policy_variable { POLICY_CLIENT_ID, POLICY_THING_NAME, POLICY_VARIABLES };

/* In the text of a compiled pattern; no UTF-8 text holds these bytes. */
#define POLICY_STAR '\xff'
#define POLICY_ONE '\xfe'
#define POLICY_VARIABLE '\xf8' /* + enum policy_variable; never in a bound pattern */

struct policy_pattern {
	const char *text;
	uint32_t size;
};
struct policy_statement {
	uint32_t actions; /* bits 1 << enum policy_action */
	bool deny;
	uint32_t resources;
	struct policy_pattern *resource;
};
struct policy { /* one block of memory with all that it points to */
	uint32_t variables; /* bits 1 << enum policy_variable: used anywhere */
	uint32_t statements;
	struct policy_statement *statement;
};

/* NULL with one sentence in why[] (no full stop): what is wrong, with the statement's number. */
struct policy *policy_new(const char *json, size_t n, char *why, size_t why_size);
void policy_free(struct policy **p);

struct policy_facts { /* of the connection; NULL: it has no such value */
	const char *variable[POLICY_VARIABLES];
};

enum policy_shape { POLICY_EXACT, POLICY_PREFIX, POLICY_GLOB }; /* no wildcard; one star, at the end; any */

struct policy_entry {
	uint32_t actions;
	uint32_t size;      /* of the pattern */
	uint32_t literal;   /* bytes before its first wildcard */
	uint64_t tail;      /* the last eight of them, if there are eight */
	const char *text;   /* not terminated */
	uint16_t policy;    /* place in the list that was bound */
	uint16_t statement; /* from 1 */
	uint8_t shape;      /* enum policy_shape */
};
struct policy_bound {
	uint32_t denials; /* the first entries */
	uint32_t entries;
	struct policy_entry entry[];
};

/* `arn` is what every ARN of this broker begins with: "arn:aws:iot:eu-central-1:123456789012:". One block of memory, the
 * caller frees it with free(). NULL: memory is out. Needs the policies no more. */
struct policy_bound *policy_bind(const struct policy *const *list, size_t n, const struct policy_facts *facts, const char *arn);

struct policy_verdict {
	bool allowed;
	const struct policy_entry *why; /* the entry that decided; NULL: none allows */
};
/* `name` is the resource's own name: the topic, the filter, the client id. */
struct policy_verdict policy_check(const struct policy_bound *b, enum policy_action action, const char *name, size_t n);

/* Moves an entry that allowed something towards the front: which of the allowing entries is asked first changes no verdict. */
void policy_favour(struct policy_bound *b, const struct policy_entry *why);

/* Does a compiled pattern match the whole text? Linear in the text unless `?` stands between stars. */
bool policy_glob(const char *pattern, size_t pattern_size, const char *text, size_t n);

#endif
