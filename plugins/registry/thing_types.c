/* thing_types.c -- thing types: a description and attribute names that things of one kind share.
 *
 * registry/type/<name> is {thingTypeName, thingTypeId, thingTypeProperties, creationDate, deprecationDate?, tags?}, dates in ms; a type
 * is deprecated while it has a deprecationDate. registry/type-thing/<name>/ (things.c) says whether it is in use. */
#include <string.h>

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/registry/events.h"
#include "plugins/registry/registry.h"
#include "plugins/registry/tags.h"

#define OPS_FILE "plugins/registry/thing_types.ops"
#define OPS_GROUP thing_types
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

/* "The service requires a wait of 5 minutes between deprecation and deletion": DeleteThingType. */
enum { DELETE_AFTER_MS = 5 * 60 * 1000 };
enum { SEARCHABLE_MAX = 3, PROPAGATING_MAX = 20 };

static int fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Thing type %s cannot be found.", name);
}

static int check_propagating(struct sk_call *c, const cJSON *list)
{
	if (sk_json_count(list) > PROPAGATING_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "A thing type can have at most %d propagating attributes", PROPAGATING_MAX);
	SK_JSON_EACH(p, list) {
		bool from_thing = sk_json_text(p, "thingAttribute"), from_connection = sk_json_text(p, "connectionAttribute");
		if (!sk_json_text(p, "userPropertyKey"))
			return sk_fail(c, SK_E_INVALID_REQUEST, "A propagating attribute needs a userPropertyKey");
		if (from_thing == from_connection)
			return sk_fail(c, SK_E_INVALID_REQUEST,
			               "A propagating attribute needs either a thingAttribute or a connectionAttribute");
	}
	return SK_OK;
}

static int check_properties(struct sk_call *c, const cJSON *properties)
{
	if (sk_json_count(sk_json_get(properties, "searchableAttributes")) > SEARCHABLE_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "A thing type can have at most %d searchable attributes", SEARCHABLE_MAX);
	return check_propagating(c, sk_json_get(sk_json_get(properties, "mqtt5Configuration"), "propagatingAttributes"));
}

/* Only the members that the model knows, so that what is stored and compared does not depend on what else was sent. */
static cJSON *known_properties(struct sk_call *c, const cJSON *given)
{
	static const char *const known[] = { "thingTypeDescription", "searchableAttributes", "mqtt5Configuration" };
	cJSON *properties = sk_json_object(c->arena);

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const cJSON *member = sk_json_get(given, known[i]);
		if (member && !cJSON_IsNull(member))
			sk_json_set(c->arena, properties, known[i], sk_json_copy(c->arena, member));
	}
	return properties;
}

static bool holds_text(const cJSON *list, const char *text)
{
	SK_JSON_EACH(e, list)
		if (cJSON_IsString(e) && !strcmp(e->valuestring, text))
			return true;
	return false;
}

static bool is_subset(const cJSON *a, const cJSON *b)
{
	SK_JSON_EACH(e, a)
		if (!cJSON_IsString(e) || !holds_text(b, e->valuestring))
			return false;
	return true;
}

/* In any order. The lists are at most SEARCHABLE_MAX long: both have passed check_properties. */
static bool same_set(const cJSON *a, const cJSON *b)
{
	return is_subset(a, b) && is_subset(b, a);
}

static bool same_properties(const cJSON *a, const cJSON *b)
{
	const char *da = sk_json_text(a, "thingTypeDescription"), *db = sk_json_text(b, "thingTypeDescription");
	const cJSON *pa = sk_json_get(sk_json_get(a, "mqtt5Configuration"), "propagatingAttributes");
	const cJSON *pb = sk_json_get(sk_json_get(b, "mqtt5Configuration"), "propagatingAttributes");

	return !strcmp(da ? da : "", db ? db : "") &&
	       same_set(sk_json_get(a, "searchableAttributes"), sk_json_get(b, "searchableAttributes")) &&
	       ((!sk_json_count(pa) && !sk_json_count(pb)) || sk_json_equal(pa, pb));
}

static void answer_created(struct sk_call *c, const char *name, const char *id)
{
	sk_json_set_string(c->arena, c->out, "thingTypeName", name);
	sk_json_set_string(c->arena, c->out, "thingTypeArn", sk_arn(c, "thingtype/%s", name));
	sk_json_set_string(c->arena, c->out, "thingTypeId", id);
}

/* "If this call is made multiple times using the same thing type name and configuration, the call will succeed." */
static int create_again(struct sk_call *c, const char *name, const cJSON *old, const cJSON *properties)
{
	if (same_properties(sk_json_get(old, "thingTypeProperties"), properties)) {
		answer_created(c, name, sk_json_text(old, "thingTypeId"));
		return SK_OK;
	}
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Thing type %s already exists in account with different properties", name);
	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", sk_json_text(old, "thingTypeId"));
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "thingtype/%s", name));
	return rc;
}

