/* thing_groups.c -- static thing groups: trees of names with attributes, at most seven deep; a group's parent never changes.
 *
 * registry/group/<name> is {thingGroupName, thingGroupId, version, parentGroupName?, rootToParent: [names], thingGroupDescription?,
 * attributes, creationDate, tags?}. In the same commit: registry/group-root/<name> {} or, with a parent, registry/group-child/<parent>/<name> {},
 * and registry/group-descendant/<g>/<name> {} for every ancestor. A parent outlives its children, so rootToParent stays true. */
#include <string.h>

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/registry/attributes.h"
#include "plugins/registry/events.h"
#include "plugins/registry/group_members.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"
#include "plugins/registry/tags.h"

#define OPS_FILE "plugins/registry/thing_groups.ops"
#define OPS_GROUP thing_groups
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { DEPTH_MAX = 7 };

/* More than can be attached to one group. */
enum { POLICIES_READ = 100 };

static int fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Thing group %s cannot be found.", name);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static const cJSON *given_properties(const struct sk_call *c)
{
	return sk_json_get(c->in, "thingGroupProperties");
}

static cJSON *new_attributes(struct sk_call *c, const cJSON *old)
{
	return attributes_after(c, sk_json_get(given_properties(c), "attributePayload"), old);
}

static int check_attributes(struct sk_call *c, const cJSON *attributes)
{
	if (sk_json_count(attributes) <= ATTRIBUTES_MAX)
		return SK_OK;
	return sk_fail(c, SK_E_INVALID_REQUEST, "A thing group can have at most %d attributes", ATTRIBUTES_MAX);
}

static void answer_created(struct sk_call *c, const char *name, const char *id)
{
	sk_json_set_string(c->arena, c->out, "thingGroupName", name);
	sk_json_set_string(c->arena, c->out, "thingGroupArn", sk_arn(c, "thinggroup/%s", name));
	sk_json_set_string(c->arena, c->out, "thingGroupId", id);
}

/* The same words again answer the same group, as CreateThing does. */
static int create_again(struct sk_call *c, const char *name, const cJSON *old, const cJSON *attributes)
{
	const char *description = sk_json_text(given_properties(c), "thingGroupDescription");

	if (sk_json_equal(sk_json_get(old, "attributes"), attributes) &&
	    same_text(sk_json_text(old, "parentGroupName"), sk_json_text(c->in, "parentGroupName")) &&
	    same_text(sk_json_text(old, "thingGroupDescription"), description)) {
		answer_created(c, name, sk_json_text(old, "thingGroupId"));
		return SK_OK;
	}
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Thing Group %s already exists in current account with different properties", name);
	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", sk_json_text(old, "thingGroupId"));
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "thinggroup/%s", name));
	return rc;
}

