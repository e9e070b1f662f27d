/* call_effects.c -- what a handler sends on its way. Volatile effects wait in the slot, durable ones are records of the same
 * commit; neither leaves before the commit is durable. */
#include "core/call_internal.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "core/properties.h"

static void add_effect(struct sk_call *c, struct sk_slot_effect effect)
{
	struct sk_slot *s = sk_slot_of(c);
	if (sk_void(c))
		return;
	struct sk_slot_effect *e = sk_alloc(c->arena, sizeof *e);
	if (!e)
		return;
	*e = effect;
	*s->effects_tail = e;
	s->effects_tail = &e->next;
}

void sk_publish(struct sk_call *c, enum sk_publish_flags flags, const cJSON *document, const char *fmt, ...)
{
	if (sk_void(c))
		return;
	va_list ap;
	va_start(ap, fmt);
	const char *topic = sk_vprintf(c->arena, fmt, ap);
	va_end(ap);
	size_t n = 0;
	const char *text = sk_json_print(c->arena, document, &n);
	if (text)
		sk_call_publish(c, (int)flags, text, n, topic);
	else
		c->arena->failed = true;
}

void sk_publish_bytes(struct sk_call *c, enum sk_publish_flags flags, const void *payload, size_t n, const char *fmt, ...)
{
	if (sk_void(c))
		return;
	va_list ap;
	va_start(ap, fmt);
	const char *topic = sk_vprintf(c->arena, fmt, ap);
	va_end(ap);
	const char *copy = sk_strndup(c->arena, payload ? payload : "", n);
	if (copy)
		sk_call_publish(c, (int)flags, copy, n, topic);
}

void sk_publish_message(struct sk_call *c, const struct sk_message *m, const char *fmt, ...)
{
	struct sk_slot_effect e = { .kind = SK_OUT_PUBLISH, .flags = (int)(m->flags & ~SK_DURABLE), .size = m->size };
	va_list ap;
	if (sk_void(c))
		return;
	va_start(ap, fmt);
	e.topic = sk_vprintf(c->arena, fmt, ap);
	va_end(ap);
	e.payload = sk_strndup(c->arena, m->payload ? m->payload : "", m->size);
	e.properties = sk_properties_write(c->arena, m, &e.properties_size);
	if (e.topic && e.payload && !c->arena->failed)
		add_effect(c, e);
}

void sk_reply(struct sk_call *c, const cJSON *document, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *topic = sk_vprintf(c->arena, fmt, ap);
	va_end(ap);
	size_t n = 0;
	const char *text = sk_void(c) ? NULL : sk_json_print(c->arena, document, &n);
	if (text && topic)
		add_effect(c, (struct sk_slot_effect){ .kind = SK_OUT_REPLY, .flags = SK_QOS1, .topic = topic, .payload = text, .size = n });
}

void sk_kick(struct sk_call *c, const char *username, const char *client_id, const char *why)
{
	const char *text = sk_strdup(c->arena, why ? why : "");
	add_effect(c, (struct sk_slot_effect){ .kind = SK_OUT_KICK, .topic = sk_strdup(c->arena, username),
	           .client_id = sk_strdup(c->arena, client_id), .payload = text, .size = text ? strlen(text) : 0 });
}

/* -- durable -- */

/* depth: how many publishes of ours led to the calls that the event makes. */
static void emit(struct sk_call *c, const char *event, cJSON *input, int depth)
{
	struct sk_slot *s = sk_slot_of(c);
	unsigned char id[12];
	size_t n;
	if (sk_void(c))
		return;
	sk_random(c, id, sizeof id);
	cJSON *record = sk_json_object(c->arena);
	sk_json_set_string(c->arena, record, "event", event);
	sk_json_set_int(c->arena, record, "depth", depth);
	sk_json_set(c->arena, record, "input", input ? sk_json_copy(c->arena, input) : sk_json_object(c->arena));
	const char *text = sk_json_print(c->arena, record, &n);
	struct sk_emitted *e = sk_alloc(c->arena, sizeof *e);
	uint64_t high, low = 0;
	memcpy(&high, id, 8);
	memcpy(&low, id + 8, 4);
	const char *self = s->run->worker->rt->store->self; /* "" where the store is one process's own */
	char *key = sk_printf(c->arena, "%s/%s%s%016" PRIx64 "%08" PRIx64, c->home, self, *self ? "-" : "", high, low);
	if (!text || !e || !key)
		return;
	*e = (struct sk_emitted){ .next = s->emitted, .key = key, .event = sk_strdup(c->arena, event), .input = text };
	s->emitted = e;
	sk_call_write(c, SK_EFFECT, key, text, n);
}

void sk_emit(struct sk_call *c, const char *event, cJSON *input)
{
	emit(c, event, input, sk_slot_of(c)->request->depth + 1);
}

/* The publish comes from one call more, which is not one more on the way. */
static void publish_durably(struct sk_call *c, int flags, const void *payload, size_t n, const char *topic)
{
	cJSON *in = sk_json_object(c->arena);
	char *base64 = sk_alloc_text(c->arena, (n + 2) / 3 * 4 + 1);
	if (!base64)
		return;
	EVP_EncodeBlock((unsigned char *)base64, payload, (int)n);
	sk_json_set_string(c->arena, in, "topic", topic);
	sk_json_set_int(c->arena, in, "flags", flags & ~SK_DURABLE);
	sk_json_set_string(c->arena, in, "payload", base64);
	emit(c, SK_EVENT_PUBLISH, in, sk_slot_of(c)->request->depth);
}

