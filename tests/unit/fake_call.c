/* fake_call.c -- every function of core/call.h, over the lists of fake_call_private.h. */
#include "tests/unit/fake_call_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/properties.h"

static struct fake_private *of(const struct sk_call *c)
{
	return (struct fake_private *)c;
}

static struct fake_effect *effect_add(struct sk_call *c, enum fake_kind kind, const char *name, const char *text, size_t n)
{
	struct fake_effect **last = &of(c)->f->effects, *e = fake_must(calloc(1, sizeof(*e)));
	char *copy = fake_must(calloc(1, n + 1));

	if (n)
		memcpy(copy, text, n);
	while (*last)
		last = &(*last)->next;
	e->kind = kind;
	e->name = fake_must(strdup(name ? name : ""));
	e->text = copy;
	e->size = n;
	return *last = e;
}

/* A formatted key. Not the arena's, so that a key is whole even when the arena has failed. */
#define FORMAT_KEY(key, fmt) \
	char key[2048]; \
	do { \
		va_list ap_; \
		va_start(ap_, fmt); \
		if (vsnprintf(key, sizeof(key), fmt, ap_) >= (int)sizeof(key)) \
			fake_die("key too long", key); \
		va_end(ap_); \
	} while (0)

static bool is_known(struct sk_call *c, const char *key)
{
	struct fake_private *p = of(c);

	if (p->f->no_misses || fake_list_find(p->known, key))
		return true;
	fake_list_set(&p->known, key, NULL, 0);
	p->is_void = true;
	return false;
}

static const cJSON *hand_out(struct sk_call *c, const char *key, const char *text)
{
	struct node *n = fake_list_find(of(c)->docs, key);

	if (n && !strcmp(n->text, text))
		return n->doc;
	cJSON *doc = sk_json_parse(c->arena, text, strlen(text), NULL, NULL);
	if (!n)
		fake_list_set(&of(c)->docs, key, text, 0)->doc = doc; /* a later text of our own put is not watched */
	return doc;
}

const cJSON *sk_get(struct sk_call *c, const char *key, ...)
{
	FORMAT_KEY(k, key);
	struct node *n = fake_list_find(of(c)->writes, k);

	if (!n && !is_known(c, k))
		return NULL;
	if (!n)
		n = fake_list_find(of(c)->records, k);
	return n && n->text ? hand_out(c, k, n->text) : NULL;
}

uint64_t sk_version(struct sk_call *c, const char *key, ...)
{
	FORMAT_KEY(k, key);
	struct node *n = NULL;

	if (fake_list_find(of(c)->writes, k))
		return UINT64_MAX;
	if (is_known(c, k))
		n = fake_list_find(of(c)->records, k);
	return n ? n->version : 0;
}

uint64_t sk_event_version(struct sk_call *c)
{
	return of(c)->f->event_version;
}

static void write_record(struct sk_call *c, const char *key, const char *text)
{
	size_t n = strlen(c->home);

	if (of(c)->read_only || c->refused)
		fake_misuse(c, "a write in a read-only call", key);
	else if (strncmp(key, c->home, n) || key[n] != '/')
		fake_misuse(c, "a write outside of the home partition", key);
	else
		fake_list_set(&of(c)->writes, key, text, 0);
}

void sk_put(struct sk_call *c, const cJSON *document, const char *key, ...)
{
	FORMAT_KEY(k, key);
	const char *text = sk_json_print(c->arena, document, NULL);

	if (text)
		write_record(c, k, text);
	else if (!c->arena->failed)
		fake_misuse(c, "sk_put of NULL", k);
}

void sk_remove(struct sk_call *c, const char *key, ...)
{
	FORMAT_KEY(k, key);
	write_record(c, k, NULL);
}

static struct sk_scan scan(struct sk_call *c, size_t limit, const char *after, const char *prefix)
{
	struct sk_scan s = { 0 };
	struct node *view = NULL, *n;
	size_t size = strlen(prefix);
	struct sk_row_of_scan *rows = sk_alloc(c->arena, (limit ? limit : 1) * sizeof(*rows));

	fake_list_apply(&view, of(c)->records, 0);
	fake_list_apply(&view, of(c)->writes, 0);
	for (n = view; n && rows; n = n->next) {
		const char *name = n->key + size;
		if (strncmp(n->key, prefix, size) || (after && strcmp(name, after) <= 0))
			continue;
		if (s.count == limit) {
			s.next = s.count ? rows[s.count - 1].name : after;
			break;
		}
		rows[s.count].document = hand_out(c, n->key, n->text);
		rows[s.count++].name = sk_strdup(c->arena, name);
	}
	s.row = rows;
	fake_list_free(&view);
	return c->arena->failed ? (struct sk_scan){ 0 } : s;
}

