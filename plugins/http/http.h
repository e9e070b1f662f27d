/* http.h -- what the files of skeeter_http share: one call from its first byte to its answer, and the plugin's state.
 *
 * A call belongs to the HTTP thread (server.c), is lent to whoever works on it between serve_call() and serve_done(), and comes back to that
 * thread to be sent. All its memory is its arena's. Who asks is settled before the body is looked at, whether he may afterwards. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/request.h"
#include "core/seal.h"
#include "sigv4/sigv4.h"

/* How a listener learns who asks. */
enum http_access {
	HTTP_SIGNED, /* Signature Version 4 by an access key */
	HTTP_OPEN,   /* nobody is asked: loopback only */
	HTTP_DEVICE, /* the client's certificate: the device data plane */
	HTTP_ACCESSES
};

enum { HTTP_HEADERS = 4, HTTP_CAPTURES = 8, HTTP_ID_SIZE = 37 };

struct http_capture { /* a {capture} of the route, still percent-encoded */
	const char *at;
	size_t size;
};

struct http_reply { /* texts are the call's arena's or constants */
	int status;
	const char *type;                /* Content-Type */
	const char *error;               /* x-amzn-ErrorType, or NULL */
	const char *body;
	size_t size;
	struct sigv4_field header[HTTP_HEADERS];
	size_t headers;
	bool close;                      /* the connection ends with this answer */
};

/* The certificate that a device showed; the TLS session's memory, which outlives the call. size 0: none. */
struct http_peer {
	const unsigned char *der;
	size_t size;
	int64_t valid_from_s, valid_until_s;
};

struct http_state;
struct http_connection; /* server.c's */

struct http_call {
	struct sk_arena arena;
	struct http_state *state;
	struct http_connection *connection;
	struct http_call *next;          /* in the queue of those that are done */
	/* as it came */
	struct sigv4_request wire;
	struct sigv4_body body;
	size_t body_room, came;          /* bytes: allocated; come in, also those that were dropped */
	size_t counted;                  /* of the arena, in the server's sum */
	bool too_large;                  /* the body went over the limit and was dropped */
	const char *address;             /* the client's, numeric; "" unknown */
	struct http_peer peer;           /* HTTP_DEVICE */
	const char *certificate;         /* HTTP_DEVICE: id of the client's certificate, 64 hex digits; else "" */
	enum http_access access;
	int64_t now_ms;
	char id[HTTP_ID_SIZE];           /* x-amzn-RequestId */
	/* who asks */
	struct sk_caller caller;         /* kind SK_HTTP; principal: the access key's id, or the certificate's */
	const char *service;             /* that is asked, by the row's name for it; "" when nothing says so */
	void *grant;                     /* what identify() found and authorize() judges by */
	/* what is asked */
	struct sk_row *row;
	struct http_capture capture[HTTP_CAPTURES];
	size_t captures;
	cJSON *in;
	/* what is answered */
	struct http_reply reply;
};

/* Who asks: sets caller, service and grant. 0, or -1 with *no. HTTP thread: must not block. */
typedef int http_identify(struct http_call *x, struct sigv4_refusal *no);
/* May he: row and in are known. Ends, now or later and on any thread, in exactly one serve_admit() or serve_refuse(). */
typedef void http_authorize(struct http_call *x);

struct http_counters {
#define HTTP_COUNTER(name, prose) _Atomic uint64_t name;
#include "plugins/http/http.tbl"
#undef HTTP_COUNTER
};

struct http_routes;
struct http_server;
struct keyring;
struct sk_runtime;

struct http_state {
	/* options */
	const char *listen, *listen_tls, *listen_devices, *tls_cert, *tls_key, *key_file;
	int auth;                        /* enum http_access: signed or open */
	bool metrics;
	int64_t connections, header, body;
	int64_t idle, request_time;      /* ms */
	/* between ready and quiesce `rt` may be used by whoever holds the gate for reading; else it is NULL */
	pthread_rwlock_t gate;
	struct sk_runtime *rt;
	struct keyring *keys;            /* access keys */
	uint8_t seal[SK_SEAL_KEY];          /* from key_path: what their secrets are sealed with */
	char key_path[PATH_MAX];
	struct sk_arena memory;          /* routes */
	struct http_routes *routes;
	struct http_server *server;
	struct http_counters count;
	_Atomic int64_t unknown_logged_s; /* when an unknown operation was logged last */
	_Atomic int64_t denied_logged_s;  /* when a key's denial was */
};

#endif
