/* node.h -- one connection to one Redis, on the thread of its user; each call has an end in time. Replies are hiredis's.
 *
 * Whatever fails closes the connection; the next call that needs it opens it again. */
#ifndef REDIS_NODE_H
#define REDIS_NODE_H

#include <hiredis/hiredis.h>

#include "dial/link.h"
#include "redis/wire.h"

enum { REDIS_WHY = 240 };
struct redis_login {
	const char *user, *password; /* NULL: none */
	long database;               /* 0: it is not selected */
	bool tls;
	const char *ca, *certificate, *key; /* files in PEM; NULL: the system's, none */
};
struct redis_node {
	struct dial link;
	struct dial_to to;           /* host or path are the node's own copies */
	char name[300];              /* "127.0.0.1:6379", for messages */
	redisReader *reader;         /* NULL: there is no connection */
	struct redis_text out;       /* what is to be sent next */
	char why[REDIS_WHY + 320];   /* of the latest failure: "127.0.0.1:6379: timed out" */
	bool refused;                /* it was the login: trying again will not do */
	uint64_t opened;             /* connections so far */
};
/* path NULL: host and port. NULL: memory is out. */
struct redis_node *redis_node_new(const char *host, int port, const char *path, int64_t (*now)(void));
void redis_node_free(struct redis_node *n); /* NULL is allowed */
/* Connects and logs in unless there is a connection, until `until` (ms of now). 0, or -1 with why[]. */
int redis_node_ready(struct redis_node *n, const struct redis_login *login, int64_t until);
/* Sends out[] and empties it. 0 or -1. */
int redis_node_send(struct redis_node *n, int64_t until);
/* The next reply, the caller's (freeReplyObject). NULL with why[]. */
redisReply *redis_node_receive(struct redis_node *n, int64_t until);
/* One command, one reply. NULL with why[]; also when the reply is an error and `strict`. */
redisReply *redis_node_ask(struct redis_node *n, const char *const *word, size_t words, bool strict, int64_t until);
void redis_node_close(struct redis_node *n);

#endif
