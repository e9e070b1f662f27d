/* error_document.c -- what an error action is told: AWS's document of a message's failures, one for a rule and a message.
 *
 * https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html */
#include <ctype.h>

#include "core/base64.h"
#include "core/sink.h"
#include "rules/internal.h"

/* "The name of the action that failed to complete (for example, "S3Action")". */
static const char *action_name(struct sk_arena *a, const char *kind)
{
	char *name = sk_printf(a, "%sAction", kind);

	if (name)
		*name = (char)toupper((unsigned char)*name);
	return name;
}

static void add_failure(struct sk_arena *a, cJSON *list, const char *action, const char *resource, const char *message)
{
	cJSON *one = sk_json_append(list, sk_json_object(a));

	sk_json_set_string(a, one, "failedAction", action);
	sk_json_set_string(a, one, "failedResource", resource);
	sk_json_set_string(a, one, "errorMessage", message);
}

static cJSON *document(const struct rules_rule *r, const struct sql_message *m, struct sk_arena *a)
{
	cJSON *d = sk_json_object(a);

	sk_json_set_string(a, d, "ruleName", r->name);
	sk_json_set_string(a, d, "topic", m->topic);
	sk_json_set_string(a, d, "cloudwatchTraceId", sql_trace_id(m, a));
	sk_json_set_string(a, d, "clientId", m->client_id ? m->client_id : "N/A"); /* as clientid() */
	sk_json_set_string(a, d, "base64OriginalPayload", sk_base64_text(a, m->payload, m->size));
	return d;
}

/* As the rule has it, when what it was filled in with is nobody's business. */
static const char *resource_of(struct sk_arena *a, const struct rules_delivery *d)
{
	const char *resource = rules_resource(d->action->kind, d->action->secret ? d->action->fields : d->fields);

	return resource ? sk_sink_without_password(a, resource) : NULL;
}

/* The statement is no action: it is called by the event type that AWS's logs give it, and by the rule. */
static void add_failures(const struct rules_rule *r, const struct rules_delivery *failed, int n, const char *why, struct sk_arena *a, cJSON *list)
{
	for (int i = 0; i < n; i++)
		if (failed[i].error)
			add_failure(a, list, action_name(a, failed[i].action->kind->name), resource_of(a, &failed[i]), failed[i].error);
	if (!n)
		add_failure(a, list, "RuleExecution", r->name, why ? why : "");
}

int rules_evaluate_error(const struct rules_rule *r, const struct sql_message *m, const struct rules_delivery *failed, int n, const char *why,
                         struct sk_arena *a, struct rules_outcome *out)
{
	cJSON *d;

	*out = (struct rules_outcome){ .outcome = SQL_NO_MATCH };
	if (!r->error_action)
		return SK_OK;
	d = document(r, m, a);
	add_failures(r, failed, n, why, a, sk_json_set_array(a, d, "failures"));
	out->outcome = SQL_DOCUMENT;
	out->payload = sk_json_print(a, d, &out->size);
	return rules_deliver(r->error_action, 1, m, a, NULL, out);
}
