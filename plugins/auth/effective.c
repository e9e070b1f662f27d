/* effective.c -- see effective.h. */
#include "plugins/auth/effective.h"

#include <string.h>

#include "plugins/auth/certificate_facts.h"

enum { DEPTH = 16, THINGS = 100 };

struct effective *effective_new(struct sk_call *c)
{
	return sk_alloc(c->arena, sizeof(struct effective));
}

void effective_add_policy(struct sk_call *c, struct effective *e, const char *policy, const char *group)
{
	for (size_t i = 0; i < e->count; i++)
		if (!strcmp(e->policy[i].name, policy))
			return;
	if (e->count < INDEX_EFFECTIVE)
		e->policy[e->count++] = (struct effective_policy){ policy, group, sk_get(c, "registry/policy/%s", policy) };
}

void effective_skip(struct effective *e, const char *policy)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->policy[i].name, policy))
			e->policy[kept++] = e->policy[i];
	e->count = kept;
}

void effective_add_certificate(struct sk_call *c, struct effective *e, const char *id)
{
	struct sk_scan attached = sk_scan(c, 2 * INDEX_POLICIES, NULL, "registry/attached/%s/", id);

	for (size_t i = 0; i < attached.count; i++)
		effective_add_policy(c, e, attached.row[i].name, NULL);
}

void effective_add_group(struct sk_call *c, struct effective *e, const char *group)
{
	for (int depth = 0; group && depth < DEPTH; depth++) {
		struct sk_scan attached = sk_scan(c, 2 * INDEX_POLICIES, NULL, "registry/attached-group/%s/", group);
		for (size_t i = 0; i < attached.count; i++)
			effective_add_policy(c, e, attached.row[i].name, group);
		group = sk_json_text(sk_get(c, "registry/group/%s", group), "parentGroupName");
	}
}

void effective_add_thing(struct sk_call *c, struct effective *e, const char *thing)
{
	struct sk_scan groups = sk_scan(c, THINGS, NULL, "registry/thing-group/%s/", thing);

	for (size_t i = 0; i < groups.count; i++)
		effective_add_group(c, e, groups.row[i].name);
}

const char *effective_thing(struct sk_call *c, const char *id, const char *client_id)
{
	struct sk_scan things = sk_scan(c, 1, NULL, "registry/principal/%s/", id);
	const char *type = things.count ? sk_json_text(things.row[0].document, "thingPrincipalType") : NULL;

	if (type && !strcmp(type, "EXCLUSIVE_THING"))
		return things.row[0].name;
	if (!client_id || !*client_id || strchr(client_id, '/'))
		return NULL;
	return sk_get(c, "registry/principal/%s/%s", id, client_id) ? client_id : NULL;
}

/* As the broker's thread has it, see watches.c. */
static const char *facts_of_thing(struct sk_call *c, const char *thing)
{
	const cJSON *record = sk_get(c, "registry/thing/%s", thing), *attributes = sk_json_get(record, "attributes");
	size_t room = 16, type = strlen(sk_json_text(record, "thingTypeName") ? sk_json_text(record, "thingTypeName") : "");
	char *text, *at;

	SK_JSON_EACH(attribute, attributes)
		room += strlen(attribute->string) + (cJSON_IsString(attribute) ? strlen(attribute->valuestring) : 0) + 2;
	text = at = sk_alloc(c->arena, room + type);
	if (!text)
		return NULL;
	if (type) {
		at = stpcpy(at, KNOWN_TYPE) + 1;
		at = stpcpy(at, sk_json_text(record, "thingTypeName")) + 1;
	}
	SK_JSON_EACH(attribute, attributes) {
		if (!cJSON_IsString(attribute))
			continue;
		at = stpcpy(at, attribute->string) + 1;
		at = stpcpy(at, attribute->valuestring) + 1;
	}
	return text;
}

void effective_know(struct sk_call *c, struct effective *e, const char *client_id, const char *id, const char *thing)
{
	const cJSON *certificate = id ? sk_get(c, "registry/cert/%s", id) : NULL;

	e->known.client_id = client_id;
	e->known.certificate = id;
	e->known.thing = thing;
	if (certificate)
		e->known.certificate_facts = facts_of_pem(c->arena, sk_json_text(certificate, "certificatePem"));
	if (thing)
		e->known.thing_facts = facts_of_thing(c, thing);
}
