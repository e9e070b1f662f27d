/* sink.h -- where rules send messages: a database, a queue, a web server. One row for each kind of action, one file, one interface.
 *
 *   static const struct sk_sink sinks[] = { { .kind = "redis", .open = redis_open, .deliver = redis_deliver, .close = redis_close, ... }, { 0 } };
 *   SKEETER_PLUGIN(.name = "sink_redis", .sinks = sinks, .shapes = shapes, ...)
 *
 * The plugin's folder also has NAME.kinds (rows of rules/actions.tbl: which fields are templates) unless the kind is AWS's, and NAME.shapes with
 * MEMBER(Action, "redis:RedisAction") and the types of its fields.
 *
 * skeeter_rules keeps what is to be sent in a lane: a queue in files, which survives kill -9, with a thread of its own for each destination. So a
 * sink may block (with a time limit of its own), and never retries: it says what became of each item. It is used by one thread at a time.
 * Every item is delivered at least once: one that was sent comes again when the broker is killed before its end was noted. */
#ifndef SK_SINK_H
#define SK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"

enum sk_sunk {
	SK_SUNK_RETRY,             /* not now: it comes again. Also of all behind it that were not tried */
	SK_SUNK_OK,
	SK_SUNK_FAIL,              /* never: the rule's error action, or a dead letter */
};
/* One scalar of the action's fields with its templates filled in; numbers as JSON has them, "true", "false". */
struct sk_sink_field {
	const char *path;          /* "stream", "headers[0].key", "fields.temperature" */
	const char *text;
};
struct sk_sink_item {
	const struct sk_sink_field *field; /* in the order of the action; without those of `connection` */
	size_t fields;
	const void *payload;       /* any bytes; a NUL follows that is not counted */
	size_t size;
	const char *rule, *topic;
	const char *client_id;     /* NULL: no client sent it */
	const char *id;            /* 32 hexadecimal digits, the same each time that the item comes: for those who drop duplicates */
	int64_t time_ms;           /* when the message came, since 1970 */
	unsigned attempt;          /* 0, 1, ... */
	/* what became of it */
	enum sk_sunk result;       /* SK_SUNK_RETRY when deliver() is called */
	const char *why;           /* of RETRY and FAIL, one line without secrets; the arena's or a constant */
	int64_t retry_ms;          /* of RETRY: not before that many ms, when the other side has said so; 0: as usual */
};

struct sk_sink {
	const char *kind;          /* "redis": the action's name */
	const char *prose;         /* one line: what it does */
	/* Paths, separated by blanks, of the fields that say where to and who as: "url user password tls.ca". They take no templates but
	 * ${get_secret(...)}, which is filled in when the lane is opened (core/secrets.h) and nowhere else. Actions for which it has the same name (below) share a lane;
	 * when another one comes whose `connection` differs, it is closed and opened with that. */
	const char *connection;
	/* Instead of that, for a destination that lies in a field with templates: the name of the lane from the fields as the rule has them, without
	 * secrets, "https://example.org:8443". NULL with *why: it cannot be. NULL callback: the values of `connection`, without a URL's password. */
	const char *(*lane)(const cJSON *fields, struct sk_arena *a, const char **why);
	/* The field whose value keeps order: what follows an item under the same value waits while that is tried again. NULL: the message's
	 * topic; "", or an item without that field: nothing does. Items of one value may come in one deliver(), in their order: a sink that
	 * keeps it tries none of them behind one that it says RETRY of. */
	const char *order;
	size_t most_items, most_bytes; /* of payloads, of one deliver(); 0: 256, 1 MiB. A single item may be larger */
	/* When a rule is made: NULL, or what is wrong with the fields besides their shape, in one line. May be NULL. Any thread. */
	const char *(*check)(const cJSON *fields, struct sk_arena *a);
	/* On the lane's thread, before its first item, and again after close(). `fields` are an action's as its rule has them, secrets filled in in those of
	 * `connection`; what is not of `connection` is some action's of those that share the lane. They are only lent. Need not connect: deliver() may. NULL with why[] (without secrets): tried again later. `state` is the plugin's. */
	void *(*open)(void *state, const cJSON *fields, char *why, size_t why_size);
	/* Sets result (and why) of every item; `a` lives until the next call. A connection that was lost: RETRY for all that may not have arrived. */
	void (*deliver)(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
	/* A lane that had nothing to do for a while, was down for long, or ends. */
	void (*close)(void *sink);
};

/* The value of the field of that path; NULL: there is none. */
const char *sk_sink_text(const struct sk_sink_item *item, const char *path);
int64_t sk_sink_int(const struct sk_sink_item *item, const char *path, int64_t otherwise);
bool sk_sink_true(const struct sk_sink_item *item, const char *path);
/* Says the same of n items. */
void sk_sink_all(struct sk_sink_item *const *item, size_t n, enum sk_sunk result, const char *why);
/* The name of a lane from the fields that `connection` names: "redis://127.0.0.1:6379/0 user". A URL's password becomes ***; fields whose names
 * end with password, token or secret are left out. */
const char *sk_sink_lane(const cJSON *fields, const char *connection, struct sk_arena *a);

/* A URL's n-th secret, *n bytes of it: the password of its user, or the value of a parameter that is called key, token, password, secret, ...; NULL: there
 * are not so many. */
const char *sk_sink_url_secret(const char *url, int nth, size_t *n);
/* The text, or if it is a URL with secrets, with *** in their places (NULL without an arena). */
const char *sk_sink_without_password(struct sk_arena *a, const char *text);

/* The scalars of an action's fields, in their order, without those that `connection` names: what an item has in field[]. NULL: memory is out. */
struct sk_sink_field *sk_sink_flatten(const cJSON *fields, const char *connection, struct sk_arena *a, size_t *n);

/* The row of that kind of all plugins that are loaded, and its plugin's state; NULL: there is none. process.c */
const struct sk_sink *sk_sink_find(const char *kind, void **state);

#endif
