/* invoke.h -- what is asked of a function, and what came of it, in a call of any partition. */
#ifndef FUNCTIONS_INVOKE_H
#define FUNCTIONS_INVOKE_H

#include "core/call.h"

struct invocation {
	const char *function, *qualifier; /* as they were given; qualifier may be NULL */
	const char *request_id;           /* a UUID */
	const char *payload;              /* JSON text */
	const char *client_context;       /* JSON text, or NULL */
	bool waits;                       /* nobody waits for it: its turn may come later */
};
enum invoked {
	INVOKED_LATER,       /* this run is void, or has failed (c->arena) */
	INVOKED_REFUSED,     /* sk_fail() has been called: it is not there, it is of no state to be run */
	INVOKED_THROTTLED, INVOKED_UNAVAILABLE, INVOKED_FAILED, INVOKED_OK,
};
struct invoked_answer {
	int error;               /* REFUSED: the code */
	const char *payload;     /* OK, FAILED: text; NULL: nothing */
	const char *log;         /* base64 of its end, or NULL */
	const char *version;     /* which was run */
	const char *why;         /* UNAVAILABLE */
	int64_t ended_ms;        /* wall clock */
	bool reserved;           /* THROTTLED: by its own limit */
};
/* Finds the function and runs it. What a Lua function wants published is published by c when it is OK. */
enum invoked invoke_function(struct sk_call *c, const struct invocation *i, struct invoked_answer *answer);

/* Events: asked by rules, authorizers, hooks {functionName, payload, qualifier?} -> {payload}; asynchronous {id, functionName, payload}; its next attempt. */
sk_handler invoke_on_invoke, invoke_on_event, invoke_on_retry, invoke_on_dead;
#define INVOKE_EVENT "InvokeFunction"
#define INVOKE_EVENT_LATER "InvokeFunctionEvent"
#define INVOKE_EVENT_RETRY "InvokeFunctionRetry"
#define INVOKE_EVENT_DEAD "FunctionEventFailed"

#endif
