/* server.h -- HTTP/1.1 over libmicrohttpd on one thread of our own.
 *
 * That thread alone touches connections. A call that waits for its answer is suspended: it holds memory and a descriptor, no thread. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "plugins/http/http.h"

/* Binds all listeners that the options name. NULL with why[]. */
struct http_server *server_new(struct http_state *s, char *why, size_t why_size);
/* Begins to accept. 0, or -1 with why[]. */
int server_start(struct http_server *v, char *why, size_t why_size);
/* Any thread: x->reply is complete, and x goes back to the HTTP thread to be sent. */
void server_answered(struct http_call *x);
/* HTTP thread: adds what x has grown by to the sum of all calls; false: that is more than there is room for. */
bool server_has_room(struct http_call *x);
/* No connection is accepted any more, and answers end theirs. Any thread. */
void server_quiesce(struct http_server *v);
/* Sends what has been answered (for at most two seconds), closes all and ends the thread; every call must have been answered. */
void server_free(struct http_server **v);
/* Connections that are open now. */
int64_t server_connections(const struct http_server *v);

#endif
