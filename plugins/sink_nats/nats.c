/* nats.c -- the sink `nats`: a batch is written whole with a PING behind it, and its end is the PONG; JetStream answers each message besides.
 *
 * A server takes what it is sent in its order, so what it has refused is known when the PONG is there. An answer carries the number of its message. */
#include "plugins/sink_nats/nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/why.h"
#include "plugins/sink_nats/connection.h"

enum { HEADERS = 64 };

struct nats {
	struct sk_arena arena;     /* holds this too */
	struct nats_settings settings;
	struct nats_connection connection;
};

const char nats_fields_of_connection[] = "url user password token credentials tls.ca tls.certificate tls.key";

/* -- what a rule says -- */

static const char *headers_fault(const cJSON *headers)
{
	const char *fault = NULL;

	SK_JSON_EACH(one, headers) {
		const struct nats_header h = { one->string, "" };
		fault = !cJSON_IsString(one) ? "each member of headers must be a string" : nats_header_fault(&h);
		if (!fault && !strcasecmp(one->string, "Nats-Msg-Id"))
			fault = "Nats-Msg-Id is the sink's own";
		if (fault)
			return fault;
	}
	return sk_json_count(headers) > HEADERS - 2 ? "more than 62 headers" : NULL;
}

const char *nats_check(const cJSON *fields, struct sk_arena *a)
{
	struct nats_address address;
	const char *url = sk_json_text(fields, "url"), *subject = sk_json_text(fields, "subject"), *fault = NULL;

	if (url && !strstr(url, "${"))
		fault = nats_address(fields, a, &address);
	if (!fault && subject && !strstr(subject, "${"))
		fault = nats_subject_fault(subject);
	if (!fault && sk_json_get(fields, "stream") && !sk_json_true(fields, "jetstream"))
		fault = "stream is for jetstream only";
	return fault ? fault : headers_fault(sk_json_get(fields, "headers"));
}

/* -- a batch -- */

struct batch {
	struct nats *nats;
	struct sk_sink_item *const *item;
	size_t n, open;            /* those that JetStream has not answered yet */
	struct sk_arena *a;
	bool sent[NATS_BATCH], answered[NATS_BATCH];
};

static void settle(struct sk_sink_item *i, enum sk_sunk result, const char *why)
{
	i->result = result;
	i->why = why;
}

static const char *told(const struct batch *b)
{
	const char *why = sk_strdup(b->a, b->nats->connection.link.why);

	return why ? why : "out of memory";
}

/* Those without an end come again. */
static void not_now(struct batch *b, const char *why)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->item[i]->result == SK_SUNK_RETRY && !b->item[i]->why)
			b->item[i]->why = why;
}

static bool durable(const struct sk_sink_item *i)
{
	return sk_sink_true(i, "jetstream");
}

static size_t headers_of(const struct sk_sink_item *i, struct nats_header *out)
{
	const char *stream = sk_sink_text(i, "stream");
	size_t n = 0;

	for (size_t f = 0; f < i->fields && n < HEADERS - 2; f++)
		if (!strncmp(i->field[f].path, "headers.", 8))
			out[n++] = (struct nats_header){ i->field[f].path + 8, i->field[f].text };
	if (durable(i))
		out[n++] = (struct nats_header){ "Nats-Msg-Id", i->id };
	if (durable(i) && stream)
		out[n++] = (struct nats_header){ "Nats-Expected-Stream", stream };
	return n;
}

/* Writes the item's message; NULL, or why it can never be sent. */
static const char *write_item(struct batch *b, size_t number, struct nats_out *o)
{
	const struct sk_sink_item *i = b->item[number];
	const struct nats_connection *c = &b->nats->connection;
	const char *value = sk_sink_text(i, "value"), *subject = sk_sink_text(i, "subject"), *fault;
	struct nats_header header[HEADERS];
	char reply[NATS_INBOX + 24];
	struct nats_message m = { .subject = subject ? subject : "", .header = header, .headers = headers_of(i, header),
	                          .payload = value ? value : i->payload, .size = value ? strlen(value) : i->size };

	fault = nats_subject_fault(m.subject);
	for (size_t h = 0; !fault && h < m.headers; h++)
		fault = nats_header_fault(&header[h]);
	snprintf(reply, sizeof reply, "%s.%zu", c->inbox, number);
	m.reply = durable(i) ? reply : NULL;
	if (!fault && m.headers && !c->headers)
		fault = "the server is too old for headers and for JetStream";
	if (fault)
		return fault;
	return (int64_t)nats_publish(o, &m) > c->max_payload ? "larger than the server's max_payload" : NULL;
}

/* The bytes of the batch. What cannot be sent has failed. NULL: memory is out. */
static char *write_all(struct batch *b, size_t *size)
{
	struct nats_out counted = { 0 }, out = { 0 };

	for (size_t i = 0; i < b->n; i++) {
		struct nats_out alone = { 0 };
		const char *fault = write_item(b, i, &alone);
		b->sent[i] = !fault;
		counted.n += fault ? 0 : alone.n;
		if (fault)
			settle(b->item[i], SK_SUNK_FAIL, fault);
	}
	out.to = sk_alloc_text(b->a, counted.n + sizeof "PING\r\n");
	for (size_t i = 0; out.to && i < b->n; i++)
		if (b->sent[i])
			write_item(b, i, &out);
	if (out.to)
		nats_put(&out, "PING\r\n");
	*size = out.n;
	return out.to;
}

