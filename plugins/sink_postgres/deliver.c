/* deliver.c -- a batch in one pipeline with one sync, which is one transaction: all of it is stored, or nothing.
 *
 * When one item fails, those before it are sent again without it, then those behind it: each good item is stored once, in their order, and
 * an item is blamed only for what the server said of itself. When an item is to be tried again, nothing behind it overtakes it. */
#include "plugins/sink_postgres/postgres.h"

#include <stdio.h>
#include <string.h>

#include "core/plugin.h"

struct job {
	struct sk_sink_item *item;
	struct statement statement;
	const char **text;         /* as libpq wants them */
	int *size, *format;
	int slot;
	bool prepares, settled;
};
struct delivery {
	struct postgres *p;
	struct sk_arena *arena;
	struct job *job;
	size_t jobs;
	bool stale;                /* a statement may be older than its table: connect anew */
	bool anew;                 /* that is done */
};
/* How a pipeline ended. */
struct outcome {
	enum { STORED, LOST, REFUSED } end;
	size_t at;                 /* of REFUSED: the job that was; the end of all: the commit */
	bool preparing;
	char state[6];
	const char *why;
};

/* -- sending -- */

static bool send_prepare(struct postgres *p, struct job *j, uint64_t *sent)
{
	const struct postgres_prepared *slot = j->slot >= 0 ? &p->prepared[j->slot] : NULL;
	char name[16];

	j->prepares = slot && !slot->there && !(*sent >> j->slot & 1);
	if (!j->prepares)
		return true;
	*sent |= (uint64_t)1 << j->slot;
	snprintf(name, sizeof name, "s%d", j->slot);
	return PQsendPrepare(p->c, name, slot->sql, 0, NULL);
}

static bool send_job(struct postgres *p, const struct job *j)
{
	const struct statement *s = &j->statement;
	char name[16];

	if (j->slot < 0)
		return PQsendQueryParams(p->c, s->sql, (int)s->n, NULL, j->text, j->size, j->format, 0);
	snprintf(name, sizeof name, "s%d", j->slot);
	return PQsendQueryPrepared(p->c, name, (int)s->n, j->text, j->size, j->format, 0);
}

static const char *send_all(struct delivery *d, size_t from, size_t to)
{
	uint64_t sent = 0;
	const char *why = NULL;

	_Static_assert(POSTGRES_PREPARED <= 64, "a bit for each");
	for (size_t i = from; i < to; i++) {
		struct job *j = &d->job[i];
		if (!j->settled && (!send_prepare(d->p, j, &sent) || !send_job(d->p, j)))
			return PQerrorMessage(d->p->c);
	}
	if (!PQpipelineSync(d->p->c))
		return PQerrorMessage(d->p->c);
	postgres_flush(d->p, &why);
	return why;
}

/* -- what came of it -- */

static const char *words_of(struct delivery *d, const PGresult *r, const char *state)
{
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	const char *text = sk_printf(d->arena, "%s %s%s%s", state, primary ? primary : PQresultErrorMessage(r), detail ? ": " : "", detail ? detail : "");

	return text ? statement_words(d->arena, text) : "memory is out";
}

/* The first error of a pipeline is the one that ended it. */
static void refused(struct delivery *d, const PGresult *r, size_t at, bool preparing, struct outcome *o)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	if (o->end == REFUSED)
		return;
	*o = (struct outcome){ .end = REFUSED, .at = at, .preparing = preparing };
	snprintf(o->state, sizeof o->state, "%s", state ? state : "08006");
	o->why = words_of(d, r, o->state);
}

/* Where in the pipeline its results are: a prepare stands before the job that needed it. */
struct cursor {
	size_t at, to;
	bool preparing;
};

static void cursor_settle(const struct delivery *d, struct cursor *c)
{
	while (c->at < c->to && d->job[c->at].settled)
		c->at++;
	c->preparing = c->at < c->to && d->job[c->at].prepares;
}

static void cursor_next(const struct delivery *d, struct cursor *c)
{
	if (c->preparing) {
		c->preparing = false;
		return;
	}
	c->at += c->at < c->to;
	cursor_settle(d, c);
}

static void take(struct delivery *d, const PGresult *r, const struct cursor *c, struct outcome *o)
{
	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		if (c->preparing) {
			struct postgres_prepared *slot = &d->p->prepared[d->job[c->at].slot];
			slot->there = true;
			slot->since = d->p->delivery;
		}
		return;
	case PGRES_PIPELINE_ABORTED:
		return;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		*o = (struct outcome){ .end = REFUSED, .at = c->at, .state = "0A000", .why = "COPY is not possible here" };
		return;
	default:
		refused(d, r, c->at, c->preparing, o);
	}
}

static bool is_copy(const PGresult *r)
{
	ExecStatusType s = PQresultStatus(r);

	return s == PGRES_COPY_IN || s == PGRES_COPY_OUT || s == PGRES_COPY_BOTH;
}

static struct outcome receive(struct delivery *d, size_t from, size_t to)
{
	struct cursor c = { from, to, false };
	struct outcome o = { .end = STORED };
	const char *why = NULL;
	PGresult *r;

