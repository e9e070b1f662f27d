/* clickhouse.c -- the sink of the clickhouse action: rows of one table in one INSERT over HTTP, as JSON.
 *
 * An INSERT of up to 10,000 rows is one block, which ClickHouse takes whole or not at all when a row cannot be read: so it may be sent again in
 * halves until the bad row stands alone. */
#include <stdlib.h>
#include <string.h>

#include "core/why.h"
#include "outbound/split.h"
#include "plugins/sink_http/sink_http.h"

struct house {
	struct sink_http_base base;   /* url: with all of the query but the statement */
	const char *database;         /* NULL: the user's own */
};
struct house_row {
	struct sk_sink_item *item;
	const char *table;
	size_t serial;
};

const char *clickhouse_check(const cJSON *fields, struct sk_arena *a)
{
	const char *why = NULL, *url = sk_json_text(fields, "url");

	SK_JSON_EACH(column, sk_json_get(fields, "columns"))
		if (!*column->string)
			return "a column has no name";
	return outbound_origin(a, url ? url : "", &why) ? NULL : why;
}

/* -- a row -- */

static bool is_literal(const char *text)
{
	return !strcmp(text, "true") || !strcmp(text, "false");
}

/* A number in quotes is read as a number too, and as a text by a column that is one; truth values and arrays are not. */
static cJSON *value_of(struct sk_arena *a, const char *text)
{
	cJSON *value = *text == '[' || is_literal(text) ? sk_json_parse(a, text, strlen(text), NULL, NULL) : NULL;

	return value ? value : sk_json_string(a, text);
}

static const char *put_columns(struct outbound_text *t, const struct sk_sink_item *item)
{
	cJSON *row = sk_json_object(t->a);

	for (size_t i = 0; i < item->fields; i++)
		if (!strncmp(item->field[i].path, "columns.", 8))
			sk_json_set(t->a, row, item->field[i].path + 8, value_of(t->a, item->field[i].text));
	outbound_puts(t, sk_json_print(t->a, row, NULL));
	return NULL;
}

static const char *put_payload(struct outbound_text *t, const struct sk_sink_item *item)
{
	if (!cJSON_IsObject(sk_json_parse(t->a, item->payload, item->size, NULL, NULL)))
		return "the payload is no JSON object, and the action names no columns";
	outbound_put(t, item->payload, item->size);
	return NULL;
}

static bool has_columns(const struct sk_sink_item *item)
{
	for (size_t i = 0; i < item->fields; i++)
		if (!strncmp(item->field[i].path, "columns.", 8))
			return true;
	return false;
}

const char *clickhouse_row(struct outbound_text *t, const struct sk_sink_item *item)
{
	const char *why = has_columns(item) ? put_columns(t, item) : put_payload(t, item);

	if (!why)
		outbound_putc(t, '\n');
	return why;
}

/* -- what an answer means -- */

int clickhouse_code(const char *answer)
{
	const char *at = strstr(answer, "Code: ");
	long code = at ? strtol(at + 6, NULL, 10) : 0;

	return code > 0 && code < 100000 ? (int)code : 0;
}

/* Numbers of ClickHouse's errors, which it does not change. */
static bool is_listed(const int *list, int code)
{
	while (*list && *list != code)
		list++;
	return code && *list == code;
}

/* Text that is not what its column is, fields that no column has, values out of range, constraints. */
static const int of_rows[] = { 6, 15, 16, 25, 26, 27, 33, 36, 38, 41, 49, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 376, 407, 441, 467, 469, 675, 676, 691, 0 };
/* No such name, no such table: all rows of the request are meant. */
static const int of_tables[] = { 47, 60, 0 };

/* A database that is not there, or a user that may not, is no fault of the rows: they wait until an operator has set it right. */
static enum sk_sunk clickhouse_verdict(const struct outbound_request *r, size_t n, struct sk_arena *a, const char **why, bool *all)
{
	enum sk_sunk result = outbound_verdict(r, a, why);
	int code = result == SK_SUNK_OK ? 0 : clickhouse_code(r->answer);

	(void)n;
	if (is_listed(of_rows, code))
		return SK_SUNK_FAIL;
	*all = is_listed(of_tables, code);
	if (*all)
		return SK_SUNK_FAIL;
	return r->status == 401 || r->status == 403 || r->status == 404 ? SK_SUNK_RETRY : result;
}

