/* message.c -- items as basic.publish, a content header and bodies. See message.h. */
#include "plugins/sink_amqp/message.h"

#include <string.h>

/* Properties by their bits, in the order in which they stand. */
enum { CONTENT_TYPE = 1 << 15, CONTENT_ENCODING = 1 << 14, HEADERS = 1 << 13, DELIVERY_MODE = 1 << 12, PRIORITY = 1 << 11, CORRELATION_ID = 1 << 10, REPLY_TO = 1 << 9,
       EXPIRATION = 1 << 8, MESSAGE_ID = 1 << 7, TIMESTAMP = 1 << 6 };
enum { CLASS_BASIC = 60, PERSISTENT = 2, TRANSIENT = 1, SHORT_MOST = 255 };

/* "headers.NAME": NAME; else NULL. */
static const char *header_of(const struct sk_sink_field *f)
{
	return strncmp(f->path, "headers.", 8) ? NULL : f->path + 8;
}

static const char *text_of(const struct sk_sink_item *i, const char *path)
{
	const char *text = sk_sink_text(i, path);

	return text ? text : "";
}

const char *amqp_item_fault(const struct sk_sink_item *item)
{
	static const struct { const char *path, *why; } shorts[] = {
		{ "exchange", "`exchange` is longer than 255 bytes" }, { "routingKey", "`routingKey` is longer than 255 bytes" },
		{ "contentType", "`contentType` is longer than 255 bytes" }, { "expiration", "`expiration` is longer than 255 bytes" },
	};
	const char *expiration = sk_sink_text(item, "expiration");

	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		if (strlen(text_of(item, shorts[i].path)) > SHORT_MOST)
			return shorts[i].why;
	for (size_t i = 0; i < item->fields; i++) {
		const char *name = header_of(&item->field[i]);
		if (name && (!*name || strlen(name) > SHORT_MOST))
			return "the name of a header is empty or longer than 255 bytes";
	}
	if (expiration && (!*expiration || expiration[strspn(expiration, "0123456789")] || strlen(expiration) > 10))
		return "`expiration` is no number of milliseconds";
	return NULL;
}

static void put_headers(struct amqp_out *o, const struct sk_sink_item *item)
{
	for (size_t i = 0; i < item->fields; i++) {
		const char *name = header_of(&item->field[i]);
		if (!name)
			continue;
		amqp_put_short(o, name);
		amqp_put8(o, 'S');
		amqp_put_long(o, item->field[i].text, strlen(item->field[i].text));
	}
}

static void put_properties(struct amqp_out *o, const struct sk_sink_item *item)
{
	const char *type = sk_sink_text(item, "contentType"), *expiration = sk_sink_text(item, "expiration"), *persistent = sk_sink_text(item, "persistent");
	struct amqp_out headers = { 0 };

	put_headers(&headers, item);
	amqp_put16(o, (type ? CONTENT_TYPE : 0) | (headers.n ? HEADERS : 0) | DELIVERY_MODE | (expiration ? EXPIRATION : 0) | MESSAGE_ID | TIMESTAMP);
	if (type)
		amqp_put_short(o, type);
	if (headers.n) {
		amqp_put32(o, (uint32_t)headers.n);
		put_headers(o, item);
	}
	amqp_put8(o, persistent && !strcmp(persistent, "false") ? TRANSIENT : PERSISTENT);
	if (expiration)
		amqp_put_short(o, expiration);
	amqp_put_short(o, item->id);
	amqp_put64(o, (uint64_t)(item->time_ms / 1000));
}

void amqp_publish(struct amqp_out *o, const struct sk_sink_item *item, size_t frame_most)
{
	const char *value = sk_sink_text(item, "value"), *body = value ? value : item->payload;
	size_t left = value ? strlen(value) : item->size, begun = amqp_begin_method(o, AMQP_CHANNEL, AMQP_PUBLISH);

	amqp_put16(o, 0);
	amqp_put_short(o, text_of(item, "exchange"));
	amqp_put_short(o, text_of(item, "routingKey"));
	amqp_put8(o, sk_sink_true(item, "mandatory"));
	amqp_end(o, begun);

	begun = amqp_begin(o, AMQP_HEADER, AMQP_CHANNEL);
	amqp_put16(o, CLASS_BASIC);
	amqp_put16(o, 0);
	amqp_put64(o, left);
	put_properties(o, item);
	amqp_end(o, begun);

	while (left) {
		size_t n = left < frame_most - AMQP_OVERHEAD ? left : frame_most - AMQP_OVERHEAD;
		begun = amqp_begin(o, AMQP_BODY, AMQP_CHANNEL);
		amqp_put(o, body, n);
		amqp_end(o, begun);
		body += n;
		left -= n;
	}
}

struct amqp_text amqp_message_id(const struct amqp_frame *header)
{
	/* What stands before it, and how it is passed over. */
	static const struct { unsigned bit; int octets; } before[] = {
		{ CONTENT_TYPE, 0 }, { CONTENT_ENCODING, 0 }, { HEADERS, 4 }, { DELIVERY_MODE, 1 }, { PRIORITY, 1 }, { CORRELATION_ID, 0 }, { REPLY_TO, 0 }, { EXPIRATION, 0 },
	};
	struct amqp_in in = amqp_reading(header);
	struct amqp_text none = { "", 0 };
	unsigned flags;

	amqp_get(&in, 4); /* class and weight */
	amqp_get(&in, 8); /* the body's size */
	flags = (unsigned)amqp_get(&in, 2);
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		if (!(flags & before[i].bit))
			continue;
		if (before[i].octets == 1)
			amqp_get(&in, 1);
		else if (before[i].octets == 4)
			amqp_get_long(&in);
		else
			amqp_get_short(&in);
	}
	return flags & MESSAGE_ID ? amqp_get_short(&in) : none;
}
