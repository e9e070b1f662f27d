/* things.c -- things: a name, some attributes, perhaps a type; updates are guarded by a version that starts at 1.
 *
 * registry/thing/<name> is the thing: {thingName, thingId, version, attributes, thingTypeName?, billingGroupName?}.
 * registry/type-thing/<type>/<name> is {} for every thing that has a type, and is written in the same commit as the thing.
 * registry/thing-principal/<name>/<certificate> is written by skeeter_auth; while there is one, the thing stays. */
#include <string.h>

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/registry/attributes.h"
#include "plugins/registry/billing_groups.h"
#include "plugins/registry/events.h"
#include "plugins/registry/group_members.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/things.ops"
#define OPS_GROUP things
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

/* "A thing without a type has at most three attributes, one with a type fifty": developer guide, thing types. */
enum { ATTRIBUTES_PLAIN = 3, ATTRIBUTES_TYPED = ATTRIBUTES_MAX };

static int fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", name);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static cJSON *new_attributes(struct sk_call *c, const cJSON *old)
{
	return attributes_after(c, sk_json_get(c->in, "attributePayload"), old);
}

static int check_count(struct sk_call *c, const cJSON *attributes, const char *type)
{
	int limit = type ? ATTRIBUTES_TYPED : ATTRIBUTES_PLAIN;

	if (sk_json_count(attributes) <= limit)
		return SK_OK;
	return sk_fail(c, SK_E_INVALID_REQUEST, "A thing %s a thing type can have at most %d attributes",
	               type ? "with" : "without", limit);
}

static int check_type(struct sk_call *c, const char *name, const cJSON *type, const char *deprecated)
{
	if (!type)
		return sk_fail(c, SK_E_NOT_FOUND, "Thing type %s cannot be found.", name);
	if (sk_json_get(type, "deprecationDate"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s%s", deprecated, name);
	return SK_OK;
}

static void answer_created(struct sk_call *c, const char *name, const char *id)
{
	sk_json_set_string(c->arena, c->out, "thingName", name);
	sk_json_set_string(c->arena, c->out, "thingArn", sk_arn(c, "thing/%s", name));
	sk_json_set_string(c->arena, c->out, "thingId", id);
}

/* "If this call is made with the same thing name but different configuration a ResourceAlreadyExistsException is thrown." */
static int create_again(struct sk_call *c, const char *name, const cJSON *old, const cJSON *attributes)
{
	if (sk_json_equal(sk_json_get(old, "attributes"), attributes) &&
	    same_text(sk_json_text(old, "thingTypeName"), sk_json_text(c->in, "thingTypeName")) &&
	    same_text(sk_json_text(old, "billingGroupName"), sk_json_text(c->in, "billingGroupName"))) {
		answer_created(c, name, sk_json_text(old, "thingId"));
		return SK_OK;
	}
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Thing %s already exists in account with different attributes", name);
	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", sk_json_text(old, "thingId"));
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "thing/%s", name));
	return rc;
}

static void store_new(struct sk_call *c, const char *name, cJSON *attributes)
{
	const char *type = sk_json_text(c->in, "thingTypeName"), *billing = sk_json_text(c->in, "billingGroupName"), *id = sk_uuid(c);
	cJSON *thing = sk_json_object(c->arena);

	sk_json_set_string(c->arena, thing, "thingName", name);
	sk_json_set_string(c->arena, thing, "thingId", id);
	sk_json_set_int(c->arena, thing, "version", 1);
	sk_json_set_string(c->arena, thing, "thingTypeName", type);
	sk_json_set_string(c->arena, thing, "billingGroupName", billing);
	sk_json_set(c->arena, thing, "attributes", attributes);
	sk_put(c, thing, "registry/thing/%s", name);
	if (type)
		sk_put(c, sk_json_object(c->arena), "registry/type-thing/%s/%s", type, name);
	billing_group_mark(c, billing, name, true);
	event_thing(c, EVENT_CREATED, thing);
	event_type_association(c, EVENT_ADDED, thing, type);
	answer_created(c, name, id);
}

