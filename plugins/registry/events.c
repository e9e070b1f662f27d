/* events.c -- event configurations, and the events of things, types and groups.
 *
 * registry/event-configurations is {enabled: {THING: true, ...}, creationDate, lastModifiedDate}; all is off until it exists. The keys of
 * jobs, policies and certificates are kept for those who publish them. Documents are those of the developer guide's "Registry events". */
#include "plugins/registry/events.h"

#include <string.h>

#include "core/plugin.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/events.ops"
#define OPS_GROUP events
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define RECORD "registry/event-configurations"
#define DURABLE (SK_QOS1 | SK_DURABLE)

static const char *const types[] = { "THING", "THING_GROUP", "THING_TYPE", "THING_GROUP_MEMBERSHIP", "THING_GROUP_HIERARCHY",
	                             "THING_TYPE_ASSOCIATION", "JOB", "JOB_EXECUTION", "POLICY", "CERTIFICATE", "CA_CERTIFICATE" };

/* The topic's last level, and the document's word. */
static const struct { const char *level, *word; } operations[] = {
	[EVENT_CREATED] = { "created", "CREATED" }, [EVENT_UPDATED] = { "updated", "UPDATED" }, [EVENT_DELETED] = { "deleted", "DELETED" },
	[EVENT_ADDED] = { "added", "ADDED" },       [EVENT_REMOVED] = { "removed", "REMOVED" },
};

static int DescribeEventConfigurations(struct sk_call *c)
{
	const cJSON *record = sk_get(c, RECORD), *enabled = sk_json_get(record, "enabled");
	cJSON *all = sk_json_set_object(c->arena, c->out, "eventConfigurations");

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		cJSON *one = sk_json_set_object(c->arena, all, types[i]);
		sk_json_set_bool(c->arena, one, "Enabled", sk_json_true(enabled, types[i]));
	}
	if (!record)
		return SK_OK;
	sk_json_set(c->arena, c->out, "creationDate", sk_json_time(c->arena, sk_json_int_of(record, "creationDate", 0)));
	sk_json_set(c->arena, c->out, "lastModifiedDate", sk_json_time(c->arena, sk_json_int_of(record, "lastModifiedDate", 0)));
	return SK_OK;
}

/* Keys that are not named keep what they were. */
static int UpdateEventConfigurations(struct sk_call *c)
{
	const cJSON *old = sk_get(c, RECORD), *given = sk_json_get(c->in, "eventConfigurations");
	cJSON *record = old ? sk_json_copy(c->arena, old) : sk_json_object(c->arena);

	if (!old) {
		sk_json_set_object(c->arena, record, "enabled");
		sk_json_set_int(c->arena, record, "creationDate", c->now_ms);
	}
	SK_JSON_EACH(one, given)
		sk_json_set_bool(c->arena, sk_json_get(record, "enabled"), one->string, sk_json_true(one, "Enabled"));
	sk_json_set_int(c->arena, record, "lastModifiedDate", c->now_ms);
	sk_put(c, record, RECORD);
	return SK_OK;
}

static bool is_wanted(struct sk_call *c, const char *type)
{
	return sk_json_true(sk_json_get(sk_get(c, RECORD), "enabled"), type);
}

static void set_text_or_null(struct sk_call *c, cJSON *out, const char *key, const char *text)
{
	sk_json_set(c->arena, out, key, text ? sk_json_string(c->arena, text) : sk_json_null(c->arena));
}

static cJSON *begin(struct sk_call *c, const char *event_type, enum event_operation op)
{
	const struct registry_state *s = c->state;
	cJSON *event = sk_json_object(c->arena);

	sk_json_set_string(c->arena, event, "eventType", event_type);
	sk_json_set_string(c->arena, event, "eventId", sk_uuid(c));
	sk_json_set_int(c->arena, event, "timestamp", c->now_ms);
	sk_json_set_string(c->arena, event, "operation", operations[op].word);
	sk_json_set_string(c->arena, event, "accountId", s->account);
	return event;
}

