/* plugin.c -- skeeter_registry: things, their types and their groups. Glue only: the tables are in *.ops, the logic beside them.
 *
 * It has no topics of its own: devices use the registry through the control topic and HTTP. */
#include <string.h>
#include <unistd.h>

#include "core/tags.h"
#include "plugins/registry/billing_groups.h"
#include "plugins/registry/group_members.h"
#include "plugins/registry/registry.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = {
	&things_group, &thing_types_group, &thing_groups_group, &group_members_group, &billing_groups_group,
	&tags_group, &events_group, &logging_group, &endpoint_group, &role_aliases_group, &domain_configurations_group, NULL,
};

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct registry_state, endpoint, NULL, NULL,
	          "the address that DescribeEndpoint answers; default: this host's name"),
	{ 0 }
};

/* What one commit is too small for goes on here. */
static const struct sk_on on[] = {
	{ GROUP_MEMBERS_FORGET, group_members_on_forget, "registry" },
	{ BILLING_GROUP_FORGET, billing_groups_on_forget, "registry" },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	struct registry_state *s = state;

	(void)why, (void)why_size;
	s->account = sk_account();
	s->tagged = sk_tagged_at;
	if (gethostname(s->host, sizeof(s->host) - 1) || !*s->host)
		strcpy(s->host, "localhost");
	return 0;
}

static const struct sk_resource resources[] = {
	{ "ThingTypeName", "thingtype/" }, { "ThingGroupName", "thinggroup/" }, { "BillingGroupName", "billinggroup/" },
	{ "ThingArn", "" }, { "ThingGroupArn", "" }, { "BillingGroupArn", "" }, { "ResourceArn", "" },
	{ "RoleAlias", "rolealias/" }, { "DomainConfigurationName", "domainconfiguration/" },
	{ "ReservedDomainConfigurationName", "domainconfiguration/" }, { 0 }
};

/* Things have no tags at AWS. */
static const struct sk_tagged tagged[] = {
	{ "thingtype", "registry/type/" }, { "thinggroup", "registry/group/" }, { "billinggroup", "registry/billing-group/" },
	{ "rolealias", "registry/role-alias/" }, { "domainconfiguration", "registry/domain-configuration/" }, { 0 }
};

SKEETER_PLUGIN(.name = "registry", .prose = "things, thing types and groups", .state_size = sizeof(struct registry_state),
               .options = options, .operations = operations, .on = on, .shapes = shapes, .resources = resources, .tagged = tagged,
               .start = start)
