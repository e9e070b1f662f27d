/* records.h -- what the operations do with records of buttons/account: looked up with the error of what is missing, and kept consistent. */
#ifndef BUTTON_RECORDS_H
#define BUTTON_RECORDS_H

#include "core/call.h"

/* The record that the input's deviceId, projectName or projectName and placementName name; NULL with ResourceNotFound in *rc. */
const cJSON *device_wanted(struct sk_call *c, int *rc);
const cJSON *project_wanted(struct sk_call *c, int *rc);
const cJSON *placement_wanted(struct sk_call *c, int *rc);

/* A device that waits to be claimed: its record put (seenAt is kept) or taken away, and counted. */
void waiting_put(struct sk_call *c, const char *id, const cJSON *old, cJSON *record);
void waiting_remove(struct sk_call *c, const char *id, const cJSON *old);

/* Moves a device from waiting (NULL: it was not known) to the claimed ones, disabled as AWS's are. `tags` may be NULL. */
void device_claim(struct sk_call *c, const char *id, const cJSON *waiting, const cJSON *tags);

/* Takes a device out of its placement, if it is in one: the placement's record, the index, and the names in `device`, a copy that the caller puts. */
void placement_release(struct sk_call *c, cJSON *device);
/* buttons/account/in/<project>/<template>/<placement> is {}: a device is there. */
void placement_mark(struct sk_call *c, const char *project, const char *placement, const char *device_template, bool there);

/* A map of tags, as it is kept and answered: {} when there are none. */
void button_tags_show(struct sk_call *c, cJSON *out, const cJSON *record);
/* More than AWS's fifty, or a key that it keeps for itself: InvalidRequest. */
int button_tags_check(struct sk_call *c, const cJSON *tags);

#endif
