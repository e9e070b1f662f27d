/* call_scan.c -- a handler's scans: the store's records under the batch's own writes, and AWS's paging on top. */
#include "core/call_internal.h"
#include "core/token.h"

#include <stdlib.h>
#include <string.h>

/* Newest write of each key that a scan would show; the run's list is searched from its end, older ones are skipped. */
static bool is_newest(const struct sk_run *run, size_t i)
{
	for (size_t k = i + 1; k < run->writes; k++)
		if (run->write[k].hash == run->write[i].hash && run->write[k].space == SK_RECORD && !strcmp(run->write[k].key, run->write[i].key))
			return false;
	return true;
}

static bool in_range(const char *key, const char *prefix, size_t n, const char *after)
{
	return !strncmp(key, prefix, n) && (!after || strcmp(key + n, after) > 0);
}

static size_t overlaid(const struct sk_run *run, const char *prefix, const char *after)
{
	size_t n = 0;
	for (size_t i = 0; i < run->writes; i++)
		n += run->write[i].space == SK_RECORD && in_range(run->write[i].key, prefix, strlen(prefix), after);
	return n;
}

struct line { const char *key; struct sk_bytes *bytes; bool own; };

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* Sorted union of the store's items and the overlay, without what the overlay deleted. */
static size_t merge(struct sk_slot *s, const struct sk_run_scan *scan, struct line *line)
{
	size_t n = 0;
	for (size_t i = 0; i < scan->count; i++)
		if (!sk_run_find_write(s->run, scan->item[i].key, sk_hash(scan->item[i].key, strlen(scan->item[i].key))))
			line[n++] = (struct line){ scan->item[i].key, scan->item[i].bytes, false };
	for (size_t i = 0; i < s->run->writes; i++) {
		const struct sk_run_write *w = &s->run->write[i];
		if (w->space == SK_RECORD && w->bytes && in_range(w->key, scan->prefix, strlen(scan->prefix), scan->after) && is_newest(s->run, i))
			line[n++] = (struct line){ w->key, w->bytes, true };
	}
	qsort(line, n, sizeof *line, by_key);
	return n;
}

/* The store's answer ends where it was cut off: an own write behind that point must wait for the next page. */
static size_t visible(const struct sk_run_scan *scan, const struct line *line, size_t n)
{
	if (scan->count < scan->limit || !scan->count)
		return n;
	const char *last = scan->item[scan->count - 1].key;
	while (n && strcmp(line[n - 1].key, last) > 0)
		n--;
	return n;
}

static struct sk_scan answer(struct sk_slot *s, const struct sk_run_scan *scan, size_t limit)
{
	struct sk_scan out = { 0 };
	struct line *line = sk_alloc(&s->arena, (scan->count + s->run->writes + 1) * sizeof *line);
	if (!line)
		return out;
	size_t total = merge(s, scan, line), n = visible(scan, line, total), skip = strlen(scan->prefix);
	size_t count = n < limit ? n : limit;
	struct sk_row_of_scan *row = sk_alloc(&s->arena, (count + 1) * sizeof *row);
	if (!row)
		return out;
	for (size_t i = 0; i < count; i++) {
		row[i].name = line[i].key + skip; /* the run's: it outlives the call */
		row[i].document = sk_json_parse(&s->arena, line[i].bytes->data, line[i].bytes->size, NULL, NULL);
		if (!row[i].document && !s->arena.failed)
			sk_slot_poison(s, "a stored record is not JSON");
	}
	bool more = total > count || scan->count >= scan->limit;
	return (struct sk_scan){ .count = count, .row = row, .next = more && count ? row[count - 1].name : NULL };
}

static struct sk_scan scan_prefix(struct sk_call *c, size_t limit, const char *after, const char *prefix)
{
	struct sk_slot *s = sk_slot_of(c);
	size_t want = limit >= SIZE_MAX / 2 ? SIZE_MAX : limit + 1 + overlaid(s->run, prefix, after);
	struct sk_run_scan *scan = sk_run_find_scan(s->run, prefix, after);
	if (scan && scan->state == SK_READ_HAVE && (scan->count < scan->limit || scan->limit >= want))
		return answer(s, scan, limit);
	s->missed = true;
	if ((!scan || scan->state == SK_READ_HAVE) && !sk_run_add_scan(s->run, prefix, after, want))
		s->arena.failed = true;
	return (struct sk_scan){ 0 };
}

struct sk_scan sk_scan(struct sk_call *c, size_t limit, const char *after, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *prefix = sk_call_key(c, fmt, ap);
	va_end(ap);
	return prefix ? scan_prefix(c, limit ? limit : SIZE_MAX, after, prefix) : (struct sk_scan){ 0 };
}

/* -- paging -- */

/* Does the operation have AWS's older words for paging, with &marks or, without an order, one by one? */
static bool has_marker(const struct sk_op *op)
{
	const char *one = op ? strstr(op->inputs, "marker") : NULL;
	bool word = one && (one == op->inputs || one[-1] == ' ') && (one[6] == ' ' || !one[6]);
	return word || (op && strstr(op->inputs, "&marks"));
}

struct sk_scan sk_scan_page(struct sk_call *c, int *rc, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *prefix = sk_call_key(c, fmt, ap);
	va_end(ap);
	bool marks = has_marker(sk_slot_of(c)->request->row->op);
	const char *token = sk_json_text(c->in, marks ? "marker" : "nextToken"), *after = token ? sk_token_read(c->arena, token) : NULL;
	int64_t limit = sk_json_int_of(c->in, marks || sk_json_get(c->in, "pageSize") ? "pageSize" : "maxResults", 25);
	*rc = SK_OK;
	if (token && !after)
		*rc = sk_fail(c, SK_E_INVALID_REQUEST, "Invalid %s", marks ? "marker" : "nextToken");
	if (*rc || !prefix)
		return (struct sk_scan){ 0 };
	struct sk_scan page = scan_prefix(c, (size_t)(limit < 1 ? 1 : limit > 250 ? 250 : limit), after, prefix);
	if (page.next)
		sk_json_set_string(c->arena, c->out, marks ? "nextMarker" : "nextToken", sk_token_of(c->arena, page.next));
	return page;
}
