/* route.h -- which operation is asked: the service first, then the verb and the path, by the rows of all loaded plugins. Pure.
 *
 * Routes are made once and only read afterwards. A literal segment wins over a {capture}, from the left, and either over a {greedy+} tail. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "plugins/http/http.h"

struct http_match {
	struct sk_row *row;
	struct http_capture capture[HTTP_CAPTURES]; /* into the path */
	size_t captures;
};
enum http_found {
	ROUTE_FOUND,
	ROUTE_UNKNOWN,    /* no operation has that path */
	ROUTE_OTHER_VERB, /* some operation has it, with another verb */
};

/* All operations of the n plugins; the memory is a's. NULL: memory is out. */
struct http_routes *routes_new(struct sk_arena *a, struct sk_loaded *loaded, int n);
/* path as in the request line, without the query. service "" is any: the first row that fits. */
enum http_found routes_find(const struct http_routes *r, const char *service, const char *verb, const char *path, struct http_match *out);
/* awsJson: the operation that X-Amz-Target ("Prefix.Name") names; NULL: there is none of that service. */
struct sk_row *routes_target(const struct http_routes *r, const char *service, const char *target);

/* The rows' name of a service by the name that requests for it are signed with: "execute-api" is "iot". */
const char *route_signed_service(const char *signing_name);
/* The same by a Host header: "a1b2-ats.iot.eu-west-1.amazonaws.com" is "iotdata"; "" when it says nothing. */
const char *route_host_service(const char *host);

#endif
