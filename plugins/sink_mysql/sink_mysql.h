/* sink_mysql.h -- what the files of skeeter_sink_mysql share. A connection belongs to its lane's thread.
 *
 * Every wait for the server ends after `timeout`, rounded up to whole seconds: the client library knows no shorter ones. */
#ifndef SINK_MYSQL_SINK_MYSQL_H
#define SINK_MYSQL_SINK_MYSQL_H

#include <mariadb/mysql.h>

#include "core/sink.h"
#include "core/url.h"
#include "statements/statement.h"

enum { MYSQL_PREPARED = 32 };

struct mysql_state {
	int64_t timeout;               /* ms */
};
struct mysql_prepared {
	const char *sql;               /* in `texts` */
	MYSQL_STMT *statement;
};
struct mysql_fault {
	unsigned code;                 /* 0: there is none */
	const char *why;               /* the arena's */
};
struct mysql_link {
	struct sk_arena arena;         /* of this */
	unsigned timeout;              /* s */
	struct sk_url url;
	const char *socket, *database, *user, *password, *ca, *certificate, *key;
	MYSQL *c;                      /* NULL: not connected */
	struct sk_arena texts;         /* of this connection */
	struct mysql_prepared prepared[MYSQL_PREPARED];
	int prepareds;
	size_t most;                   /* bytes of one packet */
	bool bulk;                     /* the server takes arrays of parameters */
};

/* -- connection.c -- */
void *sink_mysql_open(void *state, const cJSON *fields, char *why, size_t why_size);
void sink_mysql_close(void *sink);
/* NULL: it stands; else why not, the arena's. */
const char *sink_mysql_connect(struct mysql_link *m, struct sk_arena *a);
void sink_mysql_disconnect(struct mysql_link *m);
/* The statement, prepared; NULL with *f. It is the connection's until the next call. */
MYSQL_STMT *sink_mysql_prepare(struct mysql_link *m, const char *sql, struct sk_arena *a, struct mysql_fault *f);

/* -- deliver.c -- */
void sink_mysql_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);

/* -- verdict.c: pure -- */
extern const struct statement_dialect mysql_dialect;
const char *sink_mysql_check(const cJSON *fields, struct sk_arena *a);
enum sk_sunk sink_mysql_verdict(unsigned code);
/* Of those that come again: the connection is as good as before. */
bool sink_mysql_stays(unsigned code);
/* Whether rows of parameters may be sent as one: the statement only changes rows. */
bool sink_mysql_is_change(const char *sql);
/* The address of a URL: mysql://host:port/db, mysqls:// with TLS, unix:///socket?db=name. NULL, or what is wrong. */
const char *sink_mysql_address(struct sk_arena *a, const char *text, struct sk_url *url, const char **socket, const char **database);

#endif