void event_thing(struct sk_call *c, enum event_operation op, const cJSON *thing)
{
	const char *name = sk_json_text(thing, "thingName");

	if (!is_wanted(c, "THING") || !name)
		return;
	cJSON *event = begin(c, "THING_EVENT", op);
	sk_json_set_string(c->arena, event, "thingId", sk_json_text(thing, "thingId"));
	sk_json_set_string(c->arena, event, "thingName", name);
	sk_json_set_int(c->arena, event, "versionNumber", sk_json_int_of(thing, "version", 1));
	set_text_or_null(c, event, "thingTypeName", sk_json_text(thing, "thingTypeName"));
	sk_json_set(c->arena, event, "attributes", sk_json_copy(c->arena, sk_json_get(thing, "attributes")));
	sk_publish(c, DURABLE, event, "$aws/events/thing/%s/%s", name, operations[op].level);
}

static void set_list(struct sk_call *c, cJSON *out, const char *key, const cJSON *list)
{
	sk_json_set(c->arena, out, key, cJSON_IsArray(list) ? sk_json_copy(c->arena, list) : sk_json_array(c->arena));
}

void event_thing_type(struct sk_call *c, enum event_operation op, const cJSON *type)
{
	const cJSON *properties = sk_json_get(type, "thingTypeProperties"), *deprecated = sk_json_get(type, "deprecationDate");
	const char *name = sk_json_text(type, "thingTypeName");

	if (!is_wanted(c, "THING_TYPE") || !name)
		return;
	cJSON *event = begin(c, "THING_TYPE_EVENT", op);
	sk_json_set_string(c->arena, event, "thingTypeId", sk_json_text(type, "thingTypeId"));
	sk_json_set_string(c->arena, event, "thingTypeName", name);
	sk_json_set_bool(c->arena, event, "isDeprecated", deprecated != NULL);
	sk_json_set(c->arena, event, "deprecationDate", deprecated ? sk_json_copy(c->arena, deprecated) : sk_json_null(c->arena));
	set_list(c, event, "searchableAttributes", sk_json_get(properties, "searchableAttributes"));
	set_list(c, event, "propagatingAttributes", sk_json_get(sk_json_get(properties, "mqtt5Configuration"), "propagatingAttributes"));
	set_text_or_null(c, event, "description", sk_json_text(properties, "thingTypeDescription"));
	sk_publish(c, DURABLE, event, "$aws/events/thingType/%s/%s", name, operations[op].level);
}

void event_type_association(struct sk_call *c, enum event_operation op, const cJSON *thing, const char *type)
{
	const char *name = sk_json_text(thing, "thingName");

	if (!type || !is_wanted(c, "THING_TYPE_ASSOCIATION") || !name)
		return;
	cJSON *event = begin(c, "THING_TYPE_ASSOCIATION_EVENT", op);
	sk_json_set_string(c->arena, event, "thingId", sk_json_text(thing, "thingId"));
	sk_json_set_string(c->arena, event, "thingName", name);
	sk_json_set_string(c->arena, event, "thingTypeName", type);
	sk_publish(c, DURABLE, event, "$aws/events/thingTypeAssociation/thing/%s/thingType/%s/%s", name, type, operations[op].level);
}

static const char *group_arn(struct sk_call *c, const char *name)
{
	return sk_arn(c, "thinggroup/%s", name);
}

/* {groupArn, groupId} of the ancestors from the root down; answers the last one's id. */
static const char *set_ancestors(struct sk_call *c, cJSON *event, const cJSON *group)
{
	cJSON *list = sk_json_set_array(c->arena, event, "rootToParentThingGroups");
	const char *id = NULL;

	SK_JSON_EACH(name, sk_json_get(group, "rootToParent")) {
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		id = sk_json_text(sk_get(c, "registry/group/%s", name->valuestring), "thingGroupId");
		sk_json_set_string(c->arena, one, "groupArn", group_arn(c, name->valuestring));
		sk_json_set_string(c->arena, one, "groupId", id);
	}
	return id;
}