static int CreateThing(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingName"), *type = sk_json_text(c->in, "thingTypeName");
	const char *billing = sk_json_text(c->in, "billingGroupName");
	const cJSON *old = sk_get(c, "registry/thing/%s", name);
	const cJSON *type_record = type ? sk_get(c, "registry/type/%s", type) : NULL;
	const cJSON *billing_record = billing ? sk_get(c, "registry/billing-group/%s", billing) : NULL;
	cJSON *attributes = new_attributes(c, NULL);
	int rc = SK_OK;

	if (old)
		return create_again(c, name, old, attributes);
	if (type)
		rc = check_type(c, type, type_record, "Can not create new thing with deprecated thing type:");
	if (!rc && billing && !billing_record)
		rc = sk_fail(c, SK_E_NOT_FOUND, "Billing group %s cannot be found.", billing);
	if (!rc)
		rc = check_count(c, attributes, type);
	if (!rc)
		store_new(c, name, attributes);
	return rc;
}

static int DescribeThing(struct sk_call *c)
{
	static const char *const copied[] = { "thingId", "thingTypeName", "billingGroupName" };
	const char *name = sk_json_text(c->in, "thingName");
	const cJSON *thing = sk_get(c, "registry/thing/%s", name);

	if (!thing)
		return fail_absent(c, name);
	sk_json_set_string(c->arena, c->out, "defaultClientId", name);
	sk_json_set_string(c->arena, c->out, "thingName", name);
	sk_json_set_string(c->arena, c->out, "thingArn", sk_arn(c, "thing/%s", name));
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		sk_json_set_string(c->arena, c->out, copied[i], sk_json_text(thing, copied[i]));
	sk_json_set(c->arena, c->out, "attributes", sk_json_copy(c->arena, sk_json_get(thing, "attributes")));
	sk_json_set_int(c->arena, c->out, "version", sk_json_int_of(thing, "version", 1));
	return SK_OK;
}

static void store_updated(struct sk_call *c, const cJSON *old, const char *type, cJSON *attributes)
{
	const char *name = sk_json_text(c->in, "thingName"), *old_type = sk_json_text(old, "thingTypeName");
	cJSON *thing = sk_json_copy(c->arena, old);

	sk_json_set_int(c->arena, thing, "version", sk_json_int_of(old, "version", 1) + 1);
	sk_json_set(c->arena, thing, "attributes", attributes);
	if (!same_text(type, old_type)) {
		sk_json_remove(thing, "thingTypeName");
		sk_json_set_string(c->arena, thing, "thingTypeName", type);
		if (old_type)
			sk_remove(c, "registry/type-thing/%s/%s", old_type, name);
		if (type)
			sk_put(c, sk_json_object(c->arena), "registry/type-thing/%s/%s", type, name);
		event_type_association(c, EVENT_REMOVED, thing, old_type);
		event_type_association(c, EVENT_ADDED, thing, type);
	}
	sk_put(c, thing, "registry/thing/%s", name);
	event_thing(c, EVENT_UPDATED, thing);
}

static int UpdateThing(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingName"), *type = sk_json_text(c->in, "thingTypeName");
	const cJSON *old = sk_get(c, "registry/thing/%s", name);
	const cJSON *type_record = type ? sk_get(c, "registry/type/%s", type) : NULL;
	const char *old_type = sk_json_text(old, "thingTypeName");
	bool untyped = sk_json_true(c->in, "removeThingType");

	if (!old)
		return fail_absent(c, name);
	int rc = input_expected_version(c, old, "thing", name);
	if (!rc && type && untyped)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "removeThingType and thingTypeName exclude each other");
	if (!rc && type && !same_text(type, old_type))
		rc = check_type(c, type, type_record, "Can not update a thing to use deprecated thing type: ");
	if (rc)
		return rc;
	if (!type && !untyped)
		type = old_type;
	cJSON *attributes = new_attributes(c, sk_json_get(old, "attributes"));
	rc = check_count(c, attributes, type);
	if (!rc)
		store_updated(c, old, type, attributes);
	return rc;
}

