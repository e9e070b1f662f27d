/* introspect.c -- the tables and counters of this process as documents. Nothing here touches the store. */
#include "plugins/core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/runtime.h"

#define OPS_FILE "plugins/core/core.ops"
#define OPS_GROUP core
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

/* -- ListOperations -- */

static const char *kind_names[] = {
	[SK_SHAPE_STRING] = "string", [SK_SHAPE_INTEGER] = "integer", [SK_SHAPE_LONG] = "long", [SK_SHAPE_NUMBER] = "number",
	[SK_SHAPE_BOOLEAN] = "boolean", [SK_SHAPE_ENUM] = "enum", [SK_SHAPE_STRUCT] = "struct", [SK_SHAPE_LIST] = "list",
	[SK_SHAPE_MAP] = "map", [SK_SHAPE_TIMESTAMP] = "timestamp", [SK_SHAPE_ANY] = "any",
};
static const char *verb_names[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
static const char *place_names[] = { "path", "query", "header", "body" };

/* How deep a type is told: types may refer to themselves. */
enum { TOLD_DEPTH = 4 };

static void list_inputs(struct sk_call *c, cJSON *inputs, const struct sk_inputs *rows, int depth);

/* Members are written as inputs are, so one parser reads both. */
static void list_members(struct sk_call *c, cJSON *one, const struct sk_shape *shape, int depth)
{
	char why[256];
	struct sk_inputs *members = sk_inputs_new(sk_process()->shapes, "", shape->text, true, why, sizeof(why));
	list_inputs(c, sk_json_set_array(c->arena, one, "members"), members, depth);
	sk_inputs_free(&members);
}

static void list_type(struct sk_call *c, cJSON *one, const char *type, int depth)
{
	const struct sk_shape *shape = sk_shapes_find(sk_process()->shapes, type);
	sk_json_set_string(c->arena, one, "type", type);
	sk_json_set_string(c->arena, one, "kind", shape ? kind_names[shape->kind] : "any");
	if (shape && shape->kind == SK_SHAPE_ENUM)
		sk_json_set_string(c->arena, one, "values", shape->text);
	if (shape && shape->kind == SK_SHAPE_STRUCT && depth > 0)
		list_members(c, one, shape, depth - 1);
	if (shape && shape->element && depth > 0)
		list_type(c, sk_json_set_object(c->arena, one, "element"), shape->element, depth - 1);
}

static void list_inputs(struct sk_call *c, cJSON *inputs, const struct sk_inputs *rows, int depth)
{
	for (size_t i = 0; rows && i < sk_inputs_count(rows); i++) {
		const struct sk_input *in = sk_inputs_at(rows, i);
		cJSON *one = sk_json_append(inputs, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "name", in->name);
		list_type(c, one, in->type, depth);
		sk_json_set_bool(c->arena, one, "required", in->required);
		sk_json_set_string(c->arena, one, "in", place_names[in->place]);
	}
}

static void list_operation(struct sk_call *c, cJSON *list, const struct sk_row *row)
{
	cJSON *one = sk_json_append(list, sk_json_object(c->arena));
	sk_json_set_string(c->arena, one, "name", row->name);
	sk_json_set_string(c->arena, one, "service", row->service);
	sk_json_set_string(c->arena, one, "plugin", row->owner->plugin->name);
	sk_json_set_string(c->arena, one, "method", verb_names[row->op->verb]);
	sk_json_set_string(c->arena, one, "route", row->op->route);
	sk_json_set_string(c->arena, one, "partition", row->partition);
	list_inputs(c, sk_json_set_array(c->arena, one, "inputs"), row->inputs, TOLD_DEPTH);
}

static int ListOperations(struct sk_call *c)
{
	const struct sk_runtime *rt = sk_process();
	cJSON *list = sk_json_set_array(c->arena, c->out, "operations");
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++)
			if (rt->loaded[i].rows[k].kind == SK_ROW_OPERATION)
				list_operation(c, list, &rt->loaded[i].rows[k]);
	return SK_OK;
}

/* -- DescribeCounters -- */

