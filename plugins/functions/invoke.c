/* invoke.c -- see invoke.h. A function is found, asked for, and what it did is done with the call's commit. */
#include "plugins/functions/invoke.h"

#include <string.h>

#include "lua-rules/effects.h"
#include "plugins/functions/functions.h"
#include "plugins/functions/run.h"

#define OPS_FILE "plugins/functions/invoke.ops"
#define OPS_GROUP invoke
#define OPS_SERVICE "lambda"
#include "core/ops_table.h"

enum { EVENT_MOST = 1 << 20 }; /* bytes of an event: Lambda quotas, asynchronous invocation */

/* -- a question and its answer -- */

static void copy_text(struct sk_call *c, cJSON *to, const char *name, const cJSON *from, const char *member)
{
	sk_json_set_string(c->arena, to, name, sk_json_text(from, member));
}

static cJSON *question_of(struct sk_call *c, const struct invocation *i, const struct functions_found *f)
{
	struct sk_arena *a = c->arena;
	cJSON *q = sk_json_object(a);
	const cJSON *variables = sk_json_get(sk_json_get(f->configuration, "Environment"), "Variables");
	int64_t limit = functions_reserved(f);
	sk_json_set_string(a, q, "functionName", f->name);
	sk_json_set_string(a, q, "version", f->version);
	sk_json_set_string(a, q, "functionArn", f->arn);
	sk_json_set_string(a, q, "requestId", i->request_id);
	copy_text(c, q, "runtime", f->configuration, "Runtime");
	copy_text(c, q, "handler", f->configuration, "Handler");
	copy_text(c, q, "codeSha256", f->configuration, "codeSha256Hex");
	sk_json_set(a, q, "environment", variables ? sk_json_copy(a, variables) : sk_json_object(a));
	sk_json_set_int(a, q, "timeout", sk_json_int_of(f->configuration, "Timeout", 3));
	sk_json_set_int(a, q, "memorySize", sk_json_int_of(f->configuration, "MemorySize", 128));
	if (limit >= 0)
		sk_json_set_int(a, q, "limit", limit);
	if (i->client_context)
		sk_json_set_string(a, q, "clientContext", i->client_context);
	sk_json_set_bool(a, q, "waits", i->waits);
	sk_json_set_string(a, q, "payload", i->payload);
	return q;
}

static void publish_all(struct sk_call *c, const cJSON *list)
{
	SK_JSON_EACH(one, list) {
		struct sk_message m;
		const char *topic = lua_publish_read(c->arena, one, &m);
		sk_publish_message(c, &m, "%s", topic);
	}
}

enum invoked invoke_function(struct sk_call *c, const struct invocation *i, struct invoked_answer *answer)
{
	static const struct { const char *kind; enum invoked as; } kinds[] = {
		{ "ok", INVOKED_OK }, { "failed", INVOKED_FAILED }, { "throttled", INVOKED_THROTTLED }, { "unavailable", INVOKED_UNAVAILABLE }, { 0 }
	};
	struct functions_found f = { 0 };
	*answer = (struct invoked_answer){ .error = functions_find(c, i->function, i->qualifier, &f), .version = f.version };
	if (answer->error || sk_void(c))
		return sk_void(c) ? INVOKED_LATER : INVOKED_REFUSED;
	const cJSON *a = sk_await_ticket(c, run_ask, question_of(c, i, &f));
	const char *kind = sk_json_text(a, "kind");
	if (!kind)
		return INVOKED_LATER;
	answer->payload = sk_json_text(a, "payload");
	answer->log = sk_json_text(a, "log");
	answer->why = sk_json_text(a, "why");
	answer->ended_ms = sk_json_int_of(a, "endedAt", c->now_ms);
	answer->reserved = functions_reserved(&f) >= 0;
	publish_all(c, sk_json_get(a, "publish"));
	size_t k = 0;
	while (kinds[k].kind && strcmp(kinds[k].kind, kind))
		k++;
	return kinds[k].kind ? kinds[k].as : INVOKED_UNAVAILABLE;
}

/* -- Invoke -- */

/* "Rate Exceeded." and why: Lambda API, Invoke, TooManyRequestsException. */
static int throttled(struct sk_call *c, const struct invoked_answer *answer)
{
	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "Reason",
	                   answer->reserved ? "ReservedFunctionConcurrentInvocationLimitExceeded" : "ConcurrentInvocationLimitExceeded");
	return sk_fail(c, SK_E_TOO_MANY_REQUESTS, "Rate Exceeded.");
}

/* What came in as JSON text; NULL with *rc: it is none, or too much. Nothing is an empty object, as for Lambda's runtimes. */
static const char *payload_of(struct sk_call *c, const char *member, size_t most, int *rc)
{
	const cJSON *given = sk_json_get(c->in, member);
	const char *text = c->payload_size ? c->payload : given ? sk_json_print(c->arena, given, NULL) : "{}";
	size_t size = c->payload_size ? c->payload_size : text ? strlen(text) : 0;
	struct sk_json_error wrong = { 0 };
	*rc = SK_OK;
	if (size > most)
		*rc = sk_fail(c, SK_E_REQUEST_TOO_LARGE, "Request must be smaller than %zu bytes for the InvokeFunction operation", most);
	else if (c->payload_size && !sk_json_parse(c->arena, text, size, NULL, &wrong))
		*rc = sk_fail(c, SK_E_INVALID_CONTENT, "Could not parse request body into json: %s", wrong.why);
	return *rc ? NULL : text;
}

