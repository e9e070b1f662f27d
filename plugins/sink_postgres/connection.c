/* connection.c -- one connection to PostgreSQL: made without blocking for longer than `timeout` a step, always in pipeline mode.
 *
 * Statements that are prepared belong to the connection and go with it. */
#include "plugins/sink_postgres/postgres.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "core/check.h"
#include "core/why.h"

static const char late[] = "the server did not answer in time";

/* libpq would print them to stderr. */
static void notice(void *own, const PGresult *r)
{
	(void)own, (void)r;
}

/* -- open and close -- */

static const char *text_of(struct sk_arena *a, const cJSON *fields, const char *name)
{
	return sk_strdup(a, sk_json_text(fields, name));
}

void *postgres_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	struct sk_arena arena = { 0 };
	struct postgres *p = sk_alloc(&arena, sizeof *p);
	PQconninfoOption *options = NULL;

	if (p) {
		p->timeout = (int)((struct postgres_state *)state)->timeout;
		p->url = text_of(&arena, fields, "url");
		p->user = text_of(&arena, fields, "user");
		p->password = text_of(&arena, fields, "password");
		options = p->url ? PQconninfoParse(p->url, NULL) : NULL;
	}
	if (!options) {
		/* libpq's own words may hold a part of the text, and that may be a secret. */
		sk_why(why, why_size, arena.failed ? "memory is out" : "url is not a connection string of PostgreSQL");
		sk_arena_free(&arena);
		return NULL;
	}
	PQconninfoFree(options);
	p->arena = arena;
	return p;
}

void postgres_disconnect(struct postgres *p)
{
	PQfinish(p->c);
	p->c = NULL;
	p->prepareds = 0;
	sk_arena_reset(&p->texts, 1 << 16);
}

void postgres_close(void *sink)
{
	struct postgres *p = sink;
	struct sk_arena arena = p->arena;

	postgres_disconnect(p);
	sk_arena_free(&p->texts);
	sk_arena_free(&arena);
}

/* -- waiting -- */

/* NULL: something came, or may be written. */
static const char *wait_for(struct postgres *p, short events)
{
	struct pollfd fd = { .fd = PQsocket(p->c), .events = events };
	int n;

	do {
		n = poll(&fd, 1, p->timeout);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? NULL : n ? "poll failed" : late;
}

bool postgres_flush(struct postgres *p, const char **why)
{
	int left;

	while (!*why && (left = PQflush(p->c))) {
		if (left < 0)
			*why = PQerrorMessage(p->c);
		else if (!(*why = wait_for(p, POLLIN | POLLOUT)) && !PQconsumeInput(p->c))
			*why = PQerrorMessage(p->c);
	}
	return !*why;
}

bool postgres_result(struct postgres *p, PGresult **r, const char **why)
{
	while (!*why && PQisBusy(p->c)) {
		if (!(*why = wait_for(p, POLLIN)) && !PQconsumeInput(p->c))
			*why = PQerrorMessage(p->c);
	}
	*r = *why ? NULL : PQgetResult(p->c);
	return !*why;
}

/* -- connecting -- */

static const char *poll_connection(struct postgres *p)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	const char *why = NULL;

	while (!why && status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED || PQstatus(p->c) == CONNECTION_BAD)
			return PQerrorMessage(p->c);
		why = wait_for(p, status == PGRES_POLLING_READING ? POLLIN : POLLOUT);
		status = why ? status : PQconnectPoll(p->c);
	}
	return why;
}

/* Our own time limit would leave a statement behind that goes on for ever: the server shall end it before. Who has set one keeps it. */
static const char *limit_statements(struct postgres *p)
{
	char sql[160];
	const char *why = NULL;
	PGresult *r = NULL;

	snprintf(sql, sizeof sql, "SELECT set_config('statement_timeout', '%d', false) WHERE current_setting('statement_timeout') = '0'",
	         p->timeout - p->timeout / 8);
	if (!PQsendQuery(p->c, sql))
		return PQerrorMessage(p->c);
	while (postgres_flush(p, &why) && postgres_result(p, &r, &why) && r) {
		if (PQresultStatus(r) != PGRES_TUPLES_OK)
			why = "statement_timeout cannot be set";
		PQclear(r);
	}
	return why;
}

static const char *begin(struct postgres *p)
{
	const char *const key[] = { "dbname", "user", "password", "fallback_application_name", "client_encoding", NULL };
	const char *const value[] = { p->url, p->user, p->password, "skeeter", "UTF8", NULL };
	const char *why;

	p->c = PQconnectStartParams(key, value, 1);
	if (!p->c)
		return "memory is out";
	PQsetNoticeReceiver(p->c, notice, NULL);
	if ((why = poll_connection(p)))
		return why;
	if (PQsetnonblocking(p->c, 1))
		return PQerrorMessage(p->c);
	if ((why = limit_statements(p)))
		return why;
	return PQenterPipelineMode(p->c) ? NULL : PQerrorMessage(p->c);
}

const char *postgres_connect(struct postgres *p, struct sk_arena *a)
{
	const char *why;

	if (p->c && PQconsumeInput(p->c) && PQstatus(p->c) == CONNECTION_OK)
		return NULL;
	postgres_disconnect(p);
	why = begin(p);
	if (!why)
		return NULL;
	why = statement_words(a, why);
	postgres_disconnect(p);
	return why;
}

/* -- prepared statements -- */

int postgres_slot(struct postgres *p, const char *sql)
{
	size_t n = strlen(sql);
	uint32_t check = sk_check(sql, n);
	struct postgres_prepared *slot = &p->prepared[p->prepareds];

	for (int i = 0; i < p->prepareds; i++)
		if (p->prepared[i].check == check && !strcmp(p->prepared[i].sql, sql))
			return i;
	if (p->prepareds == POSTGRES_PREPARED)
		return -1;
	*slot = (struct postgres_prepared){ .sql = sk_strndup(&p->texts, sql, n), .check = check };
	return slot->sql ? p->prepareds++ : -1;
}
