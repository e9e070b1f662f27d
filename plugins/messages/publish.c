/* publish.c -- Publish: a message that comes by HTTP or $CONTROL goes the way of a client's, to subscribers, services and rules.
 *
 * Of topics that begin with $ only those below $aws/ are taken that a service takes; as over MQTT, nothing is retained there. */
#include "plugins/messages/messages.h"

#include <string.h>

#include "core/utf8.h"

#define OPS_FILE "plugins/messages/publish.ops"
#define OPS_GROUP publish
#define OPS_SERVICE "iotdata"
#include "core/ops_table.h"

enum { USERS_MOST = 100, USERS_BYTES = 8192 };

static int invalid(struct sk_call *c, const char *what)
{
	return sk_fail(c, SK_E_INVALID_REQUEST, "%s", what);
}

static int check_topic(struct sk_call *c, const char *topic)
{
	const struct messages_state *s = c->state;
	const char *fault = messages_topic_fault(topic);

	if (!fault && topic[0] == '$' && (strncmp(topic, "$aws/", 5) || !s->is_input(topic)))
		fault = "No service takes messages on this topic";
	return fault ? invalid(c, fault) : SK_OK;
}

/* The body, or base64 as an SDK's blob is written elsewhere. */
static int read_payload(struct sk_call *c, struct sk_message *m)
{
	const struct messages_state *s = c->state;
	const char *base64 = sk_json_text(c->in, "payload"), *indicator = sk_json_text(c->in, "payloadFormatIndicator");

	m->payload = c->payload ? c->payload : "";
	m->size = c->payload ? c->payload_size : 0;
	if (!c->payload && base64)
		m->payload = messages_decode(c->arena, base64, &m->size);
	if (!m->payload)
		return invalid(c, "The payload is not base64");
	if (m->size > (size_t)s->publish_size)
		return sk_fail(c, SK_E_TOO_LARGE, "The payload has %zu bytes, more than %zu", m->size, (size_t)s->publish_size);
	m->utf8 = indicator && !strcmp(indicator, "UTF8_DATA");
	return m->utf8 && !sk_utf8_valid(m->payload, m->size) ? invalid(c, "The payload is not UTF-8, as payloadFormatIndicator says") : SK_OK;
}

/* -- user properties: [{"name":"value"}, ...], "you must encode the JSON string to base64 before adding it to the HTTP header" -- */

/* What a text holds: JSON, or base64 of it; NULL: neither. */
static const cJSON *inside(struct sk_call *c, const char *text)
{
	const cJSON *json = sk_json_parse(c->arena, text, strlen(text), NULL, NULL);
	size_t n = 0;
	const unsigned char *decoded = json ? NULL : messages_decode(c->arena, text, &n);

	return decoded ? sk_json_parse(c->arena, (const char *)decoded, n, NULL, NULL) : json;
}

/* An SDK that is given the array as text makes a JSON string of it, and base64 of that. */
static const cJSON *user_properties(struct sk_call *c)
{
	const cJSON *list = sk_json_get(c->in, "userProperties");

	for (int i = 0; i < 2 && cJSON_IsString(list); i++)
		list = inside(c, list->valuestring);
	return list;
}

static bool take_pairs(const cJSON *object, struct sk_user_property *user, size_t *n, size_t *bytes)
{
	if (!cJSON_IsObject(object))
		return false;
	SK_JSON_EACH(pair, object) {
		if (*n == USERS_MOST || !cJSON_IsString(pair) || !sk_utf8_is_text(pair->string) || !sk_utf8_is_text(pair->valuestring))
			return false;
		user[*n] = (struct sk_user_property){ pair->string, pair->valuestring };
		*bytes += strlen(pair->string) + strlen(pair->valuestring);
		(*n)++;
	}
	return *bytes <= USERS_BYTES;
}

static int read_users(struct sk_call *c, struct sk_message *m)
{
	struct sk_user_property *user = sk_alloc(c->arena, USERS_MOST * sizeof(*user));
	const cJSON *list = user_properties(c);
	size_t bytes = 0;

	if (!sk_json_get(c->in, "userProperties") || !user)
		return SK_OK;
	if (!cJSON_IsArray(list))
		return invalid(c, "userProperties is not a JSON array of objects");
	m->user = user;
	SK_JSON_EACH(object, list)
		if (!take_pairs(object, user, &m->users, &bytes))
			return invalid(c, "userProperties has names with texts, without control characters, at most 100 and 8192 bytes of them");
	return SK_OK;
}

static int read_properties(struct sk_call *c, struct sk_message *m)
{
	/* A command of $CONTROL has a member of that name, which is the envelope's. */
	const char *correlation = c->caller->kind == SK_OPERATOR ? NULL : sk_json_text(c->in, "correlationData");
	int64_t expiry = sk_json_int_of(c->in, "messageExpiry", 0);

	m->content_type = sk_json_text(c->in, "contentType");
	m->response_topic = sk_json_text(c->in, "responseTopic");
	if (m->response_topic && messages_topic_fault(m->response_topic))
		return invalid(c, "responseTopic is no topic to publish to");
	if (m->content_type && !sk_utf8_is_text(m->content_type))
		return invalid(c, "contentType holds a control character, or is longer than 65535 bytes");
	if (expiry < 0 || expiry > UINT32_MAX)
		return invalid(c, "messageExpiry is not a number of seconds");
	m->expiry_s = (uint32_t)expiry;
	if (correlation && !(m->correlation = messages_decode(c->arena, correlation, &m->correlation_size)))
		return invalid(c, "correlationData is not base64");
	if (m->correlation_size > UINT16_MAX)
		return invalid(c, "correlationData is longer than 65535 bytes");
	return read_users(c, m);
}

static int Publish(struct sk_call *c)
{
	const char *topic = sk_json_text(c->in, "topic");
	bool retain = cJSON_IsTrue(sk_json_get(c->in, "retain")) && topic[0] != '$';
	struct sk_message m = { .flags = (sk_json_int_of(c->in, "qos", 0) ? SK_QOS1 : SK_QOS0) | (retain ? SK_RETAIN : 0) };
	int rc = check_topic(c, topic);

	rc = rc ? rc : read_payload(c, &m);
	rc = rc ? rc : read_properties(c, &m);
	if (rc)
		return rc;
	sk_publish_message(c, &m, "%s", topic);
	sk_json_set_string(c->arena, c->out, "message", "OK");
	sk_json_set_string(c->arena, c->out, "traceId", sk_uuid(c));
	return SK_OK;
}
