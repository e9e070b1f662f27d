/* http_client.h -- requests to web servers, many at once, over connections that stay open: what plugins that send over libcurl share.
 *
 * One client is one lane's: used by one thread at a time. TLS is verified, redirects are not followed, nothing but http and https is spoken,
 * proxies of the environment are ignored, every request ends within its time limit, and no more of an answer is kept than asked for.
 * http_client.c is glue (libcurl); verdict.c is pure. A unit test brings an outbound_send() of its own. */
#ifndef OUTBOUND_HTTP_CLIENT_H
#define OUTBOUND_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/sink.h"

struct outbound_header {
	const char *name, *value;
};
struct outbound_request {
	const char *method;           /* "POST", "PUT", "GET", "DELETE"; NULL: POST */
	const char *url;              /* http:// or https://, printable ASCII without blanks; sent as it is, dots and all */
	/* All that is sent but Content-Length, Accept, User-Agent, and Host (unless it is among them). No Content-Type unless it is. */
	const struct outbound_header *header;
	size_t headers;
	const void *body;
	size_t size;
	void *own;                    /* the caller's */
	/* the answer */
	int status;                   /* 200, 404; 0: there was none, see why */
	bool never;                   /* of 0: the request itself cannot be sent (its URL, a line end in a header): it never will be */
	const char *why;              /* of 0: one line without secrets; the arena's */
	int64_t retry_ms;             /* Retry-After; 0: none */
	const char *answer;           /* the body's first bytes, at most settings.most_answer; a NUL follows; never NULL */
	size_t answer_size;
	bool cut;                     /* there was, or would have been, more of it: a server's status stands, also when its body broke off */
	const char *got[4];           /* values of settings.want[], NULL: the answer has no such header */
};

/* Texts are only lent: they live as long as the client. */
struct outbound_settings {
	const char *ca;               /* a file of PEM certificates besides which none is trusted; NULL: the system's */
	int64_t connect_ms, total_ms; /* of each request; 0: 5000 */
	int connections;              /* most at once, and most that are kept open; 0: 16 */
	const char *proxy;            /* "http://host:port"; NULL: none, whatever the environment says */
	size_t most_answer;           /* 0: 2048 */
	const char *want[4];          /* names of an answer's headers; NULL: no more */
};

struct outbound;
/* In start() and stop() of a plugin; 0, or -1. */
int outbound_load(void);
void outbound_unload(void);
/* NULL with why[]. Does not connect. */
struct outbound *outbound_open(const struct outbound_settings *s, char *why, size_t why_size);
/* Sends n requests, some at once, in any order, and returns when each has its answer or has failed. Answers are the arena's. When as many as may be
 * under way have had no answer in a row, the rest is not tried: status 0. */
void outbound_send(struct outbound *o, struct outbound_request *r, size_t n, struct sk_arena *a);
void outbound_close(struct outbound **o);

/* -- verdict.c: pure -- */
/* What a web server's answer means: 2xx ok; no answer, 408, 425, 429, 5xx: retry; all else fails, redirects and what was never sent too. *why (the
 * arena's) is "503: " and the answer's beginning, in one line, with the values of the request's own headers and of its URL's parameters masked; NULL of ok. */
enum sk_sunk outbound_verdict(const struct outbound_request *r, struct sk_arena *a, const char **why);
/* Result, why and retry_ms of items that were all sent with that request. */
void outbound_say(const struct outbound_request *r, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
/* NULL, or why that header cannot be sent: no token, a control character, too long, or one that libcurl itself makes (Content-Length, ...). */
const char *outbound_header_fault(const char *name, const char *value);
/* The text's first `most` bytes in one line: control characters and broken UTF-8 become blanks, runs of blanks one. */
const char *outbound_line(struct sk_arena *a, const char *text, size_t size, size_t most);
/* "https://host:8443" of a URL, without user and password, in lower case. NULL with *why: no http(s), no host, or a template before the host's end. */
const char *outbound_origin(struct sk_arena *a, const char *url, const char **why);

#endif