	for (cursor_settle(d, &c); postgres_result(d->p, &r, &why);) {
		if (!r && PQstatus(d->p->c) != CONNECTION_OK)
			break;
		if (!r) {
			cursor_next(d, &c);
			continue;
		}
		bool end = PQresultStatus(r) == PGRES_PIPELINE_SYNC, copy = is_copy(r);
		if (!end)
			take(d, r, &c, &o);
		PQclear(r);
		if (copy)
			postgres_disconnect(d->p);
		if (copy || (end && PQtransactionStatus(d->p->c) == PQTRANS_IDLE))
			return o;
		if (end) { /* one of them began a transaction of its own, so nothing was committed */
			postgres_disconnect(d->p);
			return (struct outcome){ .end = REFUSED, .at = to, .state = "2D000", .why = "the statement left a transaction open" };
		}
	}
	/* What the server said last, "terminating connection due to administrator command", says more than that it is gone. */
	if (o.end != REFUSED || postgres_verdict(o.state) != SK_SUNK_RETRY)
		o.why = statement_words(d->arena, why ? why : PQerrorMessage(d->p->c));
	o.end = LOST;
	return o;
}

static const char *begin(struct delivery *d)
{
	const char *why = postgres_connect(d->p, d->arena);

	for (size_t i = 0; i < d->jobs && !why; i++)
		d->job[i].slot = postgres_slot(d->p, d->job[i].statement.sql);
	return why;
}

static struct outcome round_trip(struct delivery *d, size_t from, size_t to)
{
	const char *why = d->p->c ? NULL : begin(d);
	struct outcome o = { .end = LOST };

	why = why ? why : send_all(d, from, to);
	if (why)
		o.why = statement_words(d->arena, why);
	else
		o = receive(d, from, to);
	if (o.end == LOST)
		postgres_disconnect(d->p);
	return o;
}

/* -- who is to blame -- */

static void settle(struct job *j, enum sk_sunk result, const char *why)
{
	j->item->result = result;
	j->item->why = why;
	j->settled = result != SK_SUNK_RETRY;
}

static void settle_all(struct delivery *d, size_t from, size_t to, enum sk_sunk result, const char *why)
{
	for (size_t i = from; i < to; i++)
		if (!d->job[i].settled)
			settle(&d->job[i], result, why);
}

/* false: it is to be tried again, and all behind it waits. */
static bool blame(struct delivery *d, size_t at, const struct outcome *o)
{
	struct job *j = &d->job[at];
	enum sk_sunk result = postgres_verdict(o->state);
	bool old = j->slot >= 0 && d->p->c && d->p->prepared[j->slot].there && d->p->prepared[j->slot].since != d->p->delivery;

	if (result == SK_SUNK_RETRY || (old && !d->anew && postgres_stale(o->state))) {
		d->stale = result != SK_SUNK_RETRY;
		settle_all(d, at, d->jobs, SK_SUNK_RETRY, o->why);
		return false;
	}
	for (size_t i = at; i < d->jobs; i++)
		if (i == at || (o->preparing && !d->job[i].settled && d->job[i].slot == j->slot))
			settle(&d->job[i], SK_SUNK_FAIL, o->why);
	return true;
}

/* false: what is not settled is to be tried again. */
static bool deliver_range(struct delivery *d, size_t from, size_t to)
{
	while (from < to) {
		if (d->job[from].settled) {
			from++;
			continue;
		}
		struct outcome o = round_trip(d, from, to);
		if (o.end == STORED) {
			settle_all(d, from, to, SK_SUNK_OK, NULL);
			return true;
		}
		if (o.end == LOST) {
			settle_all(d, from, d->jobs, SK_SUNK_RETRY, o.why);
			return false;
		}
		/* At the commit it may be any of them (a deferred constraint): halves. */
		bool commit = o.at >= to && to - from > 1;
		size_t at = commit ? from + (to - from) / 2 : o.at < to ? o.at : from;
		if (at > from && !deliver_range(d, from, at))
			return false;
		if (!commit && !blame(d, at, &o))
			return false;
		from = commit ? at : at + 1;
	}
	return true;
}

/* -- the batch -- */

static const char *bind(struct delivery *d, struct job *j)
{
	size_t n = j->statement.n;
	bool binary = sk_sink_true(j->item, "payloadBinary");

	j->text = sk_alloc(d->arena, (n + 1) * sizeof *j->text);
	j->size = sk_alloc(d->arena, (n + 1) * sizeof *j->size);
	j->format = sk_alloc(d->arena, (n + 1) * sizeof *j->format);
	if (d->arena->failed)
		return "memory is out";
	for (size_t i = 0; i < n; i++) {
		const struct statement_value *v = &j->statement.value[i];
		j->text[i] = v->text;
		j->size[i] = (int)v->size;
		j->format[i] = binary && v->payload;
		if (v->payload && !binary && memchr(v->text, '\0', v->size))
			return "the payload is no text: payloadBinary sends it as bytes";
	}
	return NULL;
}

static void add_job(struct delivery *d, struct sk_sink_item *item)
{
	struct job *j = &d->job[d->jobs];
	const char *why = statement_of(item, &postgres_dialect, d->arena, &j->statement);

	j->item = item;
	why = why ? why : bind(d, j);
	item->result = why && !d->arena->failed ? SK_SUNK_FAIL : SK_SUNK_RETRY;
	item->why = why ? why : "an item before it is tried again";
	d->jobs += !why;
}

void postgres_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct delivery d = { .p = sink, .arena = a, .job = sk_alloc(a, n * sizeof *d.job) };
	const char *why;

	if (!d.job) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
		return;
	}
	for (size_t i = 0; i < n && !a->failed; i++)
		add_job(&d, item[i]);
	d.p->delivery++;
	why = begin(&d);
	if (why)
		settle_all(&d, 0, d.jobs, SK_SUNK_RETRY, why);
	else if (!deliver_range(&d, 0, d.jobs) && d.stale) {
		d.anew = true;
		postgres_disconnect(d.p);
		deliver_range(&d, 0, d.jobs);
	}
}
