/* sqs.c -- SendMessageBatch, in the query protocol: AWS and every server of its kind understand it.
 *
 * The request goes to the endpoint with the path of queueUrl, which stands in the body as it is. A FIFO queue gets the topic as the group, so
 * that messages of one topic keep their order, and the item's id as what duplicates are known by. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

#define ENTRY "SendMessageBatchRequestEntry"

struct message {
	const char *path, *queue;
	const char *text; /* encoded where useBase64 is set */
	size_t size;
};

/* Behind the host; NULL: it is no http(s) URL of a queue. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;

	if (!path || !path[1] || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)))
		return NULL;
	return path[strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./~")] ? NULL : path;
}

/* "eu-west-1" of https://sqs.eu-west-1.amazonaws.com/... and of https://eu-west-1.queue.amazonaws.com/...; NULL: there is none in it. */
static const char *region_of(const char *url, struct sk_arena *a)
{
	const char *host = strstr(url, "://") + 3, *end = strchr(host, '/'), *amazon = strstr(host, ".amazonaws.com");

	if (!amazon || amazon > end)
		return NULL;
	if (!strncmp(host, "sqs.", 4))
		return sk_strndup(a, host + 4, amazon > host + 4 ? (size_t)(amazon - host - 4) : 0);
	size_t n = strcspn(host, ".");
	return strncmp(host + n, ".queue.", 7) ? NULL : sk_strndup(a, host, n);
}

static const char *check(const cJSON *fields, struct sk_arena *a)
{
	const char *url = sk_json_text(fields, "queueUrl");

	(void)a;
	return url && !strstr(url, "${") && !path_of(url) ? "queueUrl must be like https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE" : NULL;
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	struct message *m = sk_alloc(a, sizeof *m);
	struct sigv4_text encoded = { .a = a };
	const char *queue = sk_sink_text(e->item, "queueUrl"), *why = NULL;

	(void)s;
	if (!m)
		return NULL;
	*m = (struct message){ .queue = queue, .path = queue ? path_of(queue) : NULL, .text = e->item->payload, .size = e->item->size };
	if (!m->path)
		return "queueUrl is no URL of a queue";
	if (sk_sink_true(e->item, "useBase64")) {
		aws_base64(&encoded, m->text, m->size);
		m->size = encoded.n;
		m->text = sigv4_text_end(&encoded);
	}
	if (m->text && (why = aws_text_check(m->text, m->size)))
		return why;
	e->own = m;
	e->group = queue;
	e->size = m->size;
	e->region = region_of(queue, a);
	e->key = aws_fifo_group(queue, e->item->topic, a);
	return NULL;
}

static void write(struct aws_request *r)
{
	const struct message *first = r->entry[0]->own;

	r->path = first->path;
	aws_form_begin(r, "SendMessageBatch", "2012-11-05");
	aws_form(&r->body, "QueueUrl", first->queue);
	for (size_t i = 0; i < r->n; i++) {
		const struct message *m = r->entry[i]->own;
		aws_form(&r->body, aws_member(r->arena, ENTRY, i + 1, "Id"), sk_printf(r->arena, "%zu", i + 1));
		aws_form_bytes(&r->body, aws_member(r->arena, ENTRY, i + 1, "MessageBody"), m->text, m->size);
		if (!r->entry[i]->key)
			continue;
		aws_form(&r->body, aws_member(r->arena, ENTRY, i + 1, "MessageGroupId"), r->entry[i]->key);
		aws_form(&r->body, aws_member(r->arena, ENTRY, i + 1, "MessageDeduplicationId"), r->entry[i]->item->id);
	}
}

static void read(struct aws_request *r)
{
	aws_read_members(r, &(struct aws_member_names){ .good = "SendMessageBatchResultEntry", .bad = "BatchResultErrorEntry" });
}

const struct aws_service aws_sqs = {
	.name = AWS_SQS, .protocol = AWS_QUERY, .signing = "sqs", .content_type = AWS_FORM, .resource = "queueUrl", .order = AWS_ONCE,
	.most_items = 10, .most_bytes = 256 << 10, .check = check, .prepare = prepare, .write = write, .read = read,
};
