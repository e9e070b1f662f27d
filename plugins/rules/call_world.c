/* call_world.c -- what statements and templates ask of the world when they run in a call: records through the call, zones on the slow pool. */
#include "plugins/rules/call_world.h"

#include <stdio.h>

#include "core/secrets.h"
#include "plugins/rules/engine_zones.h"

static const cJSON *record(void *context, const char *key, bool *later)
{
	struct sk_call *c = context;
	const cJSON *document = sk_get(c, "%s", key);

	*later = *later || (!document && sk_void(c));
	return document;
}

static const cJSON *names(void *context, const char *prefix, int most, bool *later)
{
	struct sk_call *c = context;
	struct sk_scan scan = sk_scan(c, (size_t)most, NULL, "%s", prefix);
	cJSON *list = sk_json_array(c->arena);

	*later = *later || (!scan.count && sk_void(c));
	for (size_t i = 0; i < scan.count; i++)
		sk_json_append(list, sk_json_string(c->arena, scan.row[i].name));
	return list;
}

static const char *secret(void *context, const char *name, const char *key)
{
	return sk_secret(((struct sk_call *)context)->arena, name, key);
}

/* On the slow pool: the zone's file is read. null: there is no such zone. */
static cJSON *read_zone(struct sk_arena *a, const cJSON *in, void *unused)
{
	struct zones files = { .next = 0 };
	struct sql_zone zone;
	const char *name = sk_json_text(in, "zone");
	bool there = name && zones_at(&files, name, sk_json_int_of(in, "at", 0), &zone);
	cJSON *out = there ? sk_json_object(a) : NULL;

	(void)unused;
	zones_free(&files);
	if (there) {
		sk_json_set_int(a, out, "offset", zone.offset);
		sk_json_set_string(a, out, "name", zone.name);
	}
	return out;
}

bool call_world_zone(void *world, const char *name, int64_t utc_ms, struct sql_zone *out)
{
	struct sk_call *c = ((struct rules_world *)world)->context;
	cJSON *in = sk_json_object(c->arena);

	sk_json_set_string(c->arena, in, "zone", name);
	sk_json_set_int(c->arena, in, "at", utc_ms);
	const cJSON *zone = sk_await(c, read_zone, in);
	const char *text = sk_json_text(zone, "name");
	if (!text)
		return false;
	out->offset = (int)sk_json_int_of(zone, "offset", 0);
	snprintf(out->name, sizeof(out->name), "%s", text);
	return true;
}

struct rules_world call_world(struct sk_call *c)
{
	return (struct rules_world){ .arena = c->arena, .arn = sk_arn(c, "%s", ""), .now_ms = c->now_ms, .context = c, .record = record, .names = names,
		.secret = secret };
}