/* A scan's place among the known keys: a prefix and where it starts. */
static bool scan_is_known(struct sk_call *c, const char *prefix, const char *after)
{
	char name[4096];

	snprintf(name, sizeof(name), "scan %s after %s", prefix, after ? after : "");
	return is_known(c, name);
}

struct sk_scan sk_scan(struct sk_call *c, size_t limit, const char *after, const char *prefix, ...)
{
	FORMAT_KEY(k, prefix);
	return scan_is_known(c, k, after) ? scan(c, limit, after, k) : (struct sk_scan){ 0 };
}

/* Tokens of the fake are "t" and the name in hexadecimal. */
static char *token_encode(struct sk_arena *a, const char *name)
{
	char *token = sk_alloc_text(a, strlen(name) * 2 + 2);

	if (!token)
		return NULL;
	strcpy(token, "t");
	for (size_t i = 0; name[i]; i++)
		sprintf(token + 1 + 2 * i, "%02x", (unsigned char)name[i]);
	return token;
}

static char *token_decode(struct sk_arena *a, const char *token)
{
	size_t n = strlen(token) / 2;
	char *name = sk_alloc_text(a, n + 1);

	if (!name || *token != 't' || strlen(token) % 2 == 0 || strspn(token + 1, "0123456789abcdef") != 2 * n)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned byte;
		sscanf(token + 1 + 2 * i, "%2x", &byte);
		name[i] = (char)byte;
	}
	name[n] = 0;
	return name;
}

struct sk_scan sk_scan_page(struct sk_call *c, int *rc, const char *prefix, ...)
{
	FORMAT_KEY(k, prefix);
	bool marks = sk_json_get(c->in, "pageSize") || sk_json_get(c->in, "marker");
	int64_t limit = sk_json_int_of(c->in, marks ? "pageSize" : "maxResults", 25);
	const char *token = sk_json_text(c->in, marks ? "marker" : "nextToken"), *after = NULL;

	*rc = SK_OK;
	if (token && !(after = token_decode(c->arena, token))) {
		*rc = sk_fail(c, SK_E_INVALID_REQUEST, "Invalid %s", marks ? "marker" : "nextToken");
		return (struct sk_scan){ 0 };
	}
	if (!scan_is_known(c, k, after))
		return (struct sk_scan){ 0 };
	struct sk_scan s = scan(c, (size_t)(limit < 1 ? 1 : limit > 250 ? 250 : limit), after, k);
	if (s.next)
		sk_json_set_string(c->arena, c->out, marks ? "nextMarker" : "nextToken", token_encode(c->arena, s.next));
	return s;
}

/* An effect whose text is a document; none if the arena has failed, the call will fail anyway. */
static struct fake_effect *effect_document(struct sk_call *c, enum fake_kind kind, const char *name, const cJSON *document)
{
	size_t n = 0;
	const char *text = document ? sk_json_print(c->arena, document, &n) : "";

	return text ? effect_add(c, kind, name, text, n) : NULL;
}

void sk_publish(struct sk_call *c, enum sk_publish_flags flags, const cJSON *document, const char *topic, ...)
{
	FORMAT_KEY(t, topic);
	struct fake_effect *e = effect_document(c, FAKE_PUBLISH, t, document);

	if (e)
		e->flags = flags;
}

void sk_publish_bytes(struct sk_call *c, enum sk_publish_flags flags, const void *payload, size_t n, const char *topic, ...)
{
	FORMAT_KEY(t, topic);
	effect_add(c, FAKE_PUBLISH, t, payload, n)->flags = flags;
}

void sk_publish_message(struct sk_call *c, const struct sk_message *m, const char *topic, ...)
{
	FORMAT_KEY(t, topic);
	struct fake_effect *e = effect_add(c, FAKE_PUBLISH, t, m->payload ? m->payload : "", m->size);

	e->flags = m->flags;
	const void *properties = sk_properties_write(c->arena, m, &e->properties_size);
	if (properties)
		e->properties = memcpy(fake_must(malloc(e->properties_size)), properties, e->properties_size);
}

void sk_reply(struct sk_call *c, const cJSON *document, const char *topic, ...)
{
	FORMAT_KEY(t, topic);
	effect_document(c, FAKE_REPLY, t, document);
}

