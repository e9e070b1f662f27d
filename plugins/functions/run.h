/* run.h -- invocations: how many run at once, who runs them, and what came of them.
 *
 * A handler asks with run_ask() through sk_await_ticket(): a question about a function that it has found. The answer comes from a runner: Lua's
 * threads (run_lua.c) or the client of skeeter-functiond (run_program.c), by the function's runtime. */
#ifndef FUNCTIONS_RUN_H
#define FUNCTIONS_RUN_H

#include "core/call.h"

struct run_engine;

enum { RUN_PAYLOAD_MOST = 6 << 20 }; /* bytes of an answer: Lambda quotas, synchronous */

/* An invocation, from run_ask() to run_done(). `question` and its texts live in `arena`. */
struct run {
	struct run *next;          /* its runner's, or of those that wait for their turn */
	struct run_engine *engine;
	struct run_function *of;
	struct sk_ticket *ticket;
	struct sk_arena arena;
	const cJSON *question;     /* see run_ask() */
	const char *runtime, *payload;
	size_t payload_size;
	int64_t arrived_us;
	bool waits;                /* its turn may come later: nobody waits for it */
};

enum run_kind { RUN_OK, RUN_FAILED, RUN_THROTTLED, RUN_UNAVAILABLE };
struct run_result {            /* texts are the runner's */
	enum run_kind kind;
	const char *payload;       /* OK: what it returned; FAILED: {errorMessage, errorType, ...}: JSON text, or whatever a program has answered */
	size_t size;
	const char *log;           /* the end of what it has logged, or NULL */
	size_t log_size;
	const cJSON *publish;      /* OK: messages, as lua_publish_write() has them, or NULL */
	const char *why;           /* UNAVAILABLE: one line */
};

/* How many run at once in all, over all functions. NULL: memory is out. */
struct run_engine *run_engine_new(void *state, int most);
void run_engine_free(struct run_engine **e);
/* From now on whoever asks is answered that the broker is ending, and so is who waits for his turn. The runners end what they have by themselves. */
void run_engine_end(struct run_engine *e);

struct run_engine *run_engine_of(void *state); /* runners.c */
/* sk_asker. The question:
 * {functionName, version, functionArn, requestId, runtime, handler, codeSha256 (hex), environment {}, timeout (s), memorySize (MiB), payload (text), waits,
 *  limit? (of the function; else none), clientContext?, traceId?, deadline?} */
sk_asker run_ask;
/* Any thread: gives the answer {kind, payload?, log? (base64), publish?, why?, endedAt (ms)} and lets the next one run. r is gone then. */
void run_done(struct run *r, const struct run_result *result);

struct run_counts {
	uint64_t started, failed, throttled, unavailable;
	int running, waiting;
};
/* Of one function, or of all when name is NULL. */
struct run_counts run_counts(struct run_engine *e, const char *name);

#endif
