/* lane_item.c -- an item as a record of a segment, and back. Little-endian, whatever the machine.
 *
 *   'L' '1' flags qos | depth 0 0 0 | action | time | number of fields | texts | path, text of each field | payload | message | properties
 *
 * A text or some bytes: 4 bytes of size plus one (0: there is none), the bytes, a NUL. A payload that is the message itself is SAME and nothing more.
 * Whatever the bytes are, nothing outside of them is read. */
#include "plugins/rules/lane.h"

#include <string.h>

#include "plugins/rules/lane_seal.h"

enum { RETAIN = 1, BASIC = 2, FIXED = 24, LENGTH = 4 };
#define SAME 0xffffffffu

/* The texts of an item, in their order. */
enum { KIND, RULE, TOPIC, ID, CLIENT_ID, PRINCIPAL, SOURCE_IP, TEXTS };

/* -- writing -- */

static size_t part_size(const void *bytes, size_t n)
{
	return LENGTH + (bytes ? n + 1 : 0);
}

static void texts_of(const struct lane_item *i, const char *text[TEXTS])
{
	text[KIND] = i->kind;
	text[RULE] = i->sink.rule;
	text[TOPIC] = i->sink.topic;
	text[ID] = i->sink.id;
	text[CLIENT_ID] = i->sink.client_id;
	text[PRINCIPAL] = i->principal;
	text[SOURCE_IP] = i->source_ip;
}

static bool same_payload(const struct lane_item *i)
{
	return i->message && i->sink.payload == i->message && i->sink.size == i->message_size;
}

static size_t plain_size(const struct lane_item *i)
{
	const char *text[TEXTS];
	size_t n = FIXED;

	texts_of(i, text);
	for (int k = 0; k < TEXTS; k++)
		n += part_size(text[k], text[k] ? strlen(text[k]) : 0);
	for (size_t k = 0; k < i->sink.fields; k++)
		n += part_size(i->sink.field[k].path, strlen(i->sink.field[k].path)) + part_size(i->sink.field[k].text, strlen(i->sink.field[k].text));
	n += same_payload(i) ? LENGTH : part_size(i->sink.payload, i->sink.size);
	return n + part_size(i->message, i->message_size) + part_size(i->properties, i->properties_size);
}

size_t lane_item_size(const struct lane_item *i)
{
	return plain_size(i) + (i->secret ? LANE_SEALED_MORE : 0);
}

static void *put_number(unsigned char *at, uint64_t v, int bytes)
{
	for (int k = 0; k < bytes; k++)
		at[k] = (unsigned char)(v >> (8 * k));
	return at + bytes;
}

static void *put_part(void *at, const void *bytes, size_t n)
{
	unsigned char *to = put_number(at, bytes ? n + 1 : 0, LENGTH);

	if (!bytes)
		return to;
	memcpy(to, bytes, n);
	to[n] = '\0';
	return to + n + 1;
}

static void *put_text(void *at, const char *text)
{
	return put_part(at, text, text ? strlen(text) : 0);
}

static void put_plain(const struct lane_item *i, void *at)
{
	const unsigned char head[8] = { 'L', '1', (unsigned char)((i->retain ? RETAIN : 0) | (i->basic ? BASIC : 0)), i->qos, i->depth };
	const char *text[TEXTS];

	memcpy(at, head, sizeof head);
	at = put_number((unsigned char *)at + sizeof head, (uint32_t)i->action, 4);
	at = put_number(at, (uint64_t)i->sink.time_ms, 8);
	at = put_number(at, i->sink.fields, 4);
	texts_of(i, text);
	for (int k = 0; k < TEXTS; k++)
		at = put_text(at, text[k]);
	for (size_t k = 0; k < i->sink.fields; k++)
		at = put_text(put_text(at, i->sink.field[k].path), i->sink.field[k].text);
	at = same_payload(i) ? put_number(at, SAME, LENGTH) : put_part(at, i->sink.payload, i->sink.size);
	at = put_part(at, i->message, i->message_size);
	put_part(at, i->properties, i->properties_size);
}

int lane_item_put(const struct lane_item *i, void *at)
{
	if (!i->secret) {
		put_plain(i, at);
		return 0;
	}
	put_plain(i, (char *)at + LANE_SEALED_MORE - SK_SEAL_TAG);
	return lane_seal(at, plain_size(i));
}

void *lane_item_write(struct sk_arena *a, const struct lane_item *i, size_t *size)
{
	void *record;

	*size = lane_item_size(i);
	record = sk_alloc(a, *size);
	return record && !lane_item_put(i, record) ? record : NULL;
}

