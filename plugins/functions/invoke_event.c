/* invoke_event.c -- asynchronous invocations: tried again when they fail, kept as dead letters when that does not help.
 *
 * An event is a partition of its own, invoke/<id>: nothing waits behind it. The first attempt is the handler of the durable event that asked for it; if it is
 * not the last one, invoke/<id>/event is {functionName, payload, attempts, tries, since (ms)} and a timer of that partition makes the next. attempts are
 * those in which the function has failed, tries all. Lambda's rules: two more attempts, one and two minutes later; what could not be begun (throttled, no
 * runner) is tried for as long as an event may be old, from one second to five minutes later, and counts for nothing. */
#include <string.h>

#include "plugins/functions/functions.h"
#include "plugins/functions/invoke.h"

enum { SECOND = 1000, DELAY_MOST = 300 * SECOND, RETRIES = 2, AGE_S = 21600 };

struct attempt {
	struct sk_call *c;
	const char *id, *function;
	const cJSON *payload;
	int64_t attempts, tries, since_ms;
	bool first;                     /* there is no record yet */
	struct invoked_answer answer;
	struct functions_found found;
	const cJSON *config;            /* of the function's events, or NULL */
};

/* -- where it goes -- */

static void text(const struct attempt *t, cJSON *to, const char *name, const char *value)
{
	sk_json_set_string(t->c->arena, to, name, value);
}

static cJSON *json_of(const struct attempt *t, const char *payload)
{
	struct sk_arena *a = t->c->arena;
	cJSON *json = payload ? sk_json_parse(a, payload, strlen(payload), NULL, NULL) : NULL;
	return json ? json : payload ? sk_json_string(a, payload) : sk_json_null(a);
}

/* What Lambda sends to a destination: developer guide, "Capturing records of Lambda asynchronous invocations". */
static cJSON *invocation_record(const struct attempt *t, const char *condition, bool failed)
{
	struct sk_arena *a = t->c->arena;
	cJSON *o = sk_json_object(a), *request, *response;
	text(t, o, "version", "1.0");
	text(t, o, "timestamp", functions_time(a, t->answer.ended_ms ? t->answer.ended_ms : t->c->now_ms));
	request = sk_json_set_object(a, o, "requestContext");
	text(t, request, "requestId", t->id);
	text(t, request, "functionArn", t->found.arn ? t->found.arn : t->function);
	text(t, request, "condition", condition);
	sk_json_set_int(a, request, "approximateInvokeCount", t->attempts + (failed ? 0 : 1));
	sk_json_set(a, o, "requestPayload", sk_json_copy(a, t->payload));
	if (!t->answer.version || !t->answer.payload)
		return o;
	response = sk_json_set_object(a, o, "responseContext");
	sk_json_set_int(a, response, "statusCode", 200);
	text(t, response, "executedVersion", t->answer.version);
	if (failed)
		text(t, response, "functionError", "Unhandled");
	sk_json_set(a, o, "responsePayload", json_of(t, t->answer.payload));
	return o;
}

/* A function is called with the record, a topic gets it. */
static bool send_to(const struct attempt *t, const char *arn, const cJSON *document)
{
	struct sk_call *c = t->c;
	const char *topic = arn && !strncmp(arn, "arn:aws:iot:", 12) ? strstr(arn, ":topic/") : NULL;
	if (topic) {
		sk_publish(c, SK_QOS1 | SK_DURABLE, document, "%s", topic + strlen(":topic/"));
		return true;
	}
	if (!arn || strncmp(arn, "arn:aws:lambda:", 15))
		return false;
	cJSON *event = sk_json_object(c->arena);
	text(t, event, "id", sk_uuid(c));
	text(t, event, "functionName", arn);
	sk_json_set(c->arena, event, "payload", sk_json_copy(c->arena, document));
	sk_emit(c, INVOKE_EVENT_LATER, event);
	return true;
}

static const char *destination(const struct attempt *t, const char *when)
{
	return sk_json_text(sk_json_get(sk_json_get(t->config, "DestinationConfig"), when), "Destination");
}

static void bury(const struct attempt *t, const char *condition, const char *why)
{
	struct sk_arena *a = t->c->arena;
	const char *queue = sk_json_text(sk_json_get(t->found.configuration, "DeadLetterConfig"), "TargetArn");
	bool sent = send_to(t, destination(t, "OnFailure"), invocation_record(t, condition, true));
	sent = send_to(t, queue, t->payload) || sent;
	if (sent)
		return;
	cJSON *letter = sk_json_object(a);
	text(t, letter, "id", t->id);
	text(t, letter, "functionName", t->found.name ? t->found.name : functions_bare_name(t->c, t->function));
	text(t, letter, "functionArn", t->found.arn ? t->found.arn : t->function);
	text(t, letter, "condition", condition);
	text(t, letter, "why", why);
	sk_json_set_int(a, letter, "attempts", t->attempts);
	sk_json_set_int(a, letter, "time", t->since_ms);
	sk_json_set(a, letter, "payload", sk_json_copy(a, t->payload));
	sk_emit(t->c, INVOKE_EVENT_DEAD, letter);
}

