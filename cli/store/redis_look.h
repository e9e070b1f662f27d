/* redis_look.h -- what a store in a Redis is, seen from beside it: whether it is there, how many buckets, how far it was written, who uses it.
 *
 * It only reads, so a wrong URL or prefix leaves nothing behind. The keys' names are those of core/store_redis.h. */
#ifndef STORE_REDIS_LOOK_H
#define STORE_REDIS_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis/route.h"

struct look {
	char *text;                /* the URL as it was given */
	struct redis_url url;
	struct redis_route *route;
	bool there;
	char id[64];               /* a random one, of this store */
	int buckets;
	uint64_t newest, versions; /* the newest version of all buckets, and the sum of theirs: any write raises it */
};

/* NULL and why[], without the password. */
struct look *look_open(const char *url, char *why, size_t why_size);
void look_close(struct look **l);
void look_name(const struct look *l, char *text, size_t size);
/* Fills in what stands behind `route`. 0, or -1 with why[]: it does not answer, it is no store or one of a later version. */
int look_again(struct look *l, char *why, size_t why_size);
/* 0: no broker uses it. One that has ended without a word may take 10 s to be gone: it is waited for, one that lives is not. Else -1, why[]. */
int look_unused(struct look *l, char *why, size_t why_size);
/* The brokers that said within the last 10 s that they live; -1 with why[]. */
int look_brokers(struct look *l, char *why, size_t why_size);
/* One command about that key. The reply, which is no error and the caller's; NULL with why[]. */
redisReply *look_ask(struct look *l, const struct redis_text *command, const char *key, char *why, size_t why_size);

#endif
