/* republish.c -- the fields of a republish to a message that may be published, or why it may not.
 *
 * A reserved topic is written with two dollars and has one when it is published; with one dollar, and of jobs, it is refused. All
 * that MQTT would not carry is refused here, so the publish itself cannot fail for what a rule or a payload says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/utf8.h"
#include "rules/internal.h"

/* AWS's limits. */
enum { MOST_PAYLOAD = 131072, MOST_TOPIC = 256, MOST_SLASHES = 7, MOST_USER_BYTES = 8192, MOST_USERS = 100, MOST_BINARY = 65535, MOST_SHOWN = 100 };

bool rules_is_republish(const struct rules_action *action)
{
	return strcmp(action->kind->name, "republish") == 0;
}

/* What a payload may have chosen, for an error that becomes a line of a log: the first characters, and no odd ones. */
static const char *shown(struct sk_arena *a, const char *text)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + strlen(text);
	char *out = sk_alloc_text(a, MOST_SHOWN + 1), *to = out;
	int n;

	for (; out && s < end; s += n ? n : 1) {
		char one[5] = "?";
		n = sk_utf8_length(s, end);
		if (n)
			memcpy(one, s, (size_t)n);
		if (n == 0 || !sk_utf8_is_text(one))
			strcpy(one, "?");
		if (to + strlen(one) > out + MOST_SHOWN)
			break;
		to = stpcpy(to, one);
	}
	if (out)
		*to = '\0';
	return out ? out : "";
}

/* -- topics -- */

/* "The first three segments of Basic Ingest topics ($aws/rules/rule-name) are not counted". */
static const char *counted_part(const char *topic)
{
	const char *rest = strncmp(topic, "$aws/rules/", 11) == 0 ? strchr(topic + 11, '/') : NULL;

	return rest ? rest + 1 : topic;
}

static int slashes(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += *s == '/';
	return n;
}

/* What any topic must be. */
static const char *topic_fault(const char *topic)
{
	const char *counted = counted_part(topic);

	if (!*topic)
		return "is empty";
	if (!sk_utf8_valid(topic, strlen(topic)) || !sk_utf8_is_text(topic))
		return "is not UTF-8, or holds a control character";
	if (strpbrk(topic, "+#"))
		return "holds a wildcard";
	if (strlen(counted) > MOST_TOPIC)
		return "is longer than 256 bytes";
	return slashes(counted) > MOST_SLASHES ? "has more than 7 slashes" : NULL;
}

/* $aws/things/THING/jobs and what is below. */
static bool is_of_jobs(const char *topic)
{
	const char *thing = strncmp(topic, "$aws/things/", 12) == 0 ? strchr(topic + 12, '/') : NULL;

	return thing && strncmp(thing, "/jobs", 5) == 0 && (thing[5] == '/' || thing[5] == '\0');
}

static const char *read_topic(const char *given, const char **topic)
{
	*topic = given && strncmp(given, "$$", 2) == 0 ? given + 1 : given;
	if (!given)
		return "is missing";
	if (*given == '$' && *topic == given)
		return "is reserved: it begins with $$aws/ if that is meant";
	if (**topic == '$' && strncmp(*topic, "$aws/", 5) != 0)
		return "is reserved: of topics with a dollar only those below $$aws/ are published to";
	if (is_of_jobs(*topic))
		return "is one of jobs, which rules may not publish to";
	return topic_fault(*topic);
}

/* -- headers: each may be NULL; a fault, or NULL -- */

struct reading {
	struct sk_arena *arena;
	bool secret; /* texts may be what get_secret() answered */
	struct sk_message *message;
};

static const char *read_format(struct reading *r, const char *text)
{
	r->message->utf8 = strcmp(text, "UTF8_DATA") == 0;
	return r->message->utf8 || strcmp(text, "UNSPECIFIED_BYTES") == 0 ? NULL : "is neither UNSPECIFIED_BYTES nor UTF8_DATA";
}

static bool is_text(const char *text)
{
	return sk_utf8_valid(text, strlen(text)) && sk_utf8_is_text(text);
}

static const char *read_content_type(struct reading *r, const char *text)
{
	r->message->content_type = text;
	return is_text(text) ? NULL : "is not UTF-8, holds a control character, or is longer than 65535 bytes";
}

static const char *read_response_topic(struct reading *r, const char *text)
{
	r->message->response_topic = text;
	return topic_fault(text);
}

