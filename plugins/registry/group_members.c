/* group_members.c -- things in thing groups, see group_members.h.
 *
 * "You can add a thing to a maximum of 10 groups. But you can't add a thing to more than one group in the same hierarchy": two groups are of
 * one hierarchy when they have the same root. */
#include "plugins/registry/group_members.h"

#include <string.h>

#include "core/plugin.h"
#include "plugins/registry/events.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/group_members.ops"
#define OPS_GROUP group_members
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { GROUPS_MAX = 10, FORGOTTEN_AT_ONCE = 100 };

/* The live ones, and those of deleted groups that wait to be forgotten. */
enum { MARKS_READ = 100 };

struct member {
	const char *name;
	const cJSON *group;
};

/* A thing, and the groups that it is in. */
struct membership {
	const char *name;
	const cJSON *thing;
	size_t count;
	struct member of[GROUPS_MAX];
};

static int fail_no_group(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Thing group %s cannot be found.", name);
}

static const char *root_of(const struct member *m)
{
	const cJSON *path = sk_json_get(m->group, "rootToParent");

	return path && cJSON_IsString(path->child) ? path->child->valuestring : m->name;
}

static void put(struct sk_call *c, const struct membership *of, const struct member *m)
{
	const cJSON *mark = sk_json_object(c->arena);

	sk_put(c, mark, "registry/group-thing/%s/%s", m->name, of->name);
	sk_put(c, mark, "registry/thing-group/%s/%s", of->name, m->name);
	sk_put(c, mark, "registry/group-tree-thing/%s/%s", m->name, of->name);
	SK_JSON_EACH(ancestor, sk_json_get(m->group, "rootToParent"))
		sk_put(c, mark, "registry/group-tree-thing/%s/%s", ancestor->valuestring, of->name);
	event_membership(c, EVENT_ADDED, m->group, of->thing);
}

static void take(struct sk_call *c, const char *thing_name, const cJSON *thing, const struct member *m)
{
	sk_remove(c, "registry/group-thing/%s/%s", m->name, thing_name);
	sk_remove(c, "registry/thing-group/%s/%s", thing_name, m->name);
	sk_remove(c, "registry/group-tree-thing/%s/%s", m->name, thing_name);
	SK_JSON_EACH(ancestor, sk_json_get(m->group, "rootToParent"))
		sk_remove(c, "registry/group-tree-thing/%s/%s", ancestor->valuestring, thing_name);
	event_membership(c, EVENT_REMOVED, m->group, thing);
}

static void read_membership(struct sk_call *c, const char *name, const cJSON *thing, struct membership *of)
{
	struct sk_scan groups = sk_scan(c, MARKS_READ, NULL, "registry/thing-group/%s/", name);

	*of = (struct membership){ .name = name, .thing = thing };
	for (size_t i = 0; i < groups.count; i++) {
		const cJSON *group = sk_get(c, "registry/group/%s", groups.row[i].name);
		if (group && of->count < GROUPS_MAX)
			of->of[of->count++] = (struct member){ groups.row[i].name, group };
	}
}

static int read_thing(struct sk_call *c, const char *name, struct membership *of)
{
	const cJSON *thing = sk_get(c, "registry/thing/%s", name);

	read_membership(c, name, thing, of);
	return thing ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", name);
}

static int add(struct sk_call *c, struct membership *of, const struct member *m)
{
	for (size_t i = 0; i < of->count; i++) {
		if (!strcmp(of->of[i].name, m->name))
			return SK_OK;
		if (!strcmp(root_of(&of->of[i]), root_of(m)))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Thing %s is in group %s already, which is in the same hierarchy as %s", of->name,
			               of->of[i].name, m->name);
	}
	if (of->count == GROUPS_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Thing %s is in %d groups already, which is the most", of->name, GROUPS_MAX);
	of->of[of->count++] = *m;
	put(c, of, m);
	return SK_OK;
}

static void leave(struct sk_call *c, struct membership *of, const char *group)
{
	for (size_t i = 0; i < of->count; i++) {
		if (strcmp(of->of[i].name, group))
			continue;
		take(c, of->name, of->thing, &of->of[i]);
		of->of[i] = of->of[--of->count];
		return;
	}
}

/* The two that AddThing... and RemoveThing... are about. */
static int read_pair(struct sk_call *c, struct membership *of, struct member *m)
{
	const char *thing = NULL;
	int rc = input_name(c, "thinggroup", "thingGroupName", "thingGroupArn", &m->name);

	if (!rc)
		rc = input_name(c, "thing", "thingName", "thingArn", &thing);
	if (rc)
		return rc;
	m->group = sk_get(c, "registry/group/%s", m->name);
	rc = read_thing(c, thing, of);
	return rc || m->group ? rc : fail_no_group(c, m->name);
}

static int AddThingToThingGroup(struct sk_call *c)
{
	struct membership of;
	struct member m;
	int rc = read_pair(c, &of, &m);

	return rc ? rc : add(c, &of, &m);
}

/* A thing that is not in the group is as wanted. */
static int RemoveThingFromThingGroup(struct sk_call *c)
{
	struct membership of;
	struct member m;
	int rc = read_pair(c, &of, &m);

	if (!rc)
		leave(c, &of, m.name);
	return rc;
}

