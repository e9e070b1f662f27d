/* cluster.h -- what the files of skeeter_cluster share. Who may touch what is said group by group.
 *
 * The broker's thread puts messages and changes of its sessions into the queue; one thread of our own does all the rest: it has the connections to
 * the Redis, knows what other brokers take, sends, and gives what comes from them to the outbox. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <pthread.h>

#include "core/plugin.h"
#include "core/runtime.h"
#include "plugins/cluster/interest.h"
#include "plugins/cluster/queue.h"
#include "plugins/cluster/sessions.h"
#include "redis/route.h"

enum { NAME = 17, CHANNEL = 128, EARS = 2 };
enum audience { NOBODY, NO_FILTERS, SOMEBODY }; /* others: none; some, but they take nothing; some, or not known */

/* Of a filter in the file. When Mosquitto ends it says of every session that it is over, so what is forgotten stays for a while. */
enum lasting { NOT_KEPT, KEPT, FORGOTTEN, FORGOTTEN_LONG };

struct ear { /* a connection that hears channels */
	struct redis_node *node;
	const char *channel[EARS];
	int channels;
	bool open;              /* all of them are subscribed to */
	char host[256];         /* where MOVED sent us; "": ask the route */
	int port;
	int tries;
	int64_t retry_at, pause, heard; /* monotonic ms */
};
struct cluster {
	/* options */
	const char *redis, *topics, *always;
	int64_t queue, remember;
	/* from start() to stop() constant */
	struct redis_url url;
	uint64_t self;
	char name[NAME];
	char control[CHANNEL], inbox[CHANNEL], index[CHANNEL], filters[CHANNEL]; /* two channels, two keys */
	bool started;
	pthread_t thread;
	/* the broker's thread */
	struct sessions sessions;
	struct rules_filters *selected; /* topics */
	bool taking;                    /* between ready() and quiesce() */
	bool remembering;
	int64_t forget_at, said_at;     /* monotonic us */
	uint64_t dropped, dropped_said; /* by the broker's thread; of all of them */
	/* both */
	struct queue q;
	_Atomic(enum audience) audience;
	_Atomic uint64_t left_out;      /* dropped by our thread */
	atomic_bool blind;              /* memory was out: what our sessions take is not known, so it is everything */
	atomic_bool stopping;
	atomic_bool announced;          /* others know, or can, what we take */
	/* our thread */
	struct redis_route *route;
	struct ear ear[EARS];
	int ears;
	bool sharded;                   /* SPUBLISH: a Cluster, 7.0 or newer */
	struct interest interest;
	struct strings own, pending;    /* refs: a session has it, lasting: enum lasting; pending: changes since, mark: it came */
	uint64_t number;                /* of our filters */
	bool written;                   /* they stand in the Redis as of `number` */
	bool learned;                   /* what others take */
	bool away, said, dirty;         /* the Redis, and the log says so; the file of lasting subscriptions */
	bool took;                      /* something out of the queue, since the last rest */
	int64_t beat_at, pinged_at, save_at, say_at, end_at; /* monotonic ms */
	struct sk_out_home home;        /* of what we have given to the outbox */
	size_t given;                   /* bytes of it that are not back */
};

/* carry.c: the broker's thread */
int carry_start(struct cluster *c, char *why, size_t why_size);
void carry_stop(struct cluster *c);
void carry_message(struct cluster *c, const struct sk_feed *f);
void carry_came(struct cluster *c, const struct sk_client *client);
void carry_subscribed(struct cluster *c, const struct sk_client *client, const char *filter, bool on);
void carry_tick(struct cluster *c);

/* thread.c */
int thread_start(struct cluster *c); /* 0 or -1 */
void thread_stop(struct cluster *c); /* sends what waits, for a second at most */
int64_t cluster_now(void);           /* monotonic ms */
void cluster_away(struct cluster *c, const char *why);
void cluster_audience(struct cluster *c); /* after a change of what others take */

/* ears.c */
int ears_open(struct cluster *c);    /* 0: all are; -1: later */
void ears_read(struct cluster *c);
void ears_close(struct cluster *c);
bool ears_pending(const struct cluster *c);

/* hear.c: what came on a channel */
void hear_packet(struct cluster *c, const char *bytes, size_t n);
void hear_room(struct cluster *c);   /* counts what the broker's thread has done with */

/* talk.c: what we take, what others take */
void talk_change(struct cluster *c, const struct frame_entry *e);
void talk_beat(struct cluster *c);
void talk_filters(struct cluster *c);
void talk_bye(struct cluster *c);
/* The command as redis_ask wants it; false: no room, or no answer. *reply NULL or the caller's. */
bool talk_ask(struct cluster *c, int slot, const struct redis_text *command, const struct redis_script *script, redisReply **reply);

/* ways.c: packets to others */
void way_message(struct cluster *c, const struct frame_entry *e);
void way_close(struct cluster *c, struct other *o);
/* Sends the first packet of each; monotonic ms of when there is something to send again, INT64_MAX: nothing. */
int64_t ways_send(struct cluster *c);

/* remembered.c: the file of lasting subscriptions */
int remembered_read(struct cluster *c, char *why, size_t why_size);
void remembered_save(struct cluster *c);

#endif
