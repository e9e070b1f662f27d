/* statement.c -- an item's fields to a statement. Names are quoted here, values never enter the text. See statement.h. */
#include "statements/statement.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 400 };
static const char memory[] = "memory is out";

/* What the fields of one action say, found in one pass. */
struct parts {
	const char *sql, *table, *payload_column, *payload_parameter, *id_column, *id_parameter;
	bool null_when_empty;
	const struct sk_sink_field *column, *parameter; /* the first ones; others follow them */
	size_t columns, parameters;
};

static bool begins(const char *text, const char *with, const char **rest)
{
	size_t n = strlen(with);

	*rest = text + n;
	return !strncmp(text, with, n);
}

static void note_text(struct parts *p, const struct sk_sink_field *f)
{
	const struct { const char *path; const char **to; } texts[] = {
		{ "sql", &p->sql }, { "table", &p->table }, { "payloadColumn", &p->payload_column }, { "payloadParameter", &p->payload_parameter },
		{ "idColumn", &p->id_column }, { "idParameter", &p->id_parameter },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(f->path, texts[i].path))
			*texts[i].to = f->text;
	if (!strcmp(f->path, "nullWhenEmpty"))
		p->null_when_empty = !strcmp(f->text, "true");
}

static struct parts parts_of(const struct sk_sink_field *f, size_t n)
{
	struct parts p = { 0 };
	const char *rest;

	for (size_t i = 0; i < n; i++) {
		if (begins(f[i].path, "columns.", &rest)) {
			p.column = p.columns++ ? p.column : &f[i];
		} else if (begins(f[i].path, "parameters[", &rest)) {
			p.parameter = p.parameters++ ? p.parameter : &f[i];
		} else {
			note_text(&p, &f[i]);
		}
	}
	return p;
}

/* -- the text of an INSERT -- */

struct text {
	char *at;                /* NULL: only measured */
	size_t n;
};

static void put(struct text *t, const char *bytes, size_t n)
{
	if (t->at)
		memcpy(t->at + t->n, bytes, n);
	t->n += n;
}

static void put_text(struct text *t, const char *text)
{
	put(t, text, strlen(text));
}

static void put_name(struct text *t, const char *name, size_t n, char quote)
{
	put(t, &quote, 1);
	for (size_t i = 0; i < n; i++) {
		if (name[i] == quote)
			put(t, &quote, 1);
		put(t, name + i, 1);
	}
	put(t, &quote, 1);
}

/* hall.readings: the dot stands between two names. */
static void put_table(struct text *t, const char *table, char quote)
{
	for (size_t n; n = strcspn(table, "."), true; table += n + 1) {
		put_name(t, table, n, quote);
		if (!table[n])
			return;
		put_text(t, ".");
	}
}

static void put_mark(struct text *t, size_t n, bool numbered)
{
	char digits[24], *at = digits + sizeof digits;

	if (!numbered) {
		put_text(t, "?");
		return;
	}
	for (size_t left = n; left; left /= 10)
		*--at = (char)('0' + left % 10);
	*--at = '$';
	put(t, at, (size_t)(digits + sizeof digits - at));
}

/* Those of `columns`, the id's, the payload's. */
static const char *column_name(const struct parts *p, size_t i)
{
	if (i < p->columns)
		return p->column[i].path + strlen("columns.");
	return i == p->columns && p->id_column ? p->id_column : p->payload_column;
}

static size_t all_columns(const struct parts *p)
{
	return p->columns + (p->id_column ? 1 : 0) + (p->payload_column ? 1 : 0);
}

static void put_insert(struct text *t, const struct parts *p, const struct statement_dialect *d)
{
	size_t n = all_columns(p);

	put_text(t, "INSERT INTO ");
	put_table(t, p->table, d->quote);
	for (size_t i = 0; i < n; i++) {
		const char *name = column_name(p, i);
		put_text(t, i ? ", " : " (");
		put_name(t, name, strlen(name), d->quote);
	}
	for (size_t i = 0; i < n; i++) {
		put_text(t, i ? ", " : ") VALUES (");
		put_mark(t, i + 1, d->numbered);
	}
	put_text(t, ")");
}

static const char *insert_text(const struct parts *p, const struct statement_dialect *d, struct sk_arena *a)
{
	struct text t = { 0 };

	put_insert(&t, p, d);
	t.at = sk_alloc_text(a, t.n + 1);
	t.n = 0;
	if (!t.at)
		return NULL;
	put_insert(&t, p, d);
	t.at[t.n] = '\0';
	return t.at;
}

/* -- parameters -- */

/* How many there are, and which of them (from 1) are not the action's: 0 for none. */
struct places {
	size_t n, payload, id;
};

static size_t number_of(const char *text)
{
	char *end = NULL;
	long n = text ? strtol(text, &end, 10) : 0;

	return n > 0 && !*end ? (size_t)n : 0;
}

