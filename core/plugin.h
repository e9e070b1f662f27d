/* plugin.h -- a plugin is one constant.
 *
 *   SKEETER_PLUGIN(.name = "shadow", .state_size = sizeof(struct options), .options = options, .topics = topics,
 *                  .operations = operations, .on = on)
 *
 * in plugins/<name>/plugin.c makes skeeter_<name>.so: the macro defines mosquitto_plugin_version, _init and _cleanup.
 * Tables end with a row of zeros. Rows are constants for the life of the process.
 *
 * Threads: handlers run on workers. Broker hooks (struct sk_hooks) and watches run on the broker thread and must not block. */
#ifndef SK_PLUGIN_H
#define SK_PLUGIN_H

#include <stddef.h>

#include "core/call.h"
#include "core/shape.h"
#include "core/store.h"

/* -- options: one row per plugin_opt_*, names of at least three letters (Mosquitto 2.0 refuses shorter ones) -- */
enum sk_option_type { SK_BOOL, SK_INT, SK_STR, SK_SIZE, SK_DURATION, SK_CHOICE };
struct sk_option {
	const char *name;   /* without plugin_opt_ */
	enum sk_option_type type;
	size_t offset;      /* of a field of the plugin's state: bool, int64_t, const char *, int64_t bytes, int64_t ms, int (index) */
	const char *init;   /* the default as text; NULL: NULL or 0 */
	const char *values; /* SK_CHOICE: "allow defer"; SK_INT: "min max" or NULL */
	const char *prose;  /* one line for the README */
};
#define SK_OPTION(option_type, state_type, field, dflt, vals, text) \
	{ .name = #field, .type = option_type, .offset = offsetof(state_type, field), .init = dflt, .values = vals, .prose = text }

/* -- topics: what clients may publish to us -- */
struct sk_topic {
	const char *pattern;   /* literal levels and {capture} levels: "$aws/things/{thing}/shadow/update" */
	sk_handler *handler;   /* NULL: it is no call; the plugin's own hook `message` gets it, and nobody else */
	const char *partition; /* "thing/{thing}": captures by name; "registry"; "any" for read-only; "alone" for one that may wait long */
	/* Runs instead of handler when the call cannot be served (c->refused). c->error says why: SK_E_THROTTLING (429, admission),
	 * SK_E_UNAVAILABLE (the store, memory, too many collisions), SK_E_INTERNAL. It may only reply or publish that answer. */
	sk_handler *refuse;
	/* Bytes of payload above which it is not copied: the row's handler runs with payload NULL and payload_size the true size. */
	size_t (*limit)(void *state);
};

/* -- operations: rows of .ops files through core/ops_table.h -- */
enum sk_verb { SK_GET, SK_POST, SK_PUT, SK_PATCH, SK_DELETE };
struct sk_op {
	const char *name;
	enum sk_verb verb;
	const char *route;
	const char *partition; /* "registry", "thing/{thingName}" (inputs by name), "any", "alone": each request is a partition of its own */
	const char *inputs;    /* grammar: core/ops_table.h */
	sk_handler *handler;
	const char *file;      /* of the row, for messages */
	const char *about;     /* tier and age: core/ops_table.h */
};
struct sk_op_group {
	const char *service;    /* AWS's signing name: "iot", "iotdata" */
	const struct sk_op *op; /* ends with a row of zeros */
};

/* -- internal events and timers -- */
struct sk_on {
	const char *event;     /* "DeleteThing" */
	sk_handler *handler;
	const char *partition; /* by members of the input: "thing/{thingName}" */
};

/* -- resources: inputs that name something. By them an operation's row says which ARNs a policy is asked about (core/judge.h) -- */
struct sk_resource {
	const char *type;   /* of the input, or of a list's elements: "ThingName" */
	/* "thing/"; "": the value is an ARN itself; "/": it is a part of the resource before it ("thing/lamp/name"); "^cert/": its names are the
	 * same in upper and lower case, and asked about in lower case, in ARNs too. */
	const char *prefix;
};

/* -- what has tags, for TagResource and its like (core/tags.h): the kind in its ARN, and where its records are -- */
struct sk_tagged {
	const char *kind;   /* "thinggroup" */
	const char *prefix; /* "registry/group/": behind it the name */
};

/* -- watches: a copy of records for the broker thread. Called for every record with that prefix when the plugin is loaded, and
 * again for each committed change before the reply of that commit leaves: a client that saw "accepted" and connects next is judged
 * by the new state. bytes NULL: deleted. Return nonzero only when the index cannot be kept (the plugin refuses to load). */
struct sk_watch {
	const char *prefix; /* "registry/cert/" */
	int (*apply)(void *state, const char *name, const struct sk_bytes *bytes); /* name: the key after the prefix */
};

/* After a gap in what a store that brokers share tells of its changes: SK_RESET_BEGINS, then every record that there is, and changes between
 * them, then SK_RESET_ENDS: what was not applied since the beginning is gone. Until then what was known stays in force. It may begin again
 * before it has ended. After each beginning and end comes SK_RESET_OVER on another thread, where what was taken out of use can be freed at
 * leisure; nothing else of reset() is called meanwhile, watches and hooks are. */
enum sk_reset { SK_RESET_BEGINS, SK_RESET_ENDS, SK_RESET_OVER };

/* -- broker hooks -- */
struct sk_ask; /* core/ask.h */
struct sk_judgement; /* core/judge.h */
struct sk_client; /* core/client.h */
struct sk_message_view; /* core/client.h */
struct sk_feed; /* core/client.h */
struct sk_hooks {
	/* A CONNECT. SK_ALLOW, SK_DENY, or SK_PASS ("not mine"). *again* is Mosquitto re-checking a session (SIGHUP): no certificate. */
	int (*connect)(void *state, struct sk_client *client, bool again);
	/* access: SK_ACL_*. SK_ALLOW, SK_DENY, SK_DISCONNECT (write and subscribe only), SK_PASS. */
	int (*acl)(void *state, struct sk_client *client, int access, const char *topic, const struct sk_message_view *m);
	/* A question about a certificate (core/ask.h): SK_ALLOW, SK_DENY with ask->why, or SK_PASS. */
	int (*asked)(void *state, struct sk_ask *ask);
	/* A question about policies by name (core/judge.h). ANY thread, several at once; must not block. SK_ALLOW, SK_DENY, or SK_PASS. */
	int (*judge)(void *state, struct sk_judgement *j);
	/* A message that was let in, a will, or a publish of ours. SK_PASS, or SK_DENY when there is no room for it: then a client's with QoS 1 or 2 is refused. */
	int (*message)(void *state, const struct sk_feed *f);
	/* The same message, when no plugin had anything against it: last, and nobody is asked any more. */
	void (*passed)(void *state, const struct sk_feed *f);
	/* A turn of the broker's loop has ended in which message() or passed() was called: for waking whoever works on it. */
	void (*turn)(void *state);
	/* A CONNECT was let in by us (another plugin may yet refuse it: then comes gone()), or a restored session was met. What it takes over is still there. */
	void (*came)(void *state, struct sk_client *client);
	/* Its session has a subscription more or less: rather one too many. Of a bridge's and a restored session's nobody tells (sk_client_subscriptions). */
	void (*subscribed)(void *state, struct sk_client *client, const char *filter, bool on);
	/* The connection ended. A persistent session lives on without one: what it may receive is still asked by acl(). */
	void (*disconnected)(void *state, struct sk_client *client);
	/* The session is forgotten: free client->auth here, not in disconnected(). */
	void (*gone)(void *state, struct sk_client *client);
	void (*tick)(void *state, int64_t now_ms); /* about once a second */
	void (*reload)(void *state); /* SIGHUP */
	/* The thing that this client speaks as, or NULL: for presence events. Valid until the next call of any hook. */
	const char *(*thing)(void *state, struct sk_client *client);
};
enum sk_verdict { SK_PASS, SK_ALLOW, SK_DENY, SK_DISCONNECT };
enum sk_access { SK_ACL_READ = 1, SK_ACL_WRITE = 2, SK_ACL_SUBSCRIBE = 4, SK_ACL_UNSUBSCRIBE = 8 };

struct sk_plugin {
	const char *name;     /* "shadow" */
	const char *prose;    /* one line: what it adds */
	size_t state_size;
	const struct sk_option *options;
	const struct sk_topic *topics;
	const struct sk_op_group *const *operations; /* NULL-terminated */
	const struct sk_on *on;
	const struct sk_watch *watches;
	/* Of one with watches. Broker thread, but for SK_RESET_OVER; not called where the store is one process's own. 0; 1: there is more to do, call again (each call may
	 * take a millisecond or two); -1: it cannot, begin anew later. */
	int (*reset)(void *state, enum sk_reset phase);
	const struct sk_hooks *hooks;
	const struct sk_shape *shapes;
	const struct sk_resource *resources;
	const struct sk_tagged *tagged;
	const struct sk_sink *sinks; /* core/sink.h */
	/* After options and before watches. 0, or -1 with one line in why[]: the broker refuses to start with it. */
	int (*start)(void *state, char *why, size_t why_size);
	/* Broker thread: all plugins are loaded and the runtime's threads run. For what brings calls of its own (core/invoke.h). */
	void (*ready)(void *state);
	/* Any thread, from ready() to the end: NULL, or in one line what is still to come before all is answered (/readyz). May be NULL. */
	const char *(*unready)(void *state);
	/* Broker thread, at the end and before the runtime's threads stop: bring no more calls. Those under way are still answered. */
	void (*quiesce)(void *state);
	/* At the very end: the runtime is gone, every answer has been given. */
	void (*stop)(void *state);
};

/* What a start function may ask of core. */
const char *sk_account(void);
const char *sk_region(void);
const char *sk_data_dir(void); /* absolute; ours, mode 0700 */
/* For how many milliseconds this broker has not heard what others have changed in the store, because it does not answer; 0: it hears. Any thread. */
int64_t sk_store_lost_ms(void);
const char *sk_store_url(void); /* of the store that several brokers share; NULL: it is a file, ours alone */
/* A log line "skeeter: shadow: ..." through the broker's log, from any thread. level: 'e' error, 'w' warning, 'n' notice, 'i' information, 'd' debug. */
void sk_log(char level, const char *plugin, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The generated entry points; identifiers are Mosquitto's mosquitto_plugin_id_t and mosquitto_opt, opaque here. */
int sk_plugin_load(const struct sk_plugin *p, void *identifier, void *options, int option_count);
int sk_plugin_unload(const struct sk_plugin *p);

#define SK_EXPORT __attribute__((visibility("default")))
#define SKEETER_PLUGIN(...) \
	static const struct sk_plugin skeeter_plugin = { __VA_ARGS__ }; \
	SK_EXPORT int mosquitto_plugin_version(int count, const int *versions); \
	SK_EXPORT int mosquitto_plugin_init(void *id, void **ud, void *opts, int n); \
	SK_EXPORT int mosquitto_plugin_cleanup(void *ud, void *opts, int n); \
	int mosquitto_plugin_version(int count, const int *versions) \
	{ \
		for (int i = 0; i < count; i++) \
			if (versions[i] == 5) \
				return 5; \
		return -1; \
	} \
	int mosquitto_plugin_init(void *id, void **ud, void *opts, int n) \
	{ \
		*ud = NULL; \
		return sk_plugin_load(&skeeter_plugin, id, opts, n); \
	} \
	int mosquitto_plugin_cleanup(void *ud, void *opts, int n) \
	{ \
		(void)ud, (void)opts, (void)n; \
		return sk_plugin_unload(&skeeter_plugin); \
	}

#endif
