/* call.h -- one request, and all that a handler may do. The only header of core that a handler needs.
 *
 * A handler is straight-line and synchronous: it reads with sk_get, decides, writes with sk_put, publishes, answers.
 * It MAY RUN MORE THAN ONCE: on a cache miss sk_get answers "absent", the run is void but goes on so that it names more
 * keys, they are fetched together and the handler runs again; a version conflict reruns it too. So a handler touches nothing
 * but the call. Time, ids and random bytes come from the call and repeat on a rerun. Everything that it does (writes,
 * publishes, events, the answer) is kept with the call and leaves only after the commit is durable; if it returns an error its writes
 * and effects are dropped and only the error is answered.
 *
 * A handler returns SK_OK or what sk_fail returned. Memory is c->arena's; it need not check builders for NULL (arena.h).
 * A call writes records of its home partition only (sk_put elsewhere fails the call); it may read any. */
#ifndef SK_CALL_H
#define SK_CALL_H

#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/json.h"

struct sk_call;
typedef int sk_handler(struct sk_call *c);

enum sk_caller_kind {
	SK_DEVICE,   /* an MQTT client; its policy was checked for the topic */
	SK_OPERATOR, /* $CONTROL, and listed in plugin_opt_operators */
	SK_HTTP,     /* the REST API */
	SK_INTERNAL, /* a follow-up, an event, a timer, start-up */
};

struct sk_caller {
	enum sk_caller_kind kind;
	const char *client_id; /* "" when there is none */
	const char *principal; /* certificate id (64 hex), or user name, or access key id, or "" */
	const char *region;    /* HTTP: the region that the request was signed for; NULL or "": the region option's */
};

#define SK_MAX_CAPTURES 8

struct sk_call {
	struct sk_arena *arena;
	const struct sk_caller *caller;
	void *state;                      /* of the row's plugin: what its options were read into */
	const char *operation;            /* "CreateThing", or the topic row's pattern */
	const char *arg[SK_MAX_CAPTURES]; /* topic captures in order */
	/* Operation, follow-up, event, timer: the input object, already checked against its row. Topic: NULL, see payload. */
	const cJSON *in;
	/* The answer of an operation, an empty object before the handler runs. Topic rows answer with sk_publish or sk_reply. */
	cJSON *out;
	const char *topic;   /* topic rows: the full topic */
	const char *payload; /* topic rows, and the @input of an operation over HTTP (else NULL): payload_size bytes and a NUL */
	size_t payload_size;
	int64_t now_ms;      /* wall clock, ms since 1970; the same on every rerun, never less than an earlier call's of the partition */
	const char *home;    /* the home partition */
	/* what sk_fail noted */
	int error;
	const char *message;
	cJSON *error_fields; /* more members of the error document, or NULL */
	bool refused;        /* admission refused this call: the row's `refuse` handler is running, nothing may be written */
};

#define SK_FMT(n) __attribute__((format(printf, n, n + 1)))

/* -- records -- keys are full keys ("registry/thing/lamp"); the format's arguments are put in as they are, so they must
 * already be checked to hold no slash. */
/* The document, read-only and shared by all sk_get of this key in this run; copy before changing. NULL: absent. */
const cJSON *sk_get(struct sk_call *c, const char *key, ...) SK_FMT(2);
/* The record's store version; 0: absent; UINT64_MAX: written by this call or an earlier one of the same batch. */
uint64_t sk_version(struct sk_call *c, const char *key, ...) SK_FMT(2);
void sk_put(struct sk_call *c, const cJSON *document, const char *key, ...) SK_FMT(3);
/* (Not sk_delete: OpenSSL has a macro of that name.) */
void sk_remove(struct sk_call *c, const char *key, ...) SK_FMT(2);

struct sk_row_of_scan {
	const char *name; /* the key after the prefix */
	const cJSON *document;
};
struct sk_scan {
	size_t count;
	const struct sk_row_of_scan *row;
	const char *next; /* pass as `after` for the next page; NULL: there is none */
};
/* Records whose key begins with prefix, in key order, after prefix + `after` (NULL: from the start), at most `limit`. The
 * call's own and the batch's earlier writes are seen. On a miss count is 0. */
struct sk_scan sk_scan(struct sk_call *c, size_t limit, const char *after, const char *prefix, ...) SK_FMT(4);
/* Paging as AWS does it: reads maxResults (default 25, at most 250) and nextToken (or pageSize and marker) from c->in, scans,
 * and sets nextToken (or nextMarker) in c->out if there is more. The token is opaque and URL-safe; a bad one fails the call
 * (then count is 0 and *rc is the error; else *rc is SK_OK). */
struct sk_scan sk_scan_page(struct sk_call *c, int *rc, const char *prefix, ...) SK_FMT(3);

