/* properties.c -- see properties.h. A text of a message is at most 65,535 bytes here, as in MQTT: what is longer is cut by nobody, but refused
 * by whoever takes it from outside. */
#include "core/properties.h"

#include <string.h>

enum kind { BYTE = 1, INT16, INT32, VARINT, TEXT, BINARY, PAIR };

static enum kind kind_of(unsigned id)
{
	static const unsigned char kinds[64] = {
#define PROPERTY(name, number, kind) [number] = kind,
		SK_PROPERTIES(PROPERTY)
#undef PROPERTY
	};
	return id < sizeof kinds ? kinds[id] : 0;
}

/* -- writing: measured first, then written into one block -- */

struct writer {
	unsigned char *to; /* NULL: only measure */
	size_t n;
};

static void put_bytes(struct writer *w, const void *data, size_t n)
{
	if (w->to && n)
		memcpy(w->to + w->n, data, n);
	w->n += n;
}

static void put_number(struct writer *w, uint32_t v, int bytes)
{
	for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
		unsigned char byte = (unsigned char)(v >> shift);
		put_bytes(w, &byte, 1);
	}
}

static void put_text(struct writer *w, const void *text, size_t n)
{
	n = n > UINT16_MAX ? UINT16_MAX : n;
	put_number(w, (uint32_t)n, 2);
	put_bytes(w, text, n);
}

static void put_property(struct writer *w, enum sk_property_id id, const char *text, size_t n)
{
	if (!text)
		return;
	put_number(w, id, 1);
	put_text(w, text, n);
}

static void put_all(struct writer *w, const struct sk_message *m)
{
	if (m->utf8) {
		put_number(w, SK_PROPERTY_PAYLOAD_FORMAT, 1);
		put_number(w, 1, 1);
	}
	if (m->expiry_s) {
		put_number(w, SK_PROPERTY_MESSAGE_EXPIRY, 1);
		put_number(w, m->expiry_s, 4);
	}
	put_property(w, SK_PROPERTY_CONTENT_TYPE, m->content_type, m->content_type ? strlen(m->content_type) : 0);
	put_property(w, SK_PROPERTY_RESPONSE_TOPIC, m->response_topic, m->response_topic ? strlen(m->response_topic) : 0);
	put_property(w, SK_PROPERTY_CORRELATION_DATA, m->correlation, m->correlation_size);
	for (size_t i = 0; i < m->users; i++) {
		put_property(w, SK_PROPERTY_USER_PROPERTY, m->user[i].name, strlen(m->user[i].name));
		put_text(w, m->user[i].value, strlen(m->user[i].value));
	}
}

const void *sk_properties_write(struct sk_arena *a, const struct sk_message *m, size_t *n)
{
	struct writer w = { 0 };
	put_all(&w, m);
	*n = w.n;
	if (!w.n)
		return NULL;
	w.to = sk_alloc(a, w.n);
	w.n = 0;
	if (w.to)
		put_all(&w, m);
	*n = w.n;
	return w.to;
}

/* -- reading -- */

bool sk_varint_read(const unsigned char **at, const unsigned char *end, uint32_t *out)
{
	uint32_t v = 0;
	for (int i = 0; i < 4 && *at + i < end; i++) {
		v |= (uint32_t)((*at)[i] & 127) << (7 * i);
		if ((*at)[i] & 128)
			continue;
		*at += i + 1;
		*out = v;
		return true;
	}
	return false;
}

static bool take_number(struct sk_properties *p, int bytes, uint32_t *out)
{
	if (p->end - p->at < bytes)
		return false;
	for (*out = 0; bytes--;)
		*out = *out << 8 | *p->at++;
	return true;
}

static bool take_text(struct sk_properties *p, const char **text, size_t *n)
{
	uint32_t size;
	if (!take_number(p, 2, &size) || (size_t)(p->end - p->at) < size)
		return false;
	*text = (const char *)p->at;
	*n = size;
	p->at += size;
	return true;
}

static bool take_value(struct sk_properties *p, struct sk_property *out)
{
	switch (kind_of(out->id)) {
	case BYTE: return take_number(p, 1, &out->number);
	case INT16: return take_number(p, 2, &out->number);
	case INT32: return take_number(p, 4, &out->number);
	case VARINT: return sk_varint_read(&p->at, p->end, &out->number);
	case TEXT: case BINARY: return take_text(p, &out->text, &out->size);
	case PAIR: return take_text(p, &out->text, &out->size) && take_text(p, &out->value, &out->value_size);
	default: return false;
	}
}

bool sk_properties_next(struct sk_properties *p, struct sk_property *out)
{
	if (p->bad || p->at >= p->end)
		return false;
	*out = (struct sk_property){ .id = *p->at++ };
	p->bad = !take_value(p, out);
	return !p->bad;
}
