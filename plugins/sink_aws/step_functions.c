/* step_functions.c -- StartExecution. The execution's name ends with the item's id: one that was started already is not started again. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *machine = sk_sink_text(e->item, "stateMachineName");

	(void)s;
	if (!machine || !*machine)
		return "stateMachineName is empty";
	return aws_payload(e, a) ? NULL : "the message is no JSON, which an execution's input must be";
}

static void write(struct aws_request *r)
{
	const struct sk_sink_item *item = r->entry[0]->item;
	const struct aws_sink *s = r->sink;
	const char *prefix = sk_sink_text(item, "executionNamePrefix");
	cJSON *body = sk_json_object(r->arena);
	size_t n;

	sk_json_set_string(r->arena, body, "stateMachineArn", sk_printf(r->arena, "arn:aws%s:states:%s:%s:stateMachine:%s",
	                   strncmp(s->region, "cn-", 3) ? "" : "-cn", s->region, s->account, sk_sink_text(item, "stateMachineName")));
	sk_json_set_string(r->arena, body, "name", sk_printf(r->arena, "%s%s", prefix ? prefix : "", item->id));
	sk_json_set(r->arena, body, "input", sk_json_stringn(r->arena, item->payload, item->size));
	const char *text = sk_json_print(r->arena, body, &n);
	r->target = "StartExecution";
	if (text)
		sigv4_put(&r->body, text, n);
}

static bool mend(struct aws_request *r, const struct aws_fault *f)
{
	if (strcmp(f->code, "ExecutionAlreadyExists") == 0)
		aws_entry_ok(r->entry[0]);
	return false;
}

const struct aws_service aws_step_functions = {
	.name = AWS_STEPFUNCTIONS, .protocol = AWS_JSON, .signing = "states", .content_type = "application/x-amz-json-1.0", .prefix = "AWSStepFunctions",
	.resource = "stateMachineName", .most_items = 1, .most_bytes = 1 << 20, .prepare = prepare, .write = write, .mend = mend,
};
