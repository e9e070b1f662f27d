/* principals.c -- certificates of things.
 *
 * An attachment is {thingPrincipalType} under registry/principal/<certificate>/<thing> and under registry/thing-principal/<thing>/<certificate>,
 * always both. The thing itself, registry/thing/<name>, is skeeter_registry's. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/principals.ops"
#define OPS_GROUP principals
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define EXCLUSIVE "EXCLUSIVE_THING"
#define NON_EXCLUSIVE "NON_EXCLUSIVE_THING"

static int check_thing(struct sk_call *c, const char *thing)
{
	return sk_get(c, "registry/thing/%s", thing) ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", thing);
}

static bool is_exclusive(const cJSON *attachment)
{
	const char *type = sk_json_text(attachment, "thingPrincipalType");

	return type && !strcmp(type, EXCLUSIVE);
}

/* "EXCLUSIVE_THING - attaches the principal to the thing exclusively: the thing will be the only thing that it is attached to." */
static int check_exclusive(struct sk_call *c, const char *thing, const char *id, bool exclusive)
{
	struct sk_scan others = sk_scan(c, 2, NULL, "registry/principal/%s/", id);

	for (size_t i = 0; i < others.count; i++) {
		if (!strcmp(others.row[i].name, thing))
			continue;
		if (exclusive || is_exclusive(others.row[i].document))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Certificate %s is attached to thing %s already, and one of the two is exclusive", id,
			               others.row[i].name);
	}
	return SK_OK;
}

static int AttachThingPrincipal(struct sk_call *c)
{
	const char *thing = sk_json_text(c->in, "thingName"), *type = sk_json_text(c->in, "thingPrincipalType");
	char id[CERTIFICATE_HEX_SIZE + 1];
	const cJSON *certificate;
	int rc = target_record(c, sk_json_text(c->in, "principal"), id, &certificate);
	cJSON *attachment;

	if (!type)
		type = NON_EXCLUSIVE;
	if (!rc)
		rc = check_thing(c, thing);
	if (!rc)
		rc = check_exclusive(c, thing, id, !strcmp(type, EXCLUSIVE));
	if (rc)
		return rc;
	attachment = sk_json_object(c->arena);
	sk_json_set_string(c->arena, attachment, "thingPrincipalType", type);
	sk_put(c, attachment, "registry/principal/%s/%s", id, thing);
	sk_put(c, attachment, "registry/thing-principal/%s/%s", thing, id);
	return SK_OK;
}

static int DetachThingPrincipal(struct sk_call *c)
{
	const char *thing = sk_json_text(c->in, "thingName");
	char id[CERTIFICATE_HEX_SIZE + 1];
	int rc = target_of_arn(c, sk_json_text(c->in, "principal"), id);

	if (!rc)
		rc = check_thing(c, thing);
	if (rc)
		return rc;
	if (!sk_get(c, "registry/principal/%s/%s", id, thing))
		return sk_fail(c, SK_E_NOT_FOUND, "Certificate %s is not attached to thing %s", id, thing);
	sk_remove(c, "registry/principal/%s/%s", id, thing);
	sk_remove(c, "registry/thing-principal/%s/%s", thing, id);
	return SK_OK;
}

/* A page of who is attached to the input's thing. */
static int page_of_principals(struct sk_call *c, struct sk_scan *page)
{
	const char *thing = sk_json_text(c->in, "thingName");
	int rc = check_thing(c, thing);

	if (!rc)
		*page = sk_scan_page(c, &rc, "registry/thing-principal/%s/", thing);
	return rc;
}

/* A page of the things that the input's principal is attached to. */
static int page_of_things(struct sk_call *c, struct sk_scan *page)
{
	char id[CERTIFICATE_HEX_SIZE + 1];
	const cJSON *certificate;
	int rc = target_record(c, sk_json_text(c->in, "principal"), id, &certificate);

	if (!rc)
		*page = sk_scan_page(c, &rc, "registry/principal/%s/", id);
	return rc;
}

static int ListThingPrincipals(struct sk_call *c)
{
	struct sk_scan page = { 0 };
	int rc = page_of_principals(c, &page);
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "principals");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(list, sk_json_string(c->arena, target_arn(c, page.row[i].name)));
	return SK_OK;
}

static int ListPrincipalThings(struct sk_call *c)
{
	struct sk_scan page = { 0 };
	int rc = page_of_things(c, &page);
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "things");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(list, sk_json_string(c->arena, page.row[i].name));
	return SK_OK;
}

/* -- with the kind of attachment -- */

static const char *kind_of(const cJSON *attachment)
{
	return is_exclusive(attachment) ? EXCLUSIVE : NON_EXCLUSIVE;
}

static bool is_wanted(const struct sk_call *c, const cJSON *attachment)
{
	const char *type = sk_json_text(c->in, "thingPrincipalType");

	return !type || !strcmp(type, kind_of(attachment));
}

static cJSON *append_object(struct sk_call *c, cJSON *list, const cJSON *attachment)
{
	cJSON *out = sk_json_append(list, sk_json_object(c->arena));

	sk_json_set_string(c->arena, out, "thingPrincipalType", kind_of(attachment));
	return out;
}

static int ListThingPrincipalsV2(struct sk_call *c)
{
	struct sk_scan page = { 0 };
	int rc = page_of_principals(c, &page);
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "thingPrincipalObjects");
	for (size_t i = 0; i < page.count; i++)
		if (is_wanted(c, page.row[i].document))
			sk_json_set_string(c->arena, append_object(c, list, page.row[i].document), "principal", target_arn(c, page.row[i].name));
	return SK_OK;
}

static int ListPrincipalThingsV2(struct sk_call *c)
{
	struct sk_scan page = { 0 };
	int rc = page_of_things(c, &page);
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "principalThingObjects");
	for (size_t i = 0; i < page.count; i++)
		if (is_wanted(c, page.row[i].document))
			sk_json_set_string(c->arena, append_object(c, list, page.row[i].document), "thingName", page.row[i].name);
	return SK_OK;
}
