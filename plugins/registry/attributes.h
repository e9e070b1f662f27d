/* attributes.h -- the name/value pairs of things and thing groups. */
#ifndef REGISTRY_ATTRIBUTES_H
#define REGISTRY_ATTRIBUTES_H

#include "core/call.h"

/* Names beyond this are refused anywhere. */
enum { ATTRIBUTES_MAX = 50 };

/* What `old` (NULL: nothing yet) becomes by an AttributePayload (NULL: it stays): an empty value removes its attribute; with
 * `merge` the others stay. A new object; with more than ATTRIBUTES_MAX members it may be cut short, for the caller to refuse. */
cJSON *attributes_after(struct sk_call *c, const cJSON *payload, const cJSON *old);

#endif