/* The model of CreateThingGroup has no ResourceNotFound. */
static int check_parent(struct sk_call *c, const char *name, const cJSON *parent)
{
	if (!parent)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Parent thing group %s cannot be found.", name);
	if (sk_json_count(sk_json_get(parent, "rootToParent")) + 2 > DEPTH_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Thing groups can be at most %d levels deep", DEPTH_MAX);
	return SK_OK;
}

/* One entry of an index: there, or not there. Without a key memory is out, and nothing will be stored. */
static void mark(struct sk_call *c, bool there, const char *key)
{
	if (key && there)
		sk_put(c, sk_json_object(c->arena), "%s", key);
	else if (key)
		sk_remove(c, "%s", key);
}

/* Puts the group where lists find it, or takes it away. */
static void index_group(struct sk_call *c, const cJSON *group, bool there)
{
	const char *name = sk_json_text(group, "thingGroupName"), *parent = sk_json_text(group, "parentGroupName");
	struct sk_arena *a = c->arena;

	mark(c, there, parent ? sk_printf(a, "registry/group-child/%s/%s", parent, name) : sk_printf(a, "registry/group-root/%s", name));
	SK_JSON_EACH(ancestor, sk_json_get(group, "rootToParent"))
		mark(c, there, sk_printf(a, "registry/group-descendant/%s/%s", ancestor->valuestring, name));
}

static cJSON *path_below(struct sk_call *c, const cJSON *parent)
{
	const cJSON *above = sk_json_get(parent, "rootToParent");
	cJSON *path = above ? sk_json_copy(c->arena, above) : sk_json_array(c->arena);

	if (parent)
		sk_json_append(path, sk_json_string(c->arena, sk_json_text(parent, "thingGroupName")));
	return path;
}

static void store_new(struct sk_call *c, const char *name, const cJSON *parent, cJSON *attributes)
{
	const char *id = sk_uuid(c);
	cJSON *group = sk_json_object(c->arena);

	sk_json_set_string(c->arena, group, "thingGroupName", name);
	sk_json_set_string(c->arena, group, "thingGroupId", id);
	sk_json_set_int(c->arena, group, "version", 1);
	sk_json_set_string(c->arena, group, "parentGroupName", sk_json_text(c->in, "parentGroupName"));
	sk_json_set(c->arena, group, "rootToParent", path_below(c, parent));
	sk_json_set_string(c->arena, group, "thingGroupDescription", sk_json_text(given_properties(c), "thingGroupDescription"));
	sk_json_set(c->arena, group, "attributes", attributes);
	sk_json_set_int(c->arena, group, "creationDate", c->now_ms);
	tags_store(c, group);
	sk_put(c, group, "registry/group/%s", name);
	index_group(c, group, true);
	event_group(c, EVENT_CREATED, group);
	event_hierarchy(c, EVENT_ADDED, parent, group);
	answer_created(c, name, id);
}

static int CreateThingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingGroupName"), *parent_name = sk_json_text(c->in, "parentGroupName");
	const cJSON *old = sk_get(c, "registry/group/%s", name);
	const cJSON *parent = parent_name ? sk_get(c, "registry/group/%s", parent_name) : NULL;
	bool left = group_members_left(c, name);
	cJSON *attributes = new_attributes(c, NULL);
	int rc = tags_check(c);

	if (!rc)
		rc = check_attributes(c, attributes);
	if (rc)
		return rc;
	if (old)
		return create_again(c, name, old, attributes);
	if (left)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Thing group %s is still being deleted", name);
	rc = parent_name ? check_parent(c, parent_name, parent) : SK_OK;
	if (!rc)
		store_new(c, name, parent, attributes);
	return rc;
}

static void append_group(struct sk_call *c, cJSON *list, const char *name)
{
	cJSON *one = sk_json_append(list, sk_json_object(c->arena));

	sk_json_set_string(c->arena, one, "groupName", name);
	sk_json_set_string(c->arena, one, "groupArn", sk_arn(c, "thinggroup/%s", name));
}

static void describe_metadata(struct sk_call *c, const cJSON *group)
{
	const cJSON *path = sk_json_get(group, "rootToParent");
	cJSON *metadata = sk_json_set_object(c->arena, c->out, "thingGroupMetadata");

	sk_json_set_string(c->arena, metadata, "parentGroupName", sk_json_text(group, "parentGroupName"));
	if (sk_json_count(path)) {
		cJSON *list = sk_json_set_array(c->arena, metadata, "rootToParentThingGroups");
		SK_JSON_EACH(name, path)
			append_group(c, list, name->valuestring);
	}
	sk_json_set(c->arena, metadata, "creationDate", sk_json_time(c->arena, sk_json_int_of(group, "creationDate", 0)));
}

static int DescribeThingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingGroupName");
	const cJSON *group = sk_get(c, "registry/group/%s", name);

	if (!group)
		return fail_absent(c, name);
	answer_created(c, name, sk_json_text(group, "thingGroupId"));
	sk_json_set_int(c->arena, c->out, "version", sk_json_int_of(group, "version", 1));
	cJSON *properties = sk_json_set_object(c->arena, c->out, "thingGroupProperties");
	sk_json_set_string(c->arena, properties, "thingGroupDescription", sk_json_text(group, "thingGroupDescription"));
	cJSON *payload = sk_json_set_object(c->arena, properties, "attributePayload");
	sk_json_set(c->arena, payload, "attributes", sk_json_copy(c->arena, sk_json_get(group, "attributes")));
	describe_metadata(c, group);
	return SK_OK;
}

