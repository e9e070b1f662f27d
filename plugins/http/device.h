/* device.h -- the data plane for devices: who shows a certificate may do over HTTPS what its policy allows over MQTT. Pure. */
#ifndef HTTP_DEVICE_H
#define HTTP_DEVICE_H

#include "core/ask.h"
#include "plugins/http/http.h"

http_identify device_identify;   /* by x->peer; the service is always iotdata */
http_authorize device_authorize; /* by the certificate's policies, on the broker's thread (device_judge.c) */

/* What a policy must allow for an operation with that input: how many; 0: the operation is not for devices, or memory is out. */
int device_permissions(struct sk_arena *a, const char *operation, const cJSON *in, struct sk_permission out[SK_PERMISSIONS]);

#endif
