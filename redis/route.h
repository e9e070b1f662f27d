/* route.h -- commands to one Redis, to the master that Sentinels name, or to a Cluster: each goes to the node that serves its slot, and whatever
 * can be mended by asking again is asked again until the end of the time that the caller gives.
 *
 * A route is used by one thread at a time and waits in that thread. Its connections are made when they are needed and kept. */
#ifndef REDIS_ROUTE_H
#define REDIS_ROUTE_H

#include "redis/url.h"

enum { REDIS_ANY_SLOT = -1 }; /* any master will do */
struct redis_script {
	const char *body;
	char sha[41];              /* redis_script_name() fills it in */
};
void redis_script_name(struct redis_script *s);

struct redis_ask {
	int slot;                  /* redis_slot() of its keys, or REDIS_ANY_SLOT */
	int node;                  /* instead: the number of a master from redis_route_masters(); -1 */
	const char *bytes;         /* the command as wire.h writes it; the caller's, untouched until there is an answer */
	size_t size;
	const struct redis_script *script; /* that its EVALSHA names: loaded where a node does not know it. NULL: none */
	bool once;                 /* not sent again after the connection broke behind it: it may have happened. false: asking twice does no harm */
	int replicas;              /* then waits until so many replicas have all that this connection wrote (WAIT); 0: none. What answers a second time
	                            * must write something then (EXPIRE), or a new connection has nothing to wait for */
	int replicas_ms;           /* at most so long */
	/* filled: */
	redisReply *reply;         /* the caller frees it. May be an error that asking again did not mend in time (OOM, NOPERM, READONLY, CLUSTERDOWN ...) */
	bool unknown;              /* without reply, or with an error: it was sent, so it may have happened, or may yet */
	int acknowledged;          /* replicas that have it; 0 also when that was not heard */
};

struct redis_route_count { uint64_t reconnects, redirects, resent; };
struct redis_route;
/* u must outlive it. now: monotonic ms. NULL: memory is out. Connects to nobody yet. */
struct redis_route *redis_route_new(const struct redis_url *u, int64_t (*now)(void));
void redis_route_free(struct redis_route *r); /* NULL is allowed */
/* Sends all of them, to each node in one go and in this order, before it reads; follows MOVED and ASK, loads scripts, waits out TRYAGAIN, CLUSTERDOWN,
 * LOADING and MASTERDOWN, looks for the new master after READONLY and a lost connection (Sentinels, the Cluster's nodes), with pauses of 5 to
 * 100 ms between tries, and after an answer that took longer than the URL's timeout; all until `until` (ms of now). Two commands of one slot keep their order only if neither is asked again: who needs that sends one.
 * 0: each has its reply; -1: some have none, redis_route_why() says why. */
int redis_route_ask(struct redis_route *r, struct redis_ask *asks, size_t n, int64_t until);
/* The masters there are now: 1 unless it is a Cluster. Learns them if they are not known. -1 with why. */
int redis_route_masters(struct redis_route *r, int64_t until);
/* That master's connection, for its address (to.host, to.port); it may be gone with the next call. NULL: there is no such. */
const struct redis_node *redis_route_master(const struct redis_route *r, int number);
/* One line for people: "10.0.0.7:6379: connection refused". Of the latest failure. */
const char *redis_route_why(const struct redis_route *r);
/* Sum since it was made. */
struct redis_route_count redis_route_counted(const struct redis_route *r);
/* Closes all connections and forgets which node serves what: after a failover that was heard of elsewhere. */
void redis_route_forget(struct redis_route *r);

#endif
