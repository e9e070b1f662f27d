/* policy.h -- AWS IoT policies, compiled: may this connection do that?
 *
 * Two steps. policy_new parses and checks a document once, for all who share it. policy_bind fills one connection's
 * variables into the policies attached to it and lays all patterns out flat, denials first, so that policy_check is a
 * walk over a small array. An explicit Deny wins over every Allow; nothing said is denied.
 *
 * What this engine does not know is refused by policy_new: a deny is never weakened by skipping what was not understood.
 * A variable without a value for the connection equals nothing, and no Allow matches because of that: a Resource with one
 * does not match, a NotResource or a negated condition with one matches for a Deny and does not for an Allow. Resources match as whole ARN
 * strings: `*` is any run of characters, `?` one character, in every place; MQTT's + and # are ordinary characters.
 *
 * struct policy is immutable once made and may be read by any thread; it must outlive what is bound to it. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <stdatomic.h>
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

/* VARIABLE(name, its spelling). Spelled without regard to case; the last two end with a name of their own. */
#define POLICY_VARIABLE_NAMES(VARIABLE) \
	VARIABLE(CLIENT_ID, "iot:ClientId") \
	VARIABLE(THING_NAME, "iot:Connection.Thing.ThingName") \
	VARIABLE(THING_TYPE, "iot:Connection.Thing.ThingTypeName") \
	VARIABLE(IS_ATTACHED, "iot:Connection.Thing.IsAttached") \
	VARIABLE(CERTIFICATE_ID, "iot:CertificateId") \
	VARIABLE(SOURCE_IP, "aws:SourceIp") \
	VARIABLE(DOMAIN_NAME, "iot:DomainName") \
	VARIABLE(CURRENT_TIME, "aws:CurrentTime") \
	VARIABLE(EPOCH_TIME, "aws:EpochTime") \
	VARIABLE(CONNECT_ATTRIBUTES, "iot:ConnectAttributes") \
	VARIABLE(ATTRIBUTE, "iot:Connection.Thing.Attributes[") \
	VARIABLE(CERTIFICATE, "iot:Certificate.")

enum policy_variable {
#define VARIABLE(name, spelling) POLICY_##name,
	POLICY_VARIABLE_NAMES(VARIABLE)
#undef VARIABLE
	POLICY_VARIABLES
};

/* A variable that a policy uses. */
struct policy_use {
	const char *text; /* as it is written between ${ and } */
	const char *name; /* the attribute's, or "Subject.CommonName.List.0"; "" for the others */
	enum policy_variable kind;
};

/* In the text of a compiled pattern; no UTF-8 text holds these bytes. */
#define POLICY_STAR '\xff'
#define POLICY_ONE '\xfe'
#define POLICY_VARIABLE '\xf8' /* and the place in policy.use, one byte below 128; never in a bound pattern */

struct policy_pattern {
	const char *text;
	uint32_t size;
};
struct policy_condition; /* policy_condition.h */
struct policy_statement {
	uint32_t actions; /* bits 1 << enum policy_action */
	bool deny;
	bool not_action;   /* all but the named ones */
	bool not_resource; /* all but these */
	uint32_t named, resources, conditions;
	struct policy_pattern *name;  /* of actions, in lower case */
	struct policy_pattern *resource;
	struct policy_condition *condition;
	uint64_t uses[2]; /* bits by the place in policy.use */
};
struct policy { /* one block of memory with all that it points to */
	uint32_t variables; /* bits 1 << enum policy_variable: used anywhere */
	uint32_t statements, uses;
	_Atomic uint32_t holders;
	struct policy_statement *statement;
	struct policy_use *use;
};

/* Is there an action, besides those above, that this compiled pattern in lower case matches? */
typedef bool policy_is_action(const char *pattern, size_t n);
/* For documents that were accepted once: what an action is depends on the plugins that are loaded. */
policy_is_action policy_any_action;

/* NULL with one sentence in why[] (no full stop): what is wrong, with the statement's number. `others` NULL: there are no other actions. A
 * document is refused that names an action which is none, since nobody means that. */
