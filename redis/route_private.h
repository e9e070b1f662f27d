/* route_private.h -- what route.c and route_find.c know of a route: its nodes, and which of them serves what.
 *
 * Between two rounds of a route no connection owes a reply; only then are nodes added, dropped or numbered anew. */
#ifndef REDIS_ROUTE_PRIVATE_H
#define REDIS_ROUTE_PRIVATE_H

#include "redis/route.h"

struct redis_place {
	struct redis_node *link;
	bool master;              /* it serves slots; others were met by ASK */
	bool leave;               /* to be closed when it has said all */
	bool late;                /* there was no connection when the round began */
};
struct redis_route {
	const struct redis_url *u;
	int64_t (*now)(void);     /* monotonic ms */
	struct redis_place *place;
	int places, room;
	int16_t slot[REDIS_SLOTS]; /* the place that serves it, -1: none; of a Cluster */
	bool known;               /* places are as somebody said who should know */
	bool moved;               /* but not all of them: a slot has another node since */
	bool refused;             /* somebody does not want us: trying again will not do */
	int64_t learned, turned;  /* when it became known; when a lone server was left because it was read-only */
	int next;                 /* the Sentinel or node to be asked first */
	struct redis_route_count count;
	char why[REDIS_WHY + 640];
};
/* Learns who serves what unless it is known. 0, or -1 with why. Places may have other numbers after it. */
int redis_route_learn(struct redis_route *r, int64_t until);
/* Connected, in at most a part of the time unless it is the only server. 0, or -1 with why. */
int redis_route_connect(struct redis_route *r, struct redis_node *n, const struct redis_login *login, int64_t until);
/* The place of host and port, made if it is new; -1: memory is out. */
int redis_route_place(struct redis_route *r, const char *host, int port);
/* Of "127.0.0.1:6381" or ":6381" (then the host is from->to.host) as MOVED and ASK name it; -1: it names nobody, or memory is out. */
int redis_route_named(struct redis_route *r, const char *name, const struct redis_node *from);

#endif
