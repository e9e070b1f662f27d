/* kinesis.c -- PutRecords. What is refused in it says so for itself, and what came behind it may have been taken: so a request holds one record of
 * a partition key, unless an operator prefers throughput (plugin_opt_kinesis_order false). */
#include <string.h>

#include "plugins/sink_aws/aws.h"

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *stream = sk_sink_text(e->item, "streamName"), *key = sk_sink_text(e->item, "partitionKey");
	const char *used = key && *key ? key : e->item->id; /* one has to be there: chance spreads over the shards */
	struct sigv4_text t = { .a = a };

	if (!stream || !*stream)
		return "streamName is empty";
	sigv4_puts(&t, "{\"Data\":\"");
	aws_base64(&t, e->item->payload, e->item->size);
	sigv4_puts(&t, "\",\"PartitionKey\":");
	aws_json_text(&t, used);
	sigv4_puts(&t, "}");
	e->piece = sigv4_text_end(&t);
	e->group = stream;
	e->size = e->item->size + strlen(used);
	e->key = s->settings->kinesis_order && key && *key ? key : NULL;
	return NULL;
}

static void write(struct aws_request *r)
{
	r->target = "PutRecords";
	sigv4_puts(&r->body, "{\"StreamName\":");
	aws_json_text(&r->body, sk_sink_text(r->entry[0]->item, "streamName"));
	sigv4_puts(&r->body, ",\"Records\":[");
	aws_pieces(r);
	sigv4_puts(&r->body, "]}");
}

static void read(struct aws_request *r)
{
	aws_read_records(r, "Records");
}

const struct aws_service aws_kinesis = {
	.name = AWS_KINESIS, .protocol = AWS_JSON, .signing = "kinesis", .content_type = "application/x-amz-json-1.1", .prefix = "Kinesis_20131202",
	.resource = "streamName", .order = AWS_ONCE, .most_items = 500, .most_bytes = 5 << 20, .prepare = prepare, .write = write, .read = read,
};
