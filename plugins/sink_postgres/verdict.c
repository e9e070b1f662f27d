/* verdict.c -- what an SQLSTATE means for an item, and what is looked at when a rule is made. Pure.
 *
 * What the server or others are to blame for is tried again; what a statement or its values are to blame for never works. */
#include <string.h>
#include <strings.h>

#include "plugins/sink_postgres/postgres.h"

const struct statement_dialect postgres_dialect = { .quote = '"', .numbered = true, .most = 65535 };

/* Beginnings of SQLSTATEs. */
static const char *const again[] = {
	"08",    /* connection_exception */
	"53",    /* insufficient_resources: memory, disk, connections */
	"57P0",  /* shut down, crashed, cannot connect now, database dropped, idle */
	"57014", /* query_canceled: statement_timeout, an operator */
	"58",    /* system_error: a disk */
	"40",    /* transaction_rollback: serialization failure, deadlock */
	"55P03", /* lock_not_available */
	"55006", /* object_in_use */
	"25006", /* read_only_sql_transaction: a standby */
	"25P03", /* idle_in_transaction_session_timeout */
};
static const char *const stale[] = { "42", "0A000", "26000" };

static bool begins_with_one(const char *state, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(state, list[i], strlen(list[i])))
			return true;
	return false;
}

enum sk_sunk postgres_verdict(const char *sqlstate)
{
	return begins_with_one(sqlstate, again, sizeof again / sizeof *again) ? SK_SUNK_RETRY : SK_SUNK_FAIL;
}

bool postgres_stale(const char *sqlstate)
{
	return begins_with_one(sqlstate, stale, sizeof stale / sizeof *stale);
}

/* "password = x" of a connection string, "?password=x" of a URL: these would stand in lists. */
static bool has_password(const char *url)
{
	for (const char *at = url; (at = strcasestr(at, "password")); at++)
		if (at[8 + strspn(at + 8, " \t\r\n")] == '=')
			return true;
	return false;
}

const char *postgres_check(const cJSON *fields, struct sk_arena *a)
{
	const char *url = sk_json_text(fields, "url");

	if (!url || !*url)
		return "url must be a connection string of PostgreSQL";
	if (has_password(url))
		return "a password has no place in url, which lists show: use the field password";
	return statement_check(fields, &postgres_dialect, a);
}