/* -- reading -- */

struct reader {
	const unsigned char *at, *end;
	bool wrong;
};

static uint64_t take_number(struct reader *r, int bytes)
{
	uint64_t v = 0;

	if (r->wrong || r->end - r->at < bytes) {
		r->wrong = true;
		return 0;
	}
	for (int k = 0; k < bytes; k++)
		v |= (uint64_t)r->at[k] << (8 * k);
	r->at += bytes;
	return v;
}

/* Of `size` plus one bytes, which have been read. */
static const void *take_bytes(struct reader *r, uint64_t size, size_t *n)
{
	const unsigned char *bytes = r->at;

	*n = size ? (size_t)size - 1 : 0;
	if (!size || r->wrong)
		return NULL;
	if (size > (uint64_t)(r->end - r->at) || bytes[size - 1]) {
		r->wrong = true;
		return NULL;
	}
	r->at += size;
	return bytes;
}

static const void *take_part(struct reader *r, size_t *n)
{
	return take_bytes(r, take_number(r, LENGTH), n);
}

/* A text that is cut short by a NUL inside is none of ours. */
static const char *take_text(struct reader *r)
{
	size_t n;
	const char *text = take_part(r, &n);

	if (text && strlen(text) != n)
		r->wrong = true;
	return text;
}

static void take_fields(struct reader *r, struct sk_arena *a, size_t n, struct lane_item *out)
{
	struct sk_sink_field *field = NULL;

	if (n > (size_t)(r->end - r->at) / (2 * LENGTH)) {
		r->wrong = true;
		return;
	}
	field = sk_alloc(a, (n + 1) * sizeof *field);
	for (size_t k = 0; field && k < n && !r->wrong; k++) {
		field[k].path = take_text(r);
		field[k].text = take_text(r);
		r->wrong |= !field[k].path || !field[k].text;
	}
	out->sink.field = field;
	out->sink.fields = n;
	r->wrong |= !field;
}

static void take_payloads(struct reader *r, struct lane_item *out)
{
	uint64_t size = take_number(r, LENGTH);

	if (size != SAME)
		out->sink.payload = take_bytes(r, size, &out->sink.size);
	out->message = take_part(r, &out->message_size);
	out->properties = take_part(r, &out->properties_size);
	if (size == SAME) {
		out->sink.payload = out->message;
		out->sink.size = out->message_size;
	}
	r->wrong |= !out->sink.payload;
}

/* What becomes a part of a key. */
static bool is_name(const char *text)
{
	return text && *text && !strchr(text, '/');
}

static bool is_id(const char *text)
{
	return text && strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static int read_plain(struct sk_arena *a, const void *record, size_t size, struct lane_item *out)
{
	struct reader r = { record, (const unsigned char *)record + size, false };
	const char *text[TEXTS] = { 0 };

	if (size < FIXED || memcmp(record, "L1", 2) || r.at[2] & ~(RETAIN | BASIC) || r.at[5] || r.at[6] || r.at[7])
		return -1;
	*out = (struct lane_item){ .retain = r.at[2] & RETAIN, .basic = r.at[2] & BASIC, .qos = r.at[3], .depth = r.at[4] };
	r.at += 8;
	out->action = (int32_t)take_number(&r, 4);
	out->sink.time_ms = (int64_t)take_number(&r, 8);
	size_t fields = (size_t)take_number(&r, 4);
	for (int k = 0; k < TEXTS; k++)
		text[k] = take_text(&r);
	take_fields(&r, a, fields, out);
	take_payloads(&r, out);
	out->kind = text[KIND];
	out->sink.rule = text[RULE];
	out->sink.topic = text[TOPIC];
	out->sink.id = text[ID];
	out->sink.client_id = text[CLIENT_ID];
	out->principal = text[PRINCIPAL];
	out->source_ip = text[SOURCE_IP];
	return r.wrong || r.at != r.end || !out->kind || !out->sink.topic || !is_name(out->sink.rule) || !is_id(out->sink.id) ? -1 : 0;
}

int lane_item_read(struct sk_arena *a, const void *record, size_t size, struct lane_item *out)
{
	bool sealed = lane_is_sealed(record, size);
	const void *plain = sealed ? lane_unseal(a, record, size, &size) : record;
	int rc = plain ? read_plain(a, plain, size, out) : -1;

	if (!rc)
		out->secret = sealed;
	return rc;
}
