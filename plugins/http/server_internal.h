/* server_internal.h -- shared by server*.c, the only files that know libmicrohttpd. HTTP thread only, but for what is atomic.
 *
 * A connection is in one list: of those between two requests, of those whose request comes in, of those whose call is under way, of those
 * whose answer goes out; oldest first. The call's own list has no limit of time, since every call is answered. */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "plugins/http/server.h"

enum { CONNECTION_IDLE, CONNECTION_READING, CONNECTION_WAITING, CONNECTION_SENDING, CONNECTION_STATES };
enum { SERVER_LISTENERS = 16, SERVER_ADDRESS = 64 };

struct http_connection {
	struct http_connection *next, *previous;
	struct http_listener *listener;
	struct MHD_Connection *mhd;
	int state;
	int64_t since_ms;                /* monotonic: when it came into this state */
	int fd;
	bool peer_read;                  /* HTTP_DEVICE: what the handshake has shown is in peer */
	struct http_peer peer;
	char address[INET6_ADDRSTRLEN];
};
struct http_connections {
	struct http_connection *oldest, *newest;
};
struct http_listener {
	struct http_server *server;
	enum http_access access;
	bool tls;
	bool due;                        /* something happened at its daemon */
	int fd;                          /* -1: the daemon has it, or it is closed */
	int epoll;                       /* the daemon's */
	struct MHD_Daemon *daemon;
	char address[SERVER_ADDRESS];    /* as it is bound: "127.0.0.1:8080" */
};
struct http_server {
	struct http_state *state;
	struct http_listener listener[SERVER_LISTENERS];
	int listeners;
	char *key, *certificate;         /* PEM texts */
	int epoll, event;
	pthread_t thread;
	bool running;
	atomic_bool quiesce, stop;
	bool quiesced;
	_Atomic(struct http_call *) answered; /* newest first */
	_Atomic int64_t open;            /* connections */
	struct http_connections list[CONNECTION_STATES];
	int64_t now_ms, swept_ms, stop_ms; /* monotonic */
	_Atomic size_t memory;           /* bytes of all calls */
	struct http_call *spare;         /* calls that are done, linked by next */
	int spares;
	unsigned char chance[1024];      /* for request ids */
	size_t chance_left;
};

/* server_listen.c: the sockets that the options name. 0, or -1 with why[]. */
int server_listen(struct http_server *v, char *why, size_t why_size);

/* server_call.c: libmicrohttpd's callbacks; cls is the listener */
void *server_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result server_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **call);
void server_on_completed(void *cls, struct MHD_Connection *mhd, void **call, enum MHD_RequestTerminationCode why);

/* server_peer.c: has a client asked for its certificate; what it has shown, into c->peer */
void server_ask_certificate(struct MHD_Connection *mhd);
void server_read_peer(struct http_connection *c);

void server_free_calls(struct http_server *v); /* those that are kept; the thread has ended */

/* server_connection.c */
void server_on_connection(void *cls, struct MHD_Connection *mhd, void **socket, enum MHD_ConnectionNotificationCode what);
void server_move(struct http_connection *c, int state);
/* Closes what has been in its state for too long. */
void server_sweep(struct http_server *v);

#endif