/* "This binary data must be base64-encoded." */
static const char *read_correlation(struct reading *r, const char *text)
{
	size_t n = strlen(text);
	unsigned char *bytes = sk_alloc(r->arena, n + 1);
	long size = bytes ? sk_base64_decode(text, n, bytes) : 0;

	if (size < 0)
		return "is not base64";
	r->message->correlation = bytes;
	r->message->correlation_size = (size_t)size;
	return size > MOST_BINARY ? "is longer than 65535 bytes" : NULL;
}

static const char *read_expiry(struct reading *r, const char *text)
{
	char *end;
	unsigned long long seconds;

	errno = 0;
	seconds = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || seconds > UINT32_MAX)
		return "is no number of seconds from 0 to 4294967295";
	r->message->expiry_s = (uint32_t)seconds;
	return NULL;
}

static const struct {
	const char *name;
	const char *(*read)(struct reading *r, const char *text);
} headers[] = {
	{ "payloadFormatIndicator", read_format },   { "contentType", read_content_type }, { "responseTopic", read_response_topic },
	{ "correlationData", read_correlation },     { "messageExpiry", read_expiry },
};

static const char *read_users(struct reading *r, const cJSON *list)
{
	struct sk_user_property *user = sk_alloc(r->arena, MOST_USERS * sizeof *user);
	size_t bytes = 0;

	if (!cJSON_IsArray(list) || sk_json_count(list) > MOST_USERS)
		return "is no list of at most 100 properties";
	if (!user)
		return NULL;
	r->message->user = user;
	SK_JSON_EACH(one, list) {
		const char *key = sk_json_text(one, "key"), *value = sk_json_text(one, "value");
		if (!key || !value || !is_text(key) || !is_text(value))
			return "needs a key and a value in each, UTF-8 without control characters";
		bytes += strlen(key) + strlen(value);
		user[r->message->users++] = (struct sk_user_property){ key, value };
	}
	return bytes > MOST_USER_BYTES ? "has more than 8192 bytes" : NULL;
}

static const char *read_headers(struct reading *r, const cJSON *given)
{
	const cJSON *users = sk_json_get(given, "userProperties");
	const char *fault;

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const char *text = sk_json_text(given, headers[i].name);
		fault = text ? headers[i].read(r, text) : NULL;
		if (fault)
			return sk_printf(r->arena, "headers.%s %s: '%s'", headers[i].name, fault, r->secret ? "***" : shown(r->arena, text));
	}
	fault = users && !cJSON_IsNull(users) ? read_users(r, users) : NULL;
	return fault ? sk_printf(r->arena, "headers.userProperties %s", fault) : NULL;
}

static const char *read_fields(struct reading *r, const cJSON *fields, struct rules_republish *out)
{
	int64_t qos = sk_json_int_of(fields, "qos", 0);
	const char *fault = read_topic(sk_json_text(fields, "topic"), &out->topic);

	if (fault)
		return sk_printf(r->arena, "topic %s: '%s'", fault, r->secret ? "***" : shown(r->arena, out->topic ? out->topic : ""));
	if (qos != 0 && qos != 1)
		return "qos is neither 0 nor 1";
	out->qos = (int)qos;
	out->message.flags = qos ? SK_QOS1 : SK_QOS0;
	return read_headers(r, sk_json_get(fields, "headers"));
}

const char *rules_republish(const struct rules_delivery *d, struct sk_arena *a, struct rules_republish *out)
{
	struct reading r = { .arena = a, .secret = d->action && d->action->secret, .message = &out->message };
	const char *fault;

	*out = (struct rules_republish){ .qos = 0 };
	fault = read_fields(&r, d->fields, out);
	return a->failed ? "out of memory" : fault;
}

/* -- payloads -- */

const char *rules_payload_fault(struct sk_arena *a, const cJSON *fields, const struct rules_outcome *o)
{
	const char *format = sk_json_text(sk_json_get(fields, "headers"), "payloadFormatIndicator");

	if (o->size > MOST_PAYLOAD)
		return sk_printf(a, "the payload has %zu bytes, more than the %d that may be republished", o->size, MOST_PAYLOAD);
	if (format && strcmp(format, "UTF8_DATA") == 0 && !sk_utf8_valid(o->payload, o->size))
		return "the payload is not UTF-8, as headers.payloadFormatIndicator says";
	return NULL;
}
