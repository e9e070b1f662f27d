/* destinations_send.c -- the question whether a destination wants messages, on its way: an item of the lane of its URL, like what actions send.
 *
 * It is asked at least once, also when the broker is killed: the event that asks ends when the item is in the lane's file. */
#include "plugins/rules/destinations.h"

#include <errno.h>
#include <string.h>

#include "core/digest.h"
#include "plugins/rules/engine.h"
#include "plugins/rules/lane.h"

/* -- the message -- */

/* "HTTP POST {confirmationUrl}/?confirmationToken={confirmationToken}" */
static const char *url_with_token(struct sk_arena *a, const char *url, const char *token)
{
	size_t n = strlen(url);
	const char *between = strchr(url, '?') ? "&" : n && url[n - 1] == '/' ? "?" : "/?";

	return sk_printf(a, "%s%sconfirmationToken=%s", url, between, token);
}

static void add_header(struct sk_arena *a, cJSON *headers, const char *key, const char *value)
{
	cJSON *one = sk_json_append(headers, sk_json_object(a));

	sk_json_set_string(a, one, "key", key);
	sk_json_set_string(a, one, "value", value);
}

static cJSON *fields_of(struct sk_arena *a, const cJSON *in)
{
	cJSON *fields = sk_json_object(a), *headers;

	sk_json_set_string(a, fields, "url", url_with_token(a, sk_json_text(in, "url"), sk_json_text(in, "token")));
	headers = sk_json_set_array(a, fields, "headers");
	add_header(a, headers, "x-amz-rules-engine-message-type", "DestinationConfirmation");
	add_header(a, headers, "x-amz-rules-engine-destination-arn", sk_json_text(in, "arn"));
	add_header(a, headers, "Content-Type", "application/json");
	return fields;
}

static const char *body_of(struct sk_arena *a, const cJSON *in, size_t *size)
{
	const char *token = sk_json_text(in, "token"), *base = sk_json_text(in, "base");
	cJSON *body = sk_json_object(a);

	sk_json_set_string(a, body, "arn", sk_json_text(in, "arn"));
	sk_json_set_string(a, body, "confirmationToken", token);
	if (base)
		sk_json_set_string(a, body, "enableUrl", sk_printf(a, "%s/confirmdestination/%s", base, token));
	sk_json_set_string(a, body, "messageType", "DestinationConfirmation");
	return sk_json_print(a, body, size);
}

/* Its time, and what is the same when it is sent again. */
static const char *id_of(struct sk_arena *a, const cJSON *in)
{
	const char *token = sk_json_text(in, "token");
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1];

	sk_digest(token, strlen(token), hash);
	sk_hex(hash, sizeof hash, hex);
	return sk_printf(a, "%012llx%.20s", (unsigned long long)sk_json_int_of(in, "now", 0) & 0xffffffffffffULL, hex);
}

/* -- into the lane: on the slow pool -- */

cJSON *destination_send(struct sk_arena *a, const cJSON *in, void *state)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	const cJSON *fields = fields_of(a, in);
	struct lane_item item = { .action = LANE_ERROR_ACTION, .kind = "http", .secret = true, .message = "", .sink = { .rule = DESTINATION_RULE,
		.topic = sk_printf(a, "%s %s", sk_json_text(in, "destinationId"), sk_json_text(in, "token")), .time_ms = sk_json_int_of(in, "now", 0), .id = id_of(a, in) } };
	cJSON *out = sk_json_object(a);
	const char *why = NULL;
	struct lane *l;

	item.sink.payload = body_of(a, in, &item.sink.size);
	item.sink.field = sk_sink_flatten(fields, NULL, a, &item.sink.fields);
	if (a->failed)
		return NULL;
	l = lane_get(e->lanes, "http", fields, a, &why);
	sk_json_set_bool(a, out, "never", !l);
	if (l && lane_append(l, &item))
		why = errno == ENOSPC ? "its lane has no room" : strerror(errno);
	if (l)
		lane_put(l);
	sk_json_set_string(a, out, "why", why);
	return out;
}

static void tell_unsent(struct sk_call *c, const char *id, const char *token, const char *why)
{
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1];
	cJSON *event = sk_json_object(c->arena);

	sk_digest(token, strlen(token), hash);
	sk_hex(hash, sizeof hash, hex);
	sk_json_set_string(c->arena, event, "destinationId", id);
	sk_json_set_string(c->arena, event, "digest", hex);
	sk_json_set_string(c->arena, event, "why", why);
	sk_emit(c, DESTINATION_EVENT_UNSENT, event);
}

/* An event: in a partition of its own, since it waits for a disk. Failing, it is tried again. */
int destinations_on_confirm(struct sk_call *c)
{
	const struct rules_state *s = c->state;
	const char *id = sk_json_text(c->in, "destinationId"), *token = sk_json_text(c->in, "token"), *why;
	cJSON *in = sk_json_copy(c->arena, c->in);
	const cJSON *out;

	if (!sk_get(c, "registry/destination/%s", id) && !sk_void(c))
		return SK_OK;
	sk_json_set_string(c->arena, in, "arn", sk_arn(c, "ruledestination/http/%s", id));
	sk_json_set_string(c->arena, in, "base", s->confirm_url);
	sk_json_set_int(c->arena, in, "now", c->now_ms);
	out = sk_await(c, destination_send, in);
	if (sk_void(c))
		return SK_OK;
	why = sk_json_text(out, "why");
	if (why && sk_json_true(out, "never"))
		tell_unsent(c, id, token, why);
	else if (why || !cJSON_IsObject(out))
		return sk_fail(c, SK_E_UNAVAILABLE, "%s", why ? why : "memory is out");
	return SK_OK;
}

/* Its topic is the destination and the token, which whoever was asked may have sent back in his answer: it is told to nobody. */
int destinations_failed(struct sk_call *c, const struct sk_sink_item *item, const char *why)
{
	const char *space = strchr(item->topic, ' '), *token = space ? space + 1 : "", *echo = *token ? strstr(why, token) : NULL;

	if (*token)
		tell_unsent(c, sk_strndup(c->arena, item->topic, (size_t)(space - item->topic)), token,
		            echo ? sk_printf(c->arena, "%.*s***", (int)(echo - why), why) : why);
	return SK_OK;
}
