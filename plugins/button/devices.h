/* devices.h -- how devices come to be known.
 *
 * A device is known when a claim code names it or when it was pressed once; then it waits to be claimed. */
#ifndef BUTTON_DEVICES_H
#define BUTTON_DEVICES_H

#include "core/call.h"

/* Of a press, in any partition: tells buttons/account of a device that is neither claimed nor waiting, by a durable event. The caller has read
 * buttons/account/device/<id> and found nothing, and puts pressedAt into button/<id>/state, which is the press that FinalizeDeviceClaim asks for. */
void button_seen(struct sk_call *c, const char *id);

#define BUTTON_SEEN "ButtonSeen"
/* {deviceId, at}: in buttons/account. */
sk_handler button_on_seen;

#endif