/* -- effects, all after the commit -- */
enum sk_publish_flags {
	SK_QOS0 = 0,
	SK_QOS1 = 1,
	SK_RETAIN = 2,
	SK_DURABLE = 4, /* survives a crash: recorded in the commit, published at least once */
};
/* `document` is printed at once. Reaches subscribers, rows and rules. */
void sk_publish(struct sk_call *c, enum sk_publish_flags flags, const cJSON *document, const char *topic, ...) SK_FMT(4);
void sk_publish_bytes(struct sk_call *c, enum sk_publish_flags flags, const void *payload, size_t n, const char *topic, ...) SK_FMT(5);
struct sk_user_property {
	const char *name, *value;
};
struct sk_message { /* with what MQTT 5 says beside it; what is 0 or NULL is not there. Texts are UTF-8 of at most 65,535 bytes. */
	const void *payload;
	size_t size;
	enum sk_publish_flags flags; /* SK_DURABLE is not for these */
	bool utf8;                   /* the payload is declared to be UTF-8 */
	uint32_t expiry_s;
	const char *content_type, *response_topic;
	const void *correlation;
	size_t correlation_size;
	const struct sk_user_property *user;
	size_t users;
};
/* As sk_publish. */
void sk_publish_message(struct sk_call *c, const struct sk_message *m, const char *topic, ...) SK_FMT(3);
/* To the requesting connection only, subscribed or not, if it is still the same connection. */
void sk_reply(struct sk_call *c, const cJSON *document, const char *topic, ...) SK_FMT(3);
/* Durable. Runs every SK_ON row of that name in every plugin, in its own partition, at least once: handlers are idempotent. */
void sk_emit(struct sk_call *c, const char *event, cJSON *input);
/* In the handler of an event: the version of the commit that it came of. A record with a higher one was written since. 0: it is no event. */
uint64_t sk_event_version(struct sk_call *c);
/* Durable timer of the home partition. Setting a name again replaces it. Runs the SK_ON row `event` with
 * {"timer":name, ...input}, once, in the home partition. `due_ms` is wall-clock ms. */
void sk_timer_set(struct sk_call *c, const char *name, int64_t due_ms, const char *event, cJSON *input);
void sk_timer_clear(struct sk_call *c, const char *name);
/* Disconnects clients on the broker thread, after the messages released before it. Either may be NULL. */
void sk_kick(struct sk_call *c, const char *username, const char *client_id, const char *why);

/* -- slow work -- key generation, a hook. Behaves like a miss: NULL now, the handler runs again when fn has answered on the slow pool;
 * the partition waits, others go on. fn makes its answer in `a`; it may touch nothing else but `in` and the plugin's
 * immutable options in `state`; NULL from fn is JSON null. */
typedef cJSON *sk_slow(struct sk_arena *a, const cJSON *in, void *state);
const cJSON *sk_await(struct sk_call *c, sk_slow *fn, const cJSON *in);
/* The same for what takes its time without a thread: ask() is called once, on the worker, must not block, and keeps the ticket; sk_ticket_answer() ends the wait.
 * A plugin's quiesce() answers all tickets that are open, and from then on ask() answers at once. */
struct sk_ticket;
typedef void sk_asker(struct sk_ticket *t, const char *in, size_t size, void *state);
const cJSON *sk_await_ticket(struct sk_call *c, sk_asker *ask, const cJSON *in);
/* Any thread, once; json is copied. NULL: memory was out, and the call ends so. */
void sk_ticket_answer(struct sk_ticket *t, const char *json, size_t size);
/* true while this run is void (a miss or an unfinished await happened): for skipping costly work, never needed for being right. */
bool sk_void(const struct sk_call *c);

/* -- answers -- */
/* Notes the error and returns its code: return sk_fail(c, SK_E_NOT_FOUND, "Thing %s does not exist", name); */
int sk_fail(struct sk_call *c, int code, const char *message, ...) SK_FMT(3);

/* -- what repeats on a rerun -- */
void sk_random(struct sk_call *c, void *buf, size_t n);
const char *sk_uuid(struct sk_call *c); /* version 4, lower case, 36 characters */

/* "arn:aws:iot:REGION:ACCOUNT:" + formatted: the caller's region or skeeter_core's option, the account by its option. */
const char *sk_arn(struct sk_call *c, const char *resource, ...) SK_FMT(2);
/* The same of another service: sk_arn_of(c, "lambda", "function:%s", name). */
const char *sk_arn_of(struct sk_call *c, const char *service, const char *resource, ...) SK_FMT(3);
/* Epoch seconds with ms as AWS prints them: a number node 1700000000.123. */
cJSON *sk_json_time(struct sk_arena *a, int64_t ms);

#endif