/* -- again, or the end -- */

static int end(const struct attempt *t)
{
	if (!t->first)
		sk_remove(t->c, "invoke/%s/event", t->id);
	return SK_OK;
}

static int give_up(const struct attempt *t, const char *condition, const char *why)
{
	bury(t, condition, why);
	return end(t);
}

static int again(struct attempt *t, int64_t delay_ms, const char *why)
{
	struct sk_call *c = t->c;
	int64_t now_ms = t->answer.ended_ms > c->now_ms ? t->answer.ended_ms : c->now_ms;
	int64_t age_ms = SECOND * sk_json_int_of(t->config, "MaximumEventAgeInSeconds", AGE_S);
	cJSON *record = sk_json_object(c->arena), *input = sk_json_object(c->arena);
	if (now_ms + delay_ms > t->since_ms + age_ms)
		return give_up(t, "EventAgeExceeded", why);
	text(t, record, "functionName", t->function);
	sk_json_set(c->arena, record, "payload", sk_json_copy(c->arena, t->payload));
	sk_json_set_int(c->arena, record, "attempts", t->attempts);
	sk_json_set_int(c->arena, record, "tries", t->tries + 1);
	sk_json_set_int(c->arena, record, "since", t->since_ms);
	sk_put(c, record, "invoke/%s/event", t->id);
	text(t, input, "id", t->id);
	sk_timer_set(c, "retry", now_ms + delay_ms, INVOKE_EVENT_RETRY, input);
	return SK_OK;
}

static int failed(struct attempt *t)
{
	const struct functions_state *s = t->c->state;
	const char *why = sk_json_text(json_of(t, t->answer.payload), "errorMessage");
	t->attempts++;
	if (t->attempts > sk_json_int_of(t->config, "MaximumRetryAttempts", RETRIES))
		return give_up(t, "RetriesExhausted", why ? why : "the function failed");
	return again(t, t->attempts * s->retry, why);
}

static int not_begun(struct attempt *t, const char *why)
{
	int64_t delay_ms = SECOND << (t->tries < 9 ? t->tries : 9);
	return again(t, delay_ms < DELAY_MOST ? delay_ms : DELAY_MOST, why);
}

static int done(struct attempt *t)
{
	send_to(t, destination(t, "OnSuccess"), invocation_record(t, "Success", false));
	return end(t);
}

static int try_it(struct attempt *t)
{
	struct invocation i = { .function = t->function, .request_id = t->id, .payload = sk_json_print(t->c->arena, t->payload, NULL), .waits = true };
	enum invoked what = i.payload ? invoke_function(t->c, &i, &t->answer) : INVOKED_LATER;
	if (what == INVOKED_LATER)
		return SK_OK;
	if (what == INVOKED_REFUSED)
		return give_up(t, "FunctionNotFound", t->c->message);
	functions_find(t->c, t->function, NULL, &t->found);
	t->config = functions_event_invoke(&t->found);
	switch (what) {
	case INVOKED_OK: return done(t);
	case INVOKED_FAILED: return failed(t);
	case INVOKED_THROTTLED: return not_begun(t, "Rate Exceeded.");
	default: return not_begun(t, t->answer.why);
	}
}

/* -- events -- */

int invoke_on_event(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "id");
	struct attempt t = { .c = c, .id = id, .function = sk_json_text(c->in, "functionName"), .payload = sk_json_get(c->in, "payload"), .since_ms = c->now_ms,
		.first = true };
	if (!id || !t.function)
		return sk_fail(c, SK_E_INVALID_REQUEST, "an event has id and functionName");
	if (sk_get(c, "invoke/%s/event", id))
		return SK_OK; /* its first attempt has been made, and the timer is set */
	t.payload = t.payload ? t.payload : sk_json_object(c->arena);
	return try_it(&t);
}

int invoke_on_retry(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "id");
	const cJSON *record = id ? sk_get(c, "invoke/%s/event", id) : NULL;
	struct attempt t = { .c = c, .id = id, .function = sk_json_text(record, "functionName"), .payload = sk_json_get(record, "payload"),
		.attempts = sk_json_int_of(record, "attempts", 0), .tries = sk_json_int_of(record, "tries", 0), .since_ms = sk_json_int_of(record, "since", 0) };
	return record && t.function && t.payload ? try_it(&t) : SK_OK;
}
