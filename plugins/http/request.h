/* request.h -- from what came over the wire to an operation's input, as its row says. Pure. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "plugins/http/http.h"

/* The first value of a header; NULL: it is not there. Names compare without case. */
const char *request_header(const struct sigv4_request *r, const char *name);

/* Undoes %41; plus: also '+' for a blank. NULL: half an escape, one that is none, or %00; also when memory is out (a->failed). */
char *request_decode(struct sk_arena *a, const char *text, size_t n, bool plus);

/* Makes x->in out of path, query, headers and body; the row and its captures are known. 0, or -1 with the sentence in *message (NULL:
 * memory is out). Only what the row puts into a place is taken from there. */
int request_bind(struct http_call *x, const char **message);

#endif