void sk_call_publish(struct sk_call *c, int flags, const void *payload, size_t n, const char *topic)
{
	if (!topic || sk_void(c))
		return;
	if (flags & SK_DURABLE)
		publish_durably(c, flags, payload, n, topic);
	else
		add_effect(c, (struct sk_slot_effect){ .kind = SK_OUT_PUBLISH, .flags = flags, .topic = topic, .payload = payload, .size = n });
}

/* The truth about a timer is its record; the hint only says when to look. Both change in one commit. */
static char *hint_key(struct sk_call *c, int64_t due_ms, const char *name, uint64_t generation)
{
	char *key = sk_printf(c->arena, "%016" PRIx64 "/%s/%s/%" PRIx64, (uint64_t)(due_ms < 0 ? 0 : due_ms), c->home, name, generation);
	if (!key || strlen(key) <= SK_KEY_MAX)
		return key;
	sk_slot_poison(sk_slot_of(c), "a timer's name is too long");
	return NULL;
}

void sk_call_clear_hint(struct sk_call *c, const char *name, const cJSON *record)
{
	int64_t due = sk_json_int_of(record, "due", 0), generation = sk_json_int_of(record, "generation", 0);
	char *key = hint_key(c, due, name, (uint64_t)generation);
	if (key && record && !sk_void(c)) {
		if (sk_run_add_write(sk_slot_of(c)->run, SK_TIMER, key, NULL))
			c->arena->failed = true;
	}
}

void sk_timer_set(struct sk_call *c, const char *name, int64_t due_ms, const char *event, cJSON *input)
{
	struct sk_slot *s = sk_slot_of(c);
	const cJSON *old = sk_get(c, "%s/~timer/%s", c->home, name);
	uint64_t generation;
	sk_random(c, &generation, sizeof generation);
	generation >>= 12; /* exact in every JSON reader */
	sk_call_clear_hint(c, name, old);
	cJSON *record = sk_json_object(c->arena);
	sk_json_set_int(c->arena, record, "due", due_ms);
	sk_json_set_int(c->arena, record, "generation", (int64_t)generation);
	sk_json_set_string(c->arena, record, "event", event);
	sk_json_set(c->arena, record, "input", input ? sk_json_copy(c->arena, input) : sk_json_object(c->arena));
	sk_put(c, record, "%s/~timer/%s", c->home, name);
	char *key = hint_key(c, due_ms, name, generation);
	struct sk_pending_timer *t = sk_alloc(c->arena, sizeof *t);
	struct sk_bytes *hint = sk_bytes_new("{}", 2);
	if (!key || !t || !hint || sk_void(c)) {
		c->arena->failed = c->arena->failed || !hint;
		sk_bytes_unref(hint);
		return;
	}
	*t = (struct sk_pending_timer){ .next = s->timers, .due_ms = due_ms, .generation = generation, .name = sk_strdup(c->arena, name) };
	s->timers = t;
	if (sk_run_add_write(s->run, SK_TIMER, key, hint))
		c->arena->failed = true;
}

void sk_timer_clear(struct sk_call *c, const char *name)
{
	const cJSON *old = sk_get(c, "%s/~timer/%s", c->home, name);
	if (!old)
		return;
	sk_call_clear_hint(c, name, old);
	sk_remove(c, "%s/~timer/%s", c->home, name);
}

/* -- slow work -- */

static const cJSON *slow_answer(struct sk_call *c, const struct sk_slow_result *r)
{
	const cJSON *answer = r->answer ? sk_json_parse(c->arena, r->answer->data, r->answer->size, NULL, NULL) : NULL;
	if (!answer)
		c->arena->failed = true;
	return answer;
}

/* A rerun may ask something else than the run before it: an answer counts only in its place and for its question. */
static const cJSON *await(struct sk_call *c, const cJSON *in, struct sk_wanted_slow want)
{
	struct sk_slot *s = sk_slot_of(c);
	const struct sk_slow_result *r = s->request->slow;
	want.place = s->awaits_used++;
	want.size = strlen("null");
	want.in = in ? sk_json_print(c->arena, in, &want.size) : "null";
	for (unsigned i = 0; r && i < want.place; i++)
		r = r->next;
	if (!want.in)
		c->arena->failed = true;
	else if (r && r->fn == want.fn && r->ask == want.ask && r->size == want.size && !memcmp(r->in, want.in, want.size))
		return slow_answer(c, r);
	else if (!sk_void(c)) {
		s->wanted_slow = want;
		s->waiting = true;
	}
	return NULL;
}

const cJSON *sk_await(struct sk_call *c, sk_slow *fn, const cJSON *in)
{
	return await(c, in, (struct sk_wanted_slow){ .fn = fn });
}

const cJSON *sk_await_ticket(struct sk_call *c, sk_asker *ask, const cJSON *in)
{
	return await(c, in, (struct sk_wanted_slow){ .ask = ask });
}