/* -- the statement -- */

static void put_name(struct outbound_text *t, const char *name)
{
	outbound_putc(t, '`');
	for (; *name; name++) {
		if (*name == '`' || *name == '\\')
			outbound_putc(t, '\\');
		outbound_putc(t, *name);
	}
	outbound_putc(t, '`');
}

static const char *insert_url(struct sk_arena *a, const struct house *h, const char *table)
{
	struct outbound_text s = { .a = a }, url = { .a = a };

	outbound_puts(&s, "INSERT INTO ");
	if (h->database) {
		put_name(&s, h->database);
		outbound_putc(&s, '.');
	}
	put_name(&s, table);
	outbound_puts(&s, " FORMAT JSONEachRow");
	outbound_puts(&url, h->base.url);
	if (s.at)
		outbound_put_encoded(&url, s.at);
	return url.at;
}

/* -- items -- */

static int by_table(const void *x, const void *y)
{
	const struct house_row *a = x, *b = y;
	int order = strcmp(a->table, b->table);

	return order ? order : a->serial < b->serial ? -1 : 1;
}

/* All of these are of one table. false: the server does not answer. */
static bool insert(const struct house *h, struct house_row *row, size_t n, struct sk_arena *a)
{
	struct outbound_text t = { .a = a };
	struct outbound_split s = { .verdict = clickhouse_verdict, .request = { .url = insert_url(a, h, row->table), .header = h->base.header,
	                                                                         .headers = h->base.headers } };
	struct sk_sink_item **good = sk_alloc(a, n * sizeof *good);
	size_t *end = sk_alloc(a, n * sizeof *end), goods = 0;

	for (size_t i = 0; good && end && i < n; i++) {
		const char *why = clickhouse_row(&t, row[i].item);
		if (why) {
			sk_sink_all(&row[i].item, 1, a->failed ? SK_SUNK_RETRY : SK_SUNK_FAIL, why);
			continue;
		}
		end[goods] = t.n;
		good[goods++] = row[i].item;
	}
	s.body = t.at;
	s.end = end;
	return a->failed ? false : !goods || outbound_split_send(h->base.client, &s, good, goods, a);
}

void clickhouse_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	const struct house *h = sink;
	struct house_row *row = sk_alloc(a, n * sizeof *row);
	size_t rows = 0, next;

	for (size_t i = 0; row && i < n; i++) {
		const char *table = sk_sink_text(item[i], "table");
		if (table && *table)
			row[rows++] = (struct house_row){ item[i], table, i };
		else
			sk_sink_all(&item[i], 1, SK_SUNK_FAIL, "the table has no name");
	}
	if (rows)
		qsort(row, rows, sizeof *row, by_table);
	for (size_t from = 0; from < rows; from = next) {
		for (next = from + 1; next < rows && !strcmp(row[next].table, row[from].table);)
			next++;
		if (!insert(h, row + from, next - from, a)) {
			for (size_t i = from; i < rows && !row[i].item->why; i++)
				sk_sink_all(&row[i].item, 1, SK_SUNK_RETRY, a->failed ? "memory is out" : "the server does not answer");
			return;
		}
	}
}

void *clickhouse_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct house *h = sk_alloc(&a, sizeof *h);
	const char *user = sk_json_text(fields, "user"), *password = sk_json_text(fields, "password"), *url;

	if (!h) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	h->base.arena = a;
	h->database = sk_strdup(&h->base.arena, sk_json_text(fields, "database"));
	url = outbound_url(&h->base.arena, sk_json_text(fields, "url"));
	if (url)
		h->base.url = sk_printf(&h->base.arena, "%s%squery=", url, strchr(url, '?') ? "&" : strchr(url + 8, '/') ? "?" : "/?");
	if (user)
		h->base.header[h->base.headers++] = (struct outbound_header){ "X-ClickHouse-User", sk_strdup(&h->base.arena, user) };
	if (password)
		h->base.header[h->base.headers++] = (struct outbound_header){ "X-ClickHouse-Key", sk_strdup(&h->base.arena, password) };
	if (!h->base.arena.failed && !sink_http_connect(&h->base, state, why, why_size))
		return h;
	sink_http_base_close(&h->base);
	return NULL;
}

void clickhouse_close(void *sink)
{
	sink_http_base_close(sink);
}
