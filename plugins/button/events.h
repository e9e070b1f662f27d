/* events.h -- the list of what a device did, which ListDeviceEvents shows: bounded in number and in age. */
#ifndef BUTTON_EVENTS_H
#define BUTTON_EVENTS_H

#include "core/call.h"

/* In the home partition button/<id>: keeps an event of now. `state` is the copy of button/<id>/state that the caller is about to put; its members events
 * and eventNumber are changed. `device` is the device's record. `std` is what AWS prints into stdEvent: {clickType, reportedTime, certificateId,
 * remainingLife, testMode}. When there are as many as plugin_opt_events the oldest eighth goes. */
void button_event_add(struct sk_call *c, cJSON *state, const char *id, const cJSON *device, const cJSON *std);

#define BUTTON_EVENTS_AGED "ButtonEventsAged"
/* The timer of that name in button/<id>: {deviceId}. */
sk_handler button_on_events_aged;

#endif
