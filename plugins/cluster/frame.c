/* frame.c -- see frame.h. Nothing behind `end` is read, and no size is believed before it was compared with what is left. */
#include "plugins/cluster/frame.h"

#include <string.h>

#include "core/properties.h"
#include "core/utf8.h"

enum { RETAIN = 4, QOS = 3, LEVELS = 200 };

static void put_number(char *to, uint64_t v, int bytes)
{
	for (int i = bytes; i-- > 0; v >>= 8)
		to[i] = (char)v;
}

static uint64_t number_at(const char *from, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)from[i];
	return v;
}

/* -- writing -- */

void frame_head(char head[FRAME_HEAD], enum frame_kind kind, uint64_t sender, uint64_t number)
{
	memcpy(head, "sk1", 3);
	head[3] = (char)kind;
	put_number(head + 4, sender, 8);
	put_number(head + 12, number, 8);
}

size_t entry_size(const struct frame_entry *e)
{
	return ENTRY_HEAD + e->topic_size + 1 + e->properties_size + e->size;
}

char *entry_put(char *to, const struct frame_entry *e, char **properties)
{
	to[0] = (char)e->kind;
	to[1] = (char)(e->qos | (e->retain ? RETAIN : 0));
	put_number(to + 2, e->topic_size, 2);
	put_number(to + 4, e->properties_size, 4);
	put_number(to + 8, e->size, 4);
	to += ENTRY_HEAD;
	memcpy(to, e->topic, e->topic_size);
	to[e->topic_size] = '\0';
	to += e->topic_size + 1;
	if (properties)
		*properties = to;
	if (e->properties && e->properties_size)
		memcpy(to, e->properties, e->properties_size);
	return to + e->properties_size;
}

/* -- reading -- */

static bool utf8_text(const char *s, size_t n)
{
	const unsigned char *at = (const unsigned char *)s, *end = at + n;
	int size = 1;

	for (; at < end && size; at += size)
		size = *at ? sk_utf8_length(at, end) : 0;
	return size;
}

/* The sizes agree with what is there. */
bool entry_next(const char **at, const char *end, struct frame_entry *e)
{
	const char *from = *at;
	size_t left = (size_t)(end - from);

	if (left < ENTRY_HEAD)
		return false;
	*e = (struct frame_entry){ .kind = (enum entry_kind)(unsigned char)from[0], .qos = from[1] & QOS, .retain = from[1] & RETAIN, .topic_size = number_at(from + 2, 2),
		.properties_size = number_at(from + 4, 4), .size = number_at(from + 8, 4), .bytes = from };
	e->bytes_size = entry_size(e);
	if (e->bytes_size > left)
		return false;
	e->topic = from + ENTRY_HEAD;
	e->properties = e->topic + e->topic_size + 1;
	e->payload = (const char *)e->properties + e->properties_size;
	*at = from + e->bytes_size;
	return true;
}

/* Those that a publish of ours may have. */
static bool good_properties(const struct frame_entry *e)
{
	const unsigned char *at = e->properties;
	struct sk_properties all = { .at = at, .end = at + e->properties_size };
	struct sk_property p;

	while (sk_properties_next(&all, &p)) {
		bool text = p.id == SK_PROPERTY_CONTENT_TYPE || p.id == SK_PROPERTY_RESPONSE_TOPIC || p.id == SK_PROPERTY_USER_PROPERTY;
		if ((text && !utf8_text(p.text, p.size)) || (p.value && !utf8_text(p.value, p.value_size)))
			return false;
	}
	return !all.bad;
}

static bool good_topic(const struct frame_entry *e)
{
	size_t levels = 0;

	for (const char *s = e->topic; (s = strchr(s, '/')); s++)
		levels++;
	return e->topic_size && levels <= LEVELS && !strpbrk(e->topic, "+#") && strncmp(e->topic, "$SYS/", 5) && strncmp(e->topic, "$CONTROL/", 9);
}

static bool good(const struct frame_entry *e)
{
	if (e->topic[e->topic_size] || !utf8_text(e->topic, e->topic_size))
		return false;
	switch (e->kind) {
	case ENTRY_MESSAGE: return e->qos <= 2 && good_topic(e) && good_properties(e);
	case ENTRY_ADD: case ENTRY_REMOVE: return !e->properties_size && !e->size;
	default: return false;
	}
}

bool frame_open(struct frame *f, const char *bytes, size_t n)
{
	if (n < FRAME_HEAD || memcmp(bytes, "sk1", 3) || !bytes[3] || !strchr("mMibf", bytes[3]))
		return false;
	*f = (struct frame){ .kind = (enum frame_kind)bytes[3], .sender = number_at(bytes + 4, 8), .number = number_at(bytes + 12, 8), .at = bytes + FRAME_HEAD, .end = bytes + n };
	return true;
}

bool frame_next(struct frame *f, struct frame_entry *e)
{
	bool messages = f->kind == FRAME_MESSAGES || f->kind == FRAME_FIRST;

	if (f->bad || f->at == f->end)
		return false;
	f->bad = !entry_next(&f->at, f->end, e) || !good(e) || (e->kind == ENTRY_MESSAGE) != messages;
	return !f->bad;
}