static int64_t load(const _Atomic uint64_t *counter)
{
	return (int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static void describe_row(struct sk_call *c, cJSON *rows, const struct sk_row *row)
{
	if (!load(&row->count.calls) && !load(&row->count.refused))
		return;
	cJSON *one = sk_json_append(rows, sk_json_object(c->arena));
	sk_json_set_string(c->arena, one, "name", row->name);
	sk_json_set_int(c->arena, one, "calls", load(&row->count.calls));
	sk_json_set_int(c->arena, one, "errors", load(&row->count.errors));
	sk_json_set_int(c->arena, one, "refused", load(&row->count.refused));
	sk_json_set_int(c->arena, one, "reruns", load(&row->count.reruns));
	sk_json_set_int(c->arena, one, "microseconds", load(&row->count.latency_us));
	cJSON *latency = sk_json_set_array(c->arena, one, "latency");
	for (int i = 0; i < SK_LATENCY_BUCKETS; i++)
		sk_json_append(latency, sk_json_int(c->arena, load(&row->count.latency[i])));
}

static void describe_store(struct sk_call *c)
{
	struct sk_store *store = sk_process()->store;
	struct sk_store_stats s = { 0 };
	store->ops->stats(store, &s);
	cJSON *out = sk_json_set_object(c->arena, c->out, "store");
	sk_json_set_string(c->arena, out, "kind", store->ops->name);
#define SK_STAT(name) sk_json_set_int(c->arena, out, #name, (int64_t)s.name);
	SK_STAT(commits) SK_STAT(commit_batches) SK_STAT(conflicts) SK_STAT(failures) SK_STAT(reads) SK_STAT(table_reads) SK_STAT(scans)
	SK_STAT(folded_records) SK_STAT(fold_us) SK_STAT(fsync_us) SK_STAT(dirty_bytes) SK_STAT(dirty_records) SK_STAT(log_bytes)
	SK_STAT(log_rows) SK_STAT(replayed_rows) SK_STAT(open_us)
#undef SK_STAT
}

static int DescribeCounters(struct sk_call *c)
{
	struct sk_runtime *rt = sk_process();
	cJSON *counters = sk_json_set_object(c->arena, c->out, "counters");
#define SK_COUNTER(name, prose) sk_json_set_int(c->arena, counters, #name, load(&rt->count.name));
#include "core/counters.tbl"
#undef SK_COUNTER
	cJSON *queues = sk_json_set_object(c->arena, c->out, "queues");
	size_t bytes = 0;
	for (int i = 0; i < rt->workers; i++)
		for (int lane = 0; lane < SK_LANES; lane++)
			bytes += atomic_load(&rt->worker[i]->inbox.bytes[lane]);
	sk_json_set_int(c->arena, queues, "workers", rt->workers);
	sk_json_set_int(c->arena, queues, "inboxBytes", (int64_t)bytes);
	sk_json_set_int(c->arena, queues, "outboxDepth", load(&rt->outbox.depth_now));
	describe_store(c);
	cJSON *rows = sk_json_set_array(c->arena, c->out, "rows");
	for (int i = 0; i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++)
			describe_row(c, rows, &rt->loaded[i].rows[k]);
	return SK_OK;
}

/* -- ListClients, on the broker thread -- */

static void list_client(struct sk_client *client, void *ctx)
{
	struct sk_call *c = ctx;
	cJSON *list = sk_json_get(c->out, "clients"), *one = sk_json_append(list, sk_json_object(c->arena));
	sk_json_set_string(c->arena, one, "clientId", client->id);
	sk_json_set_string(c->arena, one, "username", client->username);
	sk_json_set_string(c->arena, one, "address", client->address);
	sk_json_set_bool(c->arena, one, "connected", client->online);
	sk_json_set_bool(c->arena, one, "cleanSession", client->clean_session);
	sk_json_set_bool(c->arena, one, "operator", client->is_operator);
}

static int ListClients(struct sk_call *c)
{
	sk_json_set_array(c->arena, c->out, "clients");
	sk_client_each(list_client, c);
	return SK_OK;
}
