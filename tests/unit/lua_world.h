/* lua_world.h -- rules in Lua for tests: a file from text, a message from JSON, a run, and what it did as lines of text. */
#ifndef LUA_WORLD_H
#define LUA_WORLD_H

#include "lua-rules/host.h"

struct lua_try {
	struct lua_file *file;
	struct sk_arena arena;     /* of the runs */
	struct lua_outcome out;
	int rc;
	const cJSON *state, *shadow, *thing; /* objects that questions are answered from: state by key, shadows by "thing" or "thing/name" */
	int64_t now_ms;
	int fail;                  /* of every question */
};

/* Ends the test when the file does not load. `limits` NULL: the usual ones with a real clock. */
struct lua_try *try_file(const char *text, const struct lua_limits *limits);
/* The error of a file that must not load. */
const char *try_bad_file(const char *text);
void try_free(struct lua_try **t);
const cJSON *try_json(struct lua_try *t, const char *text);
/* Runs rule 0 for a message: "" or JSON or not. What it did, a line each: "topic payload", "state key value", "timer name ms data", "clear name", "sqs {fields} payload",
 * "log line"; "no" when it did not match; "error: why" when it failed. */
const char *try_run(struct lua_try *t, const char *topic, const char *payload);
const char *try_timer(struct lua_try *t, const char *name, const char *data);
/* Calls that function with a table of the event (NULL: nil) and {"awsRequestId":"1"}: what it did, and as the last line "= answer". */
const char *try_function(struct lua_try *t, const char *name, const char *event);
/* A body of run = function(m) that is run once for {"temp":21.5,...}: what it did. */
const char *try_body(const char *body);
/* Limits with a real clock. */
struct lua_limits try_limits(void);

#endif
