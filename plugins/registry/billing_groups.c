/* billing_groups.c -- billing groups: a thing is in one or none.
 *
 * registry/billing-group/<name> is {billingGroupName, billingGroupId, version, billingGroupDescription?, creationDate, tags?}; the things
 * in it: billing_groups.h. A large group that is deleted leaves its things by events, and its name is free again when the last has gone. */
#include "plugins/registry/billing_groups.h"

#include <string.h>

#include "core/plugin.h"
#include "plugins/registry/inputs.h"
#include "plugins/registry/registry.h"
#include "plugins/registry/tags.h"

#define OPS_FILE "plugins/registry/billing_groups.ops"
#define OPS_GROUP billing_groups
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { FORGOTTEN_AT_ONCE = 100 };

static int fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Billing group %s cannot be found.", name);
}

static const char *given_description(const struct sk_call *c)
{
	return sk_json_text(sk_json_get(c->in, "billingGroupProperties"), "billingGroupDescription");
}

static void answer_created(struct sk_call *c, const char *name, const char *id)
{
	sk_json_set_string(c->arena, c->out, "billingGroupName", name);
	sk_json_set_string(c->arena, c->out, "billingGroupArn", sk_arn(c, "billinggroup/%s", name));
	sk_json_set_string(c->arena, c->out, "billingGroupId", id);
}

static int create_again(struct sk_call *c, const char *name, const cJSON *old)
{
	const char *has = sk_json_text(old, "billingGroupDescription"), *wants = given_description(c);

	if (!strcmp(has ? has : "", wants ? wants : "")) {
		answer_created(c, name, sk_json_text(old, "billingGroupId"));
		return SK_OK;
	}
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Billing group %s already exists in account with different properties", name);
	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", sk_json_text(old, "billingGroupId"));
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "billinggroup/%s", name));
	return rc;
}

static int CreateBillingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");
	const cJSON *old = sk_get(c, "registry/billing-group/%s", name);
	bool left = sk_scan(c, 1, NULL, "registry/billing-group-thing/%s/", name).count > 0;
	int rc = tags_check(c);

	if (rc)
		return rc;
	if (old)
		return create_again(c, name, old);
	if (left)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Billing group %s is still being deleted", name);
	const char *id = sk_uuid(c);
	cJSON *group = sk_json_object(c->arena);
	sk_json_set_string(c->arena, group, "billingGroupName", name);
	sk_json_set_string(c->arena, group, "billingGroupId", id);
	sk_json_set_int(c->arena, group, "version", 1);
	sk_json_set_string(c->arena, group, "billingGroupDescription", given_description(c));
	sk_json_set_int(c->arena, group, "creationDate", c->now_ms);
	tags_store(c, group);
	sk_put(c, group, "registry/billing-group/%s", name);
	answer_created(c, name, id);
	return SK_OK;
}

static int DescribeBillingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");
	const cJSON *group = sk_get(c, "registry/billing-group/%s", name);

	if (!group)
		return fail_absent(c, name);
	answer_created(c, name, sk_json_text(group, "billingGroupId"));
	sk_json_set_int(c->arena, c->out, "version", sk_json_int_of(group, "version", 1));
	cJSON *properties = sk_json_set_object(c->arena, c->out, "billingGroupProperties");
	sk_json_set_string(c->arena, properties, "billingGroupDescription", sk_json_text(group, "billingGroupDescription"));
	cJSON *metadata = sk_json_set_object(c->arena, c->out, "billingGroupMetadata");
	sk_json_set(c->arena, metadata, "creationDate", sk_json_time(c->arena, sk_json_int_of(group, "creationDate", 0)));
	return SK_OK;
}

static int UpdateBillingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");
	const cJSON *old = sk_get(c, "registry/billing-group/%s", name);
	int64_t version = sk_json_int_of(old, "version", 1) + 1;

	if (!old)
		return fail_absent(c, name);
	int rc = input_expected_version(c, old, "billing group", name);
	if (rc)
		return rc;
	cJSON *group = sk_json_copy(c->arena, old);
	sk_json_set_string(c->arena, group, "billingGroupDescription", given_description(c));
	sk_json_set_int(c->arena, group, "version", version);
	sk_put(c, group, "registry/billing-group/%s", name);
	sk_json_set_int(c->arena, c->out, "version", version);
	return SK_OK;
}

void billing_group_mark(struct sk_call *c, const char *group, const char *thing, bool there)
{
	if (group && there)
		sk_put(c, sk_json_object(c->arena), "registry/billing-group-thing/%s/%s", group, thing);
	else if (group)
		sk_remove(c, "registry/billing-group-thing/%s/%s", group, thing);
}

