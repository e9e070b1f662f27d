/* logs.c -- PutLogEvents into a stream named like the rule, which is made when the group has none.
 *
 * Events of a request stand in the order of their time and lie within a day, as CloudWatch Logs wants them: entries of different half days go into
 * different requests. With batchMode a message is [{"timestamp": ms, "message": "text"}, ...]. */
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_aws/aws.h"

enum { EVENT_COSTS = 26, HALF_DAY_MS = 43200000 };

struct event {
	int64_t ms;
	const char *message;
	struct aws_entry *entry;
	size_t serial;
};
struct events {
	struct event *event;
	size_t n;
};

static const char *stream_of(const struct sk_sink_item *item, struct sk_arena *a)
{
	char *name = sk_strdup(a, item->rule && *item->rule ? item->rule : "rule");

	for (char *p = name; p && *p; p++)
		*p = *p == ':' || *p == '*' ? '_' : *p;
	return name;
}

static const char *read_list(struct aws_entry *e, struct events *all, struct sk_arena *a)
{
	const cJSON *list = aws_payload(e, a);

	if (!cJSON_IsArray(list) || !list->child)
		return "batchMode wants a list of {\"timestamp\", \"message\"}";
	all->event = sk_alloc(a, (size_t)sk_json_count(list) * sizeof *all->event);
	SK_JSON_EACH(one, all->event ? list : NULL) {
		struct event *v = &all->event[all->n++];
		v->ms = sk_json_int_of(one, "timestamp", -1);
		v->message = sk_json_text(one, "message");
		if (v->ms < 0 || !v->message || !*v->message)
			return "batchMode wants {\"timestamp\": milliseconds, \"message\": \"text\"} of each";
	}
	return NULL;
}

static const char *read_one(struct aws_entry *e, struct events *all, struct sk_arena *a)
{
	const struct sk_sink_item *item = e->item;

	all->event = sk_alloc(a, sizeof *all->event);
	if (!item->size || !sk_utf8_valid(item->payload, item->size) || memchr(item->payload, 0, item->size))
		return "the message is empty or no UTF-8 text, which a log does not take";
	if (all->event)
		all->event[all->n++] = (struct event){ .ms = item->time_ms, .message = item->payload };
	return NULL;
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	struct events *all = sk_alloc(a, sizeof *all);
	const char *group = sk_sink_text(e->item, "logGroupName"), *why;
	int64_t first = INT64_MAX, last = 0;

	(void)s;
	if (!all)
		return NULL;
	if ((why = sk_sink_true(e->item, "batchMode") ? read_list(e, all, a) : read_one(e, all, a)))
		return why;
	for (size_t i = 0; i < all->n; i++) {
		all->event[i].entry = e;
		first = all->event[i].ms < first ? all->event[i].ms : first;
		last = all->event[i].ms > last ? all->event[i].ms : last;
		e->size += strlen(all->event[i].message) + EVENT_COSTS;
	}
	e->own = all;
	e->units = all->n;
	e->group = sk_printf(a, "%s:%s:%lld", group ? group : "", stream_of(e->item, a), (long long)(first / HALF_DAY_MS));
	if (last - first >= HALF_DAY_MS)
		e->group = sk_printf(a, "%s:%s", e->group, e->item->id);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	const struct event *one = a, *other = b;

	if (one->ms != other->ms)
		return one->ms < other->ms ? -1 : 1;
	return one->serial < other->serial ? -1 : one->serial > other->serial;
}

/* Of all entries, in the order in which they are sent. */
static struct events sorted(const struct aws_request *r)
{
	struct events all = { .event = sk_alloc(r->arena, (r->units + 1) * sizeof *all.event) };

	for (size_t i = 0; all.event && i < r->n; i++) {
		const struct events *own = r->entry[i]->own;
		for (size_t k = 0; k < own->n; k++) {
			all.event[all.n] = own->event[k];
			all.event[all.n].serial = all.n;
			all.n++;
		}
	}
	if (all.n)
		qsort(all.event, all.n, sizeof *all.event, by_time);
	return all;
}

static void put_names(struct aws_request *r)
{
	sigv4_puts(&r->body, "{\"logGroupName\":");
	aws_json_text(&r->body, sk_sink_text(r->entry[0]->item, "logGroupName"));
	sigv4_puts(&r->body, ",\"logStreamName\":");
	aws_json_text(&r->body, stream_of(r->entry[0]->item, r->arena));
}

static void write(struct aws_request *r)
{
	struct events all = sorted(r);

	r->target = "PutLogEvents";
	put_names(r);
	sigv4_puts(&r->body, ",\"logEvents\":[");
	for (size_t i = 0; i < all.n; i++) {
		const char *begin = sk_printf(r->arena, "%s{\"timestamp\":%lld,\"message\":", i ? "," : "", (long long)all.event[i].ms);
		sigv4_puts(&r->body, begin ? begin : "");
		aws_json_text(&r->body, all.event[i].message);
		sigv4_puts(&r->body, "}");
	}
	sigv4_puts(&r->body, "]}");
}

/* rejectedLogEventsInfo: the first of those that are too new, and the ends of those that are too old and expired. */
static void read(struct aws_request *r)
{
	const cJSON *no = sk_json_get(r->json, "rejectedLogEventsInfo");
	struct events all = sorted(r);
	int64_t n = (int64_t)all.n, fresh = sk_json_int_of(no, "tooNewLogEventStartIndex", n), old = sk_json_int_of(no, "tooOldLogEventEndIndex", 0),
		expired = sk_json_int_of(no, "expiredLogEventEndIndex", 0);

	if (!all.event)
		return;
	for (size_t i = 0; i < r->n; i++)
		aws_entry_ok(r->entry[i]);
	for (int64_t i = 0; i < n; i++) {
		if (i >= fresh)
			aws_entry_fail(all.event[i].entry, "rejectedLogEventsInfo: its time is too far ahead");
		else if (i < old || i < expired)
			aws_entry_fail(all.event[i].entry, "rejectedLogEventsInfo: it is too old");
	}
}

/* The stream is not there: it is made. A group is not. */
static bool mend(struct aws_request *r, const struct aws_fault *f)
{
	struct aws_request make = { .sink = r->sink, .arena = r->arena, .entry = r->entry, .n = 1, .target = "CreateLogStream", .body = { .a = r->arena } };
	struct aws_fault no;

	if (!strstr(f->code, "ResourceNotFound") || strstr(f->message, "log group"))
		return false;
	put_names(&make);
	sigv4_puts(&make.body, "}");
	return aws_call(&make, r->entry[0]->role, &no) || strstr(no.code, "ResourceAlreadyExists");
}

const struct aws_service aws_cloudwatch_logs = {
	.name = AWS_LOGS, .protocol = AWS_JSON, .signing = "logs", .content_type = "application/x-amz-json-1.1", .prefix = "Logs_20140328",
	.resource = "logGroupName", .most_items = 10000, .most_bytes = 1 << 20, .prepare = prepare, .write = write, .read = read, .mend = mend,
};
