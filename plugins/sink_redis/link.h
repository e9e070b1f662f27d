/* link.h -- bytes to and from a server over TCP, TLS or a unix socket, each call with an end in time. */
#ifndef SINK_REDIS_LINK_H
#define SINK_REDIS_LINK_H

#include <openssl/ssl.h>

#include "plugins/sink_redis/address.h"

enum { LINK_WHY = 256 };
struct redis_link {
	int64_t (*now)(void);      /* monotonic ms */
	int64_t until;             /* the end of what is being done; the caller sets it before each */
	int fd;                    /* -1: there is no connection */
	SSL_CTX *context;
	SSL *tls;
	char why[LINK_WHY];        /* of the latest failure; without secrets */
};
/* All answer 0, or -1 with why[]; after that the link must be closed. Resolving a name takes as long as the system's resolver does. */
int redis_link_open(struct redis_link *l, const struct redis_address *to);
int redis_link_send(struct redis_link *l, const char *bytes, size_t n);
/* At least one byte, at most `room`: how many; -1. */
long redis_link_receive(struct redis_link *l, char *to, size_t room);
/* The other side has ended it, or has said something that nobody asked for. */
bool redis_link_stale(const struct redis_link *l);
void redis_link_close(struct redis_link *l);

#endif
