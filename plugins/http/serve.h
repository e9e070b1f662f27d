/* serve.h -- one call through the house: who asks, what, may he, the runtime's inbox, the answer. */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include "plugins/http/http.h"

/* HTTP thread, when the whole request is here. true: the answer is in x->reply. false: it comes later, through server_answered(x), once. */
bool serve_call(struct http_call *x);

/* -- for an http_authorize, any thread -- */
/* He may: the operation is submitted. */
void serve_admit(struct http_call *x);
/* He may not. */
void serve_refuse(struct http_call *x, const struct sigv4_refusal *no);

/* All plugins are loaded: makes the routes and lets calls in. 0, or -1 with why[]. */
int serve_open(struct http_state *s, struct sk_runtime *rt, char *why, size_t why_size);
/* From now on nothing reaches the runtime; what is under way goes on. */
void serve_close(struct http_state *s);

#endif
