/* plugin.c -- skeeter_rules: messages that match a rule are shaped and sent on. Glue only. */
#include "plugins/rules/rules.h"

#define SHAPES_FILE "plugins/rules/rules.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_BOOL, struct rules_state, strict_aws, "false", NULL,
	          "AWS IoT SQL as AWS's guide has it even where it contradicts itself, and without extensions"),
	SK_OPTION(SK_INT, struct rules_state, most_rules, "1000", "1 1000000", "most rules that can be created; AWS's limit is 1000"),
	{ 0 }
};

static const struct sk_op_group *const operations[] = { &topic_rules_group, &dry_run_group, &observed_group, NULL };
static const struct sk_resource resources[] = { { "RuleName", "rule/" }, { 0 } };
static const struct sk_tagged tagged[] = { { "rule", "registry/rule/" }, { 0 } };

static int start(void *state, char *why, size_t why_size)
{
	struct rules_state *s = state;

	(void)why, (void)why_size;
	s->account = sk_account();
	return 0;
}

SKEETER_PLUGIN(.name = "rules", .prose = "topic rules: AWS IoT SQL and Lua", .state_size = sizeof(struct rules_state), .options = options,
               .operations = operations, .shapes = shapes, .resources = resources, .tagged = tagged, .start = start)
