/* sink_statement_fuzz.c -- fields of an action, as somebody writes them, to a statement. Whatever check() lets pass makes a statement; in an INSERT, what
 * stands outside of quotes is what we wrote, so that no name breaks out of its quotes. */
#include <string.h>

#include "plugins/sink_kafka/kafka.h"
#include "plugins/sink_mysql/sink_mysql.h"
#include "plugins/sink_postgres/postgres.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text without what is quoted. */
static const char *outside(struct sk_arena *a, const char *sql, char quote)
{
	char *out = sk_alloc_text(a, strlen(sql) + 1), *at = out;
	bool quoted = false;
	for (; *sql; sql++) {
		if (*sql == quote)
			quoted = !quoted;
		else if (!quoted)
			*at++ = *sql;
	}
	*at = '\0';
	expect(!quoted);
	return out;
}

static void check_insert(struct sk_arena *a, const struct statement *s, const struct statement_dialect *d)
{
	const char *text = outside(a, s->sql, d->quote);
	size_t marks = 0;
	expect(!strncmp(text, "INSERT INTO ", 12) && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ .,()$?0123456789")] == '\0');
	for (const char *at = text; *at; at++)
		marks += *at == (d->numbered ? '$' : '?');
	expect(marks == s->n);
}

static void make(struct sk_arena *a, const cJSON *fields, const struct statement_dialect *d)
{
	struct sk_sink_item item = { .payload = "x", .size = 1, .id = "id", .rule = "r", .topic = "t" };
	struct statement s = { 0 };
	const char *fault = statement_check(fields, d, a);
	item.field = sk_sink_flatten(fields, "url user password", a, &item.fields);
	const char *why = statement_of(&item, d, a, &s);
	expect(fault || !why);
	for (size_t i = 0; !why && i < s.n; i++)
		expect(!s.value[i].text || s.value[i].payload || strlen(s.value[i].text) == s.value[i].size);
	if (!fault && sk_json_text(fields, "table"))
		check_insert(a, &s, d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	const cJSON *fields = sk_json_parse(&a, (const char *)data, size, NULL, NULL);
	const char *why = NULL, *socket, *database, *text = sk_strndup(&a, (const char *)data, size);
	struct sk_url url;
	expect(strlen(statement_words(&a, text)) <= 400);
	sink_mysql_address(&a, text, &url, &socket, &database);
	if (cJSON_IsObject(fields)) {
		make(&a, fields, &postgres_dialect);
		make(&a, fields, &mysql_dialect);
		postgres_check(fields, &a);
		kafka_check(fields, &a);
		expect(kafka_lane(fields, &a, &why));
	}
	sk_arena_free(&a);
	return 0;
}