/* What is not given stays. */
static int UpdateThingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingGroupName");
	const cJSON *old = sk_get(c, "registry/group/%s", name);
	int64_t version = sk_json_int_of(old, "version", 1) + 1;

	if (!old)
		return fail_absent(c, name);
	cJSON *attributes = new_attributes(c, sk_json_get(old, "attributes"));
	int rc = input_expected_version(c, old, "thing group", name);
	if (!rc)
		rc = check_attributes(c, attributes);
	if (rc)
		return rc;
	cJSON *group = sk_json_copy(c->arena, old);
	sk_json_set_string(c->arena, group, "thingGroupDescription", sk_json_text(given_properties(c), "thingGroupDescription"));
	sk_json_set(c->arena, group, "attributes", attributes);
	sk_json_set_int(c->arena, group, "version", version);
	sk_put(c, group, "registry/group/%s", name);
	event_group(c, EVENT_UPDATED, group);
	sk_json_set_int(c->arena, c->out, "version", version);
	return SK_OK;
}

/* registry/attached-group/<group>/<policy> and its reverse are written by skeeter_auth; they lose their meaning with the group. */
static void forget_policies(struct sk_call *c, const char *name)
{
	struct sk_scan policies = sk_scan(c, POLICIES_READ, NULL, "registry/attached-group/%s/", name);

	for (size_t i = 0; i < policies.count; i++) {
		sk_remove(c, "registry/attached-group/%s/%s", name, policies.row[i].name);
		sk_remove(c, "registry/target-group/%s/%s", policies.row[i].name, name);
	}
}

/* "Returns successfully with no error if the deletion is successful or you specify a group that doesn't exist." */
static int DeleteThingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingGroupName");
	const cJSON *old = sk_get(c, "registry/group/%s", name);
	struct sk_scan children = sk_scan(c, 1, NULL, "registry/group-child/%s/", name);
	const char *parent = sk_json_text(old, "parentGroupName");

	if (!old)
		return SK_OK;
	int rc = input_expected_version(c, old, "thing group", name);
	if (!rc && children.count)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "Cannot delete thing group : %s when there are still child groups attached to it.", name);
	if (rc)
		return rc;
	group_members_forget_group(c, old);
	forget_policies(c, name);
	event_hierarchy(c, EVENT_REMOVED, parent ? sk_get(c, "registry/group/%s", parent) : NULL, old);
	event_group(c, EVENT_DELETED, old);
	index_group(c, old, false);
	sk_remove(c, "registry/group/%s", name);
	return SK_OK;
}

/* "If true, return child groups as well": so it is when nothing is said. Without a parent that is all groups, else the roots. */
static struct sk_scan page_of_groups(struct sk_call *c, int *rc, const char *parent, const char *prefix)
{
	const cJSON *recursive = sk_json_get(c->in, "recursive");
	bool deep = !cJSON_IsBool(recursive) || cJSON_IsTrue(recursive);

	if (parent)
		return sk_scan_page(c, rc, "registry/group-%s/%s/%s", deep ? "descendant" : "child", parent, prefix);
	return sk_scan_page(c, rc, "registry/group%s/%s", deep ? "" : "-root", prefix);
}

static int ListThingGroups(struct sk_call *c)
{
	const char *parent = sk_json_text(c->in, "parentGroup"), *prefix = sk_json_text(c->in, "namePrefixFilter");
	int rc = SK_OK;

	if (parent && !sk_get(c, "registry/group/%s", parent))
		return fail_absent(c, parent);
	prefix = prefix ? prefix : "";
	struct sk_scan page = page_of_groups(c, &rc, parent, prefix);
	if (rc)
		return rc;
	cJSON *groups = sk_json_set_array(c->arena, c->out, "thingGroups");
	for (size_t i = 0; i < page.count; i++)
		append_group(c, groups, sk_printf(c->arena, "%s%s", prefix, page.row[i].name));
	return SK_OK;
}
