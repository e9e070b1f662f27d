/* link.h -- bytes to and from a server over TCP, TLS or a unix socket, each call with an end in time. For sinks whose client library has none. */
#ifndef DIAL_LINK_H
#define DIAL_LINK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum { DIAL_WHY = 256 };
struct dial_to {
	const char *path;          /* of a unix socket; NULL: host and port */
	const char *host;
	int port;
	const char *ca, *certificate, *key; /* for TLS, files in PEM; NULL: the system's authorities, no certificate */
};
struct dial {
	int64_t (*now)(void);      /* monotonic ms */
	int64_t until;             /* the end of what is being done; the caller sets it before each */
	int fd;                    /* -1: there is no connection */
	SSL_CTX *context;
	SSL *tls;
	bool greedy;               /* set before sending: what comes meanwhile is taken in, so that two who send at once never wait for each other */
	struct { char *bytes; size_t room, taken, have; bool end; } early; /* that */
	char why[DIAL_WHY];        /* of the latest failure; without secrets */
};
/* All answer 0, or -1 with why[]; after that the link must be closed. Resolving a name takes as long as the system's resolver does. */
/* Before dial_open(), if TLS is to follow: reads the files of `to`, or the system's authorities, which takes a while that a server may not wait. */
int dial_prepare(struct dial *l, const struct dial_to *to);
int dial_open(struct dial *l, const struct dial_to *to);
/* TLS from here on: the certificate must be of to->host. */
int dial_secure(struct dial *l, const struct dial_to *to);
/* All of it. 0, or -1 with why[] as above. */
int dial_send(struct dial *l, const char *bytes, size_t n);
/* At least one byte, at most `room`: how many; -1 with why[]. */
long dial_receive(struct dial *l, char *to, size_t room);
/* The same, but 0 when nothing has come. */
long dial_take(struct dial *l, char *to, size_t room);
/* What has come and is not taken yet: bytes[taken] to bytes[have]. */
struct dial_input {
	char *bytes;
	size_t room, taken, have;
};
/* More of it; what was taken is forgotten. 0, or -1 with why[], also when there is no room. */
int dial_more(struct dial *l, struct dial_input *in);
/* Something has come, be it the end of the connection: receiving would not wait. */
bool dial_pending(const struct dial *l);
/* The other side has ended it, or has said something that nobody asked for. */
bool dial_stale(const struct dial *l);
void dial_close(struct dial *l);

#endif
