/* metrics.c -- see metrics.h. A row is shown once it has been called; its histogram has the same buckets as DescribeCounters. */
#include "plugins/http/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/runtime.h"

struct page {
	struct sk_arena *arena;
	char *text;
	size_t used, room;
};

static void append(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void append(struct page *p, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
	if (p->used + size >= p->room) {
		char *more = sk_alloc_text(p->arena, p->room * 2 + size);
		if (!more)
			return;
		memcpy(more, p->text, p->used);
		p->text = more;
		p->room = p->room * 2 + size;
	}
	memcpy(p->text + p->used, line, size);
	p->used += size;
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void counter(struct page *p, const char *group, const char *name, uint64_t value, const char *prose)
{
	append(p, "# HELP skeeter_%s%s_total %s\n# TYPE skeeter_%s%s_total counter\n", group, name, prose, group, name);
	append(p, "skeeter_%s%s_total %" PRIu64 "\n", group, name, value);
}

static void gauge(struct page *p, const char *name, int64_t value, const char *prose)
{
	append(p, "# HELP skeeter_%s %s\n# TYPE skeeter_%s gauge\nskeeter_%s %" PRId64 "\n", name, prose, name, name, value);
}

static void show_counters(struct page *p, const struct http_state *s, const struct sk_runtime *rt)
{
#define SK_COUNTER(name, prose) counter(p, "", #name, load(&rt->count.name), prose);
#include "core/counters.tbl"
#undef SK_COUNTER
#define HTTP_COUNTER(name, prose) counter(p, "http_", #name, load(&s->count.name), prose);
#include "plugins/http/http.tbl"
#undef HTTP_COUNTER
}

static void show_queues(struct page *p, struct sk_runtime *rt, int64_t connections)
{
	size_t bytes = 0;
	for (int i = 0; i < rt->workers; i++)
		for (int lane = 0; lane < SK_LANES; lane++)
			bytes += atomic_load(&rt->worker[i]->inbox.bytes[lane]);
	gauge(p, "http_connections_open", connections, "HTTP connections that are open");
	gauge(p, "workers", rt->workers, "threads that run handlers");
	gauge(p, "inbox_bytes", (int64_t)bytes, "bytes of requests that are not finished");
	gauge(p, "outbox_depth", (int64_t)load(&rt->outbox.depth_now), "what waits for the thread of the broker");
}

static void show_store(struct page *p, struct sk_store *store)
{
	struct sk_store_stats s = { 0 };
	store->ops->stats(store, &s);
	counter(p, "store_", "commits", s.commits, "commits stored");
	counter(p, "store_", "commit_batches", s.commit_batches, "log rows written, one fsync each");
	counter(p, "store_", "conflicts", s.conflicts, "commits refused because a record had changed");
	counter(p, "store_", "failures", s.failures, "commits that the disk refused");
	counter(p, "store_", "reads", s.reads, "records read");
	counter(p, "store_", "scans", s.scans, "scans of a prefix");
	counter(p, "store_", "fsync_microseconds", s.fsync_us, "microseconds spent in fsync");
	gauge(p, "store_dirty_bytes", (int64_t)s.dirty_bytes, "bytes of records not yet in the table");
	gauge(p, "store_log_bytes", (int64_t)s.log_bytes, "bytes of the log");
}

/* -- rows -- */

static const char *const kinds[] = { [SK_ROW_TOPIC] = "topic", [SK_ROW_OPERATION] = "operation", [SK_ROW_EVENT] = "event" };

struct series { const char *name, *type, *prose; void (*show)(struct page *, const char *name, const char *labels, const struct sk_row *); };

static void show_calls(struct page *p, const char *name, const char *labels, const struct sk_row *row)
{
	append(p, "%s{%s} %" PRIu64 "\n", name, labels, load(&row->count.calls));
}

static void show_errors(struct page *p, const char *name, const char *labels, const struct sk_row *row)
{
	append(p, "%s{%s} %" PRIu64 "\n", name, labels, load(&row->count.errors));
}

static void show_refused(struct page *p, const char *name, const char *labels, const struct sk_row *row)
{
	append(p, "%s{%s} %" PRIu64 "\n", name, labels, load(&row->count.refused));
}

static void show_reruns(struct page *p, const char *name, const char *labels, const struct sk_row *row)
{
	append(p, "%s{%s} %" PRIu64 "\n", name, labels, load(&row->count.reruns));
}

static void show_seconds(struct page *p, const char *name, const char *labels, const struct sk_row *row)
{
	uint64_t sum = 0;
	for (int i = 0; i < SK_LATENCY_BUCKETS; i++) {
		sum += load(&row->count.latency[i]);
		if (i + 1 < SK_LATENCY_BUCKETS)
			append(p, "%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels, (double)(1u << i) / 1e6, sum);
	}
	append(p, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, sum);
	append(p, "%s_sum{%s} %.6f\n", name, labels, (double)load(&row->count.latency_us) / 1e6);
	append(p, "%s_count{%s} %" PRIu64 "\n", name, labels, sum);
}

static const struct series series[] = {
	{ "skeeter_row_calls_total", "counter", "calls of a row finished", show_calls },
	{ "skeeter_row_errors_total", "counter", "calls of a row answered with an error", show_errors },
	{ "skeeter_row_refused_total", "counter", "calls of a row refused for want of room or by rate", show_refused },
	{ "skeeter_row_reruns_total", "counter", "handlers of a row run again after a miss or a conflict", show_reruns },
	{ "skeeter_row_seconds", "histogram", "from arrival to answer", show_seconds },
	{ 0 }
};

static void show_series(struct page *p, const struct series *s, const struct sk_runtime *rt)
{
	append(p, "# HELP %s %s\n# TYPE %s %s\n", s->name, s->prose, s->name, s->type);
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++) {
			const struct sk_row *row = &rt->loaded[i].rows[k];
			char labels[256];
			if (!load(&row->count.calls) && !load(&row->count.refused))
				continue;
			snprintf(labels, sizeof labels, "plugin=\"%s\",kind=\"%s\",row=\"%s\"", row->owner->plugin->name, kinds[row->kind], row->name);
			s->show(p, s->name, labels, row);
		}
}

const char *metrics_text(struct sk_arena *a, const struct http_state *s, struct sk_runtime *rt, int64_t connections)
{
	struct page p = { .arena = a, .text = sk_alloc_text(a, 16384), .room = 16384 };
	if (!p.text)
		return NULL;
	show_counters(&p, s, rt);
	show_queues(&p, rt, connections);
	show_store(&p, rt->store);
	for (const struct series *one = series; one->name; one++)
		show_series(&p, one, rt);
	p.text[p.used] = '\0';
	return a->failed ? NULL : p.text;
}
