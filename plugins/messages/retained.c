/* retained.c -- GetRetainedMessage and ListRetainedMessages: what a subscriber would get now. The broker itself is asked each time, on the slow
 * pool, since its answer takes a turn of its loop. */
#include "plugins/messages/messages.h"

#include <stdlib.h>
#include <string.h>

#include "core/properties.h"
#include "core/token.h"

#define OPS_FILE "plugins/messages/retained.ops"
#define OPS_GROUP retained
#define OPS_SERVICE "iotdata"
#include "core/ops_table.h"

enum { PAGE = 25 };

/* -- on the slow pool: {"answer":n, ...} -- */

static cJSON *answer_of(struct sk_arena *a, enum sk_retained_answer answer)
{
	cJSON *out = sk_json_object(a);

	sk_json_set_int(a, out, "answer", answer);
	return out;
}

/* [{"name":"value"},...] as its text in base64; nothing when there is none. */
static void put_users(struct sk_arena *a, cJSON *out, const struct sk_retained_message *m)
{
	struct sk_properties all = { .at = m->properties, .end = m->properties + m->properties_size };
	struct sk_property p;
	cJSON *list = sk_json_array(a);
	size_t n;

	while (sk_properties_next(&all, &p))
		if (p.id == SK_PROPERTY_USER_PROPERTY)
			sk_json_set(a, sk_json_append(list, sk_json_object(a)), sk_strndup(a, p.text, p.size), sk_json_stringn(a, p.value, p.value_size));
	const char *text = sk_json_count(list) ? sk_json_print(a, list, &n) : NULL;
	if (text)
		sk_json_set_string(a, out, "userProperties", messages_encode(a, text, n));
}

static void put_fact(struct sk_arena *a, cJSON *out, const char *topic, const struct sk_retained_fact *f)
{
	sk_json_set_string(a, out, "topic", topic);
	sk_json_set_int(a, out, "qos", f->qos > 1 ? 1 : f->qos);
	sk_json_set_int(a, out, "lastModifiedTime", f->modified_ms);
}

static cJSON *fetch(struct sk_arena *a, const cJSON *in, void *state)
{
	struct sk_retained *watched = atomic_load(&((struct messages_state *)state)->watched);
	const char *topic = sk_json_text(in, "topic");
	struct sk_retained_message m = { 0 };
	cJSON *out = answer_of(a, watched ? sk_retained_fetch(watched, topic, &m) : SK_RETAINED_NOT_NOW), *message;

	if (m.payload) {
		message = sk_json_set_object(a, out, "message");
		put_fact(a, message, topic, &m.fact);
		sk_json_set_string(a, message, "payload", messages_encode(a, m.payload, m.payload_size));
		put_users(a, message, &m);
	}
	free(m.payload);
	free(m.properties);
	return out;
}

static cJSON *list(struct sk_arena *a, const cJSON *in, void *state)
{
	struct sk_retained *watched = atomic_load(&((struct messages_state *)state)->watched);
	struct sk_retained_page *page = sk_alloc(a, sizeof(*page));
	enum sk_retained_answer answer = SK_RETAINED_NOT_NOW;

	if (page && watched)
		answer = sk_retained_list(watched, sk_json_text(in, "after"), (int)sk_json_int_of(in, "limit", PAGE), page);
	cJSON *out = answer_of(a, answer), *topics = sk_json_set_array(a, out, "topics");
	for (int i = 0; page && i < page->count; i++) {
		cJSON *one = sk_json_append(topics, sk_json_object(a));
		put_fact(a, one, page->entry[i].topic, &page->entry[i].fact);
		sk_json_set_int(a, one, "payloadSize", page->entry[i].fact.size);
	}
	if (page && page->next)
		sk_json_set_string(a, out, "next", page->next);
	if (watched)
		sk_json_set_int(a, out, "missed", (int64_t)sk_retained_missed(watched));
	if (page)
		sk_retained_page_free(page);
	return out;
}

/* -- handlers -- */

static int not_now(struct sk_call *c)
{
	const struct messages_state *s = c->state;

	if (!atomic_load(&s->watched))
		return sk_fail(c, SK_E_UNAVAILABLE, "Retained messages are not watched: plugin_opt_retained_listener of skeeter_messages says why");
	return sk_fail(c, SK_E_UNAVAILABLE, "The retained messages are being read");
}

/* Topics that begin with $ are the broker's and the services': nothing that is retained there is for clients. */
static enum sk_retained_answer ask(struct sk_call *c, const char *topic, const cJSON **message)
{
	const cJSON *answer = topic[0] == '$' ? NULL : sk_await(c, fetch, c->in);

	*message = sk_json_get(answer, "message");
	return (enum sk_retained_answer)sk_json_int_of(answer, "answer", topic[0] == '$' ? SK_RETAINED_NONE : SK_RETAINED_NOT_NOW);
}

static int GetRetainedMessage(struct sk_call *c)
{
	const char *topic = sk_json_text(c->in, "topic"), *fault = messages_topic_fault(topic);
	enum sk_retained_answer answer;
	const cJSON *message;

	if (fault)
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s", fault);
	answer = ask(c, topic, &message);
	if (sk_void(c))
		return SK_OK;
	switch (answer) {
	case SK_RETAINED_FOUND:
		c->out = sk_json_copy(c->arena, message);
		return SK_OK;
	case SK_RETAINED_NONE:
		return sk_fail(c, SK_E_NOT_FOUND, "No retained message exists for topic %s", topic);
	case SK_RETAINED_TOO_LARGE:
		return sk_fail(c, SK_E_INVALID_REQUEST, "The retained message is too large to be answered");
	default:
		return not_now(c);
	}
}

static int ListRetainedMessages(struct sk_call *c)
{
	const char *token = sk_json_text(c->in, "nextToken"), *after = token ? sk_token_read(c->arena, token) : NULL;
	cJSON *question = sk_json_object(c->arena);
	const cJSON *answer;

	if (token && !after)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid nextToken");
	sk_json_set_int(c->arena, question, "limit", sk_json_int_of(c->in, "maxResults", PAGE));
	if (after)
		sk_json_set_string(c->arena, question, "after", after);
	answer = sk_await(c, list, question);
	if (sk_void(c))
		return SK_OK;
	if (sk_json_int_of(answer, "answer", SK_RETAINED_NOT_NOW) != SK_RETAINED_FOUND)
		return not_now(c);
	if (sk_json_int_of(answer, "missed", 0))
		return sk_fail(c, SK_E_UNAVAILABLE, "There are more retained messages than plugin_opt_retained_topics");
	sk_json_set(c->arena, c->out, "retainedTopics", sk_json_copy(c->arena, sk_json_get(answer, "topics")));
	if (sk_json_text(answer, "next"))
		sk_json_set_string(c->arena, c->out, "nextToken", sk_token_of(c->arena, sk_json_text(answer, "next")));
	return SK_OK;
}