/* The record and all that is kept beside it. */
static void forget(struct sk_call *c, const char *name, const cJSON *thing)
{
	const char *type = sk_json_text(thing, "thingTypeName");

	sk_remove(c, "registry/thing/%s", name);
	if (type)
		sk_remove(c, "registry/type-thing/%s/%s", type, name);
	billing_group_mark(c, sk_json_text(thing, "billingGroupName"), name, false);
	group_members_forget_thing(c, name, thing);
	event_type_association(c, EVENT_REMOVED, thing, type);
	event_thing(c, EVENT_DELETED, thing);
}

/* "Returns successfully with no error if the deletion is successful or you specify a thing that doesn't exist." */
static int DeleteThing(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingName");
	const cJSON *old = sk_get(c, "registry/thing/%s", name);
	struct sk_scan principals = sk_scan(c, 1, NULL, "registry/thing-principal/%s/", name);

	if (!old)
		return SK_OK;
	int rc = input_expected_version(c, old, "thing", name);
	if (!rc && principals.count)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "Cannot delete. Thing %s is still attached to one or more principals", name);
	if (rc)
		return rc;
	forget(c, name, old);
	cJSON *event = sk_json_object(c->arena);
	sk_json_set_string(c->arena, event, "thingName", name);
	sk_emit(c, "DeleteThing", event);
	return SK_OK;
}

static bool is_wanted(const struct sk_call *c, const cJSON *thing)
{
	const char *attribute = sk_json_text(c->in, "attributeName"), *value = sk_json_text(c->in, "attributeValue");
	const char *has = attribute ? sk_json_text(sk_json_get(thing, "attributes"), attribute) : NULL;

	if (!attribute)
		return true;
	if (!has || !value)
		return has != NULL;
	if (sk_json_true(c->in, "usePrefixAttributeValue"))
		return !strncmp(has, value, strlen(value));
	return !strcmp(has, value);
}

static cJSON *list_item(struct sk_call *c, const char *name, const cJSON *thing)
{
	cJSON *item = sk_json_object(c->arena);

	sk_json_set_string(c->arena, item, "thingName", name);
	sk_json_set_string(c->arena, item, "thingTypeName", sk_json_text(thing, "thingTypeName"));
	sk_json_set_string(c->arena, item, "thingArn", sk_arn(c, "thing/%s", name));
	sk_json_set(c->arena, item, "attributes", sk_json_copy(c->arena, sk_json_get(thing, "attributes")));
	sk_json_set_int(c->arena, item, "version", sk_json_int_of(thing, "version", 1));
	return item;
}

/* A page is what the scan gives; the attribute filter then thins it out, so a page may hold fewer than maxResults (or nothing)
 * and still have a successor, as in AWS. The type has an index of its own and gives full pages. */
static int ListThings(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "thingTypeName");
	int rc = SK_OK;

	if (sk_json_text(c->in, "attributeValue") && !sk_json_text(c->in, "attributeName"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "attributeValue needs an attributeName");
	struct sk_scan page = type ? sk_scan_page(c, &rc, "registry/type-thing/%s/", type) : sk_scan_page(c, &rc, "registry/thing/");
	if (rc)
		return rc;
	cJSON *things = sk_json_set_array(c->arena, c->out, "things");
	for (size_t i = 0; i < page.count; i++) {
		const char *name = page.row[i].name;
		const cJSON *thing = type ? sk_get(c, "registry/thing/%s", name) : page.row[i].document;
		if (thing && is_wanted(c, thing))
			sk_json_append(things, list_item(c, name, thing));
	}
	return SK_OK;
}
