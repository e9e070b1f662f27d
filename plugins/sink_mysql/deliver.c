/* deliver.c -- a batch in one transaction; rows of one statement behind each other are one message to a MariaDB.
 *
 * A statement that fails takes back only itself, so the others of its batch are stored. What is to be tried again ends the batch: what stands
 * before it is sent again and committed, what stands behind it waits. */
#include "plugins/sink_mysql/sink_mysql.h"

#include <stdio.h>
#include <string.h>

static const char memory[] = "memory is out";

struct job {
	struct sk_sink_item *item;
	struct statement statement;
	size_t bytes;
	bool pending, settled;     /* executed and not committed; final */
};
struct delivery {
	struct mysql_link *m;
	struct sk_arena *arena;
	struct job *job;
	size_t jobs;
	struct mysql_fault fault;  /* what ended it */
};

/* -- running statements -- */

static void take_fault(struct delivery *d, MYSQL_STMT *s, struct mysql_fault *f)
{
	const char *text = sk_printf(d->arena, "%u (%s) %s", mysql_stmt_errno(s), mysql_stmt_sqlstate(s), mysql_stmt_error(s));

	*f = (struct mysql_fault){ mysql_stmt_errno(s), text ? statement_words(d->arena, text) : memory };
}

static bool command(struct delivery *d, const char *sql, struct mysql_fault *f)
{
	MYSQL *c = d->m->c;

	if (!mysql_query(c, sql))
		return true;
	const char *text = sk_printf(d->arena, "%u (%s) %s", mysql_errno(c), mysql_sqlstate(c), mysql_error(c));
	*f = (struct mysql_fault){ mysql_errno(c), text ? statement_words(d->arena, text) : memory };
	return false;
}

/* Rows that a statement answers are nobody's; there may be several sets of them. */
static bool execute(struct delivery *d, MYSQL_STMT *s, struct mysql_fault *f)
{
	int next = 0;

	if (mysql_stmt_execute(s)) {
		take_fault(d, s, f);
		return false;
	}
	while (!next) {
		mysql_stmt_free_result(s);
		next = mysql_stmt_next_result(s);
	}
	if (next > 0)
		take_fault(d, s, f);
	return next < 0;
}

/* The statement of a job, checked: the library itself does not count parameters. */
static MYSQL_STMT *statement_for(struct delivery *d, const struct job *j, unsigned rows, struct mysql_fault *f)
{
	MYSQL_STMT *s = sink_mysql_prepare(d->m, j->statement.sql, d->arena, f);
	unsigned array = rows > 1 ? rows : 0;
	unsigned long wanted = s ? mysql_stmt_param_count(s) : 0;

	if (!s)
		return NULL;
	if (wanted != j->statement.n) {
		*f = (struct mysql_fault){ 2034, sk_printf(d->arena, "the statement has %lu parameters, the action %zu", wanted, j->statement.n) };
		return NULL;
	}
	mysql_stmt_attr_set(s, STMT_ATTR_ARRAY_SIZE, &array);
	return s;
}

static bool execute_one(struct delivery *d, const struct job *j, struct mysql_fault *f)
{
	MYSQL_STMT *s = statement_for(d, j, 1, f);
	size_t n = j->statement.n;
	MYSQL_BIND *bind = sk_alloc(d->arena, (n + 1) * sizeof *bind);
	unsigned long *size = sk_alloc(d->arena, (n + 1) * sizeof *size);
	char *null = sk_alloc(d->arena, n + 1);

	if (!s || !bind || !size || !null)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct statement_value *v = &j->statement.value[i];
		size[i] = v->size;
		null[i] = !v->text;
		bind[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)v->text, .buffer_length = v->size, .length = &size[i], .is_null = &null[i] };
	}
	if (n && mysql_stmt_bind_param(s, bind)) {
		take_fault(d, s, f);
		return false;
	}
	return execute(d, s, f);
}

/* One column of an array: what `rows` jobs have as parameter i. */
static bool bind_column(struct delivery *d, const struct job *j, unsigned rows, size_t i, MYSQL_BIND *bind)
{
	const char **text = sk_alloc(d->arena, rows * sizeof *text);
	unsigned long *size = sk_alloc(d->arena, rows * sizeof *size);
	char *indicator = sk_alloc(d->arena, rows);

	if (!text || !size || !indicator)
		return false;
	for (unsigned r = 0; r < rows; r++) {
		const struct statement_value *v = &j[r].statement.value[i];
		text[r] = v->text ? v->text : "";
		size[r] = v->size;
		indicator[r] = v->text ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
	}
	*bind = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)text, .length = size };
	bind->u.indicator = indicator;
	return true;
}

static bool execute_rows(struct delivery *d, const struct job *j, unsigned rows, struct mysql_fault *f)
{
	MYSQL_STMT *s = statement_for(d, j, rows, f);
	size_t n = j->statement.n;
	MYSQL_BIND *bind = sk_alloc(d->arena, (n + 1) * sizeof *bind);
	bool fine = s && bind;

	for (size_t i = 0; i < n && fine; i++)
		fine = bind_column(d, j, rows, i, &bind[i]);
	if (!fine)
		return false;
	if (mysql_stmt_bind_param(s, bind)) {
		take_fault(d, s, f);
		return false;
	}
	return execute(d, s, f);
}

/* -- who is to blame -- */

