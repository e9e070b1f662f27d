/* batch.c -- answers that say of each entry what became of it. An entry of which nothing is said is left as it is: it comes again. */
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_aws/aws.h"
#include "plugins/sink_aws/xml.h"

/* The entry whose Id the element holds; NULL: none. */
static struct aws_entry *entry_of(struct aws_request *r, struct aws_xml element)
{
	const char *id = aws_xml_text(element, "Id", r->arena);
	char *end = NULL;
	unsigned long i = id ? strtoul(id, &end, 10) : 0;

	return i && !*end && i <= r->n ? r->entry[i - 1] : NULL;
}

/* The answer, or what lies in its element of that name. */
static struct aws_xml within(const struct aws_request *r, const char *outer)
{
	struct aws_xml x = { r->http.answer, r->http.answer + r->http.answer_size }, inner = { x.end, x.end };

	if (!outer)
		return x;
	aws_xml_next(&x, outer, &inner);
	return inner;
}

void aws_read_members(struct aws_request *r, const struct aws_member_names *names)
{
	struct aws_xml x = within(r, names->good_list), one;
	struct sk_arena *a = r->arena;

	while (aws_xml_next(&x, names->good, &one)) {
		struct aws_entry *e = entry_of(r, one);
		if (e)
			aws_entry_ok(e);
	}
	x = within(r, names->bad_list);
	while (aws_xml_next(&x, names->bad, &one)) {
		struct aws_entry *e = entry_of(r, one);
		const char *sender = e ? aws_xml_text(one, "SenderFault", a) : NULL;
		if (e)
			aws_entry_fault(r, e, aws_xml_text(one, "Code", a), aws_xml_text(one, "Message", a), sender && !strcmp(sender, "true"));
	}
}

/* An entry is as well off as the worst of its records; one that comes again is sent with all of them. */
static void read_entry(struct aws_request *r, struct aws_entry *e, const cJSON **record)
{
	const cJSON *bad = NULL;
	size_t i = 0;

	for (; i < e->units && *record; i++, *record = (*record)->next)
		if (!bad && sk_json_text(*record, "ErrorCode"))
			bad = *record;
	if (i < e->units)
		return;
	if (bad)
		aws_entry_fault(r, e, sk_json_text(bad, "ErrorCode"), sk_json_text(bad, "ErrorMessage"), true);
	else
		aws_entry_ok(e);
}

void aws_read_records(struct aws_request *r, const char *list)
{
	const cJSON *records = sk_json_get(r->json, list), *record = records ? records->child : NULL;

	if (!cJSON_IsArray(records) || (size_t)sk_json_count(records) != r->units)
		return;
	for (size_t i = 0; i < r->n; i++)
		read_entry(r, r->entry[i], &record);
}
