/* host.h -- rules written in Lua: one file, one Lua state, behind a sandbox.
 *
 * A file declares rules (`rule "name" { topic = ..., where = ..., run = ... }`) and tests. Loaded it is read-only from outside; one thread
 * at a time runs it. What a rule asks of the world comes through one callback, what it does comes back as a list of effects: a rule
 * touches nothing itself. Budgets of instructions, of time and of memory end whatever does not end by itself; a file can hurt no other. Pure: no
 * clock but the callback's, no I/O. */
#ifndef LUA_RULES_HOST_H
#define LUA_RULES_HOST_H

#include "core/arena.h"
#include "core/call.h"
#include "core/json.h"

struct lua_file;

struct lua_limits {
	uint64_t instructions;        /* of one run; 0: 1,000,000 */
	int64_t time_us;              /* of one run; 0: 100,000 */
	size_t memory;                /* bytes of the whole state, as many for what a run makes, as many for what a file keeps; 0: 8 MiB */
	int64_t (*now_us)(void *ctx); /* monotonic; NULL: no limit of time */
	void *ctx;
};
struct lua_library {              /* lua-rules/lib: what `require "name"` finds, and what is there for every rule */
	const char *name, *text;
	size_t size;
};

extern const struct lua_library lua_shipped[]; /* lua-rules/lib as it was when this was built */

/* What a rule declares. Texts live as long as the file. */
struct lua_rule {
	const char *name;
	const char *description;      /* or NULL */
	const char *filter;           /* `topic`; NULL when `sql` says it */
	const char *sql;              /* or NULL */
	const char *sql_version;      /* or NULL */
	const char *actions;          /* JSON text of AWS's action list when it is given instead of `run`; NULL: `run` does it */
	const char *error_action;     /* JSON text, or NULL */
	bool disabled;
	int line;                     /* of its declaration */
	bool has_run, has_where, has_timer;
};

/* All rules of a file, or NULL with why[]: "threshold.lua:12: ..." in one line. `name` is the file's, for messages; `libraries` ends with a row of zeros. */
struct lua_file *lua_file_load(const char *name, const char *text, size_t size, const struct lua_library *libraries, const struct lua_limits *limits,
                               char *why, size_t why_size);
/* Of its next runs. */
void lua_file_set_time(struct lua_file *f, int64_t time_us, uint64_t instructions);
void lua_file_free(struct lua_file **f);
int lua_file_rules(const struct lua_file *f);
const struct lua_rule *lua_file_rule(const struct lua_file *f, int i);
size_t lua_file_memory(const struct lua_file *f); /* bytes that its state has now */

/* -- running -- */
struct lua_message {
	const char *topic;
	const void *payload;
	size_t size;
	const cJSON *document;        /* the payload parsed, or the output of the rule's SQL; NULL: not JSON */
	const char *client_id, *principal, *source_ip; /* or NULL */
	int qos;
	bool retain;
	const void *properties;       /* as in core/properties.h */
	size_t properties_size;
};
enum lua_ask { LUA_STATE, LUA_SHADOW, LUA_THING };
struct lua_world {
	void *ctx;
	/* STATE: a = key of the rule's own state; SHADOW: a = thing, b = shadow's name or NULL; THING: a = thing. The document, NULL: there is none. 0, or a negative
	 * SK_E_* with *why: then the rule's call raises an error that it may catch with pcall. */
	int (*ask)(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why);
	int64_t now_ms;               /* the wall clock of this run */
	uint8_t seed[16];             /* of random numbers and ids of this run */
};

enum lua_effect_kind { LUA_PUBLISH, LUA_SET_STATE, LUA_SET_TIMER, LUA_CLEAR_TIMER, LUA_ACTION, LUA_LOG };
struct lua_effect {
	struct lua_effect *next;
	enum lua_effect_kind kind;
	const char *name;             /* PUBLISH: topic; STATE: key; TIMER: its name; ACTION: AWS's name of the action; LOG: the line */
	struct sk_message message;    /* PUBLISH, ACTION: payload, QoS, retain, properties */
	const cJSON *document;        /* STATE: the new value, NULL: forget it; SET_TIMER: what it is called with; ACTION: its fields */
	int64_t due_ms;               /* SET_TIMER: wall clock */
};
struct lua_outcome {
	bool matched;                 /* `where` was true, or there is none */
	struct lua_effect *effects;   /* in order; the arena's */
	const char *why;              /* of an error: "threshold.lua:7: attempt to ..." */
	bool budget;                  /* the error is that a limit was reached */
	uint64_t instructions;
};
/* Runs a rule for a message. SK_OK or SK_E_INTERNAL with out->why: then nothing of what it did counts. Effects are the arena's, to which a run adds
 * `memory` bytes of its limits at most; after a failure of the run the arena has not failed. */
int lua_rule_run(struct lua_file *f, int rule, const struct lua_message *m, const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out);
/* The same for a timer of it: calls the rule's `timer` with its name and its document. */
int lua_rule_timer(struct lua_file *f, int rule, const char *timer, const cJSON *document, const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out);

/* -- functions: a file that is no rules' but sets a global function -- */
/* Calls that function with tables made of event and context (either may be NULL: nil). As lua_rule_run; *answer is what it returned, JSON null for nothing. It may do and
 * ask what a rule may, but keeps no state and no timers and has no sinks. */
int lua_function_run(struct lua_file *f, const char *function, const cJSON *const arguments[2], const struct lua_world *w, struct sk_arena *a, struct lua_outcome *out,
                     const cJSON **answer);

/* -- tests of a file: `test "..." { ... }` (lua-rules/README.md) -- */
struct lua_test_report {
	int passed, failed;
	/* Called for each: its name, NULL or what was expected and what came. */
	void (*tell)(void *ctx, const char *test, const char *why);
	void *ctx;
};
/* Runs all tests of the file in a world that the tests describe. 0, or -1 when a test cannot be run at all (told too). */
int lua_file_test(struct lua_file *f, struct sk_arena *a, struct lua_test_report *report);

#endif