static void settle(struct job *j, enum sk_sunk result, const char *why)
{
	j->item->result = result;
	j->item->why = why;
	j->pending = false;
	j->settled = result != SK_SUNK_RETRY;
}

static void settle_pending(struct delivery *d, enum sk_sunk result, const char *why)
{
	for (size_t i = 0; i < d->jobs; i++)
		if (d->job[i].pending)
			settle(&d->job[i], result, why);
}

/* false: it is to be tried again. */
static bool run_one(struct delivery *d, struct job *j)
{
	struct mysql_fault f = { 2008, memory };

	j->pending = execute_one(d, j, &f);
	if (j->pending)
		return true;
	if (sink_mysql_verdict(f.code) == SK_SUNK_FAIL) {
		settle(j, SK_SUNK_FAIL, f.why);
		return true;
	}
	settle(j, SK_SUNK_RETRY, f.why);
	d->fault = f;
	return false;
}

/* All rows at once; when one of them fails, all are taken back and run one by one, so that it can be told which. */
static bool run_rows(struct delivery *d, struct job *j, unsigned rows)
{
	struct mysql_fault f = { 2008, memory };
	bool fine = command(d, "SAVEPOINT skeeter", &f);

	if (fine && execute_rows(d, j, rows, &f)) {
		for (unsigned r = 0; r < rows; r++)
			j[r].pending = true;
		return true;
	}
	if (!fine || sink_mysql_verdict(f.code) == SK_SUNK_RETRY || !command(d, "ROLLBACK TO SAVEPOINT skeeter", &f)) {
		settle(j, SK_SUNK_RETRY, f.why);
		d->fault = f;
		return false;
	}
	for (unsigned r = 0; r < rows; r++)
		if (!run_one(d, &j[r]))
			return false;
	return true;
}

/* How many from here on are rows of one statement, and fit into a packet. */
static unsigned rows_from(const struct delivery *d, size_t at, size_t to)
{
	const struct job *first = &d->job[at];
	size_t bytes = first->bytes, i = at + 1;

	if (!d->m->bulk || !first->statement.n || !sink_mysql_is_change(first->statement.sql))
		return 1;
	for (; i < to; i++) {
		const struct job *j = &d->job[i];
		bytes += j->bytes;
		if (j->settled || j->statement.n != first->statement.n || bytes > d->m->most / 2 || strcmp(j->statement.sql, first->statement.sql))
			break;
	}
	return (unsigned)(i - at);
}

/* Where it ended: `to`, or the one that is to be tried again. */
static size_t run(struct delivery *d, size_t to)
{
	size_t at = 0;

	while (at < to) {
		unsigned rows = d->job[at].settled ? 0 : rows_from(d, at, to);
		bool fine = rows == 0 || (rows > 1 ? run_rows(d, &d->job[at], rows) : run_one(d, &d->job[at]));
		if (!fine) {
			while (d->job[at].pending || d->job[at].settled)
				at++;
			return at;
		}
		at += rows ? rows : 1;
	}
	return to;
}

static void commit(struct delivery *d)
{
	struct mysql_fault f;

	if (command(d, "COMMIT", &f)) {
		settle_pending(d, SK_SUNK_OK, NULL);
		return;
	}
	settle_pending(d, SK_SUNK_RETRY, f.why);
	d->fault = f;
}

static void run_all(struct delivery *d)
{
	size_t end = run(d, d->jobs);
	struct mysql_fault f;

	if (end == d->jobs) {
		commit(d);
		return;
	}
	/* The server may have taken back all of it, or only the last statement; nobody says. */
	settle_pending(d, SK_SUNK_RETRY, d->fault.why);
	if (end && sink_mysql_stays(d->fault.code) && command(d, "ROLLBACK", &f)) {
		if (run(d, end) == end)
			commit(d);
		settle_pending(d, SK_SUNK_RETRY, d->fault.why);
	}
	if (sink_mysql_stays(d->fault.code) && !command(d, "ROLLBACK", &f))
		d->fault = f;
}

/* -- the batch -- */

static void add_job(struct delivery *d, struct sk_sink_item *item)
{
	struct job *j = &d->job[d->jobs];
	const char *why = statement_of(item, &mysql_dialect, d->arena, &j->statement);

	j->item = item;
	j->bytes = 64;
	for (size_t i = 0; i < j->statement.n && !why; i++)
		j->bytes += j->statement.value[i].size + 10;
	if (!why && j->bytes + strlen(j->statement.sql) + 1024 > d->m->most)
		why = "it is larger than max_allowed_packet of the server";
	item->result = why && !d->arena->failed ? SK_SUNK_FAIL : SK_SUNK_RETRY;
	item->why = why ? why : "an item before it is tried again";
	d->jobs += !why;
}

void sink_mysql_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct delivery d = { .m = sink, .arena = a, .job = sk_alloc(a, n * sizeof *d.job) };
	const char *why = d.job ? sink_mysql_connect(d.m, a) : memory;

	if (why) {
		sk_sink_all(item, n, SK_SUNK_RETRY, why);
		return;
	}
	for (size_t i = 0; i < n && !a->failed; i++)
		add_job(&d, item[i]);
	if (d.jobs)
		run_all(&d);
	if (d.fault.code && !sink_mysql_stays(d.fault.code))
		sink_mysql_disconnect(d.m);
}