/* From the group that it was in to another, or to none. A thing's version counts its attributes and its type, not this. */
static void move(struct sk_call *c, const cJSON *old, const char *name, const char *to)
{
	cJSON *thing = sk_json_copy(c->arena, old);

	billing_group_mark(c, sk_json_text(old, "billingGroupName"), name, false);
	billing_group_mark(c, to, name, true);
	sk_json_remove(thing, "billingGroupName");
	sk_json_set_string(c->arena, thing, "billingGroupName", to);
	sk_put(c, thing, "registry/thing/%s", name);
}

static bool is_in(const cJSON *thing, const char *group)
{
	const char *has = sk_json_text(thing, "billingGroupName");

	return has && !strcmp(has, group);
}

static void forget(struct sk_call *c, const char *group)
{
	struct sk_scan things = sk_scan(c, FORGOTTEN_AT_ONCE, NULL, "registry/billing-group-thing/%s/", group);

	for (size_t i = 0; i < things.count; i++) {
		const char *name = things.row[i].name;
		const cJSON *thing = sk_get(c, "registry/thing/%s", name);
		if (is_in(thing, group))
			move(c, thing, name, NULL);
		else
			billing_group_mark(c, group, name, false);
	}
	if (!things.next)
		return;
	cJSON *rest = sk_json_object(c->arena);
	sk_json_set_string(c->arena, rest, "billingGroupName", group);
	sk_emit(c, BILLING_GROUP_FORGET, rest);
}

/* A group of that name can only be made when nothing is left: if there is one, this is a repetition and all is done. */
int billing_groups_on_forget(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");

	if (!sk_get(c, "registry/billing-group/%s", name))
		forget(c, name);
	return SK_OK;
}

static int DeleteBillingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");
	const cJSON *old = sk_get(c, "registry/billing-group/%s", name);

	if (!old)
		return SK_OK;
	int rc = input_expected_version(c, old, "billing group", name);
	if (rc)
		return rc;
	sk_remove(c, "registry/billing-group/%s", name);
	forget(c, name);
	return SK_OK;
}

static int ListBillingGroups(struct sk_call *c)
{
	const char *prefix = sk_json_text(c->in, "namePrefixFilter");
	int rc = SK_OK;
	struct sk_scan page = sk_scan_page(c, &rc, "registry/billing-group/%s", prefix ? prefix : "");

	if (rc)
		return rc;
	cJSON *groups = sk_json_set_array(c->arena, c->out, "billingGroups");
	for (size_t i = 0; i < page.count; i++) {
		const char *name = sk_json_text(page.row[i].document, "billingGroupName");
		cJSON *one = sk_json_append(groups, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "groupName", name);
		sk_json_set_string(c->arena, one, "groupArn", sk_arn(c, "billinggroup/%s", name));
	}
	return SK_OK;
}

struct pair {
	const char *group, *name;
	const cJSON *thing;
};

static int read_pair(struct sk_call *c, struct pair *p)
{
	int rc = input_name(c, "billinggroup", "billingGroupName", "billingGroupArn", &p->group);

	if (!rc)
		rc = input_name(c, "thing", "thingName", "thingArn", &p->name);
	if (rc)
		return rc;
	const cJSON *group = sk_get(c, "registry/billing-group/%s", p->group);
	p->thing = sk_get(c, "registry/thing/%s", p->name);
	if (!group)
		return fail_absent(c, p->group);
	return p->thing ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", p->name);
}

/* "A thing can belong to exactly one billing group": from another one it moves. */
static int AddThingToBillingGroup(struct sk_call *c)
{
	struct pair p;
	int rc = read_pair(c, &p);

	if (!rc && !is_in(p.thing, p.group))
		move(c, p.thing, p.name, p.group);
	return rc;
}

static int RemoveThingFromBillingGroup(struct sk_call *c)
{
	struct pair p;
	int rc = read_pair(c, &p);

	if (!rc && is_in(p.thing, p.group))
		move(c, p.thing, p.name, NULL);
	return rc;
}

static int ListThingsInBillingGroup(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "billingGroupName");
	int rc = SK_OK;

	if (!sk_get(c, "registry/billing-group/%s", name))
		return fail_absent(c, name);
	struct sk_scan page = sk_scan_page(c, &rc, "registry/billing-group-thing/%s/", name);
	if (rc)
		return rc;
	cJSON *things = sk_json_set_array(c->arena, c->out, "things");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(things, sk_json_string(c->arena, page.row[i].name));
	return SK_OK;
}