static const char *places_of(const struct parts *p, struct places *out)
{
	if (p->table) {
		out->n = all_columns(p);
		out->payload = p->payload_column ? out->n : 0;
		out->id = p->id_column ? p->columns + 1 : 0;
		return NULL;
	}
	out->n = p->parameters + (p->payload_parameter ? 1 : 0) + (p->id_parameter ? 1 : 0);
	out->payload = number_of(p->payload_parameter);
	out->id = number_of(p->id_parameter);
	if ((p->payload_parameter && !out->payload) || (p->id_parameter && !out->id) || out->payload > out->n || out->id > out->n ||
	    (out->id && out->id == out->payload))
		return "payloadParameter and idParameter must be places of their own among all parameters, from 1";
	return NULL;
}

static const char *values_of(const struct sk_sink_item *item, const struct parts *p, struct sk_arena *a, struct statement *out)
{
	const struct sk_sink_field *f = p->table ? p->column : p->parameter;
	struct places at;
	const char *fault = places_of(p, &at);

	if (fault)
		return fault;
	out->n = at.n;
	out->value = sk_alloc(a, (at.n + 1) * sizeof *out->value);
	if (!out->value)
		return memory;
	for (size_t i = 1; i <= at.n; i++) {
		struct statement_value *v = &out->value[i - 1];
		if (i == at.payload) {
			*v = (struct statement_value){ item->payload, item->size, true };
		} else if (i == at.id) {
			*v = (struct statement_value){ item->id, strlen(item->id), false };
		} else {
			*v = (struct statement_value){ *f->text || !p->null_when_empty ? f->text : NULL, strlen(f->text), false };
			f++;
		}
	}
	return NULL;
}

static const char *fault_of(const struct parts *p, const struct statement_dialect *d)
{
	if (!p->sql == !p->table)
		return "either sql or table must be there";
	if (p->sql && all_columns(p))
		return "columns, payloadColumn and idColumn go with table, not with sql";
	if (p->table && (p->parameters || p->payload_parameter || p->id_parameter))
		return "parameters, payloadParameter and idParameter go with sql, not with table";
	if (p->table && !all_columns(p))
		return "table needs columns or payloadColumn";
	if (p->columns + p->parameters + 2 > d->most)
		return "too many parameters";
	return NULL;
}

const char *statement_of(const struct sk_sink_item *item, const struct statement_dialect *d, struct sk_arena *a, struct statement *out)
{
	const struct parts p = parts_of(item->field, item->fields);
	const char *fault = fault_of(&p, d);

	if (fault)
		return fault;
	out->sql = p.table ? insert_text(&p, d, a) : p.sql;
	return out->sql ? values_of(item, &p, a, out) : memory;
}

/* -- when a rule is made -- */

static const char *name_fault(const struct parts *p)
{
	for (const char *at = p->table; at; at = strchr(at, '.'), at = at ? at + 1 : NULL)
		if (!*at || *at == '.')
			return "table must be a name, or two with a dot between them";
	for (size_t i = 0; i < all_columns(p); i++) {
		if (!*column_name(p, i))
			return "a column has no name";
		for (size_t j = 0; j < i; j++)
			if (!strcmp(column_name(p, i), column_name(p, j)))
				return "a column is there twice";
	}
	return NULL;
}

const char *statement_check(const cJSON *fields, const struct statement_dialect *d, struct sk_arena *a)
{
	size_t n = 0;
	const struct sk_sink_field *f = sk_sink_flatten(fields, NULL, a, &n);
	const struct parts p = parts_of(f, f ? n : 0);
	const char *fault = f ? fault_of(&p, d) : memory;
	struct places places;

	SK_JSON_EACH(one, sk_json_get(fields, "parameters"))
		if (cJSON_IsNull(one))
			return "a parameter is null: write an empty text, and nullWhenEmpty";
	fault = fault ? fault : places_of(&p, &places);
	return fault ? fault : name_fault(&p);
}

const char *statement_words(struct sk_arena *a, const char *text)
{
	size_t n = strlen(text), at = 0, i;
	char *out = sk_alloc_text(a, (n < WORDS ? n : WORDS) + 1);

	if (!out)
		return memory;
	for (i = 0; i < n && at < WORDS; i++) {
		bool blank = (unsigned char)text[i] <= ' ' || text[i] == 0x7f;
		if (!blank || (at && out[at - 1] != ' '))
			out[at++] = blank ? ' ' : text[i];
	}
	if (i < n) { /* perhaps within a character */
		while (at && ((unsigned char)out[at - 1] & 0xc0) == 0x80)
			at--;
		at -= at && (unsigned char)out[at - 1] >= 0xc0;
	}
	at -= at && out[at - 1] == ' ';
	out[at] = '\0';
	return out;
}
