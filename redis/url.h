/* url.h -- where a Redis is and who we are there, as one text. Pure.
 *
 *   redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE][?NAME=VALUE&...]       one server; rediss:// over TLS
 *   redis+unix://[USER[:PASSWORD]@]/PATH[?...]                              one server, its socket
 *   redis+sentinel://[...@]HOST[:PORT],HOST[:PORT].../MASTER[/DATABASE][?...]   the master that Sentinels (26379) name; rediss+sentinel://
 *   redis+cluster://[...@]HOST[:PORT],HOST[:PORT]...[?...]                  a Redis Cluster, found by any of its nodes; rediss+cluster://
 *
 * User and password may be percent-encoded; an IPv6 address stands in brackets. Names behind the question mark are rows of a table in url.c:
 * prefix, timeout, replicas, buckets, database, password_file, sentinel_user, sentinel_password_file, ca, cert, key. */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include "redis/node.h"

enum redis_kind { REDIS_ONE, REDIS_SENTINEL, REDIS_CLUSTER };
enum { REDIS_HOSTS = 16, REDIS_PREFIX = 64 };
struct redis_url {
	enum redis_kind kind;
	struct { char host[256]; int port; } host[REDIS_HOSTS];
	int hosts;
	char path[108];                /* of a unix socket; "": TCP */
	char master[128];              /* its name at the Sentinels */
	struct redis_login login;      /* of the data nodes; texts are this struct's memory */
	struct redis_login sentinel;   /* of the Sentinels: TLS as the nodes' */
	char prefix[REDIS_PREFIX];     /* of every key and channel; "skeeter:" unless given; without braces */
	int64_t timeout_ms;            /* for one answer; 2000 unless given, 100 to 60000 */
	int replicas;                  /* a commit waits until so many have it (WAIT); 0 unless given */
	int buckets;                   /* of a new store: 1 to 1024; 0: not given */
	const char *password_file, *sentinel_password_file; /* NULL: none */
	char *memory[8];               /* what the texts above lie in */
	int memories;
};
/* 0, or -1 with one line in why[] that says what is wrong without the password. Files are not read here. redis_url_free() in both cases. */
int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t why_size);
/* Reads password_file and sentinel_password_file, a regular file each that others may not read, one line; these, ca, cert and key are relative to
 * `folder` (NULL: the working directory). 0 or -1 with why[]. */
int redis_url_secrets(struct redis_url *u, const char *folder, char *why, size_t why_size);
void redis_url_free(struct redis_url *u);
/* For messages and logs: the text without the password. Always ends with NUL. */
void redis_url_show(const struct redis_url *u, char *text, size_t size);

#endif