void event_group(struct sk_call *c, enum event_operation op, const cJSON *group)
{
	const char *name = sk_json_text(group, "thingGroupName");

	if (!is_wanted(c, "THING_GROUP") || !name)
		return;
	cJSON *event = begin(c, "THING_GROUP_EVENT", op);
	sk_json_set_string(c->arena, event, "thingGroupId", sk_json_text(group, "thingGroupId"));
	sk_json_set_string(c->arena, event, "thingGroupName", name);
	sk_json_set_int(c->arena, event, "versionNumber", sk_json_int_of(group, "version", 1));
	set_text_or_null(c, event, "parentGroupName", sk_json_text(group, "parentGroupName"));
	set_text_or_null(c, event, "parentGroupId", set_ancestors(c, event, group));
	set_text_or_null(c, event, "description", sk_json_text(group, "thingGroupDescription"));
	sk_json_set(c->arena, event, "attributes", sk_json_copy(c->arena, sk_json_get(group, "attributes")));
	set_text_or_null(c, event, "dynamicGroupMappingId", NULL);
	sk_publish(c, DURABLE, event, "$aws/events/thingGroup/%s/%s", name, operations[op].level);
}

static int hex_digit(char ch)
{
	static const char all[] = "0123456789abcdef";
	const char *at = ch ? strchr(all, ch) : NULL;

	return at ? (int)(at - all) : 0;
}

/* "An ID that represents the relationship between the thing and the thing group": both ids mixed digit by digit, so that ADDED and REMOVED
 * tell the same and nothing has to be stored. */
static const char *membership_id(struct sk_call *c, const char *group_id, const char *thing_id)
{
	char *id = sk_strdup(c->arena, group_id);

	for (size_t i = 0; id && thing_id && id[i] && thing_id[i]; i++)
		if (id[i] != '-' && i != 14 && i != 19)
			id[i] = "0123456789abcdef"[hex_digit(id[i]) ^ hex_digit(thing_id[i])];
	return id;
}

void event_membership(struct sk_call *c, enum event_operation op, const cJSON *group, const cJSON *thing)
{
	const char *group_name = sk_json_text(group, "thingGroupName"), *thing_name = sk_json_text(thing, "thingName");
	const char *group_id = sk_json_text(group, "thingGroupId"), *thing_id = sk_json_text(thing, "thingId");

	if (!is_wanted(c, "THING_GROUP_MEMBERSHIP") || !group_name || !thing_name)
		return;
	cJSON *event = begin(c, "THING_GROUP_MEMBERSHIP_EVENT", op);
	sk_json_set_string(c->arena, event, "groupArn", group_arn(c, group_name));
	sk_json_set_string(c->arena, event, "groupId", group_id);
	sk_json_set_string(c->arena, event, "thingArn", sk_arn(c, "thing/%s", thing_name));
	sk_json_set_string(c->arena, event, "thingId", thing_id);
	sk_json_set_string(c->arena, event, "membershipId", membership_id(c, group_id, thing_id));
	sk_publish(c, DURABLE, event, "$aws/events/thingGroupMembership/thingGroup/%s/thing/%s/%s", group_name, thing_name,
	           operations[op].level);
}

void event_hierarchy(struct sk_call *c, enum event_operation op, const cJSON *parent, const cJSON *child)
{
	const char *parent_name = sk_json_text(parent, "thingGroupName"), *child_name = sk_json_text(child, "thingGroupName");

	if (!parent_name || !child_name || !is_wanted(c, "THING_GROUP_HIERARCHY"))
		return;
	cJSON *event = begin(c, "THING_GROUP_HIERARCHY_EVENT", op);
	sk_json_set_string(c->arena, event, "thingGroupId", sk_json_text(parent, "thingGroupId"));
	sk_json_set_string(c->arena, event, "thingGroupName", parent_name);
	sk_json_set_string(c->arena, event, "childGroupId", sk_json_text(child, "thingGroupId"));
	sk_json_set_string(c->arena, event, "childGroupName", child_name);
	sk_publish(c, DURABLE, event, "$aws/events/thingGroupHierarchy/thingGroup/%s/childThingGroup/%s/%s", parent_name, child_name,
	           operations[op].level);
}
