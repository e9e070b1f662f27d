/* headers.c -- see headers.h. User properties are counted first: a list of them is in one piece. */
#include "rules/headers.h"

#include "core/properties.h"

static const char *text_of(struct sk_arena *a, const struct sk_property *p)
{
	return sk_strndup(a, p->text, p->size);
}

static void read_one(struct sk_arena *a, const struct sk_property *p, struct sql_message *m)
{
	switch (p->id) {
	case SK_PROPERTY_PAYLOAD_FORMAT: m->format = (int)p->number; break;
	case SK_PROPERTY_CONTENT_TYPE: m->content_type = text_of(a, p); break;
	case SK_PROPERTY_RESPONSE_TOPIC: m->response_topic = text_of(a, p); break;
	case SK_PROPERTY_CORRELATION_DATA: m->correlation = p->text; m->correlation_size = p->size; break;
	default: break;
	}
}

void rules_headers(struct sk_arena *a, const void *properties, size_t size, struct sql_message *m)
{
	const unsigned char *at = size ? properties : (const unsigned char *)""; /* without any there may be no place either */
	struct sk_properties all = { .at = at, .end = at + size };
	struct sk_property p;
	size_t users = 0;

	while (sk_properties_next(&all, &p)) {
		read_one(a, &p, m);
		users += p.id == SK_PROPERTY_USER_PROPERTY;
	}
	struct sql_property *list = users ? sk_alloc(a, (users + 1) * sizeof *list) : NULL;
	all = (struct sk_properties){ .at = at, .end = at + size };
	for (size_t i = 0; list && i < users && sk_properties_next(&all, &p);)
		if (p.id == SK_PROPERTY_USER_PROPERTY)
			list[i++] = (struct sql_property){ text_of(a, &p), sk_strndup(a, p.value, p.value_size) };
	m->user = list;
}