struct policy *policy_new_with(const char *json, size_t n, policy_is_action *others, char *why, size_t why_size);
struct policy *policy_new(const char *json, size_t n, char *why, size_t why_size);
/* One more who holds it; each of them frees it. */
struct policy *policy_hold(struct policy *p);
void policy_free(struct policy **p);

/* What is known of a connection; NULL: it has no such value. */
struct policy_facts {
	const char *variable[POLICY_VARIABLES]; /* but for the time, the connect attributes and those with a name */
	const char *(*named)(const void *context, enum policy_variable kind, const char *name); /* may be NULL */
	const void *context;
};
const char *policy_value(const struct policy_facts *facts, const struct policy_use *use);

/* No wildcard; one star, at the end; any; what matches none of some patterns (NotResource). */
enum policy_shape { POLICY_EXACT, POLICY_PREFIX, POLICY_GLOB, POLICY_NONE_OF };

enum { POLICY_WHOLE = 1 }; /* the one bit of entries of policy_bind_whole() */

struct policy_entry {
	uint32_t actions;
	uint32_t size;      /* of the pattern; POLICY_NONE_OF: how many entries it points to */
	uint32_t literal;   /* bytes before its first wildcard */
	uint16_t policy;    /* place in the list that was bound */
	uint16_t statement; /* from 1 */
	uint64_t tail;      /* the last eight literal bytes, if there are eight */
	union {
		const char *text; /* not terminated */
		const struct policy_entry *none_of;
	};
	uint16_t when;      /* conditions that only the moment answers: place in policy_bound.when, from 1; 0: none */
	uint8_t shape;      /* enum policy_shape */
};
/* What a binding cannot know beforehand. Only entries with `when` ask. */
struct policy_moment {
	int64_t now_ms;
	bool persistent, last_will; /* iot:ConnectAttributes, for iot:Connect */
};
struct policy_bound {
	uint32_t denials; /* the first entries */
	uint32_t entries;
	const struct policy_when *when; /* policy_condition.h; NULL: no entry has one */
	struct policy_moment moment;    /* the caller's, before policy_check if `when` */
	struct policy_entry entry[];
};

/* `arn` is what every ARN of this broker begins with: "arn:aws:iot:eu-central-1:123456789012:". One block of memory, the
 * caller frees it with free(). NULL: memory is out. Needs the policies no more. */
struct policy_bound *policy_bind(const struct policy *const *list, size_t n, const struct policy_facts *facts, const char *arn);
/* For policy_check_named() only: nothing is cut off, and any action may be asked for. Needs the policies as long as it is there. */
struct policy_bound *policy_bind_whole(const struct policy *const *list, size_t n, const struct policy_facts *facts);

struct policy_verdict {
	bool allowed;
	bool fleeting;  /* the moment was asked: the same question may have another answer later */
	const struct policy_entry *why; /* the entry that decided; NULL: none allows */
};
/* `name` is the resource's own name: the topic, the filter, the client id. */
struct policy_verdict policy_check(const struct policy_bound *b, enum policy_action action, const char *name, size_t n);
/* Of what policy_bind_whole() made of that list: any action by its name ("iot:CreateThing"), any resource by its whole ARN, or "*". */
struct policy_verdict policy_check_named(const struct policy_bound *b, const struct policy *const *list, const char *action, const char *arn);

/* Calls fn for every variable without a value in statements about that action. */
void policy_missing(const struct policy *p, const struct policy_facts *facts, enum policy_action action,
                    void (*fn)(void *context, const struct policy_statement *s, const char *variable), void *context);

/* Moves an entry that allowed something towards the front: which of the allowing entries is asked first changes no verdict. */
void policy_favour(struct policy_bound *b, const struct policy_entry *why);

/* Does a compiled pattern match the whole text? Linear in the text unless `?` stands between stars. */
bool policy_glob(const char *pattern, size_t pattern_size, const char *text, size_t n);

#endif