static int CreateThingType(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName");
	const cJSON *old = sk_get(c, "registry/type/%s", name);
	const cJSON *given = sk_json_get(c->in, "thingTypeProperties");
	int rc = check_properties(c, given);

	if (!rc)
		rc = tags_check(c);
	if (rc)
		return rc;
	cJSON *properties = known_properties(c, given);
	if (old)
		return create_again(c, name, old, properties);
	const char *id = sk_uuid(c);
	cJSON *type = sk_json_object(c->arena);
	sk_json_set_string(c->arena, type, "thingTypeName", name);
	sk_json_set_string(c->arena, type, "thingTypeId", id);
	sk_json_set(c->arena, type, "thingTypeProperties", properties);
	sk_json_set_int(c->arena, type, "creationDate", c->now_ms);
	tags_store(c, type);
	sk_put(c, type, "registry/type/%s", name);
	event_thing_type(c, EVENT_CREATED, type);
	answer_created(c, name, id);
	return SK_OK;
}

static void describe(struct sk_call *c, cJSON *out, const char *name, const cJSON *type)
{
	const cJSON *properties = sk_json_get(type, "thingTypeProperties");
	int64_t deprecated = sk_json_int_of(type, "deprecationDate", 0);

	sk_json_set_string(c->arena, out, "thingTypeName", name);
	sk_json_set_string(c->arena, out, "thingTypeArn", sk_arn(c, "thingtype/%s", name));
	sk_json_set(c->arena, out, "thingTypeProperties", sk_json_copy(c->arena, properties));
	cJSON *metadata = sk_json_set_object(c->arena, out, "thingTypeMetadata");
	sk_json_set_bool(c->arena, metadata, "deprecated", deprecated != 0);
	if (deprecated)
		sk_json_set(c->arena, metadata, "deprecationDate", sk_json_time(c->arena, deprecated));
	sk_json_set(c->arena, metadata, "creationDate", sk_json_time(c->arena, sk_json_int_of(type, "creationDate", 0)));
}

static int DescribeThingType(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName");
	const cJSON *type = sk_get(c, "registry/type/%s", name);

	if (!type)
		return fail_absent(c, name);
	sk_json_set_string(c->arena, c->out, "thingTypeId", sk_json_text(type, "thingTypeId"));
	describe(c, c->out, name, type);
	return SK_OK;
}

/* With a name the list is that type or nothing. */
static int ListThingTypes(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName");
	const cJSON *one = name ? sk_get(c, "registry/type/%s", name) : NULL;
	int rc = SK_OK;
	struct sk_scan page = { 0 };

	if (!name)
		page = sk_scan_page(c, &rc, "registry/type/");
	if (rc)
		return rc;
	cJSON *types = sk_json_set_array(c->arena, c->out, "thingTypes");
	if (one)
		describe(c, sk_json_append(types, sk_json_object(c->arena)), name, one);
	for (size_t i = 0; i < page.count; i++)
		describe(c, sk_json_append(types, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
	return SK_OK;
}

/* Deprecating again keeps the first date: the five minutes until deletion do not start anew. */
static int DeprecateThingType(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName");
	const cJSON *old = sk_get(c, "registry/type/%s", name);
	bool wanted = !sk_json_true(c->in, "undoDeprecate");

	if (!old)
		return fail_absent(c, name);
	if (wanted == (sk_json_get(old, "deprecationDate") != NULL))
		return SK_OK;
	cJSON *type = sk_json_copy(c->arena, old);
	if (wanted)
		sk_json_set_int(c->arena, type, "deprecationDate", c->now_ms);
	else
		sk_json_remove(type, "deprecationDate");
	sk_put(c, type, "registry/type/%s", name);
	event_thing_type(c, EVENT_UPDATED, type);
	return SK_OK;
}

/* "Can only update mqtt5Configuration." is AWS's answer to everything else; a deprecated type is not updated at all. */
static int UpdateThingType(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName");
	const cJSON *old = sk_get(c, "registry/type/%s", name), *given = sk_json_get(c->in, "thingTypeProperties");
	const cJSON *mqtt5 = sk_json_get(given, "mqtt5Configuration");

	if (!old)
		return fail_absent(c, name);
	if (sk_json_text(given, "thingTypeDescription") || cJSON_IsArray(sk_json_get(given, "searchableAttributes")))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Can only update mqtt5Configuration.");
	if (sk_json_get(old, "deprecationDate"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Can not update deprecated thing type: %s", name);
	int rc = check_properties(c, given);
	if (rc || !cJSON_IsObject(mqtt5))
		return rc;
	cJSON *type = sk_json_copy(c->arena, old);
	sk_json_set(c->arena, sk_json_get(type, "thingTypeProperties"), "mqtt5Configuration", sk_json_copy(c->arena, mqtt5));
	sk_put(c, type, "registry/type/%s", name);
	event_thing_type(c, EVENT_UPDATED, type);
	return SK_OK;
}

static int DeleteThingType(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingTypeName"), *why = NULL;
	const cJSON *old = sk_get(c, "registry/type/%s", name);
	struct sk_scan things = sk_scan(c, 1, NULL, "registry/type-thing/%s/", name);
	int64_t deprecated = sk_json_int_of(old, "deprecationDate", 0);

	if (!old)
		return fail_absent(c, name);
	if (!deprecated)
		why = "Please deprecate it first";
	else if (things.count)
		why = "It is still associated with one or more things";
	else if (c->now_ms - deprecated < DELETE_AFTER_MS)
		why = "Please wait for 5 minutes after deprecation and then retry";
	if (why)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Cannot delete thing type : %s. %s", name, why);
	sk_remove(c, "registry/type/%s", name);
	event_thing_type(c, EVENT_DELETED, old);
	return SK_OK;
}
