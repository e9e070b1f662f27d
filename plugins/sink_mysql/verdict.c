/* verdict.c -- what an error of MySQL or MariaDB means for an item, what an address is, and what is looked at when a rule is made. Pure.
 *
 * What the server or others are to blame for is tried again; what a statement or its values are to blame for never works. */
#include <string.h>
#include <strings.h>

#include "plugins/sink_mysql/sink_mysql.h"

const struct statement_dialect mysql_dialect = { .quote = '`', .numbered = false, .most = 65535 };

/* Of the client: those of 2000 to 2099 (and MariaDB's from 5000) that an item causes; all others are the connection's. */
static const unsigned own[] = {
	2020, /* the packet is too large */
	2029, 2030, 2031, 2032, 2033, 2034, 2035, 2036, /* null pointers, no statement, parameters that are not bound or of no type */
};

/* Of the server. */
static const struct again {
	unsigned code;
	bool stays;
} again[] = {
	{ 1020, true },  /* the record has changed since it was read */
	{ 1021, false }, /* the disk is full */
	{ 1037, false }, { 1038, false }, { 1041, false }, /* memory */
	{ 1040, false }, { 1203, false }, { 1226, false }, /* too many connections, of this user; too many questions */
	{ 1047, false }, /* a node of a cluster that is not ready */
	{ 1053, false }, { 1077, false }, { 1079, false }, /* shutting down */
	{ 1114, false }, /* the table is full */
	{ 1152, false }, { 1156, false }, { 1158, false }, { 1159, false }, { 1160, false }, { 1161, false }, /* the network */
	{ 1180, false }, { 1181, false }, /* an error while it committed, or rolled back */
	{ 1205, true },  /* a lock was waited for in vain */
	{ 1213, true },  /* a deadlock */
	{ 1243, false }, { 1615, false }, /* the prepared statement is gone, or older than its table */
	{ 1290, false }, { 1792, false }, { 1836, false }, /* read only */
	{ 1317, false }, { 1927, false }, { 1969, false }, { 3024, false }, { 4031, false }, /* killed; its time was over */
	{ 1412, true },  /* the table has changed, "please retry transaction" */
	{ 1637, true },  /* too many transactions at once */
};

static const struct again *row_of(unsigned code)
{
	for (size_t i = 0; i < sizeof again / sizeof *again; i++)
		if (again[i].code == code)
			return &again[i];
	return NULL;
}

static bool is_client(unsigned code)
{
	return (code >= 2000 && code < 2100) || (code >= 5000 && code < 5100);
}

enum sk_sunk sink_mysql_verdict(unsigned code)
{
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (own[i] == code)
			return SK_SUNK_FAIL;
	return is_client(code) || row_of(code) ? SK_SUNK_RETRY : SK_SUNK_FAIL;
}

bool sink_mysql_stays(unsigned code)
{
	const struct again *row = row_of(code);

	return row && row->stays;
}

bool sink_mysql_is_change(const char *sql)
{
	static const char *const words[] = { "INSERT", "REPLACE", "UPDATE", "DELETE" };

	sql += strspn(sql, " \t\r\n");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strncasecmp(sql, words[i], strlen(words[i])))
			return strspn(sql + strlen(words[i]), " \t\r\n") > 0;
	return false;
}

/* The value of db= in a query. */
static const char *database_of(struct sk_arena *a, const char *query)
{
	for (const char *at = query, *next; at; at = next ? next + 1 : NULL) {
		if (!strncmp(at, "db=", 3))
			return sk_strndup(a, at + 3, strcspn(at + 3, "&"));
		next = strchr(at, '&');
	}
	return NULL;
}

const char *sink_mysql_address(struct sk_arena *a, const char *text, struct sk_url *url, const char **socket, const char **database)
{
	const char *fault = sk_url_parse(a, text ? text : "", url);

	*socket = *database = NULL;
	if (fault)
		return fault;
	if (!strcmp(url->scheme, "unix")) {
		*socket = url->path && *url->path ? sk_printf(a, "/%s", url->path) : NULL;
		*database = database_of(a, url->query);
		return *socket ? NULL : "url has no path of a socket";
	}
	if (strcmp(url->scheme, "mysql") && strcmp(url->scheme, "mysqls"))
		return "url must begin with mysql://, mysqls:// or unix:///";
	if (!*url->host)
		return "url has no host";
	*database = url->path && *url->path ? url->path : NULL;
	return NULL;
}

const char *sink_mysql_check(const cJSON *fields, struct sk_arena *a)
{
	const char *url = sk_json_text(fields, "url"), *socket, *database, *fault;
	struct sk_url parts;

	fault = url && strstr(url, "${") ? NULL : sink_mysql_address(a, url, &parts, &socket, &database);
	return fault ? fault : statement_check(fields, &mysql_dialect, a);
}