/* Over HTTP the body as the function gave it; elsewhere JSON where it is. */
static void set_payload(struct sk_call *c, const char *payload)
{
	const cJSON *json = c->caller->kind != SK_HTTP ? sk_json_parse(c->arena, payload, strlen(payload), NULL, NULL) : NULL;
	sk_json_set(c->arena, c->out, "Payload", json ? (cJSON *)json : sk_json_string(c->arena, payload));
}

static int answer_invoke(struct sk_call *c, enum invoked what, const struct invoked_answer *answer)
{
	const char *log_type = sk_json_text(c->in, "LogType");
	if (what == INVOKED_LATER)
		return SK_OK;
	if (what == INVOKED_REFUSED)
		return answer->error;
	if (what == INVOKED_THROTTLED)
		return throttled(c, answer);
	if (what == INVOKED_UNAVAILABLE)
		return sk_fail(c, SK_E_SERVICE, "%s", answer->why ? answer->why : "The function cannot be run");
	sk_json_set_int(c->arena, c->out, "StatusCode", 200);
	if (what == INVOKED_FAILED)
		sk_json_set_string(c->arena, c->out, "FunctionError", "Unhandled");
	sk_json_set_string(c->arena, c->out, "ExecutedVersion", answer->version);
	if (answer->log && log_type && !strcmp(log_type, "Tail"))
		sk_json_set_string(c->arena, c->out, "LogResult", answer->log);
	if (answer->payload)
		set_payload(c, answer->payload);
	return SK_OK;
}

/* The event that Invoke and InvokeAsync leave behind: its handler in invoke_event.c does the rest. */
static int later(struct sk_call *c, const struct functions_found *f, const char *payload)
{
	cJSON *event = sk_json_object(c->arena);
	sk_json_set_string(c->arena, event, "id", sk_uuid(c));
	sk_json_set_string(c->arena, event, "functionName", f->arn);
	sk_json_set(c->arena, event, "payload", sk_json_parse(c->arena, payload, strlen(payload), NULL, NULL));
	sk_emit(c, INVOKE_EVENT_LATER, event);
	sk_json_set_int(c->arena, c->out, "StatusCode", 202);
	return SK_OK;
}

static int Invoke(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "InvocationType"), *name = sk_json_text(c->in, "FunctionName"), *qualifier = sk_json_text(c->in, "Qualifier");
	bool event = type && !strcmp(type, "Event");
	struct functions_found f;
	struct invoked_answer answer;
	int rc = functions_find(c, name, qualifier, &f);
	const char *payload = rc ? NULL : payload_of(c, "Payload", event ? EVENT_MOST : RUN_PAYLOAD_MOST, &rc);
	if (!payload)
		return rc;
	if (type && !strcmp(type, "DryRun")) {
		sk_json_set_int(c->arena, c->out, "StatusCode", 204);
		return SK_OK;
	}
	if (event)
		return later(c, &f, payload);
	struct invocation i = { .function = name, .qualifier = qualifier, .request_id = sk_uuid(c), .payload = payload };
	enum invoked what = invoke_function(c, &i, &answer);
	return answer_invoke(c, what, &answer);
}

/* The old way of InvocationType Event. */
static int InvokeAsync(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	const char *payload = rc ? NULL : payload_of(c, "InvokeArgs", EVENT_MOST, &rc);
	if (!payload)
		return rc;
	rc = later(c, &f, payload);
	sk_json_remove(c->out, "StatusCode");
	sk_json_set_int(c->arena, c->out, "Status", 202);
	return rc;
}

/* -- who asks inside -- */

static int find_and_leave(struct sk_call *c, const struct invocation *i)
{
	struct functions_found f;
	int rc = functions_find(c, i->function, i->qualifier, &f);
	return rc ? rc : later(c, &f, i->payload);
}

/* Rules' aws_lambda() and lambda action; authorizers and hooks later. */
int invoke_on_invoke(struct sk_call *c)
{
	const cJSON *payload = sk_json_get(c->in, "payload");
	struct invocation i = { .function = sk_json_text(c->in, "functionName"), .qualifier = sk_json_text(c->in, "qualifier"), .request_id = sk_uuid(c),
		.payload = payload ? sk_json_print(c->arena, payload, NULL) : "{}" };
	struct invoked_answer answer;
	const char *type = sk_json_text(c->in, "invocationType");
	if (!i.function || !i.payload)
		return sk_fail(c, SK_E_INVALID_REQUEST, "functionName is missing");
	if (type && !strcmp(type, "Event"))
		return find_and_leave(c, &i);
	switch (invoke_function(c, &i, &answer)) {
	case INVOKED_LATER: return SK_OK;
	case INVOKED_REFUSED: return answer.error;
	case INVOKED_THROTTLED: return sk_fail(c, SK_E_THROTTLING, "Rate Exceeded.");
	case INVOKED_UNAVAILABLE: return sk_fail(c, SK_E_UNAVAILABLE, "%s", answer.why ? answer.why : "the function cannot be run");
	case INVOKED_FAILED: return sk_fail(c, SK_E_SERVICE, "function %s failed: %s", i.function, answer.payload ? answer.payload : "without a word");
	case INVOKED_OK: break;
	}
	if (answer.payload)
		sk_json_set(c->arena, c->out, "payload", sk_json_parse(c->arena, answer.payload, strlen(answer.payload), NULL, NULL));
	return SK_OK;
}
