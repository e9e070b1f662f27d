/* dynamodb.c -- one item of a table with the message in one attribute: PutItem, UpdateItem, DeleteItem, as the action's `operation` says.
 *
 * The payload is an attribute of DynamoDB's types (attribute.c) when it is JSON, else binary. Writes of one key keep their order. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

struct write_of_item {
	const char *target;
	cJSON *body;
};

/* {"hash": {"S": "x"}, "range": {"N": "1"}}; NULL with *why. */
static cJSON *key_of(const struct aws_entry *e, struct sk_arena *a, const char **why)
{
	static const char *const parts[][3] = { { "hashKeyField", "hashKeyValue", "hashKeyType" }, { "rangeKeyField", "rangeKeyValue", "rangeKeyType" } };
	cJSON *key = sk_json_object(a), *typed;

	for (size_t i = 0; i < 2; i++) {
		const char *field = sk_sink_text(e->item, parts[i][0]), *value = sk_sink_text(e->item, parts[i][1]), *type = sk_sink_text(e->item, parts[i][2]);
		if (i && !field && !value)
			continue;
		if (!field || !*field || !value) {
			*why = sk_printf(a, "%s and %s belong together", parts[i][0], parts[i][1]);
			return NULL;
		}
		typed = sk_json_set_object(a, key, field);
		sk_json_set_string(a, typed, type && !strcmp(type, "NUMBER") ? "N" : "S", value);
	}
	return key;
}

static cJSON *payload_of(const struct aws_entry *e, struct sk_arena *a)
{
	const cJSON *payload = aws_payload(e, a);
	struct sigv4_text t = { .a = a };
	cJSON *binary;

	if (payload)
		return aws_attribute(a, payload);
	binary = sk_json_object(a);
	aws_base64(&t, e->item->payload, e->item->size);
	sk_json_set_string(a, binary, "B", sigv4_text_end(&t));
	return binary;
}

typedef const char *make(cJSON *body, cJSON *key, const struct aws_entry *e, struct sk_arena *a);

static const char *field_of(const struct aws_entry *e)
{
	const char *field = sk_sink_text(e->item, "payloadField");

	return field && *field ? field : "payload";
}

static const char *make_insert(cJSON *body, cJSON *key, const struct aws_entry *e, struct sk_arena *a)
{
	sk_json_set(a, key, field_of(e), payload_of(e, a));
	sk_json_set(a, body, "Item", key);
	return "PutItem";
}

static const char *make_update(cJSON *body, cJSON *key, const struct aws_entry *e, struct sk_arena *a)
{
	sk_json_set(a, body, "Key", key);
	sk_json_set_string(a, body, "UpdateExpression", "SET #p = :p");
	sk_json_set_string(a, sk_json_set_object(a, body, "ExpressionAttributeNames"), "#p", field_of(e));
	sk_json_set(a, sk_json_set_object(a, body, "ExpressionAttributeValues"), ":p", payload_of(e, a));
	return "UpdateItem";
}

static const char *make_delete(cJSON *body, cJSON *key, const struct aws_entry *e, struct sk_arena *a)
{
	(void)e;
	sk_json_set(a, body, "Key", key);
	return "DeleteItem";
}

static const struct {
	const char *name;
	make *make;
} operations[] = { { "INSERT", make_insert }, { "UPDATE", make_update }, { "DELETE", make_delete } };

static make *operation_of(const char *name)
{
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		if (!name || !strcmp(name, operations[i].name))
			return operations[i].make;
	return NULL;
}

static const char *check(const cJSON *fields, struct sk_arena *a)
{
	const char *operation = sk_json_text(fields, "operation"), *range = sk_json_text(fields, "rangeKeyField");

	(void)a;
	if (operation && !strstr(operation, "${") && !operation_of(operation))
		return "operation must be INSERT, UPDATE or DELETE";
	return !range == !sk_json_text(fields, "rangeKeyValue") ? NULL : "rangeKeyField and rangeKeyValue belong together";
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *table = sk_sink_text(e->item, "tableName"), *why = NULL;
	struct write_of_item *own = sk_alloc(a, sizeof *own);
	make *operation = operation_of(sk_sink_text(e->item, "operation"));
	cJSON *key;

	(void)s;
	if (!operation)
		return "operation is not INSERT, UPDATE or DELETE";
	if (!(key = key_of(e, a, &why)))
		return why;
	if (sk_json_get(key, field_of(e)))
		return "payloadField is a field of the key";
	e->key = sk_printf(a, "%s %s", table ? table : "", sk_json_print(a, key, NULL));
	if (!own)
		return NULL;
	own->body = sk_json_object(a);
	sk_json_set_string(a, own->body, "TableName", table ? table : "");
	own->target = operation(own->body, key, e, a);
	e->own = own;
	return NULL;
}

static void write(struct aws_request *r)
{
	const struct write_of_item *own = r->entry[0]->own;
	size_t n;
	const char *text = sk_json_print(r->arena, own->body, &n);

	r->target = own->target;
	if (text)
		sigv4_put(&r->body, text, n);
}

const struct aws_service aws_dynamodb = {
	.name = AWS_DYNAMODB, .protocol = AWS_JSON, .signing = "dynamodb", .content_type = "application/x-amz-json-1.0", .prefix = "DynamoDB_20120810",
	.resource = "tableName", .order = AWS_ONCE, .most_items = 1, .most_bytes = 1 << 20, .check = check, .prepare = prepare, .write = write,
};
