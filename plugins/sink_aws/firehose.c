/* firehose.c -- PutRecordBatch. With batchMode a message that is a JSON array is a record for each element; the separator follows each record. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

static void put_record(struct aws_entry *e, struct sigv4_text *t, const void *bytes, size_t n)
{
	const char *separator = sk_sink_text(e->item, "separator");
	struct sigv4_text whole = { .a = t->a };

	sigv4_puts(t, e->units ? ",{\"Data\":\"" : "{\"Data\":\"");
	sigv4_put(&whole, bytes, n);
	sigv4_puts(&whole, separator ? separator : "");
	aws_base64(t, whole.at, whole.n);
	sigv4_puts(t, "\"}");
	e->units++;
	e->size += whole.n;
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *stream = sk_sink_text(e->item, "deliveryStreamName");
	const cJSON *list = sk_sink_true(e->item, "batchMode") ? aws_payload(e, a) : NULL;
	struct sigv4_text t = { .a = a };

	(void)s;
	if (!stream || !*stream)
		return "deliveryStreamName is empty";
	if (cJSON_IsArray(list) && !sk_json_count(list))
		return "the message is an empty array: there is nothing to put";
	if (!cJSON_IsArray(list))
		put_record(e, &t, e->item->payload, e->item->size);
	SK_JSON_EACH(one, cJSON_IsArray(list) ? list : NULL) {
		size_t n = 0;
		const char *text = sk_json_print(a, one, &n);
		put_record(e, &t, text ? text : "", n);
	}
	e->piece = sigv4_text_end(&t);
	e->group = stream;
	return NULL;
}

static void write(struct aws_request *r)
{
	r->target = "PutRecordBatch";
	sigv4_puts(&r->body, "{\"DeliveryStreamName\":");
	aws_json_text(&r->body, sk_sink_text(r->entry[0]->item, "deliveryStreamName"));
	sigv4_puts(&r->body, ",\"Records\":[");
	aws_pieces(r);
	sigv4_puts(&r->body, "]}");
}

static void read(struct aws_request *r)
{
	aws_read_records(r, "RequestResponses");
}

const struct aws_service aws_firehose = {
	.name = AWS_FIREHOSE, .protocol = AWS_JSON, .signing = "firehose", .content_type = "application/x-amz-json-1.1", .prefix = "Firehose_20150804",
	.resource = "deliveryStreamName", .most_items = 500, .most_bytes = 4 << 20, .prepare = prepare, .write = write, .read = read,
};
