/* protocol.c -- NATS as text: what a client writes, and what a server has written. See protocol.h.
 *
 * What is read is never trusted in its numbers: a message that does not fit is refused before it is waited for. */
#include "plugins/sink_nats/protocol.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* -- writing -- */

static void put(struct nats_out *o, const void *bytes, size_t n)
{
	if (o->to && n)
		memcpy(o->to + o->n, bytes, n);
	o->n += n;
}

void nats_put(struct nats_out *o, const char *text)
{
	put(o, text, strlen(text));
}

static void put_number(struct nats_out *o, size_t value)
{
	char text[24], *p = text + sizeof text;

	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10));
	put(o, p, (size_t)(text + sizeof text - p));
}

static void put_headers(struct nats_out *o, const struct nats_message *m)
{
	nats_put(o, "NATS/1.0\r\n");
	for (size_t i = 0; i < m->headers; i++) {
		nats_put(o, m->header[i].name);
		nats_put(o, ": ");
		nats_put(o, m->header[i].value);
		nats_put(o, "\r\n");
	}
	nats_put(o, "\r\n");
}

size_t nats_publish(struct nats_out *o, const struct nats_message *m)
{
	struct nats_out headers = { 0 };

	if (m->headers)
		put_headers(&headers, m);
	nats_put(o, m->headers ? "HPUB " : "PUB ");
	nats_put(o, m->subject);
	if (m->reply) {
		nats_put(o, " ");
		nats_put(o, m->reply);
	}
	if (m->headers) {
		nats_put(o, " ");
		put_number(o, headers.n);
	}
	nats_put(o, " ");
	put_number(o, headers.n + m->size);
	nats_put(o, "\r\n");
	if (m->headers)
		put_headers(o, m);
	put(o, m->payload, m->size);
	nats_put(o, "\r\n");
	return headers.n + m->size;
}

const char *nats_subject_fault(const char *subject)
{
	const char *token = subject;

	for (const char *p = subject;; p++) {
		if (*p && *p != '.') {
			if ((unsigned char)*p <= ' ' || *p == 0x7f)
				return "the subject has a blank or a control character in it";
			continue;
		}
		if (p == token)
			return "the subject has an empty part";
		if (p - token == 1 && (*token == '*' || *token == '>'))
			return "the subject has a wildcard in it";
		if (!*p)
			break;
		token = p + 1;
	}
	if ((*subject == '$' && strncmp(subject, "$KV.", 4)) || !strncmp(subject, "_INBOX.", 7))
		return "the subject is one of the server's own";
	return strlen(subject) > 1024 ? "the subject is longer than 1024 bytes" : NULL;
}

const char *nats_header_fault(const struct nats_header *h)
{
	if (!*h->name)
		return "a header has no name";
	for (const char *p = h->name; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == ':')
			return "the name of a header has a blank, a colon or something that is no ASCII in it";
	return h->value[strcspn(h->value, "\r\n")] ? "a header has the end of a line in it" : NULL;
}

/* -- reading -- */

static struct nats_text word(struct nats_text *rest)
{
	struct nats_text w;

	while (rest->size && (*rest->at == ' ' || *rest->at == '\t'))
		rest->at++, rest->size--;
	w.at = rest->at;
	while (rest->size && *rest->at != ' ' && *rest->at != '\t')
		rest->at++, rest->size--;
	w.size = (size_t)(rest->at - w.at);
	return w;
}

/* -1: it is no number that we take. */
static long number(struct nats_text t)
{
	long value = 0;

	for (size_t i = 0; i < t.size; i++) {
		if (!isdigit((unsigned char)t.at[i]) || value > NATS_MOST)
			return -1;
		value = value * 10 + (t.at[i] - '0');
	}
	return t.size ? value : -1;
}

static bool is(struct nats_text t, const char *name)
{
	return t.size == strlen(name) && !strncasecmp(t.at, name, t.size);
}

/* SUBJECT SID [REPLY] [BYTES OF HEADERS] BYTES, and behind `line` bytes of them what they count. */
static long message(const char *bytes, size_t n, size_t line, struct nats_text rest, struct nats_event *out)
{
	bool headers = *bytes == 'H' || *bytes == 'h';
	struct nats_text part[6];
	size_t parts = 0;
	long header = 0, size;

	while (parts < 6 && (part[parts] = word(&rest)).size)
		parts++;
	if (parts != 3u + headers && parts != 4u + headers)
		return -1;
	size = number(part[parts - 1]);
	if (headers)
		header = number(part[parts - 2]);
	if (size < 0 || header < 0 || header > size || size > NATS_MOST - 4096)
		return -1;
	if (n < line + (size_t)size + 2)
		return 0;
	if (memcmp(bytes + line + size, "\r\n", 2))
		return -1;
	out->kind = NATS_MESSAGE;
	out->subject = part[0];
	out->header = (struct nats_text){ bytes + line, (size_t)header };
	out->payload = (struct nats_text){ bytes + line + header, (size_t)(size - header) };
	return (long)line + size + 2;
}

static struct nats_text unquoted(struct nats_text t)
{
	while (t.size && strchr(" \t'", *t.at))
		t.at++, t.size--;
	while (t.size && strchr(" \t'", t.at[t.size - 1]))
		t.size--;
	return t;
}

long nats_next(const char *bytes, size_t n, struct nats_event *out)
{
	static const struct { const char *name; enum nats_kind kind; } names[] = {
		{ "INFO", NATS_INFO }, { "PING", NATS_PING }, { "PONG", NATS_PONG }, { "+OK", NATS_FINE }, { "-ERR", NATS_ERROR },
	};
	const char *end = memchr(bytes, '\n', n < NATS_LINE ? n : NATS_LINE);
	struct nats_text rest, name;

	*out = (struct nats_event){ 0 };
	if (!end)
		return n < NATS_LINE ? 0 : -1;
	rest = (struct nats_text){ bytes, (size_t)(end - bytes) };
	if (rest.size && bytes[rest.size - 1] == '\r')
		rest.size--;
	name = word(&rest);
	if (is(name, "MSG") || is(name, "HMSG"))
		return message(bytes, n, (size_t)(end + 1 - bytes), rest, out);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is(name, names[i].name)) {
			out->kind = names[i].kind;
			out->text = unquoted(rest);
			return end + 1 - bytes;
		}
	return -1;
}

/* -- JetStream's answers -- */

enum sk_sunk nats_ack(struct sk_arena *a, const struct nats_event *e, const char **why)
{
	static const char nobody[] = "NATS/1.0 503";
	const cJSON *answer, *error;
	const char *text;
	int64_t code;

	*why = NULL;
	if (e->header.size >= sizeof nobody - 1 && !memcmp(e->header.at, nobody, sizeof nobody - 1)) {
		*why = "no stream takes the subject";
		return SK_SUNK_RETRY;
	}
	answer = sk_json_parse(a, e->payload.at, e->payload.size, NULL, NULL);
	error = sk_json_get(answer, "error");
	if (!error && sk_json_text(answer, "stream"))
		return SK_SUNK_OK;
	code = sk_json_int_of(error, "code", 0);
	text = sk_json_text(error, "description");
	*why = error && text ? text : "the answer is none of JetStream's";
	/* 4xx: the message is to blame; else the server (no room, no leader). */
	return code >= 400 && code < 500 && code != 408 && code != 429 ? SK_SUNK_FAIL : SK_SUNK_RETRY;
}
