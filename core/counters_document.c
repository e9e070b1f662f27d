/* counters_document.c -- all counters as one document: for the DescribeCounters operation and $SYS/skeeter/counters. */
#include "core/runtime.h"

static int64_t load(const _Atomic uint64_t *counter)
{
	return (int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static void describe_row(struct sk_arena *a, cJSON *rows, const struct sk_row *row)
{
	if (!load(&row->count.calls) && !load(&row->count.refused))
		return;
	cJSON *one = sk_json_append(rows, sk_json_object(a));
	sk_json_set_string(a, one, "name", row->name);
	sk_json_set_int(a, one, "calls", load(&row->count.calls));
	sk_json_set_int(a, one, "errors", load(&row->count.errors));
	sk_json_set_int(a, one, "refused", load(&row->count.refused));
	sk_json_set_int(a, one, "reruns", load(&row->count.reruns));
	sk_json_set_int(a, one, "microseconds", load(&row->count.latency_us));
	cJSON *latency = sk_json_set_array(a, one, "latency");
	for (int i = 0; i < SK_LATENCY_BUCKETS; i++)
		sk_json_append(latency, sk_json_int(a, load(&row->count.latency[i])));
}

static void describe_rows(struct sk_arena *a, cJSON *out, const struct sk_runtime *rt)
{
	cJSON *rows = sk_json_set_array(a, out, "rows");
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++)
			describe_row(a, rows, &rt->loaded[i].rows[k]);
}

static void describe_queues(struct sk_arena *a, cJSON *out, struct sk_runtime *rt)
{
	cJSON *queues = sk_json_set_object(a, out, "queues");
	size_t bytes = 0;
	for (int i = 0; i < rt->workers; i++)
		for (int lane = 0; lane < SK_LANES; lane++)
			bytes += atomic_load(&rt->worker[i]->inbox.bytes[lane]);
	sk_json_set_int(a, queues, "workers", rt->workers);
	sk_json_set_int(a, queues, "inboxBytes", (int64_t)bytes);
	sk_json_set_int(a, queues, "outboxDepth", load(&rt->outbox.depth_now));
}

static void describe_store(struct sk_arena *a, cJSON *out, struct sk_store *store)
{
	struct sk_store_stats s = { 0 };
	store->ops->stats(store, &s);
	cJSON *stats = sk_json_set_object(a, out, "store");
	sk_json_set_string(a, stats, "kind", store->ops->name);
#define SK_STAT(name) sk_json_set_int(a, stats, #name, (int64_t)s.name);
	SK_STAT(commits) SK_STAT(commit_batches) SK_STAT(conflicts) SK_STAT(failures) SK_STAT(reads) SK_STAT(table_reads) SK_STAT(scans)
	SK_STAT(folded_records) SK_STAT(fold_us) SK_STAT(fsync_us) SK_STAT(dirty_bytes) SK_STAT(dirty_records) SK_STAT(log_bytes)
	SK_STAT(log_rows) SK_STAT(replayed_rows) SK_STAT(open_us) SK_STAT(reconnects) SK_STAT(redirects) SK_STAT(resent) SK_STAT(unknown) SK_STAT(down)
#undef SK_STAT
}

cJSON *sk_counters_document(struct sk_arena *a, struct sk_runtime *rt)
{
	cJSON *out = sk_json_object(a), *counters = sk_json_set_object(a, out, "counters");
#define SK_COUNTER(name, prose) sk_json_set_int(a, counters, #name, load(&rt->count.name));
#include "core/counters.tbl"
#undef SK_COUNTER
	describe_queues(a, out, rt);
	describe_store(a, out, rt->store);
	describe_rows(a, out, rt);
	return out;
}
