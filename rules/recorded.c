/* recorded.c -- see recorded.h: a head with the sizes of the parts, then the parts; each ends with a NUL but the properties. Size 0: there is none. */
#include "rules/recorded.h"

#include <string.h>

enum { FORM = 1, TOPIC = 0, CLIENT, PRINCIPAL, IP, PAYLOAD, PROPERTIES, PARTS };

struct head {
	uint8_t form, qos, depth, retain;
	uint32_t size[PARTS];         /* with the NUL */
	uint32_t none;                /* 0: what would be a gap */
	int64_t time_ms;
	uint64_t number;
};
_Static_assert(sizeof(struct head) == 4 + 4 * (PARTS + 1) + 16, "all bytes of it are written");

static uint32_t text_size(const char *s)
{
	return s ? (uint32_t)strlen(s) + 1 : 0;
}

static struct head head_of(const struct rules_recorded *m)
{
	return (struct head){ .form = FORM, .qos = m->qos, .depth = m->depth, .retain = m->retain, .time_ms = m->time_ms, .number = m->number,
		.size = { text_size(m->topic), text_size(m->client_id), text_size(m->principal), text_size(m->source_ip), (uint32_t)m->size + 1,
		          (uint32_t)m->properties_size } };
}

static size_t whole(const struct head *h)
{
	size_t n = sizeof *h;

	for (int i = 0; i < PARTS; i++)
		n += h->size[i];
	return n;
}

size_t rules_recorded_size(const struct rules_recorded *m)
{
	struct head h = head_of(m);
	return whole(&h);
}

void rules_recorded_write(const struct rules_recorded *m, void *to)
{
	const struct head h = head_of(m);
	const void *part[PARTS] = { m->topic, m->client_id, m->principal, m->source_ip, m->payload, m->properties };
	char *at = to;

	memcpy(at, &h, sizeof h);
	at += sizeof h;
	for (int i = 0; i < PARTS; i++) {
		size_t n = h.size[i] - (i == PAYLOAD);
		if (n)
			memcpy(at, part[i], n);
		if (i == PAYLOAD)
			at[n] = '\0';
		at += h.size[i];
	}
}

int rules_recorded_read(const void *record, size_t size, struct rules_recorded *m)
{
	const char *part[PARTS], *at = (const char *)record + sizeof(struct head);
	struct head h;

	if (size < sizeof h)
		return -1;
	memcpy(&h, record, sizeof h);
	if (h.form != FORM || h.qos > 2 || h.retain > 1 || h.none || whole(&h) != size || !h.size[TOPIC] || !h.size[PAYLOAD])
		return -1;
	for (int i = 0; i < PARTS; at += h.size[i++]) {
		part[i] = h.size[i] ? at : NULL;
		if (i < PAYLOAD && h.size[i] && strnlen(at, h.size[i]) != h.size[i] - 1)
			return -1;
	}
	if (part[PAYLOAD][h.size[PAYLOAD] - 1])
		return -1;
	*m = (struct rules_recorded){ .time_ms = h.time_ms, .number = h.number, .qos = h.qos, .depth = h.depth, .retain = h.retain, .topic = part[TOPIC],
		.client_id = part[CLIENT], .principal = part[PRINCIPAL], .source_ip = part[IP], .payload = part[PAYLOAD], .size = h.size[PAYLOAD] - 1,
		.properties = part[PROPERTIES], .properties_size = h.size[PROPERTIES] };
	return 0;
}
