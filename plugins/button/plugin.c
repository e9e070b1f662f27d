/* plugin.c -- skeeter_button: AWS IoT 1-Click. Glue only: the tables are in *.ops, the logic beside them. */
#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/devices.h"
#include "plugins/button/events.h"

#define SHAPES_FILE "plugins/button/button.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = {
	&button_devices_group, &button_claims_group, &button_methods_group, &button_events_group, &button_projects_group, &button_placements_group,
	&button_placement_devices_group, &button_tags_group, &button_claim_codes_group, NULL,
};

static const struct sk_option options[] = {
	SK_OPTION(SK_INT, struct button_state, events, "1000", "8 100000", "most events of a device that are kept for ListDeviceEvents"),
	SK_OPTION(SK_DURATION, struct button_state, events_age, "720h", NULL, "how long they are kept"),
	SK_OPTION(SK_INT, struct button_state, waiting, "1000", "0 1000000", "most devices that were pressed and wait to be claimed"),
	{ 0 }
};

static const struct sk_on on[] = {
	{ BUTTON_SEEN, button_on_seen, "buttons/account" },
	{ BUTTON_EVENTS_AGED, button_on_events_aged, "button/{deviceId}" },
	{ 0 }
};

static const struct sk_resource resources[] = {
	{ "ButtonId", "devices/" }, { "ProjectName", "projects/" }, { "ButtonArn", "" }, { 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	struct button_state *s = state;

	return tags_inputs_new(&s->projects_tags, shapes, why, why_size);
}

static void stop(void *state)
{
	tags_inputs_free(&((struct button_state *)state)->projects_tags);
}

SKEETER_PLUGIN(.name = "button", .prose = "AWS IoT 1-Click: buttons, projects and placements", .state_size = sizeof(struct button_state),
               .options = options, .operations = operations, .on = on, .shapes = shapes, .resources = resources, .start = start, .stop = stop)
