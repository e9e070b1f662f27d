/* button.h -- what the files of skeeter_button share: its options, where records are, and the ways through them.
 *
 * `buttons/account` is one partition and holds what has relations. Operations write there, a click only reads it:
 *   buttons/account/device/<deviceId>         a claimed device: {type, enabled, claimedAt (ms), tags?, onClick?, health?, projectName?, placementName?,
 *                                             deviceTemplateName?}. onClick is {awsLambdaArn}, health {awsLambdaArn, remainingLifeLowerThan}. The three
 *                                             names are there together, while it is in a placement.
 *   buttons/account/waiting/<deviceId>        a device that is known and not claimed: {type, seenAt (ms), initiatedAt? (ms)}. It is under `device` or here, never both.
 *   buttons/account/waiting-count             {count} of these
 *   buttons/account/code/<claimCode>          {deviceIds, createdAt (ms)}
 *   buttons/account/project/<project>         {projectName, description?, placementTemplate: {defaultAttributes, deviceTemplates: {NAME: {deviceType,
 *                                             callbackOverrides}}}, tags?, createdAt, updatedAt (ms)}
 *   buttons/account/placement/<project>/<placement>  {attributes, devices: {TEMPLATE: deviceId}, createdAt, updatedAt (ms)}
 *
 * `button/<deviceId>` is a partition for each device and holds what a click changes, so that clicks of two devices run in parallel:
 *   button/<deviceId>/state                   {pressedAt (ms, of the last press whether claimed or not), remainingLife? (0 to 100), events? (how many are kept),
 *                                             eventNumber?}; the engine of clicks has members of its own beside these. Written by clicks only.
 *   button/<deviceId>/event/<ms, 13 digits>-<number, 10 digits>   {attributes, type, stdEvent}: see events.h
 * A timer of that partition, "events", forgets what has grown too old.
 *
 * A click reads `device` first: absent, it is button_seen() and nothing else. Then button_target_of() has all else, by two reads more. */
#ifndef BUTTON_BUTTON_H
#define BUTTON_BUTTON_H

#include "core/call.h"
#include "plugins/button/tags.h"

struct button_state {
	int64_t events;     /* most events of a device that are kept */
	int64_t events_age; /* ms */
	int64_t waiting;    /* most devices that wait to be claimed */
	struct tags_inputs projects_tags;
};

struct sk_op_group;
extern const struct sk_op_group button_devices_group, button_claims_group, button_claim_codes_group, button_methods_group, button_events_group,
	button_projects_group, button_placements_group, button_placement_devices_group, button_tags_group;

#define BUTTON_TYPE "button" /* the only type of device that AWS ever had */

/* The longest name of a device: AWS's. Which characters it may have: button_id_valid(). */
enum { BUTTON_ID_MOST = 32 };
/* May a device have this name? Letters, digits and _.:- so that it stands in keys, topics and ARNs as it is. For names that come in messages; those in
 * operations are checked by the type ButtonId. */
bool button_id_valid(const char *id);

/* Where a claimed device is, and what a press of it is to call. */
struct button_target {
	const cJSON *device;             /* its record */
	const char *project, *placement, *device_template; /* NULL: it is in no placement */
	const cJSON *project_record, *placement_record;    /* NULL likewise */
	const char *function; /* an ARN: of the template's onClickCallback, else of the device's own; NULL: there is none */
};
/* false: the device is not claimed (or this run is void). */
bool button_target_of(struct sk_call *c, const char *id, struct button_target *t);

/* deviceInfo.attributes of a click, and `attributes` of DescribeDevice: projectRegion, projectName, placementName, deviceTemplateName; {} in no placement. */
cJSON *button_device_attributes(struct sk_call *c, const cJSON *device);
/* placementInfo of a click: {projectName, placementName, attributes (the placement's over the project's defaults), devices}; NULL: in no placement. */
cJSON *button_placement_info(struct sk_call *c, const struct button_target *t);
/* The remaining life in %, of button/<id>/state or NULL: 100 until something else was reported. */
double button_remaining_life(const cJSON *state);

#endif