static bool holds(const cJSON *list, const char *name)
{
	SK_JSON_EACH(e, list)
		if (!strcmp(e->valuestring, name))
			return true;
	return false;
}

static int check_lists(struct sk_call *c, const cJSON *added, const cJSON *removed)
{
	if (sk_json_count(added) > GROUPS_MAX || sk_json_count(removed) > GROUPS_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "At most %d groups can be added and removed at once", GROUPS_MAX);
	SK_JSON_EACH(name, added)
		if (holds(removed, name->valuestring))
			return sk_fail(c, SK_E_INVALID_REQUEST, "Thing group %s is to be both added and removed", name->valuestring);
	return SK_OK;
}

/* Looks at all of them, so that they are fetched together. */
static const char *first_absent(struct sk_call *c, const cJSON *groups)
{
	const char *absent = NULL;

	SK_JSON_EACH(name, groups)
		if (!sk_get(c, "registry/group/%s", name->valuestring) && !absent)
			absent = name->valuestring;
	return absent;
}

/* Removals first, so that a thing can move within a hierarchy. */
static int UpdateThingGroupsForThing(struct sk_call *c)
{
	const cJSON *added = sk_json_get(c->in, "thingGroupsToAdd"), *removed = sk_json_get(c->in, "thingGroupsToRemove");
	const char *thing = sk_json_text(c->in, "thingName");
	struct membership of;

	if (!thing)
		return sk_fail(c, SK_E_INVALID_REQUEST, "thingName must be given");
	int rc = check_lists(c, added, removed);
	if (rc)
		return rc;
	const char *no_added = first_absent(c, added), *no_removed = first_absent(c, removed);
	rc = read_thing(c, thing, &of);
	if (!rc && (no_added || no_removed))
		rc = fail_no_group(c, no_added ? no_added : no_removed);
	if (rc)
		return rc;
	SK_JSON_EACH(name, removed)
		leave(c, &of, name->valuestring);
	SK_JSON_EACH(name, added) {
		const struct member m = { name->valuestring, sk_get(c, "registry/group/%s", name->valuestring) };
		rc = rc ? rc : add(c, &of, &m);
	}
	return rc;
}

static int ListThingsInThingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingGroupName");
	int rc = SK_OK;

	if (!sk_get(c, "registry/group/%s", name))
		return fail_no_group(c, name);
	struct sk_scan page = sk_json_true(c->in, "recursive") ? sk_scan_page(c, &rc, "registry/group-tree-thing/%s/", name) :
	                                                         sk_scan_page(c, &rc, "registry/group-thing/%s/", name);
	if (rc)
		return rc;
	cJSON *things = sk_json_set_array(c->arena, c->out, "things");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(things, sk_json_string(c->arena, page.row[i].name));
	return SK_OK;
}

static int ListThingGroupsForThing(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "thingName");
	int rc = SK_OK;

	if (!sk_get(c, "registry/thing/%s", name))
		return sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", name);
	struct sk_scan page = sk_scan_page(c, &rc, "registry/thing-group/%s/", name);
	if (rc)
		return rc;
	cJSON *groups = sk_json_set_array(c->arena, c->out, "thingGroups");
	for (size_t i = 0; i < page.count; i++) {
		if (!sk_get(c, "registry/group/%s", page.row[i].name))
			continue;
		cJSON *one = sk_json_append(groups, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "groupName", page.row[i].name);
		sk_json_set_string(c->arena, one, "groupArn", sk_arn(c, "thinggroup/%s", page.row[i].name));
	}
	return SK_OK;
}

/* -- what goes with a thing or a group -- */

/* Memberships in a group without a record are left to the event that forgets the group: it knows the ancestors. */
void group_members_forget_thing(struct sk_call *c, const char *name, const cJSON *thing)
{
	struct membership of;

	read_membership(c, name, thing, &of);
	for (size_t i = 0; i < of.count; i++)
		take(c, name, thing, &of.of[i]);
}

void group_members_forget_group(struct sk_call *c, const cJSON *group)
{
	const struct member m = { sk_json_text(group, "thingGroupName"), group };
	struct sk_scan things = sk_scan(c, FORGOTTEN_AT_ONCE, NULL, "registry/group-thing/%s/", m.name);

	for (size_t i = 0; i < things.count; i++)
		take(c, things.row[i].name, sk_get(c, "registry/thing/%s", things.row[i].name), &m);
	if (things.next)
		sk_emit(c, GROUP_MEMBERS_FORGET, sk_json_copy(c->arena, group));
}

bool group_members_left(struct sk_call *c, const char *group)
{
	return sk_scan(c, 1, NULL, "registry/group-tree-thing/%s/", group).count > 0;
}

/* A group of that name can only be made when nothing is left: if there is one, this is a repetition and all is done. */
int group_members_on_forget(struct sk_call *c)
{
	if (!sk_get(c, "registry/group/%s", sk_json_text(c->in, "thingGroupName")))
		group_members_forget_group(c, c->in);
	return SK_OK;
}