/* "Permissions Violation for Publish to "a.b"": of all with that subject. True: it was one, and the connection lives on. */
static bool refused(struct batch *b, const struct nats_event *e)
{
	static const char begin[] = "Permissions Violation for Publish to \"";
	const char *why = sk_strndup(b->a, e->text.at, e->text.size), *subject;
	size_t n;

	if (!why || strncmp(why, begin, sizeof begin - 1))
		return false;
	subject = why + sizeof begin - 1;
	n = strcspn(subject, "\"");
	for (size_t i = 0; i < b->n; i++) {
		const char *its = sk_sink_text(b->item[i], "subject");
		if (!b->sent[i] || b->item[i]->result == SK_SUNK_FAIL || !its || strlen(its) != n || memcmp(its, subject, n))
			continue;
		b->open -= durable(b->item[i]) && !b->answered[i];
		b->answered[i] = true;
		settle(b->item[i], SK_SUNK_FAIL, why);
	}
	return true;
}

static void answered(struct batch *b, const struct nats_event *e)
{
	size_t inbox = strlen(b->nats->connection.inbox) + 1;
	char number[24] = "", *end;
	const char *why;
	unsigned long i;

	if (e->subject.size <= inbox || e->subject.size - inbox >= sizeof number)
		return;
	memcpy(number, e->subject.at + inbox, e->subject.size - inbox);
	i = strtoul(number, &end, 10);
	if (*end || i >= b->n || !b->sent[i] || b->answered[i])
		return;
	b->answered[i] = true;
	b->open--;
	enum sk_sunk result = nats_ack(b->a, e, &why);
	settle(b->item[i], result, why);
}

/* -1: the connection is of no use any more, link.why says why. */
static int take(struct batch *b, const struct nats_event *e, bool *all)
{
	struct nats_connection *c = &b->nats->connection;

	*all |= e->kind == NATS_PONG;
	if (e->kind == NATS_MESSAGE)
		answered(b, e);
	if (e->kind != NATS_ERROR || refused(b, e))
		return 0;
	sk_why(c->link.why, sizeof c->link.why, "%.*s", (int)(e->text.size < 200 ? e->text.size : 200), e->text.at);
	nats_hang_up(c);
	return -1;
}

static void finish(struct batch *b)
{
	struct nats_event e;
	bool all = false;
	int rc = 0;

	for (size_t i = 0; i < b->n; i++)
		b->open += b->sent[i] && durable(b->item[i]);
	while (!rc && (!all || b->open))
		rc = nats_event(&b->nats->connection, &e) || take(b, &e, &all) ? -1 : 0;
	/* What JetStream is not asked about has arrived with the PONG. */
	for (size_t i = 0; all && i < b->n; i++)
		if (b->sent[i] && !b->answered[i] && !durable(b->item[i]))
			settle(b->item[i], SK_SUNK_OK, NULL);
	if (rc)
		not_now(b, told(b));
}

/* An old connection may have pings waiting, or have ended. */
static bool alive(struct nats *s)
{
	struct nats_connection *c = &s->connection;
	struct nats_event e;

	c->link.until = c->link.now() + s->settings.timeout;
	while (c->open && nats_something(c))
		if (!nats_event(c, &e) && e.kind == NATS_ERROR)
			nats_hang_up(c);
	return c->open;
}

static int ready(struct nats *s, struct sk_arena *a)
{
	struct nats_connection *c = &s->connection;
	unsigned char random[11];

	if (alive(s))
		return 0;
	if (s->settings.random(random, sizeof random))
		return sk_why(c->link.why, sizeof c->link.why, "no random bytes");
	memcpy(c->inbox, "_INBOX.", 8);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(c->inbox + 7 + 2 * i, 3, "%02x", random[i]);
	return nats_dial(c, s->settings.timeout, a);
}

static void deliver(struct batch *b)
{
	struct nats *s = b->nats;
	size_t size;
	char *bytes;

	for (size_t i = 0; i < b->n; i++)
		b->item[i]->why = NULL;
	if (ready(s, b->a)) {
		not_now(b, told(b));
		return;
	}
	bytes = write_all(b, &size);
	if (!bytes) {
		not_now(b, "out of memory");
		return;
	}
	s->connection.link.until = s->connection.link.now() + s->settings.timeout;
	if (dial_send(&s->connection.link, bytes, size)) {
		nats_hang_up(&s->connection);
		not_now(b, told(b));
		return;
	}
	finish(b);
}

void nats_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	for (size_t i = 0; i < n; i += NATS_BATCH) {
		struct batch b = { .nats = sink, .item = item + i, .n = n - i < NATS_BATCH ? n - i : NATS_BATCH, .a = a };
		deliver(&b);
	}
}

/* -- a lane's life -- */

void *nats_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	const struct nats_settings *settings = state;
	struct sk_arena a = { 0 };
	struct nats *s = sk_alloc(&a, sizeof *s);
	const char *fault = s ? nats_address(sk_json_copy(&a, fields), &a, &s->connection.address) : "out of memory";

	if (s)
		s->connection.in = (struct dial_input){ .bytes = sk_alloc_text(&a, NATS_MOST), .room = NATS_MOST };
	if (fault || a.failed) {
		sk_why(why, why_size, "%s", fault ? fault : "out of memory");
		sk_arena_free(&a);
		return NULL;
	}
	s->settings = *settings;
	s->connection.link = (struct dial){ .now = settings->now, .fd = -1 };
	s->arena = a;
	return s;
}

void nats_close(void *sink)
{
	struct nats *s = sink;
	struct sk_arena a = s->arena;

	nats_hang_up(&s->connection);
	sk_arena_free(&a);
}