void sk_emit(struct sk_call *c, const char *event, cJSON *input)
{
	if (c->refused)
		fake_misuse(c, "a durable effect in a refused call", event);
	effect_document(c, FAKE_EMIT, event, input);
}

void sk_timer_set(struct sk_call *c, const char *name, int64_t due_ms, const char *event, cJSON *input)
{
	struct fake_effect *e = effect_document(c, FAKE_TIMER_SET, name, input);

	if (of(c)->read_only || c->refused)
		fake_misuse(c, "a timer in a read-only call", name);
	if (!e)
		return;
	e->due_ms = due_ms;
	e->also = fake_must(strdup(event));
}

void sk_timer_clear(struct sk_call *c, const char *name)
{
	effect_add(c, FAKE_TIMER_CLEAR, name, "", 0);
}

void sk_kick(struct sk_call *c, const char *username, const char *client_id, const char *why)
{
	effect_add(c, FAKE_KICK, username, why, strlen(why))->also = fake_must(strdup(client_id ? client_id : ""));
}

/* The n-th await of a run is answered by the n-th of the run before, if the function is the same. */
static const cJSON *awaited(struct sk_call *c, void *fn, char key[24], const char **question, const cJSON *in)
{
	struct fake_private *p = of(c);
	snprintf(key, 24, "%u", p->awaits++);
	struct node *n = fake_list_find(p->awaited, key);
	*question = in ? sk_json_print(c->arena, in, NULL) : "null";
	if (n && n->awaited == fn)
		return sk_json_parse(c->arena, n->text, strlen(n->text), NULL, NULL);
	p->is_void = true;
	return NULL;
}

const cJSON *sk_await(struct sk_call *c, sk_slow *fn, const cJSON *in)
{
	struct fake_private *p = of(c);
	const char *question;
	char key[24];
	const cJSON *there = awaited(c, (void *)fn, key, &question, in);

	if (there || !question)
		return there;
	cJSON *own = sk_json_parse(&p->scratch, question, strlen(question), NULL, NULL);
	const char *answer = sk_json_print(&p->scratch, fn(&p->scratch, own, p->f->state), NULL);
	fake_list_set(&p->awaited, key, answer ? answer : "null", 0)->awaited = (void *)fn;
	return NULL;
}

struct sk_ticket {
	struct fake_private *p;
	const char *key;
	void *fn;
};

/* ask() answers before it returns. */
const cJSON *sk_await_ticket(struct sk_call *c, sk_asker *ask, const cJSON *in)
{
	const char *question;
	char key[24];
	const cJSON *there = awaited(c, (void *)ask, key, &question, in);

	if (!there && question)
		ask(&(struct sk_ticket){ of(c), key, (void *)ask }, question, strlen(question), of(c)->f->state);
	return there;
}

void sk_ticket_answer(struct sk_ticket *t, const char *json, size_t size)
{
	(void)size;
	fake_list_set(&t->p->awaited, t->key, json ? json : "null", 0)->awaited = t->fn;
}

bool sk_void(const struct sk_call *c)
{
	return of(c)->is_void;
}

int sk_fail(struct sk_call *c, int code, const char *message, ...)
{
	va_list ap;

	va_start(ap, message);
	c->message = sk_vprintf(c->arena, message, ap);
	va_end(ap);
	return c->error = code;
}

void sk_random(struct sk_call *c, void *buf, size_t n)
{
	unsigned char *b = buf;
	struct fake_private *p = of(c);

	for (size_t i = 0; i < n; i++, p->drawn++)
		b[i] = (unsigned char)((p->calls * 2654435761u + p->drawn * 40503u) >> 7);
}

const char *sk_uuid(struct sk_call *c)
{
	unsigned char b[16];

	sk_random(c, b, sizeof(b));
	return sk_printf(c->arena, "%02x%02x%02x%02x-%02x%02x-4%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
	                 b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

const char *sk_arn(struct sk_call *c, const char *resource, ...)
{
	FORMAT_KEY(r, resource);
	return sk_printf(c->arena, "arn:aws:iot:us-east-1:123456789012:%s", r);
}

const char *sk_arn_of(struct sk_call *c, const char *service, const char *resource, ...)
{
	FORMAT_KEY(r, resource);
	return sk_printf(c->arena, "arn:aws:%s:us-east-1:123456789012:%s", service, r);
}

cJSON *sk_json_time(struct sk_arena *a, int64_t ms)
{
	return sk_json_number(a, (double)ms / 1000);
}
