/* invoke.h -- an operation brought by another thread of this process, not by MQTT: the way in of the HTTP server and of rules.
 *
 * It goes through the same inboxes to the same handlers as everything else, in the lane of devices: it is what is refused when there is
 * no room. Whoever brings calls stops when its plugin's quiesce() is called. */
#ifndef SK_INVOKE_H
#define SK_INVOKE_H

#include "core/request.h"

struct sk_invocation {
	struct sk_row *row;              /* an operation, or an event of the asker's own */
	bool internal;                   /* in the lane that is never refused: the asker bounds how many there are, and still brings some until its quiesce() returns */
	const struct sk_caller *caller;
	int depth;                       /* how many publishes of ours led to it */
	const cJSON *in;                 /* the input, for finding its partition; not kept */
	const char *text;                /* the same as JSON text; copied */
	size_t size;
	const char *body;                /* the input that is the body as it is, body_size bytes; copied; NULL: there is none */
	size_t body_size;
	/* Called once, on a worker or on the broker's thread, when the outcome is final. What is changed in the watches has been told
	 * of, and messages have been sent, before what it adds to answer->outgoing leaves; a quiet answer may be given at once. */
	void (*finish)(struct sk_request *, const struct sk_answer *);
	void *ctx;                       /* in request->finish_ctx */
};

/* Any thread. 0: finish() will be called, or has been. Else it will not, and *message says why (NULL: nothing more than the error's name):
 * SK_E_INVALID_REQUEST (the input is not what the row wants), SK_E_THROTTLING (no room), SK_E_UNAVAILABLE (memory, the store). */
int sk_runtime_invoke(struct sk_runtime *rt, const struct sk_invocation *v, struct sk_arena *a, const char **message);
/* A thread that brings many calls at once wakes the workers once for some of them: between the two, at the latest by the second. */
void sk_invoke_begin(void);
void sk_invoke_end(struct sk_runtime *rt);

#endif
