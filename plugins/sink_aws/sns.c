/* sns.c -- PublishBatch to a topic, Publish to a phone's endpoint, in the query protocol. A FIFO topic is served as a FIFO queue is. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

#define ENTRY "PublishBatchRequestEntries.member"

/* The n-th part (from 0) of an ARN, the sixth with all that follows; NULL: it has none. */
static const char *part_of(const char *arn, int n)
{
	for (; n; n--) {
		arn = strchr(arn, ':');
		if (!arn)
			return NULL;
		arn++;
	}
	return arn;
}

static bool is_topic(const char *arn)
{
	const char *resource = part_of(arn, 5);

	return !strncmp(arn, "arn:", 4) && resource && *resource && !strpbrk(resource, "/:");
}

static const char *check(const cJSON *fields, struct sk_arena *a)
{
	const char *arn = sk_json_text(fields, "targetArn");

	(void)a;
	return arn && !strstr(arn, "${") && (strncmp(arn, "arn:", 4) || !part_of(arn, 5)) ? "targetArn must be like arn:aws:sns:REGION:ACCOUNT:TOPIC" : NULL;
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *arn = sk_sink_text(e->item, "targetArn"), *region = arn ? part_of(arn, 3) : NULL, *format = sk_sink_text(e->item, "messageFormat");

	(void)s;
	if (!region || strncmp(arn, "arn:", 4) || !part_of(arn, 5))
		return "targetArn is no ARN of SNS";
	if (format && !strcmp(format, "JSON") && !cJSON_IsObject(aws_payload(e, a)))
		return "messageFormat is JSON, but the message is no JSON object";
	e->own = format && !strcmp(format, "JSON") ? "json" : NULL;
	e->group = arn;
	e->size = e->item->size;
	e->region = sk_strndup(a, region, strcspn(region, ":"));
	e->key = aws_fifo_group(arn, e->item->topic, a);
	if (!is_topic(arn))
		e->units = aws_sns.most_items; /* it has no batch */
	return aws_text_check(e->item->payload, e->item->size);
}

static void write_one(struct aws_request *r, const char *arn)
{
	const struct aws_entry *e = r->entry[0];

	aws_form_begin(r, "Publish", "2010-03-31");
	aws_form(&r->body, "TargetArn", arn);
	aws_form_bytes(&r->body, "Message", e->item->payload, e->item->size);
	aws_form(&r->body, "MessageStructure", e->own);
}

static void write(struct aws_request *r)
{
	struct sk_arena *a = r->arena;
	const char *arn = sk_sink_text(r->entry[0]->item, "targetArn");

	if (!is_topic(arn)) {
		write_one(r, arn);
		return;
	}
	aws_form_begin(r, "PublishBatch", "2010-03-31");
	aws_form(&r->body, "TopicArn", arn);
	for (size_t i = 0; i < r->n; i++) {
		const struct aws_entry *e = r->entry[i];
		aws_form(&r->body, aws_member(a, ENTRY, i + 1, "Id"), sk_printf(a, "%zu", i + 1));
		aws_form_bytes(&r->body, aws_member(a, ENTRY, i + 1, "Message"), e->item->payload, e->item->size);
		aws_form(&r->body, aws_member(a, ENTRY, i + 1, "MessageStructure"), e->own);
		aws_form(&r->body, aws_member(a, ENTRY, i + 1, "MessageGroupId"), e->key);
		aws_form(&r->body, aws_member(a, ENTRY, i + 1, "MessageDeduplicationId"), e->key ? e->item->id : NULL);
	}
}

static void read(struct aws_request *r)
{
	if (!is_topic(sk_sink_text(r->entry[0]->item, "targetArn"))) {
		aws_entry_ok(r->entry[0]);
		return;
	}
	aws_read_members(r, &(struct aws_member_names){ "Successful", "member", "Failed", "member" });
}

const struct aws_service aws_sns = {
	.name = AWS_SNS, .protocol = AWS_QUERY, .signing = "sns", .content_type = AWS_FORM, .resource = "targetArn", .order = AWS_ONCE,
	.most_items = 10, .most_bytes = 256 << 10, .check = check, .prepare = prepare, .write = write, .read = read,
};
