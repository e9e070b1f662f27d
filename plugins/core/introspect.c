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

static int DescribeCounters(struct sk_call *c)
{
	c->out = sk_counters_document(c->arena, sk_process());
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
