/* url.h -- scheme://[user[:password]@]host[:port][/path][?query], taken apart: where a sink connects to.
 *
 * Parts are percent-decoded but for the query. A message about a URL never holds any of it, since a password may stand there. */
#ifndef SK_URL_H
#define SK_URL_H

#include "core/arena.h"

struct sk_url {
	const char *scheme;          /* in lower case */
	const char *user, *password; /* NULL: there is none */
	const char *host;            /* "" in unix:///run/x.sock; an IPv6 address without its brackets */
	int port;                    /* 0: none */
	const char *path;            /* behind the slash: "0" of redis://h/0, "" of amqp://h/; NULL: no slash */
	const char *query;           /* behind the question mark, as it stands; NULL: there is none */
};

/* All parts are the arena's. NULL; or what is wrong with it, in one line. */
const char *sk_url_parse(struct sk_arena *a, const char *text, struct sk_url *out);

#endif
