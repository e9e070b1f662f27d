/* dynamodb_v2.c -- the members of a message are the attributes of a table's item: PutItem for one, BatchWriteItem for up to 25.
 *
 * The table's key is its own affair: a batch that holds a key twice is refused, and deliver.c cuts it in two until none does. What one topic sends
 * keeps its order, so that of two writes of one key the later one stays. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *table = sk_sink_text(e->item, "putItem.tableName");
	const cJSON *payload = aws_payload(e, a);
	cJSON *item;
	size_t n = 0;

	(void)s;
	if (!table || !*table)
		return "putItem.tableName is empty";
	if (!cJSON_IsObject(payload))
		return "the message is no JSON object: its members would be the attributes";
	item = aws_attributes(a, payload);
	e->own = item;
	e->piece = sk_json_print(a, item, &n);
	e->group = table;
	e->size = n;
	e->key = e->item->topic;
	return NULL;
}

static void write(struct aws_request *r)
{
	const char *table = sk_sink_text(r->entry[0]->item, "putItem.tableName");
	struct sigv4_text *t = &r->body;

	r->target = r->n > 1 ? "BatchWriteItem" : "PutItem";
	sigv4_puts(t, r->n > 1 ? "{\"RequestItems\":{" : "{\"TableName\":");
	aws_json_text(t, table);
	sigv4_puts(t, r->n > 1 ? ":[" : ",\"Item\":");
	for (size_t i = 0; i < r->n; i++) {
		sigv4_puts(t, r->n == 1 ? "" : i ? ",{\"PutRequest\":{\"Item\":" : "{\"PutRequest\":{\"Item\":");
		sigv4_puts(t, r->entry[i]->piece ? r->entry[i]->piece : "");
		sigv4_puts(t, r->n == 1 ? "" : "}}");
	}
	sigv4_puts(t, r->n > 1 ? "]}}" : "}");
}

/* The entry is among those that were put back. */
static bool is_back(const struct aws_entry *e, const cJSON *back)
{
	SK_JSON_EACH(one, back)
		if (sk_json_equal(sk_json_get(sk_json_get(one, "PutRequest"), "Item"), e->own))
			return true;
	return false;
}

static void read(struct aws_request *r)
{
	const cJSON *unprocessed = sk_json_get(r->json, "UnprocessedItems"), *back = unprocessed ? unprocessed->child : NULL;
	int found = 0;

	for (size_t i = 0; i < r->n; i++)
		found += is_back(r->entry[i], back);
	/* Spelled in another way than we sent them: it is not known which they are, and putting an item twice does no harm. */
	bool known = found == sk_json_count(back);
	for (size_t i = 0; i < r->n; i++) {
		if (known && !is_back(r->entry[i], back))
			aws_entry_ok(r->entry[i]);
		else
			aws_entry_fault(r, r->entry[i], "ProvisionedThroughputExceeded", "the table put it back (UnprocessedItems)", true);
	}
}

const struct aws_service aws_dynamodb_v2 = {
	.name = AWS_DYNAMODB, .protocol = AWS_JSON, .signing = "dynamodb", .content_type = "application/x-amz-json-1.0", .prefix = "DynamoDB_20120810",
	.resource = "tableName", .order = AWS_TOGETHER, .most_items = 25, .most_bytes = 4 << 20, .prepare = prepare, .write = write, .read = read,
};
