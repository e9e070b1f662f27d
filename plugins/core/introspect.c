/* introspect.c -- the tables and counters of this process as documents. Nothing here touches the store. */
#include "plugins/core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/core_options.h"
#include "core/ledger.h"
#include "core/runtime.h"
#include "core/version.h"

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
static const char *place_names[] = { "path", "query", "header", "body", "raw body", "whole body" };

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
		if (strcmp(in->wire, in->name))
			sk_json_set_string(c->arena, one, "wire", in->wire);
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
	const char *about = row->op->about ? row->op->about : "own";
	sk_json_set(c->arena, one, "tier", sk_json_stringn(c->arena, about, strcspn(about, " ")));
	sk_json_set_bool(c->arena, one, "newer", strstr(about, " newer") != NULL);
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

/* On the broker thread: the number of clients lives there. */
static int DescribeBroker(struct sk_call *c)
{
	static const char *const wakes[] = { "a test that is under way", "an eventfd", "a client of its own", "its tick" };
	const struct sk_runtime *rt = sk_process();
	struct sk_broker_facts facts = sk_broker_facts();
	sk_json_set_string(c->arena, c->out, "version", sk_version_text());
	sk_json_set_int(c->arena, c->out, "pid", getpid());
	sk_json_set(c->arena, c->out, "startedAt", sk_json_time(c->arena, facts.started_ms));
	sk_json_set_string(c->arena, c->out, "interface", facts.interface);
	sk_json_set_string(c->arena, c->out, "wake", wakes[facts.wake_mode]);
	sk_json_set_string(c->arena, c->out, "account", rt->account);
	sk_json_set_string(c->arena, c->out, "region", rt->region);
	sk_json_set_string(c->arena, c->out, "dataDir", rt->data_dir);
	cJSON *plugins = sk_json_set_array(c->arena, c->out, "plugins");
	for (int i = 0; i < rt->loaded_count; i++) {
		if (rt->loaded[i].plugin == &sk_core_effects || rt->loaded[i].plugin == &sk_core_control)
			continue;
		cJSON *one = sk_json_append(plugins, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "name", rt->loaded[i].plugin->name);
		sk_json_set_string(c->arena, one, "prose", rt->loaded[i].plugin->prose);
	}
	return SK_OK;
}

static int DescribeCounters(struct sk_call *c)
{
	c->out = sk_counters_document(c->arena, sk_process());
	return SK_OK;
}

/* -- ListClients, on the broker thread -- */

static void set_time(struct sk_call *c, cJSON *one, const char *key, int64_t ms)
{
	if (ms)
		sk_json_set(c->arena, one, key, sk_json_time(c->arena, ms));
}

static void tell_known(struct sk_call *c, cJSON *one, const struct sk_known *k)
{
	if (!k)
		return;
	set_time(c, one, "connectedAt", k->connected_ms);
	set_time(c, one, "disconnectedAt", k->disconnected_ms);
	set_time(c, one, "lastSeen", k->seen_ms);
	if (!k->denied_ms)
		return;
	cJSON *denial = sk_json_set_object(c->arena, one, "lastDenial");
	set_time(c, denial, "at", k->denied_ms);
	sk_json_set_string(c->arena, denial, "text", k->denial);
}

/* One that was refused and one of an earlier connection are told by what is remembered of them. */
static void list_client(struct sk_client *client, void *ctx)
{
	struct sk_call *c = ctx;
	if (sk_client_is_waiting(client) || (!client->online && (client->clean_session || (!client->known && !client->restored))))
		return;
	cJSON *list = sk_json_get(c->out, "clients"), *one = sk_json_append(list, sk_json_object(c->arena));
	sk_json_set_string(c->arena, one, "clientId", client->id);
	sk_json_set_string(c->arena, one, "username", client->username);
	sk_json_set_string(c->arena, one, "address", client->address);
	sk_json_set_bool(c->arena, one, "connected", client->online);
	sk_json_set_bool(c->arena, one, "cleanSession", client->clean_session);
	sk_json_set_bool(c->arena, one, "operator", client->is_operator);
	tell_known(c, one, client->known);
	if (client->known)
		client->known->listed = true;
}

static void list_known(struct sk_known *k, void *ctx)
{
	struct sk_call *c = ctx;
	bool listed = k->listed;
	k->listed = false;
	if (listed || (k->version < 0 && !k->denied_ms))
		return; /* or it never got through */
	cJSON *list = sk_json_get(c->out, "clients"), *one = sk_json_append(list, sk_json_object(c->arena));
	sk_json_set_string(c->arena, one, "clientId", k->id);
	sk_json_set_string(c->arena, one, "username", k->principal);
	sk_json_set_string(c->arena, one, "address", k->address);
	sk_json_set_bool(c->arena, one, "connected", false);
	tell_known(c, one, k);
}

static int ListClients(struct sk_call *c)
{
	sk_json_set_array(c->arena, c->out, "clients");
	sk_client_each(list_client, c);
	sk_ledger_each(sk_clients_ledger(), list_known, c);
	return SK_OK;
}

/* -- ListActivity, on the broker thread -- */

static const char *const deed_names[] = {
	[SK_DID_CONNECT] = "iot:Connect", [SK_DID_PUBLISH] = "iot:Publish", [SK_DID_RETAIN] = "iot:RetainPublish",
	[SK_DID_SUBSCRIBE] = "iot:Subscribe", [SK_DID_RECEIVE] = "iot:Receive",
};

static int ListActivity(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "clientId");
	const struct sk_known *k = sk_ledger_find(sk_clients_ledger(), id);
	const cJSON *since = sk_json_get(c->in, "since");
	if (!k)
		return sk_fail(c, SK_E_NOT_FOUND, "Nothing is remembered of client %s.", id);
	sk_json_set_string(c->arena, c->out, "clientId", id);
	sk_json_set_string(c->arena, c->out, "principal", k->principal);
	cJSON *list = sk_json_set_array(c->arena, c->out, "activity");
	for (const struct sk_did *d = k->did; d; d = d->next) {
		if (since && (double)d->last_ms < since->valuedouble * 1000)
			continue;
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "action", deed_names[d->deed]);
		sk_json_set_string(c->arena, one, d->deed == SK_DID_CONNECT ? "clientId" : d->deed == SK_DID_SUBSCRIBE ? "topicFilter" : "topic", d->topic);
		sk_json_set_bool(c->arena, one, "allowed", d->allowed);
		sk_json_set_int(c->arena, one, "count", (int64_t)d->count);
		set_time(c, one, "firstAt", d->first_ms);
		set_time(c, one, "lastAt", d->last_ms);
	}
	return SK_OK;
}
