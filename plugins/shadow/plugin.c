/* plugin.c -- skeeter_shadow: classic and named device shadows. Glue only: topics are served in requests.c, operations in
 * shadows.c, and what a shadow is stands in the engine, shadow/. */
#include <stdio.h>

#include "plugins/shadow/shadows.h"

#define SHAPES_FILE "plugins/shadow/shadow.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

enum { DOCUMENT_SIZE_MAX = 1 << 20, OVERHEAD = 1024 };

static const struct sk_option options[] = {
	SK_OPTION(SK_CHOICE, struct shadows_state, limits, "default", "default aws",
	          "size and depth of a document: default is 64 KiB and 16 levels, aws is 8 KiB and 6 levels"),
	SK_OPTION(SK_SIZE, struct shadows_state, max_document_size, "0", NULL,
	          "most bytes of desired and reported together, at most 1m; 0: as limits says"),
	SK_OPTION(SK_INT, struct shadows_state, max_depth, "0", "0 100", "most nested levels in a section; 0: as limits says"),
	SK_OPTION(SK_DURATION, struct shadows_state, version_memory, "48h", NULL,
	          "how long a deleted shadow's version is remembered, so that the next one continues from it; 0: not at all"),
	{ 0 }
};

/* A request may hold white space, nulls, its clientToken and version beside what will be stored. */
static size_t request_size(void *state)
{
	return 2 * ((struct shadows_state *)state)->in_force.size + OVERHEAD;
}

#define REQUEST(verb) \
	{ .pattern = "$aws/things/{thing}/shadow/" #verb, .handler = shadows_on_##verb, .partition = "thing/{thing}", \
	  .refuse = shadows_on_refusal, .limit = request_size }, \
	{ .pattern = "$aws/things/{thing}/shadow/name/{shadow}/" #verb, .handler = shadows_on_##verb, .partition = "thing/{thing}", \
	  .refuse = shadows_on_refusal, .limit = request_size }
static const struct sk_topic topics[] = { REQUEST(update), REQUEST(get), REQUEST(delete), { 0 } };

static const struct sk_op_group *const operations[] = { &shadows_group, NULL };

static const struct sk_on on[] = {
	{ "DeleteThing", shadows_on_thing_deleted, "thing/{thingName}" },
	{ "ForgetShadows", shadows_on_thing_deleted, "thing/{thingName}" },
	{ "ForgetShadow", shadows_on_tombstone_due, "thing/{thingName}" },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	struct shadows_state *s = state;

	if (s->max_document_size > DOCUMENT_SIZE_MAX) {
		snprintf(why, why_size, "plugin_opt_max_document_size may be at most 1m");
		return -1;
	}
	s->in_force = s->limits == SHADOWS_LIMITS_AWS ? shadow_limits_aws : shadow_limits_default;
	if (s->max_document_size)
		s->in_force.size = (size_t)s->max_document_size;
	if (s->max_depth)
		s->in_force.depth = (int)s->max_depth;
	return 0;
}

/* A named shadow is "thing/<thing>/<shadow>" to a policy. */
static const struct sk_resource resources[] = { { "ShadowName", "/" }, { 0 } };

SKEETER_PLUGIN(.name = "shadow", .prose = "classic and named device shadows", .state_size = sizeof(struct shadows_state),
               .options = options, .topics = topics, .operations = operations, .on = on, .shapes = shapes, .resources = resources, .start = start)
