/* postgres.h -- what the files of skeeter_sink_postgres share. A connection belongs to its lane's thread.
 *
 * libpq never blocks here: each wait is one poll() of at most `timeout`, so that a server may take that long for a step of connecting, or for one
 * statement, and no longer. */
#ifndef SINK_POSTGRES_POSTGRES_H
#define SINK_POSTGRES_POSTGRES_H

#include <postgresql/libpq-fe.h>

#include "core/sink.h"
#include "statements/statement.h"

enum { POSTGRES_PREPARED = 64 };

struct postgres_state {
	int64_t timeout;               /* ms */
};
struct postgres_prepared {
	const char *sql;               /* in `texts` */
	uint32_t check;
	bool there;                    /* the server has it */
	uint64_t since;                /* the delivery that prepared it */
};
struct postgres {
	struct sk_arena arena;         /* of this */
	int timeout;
	const char *url, *user, *password;
	PGconn *c;                     /* NULL: not connected */
	struct sk_arena texts;         /* of this connection */
	struct postgres_prepared prepared[POSTGRES_PREPARED];
	int prepareds;
	uint64_t delivery;
};

/* -- connection.c -- */
void *postgres_open(void *state, const cJSON *fields, char *why, size_t why_size);
void postgres_close(void *sink);
/* NULL: it stands; else why not, the arena's. */
const char *postgres_connect(struct postgres *p, struct sk_arena *a);
void postgres_disconnect(struct postgres *p);
/* The next result of the pipeline, NULL between two commands, as PQgetResult(). false: the connection is lost, *why says how. */
bool postgres_result(struct postgres *p, PGresult **r, const char **why);
bool postgres_flush(struct postgres *p, const char **why);
/* The place of a statement among the prepared ones; -1: there is no room, so it is not prepared. */
int postgres_slot(struct postgres *p, const char *sql);

/* -- deliver.c -- */
void postgres_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);

/* -- verdict.c: pure -- */
extern const struct statement_dialect postgres_dialect;
const char *postgres_check(const cJSON *fields, struct sk_arena *a);
enum sk_sunk postgres_verdict(const char *sqlstate);
/* Whether an error may come from a statement that was prepared before a table changed. */
bool postgres_stale(const char *sqlstate);

#endif
