/* connection.c -- one connection to MySQL or MariaDB: time limits on all it does, no file of ours for the server, passwords never in clear.
 *
 * Statements that are prepared belong to the connection and go with it. */
#include "plugins/sink_mysql/sink_mysql.h"

#include <mariadb/errmsg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"

static const char memory[] = "memory is out";

/* -- open and close -- */

static const char *text_of(struct sk_arena *a, const cJSON *fields, const char *name)
{
	return sk_strdup(a, sk_json_text(fields, name));
}

/* NULL, or what is wrong. Fields come before what the URL says. */
static const char *take_fields(struct mysql_link *m, const cJSON *fields)
{
	const cJSON *tls = sk_json_get(fields, "tls");
	const char *fault = sink_mysql_address(&m->arena, sk_json_text(fields, "url"), &m->url, &m->socket, &m->database);

	m->user = text_of(&m->arena, fields, "user");
	m->password = text_of(&m->arena, fields, "password");
	m->user = m->user ? m->user : m->url.user;
	m->password = m->password ? m->password : m->url.password;
	m->ca = text_of(&m->arena, tls, "ca");
	m->certificate = text_of(&m->arena, tls, "certificate");
	m->key = text_of(&m->arena, tls, "key");
	return fault ? fault : m->arena.failed ? memory : NULL;
}

void *sink_mysql_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	struct sk_arena arena = { 0 };
	struct mysql_link *m = sk_alloc(&arena, sizeof *m);
	const char *fault = memory;

	if (m) {
		m->arena = arena;
		m->timeout = (unsigned)((((struct mysql_state *)state)->timeout + 999) / 1000);
		fault = take_fields(m, fields);
		arena = m->arena;
	}
	if (!fault)
		return m;
	sk_why(why, why_size, "%s", fault);
	sk_arena_free(&arena);
	return NULL;
}

static void forget_statements(struct mysql_link *m)
{
	for (int i = 0; i < m->prepareds; i++)
		mysql_stmt_close(m->prepared[i].statement);
	m->prepareds = 0;
	sk_arena_reset(&m->texts, 1 << 16);
}

void sink_mysql_disconnect(struct mysql_link *m)
{
	forget_statements(m);
	if (m->c)
		mysql_close(m->c);
	m->c = NULL;
}

void sink_mysql_close(void *sink)
{
	struct mysql_link *m = sink;
	struct sk_arena arena = m->arena;

	sink_mysql_disconnect(m);
	sk_arena_free(&m->texts);
	sk_arena_free(&arena);
}

/* -- connecting -- */

static void set_options(struct mysql_link *m)
{
	const unsigned off = 0, wait = m->timeout > 1 ? m->timeout - 1 : 1;
	const char on = 1;
	const bool tls = m->ca || !strcmp(m->url.scheme, "mysqls");
	char begin[80];

	mysql_options(m->c, MYSQL_OPT_CONNECT_TIMEOUT, &m->timeout);
	mysql_options(m->c, MYSQL_OPT_READ_TIMEOUT, &m->timeout);
	mysql_options(m->c, MYSQL_OPT_WRITE_TIMEOUT, &m->timeout);
	mysql_options(m->c, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(m->c, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(m->c, MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519");
	/* Ours would leave a statement behind that waits on. */
	snprintf(begin, sizeof begin, "SET SESSION innodb_lock_wait_timeout = %u", wait);
	mysql_options(m->c, MYSQL_INIT_COMMAND, begin);
	if (!tls)
		return;
	mysql_ssl_set(m->c, m->key, m->certificate, m->ca, NULL, NULL);
	mysql_optionsv(m->c, MYSQL_OPT_SSL_ENFORCE, &on);
	mysql_options(m->c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
}

static const char *words(struct sk_arena *a, unsigned code, const char *state, const char *text)
{
	const char *line = sk_printf(a, "%u (%s) %s", code, state, text);

	return line ? statement_words(a, line) : memory;
}

/* How large a packet may be: one that is larger ends the connection, and would come again for ever. */
static size_t most_bytes(MYSQL *c)
{
	MYSQL_RES *r = mysql_query(c, "SELECT @@max_allowed_packet") ? NULL : mysql_store_result(c);
	MYSQL_ROW row = r ? mysql_fetch_row(r) : NULL;
	size_t n = row && row[0] ? strtoull(row[0], NULL, 10) : 0;

	mysql_free_result(r);
	return n;
}

static bool takes_arrays(MYSQL *c)
{
	unsigned long capabilities = 0;

	if (mariadb_get_infov(c, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities))
		return false;
	return capabilities & MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32;
}

static bool begin(struct mysql_link *m)
{
	set_options(m);
	if (!mysql_real_connect(m->c, m->socket ? NULL : m->url.host, m->user, m->password, m->database, (unsigned)m->url.port, m->socket, 0) ||
	    mysql_autocommit(m->c, 0))
		return false;
	m->most = most_bytes(m->c);
	m->bulk = takes_arrays(m->c);
	return m->most > 0;
}

const char *sink_mysql_connect(struct mysql_link *m, struct sk_arena *a)
{
	const char *why;

	if (m->c)
		return NULL;
	m->c = mysql_init(NULL);
	if (!m->c)
		return memory;
	if (begin(m))
		return NULL;
	why = words(a, mysql_errno(m->c), mysql_sqlstate(m->c), mysql_error(m->c));
	sink_mysql_disconnect(m);
	return why;
}

/* -- prepared statements -- */

MYSQL_STMT *sink_mysql_prepare(struct mysql_link *m, const char *sql, struct sk_arena *a, struct mysql_fault *f)
{
	struct mysql_prepared *p;

	for (int i = 0; i < m->prepareds; i++)
		if (!strcmp(m->prepared[i].sql, sql))
			return m->prepared[i].statement;
	if (m->prepareds == MYSQL_PREPARED)
		forget_statements(m);
	p = &m->prepared[m->prepareds];
	*p = (struct mysql_prepared){ .sql = sk_strdup(&m->texts, sql), .statement = mysql_stmt_init(m->c) };
	*f = (struct mysql_fault){ CR_OUT_OF_MEMORY, memory };
	if (p->sql && p->statement && !mysql_stmt_prepare(p->statement, sql, strlen(sql))) {
		m->prepareds++;
		return p->statement;
	}
	if (p->statement) {
		*f = (struct mysql_fault){ mysql_stmt_errno(p->statement), NULL };
		f->why = words(a, f->code, mysql_stmt_sqlstate(p->statement), mysql_stmt_error(p->statement));
		mysql_stmt_close(p->statement);
	}
	return NULL;
}
