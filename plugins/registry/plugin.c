/* plugin.c -- skeeter_registry: things and thing types. Glue only: the tables are in *.ops, the logic beside them.
 *
 * It has no topics of its own: devices use the registry through the control topic and HTTP. */
#include <string.h>
#include <unistd.h>

#include "core/plugin.h"
#include "plugins/registry/registry.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = { &things_group, &thing_types_group, &endpoint_group, NULL };

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct registry_state, endpoint, NULL, NULL,
	          "the address that DescribeEndpoint answers; default: this host's name"),
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	struct registry_state *s = state;

	(void)why, (void)why_size;
	if (gethostname(s->host, sizeof(s->host) - 1) || !*s->host)
		strcpy(s->host, "localhost");
	return 0;
}

SKEETER_PLUGIN(.name = "registry", .prose = "things and thing types", .state_size = sizeof(struct registry_state),
               .options = options, .operations = operations, .shapes = shapes, .start = start)
